"""Every page, in the sight of a program: none is forgotten, axe finds nothing, nothing is too wide, focus is seen."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Literal

import pytest
from fastapi.routing import APIRoute
from jinja2 import Environment
from playwright.async_api import Browser, Page

from emcheck.web import pages
from emcheck.web.visits import drawing
from tests.web.centre import Centre
from tests.web.chromium import AXE, SIZES, TAGS
from tests.web.looked import is_drawn, seen
from tests.web.sights import NOT_PAGES, Filled, all_sights, day, night, routes_seen
from tests.web.test_rights import walked

CLOSER: tuple[tuple[str, Literal["light", "dark"]], ...] = (("phone", "light"), ("laptop", "dark"), ("wall", "light"))
"""Colours are those of a theme at each width, so three looks of axe see all of both."""
WITHOUT_FOCUS = """() => {
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
  const all = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  return Array.from(document.querySelectorAll(all))
    .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.disabled && each.tabIndex >= 0)
    .filter((each) => {
      each.focus({focusVisible: true});
      const ring = getComputedStyle(each);
      return document.activeElement !== each || ring.outlineStyle === "none" || parseFloat(ring.outlineWidth) < 2;
    }).map((each) => each.outerHTML.slice(0, 100));
}"""
SKIP = """() => {
  const skip = document.querySelector("a.skip"), main = document.querySelector("main, [role=main]");
  skip.focus({focusVisible: true});
  const box = skip.getBoundingClientRect(), to = document.querySelector(skip.getAttribute("href"));
  return box.width > 40 && box.height >= 24 && box.top >= 0 && to !== null
    && (to === main || to.contains(main) || main.contains(to));
}"""
SMALL = """() => Array.from(document.querySelectorAll("body *:not(svg *)"))
  .filter((each) => each.innerText && parseFloat(getComputedStyle(each).fontSize) < 14)
  .map((each) => each.outerHTML.slice(0, 80))"""


def test_no_page_is_forgotten(it: Centre) -> None:
    pages_of = {
        route.path
        for route in walked(it.app.routes)
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and not route.path.startswith("/api/")
    }
    looked_at = routes_seen(it, [sight.path.replace("{", "").replace("}", "") for sight in all_sights()])
    assert pages_of - looked_at - NOT_PAGES == set(), "add them to tests/web/sights.py"
    assert NOT_PAGES - pages_of == set()


async def closely(page: Page) -> list[str]:
    """What is wrong with a page as it is shown now."""
    found: list[str] = await page.evaluate(
        "tags => axe.run(document, {runOnly: tags, rules: {'target-size': {enabled: true}}}).then(r => r.violations"
        ".map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join(' | ')))",
        TAGS,
    )
    return found


async def wrong_with(page: Page) -> dict[str, Any]:
    """What is wrong with a page, by size and theme."""
    faults: dict[str, Any] = {}
    await page.evaluate(AXE)
    for size, theme in CLOSER:
        width, height = SIZES[size]
        await page.set_viewport_size({"width": width, "height": height})
        await page.emulate_media(color_scheme=theme)
        await is_drawn(page)
        if found := await closely(page):
            faults[f"axe, {size}, {theme}"] = found
        if (by := await page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
            faults[f"width, {size}"] = f"{by} px wider than the window"
        if small := await page.evaluate(SMALL):
            faults[f"smaller than 14 px, {size}"] = small
    if not await page.evaluate(SKIP):
        faults["skip"] = "the link to the content is not seen when it has the focus, or leads nowhere"
    if unseen := await page.evaluate(WITHOUT_FOCUS):
        faults["focus is not seen"] = unseen
    return faults


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("filled_in", "templates"),
    [(night, lambda: pages._ENVIRONMENT), (day, lambda: drawing._environment("en"))],
    ids=["night", "day"],
)
async def test_every_page_is_accessible_in_both_themes_at_every_width_and_all_templates_are_seen(
    tmp_path: Path,
    browser: Browser,
    filled_in: Callable[[Path], AbstractAsyncContextManager[Filled]],
    templates: Callable[[], Environment],
) -> None:
    environment = templates()
    assert environment.cache is not None
    environment.cache.clear()
    faults: dict[str, Any] = {}
    async with filled_in(tmp_path) as filled:
        async for sight, page in seen(browser, filled):
            if found := await wrong_with(page):
                faults[sight.name] = found
    drawn = {name for _, name in environment.cache.keys()}  # noqa: SIM118 - Jinja's cache is no mapping
    assert faults == {}, json.dumps(faults, indent=1)
    assert set(environment.list_templates()) - drawn == set(), "no sight draws them: add one to tests/web/sights.py"
