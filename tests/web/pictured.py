"""The README's pictures, of the running system: `python -m tests.web.pictured [console] [fitting-phone]`.

`console` is the night of `emcheck demo --console` when it is over, at an operator's laptop. `fitting-phone` is a visit
of `emcheck fit demo skin --console` on a phone, step by step at the pace of a clock: it takes some six minutes.
"""

import asyncio
import base64
import contextlib
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from playwright.async_api import Browser, Page, expect

from tests.web.centre import PASSWORD
from tests.web.chromium import chromium, signed_in

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PATIENCE_MS = 180_000
STILL_S = 15
"""For how long the fitter holds still, so that the tag tells what is so."""
LINK = re.compile(r"(http://\S+)/welcome/\S+")


@contextlib.asynccontextmanager
async def demo(*said: str, is_up: str) -> AsyncIterator[str]:
    """`emcheck` with what is `said`, once it printed `is_up`; the link that it printed."""
    with tempfile.TemporaryDirectory() as folder:
        emcheck = Path(sys.executable).with_name("emcheck")
        program = await asyncio.create_subprocess_exec(
            emcheck, *said, "--folder", folder, stdout=asyncio.subprocess.PIPE
        )
        assert program.stdout is not None
        printed = ""
        try:
            while is_up not in printed or LINK.search(printed) is None:
                line = await program.stdout.readline()
                assert line, printed
                printed += line.decode()
            link = LINK.search(printed)
            assert link is not None
            yield link[0]
        finally:
            program.terminate()
            await program.communicate()


async def welcomed(browser: Browser, link: str, *, width: int, height: int) -> Page:
    """A page of whoever was invited: the password is chosen, and they are signed in."""
    context = await browser.new_context(
        base_url=link.partition("/welcome/")[0], viewport={"width": width, "height": height}
    )
    page = await context.new_page()
    await page.goto(link)
    name = await page.get_by_label("Name").input_value()
    for field in await page.locator("input[type=password]").all():
        await field.fill(PASSWORD)
    await page.get_by_role("button", name="Choose it").click()
    await page.wait_for_url("**/sign-in?*")
    await page.close()
    return await signed_in(context, link.partition("/welcome/")[0], name)


async def console(browser: Browser) -> bytes:
    """The queue, and the first alert of it."""
    async with demo("demo", "--console", is_up="The console is up") as link:
        page = await welcomed(browser, link, width=1280, height=800)
        await expect(page.locator("#live")).to_contain_text("live,")
        await page.keyboard.press("Enter")
        await expect(page.locator("#alert .picture svg").first).to_be_visible()
        picture = await page.screenshot()
        await page.context.close()
        return picture


