"""Real Chromium, the system's own, driven by Playwright; who signs in by the form, and what is wrong with a page."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.programs import program
from tests.web.centre import PASSWORD

SIZES = {"phone": (360, 780), "laptop": (1280, 800), "wall": (2560, 1440)}
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


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


async def faults_of(
    page: Page, *, sizes: Mapping[str, tuple[int, int]] = SIZES, rules: Mapping[str, Any] | None = None
) -> dict[str, list[str]]:
    """What axe finds on this page, and where it is wider than the window, by size and theme; `rules` are more rules."""
    faults: dict[str, list[str]] = {}
    await page.evaluate(AXE)
    for size, (width, height) in sizes.items():
        await page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme=theme)
            found = await page.evaluate(
                "options => axe.run(document, options).then(r => r.violations.map("
                "v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join(' | ')))",
                {"runOnly": TAGS, "rules": dict(rules or {})},
            )
            if found:
                faults[f"{page.url} {size} {theme}"] = found
        wide_by = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide_by > 0:
            faults[f"{page.url} {size}"] = [f"{wide_by} px wider than the window"]
    return faults
