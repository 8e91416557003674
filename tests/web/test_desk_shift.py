"""A shift in real Chromium: who else is there, sound, views, incidents; and on over a kill and a lost network."""

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Any, Self

from playwright.async_api import Browser, expect

from emcheck.desk import Account
from emcheck.domain.alerts import AlertState
from emcheck.domain.rights import Role
from emcheck.ingest.embedded import free_port
from emcheck.ports import Commit
from emcheck.store.sql import SqlStore
from tests.service.served import PATIENCE_S, serving
from tests.store.samples import change
from tests.web.centre import HASHED, Centre, online, urgent
from tests.web.chromium import signed_in
from tests.web.test_browser import console_at, is_live
from tests.web.test_desk import done

RINGS = """
window.rings = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.rings += 1; return start.apply(this, when); };
"""


FOUND = {"kind": "undelivered", "count": 1, "since": "2026-03-24T18:00:00Z"}
"""Of which an alert comes, as of what an auditor finds."""


async def told(folder: Path, instruction: dict[str, Any]) -> None:
    """A running service is given an instruction from beside it, and has carried it out."""
    beside = SqlStore(f"sqlite:///{folder}/emcheck.db", operator=True)
    await beside.open()
    number = await beside.post(json.dumps(instruction).encode(), 0)
    async with asyncio.timeout(PATIENCE_S):
        while await beside.outcome(number) is None:
            await asyncio.sleep(0.05)
    assert (await beside.outcome(number) or "").startswith("done")
    await beside.close()


