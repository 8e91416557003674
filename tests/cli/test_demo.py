"""`emcheck demo --console`: a night in the console, up until Ctrl-C; commands that can be pasted."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from emcheck.cli.night import as_started

PASSWORD = "correct horse battery staple"
PATIENCE_S = 120


def test_a_demo_stays_up_in_the_console_until_ctrl_c(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("emcheck")), "demo", "--console", "--folder", str(tmp_path / "demo")]
    command += ["--scenario", "common-causes"]
    with (tmp_path / "said").open("w") as said, _heeding_ctrl_c():
        demo = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        link = _said(tmp_path / "said", r"http://\S+/welcome/\S+")
        _said(tmp_path / "said", r"The console is up until Ctrl-C:\n(http://\S+)")
        with httpx.Client() as client:
            assert "Welcome, demo" in (client.get(link)).text
            client.post(link, data={"password": PASSWORD, "again": PASSWORD})
            address = link.partition("/welcome")[0]
            client.post(f"{address}/sign-in", data={"name": "demo", "password": PASSWORD})
            assert 'class="row P' in (client.get(f"{address}/")).text
        demo.send_signal(signal.SIGINT)
        assert demo.wait(PATIENCE_S) == 0
    finally:
        demo.kill()
        demo.wait()


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
