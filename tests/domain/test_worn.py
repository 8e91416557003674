"""body.not_attached and body.no_motion: what fires, what stays quiet, and which cause is told."""

import json
from typing import Any

import pytest

from emcheck.domain import worn
from emcheck.domain.body import BodyCheck
from emcheck.domain.findings import Finding
from emcheck.domain.ids import BootId, TagId
from emcheck.domain.instants import HOUR, MINUTE, SECOND
from emcheck.domain.register import Register
from emcheck.domain.touching import Spell
from emcheck.present.words import explain
from emcheck.service.replay import replay
from tests.domain.bodies import asleep, limb, sock, table
from tests.domain.wearing import CHANNELS, wears
from tests.support import UnitStory, at, england, judge, lines, order, register

EVENING, NINE = at("18:00"), at("21:00")


def begun(unit: str = "BU-0001") -> UnitStory:
    return UnitStory(unit, boot=f"01JD00{unit[-1]}{'0' * 19}").boots(EVENING, boot_n=0).hears(EVENING + SECOND)


def said(*stories: UnitStory, known: Register | None = None, until: int | None = None) -> list[Finding]:
    """What is said of bodies."""
    told = lines(*stories)
    found = judge(told, known, until=told[-1].received_at if until is None else until)
    return sorted((f for f in found if f.rule.startswith("body.")), key=lambda f: f.start)


def spoken(*stories: UnitStory, known: Register | None = None) -> list[tuple[str, str | None]]:
    return [(f.rule, f.class_) for f in said(*stories, known=known)]


def removed(*, back: bool = True, channels: tuple[str, ...] = CHANNELS) -> UnitStory:
    """On a limb until 21:00, on a table until 23:00, then perhaps on the limb again."""
    night = wears(begun(), limb, EVENING + MINUTE, NINE, channels=channels)
    wears(night, table, NINE, NINE + 2 * HOUR, channels=channels)
    return wears(night, limb, NINE + 2 * HOUR, NINE + 3 * HOUR, channels=channels) if back else night


def test_a_removal_with_the_strap_closed_is_told_within_20_minutes_and_ends_when_it_is_on_again() -> None:
    (off,) = said(removed())
    assert (off.rule, off.class_, off.priority) == ("body.not_attached", "off", "P1")
    assert NINE < off.start <= NINE + 15 * MINUTE
    assert off.raised_at is not None
    assert off.start + 5 * MINUTE <= off.raised_at <= NINE + 20 * MINUTE
    assert off.end is not None
    assert NINE + 2 * HOUR < off.end <= NINE + 2 * HOUR + 15 * MINUTE
    assert "off and still" in str(dict(off.detail)["readings"])


@pytest.mark.parametrize("channels", [CHANNELS[:3], CHANNELS[:2]])
def test_without_proximity_a_removal_is_asked_about_after_half_an_hour(channels: tuple[str, ...]) -> None:
    (cool,) = said(removed(channels=channels))
    assert (cool.rule, cool.class_, cool.priority) == ("body.not_attached", "cool", "P2")
    assert NINE < cool.start <= NINE + 15 * MINUTE
    assert cool.raised_at == cool.start + 30 * MINUTE + 2 * SECOND
    assert cool.end is not None
    assert NINE + 2 * HOUR < cool.end <= NINE + 2 * HOUR + 15 * MINUTE


def test_it_goes_on_over_silence() -> None:
    night = removed(back=False).beats(NINE + 2 * HOUR, NINE + 9 * HOUR)
    assert [(f.class_, f.end) for f in said(night)] == [("off", None)]


@pytest.mark.parametrize("where", [limb, asleep])
@pytest.mark.parametrize("channels", [CHANNELS, CHANNELS[:3], CHANNELS[:2], CHANNELS[2:3], CHANNELS[3:]])
def test_nothing_is_said_of_a_limb_awake_or_asleep(where: Any, channels: tuple[str, ...]) -> None:
    night = wears(begun(), limb, EVENING + MINUTE, NINE, channels=channels)
    assert spoken(wears(night, where, NINE, NINE + 9 * HOUR, channels=channels)) == []


