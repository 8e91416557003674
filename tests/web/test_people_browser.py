"""In real Chromium: a second factor is set up and asked for; pages about the own account, at every size and theme."""

import json
import re

import pyotp
from playwright.async_api import Browser, expect

from emcheck.domain.instants import MINUTE
from tests.web.centre import IDLE, PASSWORD, Centre, online, urgent
from tests.web.chromium import faults_of, signed_in


async def test_a_second_factor_from_the_first_page_to_the_next_sign_in(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    faults: dict[str, list[str]] = {}
    async with online(it) as address:
        await it.signed_in()  # there is another sign-in in the list
        context = await browser.new_context(base_url=address, bypass_csp=True)
        page = await signed_in(context, address)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.get_by_role("link", name="operator").click()
        faults |= await faults_of(page)
        await page.goto("/account/password")
        faults |= await faults_of(page)
        await page.goto("/account")
        await page.get_by_role("link", name="set it up").click()
        faults |= await faults_of(page)
        await page.get_by_label("Your password").fill(PASSWORD)
        await page.get_by_role("button", name="Set it up").click()
        picture = page.locator(".qr img")
        await expect(picture).to_be_visible()
        assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth > 100)")
        faults |= await faults_of(page)
        device = pyotp.TOTP((await page.locator(".secret").inner_text()).replace(" ", ""))
        await page.get_by_label("Code").fill(device.at(it.clock.now() // 1000))
        await page.get_by_role("button", name="Confirm").click()
        await expect(page.locator(".codes li")).to_have_count(10)
        faults |= await faults_of(page)
        await page.get_by_role("link", name="I have them").click()
        await expect(page.get_by_text("on, 10 recovery codes left")).to_be_visible()
        await page.get_by_role("link", name="change it", exact=True).click()
        faults |= await faults_of(page)
        await page.get_by_role("button", name="Sign out").click()
        it.clock.advance(it.clock.now() + 30_000)
        await page.get_by_label("Name").fill("operator")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_label("Code")).to_be_focused()
        faults |= await faults_of(page)
        await page.get_by_label("Code").fill(device.at(it.clock.now() // 1000))
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(r"/$"))
        assert [line for line in said if "Content Security Policy" in line or "rror" in line] == []
        await context.close()
    assert faults == {}, json.dumps(faults, indent=1)


async def test_what_a_page_does_by_itself_keeps_nobody_signed_in(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    await it.raises(urgent(text="It began."))
    async with online(it) as address:
        page = await signed_in(browser, address)
        await page.goto(f"{address}/alerts/AL-AAA")
        await expect(page.locator("#live")).to_contain_text("live,")
        [before] = await it.store.sign_ins("operator")
        it.clock.advance(it.clock.now() + 30 * MINUTE)
        await it.raises(urgent(text="It went on.", revision=2), action="amended")
        await expect(page.locator("#alert")).to_contain_text("It went on.")
        many = [urgent(f"AL-{n}", subject=f"W-{n}", wearer_id=f"W-{n}") for n in range(40)]
        for _ in range(2):  # a line that cannot keep up is told to load anew
            await it.parts.live.tell(b"event: anew\ndata: {}\n\n")
        await it.raises(*many)
        await expect(page.locator("#row-AL-7")).to_be_visible()
        [after] = await it.store.sign_ins("operator")
        assert after.used_at == before.used_at
        it.clock.advance(before.used_at + IDLE)
        it.parts.live.still_every_s = 0.0
        await page.wait_for_url(re.compile("/sign-in"))
