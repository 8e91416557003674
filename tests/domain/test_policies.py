"""Which version of which policy judges what (docs/adr/0023), and what may be published."""

from typing import Any

import pytest

from emcheck.domain.findings import Finding
from emcheck.domain.instants import HOUR
from emcheck.domain.policies import Line, Policies
from emcheck.domain.policy import PolicyError
from emcheck.domain.register import Register
from emcheck.service.stream import Line as Received
from emcheck.service.stream import StreamError
from tests.support import UnitStory, at, england, judge, lines, nightly, order, register, version

MIDNIGHT = "2026-03-25T00:00:00Z"
PATIENT: dict[str, Any] = {"curfew__absence__alert_after_s": 900, "curfew__absence__priority": "P3"}
UNTIL = at("2026-03-26T12:00")


def two_nights(minutes: int = 20) -> UnitStory:
    """Out for so many minutes at 20:00 on two evenings."""
    told = UnitStory().boots(at("18:30"))
    for day in ("2026-03-24", "2026-03-25"):
        out, back = at("20:00", day), at("20:00", day) + minutes * 60_000
        told.hears(at("18:40", day)).beats(at("18:41", day), out - 60_000).loses(out + 60_000, last_heard=out)
        told.beats(out + 120_000, back - 60_000).hears(back).beats(back + 60_000, at("23:59", day))
    return told


