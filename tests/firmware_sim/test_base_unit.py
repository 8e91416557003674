"""What a base unit promises on the wire: its own decisions, patience, obedience, and nothing lost in silence."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.canonical import sha256_of
from emcheck.domain.instants import format_ms
from emcheck.wire.codec import decode
from firmware_sim.base_unit import BaseUnit
from firmware_sim.tag_watch import Tamper
from tests.firmware_sim.bench_unit import OTHER_STORE, STORE, TAG, Bench, events, numbers


def test_a_tag_is_in_at_its_first_frame_and_out_after_the_leave_time() -> None:
    bench = Bench(leave_time_s=60)
    bench.connects()
    arrived = events(bench.hears())
    assert [(e["type"], e["in_range"]) for e in arrived] == [("presence", True)]
    heard_at = bench.now
    bench.waits(61)
    left = bench.told("presence")[1:]
    assert [(e["in_range"], e["last_heard_at"]) for e in left] == [(False, format_ms(heard_at))]
    assert left[0]["at"] == format_ms(heard_at + 60_000)


def test_a_frame_below_the_range_does_not_count() -> None:
    bench = Bench(range_dbm=-84)
    bench.connects()
    assert bench.hears(rssi_dbm=-90) == []


def test_a_replayed_frame_is_counted_and_nothing_else() -> None:
    bench = Bench(report_s=30)
    bench.connects()
    bench.hears()
    bench.counter = 0
    bench.hears()
    report = next(e for e in events(bench.waits(31)) if e["type"] == "report")
    assert (report["heard"], report["replayed"]) == (0, 1)


def test_some_event_comes_at_least_every_heartbeat_and_the_first_names_the_boot() -> None:
    bench = Bench(heartbeat_s=60)
    bench.connects()
    for _ in range(10):
        bench.waits(60)
        bench.acknowledges(bench.flash.log.boots[bench.unit.boot].sent_seq)
    told = list(bench.sent.values())
    assert told[0]["type"] == "boot"
    stamps = [e["at"] for e in told]
    assert stamps == sorted(stamps)
    assert {e["type"] for e in told[2:]} == {"unit_status"}
    assert len(told) >= 11


def test_a_tamper_is_told_once_with_its_true_time_even_over_a_reboot() -> None:
    bench = Bench()
    bench.connects()
    cut = Tamper(1, "strap_cut", 3_600_000)
    told = [e for e in events(bench.hears(cut) + bench.hears(cut)) if e["type"] == "tag_tamper"]
    assert told == [{"type": "tag_tamper", "at": format_ms(bench.now - 3_600_000), "tag": TAG, "kind": "strap_cut"}]
    bench.reboots()
    bench.connects()
    assert [e for e in events(bench.hears(cut)) if e["type"] == "tag_tamper"] == []


def test_everything_a_unit_says_is_in_the_schema() -> None:
    bench = Bench()
    bench.connects()
    bench.hears(Tamper(1, "strap_cut", 5_000))
    bench.waits(1_000, hearing=True)
    bench.acknowledges(3)
    bench.unit.power(bench.now, mains=False)
    bench.reboots()
    bench.connects()
    for envelope in bench.envelopes:
        decoded = decode(json.dumps(envelope).encode())
        assert decoded.refused == ()


def test_at_most_eight_envelopes_wait_and_one_of_them_went_ahead() -> None:
    bench = Bench(report_s=1)
    bench.hears()
    bench.waits(700, hearing=True)
    sent = bench.connects() + bench.hears(Tamper(1, "case_open", 0))
    assert len(sent) == len(bench.unit.unacknowledged()) == 8
    assert events(sent[-1:])[-1]["type"] == "tag_tamper"
    assert max(numbers(sent[:-1])) + 1 < min(numbers(sent[-1:]))
    assert sum(len(e["events"]) for e in bench.acknowledges(50)) == 50


def test_unanswered_envelopes_go_again_ever_more_slowly_up_to_a_minute() -> None:
    bench = Bench(heartbeat_s=300)
    first = bench.connects()
    sent_at = [bench.now]
    while len(sent_at) < 6:
        bench.now = max(bench.now, bench.unit.next_due())
        bench.unit.tick(bench.now)
        sent_at += [bench.now for e in bench.says() if e["first_seq"] == first[0]["first_seq"]]
    gaps = [b - a for a, b in zip(sent_at, sent_at[1:], strict=False)]
    assert 16_000 <= gaps[0] <= 20_000
    assert all(gap <= 60_000 for gap in gaps)
    assert gaps[-1] >= 48_000


def test_unacknowledged_events_survive_a_restart_with_their_names() -> None:
    bench = Bench()
    bench.connects()
    bench.hears()
    bench.waits(300, hearing=True)
    bench.acknowledges(2)
    boot, before = bench.unit.boot, dict(bench.sent)
    survived = copy.deepcopy(bench.flash)
    bench.unit = BaseUnit(
        unit=bench.unit.unit, flash=survived, rng=bench.unit._rng, now_ms=bench.now + 30_000, reason="x"
    )
    bench.flash = survived
    bench.now += 30_000
    again = bench.connects()
    old = {(e["boot"], s) for e in again for s in numbers([e]) if e["boot"] == boot}
    assert old == {name for name in before if name[1] > 2}
    new = next(e for e in events(again) if e["type"] == "boot")
    assert (new["prev_boot"], new["prev_last_seq"], new["boot_n"]) == (boot, max(s for _, s in old), 2)


@pytest.mark.parametrize(
    "said",
    [
        {"store": OTHER_STORE, "n": 9},
        {"n": 1},
        {"ack": {"boot": "01KMFFFFFF0000000000000009", "seq": 1}},
        {"ack_beyond": 1},
        {"v": 2},
    ],
    ids=["foreign store", "n does not rise", "unknown boot", "higher than sent", "wrong version"],
)
def test_what_a_unit_does_not_obey(said: dict[str, object]) -> None:
    bench = Bench()
    bench.connects()
    bench.acknowledges(1)
    bench.hears()
    beyond = said.pop("ack_beyond", 0)
    message = {"v": 1, "store": STORE, "n": 2, "ack": {"boot": bench.unit.boot, "seq": 2}} | said
    if beyond:
        message["ack"] = {"boot": bench.unit.boot, "seq": bench.last_seq + 1}
    bench.unit.downlink(json.dumps(message).encode(), bench.now)
    assert bench.flash.log.boots[bench.unit.boot].acked_seq == 1
    assert (bench.flash.n, bench.flash.store, bench.unit.ignored) == (1, STORE, 1)
    bench.acknowledges(2)
    assert bench.unit.unacknowledged() == []


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(("v", "store", "n", "ack", "boot", "seq", "from", "to", "config")), inner),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_bytes_from_above_are_survived(payload: bytes) -> None:
    bench = Bench()
    bench.connects()
    bench.unit.downlink(payload, bench.now)
    bench.unit.host(payload, bench.now)
    assert bench.flash.log.unacknowledged_count() >= 1


def test_resend_is_answered_with_events_or_with_lost() -> None:
    bench = Bench()
    bench.connects()
    bench.waits(300)
    last = bench.last_seq
    bench.acknowledges(last)
    hole = {"boot": bench.unit.boot, "from": 2, "to": 3}
    assert numbers(bench.answers(resend=hole)) == [2, 3]
    bench.flash.log.boots[bench.unit.boot].events.pop(3)
    answered = bench.answers(resend=hole)
    assert 2 in numbers(answered)
    lost = next(e for e in events(answered) if e["type"] == "lost")
    assert (lost["from"], lost["to"], lost["boot"]) == (3, 3, bench.unit.boot)
    asked_again = bench.answers(resend=hole)
    assert [e for e in events(asked_again) if e["type"] == "lost"] == [lost]


def test_an_event_nobody_can_read_is_halved_out_and_declared_lost() -> None:
    """The service answers everything but what holds number 4; in the end that one is given up."""
    bench = Bench(report_s=10, heartbeat_s=60)
    bench.hears()
    bench.waits(100, hearing=True)
    bench.connects()
    got: set[int] = set()
    for _ in range(300):
        for envelope in bench.waits(10, hearing=True):
            if envelope["boot"] == bench.unit.boot and 4 not in numbers([envelope]):
                got.update(numbers([envelope]))
        lost = [e for (_, seq), e in bench.sent.items() if e["type"] == "lost" and seq in got]
        got.update(seq for e in lost for seq in range(e["from"], e["to"] + 1))
        upto = next(seq for seq in range(1, 10_000) if seq + 1 not in got) if 1 in got else 0
        bench.acknowledges(upto)
    assert [(e["from"], e["to"]) for e in lost] == [(4, 4)]
    assert bench.flash.refused == 1
    assert upto > 200
    assert bench.told("unit_status")[-1]["refused"] == 1


def test_a_full_store_drops_what_is_periodic_first_and_says_so() -> None:
    bench = Bench(capacity_events=600, report_s=10)
    bench.hears()
    for _ in range(8):
        bench.waits(900, hearing=True)
        bench.waits(120)
    assert bench.flash.log.count <= 600
    kept = [kept.type for kept in bench.flash.log.boots[bench.unit.boot].events.values()]
    changes = 1 + 2 * 8
    assert sum(kind in ("boot", "presence") for kind in kept) == changes
    told = events(bench.connects())
    lost = [e for e in told if e["type"] == "lost"]
    assert lost
    assert all(e["periodic_only"] for e in lost)


def test_configuration_is_obeyed_and_echoed() -> None:
    bench = Bench()
    bench.connects()
    config = {
        "rev": 12,
        "heartbeat_s": 120,
        "report_s": 20,
        "leave_time_s": 90,
        "range_dbm": -80,
        "tags": ["T-1", "T-2"],
    }
    told = events(bench.answers(config=config | {"schedule": [], "schedule_sha256": sha256_of([])}))
    assert (told[-1]["config_rev"], told[-1]["schedule_sha256"]) == (12, sha256_of([]))
    bench.hears()
    assert bench.flash.config.tags == ("T-1", "T-2")
    bench.waits(61, hearing=True)
    assert [e["interval_s"] for e in bench.told("report")] == [20, 20, 20]
    bench.answers(config={"rev": 11, "report_s": 99})
    assert bench.flash.config.report_s == 20


def test_while_the_host_is_away_only_what_is_urgent_goes() -> None:
    bench = Bench()
    bench.connects()
    bench.acknowledges(1)
    bench.unit.host(b'{"online": false}', bench.now)
    bench.waits(300)
    assert len(bench.told("presence")) == len(bench.sent) - 1 == 1
    bench.hears()
    bench.waits(61)  # one envelope is ahead at a time; unanswered, it makes room for the next
    assert len(bench.told("presence")) == len(bench.sent) - 1 >= 2
    bench.unit.host(b'{"online": true, "store": "x"}', bench.now)
    assert {e["type"] for e in events(bench.says() + bench.waits(3))} >= {"unit_status"}


def test_a_clock_that_is_wrong_is_told() -> None:
    bench = Bench()
    bench.connects()
    bench.now += 400
    told = events(bench.acknowledges(1, now=format_ms(bench.now - 45_000)))
    assert told[-1]["type"] == "unit_status"
    assert abs(told[-1]["clock_offset_ms"] - 45_000) <= 400
    assert told[-1]["rtt_ms"] == 400


def test_a_rejected_event_is_counted() -> None:
    bench = Bench()
    bench.connects()
    bench.acknowledges(1, rejected=[{"from": 1, "to": 1, "reason": "not_in_schema"}])
    assert bench.flash.refused == 1
