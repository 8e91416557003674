"""Incidents: many silences or power cuts with one cause are one; what they explain and what they do not."""

import itertools
import random
from typing import Any

import pytest

from emcheck.domain.findings import Finding
from emcheck.domain.ids import UnitId
from emcheck.domain.incidents import Incidents
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.domain.policies import Line
from emcheck.domain.queue import alert_id
from emcheck.domain.register import Register
from emcheck.present.words import explain
from tests.support import UnitStory, at, england, judge, lines, nightly, register

SILENT_AFTER = 132 * SECOND
HEARD = at("18:58")
"""When all units were last heard: the curfew at A-1 begins at 19:00, and all are silent from 19:00:12."""
GONE = HEARD + SILENT_AFTER


def town(units: int, since: str = "17:59", **common: list[str | None]) -> Register:
    """So many units, each at an address of its own, W-1 at the first; `uplink` and `postcode` of each in turn."""
    installed = []
    for number in range(1, units + 1):
        here: dict[str, Any] = {
            "unit": f"BU-{number:04}",
            "address_id": f"A-{number}",
            "installed_at": f"2026-03-24T{since}:00Z",
        }
        for key, values in common.items():
            if (value := values[(number - 1) % len(values)]) is not None:
                here[key] = value
        installed.append(here)
    return register(installations=installed)


def story(number: int, last: int, *, back: int | None = None, until: int | None = None) -> UnitStory:
    """A unit that beats until it is last heard, and again from `back`."""
    first = at("18:00") + (last - at("18:00")) % MINUTE
    told = UnitStory(f"BU-{number:04}").tell(first, "boot", received=first, reason="power_on", firmware="1")
    for when in range(first + MINUTE, last + 1, MINUTE):
        told.tell(when, "unit_status", power="mains", received=when)
    for when in range(back, until or back + 1, MINUTE) if back is not None else ():
        told.tell(when, "unit_status", power="mains", received=when)
    return told


def night(known: Register, stories: list[UnitStory], until: int) -> list[Finding]:
    return judge(lines(*stories), known, until=until)


def of(found: list[Finding], rule: str) -> list[Finding]:
    return [finding for finding in found if finding.rule == rule]


def test_ten_units_that_fall_silent_together_are_one_incident() -> None:
    stories = [story(number, HEARD + number * SECOND) for number in range(1, 11)]
    found = night(town(12), [*stories, story(11, at("20:00")), story(12, at("20:00"))], at("19:30"))
    [incident] = of(found, "incident.silent")
    assert (incident.start, incident.raised_at, incident.end) == (GONE + SECOND, GONE + 10 * SECOND, None)
    assert (incident.priority, incident.class_) == ("P1", "all")
    silences = of(found, "unit.silent")
    assert {f.incident for f in silences} == {alert_id(incident)}
    assert {f.priority for f in silences} == {"P3"}, "explained, even inside a curfew"
    assert explain(incident) == (
        "10 of 12 base units fell silent between Tue 24 Mar 19:00:13 and Tue 24 Mar 19:00:22 (UTC). 10 of them are "
        "silent still, and whether anyone is at home there is unknown. One cause is likely: this service, its broker "
        "or the network before it. Nobody is accused by it."
    )


@pytest.mark.parametrize(("units", "spread_s", "incidents"), [(9, 1, 0), (10, 6, 1), (10, 7, 0)])
def test_so_many_within_a_minute(units: int, spread_s: int, incidents: int) -> None:
    """The first and last of ten are 54 s apart, or 63 s."""
    stories = [story(number, HEARD + number * spread_s * SECOND) for number in range(1, units + 1)]
    assert len(of(night(town(10), stories, at("19:30")), "incident.silent")) == incidents


