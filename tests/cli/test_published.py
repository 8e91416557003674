"""The published schemas against what emcheck really reads, says and writes; AsyncAPI by its structure."""

import csv
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from emcheck.alerting.cloudevents import cloud_event
from emcheck.cli import app
from emcheck.domain.alerts import Alert
from emcheck.domain.findings import Finding
from emcheck.domain.ids import AlertId, BootId, RuleId, UnitId
from emcheck.present import lines
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.published import NAMES, published
from emcheck.settings import shipped_config
from emcheck.store.memory import MemoryStore
from emcheck.wire.receipts import receipt_for
from firmware_sim.run import simulate_to_stream
from firmware_sim.scenario import load_scenario
from tests.firmware_sim.adversary import night
from tests.firmware_sim.differ import judged


def says(name: str, value: Any) -> list[str]:
    """What the published schema holds against a value."""
    return [f"{e.json_path}: {e.message}" for e in Draft202012Validator(published(name)).iter_errors(value)]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "asyncapi"])
def test_every_schema_is_one_and_is_printed(name: str) -> None:
    printed = CliRunner().invoke(app, ["schema", name])
    schema = json.loads(printed.stdout)
    Draft202012Validator.check_schema(schema)
    assert schema == published(name)
    assert schema["title" if "title" in schema else "$schema"]


def test_a_schema_that_is_not_there_is_bad_input() -> None:
    result = CliRunner().invoke(app, ["schema", "dance"])
    assert result.exit_code == 2
    assert all(name in result.stderr for name in NAMES)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    plan = load_scenario(shipped_config() / "scenarios" / "shuffled-burst.toml")
    simulate_to_stream(plan, None, folder, compress=False)
    return folder


def test_streams_envelopes_and_registers(town: Path) -> None:
    rows = [json.loads(row) for row in (town / "stream.jsonl").read_text().splitlines()[:400]]
    assert [fault for row in rows for fault in says("stream", row)] == []
    up = [row["payload"] for row in rows if row["topic"].endswith("/up")]
    assert [fault for envelope in up[:100] for fault in says("envelope", envelope)] == []
    assert says("register", json.loads((town / "register.json").read_text())) == []
    assert says("register", json.loads((shipped_config() / "register.example.json").read_text())) == []
    assert says("register", {"version": 1}) != []
    assert says("stream", rows[0] | {"retained": True}) == []


@pytest.mark.parametrize("seed", range(12))
def test_malicious_nights_are_streams_and_have_findings(seed: int) -> None:
    case = night(seed)
    assert says("register", case.register) == []
    assert [fault for row in case.rows for fault in says("stream", row)] == []
    findings = [lines.as_json(finding) for finding in judged(case, None).findings]
    assert findings
    assert [fault for finding in findings for fault in says("finding", finding)] == []


@pytest.mark.parametrize(
    "row",
    [
        {"received_at": "2026-03-28T19:00:00Z"},
        {"received_at": "noon", "topic": "x", "payload": {}},
        {"received_at": "2026-03-28T19:00:00Z", "service": "asleep"},
        {"received_at": "2026-03-28T19:00:00Z", "instruction": {"type": "dance"}},
    ],
)
def test_what_is_no_line_is_refused_by_the_schema_too(row: dict[str, Any]) -> None:
    assert says("stream", row) != []


def test_receipts() -> None:
    assert says("receipt", json.loads(receipt_for("AL-OEZ6UCFTDXWDNQPN.2", "centre"))) == []
    assert says("receipt", {"v": 1, "id": "AL-A", "consumer": "centre"}) != []


def test_the_policy() -> None:
    policy = tomllib.loads((shipped_config() / "policy" / "england-wales.toml").read_text())
    assert says("policy", policy) == []
    policy["presence"]["leave_time_s"]["value"] = -1
    assert says("policy", policy) != []