def test_a_tag_that_lies_off_for_less_than_five_minutes_beyond_the_decision_is_not_told() -> None:
    night = wears(begun(), limb, EVENING + MINUTE, NINE)
    wears(night, table, NINE, NINE + 5 * MINUTE)
    assert spoken(wears(night, limb, NINE + 5 * MINUTE, NINE + HOUR)) == []


def test_a_strap_that_is_cut_tells_the_removal_and_the_body_does_not_tell_it_again() -> None:
    night = removed(back=False).tell(NINE - MINUTE, "tag_tamper", tag="T-1", kind="strap_cut", received=NINE + SECOND)
    assert spoken(night) == []


def test_a_strap_that_is_cut_long_after_ends_what_the_body_said() -> None:
    cut = NINE + HOUR
    night = removed(back=False).tell(cut, "tag_tamper", tag="T-1", kind="strap_cut", received=NINE + 2 * HOUR + MINUTE)
    assert [(f.class_, f.end) for f in said(night)] == [("off", cut)]


def test_a_fitters_visit_ends_it_and_begins_a_check_of_its_own() -> None:
    visit = {"removed_at": "2026-03-24T22:00:00Z"}
    fitting = {"tag": "T-1", "wearer_id": "W-1", "validation": "validated"}
    known = register(
        fittings=[
            fitting | visit | {"fitted_at": "2026-03-01T00:00:00Z"},
            fitting | {"fitted_at": "2026-03-24T22:00:00Z"},
        ]
    )
    first, second = said(removed(back=False), known=known)
    assert first.end == NINE + HOUR
    assert second.start > NINE + HOUR
    assert second.end is None


@pytest.mark.parametrize(
    ("spoilt", "named"), [({"skin_c": 31.0}, "skin_c"), ({"skin_c": 80.0}, "skin_c"), ({"proximity": 7.0}, "proximity")]
)
def test_a_broken_sensor_is_told_and_accuses_nobody(spoilt: dict[str, Any], named: str) -> None:
    night = wears(begun(), limb, EVENING + MINUTE, NINE)
    (told,) = said(wears(night, asleep, NINE, NINE + 5 * HOUR, spoilt=spoilt))
    assert (told.rule, told.class_, told.priority) == ("body.not_attached", "unusable", "P4")
    assert dict(told.detail)["readings"] == named


def slipped_over_a_sock(lasts: int, *, channels: tuple[str, ...] = CHANNELS) -> UnitStory:
    night = wears(begun(), limb, EVENING + MINUTE, NINE, channels=channels)
    wears(night, sock, NINE, NINE + lasts, channels=channels)
    return wears(night, limb, NINE + lasts, NINE + lasts + HOUR, channels=channels)


def test_a_tag_that_nothing_touches_any_longer_is_asked_about_within_minutes() -> None:
    (unsure,) = said(slipped_over_a_sock(3 * HOUR))
    assert (unsure.rule, unsure.class_, unsure.priority) == ("body.not_attached", "unsure", "P3")
    assert NINE <= unsure.start <= NINE + 10 * MINUTE
    assert unsure.raised_at == unsure.start + 15 * MINUTE + 2 * SECOND
    assert unsure.end is not None
    assert NINE + 3 * HOUR <= unsure.end <= NINE + 3 * HOUR + 10 * MINUTE
    assert "sock" in str(dict(unsure.detail)["readings"])


def untouched(t: float) -> tuple[float, float, float, float]:
    """On the limb for an hour, and then nothing touches the sensor."""
    return *limb(t + 60)[:3], 0.2


def loose(t: float) -> tuple[float, float, float, float]:
    """The same for nine minutes in ten."""
    return *limb(t + 60)[:3], 0.2 if t % 10 < 9 else 0.95


def sat_loose(lasts: int) -> UnitStory:
    night = wears(begun(), limb, EVENING + MINUTE, NINE)
    wears(night, loose, NINE, NINE + lasts)
    return wears(night, limb, NINE + lasts, NINE + lasts + HOUR)