def test_in_a_large_site_it_takes_one_in_a_hundred() -> None:
    installed = town(1500)
    few = [story(number, HEARD) for number in range(1, 15)]
    told = of(night(installed, few, at("19:01")), "incident.silent")
    assert [incident.class_ for incident in told] == ["firmware"], "nor do those count that never spoke"
    everyone = Incidents(Line(england()), installed.installations)
    for number in range(1, 15):
        everyone.began("unit.silent", UnitId(f"BU-{number:04}"), GONE, GONE, GONE)
    assert everyone.judge(GONE) == (set(), set())
    everyone.began("unit.silent", UnitId("BU-0015"), GONE, GONE, GONE)
    groups, units = everyone.judge(GONE)
    assert len(groups) == 1
    assert len(units) == 15


def test_a_silence_without_an_incident_is_judged_as_ever() -> None:
    found = night(town(12), [story(n, HEARD if n == 1 else at("20:30")) for n in range(1, 13)], at("19:30"))
    [silence] = of(found, "unit.silent")
    assert (silence.priority, silence.incident) == ("P2", None)


def test_one_network_is_an_incident_of_its_own_after_its_settling() -> None:
    known = town(40, uplink=["vox", "vox", "nova", "nova"])
    gone = [1, 2, 5, 6, 9]
    stories = [story(n, HEARD + n * SECOND if n in gone else at("20:00")) for n in range(1, 41)]
    [incident] = of(night(known, stories, at("19:10")), "incident.silent")
    assert (incident.class_, incident.about) == ("uplink", "incident uplink vox")
    assert incident.raised_at == GONE + 9 * SECOND + 15 * SECOND
    assert explain(incident).startswith("5 of 20 base units on uplink vox fell silent")


def test_a_wider_incident_explains_a_narrower_one() -> None:
    known = town(40, uplink=["vox", "vox", "nova", "nova"], postcode=["SE15 4", "SE15 4"])
    stories = [story(n, HEARD + n * SECOND) for n in range(1, 41)]
    [incident] = of(night(known, stories, at("19:10")), "incident.silent")
    assert incident.class_ == "all"


def test_a_power_cut_in_a_postcode() -> None:
    known = town(12, postcode=["SE15 4", "SE15 4", "N1 9", "N1 9"])
    stories = []
    for number in range(1, 13):
        told = UnitStory(f"BU-{number:04}").boots(at("18:00"))
        for minute in range(1, 91):
            cut = number in (1, 2, 5, 6) and minute >= 10
            when = at("18:00") + minute * MINUTE + number * SECOND
            told.tell(when, "unit_status", power="battery" if cut else "mains", battery_pct=90)
        stories.append(told)
    found = night(known, stories, at("19:25"))
    [incident] = of(found, "incident.power")
    assert (incident.class_, incident.about, incident.priority) == ("postcode", "incident postcode SE15 4", "P2")
    assert (incident.start, incident.end) == (at("18:10:01"), None)
    assert incident.raised_at == at("18:40:05") + 15 * SECOND, "when the third was known for half an hour"
    cuts = of(found, "unit.power")
    assert [f.incident for f in cuts] == [alert_id(incident)] * 4
    assert of(found, "unit.silent") == []


def test_it_ends_when_nearly_all_are_back_and_the_rest_is_on_its_own() -> None:
    back = at("19:40")
    stories = [story(1, HEARD)]
    stories += [story(n, HEARD, back=back + n * SECOND, until=at("21:00")) for n in range(2, 21)]
    until_grace = night(town(20), stories, at("19:44"))
    [incident] = of(until_grace, "incident.silent")
    assert incident.end == back + 19 * SECOND, "when two of twenty were left"
    [alone] = [f for f in of(until_grace, "unit.silent") if f.end is None]
    assert (alone.priority, alone.incident) == ("P3", alert_id(incident))
    after = night(town(20), stories, incident.end + 5 * MINUTE)
    [alone] = [f for f in of(after, "unit.silent") if f.end is None]
    assert (alone.priority, alone.incident) == ("P2", None), "silent in a curfew, and nothing explains it any more"
    much_later = night(town(20), stories, incident.end + 66 * MINUTE)
    [alone] = [f for f in of(much_later, "unit.silent") if f.end is None]
    assert alone.priority == "P1"


