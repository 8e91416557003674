"""Every page of the console with something on it: where it is, who sees it, and what is done there before one looks.

`python -m tests.web.looked` makes pictures of them for people, `tests/web/test_looked.py` asks of each what a program
can ask. Both walk this list, and a route or a template that is not seen on the way is missed.
"""

import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Page
from starlette.routing import Match

from emcheck.desk import Account, Assignment
from emcheck.domain.alerts import AlertState
from emcheck.domain.fitting.steps import STEPS
from emcheck.domain.instants import MINUTE
from emcheck.domain.register import parse_register
from emcheck.domain.rights import Role
from emcheck.ports import Message
from emcheck.service.stream import read_stream
from emcheck.settings import OidcSettings
from emcheck.web.people.elsewhere import Elsewhere
from emcheck.web.people.signing_in import new_link
from emcheck.wire.topics import up
from firmware_sim.run import simulate_to_stream
from firmware_sim.scenario import load_scenario
from tests.support import at, nightly, order
from tests.web.centre import PASSWORD, Browser, Centre, centre, urgent
from tests.web.doorstep import Doorstep, fitters, unfitted_centre
from tests.web.test_rights import walked
from tests.web.test_visit_photos import adds
from tests.web.test_visits import begun, to_the_signatures
from tests.web.test_visits_api import Visit, program

SCENARIO = Path(__file__).parent / "looked_at.toml"
NOT_PAGES = frozenset({
    "/live",  # events
    "/alerts/{alert_id}/under", "/visits/{session}/{step}/now",  # parts of pages
    "/visits/here", "/visits/{session}/record.json", "/visits/{session}/record.pdf", "/visits/worker.js",
    "/wearers/{wearer_id}/fittings/{session}.pdf", "/static/timeline.css", "/account/second-factor/code.svg",  # files
    "/sign-out/elsewhere", "/start",  # send on
})  # fmt: skip


class Sight(NamedTuple):
    """`name` is a file's; `who` is an account, or nobody; `path` may name what `Filled.there` names."""

    name: str
    who: str
    path: str
    does: Callable[[Page], Awaitable[None]] | None = None
    status: int = 200


class Filled(NamedTuple):
    """A centre with its sights, in the order in which they are to be seen."""

    it: Centre
    sights: list[Sight]
    there: dict[str, str]


def routes_seen(it: Centre, paths: list[str]) -> set[str]:
    """Which of the application's routes answer a GET of these paths."""
    found = set()
    for path in paths:
        scope = {"type": "http", "method": "GET", "path": path.partition("?")[0], "root_path": "", "headers": []}
        for route in walked(it.app.routes):
            if route.matches(scope)[0] is Match.FULL:
                found.add(getattr(route, "path", ""))
                break
    return found


# --- what is done before one looks -------------------------------------------------------------------------


async def _signs_in_wrongly(page: Page) -> None:
    await page.get_by_label("Name").fill("operator")
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_selector("#wrong")


async def _signs_in_with_a_code_to_come(page: Page) -> None:
    await page.get_by_label("Name").fill("administrator")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_selector("[name=code]")


async def _chooses_badly(page: Page) -> None:
    for field in await page.locator("input[type=password]").all():
        await field.fill("a" * 20)
    await page.locator("main button").last.click()
    await page.wait_for_selector("#wrong, .field-error, .outcome.wrong")


async def _begins_a_device(page: Page) -> None:
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Set it up").click()
    await page.wait_for_selector(".secret")