def test_a_strap_that_sits_loose_is_asked_about_only_after_two_hours_without_a_decision() -> None:
    assert spoken(slipped_over_a_sock(14 * MINUTE)) == []
    assert spoken(sat_loose(100 * MINUTE)) == []
    (unsure,) = said(sat_loose(3 * HOUR))
    assert unsure.raised_at == unsure.start + 2 * HOUR + 2 * SECOND


def test_what_was_as_long_without_a_touch_before_in_the_fitting_is_asked_about_no_second_time() -> None:
    night = wears(begun(), limb, EVENING + MINUTE, NINE)
    for hours, minutes in ((0, 40), (2, 35)):
        slipped = NINE + hours * HOUR
        wears(night, untouched, slipped, slipped + minutes * MINUTE)
        wears(night, limb, slipped + minutes * MINUTE, slipped + 2 * HOUR)
    assert len(spoken(night)) == 1
    _, again = said(wears(night, untouched, NINE + 4 * HOUR, NINE + 5 * HOUR))
    assert again.raised_at is not None
    assert 40 * MINUTE < again.raised_at - again.start < 43 * MINUTE


def test_a_tag_that_tells_no_proximity_is_not_asked_about_for_being_unsure() -> None:
    assert "unsure" not in [class_ for _, class_ in spoken(slipped_over_a_sock(3 * HOUR, channels=CHANNELS[:3]))]


def test_what_is_known_of_a_loose_strap_outlives_a_checkpoint_and_an_older_one_knows_nothing_of_it() -> None:
    kept = Spell(NINE, NINE + MINUTE, HOUR)
    known = worn.Worn(TagId("T-1"))
    known.edge = worn.Edge(BootId("b"), 7, NINE, EVENING, BodyCheck().packed(), (), "1", kept)
    state = json.loads(json.dumps(worn.plain(known)))
    restored = worn.restored(state).edge
    assert restored is not None
    assert restored.spell == kept
    del state["edge"][-1]
    restored = worn.restored(state).edge
    assert restored is not None
    assert restored.spell == Spell()


def test_a_tag_that_never_was_on_a_limb_is_for_the_fitting_to_ask_about() -> None:
    assert spoken(wears(begun(), sock, EVENING + MINUTE, NINE)) == []


def test_what_is_off_after_all_ends_the_question() -> None:
    night = wears(begun(), limb, EVENING + MINUTE, NINE)
    wears(night, sock, NINE, NINE + 3 * HOUR)
    wears(night, table, NINE + 3 * HOUR, NINE + 5 * HOUR)
    unsure, off = said(night)
    assert (unsure.class_, off.class_) == ("unsure", "off")
    assert unsure.end == off.start


def test_a_skin_side_that_falls_silent_is_told_while_the_rest_goes_on() -> None:
    night = wears(begun(), limb, EVENING + MINUTE, NINE)
    (told,) = said(wears(night, limb, NINE, NINE + 3 * HOUR, channels=("ambient_c", "motion_mg", "proximity")))
    assert (told.class_, dict(told.detail)["readings"]) == ("unusable", "skin_c")


def silent(since: int = NINE, until: int = NINE + 3 * HOUR, *, story: UnitStory | None = None) -> UnitStory:
    """Worn until 21:00; from then on the tag is heard, and none of its sensors."""
    return wears(story or wears(begun(), limb, EVENING + MINUTE, NINE), limb, since, until, channels=())


