"""What to do now stands beside the alert's sentence: whom to call, by which number, and what is over says so."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from emcheck.domain.findings import Span
from tests.support import at, register
from tests.web.centre import Centre, centre, online, urgent
from tests.web.chromium import chromium, signed_in
from tests.web.test_browser import is_live

HELD = {
    "wearer_id": "W-1", "name": "Priya <Barker>",
    "contacts": {"phone": "+44 20 7946 0000", "of_the_mother": "at the shop <till nine>"},
}  # fmt: skip


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path, register(wearers=[HELD])) as it:
        await it.has("operator", "auditor")
        yield it


def do_now(text: str) -> str:
    """The section, as a reader sees it."""
    section = text.partition('<section class="do-now"')[2].partition("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


async def test_whom_to_call_by_which_number(home: Centre) -> None:
    strap = await home.night()
    text = (await (await home.signed_in()).get(f"/alerts/{strap.alert_id}")).text
    assert 'href="tel:+442079460000"' in text
    assert "phone +44 20 7946 0000 · of the mother: at the shop &lt;till nine&gt;" in do_now(text)
    assert "Call the wearer and send a fitter" in do_now(text)
    assert text.index('class="do-now"') < text.index("How do we know")
    api = json.loads((await (await home.signed_in()).get(f"/api/v1/alerts/{strap.alert_id}")).text)
    assert api["contacts"] == [{"wearer_id": "W-1", "name": "Priya <Barker>", "contacts": HELD["contacts"]}]
    assert api["ended"] is None


async def test_where_no_number_is_held_it_says_so_and_where_one_is_entered(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent(), urgent("AL-BBB", rule="service.clock", subject="service", wearer_id=None))
    browser = await it.signed_in()
    said = do_now((await browser.get("/alerts/AL-AAA")).text)
    assert "No telephone number of W-1 is held. Whoever keeps the register enters it there" in said
    assert "telephone" not in do_now((await browser.get("/alerts/AL-BBB")).text), "it is about nobody"


async def test_about_a_unit_those_are_called_whom_it_hears_and_the_look_at_each_is_kept(home: Centre) -> None:
    await home.raises(urgent("AL-AAA", rule="unit.silent", subject="BU-0001", wearer_id=None, unit="BU-0001"))
    said = do_now((await (await home.signed_in()).get("/alerts/AL-AAA")).text)
    assert "W-1 Priya &lt;Barker&gt; : phone +44 20 7946 0000" in said
    log = [(line.action, line.subject, line.alert_id) for _, line in await home.store.access_log(limit=9)]
    assert ("alert seen", "W-1", "AL-AAA") in log
    assert ("alert seen", "BU-0001", "AL-AAA") in log


async def test_what_is_over_is_not_told_as_if_it_went_on(home: Centre) -> None:
    window = Span(at("19:00"), at("23:00"))
    await home.raises(
        urgent("AL-AAA", rule="unit.power", subject="BU-0001", wearer_id=None, unit="BU-0001", ended_at=at("18:48")),
        urgent("AL-BBB", class_="out_at_end", window=window, ended_at=window.end),
        urgent("AL-CCC"),
    )
    browser = await home.signed_in()
    over = do_now((await browser.get("/alerts/AL-AAA")).text)
    assert "It is over: it ended at Tue 24 Mar 18:48:00. Close the alert" in over
    assert "before its battery is empty" not in over
    assert "The curfew ended at Tue 24 Mar 23:00:00. Ask the wearer" in do_now(
        (await browser.get("/alerts/AL-BBB")).text
    )
    await browser.sends("/alerts/AL-CCC/acts", act="close", seen_revision=1, disposition="no_answer", note="rang twice")
    closed = do_now((await browser.get("/alerts/AL-CCC")).text)
    assert "Closed by operator at Tue 24 Mar 18:50:00: no answer (rang twice). Nothing is to be done." in closed
    assert "Call the wearer" not in closed
    api = json.loads((await browser.get("/api/v1/alerts/AL-CCC")).text)
    assert api["ended"].endswith("Nothing is to be done.")
    assert api["next_step"] is None


async def test_codes_stand_small_beside_words(home: Centre) -> None:
    strap = await home.night()
    browser = await home.signed_in()
    text = (await browser.get(f"/alerts/{strap.alert_id}")).text
    assert "strap cut <code>tag.strap, strap_cut</code>" in text
    drawn = text.partition("<svg")[2].partition("</svg>")[0]
    assert "<title>strap cut (tag.strap, strap_cut)</title>" in drawn
    assert ">strap cut</text>" in drawn
    assert "told beside presence" not in drawn
    rules = (await browser.get("/")).text.partition('name="rule"')[2].partition("</select>")[0]
    assert '<option value="tag.strap">strap cut or open (tag.strap)</option>' in rules


async def test_who_may_not_act_reads_what_is_to_be_done(home: Centre) -> None:
    strap = await home.night()
    text = (await (await home.signed_in("auditor")).get(f"/alerts/{strap.alert_id}")).text
    assert "Call the wearer and send a fitter" in do_now(text)
    assert "<button" not in text.partition('<section class="do-now"')[2].partition("</section>")[0]


async def test_a_search_for_a_unit_finds_whom_it_hears(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent(), urgent("AL-BBB", subject="W-2", wearer_id="W-2"))
    browser = await it.signed_in()
    for words in ("bu-0001", "BU-0001 priya"):
        page = (await browser.get("/", params={"words": words})).text
        assert re.findall(r'id="row-(AL-\w+)"', page) == ["AL-AAA"], words


@pytest.mark.parametrize("size", [(1366, 768), (1280, 800)])
async def test_the_next_step_is_on_the_first_screen_and_one_key_does_it(home: Centre, size: tuple[int, int]) -> None:
    strap = await home.night()
    async with chromium() as browser, online(home) as address:
        page = await signed_in(browser, address)
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await is_live(page)
        await page.keyboard.press("Enter")
        button = page.get_by_role("button", name="Acknowledge")
        await expect(button).to_be_in_viewport(ratio=1)
        await expect(page.locator(".call")).to_be_in_viewport(ratio=1)
        await expect(page.locator(".picture")).to_be_in_viewport(ratio=0.9)
        await page.locator("#alert [data-focus=n]").fill(
            "calling now"
        )  # it stands below, and belongs to the form above
        await button.click()
        await expect(page.locator("#alert .outcome.done")).to_have_text("Acknowledged.")
        await expect(page.locator("#alert [data-focus=x]")).to_be_in_viewport(ratio=1)
        await page.close()
    history = await home.store.alert_history(strap.alert_id)
    assert (history[-1].action, history[-1].note) == ("acknowledged", "calling now")


async def test_a_search_has_a_button_that_does_it(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent(), urgent("AL-BBB", subject="W-2", wearer_id="W-2"))
    async with chromium() as browser, online(it) as address:
        page = await signed_in(browser, address)
        await is_live(page)
        await page.keyboard.press("/")
        await page.keyboard.type("barker")
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator("#rows .row")).to_have_count(1)
        await expect(page).to_have_url(re.compile("words=barker"))
        await page.close()
