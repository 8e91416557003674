"""In real Chromium: an alert comes, is acknowledged by keyboard, the service goes and comes back; nothing jumps."""

import asyncio
import re
import signal
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from emcheck.desk import Account
from emcheck.domain.alerts import AlertState
from emcheck.domain.rights import Role
from emcheck.ingest.embedded import free_port
from emcheck.ports import Commit
from emcheck.store.sql import SqlStore
from tests.service.served import PATIENCE_S, Served, serving
from tests.store.samples import change
from tests.support import at
from tests.web.centre import HASHED, Centre, online, urgent
from tests.web.chromium import AXE, signed_in


async def is_live(page: Page) -> None:
    await expect(page.locator("#live")).to_contain_text("live,")


async def top(element: Locator) -> float:
    """Where it begins in the window, in pixels."""
    box = await element.bounding_box()
    assert box is not None
    return box["y"]


async def test_a_night_at_the_desk_by_keyboard(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    await it.raises(urgent("AL-OLD", priority="P3", raised_at=at("18:00"), subject="W-9", wearer_id="W-9"))
    async with online(it) as address:
        page = await signed_in(browser, address)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await is_live(page)
        strap = await it.night()
        row = page.locator(f"#row-{strap.alert_id}")
        await expect(row).to_be_visible()
        await expect(page).to_have_title(re.compile(r"\(1 P1\)"))
        assert await page.locator("#rows .row").first.get_attribute("data-id") == strap.alert_id
        await expect(page.locator("#row-AL-OLD")).to_have_class(re.compile("chosen"))
        await page.keyboard.press("k")
        await expect(row).to_have_class(re.compile("chosen"))
        await page.keyboard.press("a")
        await expect(page.locator("#alert h2")).to_contain_text("strap")
        await expect(page.locator("#alert .outcome.said")).to_contain_text("a again, and it is acknowledged")
        await page.keyboard.press("a")
        await expect(page.locator("#alert .outcome.done")).to_have_text("Acknowledged.")
        await expect(row.locator(".state")).to_contain_text("with operator until")
        await page.keyboard.press("n")
        await page.keyboard.type("fitter is on the way")
        await page.keyboard.press("Escape")
        await page.keyboard.press("d")
        await expect(page.locator("#alert .outcome.said")).to_contain_text("To confirm identifies a breach")
        assert (await it.store.alerts_named([strap.alert_id]))[0].state == AlertState.ACKNOWLEDGED
        await page.keyboard.press("d")
        await expect(page.locator("#alert")).to_contain_text("fitter is on the way")
        await page.keyboard.press("x")
        await page.keyboard.type("a fault")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(row).to_have_class(re.compile("gone"))
        [closed] = await it.store.alerts_named([strap.alert_id])
        assert (closed.state, closed.disposition) == (AlertState.CLOSED, "equipment_fault")
        await page.keyboard.press("?")
        await expect(page.locator("#keys dl")).to_be_visible()
        assert [line for line in said if "Content Security Policy" in line or "rror" in line] == []
        await page.close()


async def test_the_first_row_is_chosen_at_load_and_keys_act_on_it(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    async with online(it) as address:
        page = await signed_in(browser, address)
        await is_live(page)
        await page.keyboard.press("a")
        await expect(page.locator("#alert .outcome.wrong")).to_have_text("no alert is chosen: j")
        await it.raises(urgent(), urgent("AL-BBB", priority="P2"))
        await page.goto("/")
        await is_live(page)
        await page.keyboard.press("d")
        await expect(page.locator("#alert article")).to_have_attribute("data-id", "AL-AAA")
        assert (await it.store.alerts_named(["AL-AAA"]))[0].state == AlertState.UNACKNOWLEDGED
        await page.goto("/")
        await is_live(page)
        await page.keyboard.press("Enter")
        await expect(page.locator("#alert article")).to_have_attribute("data-id", "AL-AAA")
        await page.goto("/")
        await is_live(page)
        await page.keyboard.press("u")
        await expect(page.locator("#alert .outcome.said")).to_contain_text("No alert is open.")
        await page.keyboard.press("a")
        await expect(page.locator("#alert .outcome.said")).to_contain_text("a again")
        assert (await it.store.alerts_named(["AL-AAA"]))[0].state == AlertState.UNACKNOWLEDGED
        await page.keyboard.press("h")
        await expect(page.locator("#alert .outcome.said")).to_have_text("There is nobody else to hand it to.")
        await page.keyboard.press("a")
        await expect(page.locator("#alert .outcome.done")).to_have_text("Acknowledged.")
        await page.close()


async def test_new_rows_announce_themselves_and_nothing_moves_under_the_cursor(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    await it.raises(
        *[
            urgent(f"AL-{n:02}", priority="P3", raised_at=at("17:00") + n, subject=f"W-{n}", wearer_id=f"W-{n}")
            for n in range(30)
        ]
    )
    async with online(it) as address:
        page = await signed_in(browser, address)
        await is_live(page)
        under = page.locator("#row-AL-03")
        await under.hover()
        before = await top(under)
        await it.raises(urgent("AL-P2", priority="P2"), urgent("AL-P1"))
        await expect(page.locator("#row-AL-P1")).to_be_attached()
        await expect(page.locator("#news")).to_contain_text("2 new, 1 P1")
        assert await page.locator("#row-AL-P2").count() == 0
        assert abs(await top(under) - before) < 1
        await page.keyboard.press(".")
        await expect(page.locator("#row-AL-P2")).to_be_visible()
        order = await page.locator("#rows .row").evaluate_all("rows => rows.map(row => row.dataset.id)")
        assert order[:3] == ["AL-P1", "AL-P2", "AL-00"]
        await page.close()


async def test_the_service_is_killed_and_comes_back(tmp_path: Path, browser: Browser) -> None:
    """As an installation runs: the first link, a kill, what was missed meanwhile; whoever is signed in stays so."""
    settings = {"web": {"enabled": True, "port": free_port()}, "mqtt": {"port": free_port()}}
    store = SqlStore(f"sqlite:///{tmp_path}/emcheck.db")
    await store.open()
    await store.put_account(Account("operator", Role.OPERATOR, 0, password=HASHED))
    await store.close()
    async with serving(tmp_path, settings) as served:
        address = await console_at(served)
        page = await signed_in(browser, address)
        await is_live(page)
        await expect(page.locator("#troubles")).to_contain_text("the broker")
        await served.end(signal.SIGKILL)
    await expect(page.locator("#live")).to_contain_text("stale since", timeout=15_000)
    await expect(page.locator("#live")).to_have_class(re.compile("stale"))
    await store.open()
    await store.commit(Commit(alerts=[change(urgent("AL-MISSED", priority="P2"))]))
    await store.close()
    async with serving(tmp_path, settings) as served:
        await console_at(served)
        await expect(page.locator("#live")).to_contain_text("live,", timeout=30_000)
        await expect(page.locator("#news")).to_contain_text("1 new")
        await page.keyboard.press(".")
        await expect(page.locator("#row-AL-MISSED")).to_be_visible()
    await page.close()


async def console_at(served: Served) -> str:
    """Where its console answers, once it does."""
    async with asyncio.timeout(PATIENCE_S):
        while (said := re.findall(r'"address": "([^"]+)", "event": "console.listening"', served.log.read_text())) == []:
            await asyncio.sleep(0.05)
    return str(said[-1])


async def test_two_operators_at_one_alert(it: Centre, browser: Browser) -> None:
    await it.has("operator", "supervisor")
    await it.raises(urgent())
    async with online(it) as address:
        first, second = await signed_in(browser, address), await signed_in(browser, address, "supervisor")
        for page in (first, second):
            await page.goto("/alerts/AL-AAA")
            await is_live(page)
        await second.get_by_label("Note", exact=True).fill("I called")
        await first.get_by_role("button", name="Acknowledge").click()
        await expect(second.locator("#row-AL-AAA .state")).to_contain_text("with operator")
        await expect(second.locator("#alert .outcome.wrong")).to_contain_text("operator acknowledged it")
        assert await second.get_by_label("Note", exact=True).input_value() == "I called"
        await second.get_by_role("button", name="Acknowledge").click()
        await expect(second.locator("#alert .outcome.late")).to_contain_text("operator acknowledged it at")
        assert await second.get_by_label("Note", exact=True).input_value() == "I called"
        await first.close()
        await second.close()


async def test_text_that_decides_has_a_contrast_of_seven(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    strap = await it.night()
    await it.raises(*[urgent(f"AL-{n}", priority=f"P{n}") for n in range(1, 5)])
    async with online(it) as address:
        context = await browser.new_context(base_url=address, bypass_csp=True)
        page = await signed_in(context, address)
        await page.goto(f"/alerts/{strap.alert_id}")
        await is_live(page)
        await page.evaluate(AXE)
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme=theme)
            found = await page.evaluate(
                "() => axe.run(document, {runOnly: ['color-contrast-enhanced'], rules: {'color-contrast-enhanced': "
                "{enabled: true}}}).then(r => r.violations.flatMap(v => v.nodes.map(n => n.html + n.failureSummary)))"
            )
            assert found == [], theme
            small = await page.evaluate(
                "[...document.querySelectorAll('body *:not(svg *)')].filter(e => e.innerText && "
                "parseFloat(getComputedStyle(e).fontSize) < 14).map(e => e.outerHTML.slice(0, 80))"
            )
            assert small == [], theme
        await context.close()
