"""Filters of the queue, views that are kept of it, what lies under an incident, and who else is there."""

import re
from urllib.parse import quote

from emcheck.domain.alerts import AlertState
from emcheck.web.alerts.filtering import filter_of, subjects_at
from emcheck.web.alerts.together import Together
from emcheck.web.alerts.views import MOST
from tests.support import at, register
from tests.web.centre import Centre, urgent
from tests.web.test_api import V1, program


def rows(page: str) -> list[str]:
    return re.findall(r'id="row-(AL-\w+)"', page)


async def test_the_queue_is_filtered_by_rule_site_incident_and_whose_it_is(it: Centre) -> None:
    await it.has("operator")
    await it.raises(
        urgent("AL-MINE", holder="operator"), urgent("AL-ELSE", holder="max", subject="W-2", wearer_id="W-2"),
        urgent("AL-UNIT", rule="unit.silent", subject="BU-0001", wearer_id=None, unit="BU-0001"),
        urgent("AL-INC", rule="incident.silent", subject="incident", wearer_id=None, size=2),
        urgent("AL-PART", incident="AL-INC", state=AlertState.ACKNOWLEDGED, subject="W-3", wearer_id="W-3"),
    )  # fmt: skip
    browser, client = await it.signed_in(), await program(it)
    for query, found in {
        "mine=1": {"AL-MINE"}, "rule=unit.silent": {"AL-UNIT"}, "rule=bored": None,
        "incident=AL-INC": {"AL-INC", "AL-PART"},
        "site=A-1": {"AL-MINE", "AL-UNIT"}, "site=bu-0001": {"AL-MINE", "AL-UNIT"}, "site=nowhere": set(),
        "site=A-1&mine=1&rule=unit.silent": set(),
    }.items():  # fmt: skip
        page = (await browser.get(f"/?{query}")).text
        assert found is None or set(rows(page)) == found, query
        answer = await client.get(f"{V1}/alerts?{query.replace('=1', '=true')}")
        if found is None:
            assert (answer.status_code, "there is no rule 'bored'" in answer.text) == (422, True)
        else:
            assert {alert["alert_id"] for alert in answer.json()["alerts"]} == found, query
    kept = (await browser.get("/?mine=1&priority=P1")).text
    assert "/alerts/AL-MINE?priority=P1&amp;mine=1" in kept


def test_a_filter_leaves_out_what_cannot_be_meant() -> None:
    asked = "priority=P9&rule=x&mine=yes&words=%3Cb%3E&evil=1&priority=P1"
    assert filter_of(asked).query == "priority=P1&words=%3Cb%3E"
    assert filter_of("waiting=1&mine=1&site=+SE15++4+").said["site"] == "SE15  4"


def test_a_site_is_an_address_a_unit_or_a_postcode() -> None:
    known = register(
        installations=[
            {"unit": "BU-0001", "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z", "postcode": "SE15 4"},
            {"unit": "BU-0002", "address_id": "A-9", "installed_at": "2026-03-01T00:00:00Z", "postcode": "SE15 4"},
        ]
    )
    assert subjects_at(known, "a-1") == ("BU-0001", "W-1")
    assert subjects_at(known, "BU-0002") == ("BU-0002",)
    assert subjects_at(known, " se15  4") == ("BU-0001", "BU-0002", "W-1")
    assert subjects_at(known, "A-7") == ()


async def test_a_view_is_kept_shown_and_dropped_by_its_owner_alone(it: Centre) -> None:
    await it.has("operator", "supervisor")
    await it.raises(urgent(), urgent("AL-BBB", priority="P2"))
    browser = await it.signed_in()
    assert "name this view" not in (await browser.get("/")).text
    assert "name this view" in (await browser.get("/?priority=P2")).text
    answer = await browser.sends("/views", name=" Second  things ", query="priority=P2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?priority=P2")
    page = (await browser.get("/?priority=P2")).text
    assert '<a href="/?priority=P2"' in page
    assert "Second things" in page
    assert "drop this view" in page
    assert "Second things" not in (await (await it.signed_in("supervisor")).get("/")).text
    await browser.sends("/views", name="Second things", act="drop")
    assert "Second things" not in (await browser.get("/")).text
    for fields, problem in (
        ({"name": "", "query": "priority=P2"}, "give the view a name"),
        ({"name": "x", "query": "priority=P9"}, "nothing is filtered"),
    ):
        answer = await browser.sends("/views", **fields)
        assert answer.status_code == 422
        assert problem in answer.text


