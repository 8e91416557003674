"""Bad input to `emcheck replay`: exit code 2, one line on stderr that names file, line and field, nothing on stdout."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emcheck.cli import app
from emcheck.settings import shipped_config
from tests.support import nightly, order

AT = "2026-03-28T19:00:00Z"
LEAVE = {
    "type": "authorised_absence", "order_id": "O-1", "from": "2026-03-28T19:00", "until": "2026-03-28T20:00",
    "reason": "medical", "approved_by": "A. Clerk",
}  # fmt: skip
GOOD = json.dumps({"received_at": AT, "topic": "em/v1/BU-0001/up", "payload": {"v": 1}})


def register(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "wearers": [{"wearer_id": "W-1"}],
        "orders": [order(timezone="Europe/London")],
        "installations": [{"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}],
        "fittings": [
            {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
        ],
    } | changes


def line(**fields: Any) -> str:
    return json.dumps({"received_at": AT} | fields)


def leave(**changes: Any) -> str:
    return line(instruction={key: value for key, value in (LEAVE | changes).items() if value is not None})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "register.json").write_text(json.dumps(register()))
    (tmp_path / "stream.jsonl").write_text(GOOD + "\n")
    return tmp_path


def run(folder: Path, *options: str) -> Result:
    named = ["replay", str(folder / "stream.jsonl"), "--register", str(folder / "register.json"), "--format", "jsonl"]
    return CliRunner().invoke(app, [*named, *options])


def refused(result: Result, *named: str) -> None:
    assert result.exit_code == 2, result.stdout
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert [name for name in named if name not in result.stderr] == [], result.stderr


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        ("7", "object"),
        ("{}", "received_at"),
        (json.dumps({"received_at": 7, "topic": "x", "payload": {}}), "received_at"),
        (json.dumps({"received_at": None, "topic": "x", "payload": {}}), "received_at"),
        (json.dumps({"received_at": "yesterday", "topic": "x", "payload": {}}), "received_at"),
        (json.dumps({"received_at": "2026-03-28T19:00:00", "topic": "x", "payload": {}}), "received_at"),
        (json.dumps({"received_at": "2026-02-30T19:00:00Z", "topic": "x", "payload": {}}), "received_at"),
        (json.dumps({"received_at": "2026-03-28", "topic": "x", "payload": {}}), "received_at"),
        (line(), "topic"),
        (line(topic="em/v1/BU-0001/up"), "payload"),
        (line(payload={}), "topic"),
        (line(topic=7, payload={}), "topic"),
        (line(topic="x", payload_b64="*"), "payload_b64"),
        (line(topic="x", payload_b64=7), "payload_b64"),
        (line(service="asleep"), "service"),
        (line(service=["started"]), "service"),
        (line(instruction={}), "instruction.type"),
        (line(instruction=[]), "instruction"),
        (line(instruction={"type": "dance"}), "instruction.type"),
        (leave(order_id=None), "instruction.order_id"),
        (leave(order_id="O-9"), "instruction.order_id"),
        (leave(until="2026-03-28T18:00"), "instruction"),
        (leave(until="2026-03-28T20:00Z"), "instruction.until"),
        (leave(approved_by=None), "instruction.approved_by"),
        (leave(approved_by=""), "instruction.approved_by"),
        (leave(reason=None), "instruction.reason"),
        (leave(colour="red"), "instruction.colour"),
        (line(topic="x", payload={}).replace(AT, "2026-03-28T18:00:00Z"), "received_at"),
    ],
)
def test_a_line_that_is_none(folder: Path, text: str, field: str) -> None:
    (folder / "stream.jsonl").write_text(f"{GOOD}\n{text}\n")
    refused(run(folder), "stream.jsonl", "line 2", field)


def test_what_a_recorder_adds_to_a_line_is_no_matter(folder: Path) -> None:
    (folder / "stream.jsonl").write_text(line(topic="em/v1/BU-0001/up", payload={}, qos=1) + "\n")
    assert run(folder).exit_code == 0


def test_a_stream_that_is_none(folder: Path) -> None:
    path = folder / "stream.jsonl"
    path.write_bytes(GOOD.encode() + b"\n\xff\xfe\n")
    refused(run(folder), "stream.jsonl", "line 2")
    path.write_text(f'{GOOD}\n{{"received_at":"2026-03-28T19')
    refused(run(folder), "stream.jsonl", "line 2")
    path.unlink()
    refused(run(folder), "stream.jsonl", "No such file")
    path.mkdir()
    refused(run(folder), "stream.jsonl", "directory")


def test_a_packed_stream_cut_short_or_not_packed(folder: Path) -> None:
    path = folder / "s.jsonl.gz"
    named = ["replay", str(path), "--register", str(folder / "register.json")]
    path.write_bytes(gzip.compress((GOOD + "\n").encode() * 50)[:-9])
    refused(CliRunner().invoke(app, named), "s.jsonl.gz")
    path.write_text(GOOD)
    refused(CliRunner().invoke(app, named), "s.jsonl.gz")


def test_standard_input_is_named(folder: Path) -> None:
    named = ["replay", "-", "--register", str(folder / "register.json")]
    refused(CliRunner().invoke(app, named, input="{\n"), "standard input", "line 1")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": 2}, "version"),
        ({"colour": "red"}, "colour"),
        ({"wearers": [{"wearer_id": "W-1"}, {"wearer_id": "W-1"}]}, "wearers.wearer_id"),
        ({"wearers": []}, "W-1"),
        ({"orders": [order(timezone="Europe/Londinium")]}, "orders.0.timezone"),
        ({"orders": [order(kind="dance")]}, "orders.0.kind"),
        ({"orders": [order(starts_at="2026-03-01T00:00:00")]}, "orders.0.starts_at"),
        ({"orders": [order(starts_at="tomorrow")]}, "orders.0.starts_at"),
        ({"orders": [order(ends_at="2026-01-01T00:00:00Z")]}, "orders.0"),
        ({"orders": [order(atv_allowance_min=-1)]}, "orders.0.atv_allowance_min"),
        ({"orders": [order(), order()]}, "orders.order_id"),
        ({"orders": [order(curfew=[*nightly(), *nightly(address="A-2")])]}, "orders.0"),
        ({"orders": [order(curfew=nightly(start="25:00"))]}, "orders.0.curfew.0.windows.0.from_time"),
        ({"orders": [order(first_night={"from": "2026-03-20T17:00Z", "until": "2026-03-21T07:00"})]}, "first_night"),
        ({"orders": [order(first_night={"from": "2026-03-20T17:00", "until": "2026-03-20T07:00"})]}, "first_night"),
        ({"orders": [order(first_night={"from": "2026-02-30T17:00", "until": "2026-03-20T07:00"})]}, "first_night"),
        ({"orders": [order(variations=[{"effective_at": AT}])]}, "orders.0.variations.0.curfew"),
        ({"orders": [order(authorised_absences=[{"from": "2026-03-25T19:00"}])]}, "authorised_absences.0.until"),
        ({"installations": [{"unit": "bu", "address_id": "A-1", "installed_at": AT}]}, "installations.0.unit"),
        ({"installations": [{"unit": "BU-0001", "address_id": "A-1"}]}, "installations.0.installed_at"),
        ({"fittings": [{"tag": "T-1", "wearer_id": "W-9", "fitted_at": AT}]}, "W-9"),
        ({"fittings": [{"tag": "T-1", "wearer_id": "W-1", "fitted_at": AT, "removed_at": AT}]}, "fittings"),
        ({"fittings": [{"tag": "T-1", "wearer_id": "W-1", "fitted_at": AT}] * 2}, "fittings"),
    ],
)
def test_a_register_that_is_none(folder: Path, changes: dict[str, Any], field: str) -> None:
    (folder / "register.json").write_text(json.dumps(register(**changes)))
    refused(run(folder), "register.json", field)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty; write one JSON object: {...}"),
        (
            "{}\n{}",
            (
                "not JSON: trailing characters at line 2 column 1; "
                "correct it there, the file is one JSON object and nothing after it"
            ),
        ),
    ],
)
def test_a_register_that_is_no_json_is_told_with_a_remedy(folder: Path, text: str, message: str) -> None:
    (folder / "register.json").write_text(text)
    assert run(folder).stderr == f"emcheck: {folder / 'register.json'}: (whole file): {message}\n"


def test_an_instant_that_is_none_has_one_remedy(folder: Path) -> None:
    (folder / "stream.jsonl").write_text(line().replace(AT, "yesterday"))
    remedy = "write it as in 2026-03-28T19:00:05.120Z\n"
    assert run(folder).stderr == (
        f"emcheck: {folder / 'stream.jsonl'}: line 1: received_at: 'yesterday' is no instant; {remedy}"
    )
    (folder / "stream.jsonl").write_text('{"received_at":7}')
    assert run(folder).stderr.endswith(f"received_at: 7 is no instant; {remedy}")
    assert run(folder, "--until", "noon").stderr == f"emcheck: --until: 'noon' is no instant; {remedy}"
    assert run(folder, "--until", "2026-03-20").stderr == f"emcheck: --until: '2026-03-20' has no UTC offset; {remedy}"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"version":1}', b"\xff"])
def test_a_register_that_is_no_json_object(folder: Path, text: str | bytes) -> None:
    (folder / "register.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(run(folder), "register.json")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('name = "england-wales"', "", "name"),
        ("value = 120\n", "value = -1\n", "presence.leave_time_s"),
        ("value = 120\n", 'value = "long"\n', "presence.leave_time_s"),
        ("value = 120\n", "value = true\n", "presence.leave_time_s"),
        ("[presence.leave_time_s]", "[presence.leave_time_minutes]", "presence.leave_time_minutes"),
        ("[presence.leave_time_s]\n", "[presence.leave_time_s]\ncolour = 1\n", "presence.leave_time_s"),
        ("[presence.leave_time_s]\n", "[presence.leave_time_s\n", "TOML"),
        ('effective_at = "2026', 'effective_at = "soon', "effective_at"),
        ('value = "P2"', 'value = "P9"', "P9"),
    ],
)
def test_a_policy_that_is_none(folder: Path, old: str, new: str, field: str) -> None:
    text = (shipped_config() / "policy" / "england-wales.toml").read_text()
    assert old in text
    (folder / "policy.toml").write_text(text.replace(old, new, 1))
    refused(run(folder, "--policy", str(folder / "policy.toml")), "policy.toml", field)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"rule":"curfew.absence"}\n{'])
def test_expected_findings_that_are_none(folder: Path, text: str) -> None:
    (folder / "expected.jsonl").write_text(text)
    refused(run(folder, "--expect", str(folder / "expected.jsonl")), "expected.jsonl", "line")


@pytest.mark.parametrize("until", ["noon", "2026-03-28", "2026-03-28T19:00", "2026-13-01T00:00:00Z"])
def test_an_until_that_is_no_instant(folder: Path, until: str) -> None:
    refused(run(folder, "--until", until), "--until")


def test_an_empty_stream_is_good_and_finds_nothing_absent(folder: Path) -> None:
    (folder / "stream.jsonl").write_text("\n")
    result = run(folder)
    assert result.exit_code == 0
    assert "curfew" not in result.stdout
    path = folder / "stream.jsonl"
    assert result.stderr == f"emcheck: nothing was judged: {path} holds no lines; name a stream that does\n"


def test_an_until_before_everything_is_told(folder: Path) -> None:
    result = run(folder, "--until", "2026-03-01T00:00:00Z")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        f"emcheck: nothing was judged: {folder / 'stream.jsonl'} holds no line received until 2026-03-01T00:00:00Z; "
        "name a later --until\n"
    )
    assert run(folder).stderr == ""
