"""Real Chromium, the system's own, driven by Playwright."""

import contextlib
from collections.abc import AsyncIterator

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.programs import program
from tests.web.centre import PASSWORD

SIZES = {"phone": (360, 780), "laptop": (1280, 800), "wall": (2560, 1440)}


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One for the length of a block."""
    path = program("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            await browser.close()


async def signed_in(browser: Browser | BrowserContext, address: str, name: str = "operator") -> Page:
    """A page of somebody who signed in by the form, at the queue."""
    page = await browser.new_page(base_url=address) if isinstance(browser, Browser) else await browser.new_page()
    await page.goto(f"{address}/sign-in")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: "sign-in" not in url)
    return page
