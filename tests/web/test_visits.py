"""The fitters' page by its forms, as a phone without JavaScript: what it shows, what it takes, what it refuses."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from emcheck.domain.fitting.outcomes import failed_attempts
from emcheck.domain.fitting.steps import STEPS
from emcheck.web.visits.numbers import spelt
from tests.domain.visited import on_foam, on_leg
from tests.web.centre import Browser, Centre
from tests.web.doorstep import Doorstep, fitters, unfitted_centre

FORM = {"order_id": "O-1", "tag": "T-1", "unit": "BU-0001", "fitter_tag": "F-1", "sure_tag": "T-1"}


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with unfitted_centre(tmp_path, note="left leg prosthetic: fit on the right") as made:
        await fitters(made, "a.fitter", "b.fitter")
        await made.has("supervisor", "operator")
        yield made


async def begun(browser: Browser, **changes: Any) -> str:
    """Open a visit; its name."""
    changes = {"sure_tag": changes.get("tag", "T-1").strip()} | changes
    answer = await browser.sends("/visits", **(FORM | changes))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].split("/")[2]


async def answers(browser: Browser, session: str, step: str, answer: str = "yes", **fields: Any) -> httpx.Response:
    said = {"type": "fitting_answer", "step": step, "answer": answer}
    return await browser.sends(f"/visits/{session}/acts", **said, **fields)


async def marks(browser: Browser, session: str, what: str, **fields: Any) -> httpx.Response:
    return await browser.sends(f"/visits/{session}/acts", type="fitting_mark", what=what, **fields)


async def to_the_check(browser: Browser, session: str, hallway: Doorstep) -> None:
    """All that is answered before the body check, and the check's three deeds."""
    await answers(browser, session, "identity", identifiers=["photo", "date of birth"])
    await answers(browser, session, "limb", limb="right_ankle")
    await answers(browser, session, "skin")
    await answers(browser, session, "movement")
    await hallway.passes(3)
    await answers(browser, session, "strap_gap", gap_mm="9")
    await answers(browser, session, "slide_off")
    await hallway.passes(15)
    await marks(browser, session, "lifted")
    await hallway.passes(25)
    await marks(browser, session, "lowered")
    await hallway.passes(5)
    await marks(browser, session, "moved")
    await hallway.passes(120)


async def to_the_signatures(browser: Browser, session: str, hallway: Doorstep) -> None:
    await to_the_check(browser, session, hallway)
    await answers(browser, session, "call")
    for room in ("hall", "kitchen"):
        await marks(browser, session, "room", room=room)
        await hallway.passes(30)
    await marks(browser, session, "walk_over")
    await hallway.passes(12)


async def test_a_whole_visit_by_forms_ends_with_a_signed_record(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it)
    first = (await browser.get("/visits")).text
    assert "Priya &lt;Barker&gt;" in first
    assert "overdue since" in first
    assert "left leg prosthetic" in (await browser.get("/visits/new?order=O-1")).text
    session = await begun(browser)
    page = (await browser.get(f"/visits/{session}/identity")).text
    assert "left leg prosthetic: fit on the right" in page
    assert "<b>1</b> of 13" in page
    answer = await answers(browser, session, "identity", identifiers=["photo", "date of birth"])
    assert answer.headers["location"] == f"/visits/{session}/limb"
    limb = (await browser.get(f"/visits/{session}/limb")).text
    assert 'value="left_ankle" required disabled' in limb
    assert "barred by the limb note" in limb
    refused = await answers(browser, session, "limb", limb="left_ankle")
    assert refused.status_code == 422
    assert "left ankle is barred" in refused.text
    await to_the_signatures(browser, session, hallway)
    sign = (await browser.get(f"/visits/{session}/sign")).text
    fitted = sign.partition('<dl class="fitted">')[2].partition("</dl>")[0]
    for told in ("Priya &lt;Barker&gt;</b> (W-1)", "<b>T-1</b>, right ankle", "O-1", "BU-0001, A-1", "As the unit ack"):
        assert told in fitted, fitted
    assert "takes the place" not in fitted
    assert "<b>19:00–07:00</b> every day" in fitted
    names = ("as_of", "acts", "record_sha256")
    hidden = {name: sign.partition(f'name="{name}" value="')[2].partition('"')[0] for name in names}
    assert len(hidden["record_sha256"]) == 64, sign
    close = {"type": "fitting_closed", "outcome": "success", "name_fitter": "a.fitter", "name_wearer": "P. Barker"}
    close |= hidden
    unsigned = await browser.sends(f"/visits/{session}/close", **close, by_name_fitter="1")
    assert unsigned.status_code == 422
    assert "the wearer has not signed" in unsigned.text
    other = await browser.sends(f"/visits/{session}/close", **close, by_name_wearer="1")
    assert (other.status_code, "signature is missing: draw it, or tick" in other.text) == (422, True)
    assert 'name="by_name_wearer" value="1" checked' in other.text
    drawn = "[[[10, 20], [500, 300]]]"
    done = await browser.sends(f"/visits/{session}/close", **close, by_name_fitter="1", strokes_wearer=drawn)
    assert done.status_code == 303, done.text
    over = (await browser.get(f"/visits/{session}")).text
    assert "Success" in over
    record = (await browser.get(f"/visits/{session}/record.json")).json()
    assert record["sha256"] == record["signed_sha256"]
    assert record["signatures"][1]["strokes"] == [[[10, 20], [500, 300]]]
    assert "strokes" not in record["signatures"][0]
    paper = await browser.get(f"/visits/{session}/record.pdf")
    assert paper.content.startswith(b"%PDF")
    assert it.loop.engine.roster.register.fittings[-1].validation == "validated"
    assert "Done today" in (listed := (await browser.get("/visits")).text)
    assert f'href="/visits/{session}"' in listed


