"""The fitting protocol: nothing is validated without positive evidence, and what is missing says what to do next."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from emcheck.domain.fitting.judging import PENDING, VALIDATED
from emcheck.domain.fitting.record import record
from emcheck.domain.fitting.steps import ANSWER, BOTH, BY_ID, STEPS, TELEMETRY
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.domain.receipt import Told
from tests.domain.visited import BEGIN, VisitStory, as_json, on_foam, shuffled

# --- the table --------------------------------------------------------------------------------------------


def test_a_whole_visit_is_validated_and_every_step_says_what_was_seen() -> None:
    it = VisitStory().whole().judged()
    assert it.state == VALIDATED
    assert it.open_steps() == []
    assert {step: result.state for step, result in it.results.items()} == dict.fromkeys(BY_ID, "passed")
    assert it.results["body"].words.startswith("On a living limb: skin ")


def test_before_anything_is_said_every_step_is_open_and_says_what_to_do() -> None:
    it = VisitStory().judged()
    assert it.state == PENDING
    assert it.open_steps() == [step.id for step in STEPS]
    assert all(result.words.strip() for result in it.results.values())


def test_the_table_follows_the_protocol_and_says_by_what_each_step_passes() -> None:
    assert [step.clause for step in STEPS] == sorted(step.clause for step in STEPS)
    assert {step.clause for step in STEPS} == set(range(1, 11))
    assert {step.evidence for step in STEPS} == {ANSWER, TELEMETRY, BOTH}
    for step in STEPS:
        assert all((step.ask, step.passes, step.otherwise, step.source)), step.id
    assert [step.id for step in STEPS if step.may_cannot] == ["call", "fitter_tag"]


@pytest.mark.parametrize("step", [step.id for step in STEPS if step.evidence == ANSWER])
def test_no_is_a_fail_with_a_remedy_and_cannot_only_where_the_table_says_so(step: str) -> None:
    story = VisitStory().whole()
    story.says(step, "no", reason="it is dark")
    assert story.states()[step] == "failed"
    assert "it is dark" in story.words(step)
    story.says(step, "cannot", reason="it is dark")
    assert story.states()[step] == ("cannot" if BY_ID[step].may_cannot else "failed")
    assert (story.judged().state == VALIDATED) is BY_ID[step].may_cannot


def test_a_strap_that_is_too_wide_says_by_how_much() -> None:
    story = VisitStory().prepares().says("strap_gap", gap_mm=14)
    assert story.words("strap_gap") == "14 mm is too wide, at most 13: next hole, and measure again."
    assert VisitStory().prepares().says("strap_gap", gap_mm=13).states()["strap_gap"] == "passed"


def test_who_changes_the_limb_or_opens_the_strap_answers_anew() -> None:
    story = VisitStory().whole().says("limb", limb="right_ankle")
    assert story.judged().open_steps() == ["skin", "movement", "strap_gap", "slide_off", "body"]
    story = VisitStory().whole().opens_strap().passes(2).closes_strap().passes(2)
    assert story.judged().open_steps() == ["strap_gap", "slide_off", "body"]


# --- telemetry --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"power": "battery"}, "not on mains"),
        ({"battery_pct": 20}, "battery is low"),
        ({"battery_pct": None}, "battery is low"),
        ({"case": "open"}, "case is open"),
        ({"moved": True}, "moved"),
        ({"tilt_deg": 12}, "aslant"),
        ({"signal_dbm": -118}, "network is weak"),
        ({"schedule_sha256": "cd" * 32}, "another curfew"),
    ],
)
def test_a_unit_that_is_not_well_is_told_with_its_remedy(change: dict[str, Any], words: str) -> None:
    story = VisitStory().whole().stands(**change).passes(1)
    step = "schedule" if "schedule_sha256" in change else "unit"
    assert words in story.words(step)
    assert story.judged().open_steps() == [step]


def test_evidence_that_is_stale_is_a_fail() -> None:
    story = VisitStory().whole()
    story.now += 61 * SECOND
    assert story.judged().open_steps() == ["closed", "body"]
    assert story.words("body") == "The last reading is 61 s old: bring the tag back to the unit."
    story.now += 11 * MINUTE
    assert "unit" in story.judged().open_steps()


def test_a_report_without_a_frame_is_no_reading() -> None:
    """The unit repeats what the tag said before."""
    story = VisitStory().whole()
    since_s = 0
    while since_s < 61:
        since_s += 1
        story.now += SECOND
        story.tell("report", tag="T-1", interval_s=1, heard=0, strap="closed", proximity=0.95, skin_c=31.0)
    assert story.judged().open_steps() == ["closed", "body"]


def test_another_tag_in_the_hallway_is_named() -> None:
    story = VisitStory().stands()
    story.tell("report", tag="T-9", interval_s=1, heard=1, strap="closed", rssi_dbm=-50, proximity=0.93)
    assert story.words("closed") == "T-9 is heard here and T-1 is not: scan the tag on the limb again."
    story = VisitStory().prepares().passes(10)
    story.tell("report", tag="T-9", interval_s=1, heard=1, strap="closed", rssi_dbm=-50, proximity=0.93)
    story.passes(1).marks("lifted")
    story.lifted = False
    story.passes(10)
    story.tell("report", tag="T-9", interval_s=1, heard=1, strap="closed", rssi_dbm=-50, proximity=0.03)
    assert story.words("body").startswith("T-9 was lifted, not T-1: two tags are here.")


def test_a_sensor_that_never_says_no_is_reported_as_faulty() -> None:
    story = VisitStory().prepares().passes(15).marks("lifted")
    story.lifted = False
    story.passes(30)
    assert story.words("body").startswith("Hold the tag off until the sensor says no contact (30 s so far)")
    story.passes(20)
    assert story.words("body").startswith("The sensor says contact though the tag is held off: it is faulty")


def test_a_prosthesis_is_not_a_living_limb() -> None:
    for seed in range(5):
        story = VisitStory(physics=on_foam(Random(seed))).prepares().checks_limb().passes(240)
        assert story.judged().state == PENDING
        assert story.states()["body"] != "passed"


def test_a_table_says_so_in_the_words_of_the_protocol() -> None:
    def on_table(since_s: float, lifted: bool) -> dict[str, Any]:
        return {"skin_c": 21.0, "ambient_c": 21.0, "motion_mg": 0.0, "proximity": 0.05}

    story = VisitStory(physics=on_table).prepares().checks_limb().passes(180)
    assert story.states()["body"] == "failed"
    assert story.words("body").lower().endswith("not on a living limb, do not leave, choose the other leg.")


def test_a_dead_room_is_shown_and_a_walked_room_is_never_outside() -> None:
    story = VisitStory().prepares().checks_limb().marks("room", room="hall").passes(30)
    story.marks("room", room="cellar").passes(40, heard=False).marks("walk_over").passes(1)
    assert "Too few frames came from cellar" in story.words("walk")
    readings: Any = story.judged().results["walk"].readings
    assert [room["room"] for room in readings["rooms"] if room["dead"]] == ["cellar"]
    assert readings["range_dbm"] < -60


def test_the_walk_goes_on_until_it_is_said_to_be_over() -> None:
    story = VisitStory().whole().marks("room", room="loft").passes(30)
    assert story.words("walk").startswith("The walk goes on")
    assert story.marks("walk_over").passes(1).states()["walk"] == "passed"


def test_a_walk_of_one_room_counts_where_there_is_no_other() -> None:
    story = VisitStory().prepares().checks_limb().walks("studio")
    assert story.words("walk") == "Only studio was walked: walk the others, or say that there is no other room."
    assert story.states()["walk"] == "missing"
    story.marks("walk_over", only_room=True).passes(1)
    assert story.states()["walk"] == "passed"
    assert story.record_of().results["walk"].readings["only_room"] is True
    assert story.marks("room", room="attic").passes(30).marks("walk_over").passes(1).states()["walk"] == "passed"


def test_what_is_said_of_the_other_leg_knows_the_limb_note_and_a_record_says_both() -> None:
    story = VisitStory(physics=on_foam(Random(2))).prepares().checks_limb().passes(240)
    assert story.words("body").endswith("Not on a living limb, do not leave, choose the other leg.")
    story.note = "right leg prosthetic"
    barred = "end the visit and tell your supervisor, for the limb note bars the other leg."
    assert story.words("body").endswith(f"Not on a living limb: {barred}")
    assert story.says("movement", "no").words("movement") == f"Without both it may be a prosthesis: {barred}"
    assert "where there is a bandage, end the visit" in story.says("skin", "no").words("skin")
    assert story.says("limb", "no").words("limb") == f"Not a natural limb: {barred}"
    recorded = story.record_of().results["limb"].words
    assert recorded.endswith(
        "choose the other leg, or where the limb note bars it, end the visit and tell your supervisor."
    )


# --- order of arrival -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_late_repeated_and_shuffled_reports_come_to_the_same(seed: int) -> None:
    story = VisitStory().whole()
    whole, mixed = story.record_of(), list(shuffled(story.told, Random(seed)))
    again = story.judged(told=[each for each in mixed if each.received_at < story.now])
    assert as_json(record(again)) == as_json(record(whole))


def test_a_dead_uplink_only_delays() -> None:
    """What was stored counts by its own time once it comes; until then the step is open."""
    story = VisitStory().whole()
    without = [each for each in story.told if each.received_at < BEGIN + MINUTE]
    assert story.judged(told=without).state == PENDING
    late = [each._replace(received_at=story.now) for each in story.told[len(without) : -1]]
    assert story.judged(told=[*without, *late, story.told[-1]]).state == VALIDATED


def test_a_units_wrong_clock_is_corrected() -> None:
    story = VisitStory().whole()
    offset = 5 * MINUTE
    events: list[Any] = [{"type": "unit_status", "at": BEGIN + offset, "clock_offset_ms": offset}]
    shifted = [_with(each, lambda event: {**event, "at": event["at"] + offset}) for each in story.told]
    first = story.told[0]._replace(first_seq=0, events=events)
    assert story.judged(told=[first, *shifted]).state == VALIDATED
    assert story.judged(told=shifted).state == PENDING


# --- no evidence, no validation ---------------------------------------------------------------------------


def _some_answers(chance: Random, story: VisitStory) -> None:
    """Anything that a fitter may say, whether it is so or not."""
    step = chance.choice([step.id for step in STEPS if step.evidence == ANSWER] + ["fitter_tag"])
    needed: dict[str, dict[str, Any]] = {
        "identity": {"identifiers": ["photo", "date of birth"]},
        "limb": {"limb": chance.choice(["left_ankle", "right_ankle"])},
        "strap_gap": {"gap_mm": chance.choice([3, 9, 13])},
    }
    fields = needed.get(step, {})
    answer = chance.choice(["yes", "yes", "yes", "cannot"])
    story.says(step, answer, **(fields if answer == "yes" else {"reason": "so"}))


def _some_marks(chance: Random, story: VisitStory) -> None:
    what = chance.choice(["lifted", "lowered", "moved", "room", "walk_over"])
    story.marks(what, **({"room": "hall"} if what == "room" else {}))


@pytest.mark.parametrize("seed", range(12))
def test_no_sequence_of_answers_validates_without_telemetry(seed: int) -> None:
    """A fitter who says yes to everything, in any order, with a tag that is on a table, mute or half mute."""
    chance = Random(seed)
    mute = chance.choice([{}, {"proximity": 0.95}, {"motion_mg": 40.0}, {"skin_c": 31.0}])
    rest: dict[str, Any] = {"skin_c": 21.0, "ambient_c": 21.0, "motion_mg": 0.0, "proximity": 0.05}
    physics: Callable[[float, bool], dict[str, Any]] = chance.choice(
        [lambda since_s, lifted: mute, lambda since_s, lifted: rest | mute]
    )
    story = VisitStory(physics=physics).stands().tell("presence", tag="F-1", in_range=True)
    story.closes_strap()
    for _ in range(60):
        chance.choice([_some_answers, _some_marks])(chance, story)
        story.passes(chance.randrange(1, 15))
    story.stands()
    assert story.judged().state == PENDING


@pytest.mark.parametrize("step", [step.id for step in STEPS])
def test_every_single_step_is_needed(step: str) -> None:
    """A visit that lacks the evidence of one step alone is pending."""
    story = VisitStory().whole()
    withouts: dict[str, dict[str, Any]] = {
        "closed": {"told": [t for t in story.told if t.events[0] and t.events[0]["type"] != "report"]},
        "body": {"acts": [(at, act) for at, act in story.acts if getattr(act, "what", "") != "lifted"]},
        "unit": {"told": [_less(t, "power") for t in story.told]},
        "walk": {"acts": [(at, act) for at, act in story.acts if getattr(act, "what", "") != "room"]},
        "schedule": {"told": [_less(t, "config_rev") for t in story.told]},
        "fitter_tag": {"told": [t for t in story.told if t.events[0] and t.events[0].get("tag") != "F-1"]},
    }
    unsaid = {"acts": [(at, act) for at, act in story.acts if getattr(act, "step", "") != step]}
    it = story.judged(**withouts.get(step, unsaid))
    assert step in it.open_steps()
    assert it.state == PENDING


def _less(told: Told, key: str) -> Told:
    return _with(told, lambda event: {k: v for k, v in event.items() if k != key})


def _with(told: Told, change: Callable[[Any], Any]) -> Told:
    return told._replace(events=[change(event) for event in told.events])
