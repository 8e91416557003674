"""What somebody who means harm would try: to keep others out, to go on with an old token, to look without a trace."""

import asyncio
import re
from collections import Counter
from typing import Any

import httpx
import pytest

from emcheck.desk import Account
from emcheck.domain.rights import RIGHTS, Right, Role
from emcheck.web.people.devices import cookie_of, device_of, new_mark
from emcheck.web.people.signing_in import new_link
from tests.web.centre import HASHED, PASSWORD, Browser, Centre, online, urgent
from tests.web.test_rights import routes
from tests.web.test_second_factor import STEP, by_password, set_up

GOOD = {"name": "operator", "password": PASSWORD}
WRONG = {"name": "operator", "password": "a guess that is wrong"}
HERE = "192.0.2.7"


def at_address(it: Centre, address: str, **said: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(it.app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://console.test", **said)


# --- keeping others out -----------------------------------------------------------------------------------


@pytest.fixture
async def flooded(it: Centre) -> tuple[Centre, Browser]:
    """An operator who was here before, and then strangers' tries from everywhere, the operator's own address too."""
    await it.has("operator", "auditor")
    browser = await it.signed_in()
    await browser.sends("/sign-out")
    for number in range(25):
        client = at_address(it, HERE if number < 5 else f"198.51.100.{number}")
        assert (await client.post("/sign-in", data=WRONG)).status_code in (401, 429)
    assert (await at_address(it, "203.0.113.1").post("/sign-in", data=GOOD)).status_code == 429
    assert (await it.visitor().post("/sign-in", data=GOOD)).status_code == 429
    return it, browser


async def test_strangers_keep_nobody_out_who_was_here_before(flooded: tuple[Centre, Browser]) -> None:
    _, browser = flooded
    assert (await browser.client.post("/sign-in", data=GOOD)).status_code == 303
    assert (await browser.get("/")).status_code == 200


async def test_behind_a_proxy_one_address_keeps_nobody_out_who_was_here_before(it: Centre) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    for number in range(30):
        await it.visitor().post("/sign-in", data=WRONG | {"name": f"n{number}"})
    assert (await it.visitor().post("/sign-in", data=GOOD)).status_code == 429
    assert (await browser.client.post("/sign-in", data=GOOD)).status_code == 303


async def test_a_flood_of_strangers_waits_for_its_turn_alone(it: Centre) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    turn = it.parts.signing_in._turn
    while not turn.locked():
        await turn.acquire()
    stranger = asyncio.create_task(it.visitor().post("/sign-in", data=WRONG))
    assert (await browser.client.post("/sign-in", data=GOOD)).status_code == 303
    assert not stranger.done()
    turn.release()
    assert (await stranger).status_code == 401


async def test_who_was_here_before_has_five_tries_too(flooded: tuple[Centre, Browser]) -> None:
    it, browser = flooded
    for _ in range(5):
        assert (await browser.client.post("/sign-in", data=WRONG)).status_code == 401
    assert (await browser.client.post("/sign-in", data=GOOD)).status_code == 429
    it.clock.advance(it.clock.now() + 15 * 60_000)
    assert (await browser.client.post("/sign-in", data=GOOD)).status_code == 303


async def test_a_mark_is_of_no_use_for_others_nor_after_another_password(flooded: tuple[Centre, Browser]) -> None:
    it, browser = flooded
    own = browser.client.cookies[cookie_of("operator", is_secure=False)]
    other = Browser(at_address(it, "203.0.113.9"))
    await other.signs_in("auditor")
    theirs = other.client.cookies[cookie_of("auditor", is_secure=False)]
    forged = new_mark("operator", "guessed")
    for mark in (theirs, forged, own[:-1] + ("0" if own[-1] != "0" else "1"), "x" + own, "", ".", "é." * 200):
        assert device_of(mark, "operator", HASHED) == "", mark
    for mark in (theirs, forged):
        client = at_address(it, "203.0.113.2", cookies={cookie_of("operator", is_secure=False): mark})
        assert (await client.post("/sign-in", data=GOOD)).status_code == 429
    assert device_of(own, "operator", HASHED)
    assert device_of(own, "operator", HASHED + "x") == device_of(own, "auditor", HASHED) == ""
    assert device_of(own, "operator", None) == ""


async def test_a_mark_alone_lets_nobody_in_and_is_out_of_reach(it: Centre) -> None:
    await it.has("operator")
    answer = await it.visitor().post("/sign-in", data=GOOD)
    [kept] = [line for line in answer.headers.get_list("set-cookie") if line.startswith("emcheck-known-")]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(kept.split("; "))
    client = it.visitor(cookies=dict([kept.split(";")[0].split("=", 1)]))
    assert (await client.get("/")).status_code == 303
    assert (await client.post("/sign-in", data=WRONG)).status_code == 401


async def test_strangers_keep_no_owner_from_another_password(flooded: tuple[Centre, Browser]) -> None:
    _, browser = flooded
    await browser.signs_in("operator")
    new = "a lamp, a kettle and two spoons"
    assert (await browser.sends("/account/password", now=PASSWORD, password=new, again=new)).status_code == 303
    await browser.sends("/sign-out")
    assert (await browser.signs_in("operator", new)).status_code == 303, "the browser is known by its new mark"


async def test_a_code_is_asked_of_who_was_here_before_though_strangers_try(it: Centre) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    device, _ = await set_up(it, browser)
    for _ in range(6):
        visitor, pledge = await by_password(it)
        await visitor.post("/sign-in/code", data={"pledge": pledge, "code": "000000"})
    it.clock.advance(it.clock.now() + STEP)
    visitor, pledge = await by_password(it)
    assert (await visitor.post("/sign-in/code", data={"pledge": pledge, "code": device.shows()})).status_code == 429
    answer = await browser.client.post("/sign-in/code", data={"pledge": pledge, "code": device.shows()})
    assert answer.status_code == 303


# --- many at once -----------------------------------------------------------------------------------------


async def test_many_tries_at_once_are_as_many_as_one_after_another(it: Centre) -> None:
    await it.has("operator")
    answers = await asyncio.gather(*(it.visitor().post("/sign-in", data=WRONG) for _ in range(12)))
    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 7}


async def test_of_two_with_the_same_code_at_once_one_is_let_in(it: Centre) -> None:
    await it.has("operator")
    device, _ = await set_up(it, await it.signed_in())
    it.clock.advance(it.clock.now() + STEP)
    tries = [await by_password(it) for _ in range(4)]
    code = device.shows()
    answers = await asyncio.gather(
        *(visitor.post("/sign-in/code", data={"pledge": pledge, "code": code}) for visitor, pledge in tries)
    )
    assert Counter(answer.status_code for answer in answers) == {303: 1, 401: 3}


async def test_of_two_with_one_link_at_once_one_chooses(it: Centre) -> None:
    link, hashed, until = new_link(it.clock.now())
    await it.store.put_account(Account("jo", Role.OPERATOR, it.clock.now(), link_sha256=hashed, link_until=until))
    chosen = [f"{PASSWORD} {number}" for number in range(3)]
    answers = await asyncio.gather(
        *(it.visitor().post(f"/welcome/{link}", data={"password": each, "again": each}) for each in chosen)
    )
    assert Counter(answer.status_code for answer in answers) == {303: 1, 404: 2}
    [good] = [each for each, answer in zip(chosen, answers, strict=True) if answer.status_code == 303]
    for each in chosen:
        answer = await it.visitor().post("/sign-in", data={"name": "jo", "password": each})
        assert (answer.status_code == 303) is (each == good)
    account = await it.store.account("jo")
    assert account is not None
    assert re.match(r"\$argon2id\$v=19\$m=65536,t=3,p=4\$", account.password or ""), "RFC 9106, for little memory"


# --- old tokens -------------------------------------------------------------------------------------------


async def test_a_token_that_somebody_planted_or_had_before_does_not_go_on(it: Centre) -> None:
    await it.has("operator", "auditor")
    planted = Browser(it.visitor(cookies={"emcheck": "planted"}))
    await planted.signs_in("operator")
    assert planted.client.cookies.get("emcheck", domain="console.test") != "planted"
    assert (await it.visitor(cookies={"emcheck": "planted"}).get("/")).status_code == 303
    browser = await it.signed_in()
    before = browser.client.cookies["emcheck"]
    await browser.signs_in("auditor")
    assert (await browser.get("/api/v1/me")).json()["name"] == "auditor"
    assert (await it.visitor(cookies={"emcheck": before}).get("/")).status_code == 303


async def listens(address: str, it: Centre, headers: dict[str, str]) -> str:
    """What the live line says until it is over, or for six beats."""
    it.parts.live.still_every_s = 0.0
    said = ""
    async with (
        asyncio.timeout(60), httpx.AsyncClient(base_url=address) as client,
        client.stream("GET", "/live", headers=headers) as answer,
    ):  # fmt: skip
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            said += line + "\n"
            if said.count("event: beat") == 3 and "disable" in headers:
                await it.store.put_account((await account_of(it))._replace(disabled_at=it.clock.now()))
            if said.count("event: beat") == 6 or "event: over" in said:
                return said
    return said


async def account_of(it: Centre) -> Account:
    account = await it.store.account("operator")
    assert account is not None
    return account


async def test_a_live_line_ends_with_the_account_and_goes_on_for_programs(it: Centre) -> None:
    await it.has("operator")
    token = (await it.visitor().post("/api/v1/session", json=GOOD)).json()["token"]
    browser = await it.signed_in()
    by_cookie = {"Cookie": f"emcheck={browser.client.cookies['emcheck']}"}
    async with online(it) as address:
        assert "event: over" not in await listens(address, it, {"Authorization": f"Bearer {token}"})
        said = await listens(address, it, by_cookie | {"disable": "1"})
        assert said.endswith("event: over\n")
        assert said.count("event: beat") <= 4


# --- looking without a trace ------------------------------------------------------------------------------

QUIET = ("/live", "/access", "/api/v1/access")
"""The line tells nothing at first; the log tells ids that are its own."""


@pytest.mark.parametrize("role", ["supervisor", "fitter"])
async def test_nobody_s_name_is_read_without_a_line_in_the_access_log(it: Centre, role: str) -> None:
    await it.has()
    strap = await it.night()
    await it.raises(urgent())
    browser, named = await it.signed_in(role), 0
    ids = {"alert_id": strap.alert_id, "wearer_id": "W-1", "unit": "BU-0001", "number": "1"}
    paths = [path for method, path, right in routes(it) if method == "GET" and right in RIGHTS[Role(role)]]
    paths += ["/?words=Barker", "/?words=W-1&priority=P1", "/api/v1/alerts?words=barker", "/visits?words=O-1"]
    paths += ["/api/v1/visits?words=O-1", "/visits/new?order=O-1"] if role == "fitter" else ["/alerts/AL-AAA?night=1"]
    for path in paths:
        if path in QUIET or (Right.QUEUE not in RIGHTS[Role(role)] and path.startswith(("/?", "/api/v1/alerts"))):
            continue
        it.parts.noted._asked.clear()
        before = len(await it.store.access_log(limit=10_000))
        answer = await browser.get(re.sub(r"{(\w+)}", lambda part: ids.get(part[1], "none"), path))
        if "Barker" in answer.text:
            named += 1
            log = await it.store.access_log(limit=10_000)
            fresh = [line for _, line in log[: len(log) - before]]
            assert {line.account for line in fresh} == {role}, path
    assert named >= (2 if role == "fitter" else 8)


async def test_what_was_sought_is_in_the_log_and_who_read_that_too(it: Centre) -> None:
    await it.has("operator", "auditor")
    browser, auditor = await it.signed_in(), await it.signed_in("auditor")
    await browser.get("/?words=Barker&priority=P1")
    await browser.get("/?words=Barker&priority=P1")
    await auditor.get("/access?subject=W-1")
    log = (await auditor.get("/api/v1/access")).json()
    assert [(line["action"], line["subject"]) for line in log if "sign" not in line["action"]] == [
        ("access log seen", "W-1"), ("queue seen priority P1 words Barker", None),
    ]  # fmt: skip
    again = (await auditor.get("/api/v1/access")).json()
    assert (again[0]["action"], again[0]["account"]) == ("access log read", "auditor")


# --- every answer -----------------------------------------------------------------------------------------


async def test_an_answer_that_failed_is_dressed_like_any_other(it: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    await it.has("administrator")
    browser = await it.signed_in("administrator")

    async def fails() -> list[Account]:
        raise RuntimeError("Priya Barker")

    monkeypatch.setattr(it.store, "accounts", fails)
    ways = {
        "/accounts": 500, "/api/v1/accounts": 500, "/nothing": 404, "/static/none.js": 404, "/static/console.js": 200,
        "/static/../app.py": 404, "/welcome/none": 500, "/": 403, "/api/v1/alerts": 403, "/visits/worker.js": 403,
    }  # fmt: skip
    for path, status in ways.items():
        answer = await browser.get(path)
        assert answer.status_code == status, path
        assert "Barker" not in answer.text
        for name in (
            "content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "cache-control",
            "permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy",
        ):  # fmt: skip
            assert name in answer.headers, (path, name)
    for method in ("PUT", "DELETE", "TRACE", "OPTIONS"):
        answer = await browser.client.request(method, "/accounts")
        assert (answer.status_code, "content-security-policy" in answer.headers) == (405, True), method


@pytest.mark.parametrize(
    "onward",
    [
        "//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "\\\\evil.example",
        "javascript:alert(1)", " //evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b",
        "/%09/evil.example", "/%2f/evil.example", "/../..//evil.example", "@evil.example", ".evil.example",
    ],
)  # fmt: skip
async def test_nobody_is_led_elsewhere_after_signing_in(it: Centre, onward: str) -> None:
    await it.has("operator")
    answer = await it.visitor().post("/sign-in", data=GOOD | {"next": onward})
    to = httpx.URL("http://console.test/sign-in").join(answer.headers["location"])
    assert to.host == "console.test"
    assert not re.match(r"/[/\\\s]|[^/]", answer.headers["location"])
    assert "a" not in answer.cookies
    page = (await it.visitor().get("/sign-in", params={"next": onward})).text
    assert not re.search(r'(href|action|value)="(https?:|//|javascript:|/\\)', page)


async def test_who_is_sent_to_sign_in_brings_no_header_along(it: Centre) -> None:
    answer = await it.visitor().get("/alerts/a%0d%0aSet-Cookie:%20a=b")
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers
    assert "\r" not in answer.headers["location"]
