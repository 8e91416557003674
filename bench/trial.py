"""One scene in a fresh process, so that no measurement inherits another's memory. It prints a line of JSON.

`python -m bench.trial SCENE ARGUMENTS` is what `run` starts; scenes stand in `consuming`, `crowd` and `alerting`.
"""

import asyncio
import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_SCRATCH = Path("build")
"""On the disk that the project is on: a memory file system would make every commit look cheap."""


class TrialError(RuntimeError):
    """A scene failed; what it said stands above."""


def run(scene: str, **arguments: Any) -> dict[str, Any]:
    """What a scene measured."""
    command = (sys.executable, "-m", "bench.trial", scene, json.dumps(arguments))
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise TrialError(f"{scene} {arguments}: ended with {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main(scene: str, arguments: dict[str, Any]) -> None:
    """Play a scene in a folder of its own."""
    _SCRATCH.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_SCRATCH, prefix="bench-") as folder:
        play = importlib.import_module(f"bench.{scene}").play
        result = asyncio.run(play(Path(folder).absolute(), **arguments))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