async def test_views_by_programs(it: Centre) -> None:
    await it.has("operator")
    client = await program(it)
    name = quote("mine, urgent", safe="")
    put = await client.put(f"{V1}/views/{name}", json={"query": "?mine=1&priority=P1&junk=2"})
    assert put.json() == {"name": "mine, urgent", "query": "priority=P1&mine=1"}
    assert (await client.get(f"{V1}/views")).json() == [put.json()]
    assert (await client.delete(f"{V1}/views/{name}")).status_code == 204
    assert (await client.delete(f"{V1}/views/{name}")).status_code == 404
    assert (await client.put(f"{V1}/views/{name}", json={"query": "junk=2"})).status_code == 422
    for number in range(MOST):
        assert (await client.put(f"{V1}/views/v{number}", json={"query": "mine=1"})).status_code == 200
    assert (await client.put(f"{V1}/views/more", json={"query": "mine=1"})).status_code == 422
    assert (await client.put(f"{V1}/views/v0", json={"query": "waiting=1"})).status_code == 200


async def test_what_lies_under_an_incident_is_listed_in_its_place(it: Centre) -> None:
    await it.has("operator")
    incident = urgent("AL-INC", rule="incident.silent", wearer_id=None, subject="incident", size=3, priority="P2")
    under = {"incident": "AL-INC", "rule": "unit.silent"}
    parts = [urgent(f"AL-P{n}", state=AlertState.SUPPRESSED, **under) for n in range(2)]
    await it.raises(incident, *parts, urgent("AL-SEEN", state=AlertState.ACKNOWLEDGED, **under))
    browser = await it.signed_in()
    page = (await browser.get("/")).text
    assert rows(page) == ["AL-SEEN", "AL-INC"]
    assert 'hx-get="/alerts/AL-INC/under"' in page
    shown = (await browser.get("/alerts/AL-INC/under")).text
    assert rows(shown) == ["AL-P0", "AL-P1"]
    assert "2 of the 3" in shown
    told = (await (await program(it)).get(f"{V1}/alerts/AL-INC/under")).json()
    assert [alert["alert_id"] for alert in told] == ["AL-P0", "AL-P1"]


async def test_many_at_once_by_programs(it: Centre) -> None:
    await it.has("operator", "supervisor")
    await it.raises(*[urgent(f"AL-{n}", raised_at=at("18:00") + n) for n in range(3)])
    client, other = await program(it), await program(it, "supervisor")
    await other.post(f"{V1}/alerts/AL-1/acts", json={"act": "claim", "seen_revision": 1})
    seen = [{"alert_id": f"AL-{n}", "seen_revision": 1} for n in range(3)]
    answer = await client.post(f"{V1}/alerts/acts", json={"act": "acknowledge", "alerts": seen})
    told = answer.json()
    assert [(each["alert_id"], each["done"]) for each in told] == [("AL-0", True), ("AL-1", False), ("AL-2", True)]
    assert told[1]["acted"] == {"by": "supervisor", "action": "claimed", "at": "2026-03-24T18:50:00.000Z", "note": ""}
    assert told[1]["detail"] == "supervisor claimed it at 2026-03-24T18:50:00.000Z."
    again = [
        {"alert_id": each["alert_id"], "seen_revision": each["alert"]["revision"]} for each in told if each["done"]
    ]
    undone = (await client.post(f"{V1}/alerts/acts", json={"act": "undo", "alerts": again})).json()
    assert [each["alert"]["state"] for each in undone] == ["unacknowledged"] * 2
    wrong = (await client.post(f"{V1}/alerts/acts", json={"act": "close", "alerts": seen[:1]})).json()
    assert wrong[0]["detail"].startswith("disposition: missing")
    gone = {"act": "claim", "alerts": [{"alert_id": "AL-NONE", "seen_revision": 1}]}
    assert (await client.post(f"{V1}/alerts/acts", json=gone)).status_code == 404
    assert (await client.post(f"{V1}/alerts/acts", json={"act": "claim", "alerts": seen[:1] * 2})).status_code == 422
    assert (await client.post(f"{V1}/alerts/acts", json={"act": "claim", "alerts": []})).status_code == 422
    log = await it.store.access_log(limit=99)
    assert ("operator", "alert acknowledge", "AL-1") in {(a.account, a.action, a.alert_id) for _, a in log}


