"""`emcheck simulate` and `emcheck doctor`; the tz database of the lock."""

import json
from pathlib import Path

from typer.testing import CliRunner
from whenever import get_tzpath

from emcheck import TZ_FOLDER
from emcheck.cli import app
from emcheck.clock import is_synchronised


def test_the_tz_database_is_the_locked_wheel_s() -> None:
    assert tuple(get_tzpath()) == (TZ_FOLDER,)
    assert "tzdata" in TZ_FOLDER
    assert "site-packages" in TZ_FOLDER


def test_doctor_says_what_is_wrong_and_exits_1(tmp_path: Path) -> None:
    config = tmp_path / "emcheck.toml"
    config.write_text(f'[mqtt]\nport = 1\n[store]\nurl = "sqlite:///{tmp_path}/none/em.db"\n')
    result = CliRunner().invoke(app, ["doctor", "--config", str(config), "--json"])
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert checks["time zones"]["well"]
    assert checks["policy"]["well"]
    assert checks["clock"]["well"] is (is_synchronised() is not False)
    assert not checks["broker"]["well"]
    assert "mqtt.port" in checks["broker"]["words"]
    assert not checks["database"]["well"]


def test_doctor_does_not_ask_for_a_clock_that_the_host_keeps(tmp_path: Path) -> None:
    config = tmp_path / "emcheck.toml"
    config.write_text("[service]\nclock_sync_asked = false\n")
    result = CliRunner().invoke(app, ["doctor", "--config", str(config), "--json"])
    [clock] = [check for check in json.loads(result.stdout) if check["name"] == "clock"]
    assert clock == {
        "name": "clock", "well": True, "words": "not asked (service.clock_sync_asked); only steps of it are noticed"
    }  # fmt: skip


def test_a_simulated_night_replays_without_a_false_accusation(tmp_path: Path) -> None:
    simulated = CliRunner().invoke(app, ["simulate", "quiet", "--out", str(tmp_path), "--json"])
    assert simulated.exit_code == 0, simulated.stderr
    files = json.loads(simulated.stdout)
    result = CliRunner().invoke(app, ["replay", files["stream"], "--register", files["register"], "--format", "jsonl"])
    assert result.exit_code == 0, result.stderr
    assert [line for line in result.stdout.splitlines() if "curfew." in line] == []
    again = CliRunner().invoke(app, ["simulate", "quiet", "--out", str(tmp_path)])
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr == f"emcheck: {files['stream']}: is there already; name another with --out, or say --force\n"
    assert CliRunner().invoke(app, ["simulate", "quiet", "--out", str(tmp_path), "--force"]).exit_code == 0


def test_an_unknown_scenario_is_named_with_those_there_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "nowhere", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "town" in result.stderr
