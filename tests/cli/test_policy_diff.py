"""`emcheck policy diff`: last month judged again under another threshold."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emcheck.cli import app
from emcheck.domain.instants import format_ms
from emcheck.shipped import shipped_config
from tests.support import UnitStory, at, lines, nightly, order

ENGLAND = shipped_config() / "policy" / "england-wales.toml"


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """Home 19 minutes late, and out for six minutes at 22:00; beside it a policy that alerts after 15 minutes."""
    told = UnitStory().boots(at("18:30")).beats(at("18:31"), at("18:59")).loses(at("19:00"), last_heard=at("18:59"))
    told.beats(at("19:01"), at("19:18")).hears(at("19:19")).beats(at("19:20"), at("22:00"))
    told.loses(at("22:01"), last_heard=at("22:00")).beats(at("22:02"), at("22:05")).hears(at("22:06"))
    told.beats(at("22:07"), at("23:00"))
    stream = [
        json.dumps(
            {"received_at": format_ms(line.received_at), "topic": line.topic, "payload": json.loads(line.payload)}
        )
        for line in lines(told)
    ]
    (tmp_path / "stream.jsonl").write_text("\n".join(stream) + "\n")
    since = "2026-03-01T00:00:00Z"
    known = {
        "version": 1,
        "wearers": [{"wearer_id": "W-1"}],
        "orders": [order(curfew=nightly())],
        "installations": [{"unit": "BU-0001", "address_id": "A-1", "installed_at": since}],
        "fittings": [{"tag": "T-1", "wearer_id": "W-1", "fitted_at": since}],
    }
    (tmp_path / "register.json").write_text(json.dumps(known))
    text = ENGLAND.read_text().replace('name = "england-wales"', 'name = "patient"')
    before = "[curfew.absence.alert_after_s]\nvalue = 300"
    assert before in text
    (tmp_path / "patient.toml").write_text(text.replace(before, before.replace("300", "900")))
    return tmp_path


def diff(folder: Path, *words: str) -> Any:
    judged = ["--stream", str(folder / "stream.jsonl"), "--register", str(folder / "register.json")]
    return CliRunner().invoke(app, ["policy", "diff", str(ENGLAND), str(folder / "patient.toml"), *judged, *words])


def test_what_would_have_been_found_otherwise(month: Path) -> None:
    result = diff(month, "--json")
    assert result.exit_code == 1, result.stderr
    told = json.loads(result.stdout)
    assert told["thresholds"] == {"curfew.absence.alert_after_s": {"before": "300 s", "after": "900 s"}}
    assert [(one["difference"], one["changed"]) for one in told["findings"]] == [
        ("changed", {"raised_at": ["2026-03-24T19:05:00.000Z", "2026-03-24T19:15:00.000Z"]}),
        ("changed", {"raised_at": ["2026-03-24T22:05:00.000Z", None]}),
    ]
    assert told["findings"][0]["before"]["policy"] == "england-wales@1"
    assert told["findings"][0]["after"]["policy"] == "patient@1"


def test_for_people_both_stand_side_by_side(month: Path) -> None:
    result = diff(month)
    assert result.exit_code == 1
    lines_said = result.stdout.splitlines()
    assert lines_said[0].split() == ["threshold", "england-wales@1", "patient@1"]
    assert lines_said[1].split() == ["curfew.absence.alert_after_s", "300", "s", "900", "s"]
    assert "raised_at 2026-03-24T22:05:00.000Z -> none" in result.stdout


def test_alike_is_said_and_exits_0(month: Path) -> None:
    judged = ["--stream", str(month / "stream.jsonl"), "--register", str(month / "register.json")]
    result = CliRunner().invoke(app, ["policy", "diff", str(ENGLAND), str(ENGLAND), *judged])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "england-wales@1 and england-wales@1 have the same thresholds.",
        "",
        "The stream is judged alike under both.",
    ]


def test_two_contents_under_one_name_are_told_apart_by_their_files(month: Path) -> None:
    path = month / "patient.toml"
    path.write_text(path.read_text().replace('name = "patient"', 'name = "england-wales"'))
    result = diff(month)
    told = f"both are england-wales@1 but differ in content; give {path} another version"
    assert result.stderr == f"emcheck: warning: {ENGLAND} and {path}: {told}\n"
    names = json.loads(diff(month, "--json").stdout)
    assert (names["before"], names["after"]) == (str(ENGLAND), str(path))
    assert diff(month, "--json").exit_code == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--stream", "x.jsonl"], "--stream and --register go together"),
        (["--stream", "-", "--register", "{register}"], "--stream: a stream that is judged twice must be a file"),
        (["--stream", "none.jsonl", "--register", "{register}"], "none.jsonl: No such file"),
    ],
)
def test_bad_input_is_one_line(month: Path, words: list[str], problem: str) -> None:
    given = [word.format(register=month / "register.json") for word in words]
    result = CliRunner().invoke(app, ["policy", "diff", str(ENGLAND), str(ENGLAND), *given])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"emcheck: {problem}")
    assert result.stderr.count("\n") == 1