def test_what_an_incident_explains_does_not_count_as_the_second_time() -> None:
    back = at("19:20")
    stories = [story(n, HEARD, back=back, until=at("21:00") if n == 1 else at("23:00")) for n in range(1, 21)]
    found = night(town(20), stories, at("21:30"))
    again = max((f for f in of(found, "unit.silent") if f.unit == "BU-0001"), key=lambda f: f.start)
    assert (again.priority, again.incident) == ("P2", None)


def test_absences_are_told_as_ever() -> None:
    told = story(1, HEARD - MINUTE)
    told.hears(HEARD - 50 * SECOND, received=HEARD - 50 * SECOND)
    told.loses(HEARD, last_heard=HEARD - 40 * SECOND, received=HEARD)
    for when in range(HEARD + MINUTE, at("19:50"), MINUTE):
        told.tell(when, "unit_status", power="mains", received=max(when, at("19:30")))
    found = night(town(20), [told, *(story(n, HEARD) for n in range(2, 21))], at("19:50"))
    assert len(of(found, "incident.silent")) == 1
    [absence] = of(found, "curfew.absence")
    assert (absence.incident, absence.start, absence.raised_at) == (None, at("19:00"), at("19:30"))


@pytest.mark.parametrize("seed", range(30))
def test_the_order_in_which_troubles_are_noticed_does_not_matter(seed: int) -> None:
    """Whatever began by an instant is known when it is judged; how it came to be known changes nothing."""
    chance = random.Random(seed)
    known = town(60, uplink=["vox", "nova", None], postcode=["SE15 4", "N1 9", "E8 1", None])
    told: list[tuple[int, int, int | None]] = []
    for number in range(1, 61):
        start = GONE + chance.randrange(0, 100) * SECOND
        told.append((number, start, start + chance.randrange(1, 400) * SECOND if chance.random() < 0.7 else None))
    steps = sorted({t for _, s, e in told for t in (s, e) if t is not None})

    def play(order: random.Random) -> list[Finding]:
        incidents = Incidents(Line(england()), known.installations)
        for before, now in itertools.pairwise([0, *steps]):
            while (due := incidents.due()) < now:
                incidents.judge(max(due, before))
            news = [("end", n, s, e) for n, s, e in told if e == now and e is not None]
            news += [("begin", n, s, s) for n, s, e in told if s == now]
            order.shuffle(news)
            for what, number, start, end in news:
                unit = UnitId(f"BU-{number:04}")
                if what == "begin":
                    incidents.began("unit.silent", unit, start, start, now)
                else:
                    incidents.ended("unit.silent", unit, start, end, now)
        incidents.judge(steps[-1] + 30 * SECOND)
        return [finding for group in sorted(incidents.groups()) for finding in incidents.findings(group)]

    assert play(random.Random(seed)) == play(random.Random(seed + 1))


def test_common_things_are_named_in_the_register() -> None:
    assert town(1).sha256() != town(1, uplink=["vox"]).sha256()
    assert nightly()


def test_a_firmware_that_stops_its_units_is_an_incident_of_its_own() -> None:
    stories = []
    for number in range(1, 41):
        told = story(number, HEARD + number * SECOND if number in range(1, 6) else at("20:00"))
        told.messages[0][1]["events"][0]["firmware"] = "2.1" if number <= 20 else "2.0"
        stories.append(told)
    [incident] = of(night(town(40), stories, at("19:10")), "incident.silent")
    assert (incident.class_, incident.about) == ("firmware", "incident firmware 2.1")
    assert explain(incident).startswith("5 of 20 base units with firmware 2.1 fell silent")
    rare = [told for told in stories if int(told.unit[3:]) <= 4] + [story(n, at("20:00")) for n in range(5, 41)]
    assert of(night(town(40), rare, at("19:10")), "incident.silent") == []


def test_what_came_to_nothing_is_let_go() -> None:
    known = town(40, postcode=["SE15 4", "N1 9"])
    everyone = Incidents(Line(england()), known.installations)
    for number in range(1, 41):
        when = GONE + number * MINUTE
        everyone.began("unit.silent", UnitId(f"BU-{number:04}"), when, when, when)
    assert sum(len(watch.troubles) for watch in everyone._watches.values()) < 60