def test_lines_of_presence() -> None:
    case = night(3)
    result = judged(case, None, whole_timeline=True)
    drawn = [
        line
        for wearer in result.engine.cases.values()
        for address in wearer.addresses
        for line in lines.intervals(wearer.wearer_id, address, result.timeline(wearer.wearer_id, address), result.until)
    ]
    assert drawn
    assert [fault for line in drawn for fault in says("timeline", line)] == []


def test_alert_events() -> None:
    alert = Alert(
        alert_id=AlertId("AL-1"), rule=RuleId("curfew.absence"), subject="W-1", priority="P2", happened_at=0,
        raised_at=0,
    )  # fmt: skip
    event = json.loads(cloud_event(alert, action="raised", at=0, source="emcheck/x", note=""))
    assert says("alert", event) == []


def test_a_finding_of_every_kind_of_key() -> None:
    bare = Finding(rule=RuleId("unit.silent"), unit=UnitId("BU-0001"), start=0, end=None, priority="P2")
    assert says("finding", lines.as_json(bare)) == []
    assert says("finding", lines.as_json(bare) | {"colour": "red"}) != []


def test_body_samples_of_the_contract() -> None:
    text = "at,skin_c,ambient_c,motion,proximity\n2026-03-28T19:00:00Z,31.2,,4,0.9\n"
    for row in csv.DictReader(text.splitlines()):
        sample = {
            key: value if key in ("at", "strap") else float(value) if value else None for key, value in row.items()
        }
        assert says("body", sample) == []


class Wire:
    """Takes what units are told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    async def send(self, downlinks: Any) -> None:
        self.told += [json.loads(downlink.payload) for downlink in downlinks]


async def test_what_units_are_told() -> None:
    store, wire, boot = MemoryStore(), Wire(), BootId("01JD0000000000000000000000")
    await store.open()
    acknowledger = Acknowledger(store, wire)  # type: ignore[arg-type]  # only `send` is asked for
    acknowledger.owe(UnitId("BU-0001"), boot, 7, [{"from": 3, "to": 4, "reason": "not_in_schema"}])
    await acknowledger.send(0)
    await acknowledger.tell([(UnitId("BU-0001"), f'"resend":{{"boot":"{boot}","from":1,"to":2}}')])
    await store.close()
    assert len(wire.told) == 2
    assert [fault for word in wire.told for fault in says("downlink", word)] == []
    assert says("downlink", {"v": 1, "store": "x", "n": 1}) != []


@pytest.mark.parametrize("name", ["host", "link"])
def test_words_of_being_there(name: str) -> None:
    assert says(name, {"online": False}) == []
    assert says(name, {}) != []


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _resolve(document: dict[str, Any], reference: str) -> Any:
    place: Any = document
    for part in reference.removeprefix("#/").split("/"):
        place = place[part]
    return place


def test_asyncapi_hangs_together() -> None:
    document = json.loads(CliRunner().invoke(app, ["schema", "asyncapi"]).stdout)
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    assert [r for r in _references(document) if _resolve(document, r) is None] == []
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {
        "em/v1/{unit}/up",
        "em/v1/{unit}/link",
        "em/v1/{unit}/down",
        "em/v1/host",
        "em/v1/alerts/{priority}",
        "em/v1/alerts/receipt",
    }
    for channel in document["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == channel.get("parameters", {}).keys()
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert _resolve(document, operation["channel"]["$ref"])
    keys = [key for part in document["components"].values() for key in part]
    assert [key for key in keys if not re.fullmatch(r"[\w.-]+", key)] == []


def test_asyncapi_s_payloads_judge_as_the_schemas_do() -> None:
    document = published("asyncapi")
    payload = {"$ref": "#/components/messages/host/payload", "components": document["components"]}
    assert list(Draft202012Validator(payload).iter_errors({"online": True, "store": "x"})) == []
    assert list(Draft202012Validator(payload).iter_errors({"store": "x"}))
    envelope = {"$ref": "#/components/messages/envelope/payload", "components": document["components"]}
    assert list(Draft202012Validator(envelope).iter_errors({"v": 2}))
