"""`emcheck fit demo`: what somebody without hardware sees of a fitting."""

import subprocess
import sys
from pathlib import Path

import pytest


def demo(*words: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, for it sets the log of the whole program."""
    command = [str(Path(sys.executable).with_name("emcheck")), "fit", "demo", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.timeout(170)
def test_on_a_prosthesis_the_fitter_is_told_not_to_leave_and_has_it_on_paper(tmp_path: Path) -> None:
    for _ in range(2):  # the second removes what the first left
        told = demo("prosthesis-foam", "--folder", str(tmp_path / "fit"))
        assert (told.returncode, told.stderr) == (0, "")
        assert (
            "Not on a living limb: end the visit and tell your supervisor, for the limb note bars the other leg."
            in (told.stdout)
        )
        assert "with another the same session goes on" in told.stdout
        assert "Session FS-demo: cannot validate, pending." in told.stdout
    assert (tmp_path / "fit" / "record.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.timeout(170)
def test_on_a_leg_the_record_is_signed(tmp_path: Path) -> None:
    told = demo("skin", "--folder", str(tmp_path / "fit"))
    assert (told.returncode, told.stderr) == (0, "")
    assert "Session FS-demo: success, validated." in told.stdout


def test_what_the_simulator_does_not_know_is_one_line(tmp_path: Path) -> None:
    told = demo("moon", "--folder", str(tmp_path))
    assert (told.returncode, told.stdout) == (2, "")
    assert "moon: no such situation; there are skin, " in told.stderr
    (tmp_path / "mine.txt").write_text("mine")
    assert "it holds mine.txt, which no demo made" in demo("skin", "--folder", str(tmp_path)).stderr