class Line:
    """The network between a browser and the console: it can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_cut = False
        self._open: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.cut()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self._is_cut:
                there = await asyncio.open_connection("127.0.0.1", self._port)
                self._open |= {writer, there[1]}
                await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))
        except OSError:
            pass  # the console is down, or the line was cut
        finally:
            writer.close()

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def cut(self) -> None:
        """Nothing goes through any more."""
        self._is_cut = True
        for writer in self._open:
            writer.close()
        self._open.clear()

    def mend(self) -> None:
        """New connections go through again."""
        self._is_cut = False


async def test_two_at_one_alert_see_each_other(it: Centre, browser: Browser) -> None:
    await it.has("operator", "supervisor")
    await it.raises(urgent(), urgent("AL-BBB", priority="P2"))
    async with online(it) as address:
        first, second = await signed_in(browser, address), await signed_in(browser, address, "supervisor")
        await is_live(first)
        await is_live(second)
        await first.keyboard.press("Enter")
        await expect(first.locator("#alert article")).to_have_attribute("data-id", "AL-AAA")
        await second.goto("/alerts/AL-AAA")
        await expect(first.locator("#also")).to_have_text("also open at: supervisor")
        await expect(second.locator("#also")).to_have_text("also open at: operator")
        await second.keyboard.press("j")
        await second.keyboard.press("Enter")
        await expect(second.locator("#alert article")).to_have_attribute("data-id", "AL-BBB")
        await expect(first.locator("#also")).to_have_text("")
        await first.keyboard.press("j")
        await first.keyboard.press("Enter")
        await expect(second.locator("#also")).to_have_text("also open at: operator")
        await first.close()
        await it.raises(urgent("AL-CCC"))  # whoever is gone is noticed when something is told
        await expect(second.locator("#also")).to_have_text("", timeout=15_000)
        await second.close()


async def test_a_p1_is_heard_until_it_is_silenced_and_never_for_ever(it: Centre, browser: Browser) -> None:
    await it.has("operator")
    async with online(it) as address:
        context = await browser.new_context(base_url=address)
        await context.add_init_script(RINGS)
        page = await signed_in(context, address)
        await page.close()
        page = await context.new_page()
        await page.goto(address)
        await is_live(page)
        words = page.locator("#sound-words")
        await expect(words).to_have_text("The browser blocks the sound for P1")
        await page.keyboard.press("?")
        await expect(words).to_have_text("Sound on")
        await it.raises(urgent("AL-1"))
        await expect(page.locator("#row-AL-1")).to_be_visible()
        assert await page.evaluate("window.rings") > 0
        await expect(page).to_have_title(re.compile(r"^▲ \(1 P1\)"))
        await page.get_by_role("button", name="15 min", exact=True).first.click()
        await expect(words).to_have_text(re.compile(r"Silent until \d\d:\d\d:\d\d"))
        before = await page.evaluate("window.rings")
        await it.raises(urgent("AL-2"))
        await expect(page.locator("#row-AL-2")).to_be_visible()
        assert await page.evaluate("window.rings") == before
        await page.reload()
        await expect(words).to_have_text(re.compile("Silent until"))
        await page.get_by_role("button", name="Sound on").click()
        await expect(words).to_have_text("Sound on")
        await page.evaluate("localStorage.setItem('emcheck-silent-until', Date.now() + 3600000)")
        await page.reload()
        await page.keyboard.press("?")
        await expect(words).to_have_text("Sound on")
        await context.close()


async def test_a_view_is_kept_and_an_incident_is_opened_in_its_place(it: Centre, browser: Browser) -> None:
    await it.has("operator", "supervisor")
    incident = urgent("AL-INC", rule="incident.silent", wearer_id=None, subject="incident", size=2, priority="P2")
    under = {"incident": "AL-INC", "rule": "unit.silent", "state": AlertState.SUPPRESSED}
    await it.raises(urgent(), incident, *[urgent(f"AL-P{n}", **under) for n in range(2)])
    async with online(it) as address:
        page, other = await signed_in(browser, address), await signed_in(browser, address, "supervisor")
        await is_live(page)
        await page.keyboard.press("j")
        await page.keyboard.press("o")
        await expect(page.locator("#row-AL-P1")).to_be_visible()
        await page.keyboard.press("j")
        await expect(page.locator("#row-AL-P0")).to_have_class(re.compile("chosen"))
        await other.goto("/alerts/AL-INC")
        await other.keyboard.press("a")
        await expect(page.locator("#row-AL-INC > a .state")).to_contain_text("with supervisor")
        await expect(page.locator("#row-AL-P1")).to_be_visible()
        await page.keyboard.press("k")
        await page.keyboard.press("o")
        await expect(page.locator("#row-AL-P1")).to_be_hidden()
        await page.get_by_label("Priority").select_option("P2")
        await expect(page.locator("#rows > .row")).to_have_count(1)
        await page.get_by_placeholder("name this view").fill("seconds")
        await page.get_by_role("button", name="Keep").click()
        await page.wait_for_url("**/?priority=P2")
        await page.get_by_role("link", name="all alerts").click()
        await expect(page.locator("#rows > .row")).to_have_count(2)
        await page.get_by_role("link", name="seconds").click()
        await expect(page.locator("#rows > .row")).to_have_count(1)
        await it.raises(urgent("AL-NEW", priority="P2"), urgent("AL-LOW", priority="P3"))
        await expect(page.locator("#news")).to_contain_text("1 new")
        await page.close()
        await other.close()


async def test_what_is_handed_to_me_is_said_and_is_mine(it: Centre, browser: Browser) -> None:
    await it.has("operator", "supervisor")
    await it.raises(urgent())
    async with online(it) as address:
        page, other = await signed_in(browser, address), await signed_in(browser, address, "supervisor")
        await is_live(page)
        await other.goto("/alerts/AL-AAA")
        await other.get_by_label("Give it to").select_option("operator")
        await other.get_by_role("button", name="Hand over").click()
        await expect(page.locator("#alert .outcome.said")).to_contain_text("supervisor gave you an alert")
        await page.get_by_label("mine", exact=True).check()
        await expect(page.locator("#rows > .row")).to_have_count(1)
        await page.close()
        await other.close()


async def test_a_shift_goes_on_over_a_kill_and_a_lost_network(tmp_path: Path, browser: Browser) -> None:
    port = free_port()
    async with Line(port) as line:
        await a_shift(tmp_path, port, line, browser)


async def a_shift(tmp_path: Path, port: int, line: Line, browser: Browser) -> None:
    """Alerts come, are claimed, acknowledged and closed by keyboard; what came meanwhile is told after."""
    settings: dict[str, Any] = {"web": {"enabled": True, "port": port}, "mqtt": {"port": free_port()}}
    settings["service"] = {"audit_every_s": 3600}
    store = SqlStore(f"sqlite:///{tmp_path}/emcheck.db")

    async def comes(name: str, **said: object) -> None:
        await store.open()
        await store.commit(Commit(alerts=[change(urgent(name, **said))]))
        await store.close()

    await store.open()
    await store.put_account(Account("operator", Role.OPERATOR, 0, password=HASHED))
    await store.close()
    await comes("AL-1")
    async with serving(tmp_path, settings) as served:
        await console_at(served)
        context = await browser.new_context()
        page = await signed_in(context, line.address)
        await is_live(page)
        await page.keyboard.press("c")
        await done(page, "It is yours.")
        await page.keyboard.press("a")
        await done(page, "Acknowledged.")
        await served.end(signal.SIGKILL)
    await expect(page.locator("#live")).to_contain_text("stale since", timeout=15_000)
    await page.keyboard.press("n")
    await page.keyboard.type("rang while it was down")
    await page.keyboard.press("Enter")
    await expect(page.locator("#alert .outcome.said")).to_have_text(
        "emcheck does not answer. Nothing was done; try again."
    )
    await comes("AL-2", priority="P2", subject="W-2", wearer_id="W-2")
    async with serving(tmp_path, settings) as served:
        await console_at(served)
        await expect(page.locator("#live")).to_contain_text("live,", timeout=30_000)
        await expect(page.locator("#news")).to_contain_text("1 new")
        await expect(page.locator("#row-AL-1 .state")).to_contain_text("with operator until")
        assert await page.locator('#alert [data-focus="n"]').input_value() == "rang while it was down"
        await page.locator('#alert [data-focus="n"]').press("Enter")
        await done(page, "Noted.")
        await line.cut()
        await expect(page.locator("#live")).to_contain_text("stale since", timeout=30_000)
        await told(tmp_path, {"type": "audit", "by": "test", "found": [FOUND]})
        line.mend()
        await expect(page.locator("#live")).to_contain_text("live,", timeout=30_000)
        audited = page.locator(".row", has_text="audit")
        await expect(audited).to_be_visible()
        third = str(await audited.get_attribute("data-id"))
        await page.keyboard.press("Escape")
        await page.keyboard.press("x")
        await page.keyboard.type("no answer")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await done(page, "Closed.")
        await page.keyboard.press(".")
        for name in (third, "AL-2"):
            await page.locator(f"#row-{name} > a").focus()
            for key in ("c", "a"):
                await page.keyboard.press(key)
                await expect(page.locator("#alert article")).to_have_attribute("data-id", name)
            await done(page, "Acknowledged.")
        await context.close()
    await store.open()
    acts = {
        name: [c.action for c in await store.alert_history(name) if c.by == "operator"]
        for name in ("AL-1", "AL-2", third)
    }
    await store.close()
    assert acts["AL-1"] == ["claimed", "acknowledged", "noted", "closed"]
    assert acts["AL-2"] == acts[third] == ["claimed", "acknowledged"]
