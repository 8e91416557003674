"""REST: problem documents, acts that overwrite nothing, pages of the queue, and what OpenAPI says of it."""

from typing import Any

import httpx
import pytest

from emcheck.domain.alerts import AlertState
from tests.support import at
from tests.web.centre import PASSWORD, Centre, urgent

V1 = "/api/v1"


async def program(it: Centre, role: str = "operator") -> httpx.AsyncClient:
    """A program that signed in."""
    client = it.visitor()
    answer = await client.post(f"{V1}/session", json={"name": role, "password": PASSWORD})
    assert answer.status_code == 200
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return client


async def test_a_program_signs_in_and_out(it: Centre) -> None:
    await it.has("operator")
    client = await program(it)
    told = (await client.get(f"{V1}/me")).json()
    assert (told["name"], told["role"], told["language"]) == ("operator", "operator", None)
    assert (await client.delete(f"{V1}/session")).status_code == 204
    answer = await client.get(f"{V1}/me")
    assert (answer.status_code, answer.json()["title"]) == (401, "Not signed in")
    wrong = await it.visitor().post(f"{V1}/session", json={"name": "operator", "password": "wrong"})
    assert wrong.status_code == 401


async def test_the_queue_is_read_on_from_where_it_was_left(it: Centre) -> None:
    await it.has("operator")
    await it.raises(*[urgent(f"AL-{n}", raised_at=at("18:00") + n) for n in range(5)])
    client, seen = await program(it), list[str]()
    after: str | None = ""
    for _ in range(3):
        page = (await client.get(f"{V1}/alerts", params={"limit": 2, "after": after})).json()
        seen += [alert["alert_id"] for alert in page["alerts"]]
        after = page["next"]
    assert seen == [f"AL-{n}" for n in range(5)]
    assert after is None
    assert page["alerts"][0] | {"whom": "W-1 Priya <Barker>", "held": "new"} == page["alerts"][0]
    found = (await client.get(f"{V1}/alerts", params={"words": "al-3", "waiting": True, "priority": "P1"})).json()
    assert [alert["alert_id"] for alert in found["alerts"]] == ["AL-3"]


async def test_an_alert_is_read_as_explain_tells_it(it: Centre) -> None:
    await it.has("operator")
    strap = await it.night()
    client = await program(it)
    told = (await client.get(f"{V1}/alerts/{strap.alert_id}")).json()
    assert told["alert"]["rule"] == "tag.strap"
    assert told["rests_on"][0]["event"]["kind"] == "strap_cut"
    assert told["timeline"]
    history = (await client.get(f"{V1}/alerts/{strap.alert_id}/history")).json()
    assert [line["action"] for line in history] == ["raised"]


async def test_acts_name_what_was_seen_and_overwrite_nothing(it: Centre) -> None:
    await it.has("operator", "supervisor")
    await it.raises(urgent())
    client, other = await program(it), await program(it, "supervisor")
    path = f"{V1}/alerts/AL-AAA/acts"
    done = await client.post(path, json={"act": "acknowledge", "seen_revision": 1, "note": "calling"})
    assert (done.status_code, done.json()["state"], done.json()["revision"]) == (200, "acknowledged", 2)
    late = await other.post(path, json={"act": "close", "seen_revision": 1, "disposition": "false"})
    assert late.status_code == 409
    assert late.headers["content-type"] == "application/problem+json"
    acted = {"by": "operator", "action": "acknowledged", "at": "2026-03-24T18:50:00.000Z", "note": "calling"}
    assert late.json()["acted"] == acted
    assert late.json()["alert"]["state"] == "acknowledged"
    [stands] = await it.store.alerts_named(["AL-AAA"])
    assert (stands.state, stands.revision) == (AlertState.ACKNOWLEDGED, 2)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"act": "close", "seen_revision": 1}, "/disposition"),
        ({"act": "close", "seen_revision": 1, "disposition": "bored"}, "/disposition"),
        ({"act": "shelve", "seen_revision": 1}, "/until"),
        ({"act": "shelve", "seen_revision": 1, "until": "2020-01-01T00:00:00Z"}, "/until"),
        ({"act": "explode", "seen_revision": 1}, "/act"),
        ({"act": "confirm", "seen_revision": 1}, "/act"),
        ({"act": "acknowledge"}, "/seen_revision"),
        ({"act": "acknowledge", "seen_revision": 0}, "/seen_revision"),
        ({"act": "acknowledge", "seen_revision": 1, "by": "somebody else"}, "/by"),
        ([], ""),
    ],
)
async def test_a_problem_says_where_and_what(it: Centre, body: Any, pointer: str) -> None:
    await it.has("operator")
    await it.raises(urgent())
    answer = await (await program(it)).post(f"{V1}/alerts/AL-AAA/acts", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == 422
    assert any(each["pointer"].startswith(pointer) for each in told["errors"]), told
    [untouched] = await it.store.alerts_named(["AL-AAA"])
    assert untouched.revision == 1


async def test_what_is_not_there_or_not_meant(it: Centre) -> None:
    await it.has("operator")
    client = await program(it)
    for path, status in {
        "/alerts/AL-NONE": 404, "/alerts/AL-NONE/history": 404, "/none": 404, "/alerts?limit=0": 422,
        "/alerts?priority=P9": 422, "/alerts?after=nowhere": 422, "/access": 403, "/accounts": 403,
    }.items():  # fmt: skip
        answer = await client.get(V1 + path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path
        assert answer.json()["detail"]
    assert (await client.put(f"{V1}/alerts")).status_code == 405
    broken = await client.post(f"{V1}/alerts/AL-AAA/acts", content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status_code in (404, 422)


async def test_while_the_service_reads_itself_back_a_story_waits(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent())
    it.is_ready = False
    answer = await (await program(it)).get(f"{V1}/alerts/AL-AAA")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_openapi_describes_the_api_and_no_pages(it: Centre) -> None:
    told = (await it.visitor().get(f"{V1}/openapi.json")).json()
    assert {path for path in told["paths"] if not path.startswith(f"{V1}/visits")} == {
        f"{V1}{path}"
        for path in (
            "/session", "/me", "/alerts", "/alerts/{alert_id}", "/alerts/{alert_id}/history",
            "/alerts/{alert_id}/acts", "/alerts/{alert_id}/under", "/alerts/acts", "/views", "/views/{name}",
            "/wearers/{wearer_id}", "/access", "/accounts", "/me/password", "/me/second-factor", "/me/cases",
            "/me/sign-ins", "/me/sign-ins/{sign_in_id}", "/me/alerts", "/me/language",
            "/board", "/board/wearers", "/units", "/units/{unit}",
            "/tags", "/quarantine", "/quarantine/{number}", "/shift", "/wearers/{wearer_id}/fittings/{session}",
        )
    }  # fmt: skip


async def test_who_has_an_account_is_told_without_secrets(it: Centre) -> None:
    await it.has("administrator")
    answer = await (await program(it, "administrator")).get(f"{V1}/accounts")
    assert [line["name"] for line in answer.json()] == ["administrator"]
    assert "argon2" not in answer.text
