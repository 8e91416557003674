"""`emcheck demo --console`: a night in the console, up until Ctrl-C; commands that can be pasted."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from emcheck.cli.demo_console import DemoConsole
from emcheck.cli.night import as_started
from firmware_sim.scenario import parse_scenario
from firmware_sim.worlds.night import Watcher, run_night
from tests.support import england

PASSWORD = "correct horse battery staple"
PATIENCE_S = 120


def test_a_demo_stays_up_in_the_console_until_ctrl_c(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("emcheck")), "demo", "--console", "--folder", str(tmp_path / "demo")]
    command += ["--scenario", "common-causes"]
    with (tmp_path / "said").open("w") as said, _heeding_ctrl_c():
        demo = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        link = _said(tmp_path / "said", r"http://\S+/welcome/\S+")
        address = link.partition("/welcome")[0]
        _said(
            tmp_path / "said",
            rf"The console is up until Ctrl-C:\n{address}  sign in as `demo`\nNo password .*\n{link}\n",
        )
        with httpx.Client() as client:
            assert "Welcome, demo" in (client.get(link)).text
            client.post(link, data={"password": PASSWORD, "again": PASSWORD})
            client.post(f"{address}/sign-in", data={"name": "demo", "password": PASSWORD})
            assert 'class="row P' in (client.get(f"{address}/")).text
        demo.send_signal(signal.SIGINT)
        assert demo.wait(PATIENCE_S) == 0
    finally:
        demo.kill()
        demo.wait()


def test_a_demo_shows_the_night_in_the_console_and_ends_by_itself(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("emcheck")), "demo", "--folder", str(tmp_path / "demo")]
    command += ["--scenario", "common-causes"]
    with (tmp_path / "said").open("w") as said:
        demo = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
    try:
        link = _said(tmp_path / "said", r"http://\S+/welcome/\S+")
        with httpx.Client() as client:
            assert "Welcome, demo" in client.get(link).text
        assert demo.wait(PATIENCE_S) == 0
    finally:
        demo.kill()
        demo.wait()
    told = (tmp_path / "said").read_text()
    assert told.index("/welcome/") < told.index("Broker on"), "the link comes first"
    assert re.search(r"In the console: +\S*emcheck demo --console +\(keeps it up until Ctrl-C\)\n$", told)


async def test_a_night_goes_on_where_no_console_can_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hour = {"name": "hour", "starts_at": "2026-02-10T18:30", "ends_at": "2026-02-10T18:50", "town": {"wearers": 2}}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr("emcheck.cli.demo_console.free_port", lambda: taken.getsockname()[1])
        desk = DemoConsole(tmp_path, "Europe/London", must=False)
        night = await run_night(
            parse_scenario(hour, source="test"), england(), tmp_path, watcher=Watcher(), console=desk.beside
        )
    assert night.events > 20
    assert "cannot be listened on" in desk.trouble


@contextmanager
def _heeding_ctrl_c() -> Iterator[None]:
    """What is started here heeds Ctrl-C, though the tests themselves may run in the background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _said(file: Path, pattern: str) -> str:
    until = time.monotonic() + PATIENCE_S
    while (found := re.search(pattern, file.read_text())) is None:
        assert time.monotonic() < until, file.read_text()
        time.sleep(0.1)
    return found[0]


def test_a_command_is_printed_as_it_was_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [".venv/bin/emcheck", "demo"])
    assert as_started() == ".venv/bin/emcheck"
    monkeypatch.setattr(sys, "argv", ["emcheck", "demo"])
    assert as_started() == "emcheck"
    found = tmp_path / "emcheck"
    found.write_text("#!/bin/sh\n")
    found.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(found), "demo"])
    assert as_started() == "emcheck"
