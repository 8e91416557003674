"""A unit's side of signatures: it signs what it says, and obeys only what the service signed for it."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emcheck.domain.register import parse_register
from emcheck.service.replay import replay
from emcheck.service.stream import read_stream
from emcheck.wire.signing import public_text, seal, signature_fault
from firmware_sim.base_unit import BaseUnit
from firmware_sim.run import World, simulate_to_stream
from firmware_sim.scenario import Scenario, parse_scenario
from tests.firmware_sim.bench_unit import STORE, Bench
from tests.support import england_signed

UNIT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SERVICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


@pytest.fixture
def bench() -> Bench:
    """A unit that signs and is enrolled with the service's key."""
    made = Bench()
    made.flash.key, made.flash.service_key = UNIT_KEY, public_text(SERVICE_KEY)
    made.reboots()
    return made


def told(bench: Bench, key: Ed25519PrivateKey | None = SERVICE_KEY, **said: Any) -> int:
    """Give an acknowledgement of everything sent; up to which number the unit took it over."""
    bench.n += 1
    log = bench.flash.log.boots[bench.unit.boot]
    ack = {"boot": bench.unit.boot, "seq": log.sent_seq}
    message = {"v": 1, "store": STORE, "n": bench.n, "unit": "BU-0001", "ack": ack} | said
    payload = json.dumps({name: value for name, value in message.items() if value is not None}).encode()
    bench.unit.downlink(payload if key is None else seal(payload, key), bench.now)
    return log.acked_seq


def test_every_envelope_is_signed(bench: Bench) -> None:
    bench.unit.connected(bench.now)
    payloads = [message.payload for message in bench.unit.take_outgoing() if message.envelope is not None]
    assert payloads
    for payload in payloads:
        assert signature_fault(payload, unit="BU-0001", public_key=public_text(UNIT_KEY), required=True) is None


def test_it_obeys_the_service_s_signature_and_no_other(bench: Bench) -> None:
    bench.connects()
    assert told(bench, None) == 0
    assert told(bench, UNIT_KEY) == 0
    assert told(bench, unit="BU-0002") == 0
    assert told(bench, unit=None) == 0
    assert bench.unit.ignored == 4
    assert bench.flash.store is None, "what is not genuine does not even enrol the unit"
    assert told(bench) == 1


def test_a_downlink_that_names_another_unit_is_none_whatever_is_enrolled() -> None:
    bench = Bench()
    bench.connects()
    assert told(bench, None, unit="BU-0002") == 0
    assert told(bench, None) == 1


def test_what_is_enrolled_survives_a_reboot(bench: Bench) -> None:
    bench.reboots()
    assert isinstance(bench.unit, BaseUnit)
    bench.connects()
    assert told(bench, None) == 0
    assert told(bench) == 1


def small(**signing: bool) -> Scenario:
    return parse_scenario(
        {
            "name": "signed",
            "starts_at": "2026-02-10T18:30",
            "ends_at": "2026-02-10T19:30",
            "town": {"wearers": 2},
            "signing": signing,
        },
        source="test",
    )


def test_a_scenario_says_who_signs() -> None:
    world = World(small(units=True))
    keys = {entry.get("public_key") for entry in world.register()["installations"]}  # type: ignore[attr-defined]  # a list
    assert len(keys) == 2
    assert None not in keys
    assert World(small(units=True)).register() == world.register()
    assert "public_key" not in json.dumps(World(small(service=True)).register())


def test_a_signed_town_replays_where_signatures_are_required(tmp_path: Path) -> None:
    files = simulate_to_stream(small(units=True, service=True), None, tmp_path)
    register = parse_register(files.register.read_bytes())
    found = replay(read_stream(str(files.stream)), register, england_signed())
    assert found.events > 100
    assert [f for f in found.findings if f.rule.startswith("evidence")] == []
