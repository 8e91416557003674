"""Nights worked out by hand, for the auditor that checks everyone else (domain.md, 'Presence' and the findings)."""

import ast
import random
from pathlib import Path
from typing import Any

import pytest

import firmware_sim.auditor
from firmware_sim.auditor import audit
from firmware_sim.auditor.instants import parse_utc
from tests.firmware_sim.recorded import (
    BOOT,
    NEXT_BOOT,
    TAG,
    absences,
    arrives,
    at,
    beats,
    boot,
    drawn,
    exceeded,
    fitted,
    installed,
    leaves,
    lines,
    lost,
    night,
    register,
    report,
    status,
    tamper,
)


def test_it_shares_nothing_with_what_it_checks() -> None:
    for path in Path(str(firmware_sim.auditor.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.startswith("emcheck")], path


# Presence 1: state


def test_1_a_departure_is_absent_from_last_heard_and_an_arrival_present_from_its_at() -> None:
    told = night(arrives("18:00"), leaves("20:00:50", heard="20:00:10"), arrives("20:30:20"))
    assert drawn(told) == ["18:00:00 present", "20:00:10 absent", "20:30:20 present", "22:00:00 end"]


def test_1_last_heard_missing_is_at() -> None:
    told = night(arrives("18:00"), leaves("20:00:50"))
    assert drawn(told) == ["18:00:00 present", "20:00:50 absent", "22:00:00 end"]


def test_1_a_departure_makes_no_unknown_time_known() -> None:
    """Silence from 20:02:12; the word at 20:10 says last heard at 20:01:30: only vouched time is repainted."""
    told = lines([boot("20:00"), arrives("20:00"), leaves("20:10", heard="20:01:30")])
    assert drawn(told, until="20:11") == [
        "20:00:00 present",
        "20:01:30 absent",
        "20:02:12 unknown",
        "20:10:00 absent",
        "20:11:00 end",
    ]


def test_1_a_report_with_frames_is_presence_and_one_without_says_nothing() -> None:
    told = night(leaves("18:00"), report("19:10", heard=1), leaves("19:20"), report("19:30", heard=0))
    assert drawn(told, until="20:00") == ["18:00:00 absent", "19:10:00 present", "19:20:00 absent", "20:00:00 end"]


def test_1_tags_of_a_boot_and_of_a_status_set_the_state_from_their_at() -> None:
    told = night(status("19:00:30", tags={TAG: "out"}), booted=boot("18:00", tags={TAG: "in"}))
    assert drawn(told) == ["18:00:00 present", "19:00:30 absent", "22:00:00 end"]


# Presence 2: vouching


def test_2_an_event_vouches_for_132_s_and_then_nothing_is_known() -> None:
    told = lines([boot("19:00"), arrives("19:00"), status("19:02:12"), status("19:05")])
    assert drawn(told, until="19:10") == [
        "19:00:00 present",
        "19:04:24 unknown",
        "19:05:00 present",
        "19:07:12 unknown",
        "19:10:00 end",
    ]


def test_2_the_heartbeat_of_the_boot_sets_how_long() -> None:
    told = lines([boot("19:00", heartbeat_s=300), arrives("19:00")])
    assert drawn(told, until="19:30") == ["19:00:00 present", "19:11:00 unknown", "19:30:00 end"]


def test_2_a_tamper_told_from_memory_neither_vouches_nor_ends_a_vouch() -> None:
    told = lines([boot("19:00"), arrives("19:00"), tamper("18:59"), status("19:02:20")])
    assert drawn(told, until="19:03") == ["19:00:00 present", "19:02:12 unknown", "19:02:20 present", "19:03:00 end"]


def test_2_what_a_backdated_event_sets_holds_from_the_latest_time_before_it() -> None:
    told = lines([boot("19:00"), arrives("19:00"), status("19:01"), leaves("19:00:40", heard="19:00:20")])
    assert drawn(told, until="19:02") == ["19:00:00 present", "19:01:00 absent", "19:02:00 end"]


# Presence 3: holes

BEFORE = [boot("19:00"), arrives("19:00"), status("19:00:30")]
AFTER = [status("19:01"), report("19:01:20"), status("19:02")]
HOLED = ["19:00:00 present", "19:00:30 unknown", "19:01:20 present", "19:03:00 end"]
WHOLE = ["19:00:00 present", "19:03:00 end"]


def test_3_time_is_unknown_at_a_missing_number_and_until_the_tag_is_named() -> None:
    assert drawn(lines(BEFORE) + lines(AFTER, first=5), until="19:03") == HOLED


def test_3_a_number_that_arrives_after_all_fills_its_hole() -> None:
    late = lines([status("19:00:45")], first=4, received="20:00")
    told = lines(BEFORE) + lines(AFTER, first=5) + late
    assert drawn(told, until="19:03") == HOLED
    assert drawn(told, until="20:00") == ["19:00:00 present", "19:04:12 unknown", "20:00:00 end"]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ([lost("19:02", 4, 5)], WHOLE),
        ([lost("19:02", 4, 4), lost("19:02", 5, 5)], WHOLE),
        ([lost("19:02", 4, 4)], HOLED),
        ([lost("19:02", 4, 5, periodic_only=False)], HOLED),
        ([lost("19:02", 4, 5, of=NEXT_BOOT)], HOLED),
    ],
)
def test_3_only_a_hole_lost_whole_and_periodic_is_none(declared: list[dict[str, Any]], expected: list[str]) -> None:
    told = lines(BEFORE) + lines([*AFTER, *declared], first=6)
    assert drawn(told, until="19:03") == expected