async def _confirms_the_device(page: Page) -> None:
    import pyotp

    secret = (await page.locator(".secret").inner_text()).replace(" ", "")
    await page.get_by_label("Code").fill(pyotp.TOTP(secret).at(NIGHT // 1000))
    await page.get_by_role("button", name="Confirm").click()
    await page.wait_for_selector(".codes li")


async def _picks_two(page: Page) -> None:
    boxes = page.locator("#rows > .row > .pick input")
    for number in (1, 2):
        await boxes.nth(number).check()


async def _opens_the_incident(page: Page) -> None:
    await page.locator("details.under > summary").first.click()
    await page.wait_for_selector(".under-rows .row")


async def _claims_two(page: Page) -> None:
    await _picks_two(page)
    await page.locator(".bulk").get_by_role("button", name="Claim").click()
    await page.wait_for_selector(".bulk-result .outcome")


async def _asks_for_one_that_is_not_there(page: Page) -> None:
    await page.evaluate("htmx.ajax('GET', '/alerts/none', '#alert')")
    await page.wait_for_selector("#alert:has-text('There is no alert none')")


async def _shows_the_keys(page: Page) -> None:
    await page.locator(".keys summary").click()


async def _shows_filters(page: Page) -> None:
    await page.get_by_text("More filters").click()


def _sends(below: str = "", **fields: str) -> Callable[[Page], Awaitable[None]]:
    """A form of this page that is sent with what somebody says who was late or wrong."""

    async def send(page: Page) -> None:
        await page.evaluate(
            """([below, fields]) => { const form = document.createElement("form");
            form.method = "post"; form.action = location.pathname + below;
            for (const [name, value] of Object.entries({csrf: document.body.dataset.csrf, ...fields})) {
              const field = document.createElement("input"); field.type = "hidden";
              field.name = name; field.value = value; form.append(field); }
            document.body.append(form); form.submit(); }""",
            [below, fields],
        )
        await page.wait_for_load_state()
        await page.wait_for_function("!document.querySelector('body > form')")

    return send


# --- a night ----------------------------------------------------------------------------------------------

NIGHT = at("23:00")


async def _live_through(it: Centre, stream: Path) -> None:
    """What the town told, judged minute by minute, until the night that is looked at."""
    told = (line for line in read_stream(str(stream)) if line.received_at <= NIGHT)
    for _, lines in itertools.groupby(told, lambda line: line.received_at // MINUTE):
        messages = [Message(line.topic, line.payload, line.retained, line.received_at) for line in lines]
        it.clock.advance(messages[-1].received_at)
        await it.loop.receive(messages)
        await it.loop.tick(it.clock.now())
    it.clock.advance(NIGHT)
    await it.loop.tick(NIGHT)


async def _work(it: Centre, operator: Browser, supervisor: Browser) -> dict[str, str]:
    """What two people did about the alerts of the night; the alerts that are looked at, by rule."""
    waiting = await it.store.alerts(open_only=True)
    await it.raises(
        urgent("AL-INCIDENT", rule="incident.silent", wearer_id=None, order_id=None, subject="incident nova",
               size=3, priority="P2", raised_at=at("20:36"), happened_at=at("20:30"),
               text="8 base units of the network nova fell silent "
               "within a minute at Tue 24 Mar 20:30:00. One cause is likely; whether anyone is at home is unknown."),
        *[urgent(f"AL-UNDER{n}", rule="unit.silent", incident="AL-INCIDENT", state=AlertState.SUPPRESSED,
                 subject=f"BU-001{n}", unit=f"BU-001{n}", wearer_id=None, order_id=None, raised_at=at("20:36"),
                 text=f"Base unit BU-001{n} was last heard from at Tue 24 Mar 20:29:30.") for n in (4, 6, 7)],
    )  # fmt: skip
    there = {"incident": "AL-INCIDENT"}
    for alert in waiting:
        there.setdefault(alert.rule.replace(".", "_"), alert.alert_id)
    silent = [alert for alert in waiting if alert.rule == "unit.silent" and alert.priority == "P1"]

    async def acts(browser: Browser, alert_id: str, act: str, **fields: Any) -> None:
        [now] = await it.store.alerts_named([alert_id])
        sent = await browser.sends(f"/alerts/{alert_id}/acts", act=act, seen_revision=now.revision, **fields)
        assert sent.status_code == 303, (act, now.rule, now.state)

    await acts(operator, there["curfew_accumulated"], "claim")
    await acts(operator, silent[0].alert_id, "acknowledge")
    await acts(operator, silent[1].alert_id, "shelve", minutes="60")
    await acts(supervisor, silent[2].alert_id, "acknowledge")
    await acts(supervisor, silent[2].alert_id, "close", disposition="equipment_fault")
    late = [alert for alert in waiting if alert.wearer_id == "W-0003"]
    await acts(operator, late[0].alert_id, "acknowledge")
    await acts(operator, late[0].alert_id, "close", disposition="wearer_contacted_and_returned")
    await acts(operator, there["tag_strap"], "acknowledge")
    await acts(operator, there["tag_strap"], "note", note="Called twice, no answer. Fitter asked for.")
    await acts(operator, there["tag_strap"], "confirm")
    await acts(supervisor, silent[3].alert_id, "hand_over", to="operator")
    for alert in (silent[0], late[1]):
        await operator.get(f"/alerts/{alert.alert_id}")
    there["late"] = late[1].alert_id
    return there


@contextlib.asynccontextmanager
async def night(folder: Path) -> AsyncIterator[Filled]:
    """A town at 23:00, with people at work; everything but the fitters' pages."""
    town = simulate_to_stream(load_scenario(SCENARIO), None, folder / "town")
    document = json.loads(town.register.read_text(encoding="utf-8"))
    for each in document["orders"]:
        if each["wearer_id"] in ("W-0003", "W-0016"):
            each["officer"] = "officer"
    async with centre(folder, parse_register(json.dumps(document)), begin=at("18:00", day="2026-03-22")) as it:
        it.parts.zone = "Europe/London"
        await _live_through(it, town.stream)
        for number in range(4):
            raw = b'{"v": 9, "boot": "\xff\x1b[2J", "events": ' + b"[{}]" * (number + 1)
            await it.loop.receive([Message(up(f"BU-000{number + 1}"), raw, retained=False, received_at=NIGHT)])
        await it.has()
        link, hashed, until = new_link(NIGHT)
        await it.store.put_account(Account("new.colleague", Role.OPERATOR, NIGHT, link_sha256=hashed, link_until=until))
        gone = Account("gone.colleague", Role.OPERATOR, at("08:00"), disabled_at=NIGHT)
        await it.store.put_account(gone)
        settings = OidcSettings(
            issuer="https://127.0.0.1:1/", client_id="emcheck", name="the authority", roles={"duty": "operator"}
        )
        it.parts.elsewhere = Elsewhere(settings, None, it.clock, console="http://console.test")
        there = await _work(it, await it.signed_in(), await it.signed_in("supervisor")) | {"link": link}
        yield Filled(it, list(_of_the_night()), there)


def _of_the_night() -> Iterator[Sight]:
    who = "operator"
    yield Sight("queue", who, "/")
    yield Sight("queue-keys", who, "/", _shows_the_keys)
    yield Sight("queue-filters", who, "/?rule=unit.silent", _shows_filters)
    yield Sight("queue-incident", who, "/?priority=P2", _opens_the_incident)
    yield Sight("queue-nothing-found", who, "/?words=nobody")
    yield Sight("queue-picked", who, "/", _picks_two)
    yield Sight("queue-bulk-result", "supervisor", "/", _claims_two)
    yield Sight("alert-not-there", who, "/", _asks_for_one_that_is_not_there)
    yield Sight("alert-absence", who, "/alerts/{curfew_absence}")
    yield Sight("alert-strap", who, "/alerts/{tag_strap}")
    yield Sight("alert-unit", who, "/alerts/{unit_silent}")
    yield Sight("alert-power", who, "/alerts/{unit_power}")
    yield Sight("alert-incident", who, "/alerts/{incident}")
    yield Sight("alert-late", who, "/alerts/{tag_strap}", _sends("/acts", act="acknowledge", seen_revision="1"), 409)
    yield Sight("alert-wrong", who, "/alerts/{late}", _sends("/acts", act="close", seen_revision="2"), 422)
    yield Sight("wearer", who, "/wearers/W-0003")
    yield Sight("wearer-out", who, "/wearers/W-0009")
    yield Sight("wearer-unknown", who, "/wearers/W-0012")
    yield Sight("board", who, "/board")
    yield Sight("board-site", who, "/board?site=N1+9&state=unknown")
    yield Sight("shift", "supervisor", "/shift")
    yield Sight("shift-wrong", "supervisor", "/shift?from=yesterday&operators=0", status=422)
    yield Sight("equipment", who, "/equipment")
    yield Sight("equipment-tags", who, "/equipment/tags")
    yield Sight("unit", who, "/units/BU-0010")
    yield Sight("unit-well", who, "/units/BU-0003")
    yield Sight("quarantine", who, "/equipment/quarantine")
    yield Sight("refused-input", who, "/equipment/quarantine/1")
    yield Sight("cases", "officer", "/cases")
    yield Sight("case", "officer", "/wearers/W-0016")
    yield Sight("access", "supervisor", "/access")
    yield Sight("accounts", "administrator", "/accounts")
    yield Sight("account", who, "/account")
    yield Sight("password", who, "/account/password")
    yield Sight("password-wrong", who, "/account/password", _chooses_badly, 422)
    yield Sight("second-factor", "administrator", "/account/second-factor")
    yield Sight("second-factor-device", "administrator", "/account/second-factor", _begins_a_device)
    yield Sight("recovery-codes", "administrator", "/account/second-factor", _confirms_the_device)
    yield Sight("second-factor-on", "administrator", "/account/second-factor")
    yield Sight("sign-in", "", "/sign-in")
    yield Sight("sign-in-wrong", "", "/sign-in", _signs_in_wrongly, 401)
    yield Sight("code", "", "/sign-in", _signs_in_with_a_code_to_come)
    yield Sight("elsewhere", "", "/sign-in/elsewhere", status=502)
    yield Sight("elsewhere-back", "", "/sign-in/elsewhere/back", status=403)
    yield Sight("signed-out", "", "/signed-out")
    yield Sight("welcome", "", "/welcome/{link}")
    yield Sight("welcome-wrong", "", "/welcome/{link}", _chooses_badly, 422)
    yield Sight("problem-403", "fitter", "/access", status=403)
    yield Sight("problem-404", who, "/nothing", status=404)
    yield Sight("problem-404-link", "", "/welcome/used", status=404)
    yield Sight("problem-409", who, "/account/second-factor", _sends(act="recovery-codes"), 409)


# --- a day at a door ---------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def day(folder: Path) -> AsyncIterator[Filled]:
    """Five homes: a visit that is to be signed, one that has begun, one that is over; the others wait."""
    names = ["Priya Barker", "Gareth Nowak", "Xiulan Davies", "Rosa Jones", "Emeka Okafor"]
    homes = range(1, len(names) + 1)
    people: list[dict[str, Any]] = [{"wearer_id": f"W-{n}", "name": name} for n, name in zip(homes, names, strict=True)]
    people[0]["notes"] = people[1]["notes"] = {"limb": "left leg prosthetic: fit on the right"}
    units = [f"BU-000{n}" for n in homes]
    async with unfitted_centre(
        folder, wearers=people,
        orders=[order(order_id=f"O-{n}", wearer_id=f"W-{n}", curfew=nightly(address=f"A-{n}")) for n in homes],
        installations=[{"unit": unit, "address_id": f"A-{n}", "installed_at": "2026-03-01T00:00:00Z"}
                       for n, unit in zip(homes, units, strict=True)],
    ) as it:  # fmt: skip
        await fitters(it, "a.fitter", "b.fitter", "c.fitter")
        await it.has("supervisor", "fitter")
        for number, name in ((4, "a.fitter"), (5, "b.fitter")):
            made = Assignment(f"O-{number}", name, "2026-03-24", "supervisor", it.clock.now())
            await it.store.assign(made.order_id, made, seen_at=None)
        over, begins, goes_on = [await it.signed_in(f"{name}.fitter") for name in "cba"]
        ended = await begun(over, order_id="O-3", unit="BU-0003", tag="T-3")
        await over.sends(f"/visits/{ended}/close", type="fitting_closed", outcome="no_show", note="nobody in")
        first = await begun(begins, order_id="O-2", unit="BU-0002", tag="T-2")
        session, hallway = await begun(goes_on), Doorstep(it, real_s=0)
        await to_the_signatures(goes_on, session, hallway)
        await adds(Visit(await program(it), session), caption="unit_and_place")
        yield Filled(it, list(_of_the_day()), {"session": session, "first": first, "ended": ended})


async def _assigns_wrongly(page: Page) -> None:
    await page.locator(".assign summary").first.click()
    await _sends("/assign", order_id="O-4", fitter="a.fitter", day="2026-03-01")(page)


async def _shows_photos(page: Page) -> None:
    await page.locator(".photos summary").click()
    await page.locator("#photo summary").click()


async def _walks_on(page: Page) -> None:
    await page.get_by_role("button", name="balcony").click()
    await page.wait_for_selector("[aria-pressed=true]:has-text('balcony')")


def _of_the_day() -> Iterator[Sight]:
    who, other = "a.fitter", "b.fitter"
    yield Sight("visits", who, "/visits")
    yield Sight("visits-of-all", "supervisor", "/visits")
    yield Sight("visits-assigned-wrongly", "supervisor", "/visits", _assigns_wrongly, 422)
    yield Sight("visit-new-of-another", who, "/visits/new?order=O-5")
    yield Sight("visits-nothing-found", who, "/visits?words=nobody")
    yield Sight("visit-new", who, "/visits/new?order=O-4")
    for step in STEPS:
        yield Sight(f"visit-{step.id.replace('_', '-')}", who, f"/visits/{{session}}/{step.id}")
        yield Sight(f"visit-open-{step.id.replace('_', '-')}", other, f"/visits/{{first}}/{step.id}")
    yield Sight("visit", who, "/visits/{session}")
    yield Sight("visit-looked-at", "supervisor", "/visits/{first}")
    yield Sight("visit-ended", "c.fitter", "/visits/{ended}")
    yield Sight("visit-photos", who, "/visits/{session}", _shows_photos)
    yield Sight("visit-sign", who, "/visits/{session}/sign")
    yield Sight("visit-sign-open", other, "/visits/{first}/sign")
    yield Sight("visit-end", who, "/visits/{session}/end")
    yield Sight("visit-offline", who, "/visits/offline")
    yield Sight("visit-404", who, "/visits/none", status=404)
    yield Sight("visit-walks-on", who, "/visits/{session}/walk", _walks_on)


def all_sights() -> list[Sight]:
    """Those of all fillings."""
    return [*_of_the_night(), *_of_the_day()]


FILLED: tuple[Callable[[Path], contextlib.AbstractAsyncContextManager[Filled]], ...] = (night, day)
