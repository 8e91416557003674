"""`emcheck replay` as its users run it: to the letter of the formats contract."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emcheck.cli import app
from emcheck.cli.reading import read_policy
from emcheck.domain.instants import format_ms
from tests.support import UnitStory, at, nightly, order

REGISTER: dict[str, Any] = {
    "version": 1,
    "wearers": [{"wearer_id": "W-1", "name": "A. Person"}],
    "orders": [order(timezone="Europe/London", curfew=nightly())],
    "installations": [{"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-28T18:00:00Z"}],
    "fittings": [{"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}],
}
DAY = "2026-03-28"


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """19 minutes late on the spring clock-change night, as in the contract's own example."""
    story = UnitStory().boots(at("18:00", DAY)).loses(at("18:50", DAY), last_heard=at("18:50", DAY))
    story.beats(at("18:51", DAY), at("19:18", DAY)).hears(at("19:19", DAY))
    story.beats(at("19:20", DAY), at("2026-03-29T06:30"))
    rows = [
        {"received_at": format_ms(received), "topic": "em/v1/BU-0001/up", "payload": envelope}
        for received, envelope in story.messages
    ]
    (tmp_path / "register.json").write_text(json.dumps(REGISTER))
    path = tmp_path / "stream.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(stream: Path | str, *options: str, stdin: bytes | None = None) -> Result:
    folder = Path(stream).parent if stream != "-" else Path()
    register = [] if "--register" in options else ["--register", str(folder / "register.json")]
    return CliRunner().invoke(app, ["replay", str(stream), *register, *options], input=stdin)


def test_the_line_of_the_contract(night: Path) -> None:
    result = run(night, "--format", "jsonl")
    assert result.exit_code == 0, result.stderr
    (line,) = [json.loads(text) for text in result.stdout.splitlines() if "curfew.absence" in text]
    text, evidence, register, tzdata = (line.pop(key) for key in ("text", "evidence", "register", "tzdata"))
    assert line.pop("policy_sha256") == read_policy(None).sha256
    assert line == {
        "rule": "curfew.absence",
        "class": "late_return",
        "wearer_id": "W-1",
        "order_id": "O-1",
        "window": {"start": "2026-03-28T19:00:00.000Z", "end": "2026-03-29T06:00:00.000Z"},
        "start": "2026-03-28T19:00:00.000Z",
        "end": "2026-03-28T19:19:00.000Z",
        "seconds": 1140,
        "excluded_seconds": 0,
        "state": "closed",
        "priority": "P2",
        "raised_at": "2026-03-28T19:05:00.000Z",
        "policy": "england-wales@1",
    }
    assert "19 min late" in text
    assert {"unit", "boot", "seq"} == set(evidence[0])
    assert len(register) == 64
    assert tzdata


def test_until_judges_as_at_that_instant(night: Path) -> None:
    result = run(night, "--format", "jsonl", "--until", "2026-03-28T19:10:00Z")
    (line,) = [json.loads(text) for text in result.stdout.splitlines() if "curfew.absence" in text]
    assert (line["end"], line["state"], line["seconds"]) == (None, "open", 600)


def test_gz_and_standard_input_give_the_same(night: Path) -> None:
    plain = run(night, "--format", "jsonl").stdout
    packed = night.with_suffix(".jsonl.gz")
    packed.write_bytes(gzip.compress(night.read_bytes()))
    assert run(packed, "--format", "jsonl").stdout == plain
    register = str(night.parent / "register.json")
    assert run("-", "--format", "jsonl", "--register", register, stdin=night.read_bytes()).stdout == plain


def test_expect_compares_on_the_fields_named(night: Path) -> None:
    expected = night.parent / "expected.jsonl"
    expected.write_text('{"rule":"curfew.absence","seconds":1140}\n')
    assert run(night, "--expect", str(expected)).exit_code == 0
    expected.write_text('{"rule":"curfew.absence","seconds":1139}\n')
    result = run(night, "--expect", str(expected))
    assert result.exit_code == 1
    assert "- expected, not found" in result.stderr
    assert "+ found, not expected" in result.stderr


