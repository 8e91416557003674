"""In real Chromium, on a phone: a photo is scaled down and coded anew there, and survives a dead spot."""

from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from emcheck.domain.fitting.acts import AddPhoto
from emcheck.domain.fitting.photos import bare, size_of
from tests.web.centre import Centre, online
from tests.web.chromium import chromium
from tests.web.doorstep import Doorstep, fitters, unfitted_centre
from tests.web.test_visits_browser import Phone, acts_of, until

DRAWN = """([width, height]) => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, {width, height});
  const pen = canvas.getContext("2d");
  for (let at = 0; at < 40; at += 1) {
    pen.fillStyle = `hsl(${at * 9} 60% 50%)`;
    pen.fillRect(at * width / 40, 0, width / 40, height);
  }
  return canvas.toDataURL("image/png").split(",")[1];
}"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with unfitted_centre(tmp_path, note="left leg prosthetic") as made:
        await fitters(made, "a.fitter")
        yield made


async def takes(phone: Phone, width: int, height: int, caption: str = "Strap and skin") -> None:
    """A photo of that size, as a camera would hand it over."""
    file = {"name": "IMG_1.png", "mimeType": "image/png", "buffer": b""}
    file["buffer"] = b64decode(await phone.page.evaluate(DRAWN, [width, height]))
    if await phone.page.locator("#photo[open]").count() == 0:
        await phone.page.locator("#photo summary").click()
    await phone.page.locator("#photo label", has_text=caption).click()
    await phone.page.locator("#photo input[type=file]").set_input_files(file)  # type: ignore[arg-type] # a payload


async def photos_of(it: Centre, session: str) -> list[AddPhoto]:
    return [act for act in await acts_of(it, session) if isinstance(act, AddPhoto)]


@pytest.mark.timeout(120)
async def test_photos_taken_in_a_dead_spot_are_sent_after_it_each_once(it: Centre, browser: Browser) -> None:
    async with online(it) as address:
        phone = await Phone.of(browser, address, it, Doorstep(it))
        page = phone.page
        await phone.begins()
        session = phone.session
        await until(page, f"caches.match('/visits/{session}/limb', {{ignoreVary: true}}).then(Boolean)")
        await phone.context.set_offline(True)
        await takes(phone, 2400, 1800)
        await expect(page.locator("#strip")).to_contain_text("saved on this phone, 1 to send")
        await expect(page.locator("#photo .kept")).to_have_text("The photo is saved on this phone and will be sent.")
        taken_at = it.clock.now()
        await phone.passes(30)
        await phone.chooses("photo", "date of birth")
        await phone.presses("Confirmed")
        await page.wait_for_url("**/limb")
        await takes(phone, 300, 400, "The whole leg")
        await expect(page.locator("#strip")).to_contain_text("saved on this phone, 3 to send")
        assert await acts_of(it, session) == []

        await phone.context.set_offline(False)
        await phone.has_sent_all()
        first, second = await photos_of(it, session)
        acts = await acts_of(it, session)
        assert acts[0].type == "fitting_answer", "a photo waits for an answer"
        assert (first.caption, first.at, second.caption) == ("strap_and_skin", taken_at, "whole_leg")
        pictures: list[Any] = [await it.store.picture(session, photo.sha256) for photo in (first, second)]
        assert [size_of(picture) for picture in pictures] == [(1600, 1200), (300, 400)]
        assert [bare(picture) for picture in pictures] == pictures

        await page.goto(f"/visits/{session}")
        await page.locator(".photos summary").click()
        await page.locator(".photos img").last.scroll_into_view_if_needed()
        await until(page, "document.images.length === 2 && [...document.images].every((one) => one.naturalWidth > 0)")
        assert [line for line in phone.said if "Content Security" in line or "Error" in line] == []
        await phone.context.close()


@pytest.mark.timeout(120)
async def test_a_photo_whose_answer_was_lost_is_not_kept_twice_and_goes_before_the_end(
    it: Centre, browser: Browser
) -> None:
    async with online(it) as address:
        phone = await Phone.of(browser, address, it, Doorstep(it), service_workers="block")
        await phone.begins()
        session, lost = phone.session, await phone.loses_an_answer("**/photos?*")
        await takes(phone, 640, 480)
        await expect(phone.page.locator("#strip")).to_contain_text("1 to send")
        assert lost[0].ok
        await phone.page.goto(f"/visits/{session}/end")
        await phone.chooses("Nobody was there")
        await phone.presses("End the visit")
        await phone.page.wait_for_url(f"**/visits/{session}")
        await expect(phone.page.locator("main")).to_contain_text("Photos (1)")
        await expect(phone.page.locator("#refused")).to_be_hidden()
        assert len(await photos_of(it, session)) == 1
        await phone.context.close()


async def test_a_file_that_is_no_picture_is_said_at_once(it: Centre, browser: Browser) -> None:
    async with online(it) as address:
        phone = await Phone.of(browser, address, it, Doorstep(it))
        await phone.begins()
        await phone.page.locator("#photo summary").click()
        file: Any = {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
        await phone.page.locator("#photo input[type=file]").set_input_files(file)
        await expect(phone.page.locator("#photo .kept")).to_have_text(
            "This file is no picture that the phone can read."
        )
        assert await photos_of(it, phone.session) == []
        await phone.context.close()
