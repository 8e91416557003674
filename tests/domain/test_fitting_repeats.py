"""What a phone tells late or twice: each act counts once, and where it belongs in time."""

from typing import Any

import pytest

from emcheck.domain.acts import InstructionError
from emcheck.domain.fitting.acts import POINTS_MAX, STROKES_MAX
from emcheck.domain.fitting.record import record
from emcheck.domain.fitting.repeats import is_repeat
from emcheck.domain.instants import SECOND, format_ms
from emcheck.domain.instructions import parse_instruction
from tests.domain.visited import VisitStory, closing


def answer(**fields: Any) -> Any:
    said = {
        "type": "fitting_answer",
        "session": "FS-1",
        "tag": "T-1",
        "by": "A. Fitter",
        "step": "skin",
        "answer": "yes",
    }
    return parse_instruction(said | {"key": "phone-0001"} | fields)


def test_an_act_that_is_sent_twice_is_known_again_whenever_it_was_said_to_be() -> None:
    assert is_repeat([answer()], answer(at="2026-03-24T10:00:05Z"))
    assert not is_repeat([answer()], answer(key="phone-0002"))
    assert not is_repeat([answer(key=None)], answer(key=None))


def test_a_key_of_another_act_loses_nothing_in_silence() -> None:
    with pytest.raises(InstructionError, match="key: stands for another act"):
        is_repeat([answer()], answer(answer="no"))


def test_what_is_told_late_takes_no_newer_answers_place() -> None:
    story = VisitStory().says("limb", limb="left_ankle").passes(60)
    earlier = format_ms(story.now - 30 * SECOND)
    story.says("limb", limb="right_ankle")
    story.says("limb", limb="left_ankle", at=earlier, key="old-phone-1")
    limb = story.judged().seen.limb
    assert limb is not None
    assert limb.said.limb == "right_ankle"


def test_a_key_is_no_part_of_what_is_signed() -> None:
    story = VisitStory().says("skin", key="phone-0001")
    assert "key" not in record(story.judged())["history"][-1]


def test_a_signature_may_be_drawn_and_is_short() -> None:
    story = VisitStory().whole()
    signed = {"role": "fitter", "name": "A. Fitter", "at": format_ms(story.now)}
    [drawn] = closing(story, signatures=[signed | {"strokes": [[[0, 0], [1000, 500]], [[3, 4]]]}]).signatures
    assert drawn.strokes == (((0, 0), (1000, 500)), ((3, 4),))
    for strokes, words in (
        ([[[1001, 0]]], "1001, 0 is outside of the field"),
        ([[[0, 0]]] * (STROKES_MAX + 1), "draw it anew"),
        ([[[0, 0]] * (POINTS_MAX + 1)], "draw it anew"),
    ):
        with pytest.raises(InstructionError, match=words):
            closing(story, signatures=[signed | {"strokes": strokes}])