def test_an_instruction_is_known_from_its_receipt(night: Path) -> None:
    leave = {
        "type": "authorised_absence",
        "order_id": "O-1",
        "from": "2026-03-28T19:00",
        "until": "2026-03-28T19:10",
        "reason": "medical",
        "approved_by": "A. Clerk",
    }
    with night.open("a") as stream:
        stream.write(json.dumps({"received_at": "2026-03-29T07:00:00Z", "instruction": leave}) + "\n")
    lines = [json.loads(t) for t in run(night, "--format", "jsonl").stdout.splitlines()]
    assert [(x["seconds"], x["excluded_seconds"]) for x in lines if x["rule"] == "curfew.absence"] == [(540, 600)]
    before = run(night, "--format", "jsonl", "--until", "2026-03-29T06:59:00Z").stdout.splitlines()
    assert [json.loads(t)["seconds"] for t in before if "curfew.absence" in t] == [1140]


def test_the_timeline_is_drawn_against_the_window(night: Path) -> None:
    drawn = run(night, "--timeline").stdout.splitlines()
    at_row = drawn.index("W-1 A. Person, order O-1 at A-1  (Europe/London)")
    assert drawn[at_row + 1] == "  Sat 28 Mar 2026 19:00 to 07:00"
    assert "━━━" in drawn[at_row + 3]
    assert "░░" in drawn[at_row + 4]
    assert drawn[at_row + 5] == ""


def test_nights_of_which_nothing_is_known_are_one_line(night: Path) -> None:
    drawn = run(night, "--timeline", "--until", "2026-04-02T12:00:00Z").stdout
    assert "Sun 29 Mar 2026 19:00 to 07:00, up to Wed 01 Apr 2026 19:00 to 07:00, 4 windows: unknown" in drawn
    assert drawn.count("    at home  ") == 1


def test_intervals_reach_until_where_nobody_vouches_any_more(night: Path) -> None:
    printed = run(night, "--timeline", "--format", "jsonl", "--until", "2026-03-29T12:00:00Z").stdout.splitlines()
    intervals = [json.loads(line)["timeline"] for line in printed if "timeline" in line]
    assert intervals[-1] == {
        "wearer_id": "W-1", "address_id": "A-1", "start": "2026-03-29T06:32:12.000Z", "end": "2026-03-29T12:00:00.000Z",
        "state": "unknown",
    }  # fmt: skip
    assert [a["end"] for a in intervals[:-1]] == [b["start"] for b in intervals[1:]]


def test_a_tag_taken_off_has_no_unknown_time_after_that(night: Path) -> None:
    fittings = [REGISTER["fittings"][0] | {"removed_at": "2026-03-29T06:00:00Z"}]
    (night.parent / "register.json").write_text(json.dumps(REGISTER | {"fittings": fittings}))
    printed = run(night, "--timeline", "--format", "jsonl", "--until", "2026-03-29T12:00:00Z").stdout.splitlines()
    last = [json.loads(line) for line in printed if "timeline" in line][-1]
    assert last["timeline"]["end"] == "2026-03-29T06:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "line 1"),
        ('{"received_at":"yesterday","topic":"x","payload":{}}', "received_at"),
        ('{"received_at":"2026-03-28T19:00:00Z","topic":"em/v1/BU-0001/up"}', "payload: missing"),
        ('{"received_at":"2026-03-28T19:00:00Z","service":"asleep"}', "service"),
        ('{"received_at":"2026-03-28T19:00:00Z","instruction":{"type":"dance"}}', "instruction.type"),
        ('{"received_at":"2026-03-28T19:00:00Z","topic":"x","payload_b64":"*"}', "payload_b64"),
    ],
)
def test_a_bad_line_is_named_and_exits_2(night: Path, text: str, named: str) -> None:
    night.write_text(text + "\n")
    result = run(night)
    assert result.exit_code == 2
    assert named in result.stderr
    assert "line 1" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_missing_files_exit_2(tmp_path: Path) -> None:
    (tmp_path / "register.json").write_text(json.dumps(REGISTER))
    assert run(tmp_path / "none.jsonl").exit_code == 2
    assert run(tmp_path / "none.jsonl", "--register", str(tmp_path / "no.json")).exit_code == 2


@pytest.mark.parametrize(
    "command", [["policy", "show"], ["policy", "show", "--json"], ["schema", "register"], ["schema", "envelope"]]
)
def test_shows(command: list[str]) -> None:
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert len(result.stdout) > 200


def test_register_check_names_the_path(tmp_path: Path) -> None:
    path = tmp_path / "register.json"
    path.write_text(json.dumps(REGISTER))
    assert CliRunner().invoke(app, ["register", "check", str(path)]).exit_code == 0
    path.write_text(json.dumps(REGISTER | {"orders": [order(colour="red")]}))
    result = CliRunner().invoke(app, ["register", "check", str(path)])
    assert result.exit_code == 2
    assert "orders.0.colour" in result.stderr
