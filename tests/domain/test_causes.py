"""Causes are told apart and never added up: person, tag, link, power, our own outage; whatever happens together."""

import json
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from emcheck.domain.findings import Finding
from emcheck.domain.instants import HOUR, MINUTE, SECOND
from emcheck.service.replay import Replayed, replay
from emcheck.service.stream import Line
from tests.support import UnitStory, at, england, lines, register

START, END = at("19:00"), at("2026-03-25T07:00")
CAUSES = ("person", "tag", "link", "power", "ourselves")
Troubles = list[tuple[str, int, int]]
"""What happens, from which minute of the curfew, for how many."""
TROUBLES = st.lists(st.tuples(st.sampled_from(CAUSES), st.integers(5, 600), st.integers(3, 90)), max_size=6)


def during(troubles: Troubles, cause: str) -> list[tuple[int, int]]:
    return [
        (START + begun * MINUTE, START + (begun + lasts) * MINUTE) for what, begun, lasts in troubles if what == cause
    ]


def within(when: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= when < end for start, end in spans)


def night(troubles: Troubles) -> Iterator[Line]:
    """A night minute by minute. A tag without a battery is not heard; a link that is down stores and forwards.

    While the service is down nothing is received; what a unit held back comes when both are up again.
    """
    away, mute = during(troubles, "person"), during(troubles, "tag")
    cut, offline, down = during(troubles, "power"), during(troubles, "link"), during(troubles, "ourselves")
    told = UnitStory().boots(at("18:00"), heartbeat_s=60).hears(at("18:00"))
    heard = True
    for minute in range(1, 14 * 60):
        now = at("18:00") + minute * MINUTE
        received = now + 2 * SECOND
        while within(received, offline) or within(received, down):
            received += MINUTE
        gone = within(now, away) or within(now, mute)
        if gone == heard:
            heard = not gone
            (told.hears(now, received=received) if heard else told.loses(now, last_heard=now, received=received))
        else:
            told.tell(now, "unit_status", power="battery" if within(now, cut) else "mains", received=received)
    signs = [Line(0, at("17:59"), "service", "", "started")]
    for start, end in merged(down):
        signs += [Line(0, start, "service", "", "stopped"), Line(0, end, "service", "", "started")]
    yield from sorted([*lines(told), *signs], key=lambda line: (line.received_at, line.kind == "up"))


def merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Outages that touch are one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def judged(troubles: Troubles) -> Replayed:
    return replay(night(troubles), register(), england(), until=END + HOUR)


def of(rule: str, found: list[Finding]) -> list[Finding]:
    return sorted((f for f in found if f.rule == rule), key=lambda f: f.start)


def minutes(spans: list[tuple[int, int]]) -> set[int]:
    return {at_ms for start, end in spans for at_ms in range(start, end, MINUTE)}


@settings(max_examples=40)
@given(TROUBLES)
def test_seconds_of_one_cause_never_count_in_another(troubles: Troubles) -> None:
    found = judged(troubles).findings
    unheard = minutes(during(troubles, "person") + during(troubles, "tag"))
    absent = sum(f.absent_ms or 0 for f in of("curfew.absence", found))
    assert absent == len({now for now in unheard if START <= now < END}) * MINUTE

    cuts = [(f.start, f.end) for f in of("unit.power", found)]
    lost = [(start, end) for start, end in merged(during(troubles, "power")) if end - start >= 30 * MINUTE]
    assert all(
        any(start <= begun and (ended or END) <= end + 5 * MINUTE for start, end in lost) for begun, ended in cuts
    )

    down = merged(during(troubles, "ourselves"))
    for silence in of("unit.silent", found):
        assert not within(silence.start, down), "our own outage is nobody's silence"
        assert any(start <= silence.start <= end + 3 * MINUTE for start, end in with_ourselves(troubles, down))
    assert of("evidence.gap", found) == []


def with_ourselves(troubles: Troubles, down: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A link that is down, and our own outages on either side of it, in which no second of silence counts."""
    return merged(during(troubles, "link") + down)


@settings(max_examples=25)
@given(TROUBLES)
def test_an_absence_is_the_same_whatever_befalls_link_power_and_ourselves(troubles: Troubles) -> None:
    """Once the stored facts have come; when it was raised is another matter."""
    alone = [trouble for trouble in troubles if trouble[0] in ("person", "tag")]
    together, plain = (
        [
            (f.class_, f.start, f.end, f.absent_ms, f.priority)
            for rule in ("curfew.absence", "curfew.accumulated")
            for f in of(rule, judged(what).findings)
        ]
        for what in (troubles, alone)
    )
    assert together == plain


def test_a_link_that_is_down_is_a_silence_and_nothing_else() -> None:
    found = judged([("link", 60, 90)]).findings
    assert {f.rule for f in found} == {"unit.silent"}


def test_a_power_cut_is_a_power_cut_and_nothing_else() -> None:
    assert {f.rule for f in judged([("power", 60, 45)]).findings} == {"unit.power"}


def test_our_own_outage_is_no_finding_of_anybody() -> None:
    assert judged([("ourselves", 60, 240)]).findings == []


def test_a_tag_that_is_not_heard_is_not_told_from_a_person_who_is_away_but_by_what_it_said_before() -> None:
    """What a tag without frames means is not known; its empty battery is a doubt, and the record says both."""
    story = UnitStory().boots(at("18:00")).hears(at("18:00")).beats(at("18:01"), at("19:59"))
    story.tell(at("20:00"), "report", tag="T-1", interval_s=60, heard=9, expected=10, battery_pct=4)
    story.loses(at("20:01"), last_heard=at("20:00")).beats(at("20:02"), at("21:00"))
    found = replay(lines(story), register(), england(), until=at("21:00")).findings
    [absence] = of("curfew.absence", found)
    [empty] = of("tag.battery", found)
    assert absence.doubts == ("tag_battery",)
    assert json.dumps(dict(empty.detail)["battery_pct"]) == "4"
