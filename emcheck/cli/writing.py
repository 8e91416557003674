"""Writing the files that commands name: whole or not at all, and over one that is there only where it is said so."""

import os
import tempfile
from pathlib import Path

from emcheck.cli.reading import bad_input


def write_new(path: Path, text: str | bytes, *, force: bool) -> None:
    """A file that is not there yet, or with `force` in the place of what is there."""
    if not force:
        refuse_if_there(path)
    replace(path, text)


def refuse_if_there(path: Path, option: str = "--out") -> None:
    """Exit code 2 where there is a file of that name, which `option` gave."""
    if path.exists():
        bad_input(f"{path}: is there already; name another with {option}, or say --force")


def replace(path: Path, text: str | bytes) -> None:
    """The file with this content, or as it was: written beside it, to disk, then moved over it."""
    target = path.resolve()
    try:
        with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as beside:
            beside.write(text.encode() if isinstance(text, str) else text)
            beside.flush()
            os.fsync(beside.fileno())
        new = Path(beside.name)
        if target.exists():
            new.chmod(target.stat().st_mode)
        new.replace(target)
    except OSError as error:
        bad_input(f"{path}: {error.strerror}; name a file that can be written")
