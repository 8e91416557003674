"""fitting.unvalidated, class `revalidate`: after a body.no_motion a fitter is to see the fitting again."""

from dataclasses import replace
from typing import Any

import pytest

from emcheck.domain import of_tags
from emcheck.domain.findings import Finding
from emcheck.domain.instants import DAY, HOUR, MINUTE, format_ms
from emcheck.domain.queue import alert_id
from emcheck.domain.register import Register
from emcheck.present.words import explain
from emcheck.service.replay import replay
from emcheck.web.visits.listing import wanted_of
from tests.domain.bodies import limb, table
from tests.domain.wearing import wears
from tests.support import UnitStory, at, england, judge, lines, register, version

BEGIN = at("08:00")
STILL_FROM, MOVES_AT = at("09:00"), at("23:00")
FITTED = {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
DUE = STILL_FROM + 3 * DAY


def day(*, still_from: int = STILL_FROM, moves_at: int = MOVES_AT, until: int = at("10:00", "2026-03-25")) -> UnitStory:
    """A tag that tells motion alone: it moves, is still, and moves again."""
    story = UnitStory().boots(BEGIN, boot_n=0).hears(BEGIN)
    only = ("motion_mg",)
    wears(story, limb, BEGIN + MINUTE, still_from, every_s=300, channels=only)
    wears(story, table, still_from, moves_at, every_s=300, channels=only, spoilt={"motion_mg": 0.0})
    return wears(story, limb, moves_at, until, every_s=300, channels=only)


def said(story: UnitStory, *changes: dict[str, Any], until: int | None = None, **beside: Any) -> list[Finding]:
    """What is said of the fittings of the register: one, or one for each of the changes."""
    told = lines(story)
    known: Register = register(fittings=[FITTED | change for change in changes or ({},)])
    found = judge(told, known, until=told[-1].received_at if until is None else until, **beside)
    return [f for f in found if f.rule == "fitting.unvalidated"]


def test_after_stillness_the_fitting_is_to_be_validated_anew_though_the_tag_moves_again() -> None:
    [asked] = said(day())
    assert (asked.class_, asked.priority, asked.end) == ("revalidate", "P3", None)
    assert STILL_FROM - 5 * MINUTE <= asked.start <= STILL_FROM
    assert asked.raised_at is not None
    assert 0 <= asked.raised_at - asked.start - 12 * HOUR <= 10 * MINUTE
    assert asked.evidence[0].unit == "BU-0001"
    words = explain(asked)
    assert "T-1 did not move from" in words
    assert "is to be validated anew by Fri 27 Mar" in words


def test_stillness_that_a_limb_may_have_asks_for_nothing() -> None:
    assert said(day(moves_at=STILL_FROM + 11 * HOUR)) == []


@pytest.mark.parametrize(("after_ms", "priority"), [(-1, "P3"), (0, "P2"), (HOUR, "P2")])
def test_from_its_deadline_on_it_is_as_any_other_fitting_that_nothing_shows(after_ms: int, priority: str) -> None:
    [first] = said(day())
    [asked] = said(day(), until=first.start + 3 * DAY + after_ms)
    assert (asked.priority, asked.raised_at) == (priority, first.raised_at)


def test_a_fitters_visit_ends_it_and_the_new_fitting_is_as_the_visit_says() -> None:
    visit = {"removed_at": "2026-03-25T09:00:00Z"}
    for validation, classes in (("validated", ["revalidate"]), ("pending", ["revalidate", None])):
        after = {"fitted_at": "2026-03-25T09:20:00Z", "validation": validation}
        found = sorted(said(day(), visit, after), key=lambda f: f.start)
        assert [f.class_ for f in found] == classes
        assert found[0].end == at("09:00", "2026-03-25")
        assert "and ended at Wed 25 Mar 09:00:00" in explain(found[0])


def test_the_fitters_have_it_on_their_list_until_one_was_there() -> None:
    """Beside what has no tag or no validation at all."""
    visited = [FITTED | {"removed_at": "2026-03-25T09:00:00Z"}, FITTED | {"fitted_at": "2026-03-25T09:20:00Z"}]
    for fittings, why in (([FITTED], ["revalidate"]), (visited, [])):
        known, told = register(fittings=fittings), lines(day())
        engine = replay(told, known, england()).engine
        cases, now = list(engine.cases.values()), told[-1].received_at
        wanted = wanted_of(engine.roster.register, engine.roster.policies, (), cases, now, "")
        assert [each.why for each in wanted] == why


def test_a_visit_before_it_does_not_answer_it() -> None:
    visit = {"removed_at": "2026-03-24T08:30:00Z"}
    [asked] = said(day(), visit, {"fitted_at": "2026-03-24T08:40:00Z"})
    assert (asked.start > at("08:40"), asked.end) == (True, None)


@pytest.mark.parametrize(
    ("change", "class_"),
    [
        ({"validation": "pending"}, None),
        ({"validation": "overridden", "override": {"by": "S. Visor", "reason": "no limb"}}, "overridden"),
        ({"validation": "overridden"}, "revalidate"),
    ],
)
def test_what_is_asked_for_already_is_not_asked_for_twice(change: dict[str, Any], class_: str | None) -> None:
    assert [f.class_ for f in said(day(), change)] == [class_]


def test_it_is_one_alert_however_the_question_began() -> None:
    """As warm as the room it is asked about after 4 h; that it had been still since before shows after 12."""
    [asked] = said(day())
    warm = replace(asked, start=asked.start + HOUR, detail=(*asked.detail[:2], ("shown", "room"), ("due", "later")))
    assert (alert_id(warm), of_tags.name_of(warm)) == (alert_id(asked), of_tags.name_of(asked))


def test_the_version_in_force_when_it_began_says_what_is_asked_and_by_when() -> None:
    later: dict[str, Any] = {"fitting__unvalidated__revalidate_within_s": 86_400, "body__no_motion__after_s": 21_600}
    for begins, expected in ((STILL_FROM - HOUR, [86_400_000]), (STILL_FROM + HOUR, [3 * DAY])):
        found = said(day(), others=[version("2", format_ms(begins), **later)])
        assert [_due_ms(f) for f in found] == expected


def test_a_question_of_a_later_version_is_asked_though_an_earlier_one_would_not_have_asked_before() -> None:
    """Still for 8 h under a version that asks after 12 h; then under one that asks after 6."""
    story = day(still_from=at("09:00"), moves_at=at("17:00"), until=at("09:00", "2026-03-25"))
    wears(story, table, at("09:00", "2026-03-25"), at("17:00", "2026-03-25"), every_s=300, channels=("motion_mg",),
          spoilt={"motion_mg": 0.0})  # fmt: skip
    second = version("2", "2026-03-25T00:00:00Z", body__no_motion__after_s=21_600)
    [asked] = said(story, others=[second])
    assert asked.start > at("00:00", "2026-03-25")
    assert said(story) == []


def _due_ms(found: Finding) -> int:
    due = str(dict(found.detail)["due"])
    return at(due.removesuffix("Z")) - found.start
