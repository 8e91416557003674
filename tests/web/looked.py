"""Pictures of every page, for people to look at: `python -m tests.web.looked FOLDER [NAME...]`.

Each page of `tests/web/sights` at 360, 1280 and 2560 px, by day and by night, whole: `FOLDER/queue-phone-dark.png`.
With names only those that begin so.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, Response

from tests.web.centre import online
from tests.web.chromium import SIZES, chromium, signed_in
from tests.web.sights import FILLED, Filled, Sight

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


class Visitors:
    """A browser's windows, one for each account."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._address = browser, address
        self._pages: dict[str, Page] = {}

    async def page_of(self, who: str) -> Page:
        """The page of somebody who is signed in, or of a stranger; the policy for content lets a test's script in."""
        if who not in self._pages:
            context = await self._browser.new_context(
                base_url=self._address, bypass_csp=True, reduced_motion="reduce", service_workers="block"
            )
            self._pages[who] = await (signed_in(context, self._address, who) if who else context.new_page())
        return self._pages[who]

    async def leave(self) -> None:
        """Close them."""
        for page in self._pages.values():
            await page.context.close()


async def seen(browser: Browser, filled: Filled, *names: str) -> AsyncIterator[tuple[Sight, Page]]:
    """Each sight in turn, as a page that has done what is done there."""
    async with online(filled.it) as address:
        visitors = Visitors(browser, address)
        for sight in filled.sights:
            if names and not sight.name.startswith(names):
                continue
            page = await visitors.page_of(sight.who)
            await page.set_viewport_size({"width": 1280, "height": 800})
            statuses: list[int] = []

            def note(answer: Response, statuses: list[int] = statuses) -> None:
                if answer.request.is_navigation_request():
                    statuses.append(answer.status)

            page.on("response", note)
            await page.goto(sight.path.format(**filled.there))
            if sight.does is not None:
                await sight.does(page)
            page.remove_listener("response", note)
            assert statuses[-1] == sight.status, (sight.name, statuses)
            yield sight, page
        await visitors.leave()


async def is_drawn(page: Page) -> None:
    """Two frames later, the browser shows what it was told."""
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def pictured(page: Page, folder: Path, name: str) -> None:
    """One page at three widths and in two themes."""
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            await page.emulate_media(color_scheme=theme)
            await is_drawn(page)
            await page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=True)


async def look(folder: Path, *names: str) -> int:
    """Make the pictures, and say which; how many."""
    made = 0
    async with chromium() as browser:
        for filled_in in FILLED:
            with tempfile.TemporaryDirectory() as place:
                async with filled_in(Path(place)) as filled:
                    async for sight, page in seen(browser, filled, *names):
                        await pictured(page, folder, sight.name)
                        made += len(SIZES) * len(THEMES)
                        sys.stderr.write(f"{sight.name}\n")
    return made


def main() -> None:
    """Into the folder that is named."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{asyncio.run(look(folder, *sys.argv[2:]))} pictures in {folder}\n")


if __name__ == "__main__":
    main()
