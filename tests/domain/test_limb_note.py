"""Limb notes as people write them: which limb each bars, and when a supervisor is asked."""

import json
from pathlib import Path

import pytest

from emcheck.domain.fitting.limb_note import UNCLEAR, instead, read_note
from tests.domain.visited import VisitStory

EXAMPLE = Path(__file__).parents[2] / "config" / "register.example.json"
LEFT, RIGHT, BOTH = ["left_ankle"], ["right_ankle"], ["left_ankle", "right_ankle"]


@pytest.mark.parametrize(
    ("note", "barred"),
    [
        ("left leg prosthetic below the knee: fit on the right", LEFT),
        ("left leg prosthetic fit on the right", LEFT),
        ("Left leg: prosthetic below the knee; right leg natural", LEFT),
        ("Fit on the left, prosthesis on the right", RIGHT),
        ("wears a prosthesis on the right leg", RIGHT),
        ("Right foot ulcer, use left", RIGHT),
        ("do not fit on the left: ulcer", LEFT),
        ("right ankle must not be used", RIGHT),
        ("left and right legs are swollen", BOTH),
        ("both legs bandaged", BOTH),
        ("prosthetic left and right", BOTH),
        ("left leg amputated, prosthesis below the knee; wear on right", LEFT),
        ("left leg prosthetic, right leg swollen", BOTH),
        ("left arm in a cast", ["left_wrist"]),
        ("left arm in a cast; right leg prosthetic", ["left_wrist", "right_ankle"]),
        ("left knee replaced", LEFT),
        ("not left, use right", LEFT),
        ("fit right leg, not the left", LEFT),
        ("right-handed; left leg prosthetic", LEFT),
        ("put it on the right: the left is swollen", LEFT),
        ("Both legs prosthetic, fit on left wrist", BOTH),
        ("prosthetic left leg, fitted 2019; tag on right", LEFT),
        ("left below knee amputee, uses prosthetic limb", LEFT),
        ("diabetic feet", BOTH),
        ("", []),
        ("left leg not swollen; fit on either leg", []),
    ],
)
def test_a_note_is_read_by_clauses(note: str, barred: list[str]) -> None:
    read = read_note(note)
    assert (sorted(read.barred), read.unclear) == (barred, False)


@pytest.mark.parametrize(
    "note",
    [
        "left leg then right leg",
        "prosthetic leg, fit right",
        "prosthetic on left not right",
        "fit on the right because of prosthesis; left swollen; fit left",
        "fit on the right",
    ],
)
def test_what_cannot_be_told_bars_neither_and_asks_a_supervisor(note: str) -> None:
    assert (read_note(note).barred, read_note(note).unclear) == (frozenset(), True)
    story = VisitStory().prepares()
    story.note = note
    assert story.words("limb").endswith(UNCLEAR)


def test_the_example_of_the_register_bars_one_leg_and_names_the_other() -> None:
    [note] = [w["notes"]["limb"] for w in json.loads(EXAMPLE.read_text())["wearers"] if "notes" in w]
    assert sorted(read_note(note).barred) == LEFT
    assert instead(note, "left_ankle") == "choose the other leg"
    assert instead("both legs amputated", "left_ankle") == (
        "it bars the other one too, so end the visit and tell your supervisor"
    )
