"""`emcheck policy show|check|diff` with the shipped policies, by name."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.shipped import shipped_policies


def test_a_rule_stands_with_its_codes_above_its_thresholds() -> None:
    result = CliRunner().invoke(app, ["policy", "show", "scotland"])
    assert result.exit_code == 0
    said = result.stdout.splitlines()
    assert said[0] == "scotland@1"
    row = next(number for number, line in enumerate(said) if line.startswith("curfew.absence "))
    assert "late_return: AL08 SIA CI, ended AL09 SIA CJ; left_during: AL10 SIA OK" in said[row]
    assert said[row + 1].split()[:3] == ["curfew.absence.alert_after_s", "300", "s"]
    assert "(to be signed off)" in said[row + 1]
    assert any(line.startswith("unit.power ") and "AL04 SIA AT, ended AL04 SIA AR" in line for line in said)


@pytest.mark.parametrize("columns", ["80", "100", "120"])
def test_no_key_and_no_source_is_cut_where_the_terminal_is_narrow(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", columns)
    assert "…" not in CliRunner().invoke(app, ["policy", "show", "us-example"]).stdout


def test_for_programs_each_rule_has_its_codes_and_thresholds() -> None:
    told = json.loads(CliRunner().invoke(app, ["policy", "show", "us-example", "--json"]).stdout)
    assert told["policy"] == "us-example@1"
    assert told["effective_at"] == "2026-01-01T00:00:00.000Z"
    assert told["rules"]["tag.strap"] == {
        "codes": [{"class": None, "public": None, "sia": "TA", "public_ended": None, "sia_ended": "TR"}],
        "thresholds": ["tag.strap.priority"],
    }
    assert [key for held in told["rules"].values() for key in held["thresholds"]] == list(told["thresholds"])
    assert told["thresholds"]["tag.strap.priority"]["value"] == "P1"


def test_shipped_policies_are_compared_by_name() -> None:
    result = CliRunner().invoke(app, ["policy", "diff", "england-wales", "scotland", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["thresholds"]["order.court.day_max_h"] == {"before": "20 h", "after": "12 h"}


def test_a_name_that_is_none_lists_those_there_are() -> None:
    result = CliRunner().invoke(app, ["policy", "show", "wales"])
    assert result.exit_code == 2
    told = "no policy 'wales'; there are england-wales, scotland, us-example, and any file by its path"
    assert result.stderr == f"emcheck: {told}\n"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('name = "scotland"', 'name = "a@b"', "name: 'a@b' cannot be used"),
        ('version = "1"', 'version = ""', "version: '' cannot be used"),
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00", "effective_at: '2026-01-01T00:00' has no UTC offset"),
        ("[presence.leave_time_s]\nvalue = 120", "[presence.leave_time_s]\nvalue = -1", "presence.leave_time_s: -1"),
        ("[presence.leave_time_s]", "[presence.leaf_time_s]", "presence.leaf_time_s: unknown key"),
        ('source = "NIJ', 'sauce = "NIJ', "a threshold is a table of value, unit, reason and source"),
        ('source = "3M electronic monitoring manual: 5-minute buffer"', 'source = " "', "alert_after_s.source: empty"),
    ],
)
def test_what_is_wrong_with_a_policy_is_one_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    texts = [path.read_text() for path in shipped_policies().values()]
    text = next((text for text in reversed(texts) if old in text), "")
    assert text
    path = tmp_path / "policy.toml"
    path.write_text(text.replace(old, new, 1))
    result = CliRunner().invoke(app, ["policy", "check", str(path)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"emcheck: {path}: ")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1