def test_3_a_number_declared_lost_that_comes_after_all_is_a_fact() -> None:
    told = lines(BEFORE) + lines([leaves("19:00:45")], first=4) + lines([*AFTER[::2], lost("19:02", 4, 4)], first=5)
    assert drawn(told, until="19:03") == ["19:00:00 present", "19:00:45 absent", "19:03:00 end"]


def test_3_across_a_harmless_hole_the_event_before_vouches_no_longer_than_usual() -> None:
    told = lines(BEFORE) + lines([status("19:05"), lost("19:05", 4, 7)], first=8)
    assert drawn(told, until="19:06") == ["19:00:00 present", "19:02:42 unknown", "19:05:00 present", "19:06:00 end"]


def test_3_a_refused_number_stays_a_hole_whatever_comes_after() -> None:
    bad = lines([status("19:00:45") | {"power": "steam"}], first=4)
    good = lines([status("19:00:45")], first=4)
    declared = lines([lost("19:02", 4, 4)], first=8)
    for more in ([], good, declared):
        assert drawn(lines(BEFORE) + bad + lines(AFTER, first=5) + more, until="19:03") == HOLED


def test_3_one_number_with_two_contents_is_a_hole_and_the_same_in_other_order_is_not() -> None:
    event = status("19:00:45")
    turned = dict(reversed(event.items()))
    told = lines(BEFORE) + lines([event], first=4) + lines(AFTER, first=5)
    assert drawn(told + lines([turned], first=4), until="19:03") == WHOLE
    assert drawn(told + lines([event | {"buffered": 1}], first=4), until="19:03") == HOLED


def test_3_from_the_last_event_of_a_boot_to_the_next_it_is_unknown_and_the_state_until_named() -> None:
    after = [boot("19:00:50"), status("19:01"), report("19:01:20"), status("19:02")]
    assert drawn(lines(BEFORE) + lines(after, of=NEXT_BOOT), until="19:03") == HOLED


@pytest.mark.parametrize(
    ("counters", "expected"),
    [
        # By the counter the boot that began at 18:58 is the newer: all that the other one tells comes after its start.
        ((2, 1), ["18:58:00 present", "19:00:30 absent", "19:02:00 end"]),
        # By the counter, or by time where one has none, it is the older: its departure comes after the other's start.
        ((1, 2), ["18:58:00 present", "18:59:00 unknown", "19:00:00 present", "19:02:00 end"]),
        ((1, None), ["18:58:00 present", "18:59:00 unknown", "19:00:00 present", "19:02:00 end"]),
    ],
)
def test_3_boots_are_ordered_by_counter_else_by_time_and_an_older_one_ends_where_a_newer_begins(
    counters: tuple[int | None, int | None], expected: list[str]
) -> None:
    first = [boot("18:58", boot_n=counters[0]), arrives("18:58"), status("18:59"), leaves("19:00:30")]
    second = [boot("19:00", boot_n=counters[1]), arrives("19:00"), status("19:01")]
    assert drawn(lines(first, of=NEXT_BOOT) + lines(second, of=BOOT), until="19:02") == expected


# Presence 4: several sources


def two_units(second: list[dict[str, Any]]) -> list[str]:
    """A unit that says absent all night, beside one at the same address that says `second`."""
    of = register()
    of["installations"].append(installed("BU-0002"))
    told = night(leaves("18:00"), end="20:00") + lines(second, unit="BU-0002")
    return drawn(told, of, until="19:10")


def test_4_present_if_any_says_present_absent_only_if_every_one_says_absent() -> None:
    assert two_units([]) == ["18:00:00 unknown", "19:10:00 end"]
    assert two_units([boot("19:00"), arrives("19:00"), leaves("19:02"), status("19:03")]) == [
        "18:00:00 unknown",
        "19:00:00 present",
        "19:02:00 absent",
        "19:05:12 unknown",
        "19:10:00 end",
    ]


