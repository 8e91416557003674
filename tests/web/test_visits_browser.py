"""In real Chromium, on a phone: a whole fitting with the network cut in the walk test, and what a phone may suffer."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.async_api import APIResponse, Browser, BrowserContext, Error, Page, Route, expect

from emcheck.domain.fitting.steps import STEPS
from emcheck.ingest.embedded import free_port
from emcheck.service.session import sessions_of
from tests.domain.visited import on_foam
from tests.web.centre import Centre, centre, online
from tests.web.chromium import faults_of, signed_in
from tests.web.doorstep import BEGIN, Doorstep, fitters, unfitted_centre

PHONE: Any = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
SMALL = {"phone": (360, 740), "laptop": (1280, 800)}
NOTE = "left leg prosthetic: fit on the right"


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with unfitted_centre(tmp_path, note=NOTE) as made:
        await fitters(made, "a.fitter", "b.fitter")
        yield made


SENT = """() => new Promise((done) => {
  const asked = indexedDB.open("emcheck-visits");
  asked.onsuccess = () => {
    const counted = asked.result.transaction("acts").objectStore("acts").count();
    counted.onsuccess = () => { asked.result.close(); done(counted.result === 0); };
  };
})"""


async def until(page: Page, promise: str) -> None:
    """What the page promises is so; a page that is left meanwhile is asked again."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(Error):
                if await page.evaluate(promise):
                    return
            await asyncio.sleep(0.1)


class Phone:
    """A fitter at their phone; its clock is the centre's, an hour fast."""

    def __init__(self, context: BrowserContext, page: Page, it: Centre, hallway: Doorstep) -> None:
        self.context, self.page, self.it, self.hallway = context, page, it, hallway
        self.said: list[str] = []
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", lambda line: self.said.append(line.text))

    @classmethod
    async def of(
        cls, browser: Browser, address: str, it: Centre, hallway: Doorstep, name: str = "a.fitter", **more: Any
    ) -> "Phone":
        context = await browser.new_context(base_url=address, **PHONE, **more)
        page = await signed_in(context, address, name)
        phone = cls(context, page, it, hallway)
        await phone.sets_clock()
        return phone

    @property
    def session(self) -> str:
        return self.page.url.split("/")[4]

    async def sets_clock(self) -> None:
        await self.page.clock.set_fixed_time(self.it.clock.now() / 1000 + 3_600)

    async def loses_an_answer(self, address: str) -> list[APIResponse]:
        """The first answer from there never arrives; it is in the list once it was given."""
        lost: list[APIResponse] = []

        async def loses(route: Route) -> None:
            if lost:
                await route.continue_()
                return
            lost.append(await route.fetch())
            await route.abort()

        await self.page.route(address, loses)
        return lost

    async def passes(self, seconds: int) -> None:
        """Time passes, for the phone too."""
        await self.hallway.passes(seconds)
        await self.sets_clock()

    async def has_sent_all(self) -> None:
        await until(self.page, SENT)
        await expect(self.page.locator("#strip")).to_be_hidden()

    async def begins(self) -> None:
        await self.page.get_by_role("link", name="Priya").click()
        await self.page.get_by_label("Tag in your hand").fill("T-1")
        await self.page.get_by_label("Your own tag").fill("F-1")
        await self.page.get_by_role("button", name="Begin the visit").click()
        await expect(self.page.locator("#wrong")).to_contain_text("T-1 is in no register and no unit hears it")
        await self.page.get_by_role("button", name="Begin the visit").click()
        await self.is_at("identity")

    async def is_at(self, step: str) -> None:
        await self.page.wait_for_url(f"**/{step}")
        if step != "sign":
            await expect(self.page.locator("#liveness")).to_have_text("live")
            await expect(self.page.locator(".bar .count")).to_be_visible()

    async def presses(self, button: str) -> None:
        await self.page.locator("#reach, .reach").get_by_role("button", name=button).click()

    async def chooses(self, *texts: str) -> None:
        for text in texts:
            await self.page.locator("label", has_text=text).first.click()

    async def to_the_check(self) -> None:
        await self.chooses("photo", "date of birth")
        await self.presses("Confirmed")
        await self.is_at("limb")
        await expect(self.page.locator("input[value=left_ankle]")).to_be_disabled()
        await self.chooses("right ankle")
        await self.presses("Natural limb")
        await self.is_at("skin")
        await self.presses("Yes, bare skin")
        await self.is_at("movement")
        await self.presses("Yes, both seen")
        await self.is_at("strap_gap")
        await self.passes(3)
        await self.chooses("9")
        await self.presses("Measured")
        await self.is_at("slide_off")
        await self.presses("Yes, it stays on")
        await self.page.wait_for_url(lambda url: "slide_off" not in url)
        await self.page.goto(f"/visits/{self.session}/body")
        await self.passes(15)
        await self.presses("It is lifted off")
        await expect(self.page.locator("#reach > [data-stage=lowered]")).to_be_visible()
        await expect(self.page.locator("#reach > [data-stage=lowered] .primary")).to_have_count(0)
        await self.passes(25)
        await expect(self.page.locator("#reach > [data-stage=lowered] .primary")).to_be_visible()
        await self.presses("It is down again")
        await self.passes(5)
        await self.presses("They walk on the spot")
        await expect(self.page.locator("#reach > [data-stage=wait]")).to_be_visible()

    async def draws(self, role: str) -> None:
        """A signature by finger."""
        canvas = self.page.locator(f"[data-role={role}] canvas")
        await canvas.scroll_into_view_if_needed()
        box = await canvas.bounding_box()
        assert box is not None
        mouse, x, y = self.page.mouse, box["x"], box["y"]
        for start in (20, 120):
            await mouse.move(x + start, y + 40)
            await mouse.down()
            await mouse.move(x + start + 60, y + 90, steps=8)
            await mouse.move(x + start + 90, y + 30, steps=8)
            await mouse.up()


