"""Who may do what: all routes with all roles, forms of other sites, sign-ins that end, tries that are too many."""

import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from emcheck.desk import Account
from emcheck.domain.rights import RIGHTS, Right, Role
from emcheck.web.guarding import Needs
from emcheck.web.people.passwords import wrong_with
from emcheck.web.people.signing_in import new_link
from tests.web.centre import ABSOLUTE, HASHED, IDLE, PASSWORD, Browser, Centre, urgent

PUBLIC = {
    ("GET", "/sign-in"), ("POST", "/sign-in"), ("POST", "/sign-in/code"),
    ("GET", "/welcome/{link}"), ("POST", "/welcome/{link}"), ("GET", "/static/timeline.css"),
    ("POST", "/api/v1/session"), ("GET", "/sign-in/elsewhere"), ("GET", "/sign-in/elsewhere/back"),
    ("GET", "/signed-out"), ("GET", "/sign-out/elsewhere"),
}  # fmt: skip


ENDING = ("/api/v1/session", "/sign-out", "/api/v1/me/sign-ins")
"""What ends the sign-in with which all are walked."""


def walked(known: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Routes, and those of routers that are included among them."""
    for route in known:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from walked(included.routes)


def routes(it: Centre) -> list[tuple[str, str, Right | None]]:
    """Method, path and the right of each route."""
    found = []
    for route in walked(it.app.routes):
        if isinstance(route, APIRoute):
            needs = [each.call.right for each in route.dependant.dependencies if isinstance(each.call, Needs)]
            assert len(needs) <= 1, route.path
            found += [(method, route.path, needs[0] if needs else None) for method in sorted(route.methods or ())]
    return found


async def test_every_route_needs_a_right_or_is_named_here(it: Centre) -> None:
    assert {(method, path) for method, path, right in routes(it) if right is None} == PUBLIC
    assert len(routes(it)) > 20


@pytest.mark.parametrize("role", Role)
async def test_each_role_is_served_what_its_rights_allow_and_nothing_else(it: Centre, role: Role) -> None:
    await it.has()
    await it.raises(urgent())
    token = (await it.visitor().post("/api/v1/session", json={"name": role, "password": PASSWORD})).json()["token"]
    for method, path, right in routes(it):
        if right is None or path in ("/live", *ENDING):
            continue
        async with it.visitor(headers={"Authorization": f"Bearer {token}"}) as client:
            body = {"act": "acknowledge", "seen_revision": 1} if "/api/" in path and method == "POST" else None
            answer = await client.request(
                method, path.replace("{alert_id}", "AL-AAA").replace("{wearer_id}", "W-1"), json=body
            )
        allowed = right in RIGHTS[role]
        assert (answer.status_code != 403) is allowed, (method, path, answer.status_code)
        assert answer.status_code < 500, (method, path)
        if not allowed:
            assert "Barker" not in answer.text


@pytest.mark.parametrize("role", Role)
async def test_the_live_line_is_for_those_who_see_the_queue(it: Centre, role: Role) -> None:
    if Right.QUEUE in RIGHTS[role]:
        return
    await it.has()
    assert (await (await it.signed_in(role)).get("/live")).status_code == 403


async def test_nobody_is_served_without_signing_in(it: Centre) -> None:
    await it.raises(urgent())
    async with it.visitor() as client:
        for method, path, right in routes(it):
            if right is None:
                continue
            answer = await client.request(method, path.replace("{alert_id}", "AL-AAA").replace("{wearer_id}", "W-1"))
            if path.startswith("/api/"):
                assert answer.status_code == 401, path
                assert answer.headers["content-type"] == "application/problem+json"
            else:
                assert answer.status_code == 303, path
                assert answer.headers["location"].startswith("/sign-in")
            assert "Barker" not in answer.text
        answer = await client.get("/alerts/AL-AAA", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")
        assert (await client.get("/", headers={"Authorization": "Bearer nothing"})).status_code == 303


async def test_a_form_of_another_page_changes_nothing(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent())
    browser, path, fields = await it.signed_in(), "/alerts/AL-AAA/acts", {"act": "acknowledge", "seen_revision": "1"}
    foreign = [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
    assert (await browser.client.post(path, data=fields)).status_code == 403
    assert (await browser.client.post(path, data={**fields, "csrf": "guess"})).status_code == 403
    assert (await browser.client.post(path, json=fields)).status_code == 403
    for headers in foreign:
        answer = await browser.client.post(path, data={**fields, "csrf": browser.csrf}, headers=headers)
        assert answer.status_code == 403, headers
        sign_in = {"name": "operator", "password": PASSWORD}
        assert (await it.visitor().post("/sign-in", data=sign_in, headers=headers)).status_code == 403
    other = await it.signed_in()
    assert (await browser.client.post(path, data={**fields, "csrf": other.csrf})).status_code == 403
    [alert] = await it.store.alerts_named(["AL-AAA"])
    assert alert.revision == 1
    assert (await browser.client.post(path, data=fields, headers={"X-CSRF-Token": browser.csrf})).status_code == 303


async def test_a_sign_in_ends_when_it_is_not_used_and_after_a_shift(it: Centre) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    began = it.clock.now()
    while it.clock.now() - began + IDLE // 2 < ABSOLUTE:
        it.clock.advance(it.clock.now() + IDLE // 2)
        assert (await browser.get("/account")).status_code == 200
    it.clock.advance(began + ABSOLUTE)
    assert (await browser.get("/account")).status_code == 303
    browser = await it.signed_in()
    it.clock.advance(it.clock.now() + IDLE)
    assert (await browser.get("/account")).status_code == 303


async def test_who_is_disabled_or_signed_out_is_out_at_once(it: Centre) -> None:
    await it.has("operator")
    first, second = await it.signed_in(), await it.signed_in()
    assert (await first.sends("/sign-out")).status_code == 303
    assert (await first.get("/")).status_code == 303
    assert (await second.get("/")).status_code == 200
    account = await it.store.account("operator")
    assert account is not None
    await it.store.put_account(account._replace(disabled_at=it.clock.now()))
    assert (await second.get("/")).status_code == 303
    assert (await second.signs_in("operator")).status_code == 401


async def test_too_many_tries_are_not_looked_at(it: Centre) -> None:
    await it.has("operator", "auditor")
    visitor = Browser(it.visitor())
    for _ in range(5):
        answer = await visitor.signs_in("operator", "wrong")
        assert answer.status_code == 401
        assert "Name or password is wrong" in answer.text
    answer = await visitor.signs_in("operator")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == 15 * 60
    assert (await visitor.signs_in("auditor")).status_code == 303
    it.clock.advance(it.clock.now() + 15 * 60_000)
    assert (await visitor.signs_in("operator")).status_code == 303


async def test_names_that_do_not_exist_are_answered_alike_and_barred_alike(it: Centre) -> None:
    await it.has("operator")
    visitor = it.visitor()
    said = set()
    for name in ("operator", "nobody", "x" * 500, "<b>", "nul\x00"):
        answer = await visitor.post("/sign-in", data={"name": name, "password": "wrong"})
        said.add((answer.status_code, re.search(r'id="wrong">([^<]*)', answer.text)[1]))  # type: ignore[index] # there
        assert "<b>" not in answer.text
    assert len(said) == 1
    for number in range(20):
        await visitor.post("/sign-in", data={"name": f"n{number}", "password": "wrong"})
    assert (await visitor.post("/sign-in", data={"name": "operator", "password": PASSWORD})).status_code == 429


async def test_a_link_lets_a_password_be_chosen_once(it: Centre) -> None:
    link, hashed, until = new_link(it.clock.now())
    await it.store.put_account(Account("jo", Role.OPERATOR, it.clock.now(), link_sha256=hashed, link_until=until))
    visitor = Browser(it.visitor())
    assert "Welcome, jo" in (await visitor.get(f"/welcome/{link}")).text
    assert (await visitor.get("/welcome/other")).status_code == 404
    for password, again, said in (
        ("short", "short", "at least 15"),
        ("a" * 20, "a" * 20, "easily guessed"),
        ("jo is the operator here", "jo is the operator here", "easily guessed"),
        (PASSWORD, PASSWORD + "r", "not the same"),
        (PASSWORD * 10, PASSWORD * 10, "at most 200"),
    ):
        answer = await visitor.client.post(f"/welcome/{link}", data={"password": password, "again": again})
        assert answer.status_code == 422, said
        assert said in answer.text
        assert password not in answer.text
    answer = await visitor.client.post(f"/welcome/{link}", data={"password": PASSWORD, "again": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?chosen=jo")
    form = (await visitor.get("/sign-in?chosen=jo")).text
    assert "Your password is set: sign in." in form
    assert 'name="name" value="jo" autocomplete="username"' in form
    assert "is set" not in (await visitor.get("/sign-in?chosen=%3Cb%3E")).text
    assert (await visitor.get(f"/welcome/{link}")).status_code == 404
    assert (await visitor.signs_in("jo")).headers["location"] == "/"
    account = await it.store.account("jo")
    assert account is not None
    assert (account.password or "").startswith("$argon2id$")


async def test_a_link_is_over_after_a_day(it: Centre) -> None:
    link, hashed, until = new_link(it.clock.now())
    await it.store.put_account(Account("jo", Role.OPERATOR, it.clock.now(), link_sha256=hashed, link_until=until))
    it.clock.advance(until)
    assert (await it.visitor().get(f"/welcome/{link}")).status_code == 404


def test_a_good_password_is_one() -> None:
    assert wrong_with(PASSWORD, PASSWORD, "jo") is None


async def test_every_look_at_a_person_is_kept(it: Centre) -> None:
    await it.has("operator", "auditor")
    await it.raises(urgent())
    browser = await it.signed_in()
    await browser.get("/alerts/AL-AAA")
    await browser.sends("/alerts/AL-AAA/acts", act="acknowledge", seen_revision=1)
    auditor = await it.signed_in("auditor")
    api = await auditor.get("/api/v1/access", params={"subject": "W-1"})
    assert [(line["account"], line["action"], line["alert_id"], line["address"]) for line in api.json()] == [
        ("operator", "alert acknowledge", "AL-AAA", "192.0.2.7"), ("operator", "alert seen", "AL-AAA", "192.0.2.7"),
    ]  # fmt: skip
    page = (await auditor.get("/access")).text
    assert page.index("alert acknowledge") < page.index("alert seen") < page.rindex("signed in")


async def test_where_one_goes_after_signing_in_is_a_page_of_ours(it: Centre) -> None:
    await it.has("operator")
    for onward, goes in {
        "/alerts/AL-1": "/alerts/AL-1", "//evil.example": "/", "https://evil.example": "/", "/\\evil.example": "/",
    }.items():  # fmt: skip
        sent = {"name": "operator", "password": PASSWORD, "next": onward}
        answer = await it.visitor().post("/sign-in", data=sent)
        assert answer.headers["location"] == goes, onward


async def test_every_answer_carries_its_headers_and_the_cookie_is_out_of_reach(it: Centre) -> None:
    await it.has("operator")
    answer = await it.visitor().post("/sign-in", data={"name": "operator", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    browser = await it.signed_in()
    for path in ("/", "/sign-in", "/static/console.js", "/nothing", "/api/v1/openapi.json"):
        headers = (await browser.get(path)).headers
        assert "script-src 'self';" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store"), path
    assert (await browser.client.post("/sign-in", content=b"x" * 70_000)).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        yield b"name="

    assert (await browser.client.post("/sign-in", content=endless())).status_code == 411


async def test_no_page_carries_script_or_style_inside(it: Centre) -> None:
    await it.has()
    strap = await it.night()
    operator, others = await it.signed_in("supervisor"), await it.signed_in("administrator")
    for browser, path in (
        (operator, "/"), (operator, f"/alerts/{strap.alert_id}"), (operator, "/wearers/W-1"),
        (operator, "/access"), (operator, "/account"),
        (others, "/accounts"), (Browser(it.visitor()), "/sign-in"),
    ):  # fmt: skip
        page = (await browser.get(path)).text
        assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son\w+=|javascript:", page), path


async def test_behind_tls_the_cookie_is_bound_to_it(it: Centre) -> None:
    await it.has("operator")
    it.parts.is_secure = True
    answer = await it.visitor().post("/sign-in", data={"name": "operator", "password": PASSWORD})
    assert answer.headers["set-cookie"].startswith("__Host-emcheck=")
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_no_secret_is_logged(it: Centre, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    await browser.signs_in("operator", "wrong but secret")
    await it.visitor().post("/api/v1/session", json={"name": "operator", "password": ["secret list"]})
    said = "".join(capfd.readouterr())
    assert "secret" not in said
    assert PASSWORD not in said
    database = (tmp_path / "em.db").read_bytes() + (tmp_path / "em.db-wal").read_bytes()
    token = browser.client.cookies["emcheck"]
    assert token.encode() not in database
    assert b"wrong but secret" not in database
    assert HASHED.encode() in database
    assert json.dumps(PASSWORD)[1:-1].encode() not in database