def alerts(found: list[Finding]) -> list[tuple[str, str, int | None]]:
    """Policy, priority and how many minutes after its start each absence was alerted."""
    told = sorted((f for f in found if f.rule == "curfew.absence"), key=lambda f: f.start)
    return [(f.policy, f.priority, None if f.raised_at is None else (f.raised_at - f.start) // 60_000) for f in told]


def publication(new_version: str, known_at: int, **fields: str) -> Received:
    said = {"type": "policy", "policy": new_version, "by": "the authority", **fields}
    return Received(1, known_at, "instruction", "", said)


def judged(told: list[Received], *instructions: Received, known: Register | None = None) -> list[Finding]:
    return judge(sorted([*told, *instructions], key=lambda line: line.received_at), known, until=UNTIL)


def test_a_version_judges_the_windows_that_begin_from_its_time_on() -> None:
    found = judge(lines(two_nights()), until=UNTIL, others=[version("2", MIDNIGHT, **PATIENT)])
    assert alerts(found) == [("england-wales@1", "P2", 5), ("england-wales@2", "P3", 15)]


def test_a_window_is_judged_by_the_version_at_its_start_to_its_end() -> None:
    """A version that begins at 21:00 changes nothing about the window that began at 19:00."""
    found = judge(lines(two_nights(90)), until=UNTIL, others=[version("2", "2026-03-24T20:30:00Z", **PATIENT)])
    assert alerts(found)[0] == ("england-wales@1", "P2", 5)


def test_what_becomes_effective_later_changes_nothing_before() -> None:
    told, night = lines(two_nights()), at("2026-03-24T22:00")
    new = version("2", MIDNIGHT, **PATIENT)
    assert alerts(judged(told, publication(new.body, night))) == [
        ("england-wales@1", "P2", 5),
        ("england-wales@2", "P3", 15),
    ]


def test_a_past_version_is_refused_unless_it_is_said_why_and_then_judges_again() -> None:
    told, afterwards = lines(two_nights()), at("2026-03-26T09:00")
    new = version("2", MIDNIGHT, **PATIENT)
    with pytest.raises(StreamError) as refused:
        judged(told, publication(new.body, afterwards))
    assert "policy: effective_at: 2026-03-25T00:00:00.000Z is past, and england-wales has judged since" in str(
        refused.value
    )
    found = judged(told, publication(new.body, afterwards, retroactive="the number was a slip of the pen"))
    again = [("england-wales@1", "P2", 5), ("england-wales@2", "P3", 5)]
    assert alerts(found) == again, "when it was first seen is not edited"


def test_what_is_published_never_changes() -> None:
    policies, new = Policies(england()), version("2", MIDNIGHT, **PATIENT)
    assert policies.check(new, at("18:00"), retroactive=False)
    policies.publish(new, at("18:00"))
    assert not policies.check(new, at("2026-03-27T00:00"), retroactive=False), "the same again is no news"
    other = version("2", MIDNIGHT)
    with pytest.raises(PolicyError, match=r"england-wales@2 is published with another content.*another version"):
        policies.check(other, at("18:00"), retroactive=True)


def test_the_version_in_force_at_an_instant() -> None:
    line = Line(england())
    known_at = at("12:00", "2026-03-15")
    line.add(version("3", "2026-05-01T00:00:00Z"), known_at)
    line.add(version("2", "2026-04-01T00:00:00Z"), known_at)
    line.add(version("2b", "2026-04-01T00:00:00Z"), known_at)
    days = ("2020-01-01", "2026-03-31", "2026-04-01", "2026-05-01")
    assert [line.at(at("00:00", day)).version for day in days] == ["1", "1", "2b", "3"]
    in_force = [(policy.version, span.end - span.start) for policy, span in line.spans() if span.start < span.end]
    assert [name for name, _ in in_force] == ["1", "2b", "3"]
    assert dict(in_force)["2b"] == 30 * 24 * HOUR


def test_what_runs_in_receive_time_knows_nothing_of_a_version_that_came_later() -> None:
    line, known_at = Line(england()), at("12:00", "2026-04-20")
    line.add(version("2", "2026-04-10T00:00:00Z"), at("12:00", "2026-04-01"))
    line.add(version("3", "2026-04-05T00:00:00Z"), known_at)
    days = ("2026-04-04", "2026-04-06", "2026-04-11", "2026-04-21")
    assert [line.at(at("00:00", day)).version for day in days] == ["1", "3", "2", "2"]
    assert [line.then(at("00:00", day)).version for day in days] == ["1", "1", "2", "2"]
    line.add(version("4", "2026-04-15T00:00:00Z"), known_at)
    assert [line.then(known_at + ms).version for ms in (-1, 0)] == ["2", "4"]


def test_an_order_names_its_line_and_units_go_by_the_services_own() -> None:
    known = register(order(policy="borders"), order(order_id="O-2", wearer_id="W-1", curfew=nightly("19:00", "06:00")))
    borders = version("7", "2026-01-01T00:00:00Z", name="borders", unit__power__priority="P1", **PATIENT)
    told = two_nights().tell(at("2026-03-26T00:00"), "unit_status", power="battery")
    told.tell(at("2026-03-26T02:00"), "unit_status", power="battery")
    found = judge(lines(told), known, until=UNTIL, others=[borders])
    by_order = {(f.order_id, f.policy, f.priority) for f in found if f.rule == "curfew.absence"}
    assert by_order == {("O-1", "borders@7", "P3"), ("O-2", "england-wales@1", "P2")}
    assert [(f.policy, f.priority) for f in found if f.rule == "unit.power"] == [("england-wales@1", "P3")]
    hashes = {f.policy: f.policy_sha256 for f in found}
    assert hashes == {"borders@7": borders.sha256, "england-wales@1": england().sha256}


def test_the_allowance_is_that_of_the_order_s_beginning() -> None:
    """An order of March goes on with what it began with; one of April has the new one."""
    march = order(atv_allowance_min=None)
    new = version("2", "2026-03-20T00:00:00Z", curfew__accumulated__allowance_default_min=10)
    april = march | {"starts_at": "2026-03-21T00:00:00Z"}
    for made, exceeded in ((march, []), (april, ["england-wales@2"])):
        found = judge(lines(two_nights()), register(made), until=UNTIL, others=[new])
        assert [f.policy for f in found if f.rule == "curfew.accumulated"] == exceeded


def test_how_facts_are_read_goes_by_their_own_time() -> None:
    """A gap of three minutes is a short one from midnight on, and none before."""
    told = two_nights(3)
    patient = version("2", MIDNIGHT, presence__leave_time_s=300)
    found = judge(lines(told), until=UNTIL, others=[patient])
    assert [f.start for f in found if f.rule == "curfew.absence"] == [at("20:00")]


def test_what_is_told_of_a_unit_goes_by_the_version_in_force_when_it_began() -> None:
    told = UnitStory().boots(at("18:30")).tell(at("23:00"), "unit_status", power="battery", battery_pct=90)
    told.beats(at("2026-03-25T01:00"), at("2026-03-25T01:05"))
    told.tell(at("2026-03-25T02:00"), "unit_status", power="battery", battery_pct=90)
    told.beats(at("2026-03-25T04:00"), at("2026-03-25T04:05"))
    found = judge(lines(told), until=UNTIL, others=[version("2", MIDNIGHT, unit__power__priority="P1")])
    cuts = [(f.start, f.policy, f.priority) for f in found if f.rule == "unit.power"]
    assert sorted(cuts) == [
        (at("23:00"), "england-wales@1", "P3"),
        (at("2026-03-25T02:00"), "england-wales@2", "P1"),
    ]


def test_an_order_whose_policy_is_not_there_is_refused_with_path_and_remedy() -> None:
    told = lines(two_nights())
    act = {"type": "order", "order": order(policy="nowhere"), "by": "the court"}
    with pytest.raises(StreamError) as refused:
        judged(told, Received(1, at("19:30"), "instruction", "", act))
    problem = "order.policy: no policy 'nowhere' is published; there are england-wales. Publish it first"
    assert problem in str(refused.value)
    with pytest.raises(PolicyError, match=r"orders\.0\.policy: no policy 'nowhere' is published"):
        judge(told, register(order(policy="nowhere")), until=UNTIL)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = 1 2", "policy: not TOML"),
        (england().body.replace("leave_time_s", "leaf_time_s"), "policy: presence.leaf_time_s: unknown key"),
        (england().body.replace("00:00:00.000Z", "00:00:00"), "policy: effective_at: '2026-01-01T00:00:00' has no UTC"),
    ],
)
def test_a_policy_that_is_none_is_refused_in_the_instruction(text: str, problem: str) -> None:
    with pytest.raises(StreamError) as refused:
        judged(lines(two_nights()), publication(text, at("19:30")))
    assert problem in str(refused.value)