async def acts_of(it: Centre, session: str) -> list[Any]:
    return [act for _, act in (await sessions_of(it.store))[session].acts[1:]]


@pytest.mark.timeout(170)
async def test_a_whole_fitting_on_a_phone_with_the_network_cut_in_the_walk_test(it: Centre, browser: Browser) -> None:
    hallway = Doorstep(it, levels={"kitchen": -71.0, "bedroom": -78.0})
    async with online(it) as address:
        phone = await Phone.of(browser, address, it, hallway)
        page = phone.page
        await phone.begins()
        await expect(page.locator(".limb-note")).to_contain_text(NOTE)
        await phone.to_the_check()
        await phone.passes(120)
        await expect(page.locator("#now .verdict")).to_contain_text("Done On a living limb")
        await expect(page.locator("#now dd").first).to_contain_text("°C")
        await expect(page.locator("#told")).to_contain_text("On a living limb")
        await page.goto(f"/visits/{phone.session}/call")
        await phone.presses("Yes, it went through")
        await phone.is_at("walk")
        await page.get_by_role("button", name="hall").click()
        await expect(page.locator("#rooms [aria-pressed=true]")).to_have_text("hall")
        await phone.passes(30)
        await expect(page.locator("#reach > [data-stage=one_room]")).to_be_visible()
        await until(page, "caches.match('/visits').then(Boolean)")
        session = phone.session
        await until(page, f"caches.match('/visits/{session}/end', {{ignoreVary: true}}).then(Boolean)")

        await phone.context.set_offline(True)
        await expect(page.locator("#liveness")).to_have_text("no connection")
        await page.get_by_role("button", name="kitchen").click()
        await expect(page.locator("#strip")).to_contain_text("saved on this phone, 1 to send")
        await expect(page.locator("#now .readings")).to_be_hidden()
        await expect(page.locator("#reach > [data-stage=one_room]")).to_be_hidden()
        await expect(page.locator("#reach > [data-stage=walk_over]")).to_be_visible()
        walked = [(it.clock.now(), "kitchen")]
        hallway.rooms_really = ["kitchen"]
        await phone.passes(30)
        await page.get_by_role("button", name="bedroom").click()
        walked.append((it.clock.now(), "bedroom"))
        hallway.rooms_really = ["bedroom"]
        await phone.passes(30)
        await page.reload()
        await expect(page.locator("#strip")).to_contain_text("saved on this phone, 2 to send")
        await expect(page.locator("#rooms [aria-pressed=true]")).to_have_text("bedroom")
        await expect(page.locator("#liveness")).to_have_text("no connection")
        await phone.presses("The walk is over")
        await expect(page.locator("#strip")).to_contain_text("saved on this phone, 3 to send")
        over_at = it.clock.now()
        hallway.rooms_really = ["hall"]
        await page.wait_for_url("**/schedule")
        await phone.passes(20)
        assert len([act for act in await acts_of(it, session) if act.type == "fitting_mark"]) == 4

        await phone.context.set_offline(False)
        await phone.has_sent_all()
        marks = [act for act in await acts_of(it, session) if act.type == "fitting_mark"][4:]
        assert [(mark.at, mark.what, mark.room) for mark in marks] == [
            (walked[0][0], "room", "kitchen"), (walked[1][0], "room", "bedroom"), (over_at, "walk_over", None),
        ]  # fmt: skip
        await page.goto(f"/visits/{session}/walk")
        await expect(page.locator(".rooms tr", has_text="kitchen")).to_contain_text("-71 dBm")
        await expect(page.locator(".rooms tr", has_text="bedroom")).to_contain_text("-78 dBm")
        await expect(page.locator("#now .verdict")).to_contain_text("Every room that was walked is heard")

        await page.goto(f"/visits/{session}/sign")
        await phone.presses("Sign and end the visit")
        for role, words in (("wearer", "The wearer's signature is missing"), ("fitter", "Your signature is missing")):
            await expect(page.locator(f"[data-role={role}] .missing-one")).to_contain_text(words)
        await phone.draws("wearer")
        await phone.presses("Sign and end the visit")
        await expect(page.locator("[data-role=wearer] .missing-one")).to_be_hidden()
        await expect(page.locator("[data-role=fitter] .missing-one")).to_be_visible()
        await phone.draws("fitter")
        await phone.context.set_offline(True)
        await phone.presses("Sign and end the visit")
        await expect(page.locator("#lacks")).to_contain_text("Your signatures stay here")
        await phone.context.set_offline(False)
        await phone.presses("Sign and end the visit")
        await expect(page.locator(".verdict.passed")).to_contain_text("Success", timeout=15_000)
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Record as PDF").click()
        assert (await downloading.value).suggested_filename == f"{session}.pdf"
        closed = (await sessions_of(it.store))[session].closed
        assert closed is not None
        assert [len(signature.strokes) for signature in closed.signatures] == [2, 2]
        assert [line for line in phone.said if "Content Security" in line or "Error" in line] == []
        await until(page, f"caches.match('/visits/{session}/skin').then(kept => !kept)")
        await phone.context.close()