async def test_a_hand_over_names_somebody_who_acts(it: Centre) -> None:
    await it.has("operator", "supervisor", "auditor")
    await it.raises(urgent())
    client = await program(it)
    for to, status in (("auditor", 422), ("nobody", 422), ("supervisor", 200)):
        body = {"act": "hand_over", "seen_revision": 1, "to": to}
        answer = await client.post(f"{V1}/alerts/AL-AAA/acts", json=body)
        assert answer.status_code == status, to
    assert answer.json()["holder"] == "supervisor"
    wrong = (await client.post(f"{V1}/alerts/AL-AAA/acts", json={**body, "to": "auditor"})).json()
    assert wrong["errors"] == [
        {"pointer": "/to", "detail": "nobody of that name acts on alerts; there are operator, supervisor"}
    ]


async def test_many_at_once_without_javascript(it: Centre) -> None:
    await it.has("operator", "auditor")
    await it.raises(urgent("AL-1"), urgent("AL-2"))
    browser = await it.signed_in()
    page = (await browser.get("/")).text
    assert 'name="chosen" value="AL-1.1"' in page
    fields = {"csrf": browser.csrf, "act": "close", "chosen": ["AL-1.1", "AL-2.1"]}
    answer = await browser.client.post("/alerts/acts", data=fields)
    assert answer.status_code == 422
    assert "None of 2 closed" in answer.text
    assert 'value="AL-1.1" checked' in answer.text
    answer = await browser.client.post("/alerts/acts", data={**fields, "disposition": "false"})
    assert "2 of 2 closed" in answer.text
    undo = re.findall(r'type="hidden" name="chosen" value="(AL-\d\.2)"', answer.text)
    assert undo == ["AL-1.2", "AL-2.2"]
    answer = await browser.client.post("/alerts/acts", data={"csrf": browser.csrf, "act": "undo", "chosen": undo})
    assert "2 of 2 taken back" in answer.text
    for chosen, status in (([], 422), (["AL-1.1", "AL-9.1"], 404), (["AL-1"], 404), (["AL-1.x"], 422)):
        answer = await browser.client.post("/alerts/acts", data={**fields, "act": "claim", "chosen": chosen})
        assert answer.status_code == status, chosen
    assert 'id="bulk"' not in (await (await it.signed_in("auditor")).get("/")).text


def test_a_console_that_gave_itself_no_name_leaves_as_it_came() -> None:
    together = Together()
    together.leave("", 0)
    line = together.enter("one", "jo")
    together.leave("", 0)
    assert together.move("one", "jo", "AL-1")
    together.leave("one", line)
    assert not together.move("one", "jo", "AL-2")


def test_who_is_together_at_an_alert() -> None:
    together = Together()
    first, second = together.enter("one", "jo"), together.enter("two", "max")
    assert together.changed() == {}
    assert together.move("one", "jo", "AL-1")
    assert together.move("two", "max", "AL-1")
    assert together.changed() == {"AL-1": ["jo", "max"]}
    assert not together.move("two", "jo", "AL-2")
    assert not together.move("three", "jo", "AL-2")
    again = together.enter("one", "jo")
    assert together.changed() == {"AL-1": ["max"]}
    together.move("one", "jo", "AL-2")
    together.leave("one", first)  # the line that broke off is noticed late
    assert together.at("AL-2") == ["jo"]
    together.leave("one", again)
    together.leave("two", second)
    assert together.changed() == {"AL-1": [], "AL-2": []}
    assert together.at("AL-1") == []