def test_4_a_source_counts_only_in_its_fitting() -> None:
    """Taken off at 19:30 and replaced at 19:40; the fitter carries the old one away and has tried the new one."""
    of = register() | {"fittings": [fitted(TAG, until="19:30"), fitted("T-2", since="19:40")]}
    old = [arrives("18:00"), leaves("19:35", heard="19:20")]
    new = [leaves("19:38", tag="T-2"), arrives("19:45", tag="T-2")]
    assert drawn(night(*old, *new), of, until="20:00") == [
        "18:00:00 present",
        "19:30:00 unknown",
        "19:45:00 present",
        "20:00:00 end",
    ]


def test_4_a_source_counts_only_in_its_installation() -> None:
    """The time outside it is not counted; only a fitting makes events unusable, so what was told before holds on."""
    of = register() | {"installations": [installed("BU-0001", since="18:30", until="19:30")]}
    told = night(arrives("18:00"), report("18:40"))
    assert drawn(told, of, until="20:00") == ["18:30:00 present", "19:30:00 unknown", "20:00:00 end"]


# Presence 5: short gaps


@pytest.mark.parametrize(("back", "seconds"), [("20:01:59", []), ("20:02:00", [120]), ("20:02:01", [121])])
def test_5_absent_for_less_than_120_s_between_present_time_is_present(back: str, seconds: list[int]) -> None:
    told = night(arrives("18:00"), leaves("20:01", heard="20:00"), arrives(back))
    assert [found[3] for found in absences(told)] == seconds


def test_5_a_short_gap_is_filled_before_clipping_and_one_beside_unknown_time_stays() -> None:
    told = night(arrives("18:00"), leaves("19:00", heard="18:58:30"), arrives("19:00:20"))
    assert absences(told) == []
    told = lines([boot("19:00"), arrives("19:00"), status("19:01"), leaves("19:01:30"), status("19:02")])
    told += lines([boot("19:02:20"), arrives("19:02:20")], of=NEXT_BOOT)
    assert absences(told) == [("left_during", "19:01:30", "19:02:00", 30, 0)]


# Presence 6: order, repetition, batching


def test_6_order_of_arrival_repetition_and_batching_change_nothing() -> None:
    told = night(arrives("18:00"), leaves("20:00:50", heard="20:00:10"), arrives("20:30:20"))
    plain = audit(told, register(), parse_utc(at("22:00")))
    chance = random.Random(6)
    mixed = [line | {"received_at": at("22:00")} for line in told + told[::3]]
    chance.shuffle(mixed)
    events = [line["payload"]["events"][0] for line in told]
    in_one = {"received_at": at("22:00"), "payload": told[0]["payload"] | {"events": events}}
    assert len(plain) == 1
    assert audit(mixed, register(), parse_utc(at("22:00"))) == plain
    assert audit([told[0] | in_one], register(), parse_utc(at("22:00"))) == plain


# Clocks and bad input


@pytest.mark.parametrize(
    ("offset_ms", "shown"), [(30_000, "19:10:00 absent"), (30_001, "19:09:29 absent"), (-60_000, "19:11:00 absent")]
)
def test_an_offset_beyond_the_policy_corrects_from_its_own_number_onward(offset_ms: int, shown: str) -> None:
    told = night(arrives("18:00"), status("19:05:30", clock_offset_ms=offset_ms), leaves("19:10"))
    assert drawn(told)[:2] == ["18:00:00 present", shown]


@pytest.mark.parametrize(
    "bad",
    [
        leaves("19:00:45", heard="19:00:46"),
        status("19:00:45") | {"type": "weather"},
        {key: value for key, value in report("19:00:45").items() if key != "heard"},
        report("19:00:45", heard=-1),
        status("19:00:45", clock_offset_ms=float("nan")),
        status("19:00:45") | {"at": "2026-03-24 19:00:45"},
    ],
)
def test_an_event_that_is_not_in_the_schema_is_a_hole(bad: dict[str, Any]) -> None:
    told = lines(BEFORE) + lines([bad], first=4, received="19:01") + lines(AFTER, first=5)
    assert drawn(told, until="19:03") == HOLED


@pytest.mark.parametrize(
    ("received", "named", "expected"),
    [("18:55:44.999", {}, HOLED), ("18:55:45", {}, WHOLE), ("19:01", {"unit": "BU-0009"}, HOLED)],
)
def test_more_than_five_minutes_ahead_or_under_another_units_name_is_refused(
    received: str, named: dict[str, str], expected: list[str]
) -> None:
    doubtful = lines([status("19:00:45")], first=4, received=received, **named)
    assert drawn(lines(BEFORE) + doubtful + lines(AFTER, first=5), until="19:03") == expected


# Findings


