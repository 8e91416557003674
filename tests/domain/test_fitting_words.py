"""Who may say what in a visit, what is refused with which words, and what may be signed at its end."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emcheck.domain.acts import InstructionError
from emcheck.domain.amending import amended
from emcheck.domain.fitting.judging import OVERRIDDEN, PENDING, VALIDATED
from emcheck.domain.fitting.limb_note import read_note
from emcheck.domain.fitting.outcomes import OUTCOMES
from emcheck.domain.fitting.record import record, record_sha256
from emcheck.domain.fitting.settling import settled
from emcheck.domain.fitting.visits import NO_VISITS, visits_after
from emcheck.domain.instants import HOUR, SECOND, format_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.remarks import of_act
from emcheck.service.published import published
from tests.domain.visited import BEGIN, SHA256, VisitStory, as_json, closing, unfitted
from tests.support import england, order, register


def found_of(story: VisitStory, **fields: Any) -> Any:
    """What its closing comes to a second later."""
    return settled(
        closing(story, **fields), story.visit, story.acts, story.told, policy=story.policy, now=story.now + SECOND,
        schedule_of=lambda at: SHA256, note=story.note,
    )  # fmt: skip


# --- who may say what -------------------------------------------------------------------------------------


def refusal(act: dict[str, Any], *, visits: Any = NO_VISITS, known: Any = None, at: int = BEGIN) -> str:
    with pytest.raises(InstructionError) as caught:
        visits_after(visits, parse_instruction(act), known or unfitted(), at, most_ms=2 * HOUR)
    return str(caught.value)


def test_what_cannot_be_opened_says_what_to_do() -> None:
    opening = VisitStory().opening
    ended = unfitted(orders=[order(ends_at="2026-03-20T00:00:00Z")])
    assert refusal(opening, known=ended) == (
        "order_id: O-1 ended at 2026-03-20T00:00:00.000Z: nothing is to be fitted; remove the tag"
    )
    assert "no order 'O-9'" in refusal(opening | {"order_id": "O-9"})
    assert "BU-0009 is installed nowhere" in refusal(opening | {"unit": "BU-0009"})
    other = register(
        order(), order(order_id="O-2", wearer_id="W-2"),
        wearers=[{"wearer_id": "W-1"}, {"wearer_id": "W-2"}],
    )  # fmt: skip
    assert "T-1 is on W-1 since" in refusal(opening | {"order_id": "O-2"}, known=other)


def test_one_session_a_tag_a_wearer_and_a_unit() -> None:
    story = VisitStory()
    visits = {"FS-1": story.visit}
    again = story.opening | {"session": "FS-2", "by": "B. Fitter"}
    assert refusal(again, visits=visits).startswith("session: tag T-1 is in session FS-1 of A. Fitter, open since")
    assert "wearer W-1 is in session FS-1" in refusal(again | {"tag": "T-2"}, visits=visits)


def test_answers_cannot_be_copied_between_fitters_sessions_and_tags() -> None:
    story = VisitStory()
    visits = {"FS-1": story.visit}
    mine = {
        "type": "fitting_answer",
        "session": "FS-1",
        "tag": "T-1",
        "by": "A. Fitter",
        "step": "skin",
        "answer": "yes",
    }
    act: Any = parse_instruction(mine)
    assert visits_after(visits, act, story.register, BEGIN, most_ms=HOUR) is visits
    assert "is the session of A. Fitter; B. Fitter opens" in refusal(mine | {"by": "B. Fitter"}, visits=visits)
    assert "no session 'FS-2' is open; open are: FS-1" in refusal(mine | {"session": "FS-2"}, visits=visits)
    assert "you scanned T-2, and FS-1 is about T-1" in refusal(mine | {"tag": "T-2"}, visits=visits)
    before = mine | {"at": format_ms(BEGIN - SECOND)}
    assert "is not in the visit" in refusal(before, visits=visits)
    override = {"type": "fitting_override", "session": "FS-1", "by": "A. Fitter", "reason": "late"}
    assert "somebody else overrides it" in refusal(override, visits=visits)


@pytest.mark.parametrize(
    ("note", "limb", "bars"),
    [
        ("left leg prosthetic below the knee", "left_ankle", True),
        ("left leg prosthetic below the knee", "right_ankle", False),
        ("Both legs amputated", "right_ankle", True),
        ("Both legs amputated", "left_wrist", False),
        ("left arm prosthetic", "left_wrist", True),
        ("left arm prosthetic", "left_ankle", False),
        ("diabetic foot", "left_ankle", True),
        (None, "left_ankle", False),
    ],
)
def test_a_limb_note_bars_the_limb_it_names(note: str | None, limb: str, bars: bool) -> None:
    assert (limb in read_note(note).barred) is bars
    assert not read_note(note).unclear


def test_a_barred_limb_fails_its_step() -> None:
    story = VisitStory().prepares()
    story.note = "left leg prosthetic"
    assert story.words("limb") == "The wearer's limb note bars the left ankle: choose the other leg."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"step": "identity", "answer": "yes", "identifiers": ["photo", "Photo "]}, "identifiers: two different"),
        (
            {"step": "identity", "answer": "yes", "identifiers": ["x", "y"]},
            "identifiers: two different ones of at least 3 characters",
        ),
        ({"step": "strap_gap", "answer": "yes", "gap_mm": 250}, "gap_mm: 250 is too much, at most 100"),
        ({"step": "strap_gap", "answer": "yes", "gap_mm": -1}, "gap_mm: -1 is too little, at least 0"),
        ({"step": "limb", "answer": "yes"}, "limb: missing"),
        ({"step": "strap_gap", "answer": "yes"}, "gap_mm: missing"),
        ({"step": "skin", "answer": "yes", "gap_mm": 3}, "gap_mm: belongs to strap_gap"),
        ({"step": "skin", "answer": "cannot"}, "reason: missing"),
        ({"step": "body", "answer": "yes"}, "step: 'body' is none of"),
        ({"step": "limb", "answer": "yes", "limb": "tail"}, "limb: 'tail' is none of"),
    ],
)
def test_bad_answers_are_named(fields: dict[str, Any], words: str) -> None:
    act = {"type": "fitting_answer", "session": "FS-1", "tag": "T-1", "by": "A. Fitter"} | fields
    with pytest.raises(InstructionError) as caught:
        parse_instruction(act)
    assert str(caught.value).startswith(words)


# --- the end ----------------------------------------------------------------------------------------------


def test_a_success_is_signed_over_its_own_record() -> None:
    story = VisitStory().whole()
    found = found_of(story)
    assert (found.state, found.limb, found.address_id) == (VALIDATED, "left_ankle", "A-1")
    for fields, words in (
        ({"record_sha256": "0" * 64}, "record_sha256: what was signed is not this session's record"),
        ({"acts": 3}, "outcome: not yet a success"),
        ({"signatures": [{"role": "fitter", "name": "A", "at": format_ms(story.now)}]}, "signatures: the wearer"),
    ):
        with pytest.raises(InstructionError) as caught:
            found_of(story, **fields)
        assert str(caught.value).startswith(words)
    with pytest.raises(InstructionError, match="too long ago"):
        settled(
            closing(story), story.visit, story.acts, story.told, policy=story.policy, now=story.now + HOUR,
            schedule_of=lambda at: SHA256,
        )  # fmt: skip


def test_what_is_open_cannot_be_called_a_success() -> None:
    story = VisitStory().prepares()
    with pytest.raises(InstructionError, match="not yet a success: Living limb: Lift the tag off") as caught:
        found_of(story)
    assert "more steps are open" in str(caught.value)
    assert found_of(story, outcome="cannot_validate").state == PENDING


def test_a_supervisor_overrides_with_a_reason_and_it_is_no_validation() -> None:
    story = VisitStory().prepares().overridden()
    assert story.judged().state == OVERRIDDEN
    found = found_of(story, signatures=[{"role": "fitter", "name": "A", "at": format_ms(story.now)}])
    assert (found.state, found.overridden_by, found.override_reason) == (
        OVERRIDDEN, "S. Visor", "both legs are prosthetic",
    )  # fmt: skip
    assert VisitStory().whole().overridden().judged().state == VALIDATED


def test_a_note_that_came_after_the_answer_bars_the_end() -> None:
    story = VisitStory().whole()
    story.note = "left leg prosthetic"
    with pytest.raises(InstructionError, match="barred by the wearer's limb note"):
        found_of(story)


def test_the_record_says_why_by_what_and_in_whose_words() -> None:
    story = VisitStory().whole()
    told = record(story.record_of())
    assert told["version"] == 1
    assert told["acts"] == len(story.acts) == len(told["history"])
    assert told["policy"]["thresholds"]["fitting.strap.gap_max_mm"]["value"] == 13
    body = next(step for step in told["steps"] if step["step"] == "body")
    assert body["readings"]["lift_off_lowest_contact"] < body["readings"]["contact_no_below"]
    assert any(each["lifted"] for each in told["body"])
    assert told["body"][-1]["state"] == "attached"
    assert record_sha256(told) == record_sha256(record(story.record_of()))
    assert "name" not in as_json(told)


def test_the_record_is_what_the_schema_says() -> None:
    told = record(VisitStory().whole().overridden().record_of())
    document = {
        "version": 1, "record": told, "sha256": record_sha256(told), "signed_sha256": None, "signatures": [],
        "outcome": None, "closed_at": None, "range_dbm": None, "note": None,
        "personal": {"name": None, "limb_note": None},
    }  # fmt: skip
    assert [error.message for error in Draft202012Validator(published("fitting")).iter_errors(document)] == []


def test_a_tag_that_takes_anothers_place_ends_its_fitting_and_one_that_is_left_on_is_remarked() -> None:
    known = register()
    act: Any = parse_instruction(VisitStory(known=known, tag="T-2").opening)
    told = of_act(act, known, amended(known, act, BEGIN), lambda _: england()).told
    remark = (
        "W-1 wears T-1 since 2026-03-01T00:00:00.000Z; where T-2 takes its place, open the session with `takes_off` "
        "(`emcheck fit --takes-off T-1`)"
    )
    assert told == [f"{remark}, or end that fitting"]
    swapping = VisitStory(known=known, tag="T-2", takes_off="T-1")
    assert swapping.visit.ended == ("T-1",)
    act = parse_instruction(swapping.opening)
    [old] = amended(known, act, BEGIN).fittings
    assert (old.tag, old.removed_at) == ("T-1", BEGIN)
    assert of_act(act, known, amended(known, act, BEGIN), lambda _: england()).told == []
    assert "T-9 is not on W-1" in refusal(swapping.opening | {"takes_off": "T-9"}, known=known)


def test_a_visit_begun_by_mistake_leaves_all_as_it_was_and_says_why() -> None:
    known = register()
    story = VisitStory(known=known, tag="T-9", takes_off="T-1").passes(70, heard=False)
    with pytest.raises(InstructionError, match=r"^note: missing; say what was wrong"):
        found_of(story, outcome="mistaken")
    ending = {"outcome": "mistaken", "note": "wrong number"}
    found = found_of(story, **ending)
    during = amended(known, parse_instruction(story.opening), BEGIN)
    assert [f.removed_at for f in during.fittings] == [BEGIN]
    closed = closing(story, **ending).model_copy(update={"found": found})
    after = amended(during, closed, story.now + SECOND)
    assert after.fittings == known.fittings
    assert [(v.outcome, OUTCOMES[v.outcome].attempt) for v in after.orders[0].visits] == [("mistaken", False)]


def test_a_tag_that_came_off_in_a_visit_begun_by_mistake_did_so_in_the_fitters_hand() -> None:
    known = register()
    story = VisitStory(known=known, tag="T-9", takes_off="T-1")
    story.tell("report", tag="T-1", interval_s=1, heard=1, rssi_dbm=-60, strap="open").passes(70, heard=False)
    assert found_of(story, outcome="mistaken", note="wrong number").ended == ()
    assert found_of(story, outcome="no_show").ended == ("T-1",)


def test_a_success_puts_the_tag_on_and_sets_the_range_and_a_visit_to_nobody_leaves_all_as_it_was() -> None:
    known = register()
    story = VisitStory(known=known).whole()
    opened: Any = parse_instruction(story.opening)
    during = amended(known, opened, BEGIN)
    assert [f.removed_at for f in during.fittings] == [BEGIN]
    ending = closing(story, range_dbm=-77)
    found = settled(
        ending, story.visit, story.acts, story.told, policy=story.policy, now=story.now + SECOND,
        schedule_of=lambda at: SHA256,
    )  # fmt: skip
    after = amended(during, ending.model_copy(update={"found": found}), story.now + SECOND)
    assert [(f.removed_at, f.validation, f.session, f.limb) for f in after.fittings] == [
        (BEGIN, "validated", None, None), (None, "validated", "FS-1", "left_ankle"),
    ]  # fmt: skip
    assert [i.range_dbm for i in after.installations] == [-77]
    assert [(v.session, v.outcome) for v in after.orders[0].visits] == [("FS-1", "success")]
    nobody = closing(story, outcome="no_show").model_copy(update={"found": found})
    undone = amended(during, nobody, story.now + SECOND)
    assert undone.fittings == known.fittings
    assert [v.outcome for v in undone.orders[0].visits] == ["no_show"]
