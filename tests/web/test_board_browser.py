"""In real Chromium: the board refreshes itself, says when it is stale, and keeps where the reader is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support import UnitStory, at
from tests.web.centre import Centre, centre, online
from tests.web.chromium import signed_in
from tests.web.test_board import settle, street

COLOURS = """() => {
  const style = getComputedStyle(document.documentElement);
  const named = ["--ink", "--paper", "--on-primary"].map((name) => [name, style.getPropertyValue(name).trim()]);
  return { ...Object.fromEntries(named), scheme: style.colorScheme };
}"""


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path, street(5)) as it:
        it.parts.board_every_ms = 1_000
        await settle(it)
        yield it


async def test_the_board_follows_what_units_tell_and_says_when_it_cannot(town: Centre, browser: Browser) -> None:
    async with online(town) as address:
        page = await signed_in(browser, address)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.goto(f"{address}/board")
        out = page.locator("#tile-out_in_curfew b")
        await expect(out).to_have_text("1")
        await page.locator("#w-W-2").focus()
        home = UnitStory("BU-0002")
        home.seq = 100
        await town.tells(home.hears(at("19:30:40"), tag="T-2"))
        town.clock.advance(at("19:31"))
        await expect(out).to_have_text("0")
        await expect(page.locator("#w-W-2")).to_be_focused()
        town.is_ready = False
        await expect(page.locator(".asof")).to_contain_text("stale since")
        await expect(page.locator("#w-W-2")).to_be_visible()
        town.is_ready = True
        town.clock.advance(at("19:32"))
        await expect(page.locator(".asof")).not_to_contain_text("stale")
        await page.context.set_offline(True)
        await expect(page.locator(".asof")).to_contain_text("stale since")
        await expect(page.locator(".outcome.said")).to_have_count(0)
        await page.context.set_offline(False)
        await expect(page.locator(".asof")).not_to_contain_text("stale")
        assert [line for line in said if "Content Security Policy" in line or "TypeError" in line] == []


async def test_the_board_is_read_without_javascript(town: Centre, browser: Browser) -> None:
    async with online(town) as address:
        context = await browser.new_context(base_url=address, java_script_enabled=False)
        page = await signed_in(context, address)
        await page.goto(f"{address}/board")
        await page.get_by_label("State").select_option("home")
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator("tbody tr.home")).to_have_count(1)
        await page.locator("#w-W-1").click()
        await expect(page.locator("h1")).to_have_text("W-1 <Wearer> 1")
        await context.close()


async def test_the_shift_is_printed_without_its_menus(town: Centre, browser: Browser) -> None:
    async with online(town) as address:
        page = await signed_in(browser, address)
        await page.goto(f"{address}/shift")
        await expect(page.locator("form.choose")).to_be_visible()
        await page.emulate_media(media="print", color_scheme="dark")
        await page.set_viewport_size({"width": 794, "height": 1123})  # A4
        for gone in ("form.choose", ".top"):
            await expect(page.locator(gone)).to_be_hidden()
        await expect(page.locator("h1")).to_be_visible()
        await expect(page.locator("h1")).to_have_css("color", "rgb(0, 0, 0)")
        await expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
        await expect(page.locator("table thead").first).to_have_css("display", "table-header-group")
        assert len(await page.pdf()) > 5_000
        for theme in ("light", "dark"):
            await page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            colours = await page.evaluate(COLOURS)
            assert colours["--ink"] == "#000"
            assert colours["--paper"] == colours["--on-primary"] == "#fff"
            assert colours["scheme"] == "light"
