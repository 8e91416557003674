"""Replay on one core: the function in memory, and the command as a whole process.

By processor time, which is the wall's time on a core that nobody else uses; the command's start is counted too.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import town
from bench.figures import Figure, at_least, plain
from bench.progress import Say
from emcheck.domain.instants import format_ms, parse_ms
from emcheck.domain.register import Register
from emcheck.service.replay import replay
from emcheck.service.stream import Line

START = parse_ms("2026-03-24T12:00:00Z")
UNITS, MINUTES = 100, 1_200
ROUNDS = 3
TARGET = 60_000
_GROUP = "Replay, events per second of processor time"


def measure(say: Say) -> Iterator[Figure]:
    """Both, for one and for ten events a message; in memory also where the tags tell of the body they are on."""
    known = town.register(UNITS, start=START)
    for per_message in (1, 10):
        lines = list(town.day_of_reports(UNITS, MINUTES, per_message, START))
        say(f"{len(lines):,} messages of {per_message}, {ROUNDS} times: in memory, then `emcheck replay FILE`")
        with tempfile.TemporaryDirectory() as folder:
            files = _files(Path(folder), lines)
            taken = [(_in_memory(lines, known), _as_process(*files)) for _ in range(ROUNDS)]
        events = UNITS * MINUTES
        words = f"{per_message:2} a message"
        yield at_least(_GROUP, f"in memory, {words}", events / median(a for a, _ in taken), TARGET, "events/s")
        yield at_least(
            _GROUP, f"emcheck replay FILE, {words}", events / median(b for _, b in taken), TARGET, "events/s"
        )
        worn = list(town.day_of_reports(UNITS, MINUTES, per_message, START, worn=True))
        say(f"{len(worn):,} messages of {per_message} of tags that tell of the body")
        took_s = median(_in_memory(worn, known) for _ in range(ROUNDS))
        yield plain(_GROUP, f"in memory, {words}, telling of the body", events / took_s, "events/s")


def _in_memory(lines: list[Line], known: Register) -> float:
    began = time.process_time()
    result = replay(lines, known, town.policy())
    took_s = time.process_time() - began
    if result.events != UNITS * MINUTES:
        raise RuntimeError(f"{result.events} events were judged of {UNITS * MINUTES}")
    return took_s


def _as_process(stream: Path, register: Path) -> float:
    command = (
        str(Path(sys.executable).with_name("emcheck")),
        "replay",
        str(stream),
        "--register",
        str(register),
        "--format",
        "jsonl",
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _files(folder: Path, lines: list[Line]) -> tuple[Path, Path]:
    stream, register = folder / "stream.jsonl", folder / "register.json"
    with stream.open("w") as file:
        for line in lines:
            told = {"received_at": format_ms(line.received_at), "topic": line.topic}
            file.write(json.dumps(told | {"payload": json.loads(line.payload)}) + "\n")
    register.write_bytes(town.register_json(UNITS, start=START))
    return stream, register