class Fitter:
    """At the steps of a visit, with the phone in one hand."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(PATIENCE_MS)

    async def chooses(self, *texts: str) -> None:
        """What is there to be tapped."""
        for text in texts:
            await self.page.locator("label", has_text=text).first.click()

    async def presses(self, button: str, *, then: str = "") -> None:
        """The button in reach of the thumb; the step that comes `then`."""
        await self.page.locator("#reach, .reach").get_by_role("button", name=button).click()
        if then:
            await self.page.wait_for_url(f"**/{then}")

    async def signs(self, role: str) -> None:
        """By finger."""
        field = self.page.locator(f"[data-role={role}] canvas")
        await field.scroll_into_view_if_needed()
        box = await field.bounding_box()
        assert box is not None
        mouse, x, y = self.page.mouse, box["x"], box["y"] + box["height"] / 2
        await mouse.move(x + 40, y)
        await mouse.down()
        for step in range(20):
            await mouse.move(x + 50 + 8 * step, y + (-28, 24, -14, 18)[step % 4] * (1 - step / 30), steps=4)
        await mouse.up()


async def fitting_phone(browser: Browser) -> bytes:
    """Four moments of a visit, beside each other."""
    async with demo("fit", "demo", "skin", "--console", is_up="Order O-1") as link:
        page = await welcomed(browser, link, width=360, height=740)
        seen = [picture async for picture in _moments(page)]
        await page.context.close()
    return await beside(browser, seen)


async def beside(browser: Browser, seen: list[bytes]) -> bytes:
    """Four pictures of a phone as one."""
    sheet = await browser.new_page(viewport={"width": 1500, "height": 758})
    shown = "".join(f"<img src='data:image/png;base64,{base64.b64encode(each).decode()}'>" for each in seen)
    style = "body{margin:8px;display:flex;gap:14px}img{width:360px;border:1px solid #7a858f;border-radius:14px}"
    await sheet.set_content(f"<style>{style}</style>{shown}")
    picture = await sheet.screenshot()
    await sheet.close()
    return picture


async def _moments(page: Page) -> AsyncIterator[bytes]:
    fitter, verdict = Fitter(page), page.locator("#now .verdict")
    await page.goto("/visits/new?order=O-1")
    await page.get_by_label("Tag in your hand").fill("T-7")
    await page.get_by_label("Your own tag").fill("F-1")
    await fitter.presses("Begin the visit")
    await expect(page.locator("#wrong")).to_contain_text("is in no register")
    await fitter.presses("Begin the visit", then="identity")
    await fitter.chooses("photo", "date of birth")
    await fitter.presses("Confirmed", then="limb")
    await fitter.chooses("right ankle")
    await fitter.presses("Natural limb", then="skin")
    await fitter.presses("Yes, bare skin", then="movement")
    await fitter.presses("Yes, both seen", then="strap_gap")
    await fitter.chooses("9")
    await fitter.presses("Measured", then="slide_off")
    await fitter.presses("Yes, it stays on")
    await page.wait_for_url(lambda url: "slide_off" not in url)
    visit = page.url.rpartition("/")[0]
    await page.goto(f"{visit}/body")
    await asyncio.sleep(STILL_S)
    await fitter.presses("It is lifted off")
    await expect(verdict).to_contain_text("Let the tag down", timeout=PATIENCE_MS)
    await asyncio.sleep(STILL_S)
    yield await page.screenshot()
    await page.locator("#reach > [data-stage=lowered] .primary").click()
    await asyncio.sleep(STILL_S)
    await fitter.presses("They walk on the spot")
    await expect(verdict).to_contain_text("On a living limb", timeout=PATIENCE_MS)
    yield await page.screenshot()
    await page.goto(f"{visit}/call")
    await fitter.presses("Yes, it went through", then="walk")
    for room in ("hall", "kitchen"):
        await page.get_by_role("button", name=room).click()
        await expect(page.locator(".rooms tr", has_text=room)).to_contain_text("✓", timeout=PATIENCE_MS)
        await asyncio.sleep(STILL_S)
    yield await page.screenshot()
    async with page.expect_response("**/acts"):
        await fitter.presses("The walk is over")
    for step in ("unit", "walk", "schedule", "fitter_tag"):
        await page.goto(f"{visit}/{step}")
        await expect(verdict).to_contain_text("Done", timeout=PATIENCE_MS)
    await page.goto(f"{visit}/sign")
    await fitter.signs("fitter")
    await fitter.signs("wearer")
    await page.locator("[data-role=wearer]").evaluate("field => scrollBy(0, field.getBoundingClientRect().top - 70)")
    yield await page.screenshot()


MADE: Mapping[str, Callable[[Browser], Awaitable[bytes]]] = MappingProxyType(
    {"console": console, "fitting-phone": fitting_phone}
)


async def picture(*names: str) -> None:
    """Make those that are named, or all."""
    async with chromium() as browser:
        for name in names or MADE:
            made = await MADE[name](browser)
            await asyncio.to_thread((PICTURES / f"{name}.png").write_bytes, made)
            sys.stdout.write(f"{PICTURES / name}.png\n")


if __name__ == "__main__":
    if set(sys.argv[1:]) - MADE.keys():
        sys.exit(__doc__)
    asyncio.run(picture(*sys.argv[1:]))
