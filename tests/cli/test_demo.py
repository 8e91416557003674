"""`emcheck demo --console`: a night in the console, up until Ctrl-C; commands that can be pasted."""

import os
import re
import shlex
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
from emcheck.cli.stopping import nothing_to_end, term_is_ctrl_c
from emcheck.domain.rights import Role
from firmware_sim.scenario import parse_scenario
from firmware_sim.worlds.night import Watcher, run_night
from tests.support import england

PASSWORD = "correct horse battery staple"
PATIENCE_S = 120


def evening(folder: Path) -> Path:
    """An hour and a half in which one of four slips out."""
    path = folder / "evening.toml"
    path.write_text("""
name = "evening"
about = "one of four slips out"
seed = 1
starts_at = "2026-03-03T18:45"
ends_at = "2026-03-03T20:15"
[town]
wearers = 4
restless_share = 0
[[story]]
kind = "slip"
wearers = [3]
at = "2026-03-03T19:20"
minutes = 30
""")
    return path


def test_a_demo_stays_up_in_the_console_until_ctrl_c(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("emcheck")), "demo", "--console", "--folder", str(tmp_path / "demo")]
    command += ["--scenario", str(evening(tmp_path))]
    with (tmp_path / "said").open("w") as said, _heeding_ctrl_c():
        demo = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    try:
        address = _said(tmp_path / "said", r"http://\S+/welcome/\S+").partition("/welcome")[0]
        links = dict(re.findall(rf"^(\w+) +({address}/welcome/\S+)$", (tmp_path / "said").read_text(), re.MULTILINE))
        assert list(links) == ["supervisor", "fitter", "officer"]
        with _at(address, links.pop("fitter"), "fitter") as client:
            assert client.get("/visits").status_code == 200
        _said(
            tmp_path / "said",
            rf"The console is up until Ctrl-C:\n{address}  sign in as supervisor, fitter, officer\n"
            rf"No password .*\nsupervisor +{links['supervisor']}\nofficer +{links['officer']}\n",
        )
        with _at(address, links["supervisor"], "supervisor") as client:
            assert 'class="row P' in client.get("/").text
        with _at(address, links["officer"], "officer") as client:
            assert client.get("/cases").text.count('href="/wearers/') >= 2
        added = _said(tmp_path / "said", r"Another account: +(\S+ user add j\.doe --role operator --config \S+)\n")
        done = subprocess.run(shlex.split(added.partition(":")[2]), capture_output=True, text=True, check=True)
        link = re.search(rf"{address}/welcome/\S+", done.stdout)
        assert link is not None, done.stdout
        with _at(address, link[0], "j.doe") as client:
            assert client.get("/").status_code == 200
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does: to all that the demo started, too
        assert demo.wait(PATIENCE_S) == 0
        assert_ended_in_silence((tmp_path / "said").read_text())
    finally:
        demo.kill()
        demo.wait()


def test_a_demo_shows_the_night_in_the_console_and_ends_by_itself(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("emcheck")), "demo", "--folder", str(tmp_path / "demo")]
    command += ["--scenario", str(evening(tmp_path))]
    with (tmp_path / "said").open("w") as said:
        demo = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
    try:
        link = _said(tmp_path / "said", r"http://\S+/welcome/\S+")
        with httpx.Client() as client:
            assert "Welcome, supervisor" in client.get(link).text
        assert demo.wait(PATIENCE_S) == 0
    finally:
        demo.kill()
        demo.wait()
    told = (tmp_path / "said").read_text()
    assert told.index("/welcome/") < told.index("Broker on"), "the link comes first"
    assert told.count("/welcome/") == 1
    queue = re.search(r"The queue: +(\S+ alerts list --config \S+)\n", told)
    assert queue is not None
    assert "W-0" in subprocess.run(shlex.split(queue[1]), capture_output=True, text=True, check=True).stdout
    assert re.search(r"In the console: +\S*emcheck demo --console +\(keeps it up until Ctrl-C\)\n$", told)


async def test_a_night_goes_on_where_no_console_can_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hour = {"name": "hour", "starts_at": "2026-02-10T18:30", "ends_at": "2026-02-10T18:50", "town": {"wearers": 2}}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr("emcheck.cli.demo_console.free_port", lambda: taken.getsockname()[1])
        desk = DemoConsole(tmp_path, "Europe/London", must=False, roles=[Role.SUPERVISOR])
        night = await run_night(
            parse_scenario(hour, source="test"), england(), tmp_path, watcher=Watcher(), console=desk.beside
        )
    assert night.events > 20
    assert "cannot be listened on" in desk.trouble


def assert_ended_in_silence(said: str) -> None:
    """Nothing stands after the last of what a demo has to say."""
    assert not re.search(r"Traceback|never retrieved|Error|xception", said), said


@contextmanager
def _at(address: str, link: str, name: str) -> Iterator[httpx.Client]:
    """Whoever has the link, signed in."""
    with httpx.Client(base_url=address, follow_redirects=True) as client:
        assert f"Welcome, {name}" in client.get(link).text
        client.post(link, data={"password": PASSWORD, "again": PASSWORD})
        assert client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 200
        yield client


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


def test_while_modules_are_read_ctrl_c_is_the_system_s() -> None:
    with _heeding_ctrl_c():
        with nothing_to_end():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with nothing_to_end():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "in the background it stays ignored"


def test_sigterm_does_what_ctrl_c_does_where_that_is_heeded() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with _heeding_ctrl_c():
        with pytest.raises(KeyboardInterrupt), term_is_ctrl_c():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is before
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with term_is_ctrl_c():
            assert signal.getsignal(signal.SIGTERM) is before