async def test_foam_ends_the_visit_where_the_other_leg_is_barred(it: Centre, browser: Browser) -> None:
    hallway = Doorstep(it, physics=on_foam(Random(2)))
    async with online(it) as address:
        phone = await Phone.of(browser, address, it, hallway)
        await phone.begins()
        await phone.to_the_check()
        await phone.passes(150)
        words = phone.page.locator(".verdict.against")
        await expect(words).to_contain_text("Not on a living limb: end the visit and tell your supervisor")
        await phone.page.get_by_role("link", name="End: it could not be shown").click()
        await expect(phone.page.locator("input[value=cannot_validate]")).to_be_checked()
        await phone.presses("End the visit")
        await expect(phone.page.locator("main")).to_contain_text("Take T-1 off and bring it back")
        await phone.context.close()


async def test_an_act_whose_answer_was_lost_is_not_done_twice(it: Centre, browser: Browser) -> None:
    async with online(it) as address:
        phone = await Phone.of(browser, address, it, Doorstep(it), service_workers="block")
        await phone.begins()
        lost = await phone.loses_an_answer("**/api/v1/visits/*/acts")
        await phone.chooses("photo", "passport")
        await phone.presses("Confirmed")
        await expect(phone.page.locator("#strip")).to_contain_text("1 to send")
        assert lost[0].ok
        await phone.page.wait_for_url("**/limb")
        await phone.has_sent_all()
        assert [act.step for act in await acts_of(it, phone.session)] == ["identity"]
        await phone.context.close()


