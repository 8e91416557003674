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
    ("account", "cookie", "accepted", "language"),
    [
        (None, None, "", "en"), (None, None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, None, "fr,en;q=0.5,de;q=0.4", "en"), (None, "de", "en", "de"), ("en", "de", "de", "en"),
        ("de", None, "en", "de"), (None, "xx", "de", "de"), ("xx", "de", "en", "de"),
        (None, None, "de;q=nonsense, en", "en"), (None, None, "*", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_accounts_the_cookies_or_the_first_that_is_accepted(
    account: str | None, cookie: str | None, accepted: str, language: str
) -> None:
    assert language_of(account, cookie, accepted=accepted) == language


async def test_a_fitter_reads_the_page_in_the_chosen_language(it: Centre) -> None:
    await fitters(it, "a.fitter")
    browser = await it.signed_in("a.fitter")
    page = await browser.get("/visits", headers={"Accept-Language": "de"})
    assert '<html lang="de">' in page.text
    assert "Heute erledigt" in page.text
    path = "/account/language"
    assert (await browser.sends(path, language="en", back="/visits")).headers["location"] == "/visits"
    assert '<html lang="en">' in (await browser.get("/visits", headers={"Accept-Language": "de"})).text


async def test_a_language_goes_with_the_account_and_not_with_the_phone(it: Centre) -> None:
    await fitters(it, "a.fitter", "b.fitter")
    browser, path = await it.signed_in("a.fitter"), "/account/language"
    answer = await browser.sends(path, language="de", back="//evil.example")
    assert answer.headers["location"] == "/account?done=language"
    page = (await browser.get("/account?done=language")).text
    assert "Your language is kept." in page
    assert '<option value="de" lang="de" selected>' in page
    elsewhere = await it.signed_in("a.fitter")
    assert '<html lang="de">' in (await elsewhere.get("/visits")).text
    elsewhere.client.cookies.set("emcheck-language", "en", domain="console.test", path="/")
    assert '<html lang="de">' in (await elsewhere.get("/visits")).text
    other = await it.signed_in("b.fitter")
    assert '<html lang="en">' in (await other.get("/visits")).text
    other.client.cookies.set("emcheck-language", "de", domain="console.test", path="/")
    assert '<html lang="de">' in (await other.get("/visits")).text
    wrong = await browser.sends(path, language="xx")
    assert wrong.status_code == 422
    assert "There is no language &#39;xx&#39;; there are en, de." in wrong.text
    await browser.sends(path, language="")
    assert "emcheck-language" not in browser.client.cookies
    assert '<html lang="en">' in (await browser.get("/visits")).text


async def test_programs_choose_a_language(it: Centre) -> None:
    await fitters(it, "a.fitter")
    browser, me = await it.signed_in("a.fitter"), "/api/v1/me"
    said = {"X-CSRF-Token": browser.csrf}
    assert (await browser.get(me)).json()["language"] is None
    assert (await browser.client.put(f"{me}/language", json={"language": "de"}, headers=said)).status_code == 200
    assert (await browser.get(me)).json()["language"] == "de"
    wrong = await browser.client.put(f"{me}/language", json={"language": "tlh"}, headers=said)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/language")
    assert (await browser.client.put(f"{me}/language", json={"language": None}, headers=said)).status_code == 200
    assert '<html lang="en">' in (await browser.get("/visits")).text


async def test_whose_pages_are_english_only_is_told_so(it: Centre) -> None:
    await it.has("operator")
    page = (await (await it.signed_in()).get("/account")).text
    assert "English: only the fitters' pages are in other languages, too." in page
    assert "<select" not in page