async def test_foam_ends_the_visit_where_the_note_bars_the_other_leg(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it, physics=on_foam(Random(2)))
    session = await begun(browser)
    await to_the_check(browser, session, hallway)
    page = (await browser.get(f"/visits/{session}/body")).text
    assert "Not on a living limb: end the visit and tell your supervisor, for the limb note bars the other leg." in page
    assert "hoose the other leg" not in page
    ending = f"/visits/{session}/end?outcome=cannot_validate"
    assert f'class="button primary" href="{ending}"' in page
    end = (await browser.get(ending)).text
    assert 'value="cannot_validate" required checked' in end
    assert "Take T-1 off and bring it back; tell your supervisor." in end
    sign = (await browser.get(f"/visits/{session}/sign")).text
    assert "record_sha256" not in sign
    assert "Open steps: " in sign


async def test_foam_is_tried_on_the_other_leg_where_nothing_bars_it(tmp_path: Path) -> None:
    async with unfitted_centre(tmp_path) as it:
        await fitters(it, "a.fitter")
        browser, hallway = await it.signed_in("a.fitter"), Doorstep(it, physics=on_foam(Random(2)))
        session = await begun(browser)
        await to_the_check(browser, session, hallway)
        page = (await browser.get(f"/visits/{session}/body")).text
        assert "Not on a living limb, do not leave, choose the other leg." in page
        assert f'class="button primary" href="/visits/{session}/limb"' in page
        assert f'class="button" href="/visits/{session}/end?outcome=cannot_validate"' in page
        ended = {"type": "fitting_closed", "outcome": "cannot_validate"}
        await browser.sends(f"/visits/{session}/close", **ended)
        assert "Take T-1 off and bring it back" in (await browser.get(f"/visits/{session}")).text


def stuck(since_s: float, lifted: bool) -> dict[str, Any]:
    """A leg, and a sensor that says contact though the tag is held off."""
    return on_leg(Random(1))(since_s, lifted) | {"proximity": 0.9}


async def test_the_tag_is_held_off_for_as_long_as_is_said(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it, physics=stuck)
    session = await begun(browser)
    await answers(browser, session, "limb", limb="right_ankle")
    await answers(browser, session, "movement")
    await hallway.passes(5)
    path = f"/visits/{session}/body"
    assert "Lift the tag off the skin by a finger" in shown_ask((await browser.get(path)).text)
    await marks(browser, session, "lifted")
    await hallway.passes(20)
    page = (await browser.get(path)).text
    assert "Hold it off about 45 s: 20 of 45." in shown_ask(page)
    assert "disabled>It is down again" in page
    assert ">Down</button>" not in page
    await hallway.passes(26)
    page = (await browser.get(path)).text
    assert "That is long enough." in shown_ask(page)
    assert "disabled>It is down again" not in page


def shown_ask(page: str) -> str:
    """What a step asks for, without what is hidden."""
    ask = page.partition('id="ask">')[2].partition("</div>")[0]
    return " ".join(part for part in ask.split("<p") if " hidden>" not in part)


async def test_every_step_is_a_page_that_can_be_read_and_none_has_script_or_style_inside(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it)
    session = await begun(browser)
    await hallway.passes(5)
    for number, step in enumerate(STEPS, start=1):
        page = (await browser.get(f"/visits/{session}/{step.id}")).text
        assert f"<b>{number}</b> of 13" in page
        assert step.title in page
        assert "<style" not in page
        assert " style=" not in page
        part = (await browser.get(f"/visits/{session}/{step.id}/now")).text
        assert part.startswith('<div id="now"')
        assert "limb-note" not in part
    assert (await browser.get(f"/visits/{session}/nothing")).status_code == 404


