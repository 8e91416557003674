"""The board: everybody is somewhere, once; who is out is seen first; what looks by itself leaves no second trace."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emcheck.domain.alerts import AlertState
from emcheck.domain.engine import Engine
from emcheck.domain.ids import WearerId
from emcheck.domain.instants import DAY, HOUR, MINUTE
from emcheck.domain.policies import Policies
from emcheck.domain.register import Register, parse_register
from emcheck.domain.whereabouts import Whereabouts, standing
from emcheck.service.board import Place, sweep
from emcheck.service.history import Recent
from tests.support import UnitStory, at, england, nightly, order
from tests.web.centre import Centre, centre, urgent

DISTRICTS = ("SE1", "SE2", None)


def street(number: int) -> Register:
    """So many wearers, each with a unit and a tag of their own, and one more without an order."""
    each = range(1, number + 1)
    body: dict[str, Any] = {
        "version": 1,
        "wearers": [{"wearer_id": f"W-{n}", "name": f"<Wearer> {n}"} for n in range(1, number + 2)],
        "orders": [order(order_id=f"O-{n}", wearer_id=f"W-{n}", curfew=nightly(address=f"A-{n}")) for n in each],
        "installations": [
            {"unit": f"BU-000{n}", "address_id": f"A-{n}", "installed_at": "2026-03-01T00:00:00Z",
             "postcode": DISTRICTS[n % 3]} for n in each
        ],
        "fittings": [
            {"tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
            for n in each
        ],
    }  # fmt: skip
    return parse_register(json.dumps(body))


async def settle(it: Centre) -> None:
    """W-1 is home, W-2 left before the curfew, of the others nothing is known at 19:30."""
    home = UnitStory("BU-0001").boots(at("18:51")).hears(at("18:51"), tag="T-1").beats(at("18:52"), at("19:30"))
    out = UnitStory("BU-0002").boots(at("18:51")).hears(at("18:51"), tag="T-2").loses(at("18:55"), tag="T-2")
    out.beats(at("18:56"), at("19:30"))
    for told in (home, out):
        await it.tells(told)
    it.clock.advance(at("19:30:30"))
    await it.has()


@pytest.fixture
async def town(tmp_path: Path) -> Any:
    async with centre(tmp_path, street(5)) as it:
        await settle(it)
        yield it


async def test_everybody_in_the_register_is_in_one_place(town: Centre) -> None:
    browser = await town.signed_in()
    text = (await browser.get("/board")).text
    assert "1 out in curfew + 3 unknown + 1 at home + 1 not monitored = 6: every wearer of the register" in text
    assert re.findall(r'href="/wearers/(W-\d)"', text) == ["W-2", "W-3", "W-4", "W-5", "W-1", "W-6"]
    assert "&lt;Wearer&gt; 2" in text
    assert "Tue 24 Mar 18:55:00" in text, "since when"
    assert "until Wed 25 Mar 07:00" in text
    assert "no order" in text


async def test_whose_alerts_are_urgent_stands_first_and_says_so(town: Centre) -> None:
    await town.raises(
        urgent("AL-P1", wearer_id="W-5", subject="W-5", rule="curfew.absence", class_="out_whole"),
        urgent("AL-P3", wearer_id="W-5", subject="W-5", rule="tag.battery", class_=None, priority="P3"),
        urgent("AL-GONE", wearer_id="W-3", subject="W-3", withdrawn=True),
        urgent("AL-UNIT", wearer_id=None, subject="BU-0001", unit="BU-0001", rule="unit.case", class_=None,
               happened_at=at("18:55")),
        urgent("AL-SHUT", wearer_id="W-4", subject="W-4", state=AlertState.CLOSED),
    )  # fmt: skip
    browser = await town.signed_in()
    text = (await browser.get("/board")).text
    assert re.findall(r'href="/wearers/(W-\d)"', text) == ["W-2", "W-5", "W-3", "W-4", "W-1", "W-6"]
    assert "1 out in curfew + 3 unknown + 1 at home + 1 not monitored = 6: every wearer" in text
    row = {one: text.partition(f'id="w-{one}"')[2].partition("</tr>")[0] for one in ("W-5", "W-3", "W-4", "W-1")}
    more = '<a href="/wearers/W-5#alerts">2 more</a>'
    assert f'href="/alerts/AL-P1">out for the whole curfew</a>, and {more}' in row["W-5"]
    assert '<b class="priority"><span aria-hidden="true">▲</span> P1</b>' in row["W-5"]
    assert 'href="/alerts/AL-UNIT">case of the base unit open' in row["W-1"]
    for one, gone in (("W-3", "AL-GONE"), ("W-4", "AL-SHUT")):
        assert ("base unit silent" in row[one], gone in row[one]) == (True, False), "withdrawn or closed is not open"
    seen, after = [], ""
    while after is not None:
        page = (await browser.get(f"/api/v1/board/wearers?limit=1&after={after}")).json()
        seen += page["wearers"]
        after = page["next"]
    assert [each["wearer_id"] for each in seen] == ["W-2", "W-5", "W-3", "W-4", "W-1", "W-6"], "page by page"
    assert [each["open_alerts"] for each in seen] == [3, 3, 1, 1, 1, 0]
    assert seen[1]["first_alert"] == {
        "alert_id": "AL-P1", "priority": "P1", "rule": "curfew.absence", "class": "out_whole",
        "words": "out for the whole curfew",
    }  # fmt: skip


async def test_a_tag_that_is_off_its_wearer_is_at_home_by_itself(town: Centre) -> None:
    cut = UnitStory("BU-0003").boots(at("19:30")).hears(at("19:30"), tag="T-3")
    cut.tell(at("19:31"), "tag_tamper", tag="T-3", kind="strap_cut")
    await town.tells(cut.beats(at("19:32"), at("19:40")))
    town.clock.advance(at("19:40:30"))
    [alert] = [each for each in await town.store.alerts(open_only=True) if each.rule == "tag.strap"]
    browser = await town.signed_in()
    [before] = (await browser.get("/api/v1/board/wearers?state=home&limit=1")).json()["wearers"]
    assert (before["wearer_id"], before["first_alert"]["words"]) == ("W-3", "strap cut"), "first of those at home"
    await town.raises(replace(alert, state=AlertState.CLOSED), action="closed")
    town.clock.advance(at("19:41:30"))
    text = (await browser.get("/board?state=home")).text
    assert "tag at home <" in text
    assert "strap cut since Tue 24 Mar 19:31:00" in text, "until a fitter was there, whatever became of the alert"
    [row] = (await browser.get("/api/v1/board/wearers?state=home")).json()["wearers"]
    assert (row["wearer_id"], row["state"], row["words"]) == ("W-3", "home", "tag at home")
    assert row["first_alert"] is None or row["first_alert"]["rule"] != "tag.strap"
    assert row["tag_off"] == {
        "rule": "tag.strap", "class": "strap_cut", "tag": "T-3", "since": "2026-03-24T19:31:00.000Z",
    }  # fmt: skip
    assert "Tag at home</b> since" in (await browser.get("/wearers/W-3")).text


async def test_that_being_out_is_allowed_has_no_date(town: Centre) -> None:
    last = at("07:05") + DAY
    await town.tells(UnitStory("BU-0002").boots(at("18:51")).hears(at("18:51"), tag="T-2").loses(at("18:55"), tag="T-2")
                     .beats(at("18:56"), last))  # fmt: skip
    town.clock.advance(last + 1000)
    browser = await town.signed_in()
    text = (await browser.get("/board?state=out_allowed")).text
    assert re.search(r"□</span> out <span class=\"below\">no curfew now \(it ended Wed 25 Mar 07:00\)", text)
    [row] = (await browser.get("/api/v1/board/wearers?state=out_allowed")).json()["wearers"]
    assert (row["wearer_id"], row["words"], row["curfew_ended"]) == ("W-2", "out", "2026-03-25T07:00:00.000Z")
    page = re.sub(r"<[^>]+>", "", (await browser.get("/wearers/W-2")).text)
    assert "Out since Tue 24 Mar 18:55:00; no curfew now (it ended Wed 25 Mar 07:00) · next curfew Wed 25" in page
    assert "the gravest ▲ P1" in page


async def test_states_and_sites_are_chosen_by_the_address(town: Centre) -> None:
    browser = await town.signed_in()
    for asked, found in {
        "state=unknown": ["W-3", "W-4", "W-5"], "site=SE2": ["W-4", "W-1"], "site=-": ["W-2", "W-5", "W-6"],
        "state=unknown&site=SE1": ["W-3"], "state=nonsense&site=XX": [],
    }.items():  # fmt: skip
        text = (await browser.get(f"/board?{asked}")).text
        assert sorted(re.findall(r'href="/wearers/(W-\d)"', text)) == sorted(found), asked
        assert "= 6: every wearer" in text


async def test_who_cannot_be_judged_is_counted_so(town: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(case: Any, tracks: Any, now: int) -> Any:
        if case.wearer_id == "W-1":
            raise ZeroDivisionError
        return standing(case, tracks, now)

    monkeypatch.setattr("emcheck.service.board.standing", fails)
    text = (await (await town.signed_in()).get("/board")).text
    assert "1 out in curfew + 1 cannot be judged + 3 unknown + 1 not monitored = 6: every wearer" in text
    assert "its log says more" in text


async def test_the_api_tells_the_same(town: Centre) -> None:
    browser = await town.signed_in()
    told = (await browser.get("/api/v1/board")).json()
    assert (told["wearers"], told["reconciles"], sum(told["counts"].values())) == (6, True, 6)
    assert sum(sum(site["counts"].values()) for site in told["sites"]) == 6
    seen, after = [], ""
    while True:
        page = (await browser.get(f"/api/v1/board/wearers?limit=2&after={after}")).json()
        seen += [(row["wearer_id"], row["state"]) for row in page["wearers"]]
        if (after := page["next"]) is None:
            break
    assert seen == [
        ("W-2", "out_in_curfew"), ("W-3", "unknown"), ("W-4", "unknown"), ("W-5", "unknown"), ("W-1", "home"),
        ("W-6", "not_monitored"),
    ]  # fmt: skip
    first = (await browser.get("/api/v1/board/wearers?limit=1")).json()["wearers"][0]
    assert (first["since"], first["curfew_until"]) == ("2026-03-24T18:55:00.000Z", "2026-03-25T07:00:00.000Z")
    wrong = await browser.get("/api/v1/board/wearers?after=nowhere")
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, "application/problem+json")


async def test_a_look_is_noted_once_an_hour_however_often_the_page_refreshes_itself(town: Centre) -> None:
    browser = await town.signed_in()
    for _ in range(3):
        await browser.get("/board?state=home", headers={"HX-Request": "true", "X-By-Itself": "1"})
    await browser.get("/board")
    town.clock.advance(town.clock.now() + HOUR - MINUTE)
    auditor = await town.signed_in("auditor")
    lines = (await auditor.get("/api/v1/access")).json()
    assert [line["action"] for line in lines if line["account"] == "operator"] == [
        "board seen", "board seen at home", "signed in",
    ]  # fmt: skip


async def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(town: Centre) -> None:
    browser = await town.signed_in()
    for _ in range(4):
        town.clock.advance(town.clock.now() + 20 * MINUTE)
        answer = await browser.get("/board", headers={"HX-Request": "true", "X-By-Itself": "1"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"


async def test_while_the_service_reads_itself_back_there_is_no_board(town: Centre) -> None:
    town.is_ready = False
    answer = await (await town.signed_in()).get("/board")
    assert answer.status_code == 503
    assert "reading itself back" in answer.text


async def test_a_sweep_lets_others_work_and_one_serves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emcheck.service.slices.SLICE_S", 0.0)
    engine = Engine(street(200), Policies(england()), memory=Recent(0), decided=lambda *_: None)
    turns = 0

    async def beside() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(beside())
    found = await sweep(engine, at("19:30"))
    other.cancel()
    assert turns > 5
    assert found.counts() == {(Whereabouts.UNKNOWN, s or ""): n for s, n in (("SE1", 66), ("SE2", 67), (None, 67))} | {
        (Whereabouts.NOT_MONITORED, ""): 1
    }
    page = found.page(None, None, after=Place(Whereabouts.UNKNOWN, WearerId("W-98")), limit=3)
    assert page == [Place(Whereabouts.UNKNOWN, WearerId("W-99")), Place(Whereabouts.NOT_MONITORED, WearerId("W-201"))]