async def test_a_visit_survives_a_reload_a_restart_and_a_lost_phone(tmp_path: Path, browser: Browser) -> None:
    port = free_port()
    async with unfitted_centre(tmp_path, note=NOTE) as it:
        await fitters(it, "a.fitter", "b.fitter")
        async with online(it, port) as address:
            phone = await Phone.of(browser, address, it, Doorstep(it))
            await phone.begins()
            await phone.chooses("photo", "date of birth")
            await phone.presses("Confirmed")
            await phone.is_at("limb")
            await phone.page.reload()
            await phone.is_at("limb")
    await phone.chooses("right ankle")
    await phone.presses("Natural limb")
    await expect(phone.page.locator("#strip")).to_contain_text("saved on this phone, 1 to send")
    async with centre(tmp_path, begin=BEGIN + 60_000) as it, online(it, port) as address:
        await phone.has_sent_all()
        assert [act.step for act in await acts_of(it, phone.session)] == ["identity", "limb"]
        other = await Phone.of(browser, address, it, Doorstep(it))
        await other.page.get_by_role("link", name="Go on").click()
        await other.is_at("skin")
        await other.presses("Yes, bare skin")
        await other.is_at("movement")
        thief = await Phone.of(browser, address, it, Doorstep(it), "b.fitter")
        await expect(thief.page.locator("main")).to_contain_text("a.fitter is there")
        await thief.page.goto(f"/visits/{other.session}/movement")
        await expect(thief.page.locator("main")).to_contain_text("There is no visit")
        for each in (phone, other, thief):
            await each.context.close()


async def test_what_one_fitter_saved_is_not_sent_in_anothers_name(it: Centre, browser: Browser) -> None:
    async with online(it) as address:
        phone = await Phone.of(browser, address, it, Doorstep(it))
        await phone.begins()
        session = phone.session
        await phone.page.route("**/visits/here", lambda route: route.abort())
        await phone.chooses("photo", "date of birth")
        await phone.presses("Confirmed")
        await expect(phone.page.locator("#strip")).to_contain_text("1 to send")
        await phone.page.unroute("**/visits/here")
        await phone.context.clear_cookies()
        other = await signed_in(phone.context, address, "b.fitter")
        await expect(other.locator("#strip")).to_contain_text("1 saved on this phone by a.fitter")
        await until(other, f"caches.match('/visits/{session}/skin', {{ignoreVary: true}}).then(kept => !kept)")
        assert await acts_of(it, session) == []
        await phone.context.close()


@pytest.mark.timeout(170)
async def test_every_step_is_accessible_in_both_themes_and_fits_a_phone(it: Centre, browser: Browser) -> None:
    hallway = Doorstep(it)
    faults: dict[str, Any] = {}
    async with online(it) as address:
        context = await browser.new_context(base_url=address, bypass_csp=True, **PHONE)
        page = await signed_in(context, address, "a.fitter")
        phone = Phone(context, page, it, hallway)
        await phone.begins()
        session = phone.session
        await hallway.passes(5)
        paths = ["/visits", *(f"/visits/{session}/{step.id}" for step in STEPS)]
        paths += [f"/visits/{session}{path}" for path in ("", "/sign", "/end")] + [
            "/visits/new?order=O-1",
            "/visits/offline",
        ]
        for path in paths:
            await page.goto(path)
            await page.wait_for_load_state("networkidle")
            faults |= await faults_of(page, sizes=SMALL, rules={"color-contrast-enhanced": {"enabled": True}})
            small = await page.evaluate(
                "[...document.querySelectorAll('a, button, input:not([type=hidden]), summary')]"
                ".filter(e => e.checkVisibility()"
                " && !e.closest('.chip, .choice, .tick') && e.getBoundingClientRect().height < 40)"
                ".map(e => e.outerHTML.slice(0, 90) + ' ' + e.getBoundingClientRect().height)"
            )
            if [line for line in small if "skip" not in line]:
                faults[f"{path} targets"] = small
        await context.close()
    assert faults == {}, json.dumps(faults, indent=1)