async def test_two_fitters_see_and_say_nothing_in_each_others_visits(it: Centre) -> None:
    first, second = await it.signed_in("a.fitter"), await it.signed_in("b.fitter")
    session = await begun(first)
    for path in ("", "/identity", "/identity/now", "/sign", "/record.json"):
        assert (await second.get(f"/visits/{session}{path}")).status_code == 404, path
    assert (await answers(second, session, "identity", identifiers=["photo", "passport"])).status_code == 404
    assert "a.fitter is there" in (await second.get("/visits")).text
    assert "a.fitter is with them since" in (await second.get("/visits/new?order=O-1")).text
    refused = await second.sends("/visits", **FORM)
    assert refused.status_code == 422
    assert "T-1 is in session" in refused.text
    assert "emcheck fit" not in refused.text


async def test_a_form_that_is_sent_twice_opens_one_visit_and_another_tag_is_named(it: Centre) -> None:
    browser = await it.signed_in("a.fitter")
    session = await begun(browser, session="FS-twice")
    assert await begun(browser, session="FS-twice") == session == "FS-twice"
    wrong = await browser.sends("/visits", **(FORM | {"tag": "T-9"}))
    assert wrong.status_code == 422
    assert "Your open visit is about T-1, and you typed T-9: go on with it if T-1" in wrong.text
    assert "FS-twice is about" not in wrong.text
    other = await browser.sends("/visits", **(FORM | {"strap_batch": "B-2"}))
    assert "Your open visit with T-1 began with another answer to this" in other.text


async def test_a_visit_that_takes_a_tag_off_says_when_and_what_is_signed_names_it(tmp_path: Path) -> None:
    worn = {"tag": "T-0", "wearer_id": "W-1", "fitted_at": "2026-01-01T10:00:00Z"}
    async with unfitted_centre(tmp_path, fittings=[worn]) as it:
        await fitters(it, "a.fitter")
        browser, hallway = await it.signed_in("a.fitter"), Doorstep(it)
        session = await begun(browser, takes_off="T-0")
        assert "Leave T-0 on until T-1 is heard" in (await browser.get(f"/visits/{session}/closed")).text
        await to_the_signatures(browser, session, hallway)
        closed = (await browser.get(f"/visits/{session}/closed")).text
        assert "Now take T-0 off, and bring it back: T-1 takes its place." in closed
        assert "wait for a clean frame" not in closed
        body = (await browser.get(f"/visits/{session}/body")).text
        assert "On a living limb: the tag lies on warm skin" in body
        assert "Lift the tag off and let it down again" not in body
        assert "What was measured</summary><p>skin " in body
        sign = (await browser.get(f"/visits/{session}/sign")).text
        assert "it takes the place of T-0" in sign
        assert "Take T-0 off now, if it is still on" in sign


async def test_a_number_of_which_nothing_is_known_is_asked_about_once(it: Centre) -> None:
    browser = await it.signed_in("a.fitter")
    form = FORM | {"tag": "T-99", "sure_tag": ""}
    asked = await browser.sends("/visits", **form)
    assert asked.status_code == 422
    assert "T-99 is in no register and no unit hears it: check the number on the tag." in asked.text
    assert '<input type="hidden" name="sure_tag" value="T-99">' in asked.text
    assert not it.loop.engine.roster.visits
    changed = await browser.sends("/visits", **(form | {"tag": "T-98", "sure_tag": "T-99"}))
    assert "T-98 is in no register" in changed.text
    begun_ = await browser.sends("/visits", **(form | {"sure_tag": "T-99"}))
    assert begun_.status_code == 303
    assert [visit.tag for visit in it.loop.engine.roster.visits.values()] == ["T-99"]


async def test_the_wrong_tag_on_the_limb_is_said(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it, heard="T-9")
    session = await begun(browser)
    await hallway.passes(5)
    page = (await browser.get(f"/visits/{session}/closed")).text
    assert "T-9 is heard here and T-1 is not: scan the tag on the limb again." in page


async def test_a_number_in_other_case_is_that_of_the_tag_that_is_heard(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it, heard="T-7")
    story = hallway.story
    story.tell(it.clock.now(), "presence", received=it.clock.now(), tag="T-7", in_range=True)
    await it.tells(story)
    assert '<option value="T-7">' in (await browser.get("/visits/new?order=O-1")).text
    session = await begun(browser, tag=" t-7 ")
    assert it.loop.engine.roster.visits[session].tag == "T-7"
    assert await begun(browser, tag="t-7") == session


def test_of_two_numbers_that_differ_by_case_none_is_guessed() -> None:
    assert spelt(" t-7 ", [], ["T-7"]) == "T-7"
    assert spelt("t-7", ["T-7"], ["t-7"]) == "t-7"
    assert spelt("ab-1", [], ["AB-1", "aB-1"]) == "ab-1"
    assert spelt("T-8", ["T-7"], []) == "T-8"


