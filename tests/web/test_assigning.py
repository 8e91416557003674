"""Visits of the day: a supervisor assigns them, a fitter sees the own ones first, and nobody is barred."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emcheck.domain.instants import DAY
from emcheck.web.visits.assigning import holding
from tests.support import order
from tests.web.centre import Browser, Centre, centre
from tests.web.doorstep import BEGIN, fitters, unfitted_centre
from tests.web.test_visits_api import program

V1 = "/api/v1/visits"
TODAY, TOMORROW = "2026-03-24", "2026-03-25"
ORDERS = [order(order_id=f"O-{n}", wearer_id=f"W-{n}") for n in (1, 2, 3)]
WEARERS = [{"wearer_id": f"W-{n}", "name": name} for n, name in ((1, "Ann"), (2, "Bea"), (3, "Cy"))]


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with unfitted_centre(tmp_path, orders=ORDERS, wearers=WEARERS) as made:
        await fitters(made, "a.fitter", "b.fitter")
        await made.has("supervisor", "operator")
        yield made


async def assigns(browser: Browser, order_id: str, fitter: str, day: str = TODAY, **more: Any) -> httpx.Response:
    return await browser.sends("/visits/assign", order_id=order_id, fitter=fitter, day=day, **more)


async def listed(client: httpx.AsyncClient) -> list[tuple[str, str | None, str | None]]:
    wanted = (await client.get(V1)).json()["wanted"]
    return [(each["order_id"], each["fitter"], each["day"]) for each in wanted]


async def test_the_own_visits_come_first_then_anybodys_and_those_of_others_are_folded_away(it: Centre) -> None:
    supervisor, fitter = await it.signed_in("supervisor"), await it.signed_in("a.fitter")
    assert "Not assigned" not in (await fitter.get("/visits")).text
    assert (await assigns(supervisor, "O-1", "b.fitter")).status_code == 303
    assert (await assigns(supervisor, "O-3", "a.fitter", TOMORROW)).status_code == 303
    page = (await fitter.get("/visits")).text
    places = [page.index(part) for part in ("<h3>Mine", "Cy", "<h3>Not assigned", "Bea", "Of others (1)", "Ann")]
    assert places == sorted(places)
    assert "They can be opened where it cannot wait." in page
    assert "b.fitter, today" in page
    assert "Wed 25 Mar" in page
    assert "/visits/assign" not in page
    new = (await fitter.get("/visits/new?order=O-1")).text
    assert "It is the visit of b.fitter, Tue 24 Mar: tell them" in new
    assert "Begin the visit" in new
    assert "It is the visit of" not in (await fitter.get("/visits/new?order=O-3")).text
    client = await program(it)
    assert await listed(client) == [
        ("O-3", "a.fitter", TOMORROW), ("O-2", None, None), ("O-1", "b.fitter", TODAY),
    ]  # fmt: skip
    lines = [(line.account, line.action) for _, line in await it.store.access_log(limit=9, subject="W-1")]
    assert ("supervisor", "visit assigned") in lines


async def test_an_assignment_ends_with_its_day_and_with_the_account(it: Centre) -> None:
    supervisor, client = await it.signed_in("supervisor"), await program(it)
    await assigns(supervisor, "O-1", "b.fitter")
    await assigns(supervisor, "O-2", "b.fitter", TOMORROW)
    [b_fitter] = [each for each in await it.store.accounts() if each.name == "b.fitter"]
    await it.store.put_account(b_fitter._replace(disabled_at=it.clock.now()))
    assert [each[1] for each in await listed(client)] == [None, None, None]
    assert (await supervisor.get("/visits")).text.count("b.fitter") == 0
    await it.store.put_account(b_fitter)
    assert [each[1] for each in await listed(client)] == [None, "b.fitter", "b.fitter"]
    it.clock.advance(it.clock.now() + DAY)
    again = await program(it)
    assert await listed(again) == [("O-1", None, None), ("O-3", None, None), ("O-2", "b.fitter", TOMORROW)]


async def test_an_assignment_survives_a_restart(tmp_path: Path) -> None:
    async with unfitted_centre(tmp_path) as it:
        await fitters(it, "a.fitter")
        await it.has("supervisor")
        await assigns(await it.signed_in("supervisor"), "O-1", "a.fitter")
    async with centre(tmp_path, begin=BEGIN) as it:
        [order_] = it.loop.engine.roster.register.orders
        made = (await holding(it.parts)).of(order_, it.clock.now())
    assert made is not None
    assert (made.fitter, made.day, made.by) == ("a.fitter", TODAY, "supervisor")


async def test_what_is_wrong_is_said_beside_the_form_which_keeps_what_was_typed(it: Centre) -> None:
    supervisor = await it.signed_in("supervisor")
    for fitter, day, words in (
        ("operator", TODAY, "is no fitter who may sign in; there are a.fitter, b.fitter"),
        ("a.fitter", "2026-03-23", "2026-03-23 is not from 2026-03-24 to 2026-05-23"),
        ("a.fitter", "tomorrow", "is no day; write it as 2026-03-24"), ("a.fitter", "20260325", "is not from"),
    ):  # fmt: skip
        refused = await assigns(supervisor, "O-2", fitter, day)
        assert (refused.status_code, words in refused.text) == (422, True), refused.text
        assert refused.text.count('class="otherwise assign" open') == 1
        assert f'value="{day}" aria-invalid' in refused.text or fitter == "operator"
    assert (await assigns(supervisor, "O-9", "a.fitter")).status_code == 404
    for name in ("a.fitter", "operator"):
        assert (await assigns(await it.signed_in(name), "O-2", "a.fitter")).status_code == 403
    assert await it.store.assignments() == []


async def test_a_stale_form_says_who_and_when_and_changes_nothing(it: Centre) -> None:
    client, supervisor = await program(it, "supervisor"), await it.signed_in("supervisor")
    path = f"{V1}/assignments/O-1"
    first = (await client.put(path, json={"fitter": "a.fitter", "day": TODAY})).json()
    assert (first["fitter"], first["day"], first["by"]) == ("a.fitter", TODAY, "supervisor")
    it.clock.advance(it.clock.now() + 60_000)
    late = await client.put(path, json={"fitter": "b.fitter", "day": TODAY})
    assert late.status_code == 409
    assert "supervisor gave O-1 to a.fitter at Tue 24 Mar 10:00:00; nothing was changed" in late.json()["detail"]
    assert (await assigns(supervisor, "O-1", "b.fitter")).status_code == 409
    second = await client.put(path, json={"fitter": "b.fitter", "day": TOMORROW, "seen_at": first["at"]})
    assert (second.status_code, second.json()["fitter"]) == (200, "b.fitter")
    assert (await client.delete(path, params={"seen_at": first["at"]})).status_code == 409
    assert (await client.delete(path, params={"seen_at": second.json()["at"]})).status_code == 204
    assert (await client.delete(path)).status_code == 204
    await assigns(supervisor, "O-1", "a.fitter")
    [made] = await it.store.assignments()
    assert (await assigns(supervisor, "O-1", "", nobody="1", seen_at=str(made.at))).status_code == 303
    assert await it.store.assignments() == []
    bad = await client.put(path, json={"fitter": "operator", "day": TODAY})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/fitter")
    assert (await (await program(it)).put(path, json={"fitter": "a.fitter", "day": TODAY})).status_code == 403
