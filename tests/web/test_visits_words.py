"""The fitters' page in other languages: nothing is missing, nothing is half said, and everybody reads their own."""

import re
from collections import Counter
from random import Random

import pytest
from babel.messages.pofile import read_po

from emcheck.web.visits.collecting import messages
from emcheck.web.visits.words import FOLDER, LANGUAGES, in_language, language_of
from tests.domain.visited import VisitStory, on_foam
from tests.web.centre import Centre
from tests.web.doorstep import fitters

OTHERS = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")
ENGLISH = re.compile(r"\b(the|is|are|was|of|not|and|wait|with|from|let|on|it)\b", re.IGNORECASE)


def test_there_is_a_second_language() -> None:
    assert LANGUAGES["de"] == "Deutsch"


@pytest.mark.parametrize("language", OTHERS)
def test_no_message_is_missing_fuzzy_or_left_over_and_placeholders_agree(language: str) -> None:
    with (FOLDER / f"{language}.po").open("rb") as file:
        catalogue = {str(message.id): message for message in read_po(file) if message.id}
    assert set(catalogue) == {text for _, text in messages()}, "run: python -m emcheck.web.visits.collecting"
    wanting = [told for told, message in catalogue.items() if not message.string or message.fuzzy]
    assert wanting == []
    differing = [
        told
        for told, message in catalogue.items()
        if Counter(PLACEHOLDER.findall(told)).keys() != Counter(PLACEHOLDER.findall(str(message.string))).keys()
    ]
    assert differing == []


def spoken() -> set[str]:
    """What steps say in visits that go well and in some that do not."""
    said: set[str] = set()

    def hears(story: VisitStory) -> None:
        said.update(result.words for result in story.judged().results.values())

    story = VisitStory()
    hears(story)
    hears(story.stands(power="battery").says("identity", identifiers=["photo", "date of birth"]))
    hears(story.stands(case="open").says("limb", limb="left_ankle"))
    hears(story.says("skin", "no", reason="bandage").says("movement", "cannot", reason="too dark to see"))
    hears(story.stands(tilt_deg=30).says("skin").says("movement").closes_strap().passes(2))
    hears(story.stands(battery_pct=5).says("strap_gap", gap_mm=14).says("slide_off", "no", reason="it comes off"))
    hears(story.stands().says("strap_gap", gap_mm=9).says("slide_off").passes(15).marks("lifted").passes(5))
    hears(story.passes(25).marks("lowered").passes(5))
    hears(story.marks("moved").passes(60).marks("room", room="hall").passes(30))
    hears(story.marks("walk_over").passes(1))
    hears(story.marks("walk_over", only_room=True).says("call", "cannot", reason="the unit has no voice").passes(2))
    hears(story.passes(90, heard=False))
    hears(story.opens_strap().passes(2))
    on_the_only_leg = VisitStory(physics=on_foam(Random(1))).prepares().checks_limb().passes(120)
    hears(on_the_only_leg)
    on_the_only_leg.note = "right leg prosthetic"
    hears(on_the_only_leg.says("movement", "no", reason="no movement at all"))
    hears(on_the_only_leg.says("skin", "no", reason="bandage").says("limb", "no", reason="prosthesis"))
    return said


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_domain_says_is_said_whole(language: str) -> None:
    words = in_language(language)
    half = {text: words.said(text) for text in spoken() if ENGLISH.search(words.said(text))}
    assert len(spoken()) > 40
    assert half == {}


def test_a_sentence_is_put_together_with_its_figures() -> None:
    german = in_language("de")
    body = (
        "On a living limb: skin 4.1 degC above ambient and rising 1.5 degC/min; contact 0.93: on a limb (p over 0.999)"
    )
    assert german.said(body) == (
        "An einem lebenden Bein oder Arm: Haut 4,1 °C über Umgebung und steigend 1,5 °C/min; Kontakt 0,93: "
        "an einem Bein oder Arm (p über 0,999)"
    )
    against = (
        "Tag is over fabric: bare skin above the ankle bone. Not on a living limb, do not leave, choose the other leg."
    )
    assert german.said(against) == (
        "Der Sender liegt über Stoff: bloße Haut über dem Knöchel. "
        "Nicht an einem lebenden Bein, gehen Sie nicht, nehmen Sie die andere Seite (Bein)."
    )
    assert german.said("Take the sock down; where there is a bandage, choose the other leg. (a note)").endswith(
        "(a note)"
    )
    assert in_language("en").said("skin 4.1 degC") == "skin 4.1 °C"


def test_what_nobody_translated_stays_and_commands_are_left_out() -> None:
    german = in_language("de")
    assert german.said("Priya Barker said so") == "Priya Barker said so"
    assert german.said("") == ""
    refused = (
        "wearer W-1 is in session FS-1 of a.b, open since 10:00: go on with that one (`emcheck fit --session FS-1`)"
    )
    assert "emcheck" not in german.said(refused)


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", "en"), ("", "de-AT,de;q=0.9,en;q=0.8", "de"), ("", "fr,en;q=0.5,de;q=0.4", "en"), ("de", "en", "de"),
        ("xx", "de", "de"), ("", "de;q=nonsense, en", "en"), ("", "*", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_chosen_one_or_the_first_that_is_accepted(
    chosen: str, accepted: str, language: str
) -> None:
    assert language_of(chosen, accepted) == language


async def test_a_fitter_reads_the_page_in_the_chosen_language(it: Centre) -> None:
    await fitters(it, "a.fitter")
    browser = await it.signed_in("a.fitter")
    page = await browser.get("/visits", headers={"Accept-Language": "de"})
    assert '<html lang="de">' in page.text
    assert "Heute erledigt" in page.text
    assert (await browser.sends("/visits/language", language="en", back="/visits")).headers["location"] == "/visits"
    assert '<html lang="en">' in (await browser.get("/visits", headers={"Accept-Language": "de"})).text
    assert (await browser.sends("/visits/language", language="xx", back="//evil")).headers["location"] == "/visits"