async def test_a_wrong_number_is_asked_about_after_a_minute_and_one_tap_begins_anew(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it, heard="T-7")
    session = await begun(browser, tag="T-70")
    await hallway.passes(30)
    assert "Is the number right?" not in (await browser.get(f"/visits/{session}/closed")).text
    await hallway.passes(31)
    for path in ("closed", "closed/now"):
        assert "Is the number right? You typed T-70." in (await browser.get(f"/visits/{session}/{path}")).text
    close = {"type": "fitting_closed", "outcome": "mistaken", "anew": "1"}
    refused = await browser.sends(f"/visits/{session}/close", **close)
    assert (refused.status_code, "say what was wrong" in refused.text) == (422, True)
    close |= {"note": "wrong number of the tag: T-70"}
    done = await browser.sends(f"/visits/{session}/close", **close)
    assert (done.status_code, done.headers["location"]) == (303, "/visits/new?order=O-1")
    assert await begun(browser, tag="T-7") != session
    [order] = it.loop.engine.roster.register.orders
    assert ([made.outcome for made in order.visits], list(failed_attempts(order))) == (["mistaken"], [])


async def test_an_order_that_ended_is_not_fitted(it: Centre) -> None:
    browser = await it.signed_in("a.fitter")
    it.clock.advance(it.loop.engine.roster.register.orders[0].ends_at + 1)
    browser = await it.signed_in("a.fitter")
    page = (await browser.get("/visits/new?order=O-1")).text
    assert "nothing is to be fitted; remove the tag" in page
    refused = await browser.sends("/visits", **FORM)
    assert (refused.status_code, "O-1 ended at" in refused.text) == (422, True)
    assert (await browser.get("/visits/new?order=O-9")).status_code == 404


async def test_a_supervisor_lets_it_stand_with_a_reason_and_never_in_silence(it: Centre) -> None:
    fitter, supervisor = await it.signed_in("a.fitter"), await it.signed_in("supervisor")
    session = await begun(fitter)
    assert session in (await supervisor.get("/visits")).text
    page = (await supervisor.get(f"/visits/{session}")).text
    assert "Let it stand though steps are open" in page
    assert "Let it stand" not in (await fitter.get(f"/visits/{session}")).text
    assert (await fitter.sends(f"/visits/{session}/override", reason="mine")).status_code == 403
    assert (await supervisor.sends(f"/visits/{session}/override")).status_code == 422
    assert (await answers(supervisor, session, "skin")).status_code == 403
    assert (await supervisor.sends(f"/visits/{session}/override", reason="medical reason, on paper")).status_code == 303
    sign = (await fitter.get(f"/visits/{session}/sign")).text
    assert "supervisor let this fitting stand: medical reason, on paper" in sign


async def test_another_outcome_ends_the_visit(it: Centre) -> None:
    browser = await it.signed_in("a.fitter")
    session = await begun(browser)
    assert (await browser.sends(f"/visits/{session}/close", type="fitting_closed")).status_code == 422
    done = await browser.sends(f"/visits/{session}/close", type="fitting_closed", outcome="no_show", note="nobody in")
    assert done.status_code == 303
    page = (await browser.get(f"/visits/{session}")).text
    assert "nobody was there" in page
    assert (await browser.get(f"/visits/{session}/skin")).headers["location"] == f"/visits/{session}"
    assert [visit.outcome for visit in it.loop.engine.roster.register.orders[0].visits] == ["no_show"]
    again = await browser.sends("/visits", **FORM, session=session)
    assert (again.status_code, "is a visit that is over; take another name" in again.text) == (422, True)


async def test_a_look_is_logged_once_before_it_is_shown(it: Centre) -> None:
    browser, other = await it.signed_in("a.fitter"), await it.signed_in("supervisor")
    session = await begun(browser)
    for _ in range(3):
        await browser.get(f"/visits/{session}/identity")
    await other.get(f"/visits/{session}")
    lines = [(line.account, line.action) for _, line in await it.store.access_log(limit=20, subject="W-1")]
    assert lines == [("supervisor", "visit seen"), ("a.fitter", "visit seen"), ("a.fitter", "visit opened")]


async def test_what_a_page_asks_by_itself_keeps_no_sign_in_alive(it: Centre) -> None:
    browser = await it.signed_in("a.fitter")
    session = await begun(browser)
    for _ in range(7):
        it.clock.advance(it.clock.now() + 10 * 60_000)
        await browser.get(f"/visits/{session}/identity/now", headers={"X-By-Itself": "1"})
    assert (await browser.get(f"/visits/{session}")).status_code == 303
