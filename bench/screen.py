"""One real browser among the consoles: when each P1 alert stood on its screen. Chromium is the system's own.

`python -m bench.screen ARGUMENTS` is what `bench.console` starts where there is a Chromium; it speaks as
`bench.watchers` does. What is not P1 waits above the list until its reader asks for it, so it is not looked for.
"""

import asyncio
import json
import shutil
import sys
import time
from typing import Any

from playwright.async_api import async_playwright

from bench.watchers import committed_by_now, quantile

_NOTE = """
window.shownAt = {};
new MutationObserver(changes => {
  for (const change of changes) for (const node of change.addedNodes) {
    if (!(node instanceof HTMLElement)) continue;
    const rows = node.matches('.row') ? [node] : [...node.querySelectorAll('.row')];
    for (const row of rows) requestAnimationFrame(() => { window.shownAt[row.dataset.id] ??= Date.now(); });
  }
}).observe(document, {childList: true, subtree: true});
"""
"""Rows are on the screen with the frame that follows."""
_SETTLES_S = 2.0


def chromium() -> str | None:
    """The system's, where it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


async def shown(address: str, token: str) -> dict[str, float]:
    """From commit to the screen, of all P1 alerts that came while it was open."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        try:
            context = await browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
            await context.add_cookies([{"name": "emcheck", "value": token, "url": address}])
            page = await context.new_page()
            await page.add_init_script(_NOTE)
            await page.goto("/")
            await page.wait_for_function("document.querySelector('#live').textContent.includes('live,')")
            committed = await committed_by_now()
            await asyncio.sleep(_SETTLES_S)
            seen: dict[str, float] = await page.evaluate("window.shownAt")
        finally:
            await browser.close()
    ahead_s = time.time() - time.monotonic()  # the browser tells the time of day
    delays = sorted(seen[name] - (at + ahead_s) * 1000 for name, at in committed.items() if name in seen)
    return {"shown": len(delays), "screen_p50_ms": quantile(delays, 50), "screen_p95_ms": quantile(delays, 95)}


if __name__ == "__main__":
    asked: dict[str, Any] = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(shown(**asked))))