@pytest.mark.parametrize(
    ("out", "back", "expected"),
    [
        ("18:00:01", "07:30", ("out_whole", "19:00:00", "07:00:00", 43_200, 0)),
        ("18:30", "19:19", ("late_return", "19:00:00", "19:19:00", 1140, 0)),
        ("19:00", "19:19", ("late_return", "19:00:00", "19:19:00", 1140, 0)),
        ("20:00", "20:30", ("left_during", "20:00:00", "20:30:00", 1800, 0)),
        ("20:00", "07:00", ("out_at_end", "20:00:00", "07:00:00", 39_600, 0)),
        ("18:30", "19:00", None),
        ("07:00", "07:30", None),
    ],
)
def test_the_class_says_how_an_absence_meets_its_half_open_window(
    out: str, back: str, expected: tuple[Any, ...] | None
) -> None:
    def on_its_day(when: str) -> str:
        return f"2026-03-25T{when}" if when < "12" else when

    told = night(arrives("18:00"), leaves(on_its_day(out)), arrives(on_its_day(back)), end="2026-03-25T08:00")
    assert absences(told, until="2026-03-25T08:00") == ([] if expected is None else [expected])


def test_an_absence_up_to_the_instant_of_judgement_is_open() -> None:
    told = night(arrives("18:00"), leaves("18:30"), end="2026-03-25T08:00")
    assert absences(told, until="19:30") == [("late_return", "19:00:00", None, 1800, 0)]
    assert absences(told, until="2026-03-25T07:00") == [("out_whole", "19:00:00", "07:00:00", 43_200, 0)]
    told = night(arrives("18:00"), leaves("20:00"), end="20:30")
    assert absences(told, until="20:30") == [("left_during", "20:00:00", None, 1800, 0)]
    assert absences(told, until="20:40") == [("left_during", "20:00:00", "20:31:12", 1872, 0)]


def test_two_silences_make_two_absences_that_never_bridge_unknown_time() -> None:
    told = [boot("19:00"), arrives("19:00"), leaves("19:01"), status("19:10", tags={TAG: "out"})]
    assert [found[:3] for found in absences(lines(told + beats("19:11", "19:15")), until="19:15")] == [
        ("left_during", "19:01:00", "19:03:12"),
        ("left_during", "19:10:00", None),
    ]


def test_authorised_absences_exclude_seconds_once_they_are_known_and_split_nothing() -> None:
    granted = {"from": "2026-03-24T20:05", "until": "2026-03-24T20:15"}
    of = register(authorised_absences=[granted, granted | {"from": "2026-03-24T20:10"}])
    told = night(arrives("18:00"), leaves("20:00"), arrives("20:30"))
    assert absences(told, of) == [("left_during", "20:00:00", "20:30:00", 1200, 600)]
    later = {"type": "authorised_absence", "order_id": "O-1", "from": "2026-03-24T19:00", "until": "2026-03-24T22:00"}
    told.append({"received_at": at("21:30"), "instruction": later})
    assert absences(told, of, until="21:29:59") == [("left_during", "20:00:00", "20:30:00", 1200, 600)]
    assert absences(told, of, until="21:30") == [("left_during", "20:00:00", "20:30:00", 0, 1800)]
    revoked = {"type": "revocation", "revokes": "authorised_absence", "order_id": "O-1", "from": "2026-03-24T19:00"}
    right = {"instead": {"from": "2026-03-24T20:00", "until": "2026-03-24T20:10"}}
    told.append({"received_at": at("21:40"), "instruction": revoked | right})
    assert absences(told, of, until="21:40") == [("left_during", "20:00:00", "20:30:00", 900, 900)]


@pytest.mark.parametrize(("back", "expected"), [("21:10", []), ("21:10:01", ["21:10:00"])])
def test_the_allowance_is_exceeded_after_the_instant_that_uses_it_up(back: str, expected: list[str]) -> None:
    told = night(arrives("18:00"), leaves("19:30"), arrives("19:50"), leaves("21:00"), arrives(back))
    assert exceeded(told, register(atv_allowance_min=30)) == expected


def test_milliseconds_count() -> None:
    told = night(arrives("18:00"), leaves("20:00:00.500"), arrives("20:30"))
    assert absences(told)[0][3] == 1799.5


def test_findings_stand_in_the_order_of_the_format_with_their_windows() -> None:
    told = night(arrives("18:00"), leaves("19:00"), arrives("21:00"))
    found = audit(told, register(atv_allowance_min=0), parse_utc(at("22:00")))
    window = {"start": at("19:00"), "end": at("2026-03-25T07:00")}
    whose = {"wearer_id": "W-1", "order_id": "O-1", "start": at("19:00")}
    times = {"window": window, "end": at("21:00"), "seconds": 7200, "excluded_seconds": 0}
    assert found == [
        {"rule": "curfew.absence", "class": "late_return"} | whose | times,
        {"rule": "curfew.accumulated"} | whose,
    ]