def test_a_tag_whose_sensors_are_all_silent_at_once_is_told_and_accuses_nobody() -> None:
    (told,) = said(silent())
    assert (told.rule, told.class_, told.priority) == ("body.not_attached", "silent_sensors", "P4")
    assert (told.start, told.end, told.raised_at) == (NINE, None, NINE + HOUR // 2 + 2 * SECOND)
    assert "This accuses nobody" in explain(told)


def test_it_is_over_when_one_of_them_speaks_again() -> None:
    night = wears(silent(), limb, NINE + 3 * HOUR, NINE + 4 * HOUR, channels=("motion_mg",))
    (told,) = [f for f in said(night) if f.class_ == "silent_sensors"]
    assert (told.start, told.end) == (NINE, NINE + 3 * HOUR)
    assert "was heard and told nothing" in explain(told)


def test_sensors_that_were_silent_for_less_than_half_an_hour_are_not_told() -> None:
    night = silent(until=NINE + 29 * MINUTE)
    assert spoken(wears(night, limb, NINE + 29 * MINUTE, NINE + HOUR)) == []


def test_they_go_on_being_silent_while_nobody_hears_the_tag() -> None:
    """It is heard for an hour, away for six, and heard again: one dead sensor board."""
    night = silent(until=NINE + HOUR).beats(NINE + HOUR, NINE + 7 * HOUR)
    assert [f.end for f in said(silent(NINE + 7 * HOUR, NINE + 8 * HOUR, story=night))] == [None]


def test_a_few_bare_reports_before_and_after_a_silence_prove_nothing() -> None:
    night = silent(until=NINE + 10 * MINUTE).beats(NINE + 10 * MINUTE, NINE + 5 * HOUR)
    assert spoken(silent(NINE + 5 * HOUR, NINE + 5 * HOUR + 10 * MINUTE, story=night)) == []


def test_a_unit_that_says_nothing_at_all_leaves_it_open() -> None:
    night = wears(begun(), limb, EVENING + MINUTE, NINE)
    assert spoken(night.beats(NINE + 8 * HOUR, NINE + 9 * HOUR)) == []


def rebooted(story: UnitStory, firmware: str) -> UnitStory:
    story.boot, story.seq = f"01JD00{'7' * 20}", 0
    return story.tell(NINE, "boot", reason="update", firmware=firmware, boot_n=1)


@pytest.mark.parametrize(("firmware", "classes"), [("2", []), ("1", ["silent_sensors"])])
def test_a_unit_with_another_firmware_may_have_forgotten_channels(firmware: str, classes: list[str]) -> None:
    night = rebooted(wears(begun(), limb, EVENING + MINUTE, NINE - MINUTE), firmware)
    assert [f.class_ for f in said(silent(NINE + MINUTE, story=night))] == classes


def test_what_never_told_since_it_was_fitted_is_not_told_of() -> None:
    """The tag is refitted by a fitter at 21:00 and tells no channel since; another never told one."""
    fitting = {"tag": "T-1", "wearer_id": "W-1", "validation": "validated"}
    known = register(
        fittings=[
            fitting | {"fitted_at": "2026-03-01T00:00:00Z", "removed_at": "2026-03-24T21:00:00Z"},
            fitting | {"fitted_at": "2026-03-24T21:00:00Z"},
        ]
    )
    assert spoken(silent(), known=known) == []
    assert spoken(silent(EVENING, NINE, story=begun())) == []


def test_one_unit_that_says_on_a_limb_outweighs_another_that_hears_no_sensor() -> None:
    known = register(units=("BU-0001", "BU-0002"))
    other = wears(begun("BU-0002"), limb, EVENING + MINUTE, NINE + 3 * HOUR)
    assert spoken(silent(), other, known=known) == []


def test_channels_in_every_fifth_report_are_not_silent() -> None:
    night = begun()
    for when in range(EVENING + MINUTE, EVENING + 6 * HOUR, 5 * MINUTE):
        wears(night, limb, when, when + MINUTE, seed=when)
        silent(when + MINUTE, when + 5 * MINUTE, story=night)
    assert [f for f in spoken(night) if f[1] == "silent_sensors"] == []


def test_a_tag_that_tells_only_motion_and_does_not_move_is_asked_about_after_12_h_outside_the_night() -> None:
    night = wears(begun(), limb, EVENING + MINUTE, at("20:00"), channels=("motion_mg",))
    still = {"motion_mg": 0.0}
    wears(night, table, at("20:00"), at("20:00") + 24 * HOUR, channels=("motion_mg",), spoilt=still)
    (told,) = said(night)
    assert (told.rule, told.class_, told.priority, told.end) == ("body.no_motion", "still", "P2", None)
    assert told.raised_at is not None
    assert abs(told.raised_at - at("18:00", "2026-03-25")) < 10 * MINUTE, "two hours of the evening, ten of the day"


def test_a_knock_does_not_end_stillness_and_a_step_does() -> None:
    night = wears(begun(), limb, EVENING + MINUTE, at("20:00"), channels=("motion_mg",))
    for hour in range(30):
        since = at("20:00") + hour * HOUR
        moved = 5.0 if hour < 20 else 900.0
        wears(night, table, since, since + MINUTE, channels=("motion_mg",), spoilt={"motion_mg": moved})
        still = {"motion_mg": 0.0}
        wears(night, table, since + MINUTE, since + HOUR, channels=("motion_mg",), spoilt=still, every_s=300)
    assert said(night) == [], "knocks for 20 hours, then steps"
    since = at("20:00") + 30 * HOUR
    wears(night, table, since, since + 30 * HOUR, channels=("motion_mg",), spoilt=still, every_s=300)
    assert [f.class_ for f in said(night)] == ["still"]


def test_over_a_sock_nothing_is_decided_and_nobody_is_accused() -> None:
    assert spoken(wears(begun(), sock, EVENING + MINUTE, EVENING + 6 * HOUR)) == []


def test_one_unit_that_says_on_a_limb_outweighs_another_that_does_not() -> None:
    known = register(units=("BU-0001", "BU-0002"))
    other = wears(begun("BU-0002"), limb, EVENING + MINUTE, NINE + 3 * HOUR)
    assert spoken(removed(), other, known=known) == []


def test_a_unit_that_hears_the_tag_on_no_limb_is_believed_once_the_other_does_not_hear_it_on_one() -> None:
    """The tag is taken off in the room that only one of two units reaches; the other has just called it worn."""
    known = register(units=("BU-0001", "BU-0002"))
    off = wears(begun(), limb, EVENING + MINUTE, NINE)
    wears(off, table, NINE, NINE + 2 * HOUR)
    (alone,) = said(off, known=known)
    heard = alone.start + 3 * MINUTE
    other = wears(begun("BU-0002"), limb, EVENING + MINUTE, heard)
    (told,) = said(off, other, known=known)
    assert (told.class_, told.end) == ("off", None)
    assert heard + 14 * MINUTE <= told.start <= heard + 15 * MINUTE


def test_two_units_that_hear_the_same_removal_tell_it_once() -> None:
    known = register(units=("BU-0001", "BU-0002"))
    other = wears(begun("BU-0002"), limb, EVENING + 90 * SECOND, NINE)
    wears(other, table, NINE, NINE + 2 * HOUR, seed=5)
    wears(other, limb, NINE + 2 * HOUR, NINE + 3 * HOUR)
    assert spoken(removed(), other, known=known) == [("body.not_attached", "off")]


def test_a_bias_measured_at_the_fitting_is_used() -> None:
    """A tag whose skin side reads 0.6 degC high looks warm on a prosthesis to whoever does not know it."""
    night = wears(begun(), lambda t: (23.5, 22.9, 0.8, 0.3), EVENING + MINUTE, EVENING + 3 * HOUR)
    fitting = {"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
    assert spoken(night) == []
    known = register(fittings=[fitting | {"body_bias_c": 0.6}])
    assert spoken(night, known=known) == [("body.not_attached", "off")]


def test_what_waits_behind_a_hole_is_bounded_and_weighed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hole never closes: when too many readings wait behind it, none do."""
    monkeypatch.setattr(worn, "WAITING_MAX", 200)
    night = wears(begun(), limb, EVENING + MINUTE, NINE).skips()
    told = lines(wears(night, table, NINE, NINE + 4 * HOUR))
    for count, waiting in ((-50, 190), (None, 0)):
        result = replay(told[:count], register(), england())
        (known,) = result.engine.units["BU-0001"].track.worn  # type: ignore[index]  # a literal unit
        assert len(known.waiting) == waiting
        assert [f.class_ for f in result.findings if f.rule == "body.not_attached"] == ["off"]


def test_a_tag_that_tells_nothing_of_the_body_is_not_kept() -> None:
    night = wears(begun(), limb, EVENING + MINUTE, NINE, channels=())
    wears(night, limb, NINE, NINE + HOUR, channels=(), spoilt={"skin_c": None, "proximity": None})
    result = replay(lines(night), register(order()), england())
    assert result.engine.units["BU-0001"].track.worn == ()  # type: ignore[index]  # a literal unit
