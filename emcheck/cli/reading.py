"""Reading the files that commands name; anything wrong with one is a line on stderr and exit code 2."""

import errno
import sys
from pathlib import Path
from typing import NoReturn

import typer

from emcheck.domain.ids import Ms
from emcheck.domain.instants import parse_ms
from emcheck.domain.limits import excesses
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy, PolicyError, parse_policy
from emcheck.domain.register import Register, RegisterError, parse_register
from emcheck.domain.remarks import slips
from emcheck.shipped import shipped_policies

_WARNED_MAX = 100
"""A town of such orders is one fault of whoever wrote them."""


def bad_input(message: object) -> NoReturn:
    """Say what is wrong in one line and leave with 2."""
    typer.echo(f"emcheck: {message}", err=True)
    raise typer.Exit(2)


_REMEDIES = {
    errno.ENOENT: "name a file that is there",
    errno.EISDIR: "name a file, not a folder",
    errno.EACCES: "let this user read it, or name another",
}


def unreadable(error: OSError) -> str:
    """Why a file cannot be read, and what to do: `No such file or directory; name a file that is there`."""
    return f"{error.strerror}; {_REMEDIES.get(error.errno or 0, 'name a file that can be read')}"


def read_text(path: Path) -> str:
    """The text of a file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        bad_input(f"{path}: {unreadable(error)}")
    except UnicodeDecodeError as error:
        bad_input(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}")


def read_named(path: str) -> tuple[str, str]:
    """The text of a file, or of standard input for `-`; and what to call it."""
    if path != "-":
        return read_text(Path(path)), path
    try:
        return sys.stdin.buffer.read().decode(), "standard input"
    except UnicodeDecodeError as error:
        bad_input(f"standard input: not UTF-8 text: {error.reason} at byte {error.start}")


def read_register(path: Path) -> Register:
    """A register file."""
    try:
        return parse_register(read_text(path), name=str(path))
    except RegisterError as error:
        bad_input(error)


def heed_limits(
    register: Register, policy: Policy, name: Path, *, alone: bool = False, published: Policies | None = None
) -> None:
    """Tell of orders beyond what law and practice allow, and of likely slips; leave with 2 where policy refuses one.

    An order that names a policy is held against the one that is `published` so, else against a shipped one. One that
    stands `alone`, without others and equipment, is only held against the limits.
    """
    named = {order.policy for order in register.orders}
    lines = {} if published is None else published.lines
    others = [
        version for key, line in lines.items() if key in named and key != policy.name for version in line.versions
    ]
    shipped = [known for known in shipped_policies() if known in named and known not in (policy.name, *lines)]
    known = Policies(policy, *others, *map(read_policy, shipped))
    found = excesses(register, known.of)
    refused = [excess for excess in found if excess.refused]
    if refused:
        more = f"; {len(refused) - 1} more are refused" if len(refused) > 1 else ""
        bad_input(f"{name}: {refused[0]}{more}")
    warned = [str(excess) for excess in found if not excess.refused]
    warned += [] if alone else slips(register, register.orders)
    for said in warned[:_WARNED_MAX]:
        typer.echo(f"emcheck: warning: {name}: {said}", err=True)
    if len(warned) > _WARNED_MAX:
        typer.echo(f"emcheck: warning: {name}: {len(warned) - _WARNED_MAX} more such orders", err=True)


def policy_file(named: str | Path | None) -> Path:
    """The file of a policy: one that is shipped, by its name, or any other by its path; England & Wales for None."""
    shipped = shipped_policies()
    named = named or "england-wales"
    if str(named) in shipped:
        return shipped[str(named)]
    path = Path(named)
    if not path.suffix and path.parent == Path() and not path.exists():
        bad_input(f"no policy {named!r}; there are {', '.join(shipped)}, and any file by its path")
    return path


def read_policy(named: str | Path | None) -> Policy:
    """A policy by the name or path that a person gives; England & Wales for None."""
    path = policy_file(named)
    try:
        return parse_policy(read_text(path), name=str(path))
    except PolicyError as error:
        bad_input(error)


def read_instant(text: str | None, option: str) -> Ms | None:
    """An instant given as an option."""
    try:
        return None if text is None else parse_ms(text)
    except ValueError as error:
        bad_input(f"{option}: {error}")
