"""An officer's alerts: those of own cases in the words of the queue and without its acts, and no others by any way."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.register import Register
from emcheck.web.people import cases
from tests.support import at, order, register
from tests.web.centre import Centre, centre, online, urgent
from tests.web.chromium import faults_of, signed_in

WEARERS = [{"wearer_id": "W-1", "name": "Priya <Barker>"}, {"wearer_id": "W-2", "name": "Sam Secret"}]
LONG_AGO, MOVED = "2026-03-01T00:00:00Z", "2026-03-24T12:00:00Z"


def two_homes() -> Register:
    """W-1 is `officer`'s case; BU-0001 stood there until noon, and from then on with W-2, who is somebody else's."""
    return register(
        order(officer="officer"),
        order(order_id="O-2", wearer_id="W-2", officer="somebody.else", curfew=curfew_at("A-2")),
        wearers=WEARERS,
        installations=[
            {"unit": "BU-0001", "address_id": "A-1", "installed_at": LONG_AGO, "removed_at": MOVED},
            {"unit": "BU-0002", "address_id": "A-1", "installed_at": MOVED},
            {"unit": "BU-0001", "address_id": "A-2", "installed_at": MOVED},
        ],
        fittings=[
            {"tag": tag, "wearer_id": wearer, "fitted_at": LONG_AGO, "validation": "validated"}
            for tag, wearer in (("T-1", "W-1"), ("T-2", "W-2"))
        ],
    )


def curfew_at(address: str) -> list[dict[str, object]]:
    return [place | {"address_id": address} for place in order()["curfew"]]


def of_unit(name: str, unit: str, clock: str, **changes: object) -> Alert:
    told = {"rule": "unit.silent", "subject": unit, "unit": unit, "wearer_id": None, "order_id": None, "window": None}
    since = {"happened_at": at(clock), "raised_at": at(clock), "ended_at": at(clock) + 60_000}
    return urgent(name, **{"priority": "P2", "text": f"{unit} was silent.", **told, **since, **changes})


OTHERS = urgent("AL-OTHER", subject="W-2", wearer_id="W-2", order_id="O-2", text="The strap of W-2 was cut.")


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path, two_homes()) as made:
        await made.has()
        await made.raises(
            urgent("AL-LOW", priority="P3", text="Tag T-1 is low."),
            OTHERS,
            of_unit("AL-HOME", "BU-0002", "18:00"),
            of_unit("AL-AWAY", "BU-0001", "18:10", text="BU-0001 of the other home was silent."),
            of_unit("AL-BEFORE", "BU-0001", "11:00", text="BU-0001 was silent before noon."),
            urgent("AL-FIRST"),
            urgent("AL-UNDER", incident="AL-INC", state=AlertState.SUPPRESSED, text="Part of it."),
            urgent("AL-OVER", state=AlertState.CLOSED, disposition="false", text="It is over."),
        )
        yield made


async def test_what_is_open_of_own_cases_stands_in_the_queue_s_order_and_words(it: Centre) -> None:
    officer, operator = await it.signed_in("officer"), await it.signed_in("operator")
    page = (await officer.get("/cases")).text
    table = page.partition('aria-label="Open alerts"')[2].partition("</table>")[0]
    said = re.findall(r'class="prose">([^<]*)<', table)
    assert said == [
        "not heard at home", "BU-0001 was silent before noon.", "BU-0002 was silent.", "Tag T-1 is low.", "Part of it.",
    ]  # fmt: skip
    queue = (await operator.get("/")).text
    for row in re.findall(r'<li class="row.*?</li>', queue, re.DOTALL):
        text, left, state = (re.search(rf'class="{part}"[^>]*>([^<]*)<', row) for part in ("text", "left", "state"))
        assert text is not None
        if text[1] in said:
            assert left is not None
            assert state is not None
            assert f">{left[1]}</td>" in table
            assert f">{state[1]}</td>" in table
    assert "part of an incident" in table
    assert "W-1 Priya &lt;Barker&gt;" in table
    assert not re.search(r"/alerts/|<form|<button|<input", table)
    assert "3 P1" not in page
    assert "2 P1" in page.partition("<h2>Cases</h2>")[2]


async def test_programs_read_the_same(it: Centre) -> None:
    browser = await it.signed_in("officer")
    told = (await browser.get("/api/v1/me/alerts")).json()
    assert [(each["alert_id"], each["cases"]) for each in told] == [
        (name, ["W-1"]) for name in ("AL-FIRST", "AL-BEFORE", "AL-HOME", "AL-LOW", "AL-UNDER")
    ]
    assert (told[0]["whom"], told[0]["held"]) == ("W-1 Priya <Barker>", "new")
    assert (await (await it.signed_in("operator")).get("/api/v1/me/alerts")).status_code == 403
    assert (await (await it.signed_in("fitter")).get("/api/v1/me/alerts")).status_code == 403


NO_WAYS = (
    "/alerts/{}", "/api/v1/alerts/{}", "/api/v1/alerts/{}/history", "/alerts/{}/under", "/api/v1/alerts/{}/under",
    "/", "/live", "/api/v1/alerts", "/?words=Secret", "/?words=Barker", "/api/v1/alerts?words=Secret",
    "/?incident={}", "/board", "/board?state=unknown", "/api/v1/board", "/api/v1/board/wearers", "/shift",
    "/api/v1/shift", "/equipment", "/units/BU-0001", "/units/BU-0002", "/api/v1/units", "/api/v1/units/BU-0001",
    "/api/v1/tags", "/api/v1/quarantine",
    "/visits", "/visits?words=O-2", "/api/v1/visits", "/access", "/api/v1/access?subject=W-2", "/api/v1/accounts",
)  # fmt: skip
NOT_THERE = (
    "/wearers/W-2", "/wearers/W-2?nights=all", "/api/v1/wearers/W-2", "/api/v1/wearers/W-2?nights=all",
    "/wearers/W-2/fittings/FS-1.pdf", "/api/v1/wearers/W-2/fittings/FS-1",
)  # fmt: skip


@pytest.mark.parametrize("name", ["AL-OTHER", "AL-FIRST", "AL-AWAY"])
async def test_no_way_leads_to_the_alert_of_somebody_else_s_case(it: Centre, name: str) -> None:
    officer, operator = await it.signed_in("officer"), await it.signed_in("operator")
    for path in NO_WAYS:
        for headers in ({}, {"HX-Request": "true"}, {"HX-Request": "true", "X-By-Itself": "1"}):
            answer = await officer.get(path.format(name), headers=headers)
            assert answer.status_code == 403, path
            assert not re.search("Secret|strap|other home|not heard", answer.text), path
        if path != "/live" and "/visits" not in path and "cc" not in path:
            assert (await operator.get(path.format(name))).status_code in (200, 404), path
    for path in NOT_THERE:
        assert (await officer.get(path)).status_code == 404, path
    act = {"act": "acknowledge", "seen_revision": 1}
    assert (await officer.sends(f"/alerts/{name}/acts", **act)).status_code == 403
    said = {"X-CSRF-Token": officer.csrf}
    assert (await officer.client.post(f"/api/v1/alerts/{name}/acts", json=act, headers=said)).status_code == 403


async def test_own_pages_tell_nothing_of_somebody_else_s_case(it: Centre) -> None:
    officer = await it.signed_in("officer")
    for path in ("/cases", "/api/v1/me/cases", "/api/v1/me/alerts", "/wearers/W-1", "/api/v1/wearers/W-1"):
        told = (await officer.get(path)).text
        assert "Barker" in told, path
        assert not re.search("W-2|Secret|AL-OTHER|AL-AWAY|other home|A-2", told), path
    assert "BU-0001 was silent before noon." in (await officer.get("/wearers/W-1")).text


async def test_who_looked_is_kept_before_it_is_shown(it: Centre) -> None:
    officer = await it.signed_in("officer")
    for path in ("/cases", "/cases", "/api/v1/me/cases", "/api/v1/me/alerts"):
        await officer.get(path)
    log = (await (await it.signed_in("auditor")).get("/api/v1/access")).json()
    seen = [line["action"] for line in log if line["account"] == "officer" and line["action"] != "signed in"]
    assert seen == ["alerts of own cases read", "own cases read", "own cases seen"]


async def test_of_more_than_are_shown_the_gravest_are(it: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "ALERTS_MAX", 2)
    officer = await it.signed_in("officer")
    page = (await officer.get("/cases")).text
    assert "3 more are open; the wearers' pages have them." in page
    assert [each["alert_id"] for each in (await officer.get("/api/v1/me/alerts")).json()] == ["AL-FIRST", "AL-BEFORE"]


async def test_the_page_asks_for_news_by_itself(it: Centre, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "_EVERY_S", 1)
    async with online(it) as address:
        context = await browser.new_context(base_url=address, bypass_csp=True)
        page = await signed_in(context, address, "officer")
        alerts = page.get_by_role("group", name="Open alerts")
        await expect(alerts.get_by_role("row")).to_have_count(6)
        await it.raises(urgent("AL-NEWS", text="The strap was cut."), urgent("AL-NONE", subject="W-2", wearer_id="W-2"))
        await expect(alerts).to_contain_text("The strap was cut.")
        await expect(alerts.get_by_role("row")).to_have_count(7)
        faults = await faults_of(page)
        await context.close()
    assert faults == {}, json.dumps(faults, indent=1)
