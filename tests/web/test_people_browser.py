"""In real Chromium: a second factor is set up and asked for; pages about the own account, at every size and theme."""

import json
import re

import pyotp
from playwright.async_api import Browser, expect

from tests.web.centre import PASSWORD, Centre, online
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
