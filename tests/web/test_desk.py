"""At the desk, in real Chromium: whose an alert is, many at once, what was a mistake; by keyboard, and two at once."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.instants import MINUTE
from tests.support import at, england
from tests.web.centre import Centre, centre, online, urgent
from tests.web.chromium import faults_of, signed_in
from tests.web.test_browser import is_live


def many(count: int) -> list[Alert]:
    """Alerts of as many wearers, in the order of the queue."""
    return [
        urgent(f"AL-{n:02}", priority="P3", raised_at=at("17:00") + n, subject=f"W-{n}", wearer_id=f"W-{n}")
        for n in range(count)
    ]


async def stands(it: Centre, name: str) -> tuple[str, str | None]:
    [alert] = await it.store.alerts_named([name])
    return alert.state, alert.holder


async def done(page: Page, words: str) -> None:
    await expect(page.locator("#alert .outcome.done")).to_have_text(words)


async def test_an_alert_from_claim_to_close_by_keyboard(it: Centre, browser: Browser) -> None:
    await it.has("operator", "supervisor")
    await it.raises(urgent())
    async with online(it) as address:
        page = await signed_in(browser, address)
        await is_live(page)
        row = page.locator("#row-AL-AAA")
        await page.keyboard.press("c")
        await done(page, "It is yours.")
        await expect(row.locator(".state")).to_have_text("new, with operator")
        assert await stands(it, "AL-AAA") == (AlertState.UNACKNOWLEDGED, "operator")
        await page.keyboard.press("a")  # it was opened by `c`
        await done(page, "Acknowledged.")
        await expect(row.locator(".left")).to_have_text(re.compile(r"back in (30|29) min"))
        await page.keyboard.press("n")
        await page.keyboard.type("rang twice")
        await page.keyboard.press("Enter")
        await done(page, "Noted.")
        await page.keyboard.press("h")
        await page.keyboard.press("Enter")
        await expect(page.locator("#alert .outcome.said")).to_have_text("Choose first, then Enter.")
        await page.keyboard.type("super")
        await page.keyboard.press("Enter")
        await done(page, "Handed over.")
        await page.keyboard.press("u")
        await expect(page.locator("#alert .outcome.said")).to_have_text(
            "Nothing of yours to take back here; c takes it over."
        )
        await expect(row.locator(".state")).to_contain_text("with supervisor until")
        await page.keyboard.press("c")
        await done(page, "It is yours.")
        await page.keyboard.press("x")
        await page.keyboard.type("a false")
        await page.keyboard.press("Enter")
        await done(page, "Closed.")
        await expect(row).to_have_class(re.compile("gone"))
        await page.keyboard.press("u")
        await done(page, "Taken back: it stands as before.")
        await expect(row).not_to_have_class(re.compile("gone"))
        assert await stands(it, "AL-AAA") == (AlertState.ACKNOWLEDGED, "operator")
        acts = [c.action for c in await it.store.alert_history("AL-AAA")]
        assert acts[1:] == ["claimed", "acknowledged", "noted", "handed_over", "claimed", "closed", "reopened"]
        await page.keyboard.press("u")
        await expect(page.locator("#alert .outcome.said")).to_have_text("Nothing of yours to take back here.")
        await page.close()


async def test_an_alert_is_passed_on_by_keyboard_with_the_reason(tmp_path: Path, browser: Browser) -> None:
    async with centre(tmp_path, policy=england()) as it, online(it) as address:
        await it.has("operator")
        strap = await it.night()
        page = await signed_in(browser, address)
        await is_live(page)
        await page.keyboard.press("e")
        await expect(page.locator('#alert [data-focus="e"]')).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#alert .field-error")).to_have_text("missing; say why it is passed on")
        await page.keyboard.press("e")
        await page.keyboard.type("threatens the neighbours")
        await page.keyboard.press("Enter")
        await done(page, "Passed on.")
        await expect(page.locator("#alert")).to_contain_text("step 3 of 3: threatens the neighbours")
        assert await stands(it, strap.alert_id) == (AlertState.UNACKNOWLEDGED, None)
        await page.close()


async def test_fifty_at_once_by_keyboard_and_all_of_it_undone(it: Centre, browser: Browser) -> None:
    await it.has("operator", "supervisor")
    await it.raises(*many(50))
    async with online(it) as address:
        page, other = await signed_in(browser, address), await signed_in(browser, address, "supervisor")
        await is_live(page)
        for _ in range(49):
            await page.keyboard.press("Shift+J")
        await expect(page.locator("#bulk-count")).to_have_text("50 chosen")
        await other.goto("/alerts/AL-07")
        await other.get_by_role("button", name="Claim").click()
        await expect(page.locator("#row-AL-07 .state")).to_have_text("new, with supervisor")
        await expect(page.locator("#bulk-count")).to_have_text("50 chosen")
        await page.keyboard.press("a")
        await done(page, "49 alerts are acknowledged.")
        refused = page.locator("#alert .refused li")
        await expect(refused).to_have_text(re.compile(r"P3 W-7.*supervisor claimed it at Tue 24 Mar 18:50:00"))
        await expect(page.locator("#bulk-count")).to_have_text("1 chosen")
        states = {alert.state for alert in await it.store.alerts(open_only=True) if alert.alert_id != "AL-07"}
        assert states == {AlertState.ACKNOWLEDGED}
        await page.keyboard.press("u")
        await done(page, "49 alerts are taken back.")
        after = {(a.state, a.holder) for a in await it.store.alerts(open_only=True) if a.alert_id != "AL-07"}
        assert after == {(AlertState.UNACKNOWLEDGED, None)}
        assert await stands(it, "AL-07") == (AlertState.UNACKNOWLEDGED, "supervisor")
        await page.close()
        await other.close()


async def test_what_became_of_many_stays_though_one_of_them_is_open(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    await it.raises(*many(6))
    async with online(it) as address:
        page = await signed_in(browser, address)
        await page.goto("/alerts/AL-00")
        await is_live(page)
        for _ in range(3):
            for _ in range(5):
                await page.keyboard.press("Shift+J")
            await expect(page.locator("#bulk-count")).to_have_text("6 chosen")
            await page.keyboard.press("a")
            await done(page, "6 alerts are acknowledged.")
            await expect(page.locator("#row-AL-00 .state")).to_contain_text("with operator until")
            await done(page, "6 alerts are acknowledged.")
            await page.keyboard.press("u")
            await done(page, "6 alerts are taken back.")
            await page.locator("#row-AL-00 > a").click()
            await expect(page.locator("#alert article")).to_have_attribute("data-id", "AL-00")
            await expect(page.locator("#rows .state").filter(has_text=re.compile("^new$"))).to_have_count(6)
            assert await stands(it, "AL-05") == (AlertState.UNACKNOWLEDGED, None)
        await page.close()


async def test_a_range_is_chosen_with_shift_and_closed_or_shelved(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    await it.raises(*many(8))
    async with online(it) as address:
        page = await signed_in(browser, address)
        await is_live(page)
        await expect(page.locator("#bulk")).to_be_hidden()
        await page.get_by_label("Choose W-1 ").check()
        await page.get_by_label("Choose W-4,").click(modifiers=["Shift"])
        await expect(page.locator("#bulk-count")).to_have_text("4 chosen")
        await page.keyboard.press("x")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#alert .refused li")).to_have_count(4)
        await expect(page.locator("#alert .refused li").first).to_contain_text("Choose why it is closed.")
        await expect(page.locator("#bulk-count")).to_have_text("4 chosen")
        await page.keyboard.press("x")
        await page.keyboard.type("a test")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await done(page, "4 alerts are closed.")
        assert len(await it.store.alerts(open_only=True)) == 4
        await page.locator("#row-AL-00 a").focus()
        await page.keyboard.press(" ")
        await page.keyboard.press("s")
        await page.keyboard.type("30")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await done(page, "1 alert is shelved.")
        [shelved] = await it.store.alerts_named(["AL-00"])
        assert (shelved.state, shelved.lease_until) == (AlertState.SHELVED, it.clock.now() + 30 * MINUTE)
        await page.close()


async def test_a_stale_form_says_who_and_when_and_two_acts_at_once_are_one(it: Centre, browser: Browser) -> None:
    await it.has("operator", "supervisor")
    await it.raises(urgent())
    async with online(it) as address:
        first, second = await signed_in(browser, address), await signed_in(browser, address, "supervisor")
        for page in (first, second):
            await page.goto("/alerts/AL-AAA")
            await is_live(page)
        await asyncio.gather(*(page.keyboard.press("c") for page in (first, second)))
        await expect(first.locator("#alert .outcome, #alert .meta .state").first).to_be_visible()
        await expect(first.locator("#row-AL-AAA .state")).to_contain_text("with ")
        _, holder = await stands(it, "AL-AAA")
        winner, loser = (first, second) if holder == "operator" else (second, first)
        await expect(loser.locator("#alert")).to_contain_text(f"Take over from {holder}")
        assert [c.action for c in await it.store.alert_history("AL-AAA")] == ["raised", "claimed"]
        await loser.get_by_label("Note", exact=True).fill("mine by right")
        await winner.keyboard.press("a")
        await done(winner, "Acknowledged.")
        await loser.get_by_role("button", name="Take over").click()
        late = loser.locator("#alert .outcome.late")
        await expect(late).to_contain_text(f"{holder} acknowledged it at Tue 24 Mar 18:50:00")
        assert await loser.get_by_label("Note", exact=True).input_value() == "mine by right"
        assert (await stands(it, "AL-AAA"))[1] == holder
        await first.close()
        await second.close()


async def test_filters_choices_and_results_are_accessible_at_every_size(it: Centre, browser: Browser) -> None:
    await it.has("operator", "supervisor")
    incident = urgent("AL-INC", rule="incident.silent", wearer_id=None, subject="incident", size=2, priority="P2")
    await it.raises(*many(3), incident, urgent("AL-P", incident="AL-INC", state=AlertState.SUPPRESSED))
    async with online(it) as address:
        context = await browser.new_context(base_url=address, bypass_csp=True)
        page = await signed_in(context, address)
        await page.goto("/?rule=tag.strap")
        await page.get_by_placeholder("name this view").fill("straps")
        await page.get_by_role("button", name="Keep").click()
        await page.goto("/")
        await is_live(page)
        await page.locator("details.under > summary").click()
        await expect(page.locator("#row-AL-P")).to_be_visible()
        await page.get_by_text("More filters").click()
        await page.locator("#row-AL-00 > .pick input").check()
        await page.get_by_role("button", name="Claim").click()
        await done(page, "1 alert is claimed.")
        await page.locator("#row-AL-01 > .pick input").check()
        faults = await faults_of(page)
        await context.close()
    assert faults == {}
