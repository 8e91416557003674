"""The own account: another password, where it is signed in, and signing out everywhere."""

import re

import pytest

from emcheck.desk import Account
from emcheck.domain.rights import Role
from emcheck.web.people.passwords import wrong_with
from tests.web.centre import PASSWORD, Centre

NEW = "a lamp, a kettle and two spoons"


async def test_a_password_is_changed_by_who_knows_it_and_other_sign_ins_end(it: Centre) -> None:
    await it.has("operator")
    browser, other = await it.signed_in(), await it.signed_in()
    path, before = "/account/password", browser.client.cookies["emcheck"]
    assert "The password of now" in (await browser.get(path)).text
    for sent, status, said in (
        ({"now": "wrong", "password": NEW, "again": NEW}, 401, "Name or password is wrong"),
        ({"now": PASSWORD, "password": "short", "again": "short"}, 422, "at least 15"),
        ({"now": PASSWORD, "password": NEW, "again": NEW + "s"}, 422, "not the same"),
        ({}, 422, "at least 15"),
    ):
        answer = await browser.sends(path, **sent)
        assert answer.status_code == status
        assert said in answer.text
        assert NEW not in answer.text
    answer = await browser.sends(path, now=PASSWORD, password=NEW, again=NEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=password")
    assert "all other sign-ins ended" in (await browser.get("/account?done=password")).text
    assert browser.client.cookies["emcheck"] != before
    assert (await other.get("/")).status_code == 303
    assert (await other.signs_in("operator")).status_code == 401
    assert (await other.signs_in("operator", NEW)).status_code == 303


async def test_tries_at_the_password_of_now_are_throttled(it: Centre) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    for _ in range(5):
        await browser.sends("/account/password", now="wrong", password=NEW, again=NEW)
    answer = await browser.sends("/account/password", now=PASSWORD, password=NEW, again=NEW)
    assert answer.status_code == 429


async def test_sign_ins_are_listed_and_ended(it: Centre) -> None:
    await it.has("operator")
    browser, other, third = [await it.signed_in() for _ in range(3)]
    page = (await browser.get("/account")).text
    named = re.findall(r'name="named" value="([0-9a-f]{16})"', page)
    assert (len(named), page.count("<b>here</b>"), page.count("192.0.2.7") >= 3) == (2, 1, True)
    path = "/account/sign-ins/end"
    assert (await browser.sends(path, named=named[0], password="wrong")).status_code == 401
    assert (await browser.sends(path, named=named[0], password=PASSWORD)).status_code == 303
    assert (await browser.sends(path, named=named[0], password=PASSWORD)).status_code == 404
    assert sorted([(await each.get("/")).status_code for each in (other, third)]) == [200, 303]
    assert (await browser.get("/")).status_code == 200
    answer = await browser.sends(path, named="all", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    for each in (browser, other, third):
        assert (await each.get("/")).status_code == 303


async def test_nobody_ends_sign_ins_of_others(it: Centre) -> None:
    await it.has("operator", "auditor")
    browser, other = await it.signed_in(), await it.signed_in("auditor")
    [theirs] = await it.store.sign_ins("auditor")
    assert (await browser.sends("/account/sign-ins/end", named=theirs.named, password=PASSWORD)).status_code == 404
    assert (await other.get("/")).status_code == 200


async def test_programs_do_the_same(it: Centre) -> None:
    await it.has("operator")
    client, other = it.visitor(), await it.signed_in()
    sent = {"name": "operator", "password": PASSWORD}
    client.headers["Authorization"] = f"Bearer {(await client.post('/api/v1/session', json=sent)).json()['token']}"
    me = "/api/v1/me"
    held = (await client.get(f"{me}/sign-ins")).json()
    assert sorted(line["is_this"] for line in held) == [False, True]
    [theirs] = [line["id"] for line in held if not line["is_this"]]
    assert (await client.delete(f"{me}/sign-ins/{theirs}")).status_code == 204
    assert (await client.delete(f"{me}/sign-ins/{theirs}")).status_code == 404
    assert (await other.get("/")).status_code == 303
    refused = await client.post(f"{me}/password", json={"password": PASSWORD, "new": "operator operator"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/new")
    assert (await client.post(f"{me}/password", json={"password": "wrong", "new": NEW})).status_code == 403
    done = await client.post(f"{me}/password", json={"password": PASSWORD, "new": NEW})
    client.headers["Authorization"] = f"Bearer {done.json()['token']}"
    assert (await client.delete(f"{me}/sign-ins")).status_code == 204
    assert (await client.get(me)).status_code == 401


async def test_an_account_of_a_provider_keeps_no_password_here(it: Centre) -> None:
    now = it.clock.now()
    await it.store.put_account(Account("ann", Role.OPERATOR, now, identity="https://id.example 17"))
    token = await it.parts.signing_in.begin("ann", "192.0.2.7")
    client = it.visitor(headers={"Authorization": f"Bearer {token}"})
    page = (await client.get("/account")).text
    assert "You sign in elsewhere" in page
    assert 'type="password"' not in page
    for path in ("/account/password", "/account/second-factor", "/api/v1/me/second-factor"):
        assert (await client.get(path)).status_code == 404, path
    for password in ("", "None", PASSWORD):
        answer = await it.visitor().post("/sign-in", data={"name": "ann", "password": password})
        assert answer.status_code == 401
    assert (await client.post("/account/sign-ins/end", data={"named": "all"})).status_code == 303
    assert (await client.get("/account")).status_code == 303


@pytest.mark.parametrize(
    "guessed",
    [
        "passwordpassword", "password123456789", "qwertyuiopasdfghjkl", "abcabcabcabcabcabc", "123456789012345",
        "administrator1234", "EmcheckOperator42", "jane jane jane jane jan", "CurfewMonitoring1",
    ],
)  # fmt: skip
def test_what_many_would_choose_is_no_password(guessed: str) -> None:
    assert "easily guessed" in str(wrong_with(guessed, guessed, "jane"))


@pytest.mark.parametrize("chosen", [PASSWORD, NEW, "x7#Kq!9wLm2$Rt5v", "наша собака любит сыр", "my dragon eats soap"])
def test_what_is_made_up_is_one(chosen: str) -> None:
    assert wrong_with(chosen, chosen, "jane") is None


async def test_the_page_says_in_words_what_the_role_may_do(it: Centre) -> None:
    await it.has("officer", "administrator")
    browser = await it.signed_in("officer")
    page = (await browser.get("/account")).text
    assert "Your role is <b>officer</b>: it reads own cases." in page
    assert "<li>see a wearer&#39;s record, of own cases only <code>wearers</code></li>" in page
    assert "own_account" in page
    assert "<code>queue</code>" not in page
    rights = (await browser.get("/api/v1/me")).json()["rights"]
    assert rights["wearers"] == "see a wearer's record, of own cases only"
    refused = (await browser.get("/api/v1/alerts")).json()["detail"]
    assert refused == (
        "Your role, officer, does not let you do this: it is for roles that may see the queue, each alert and what it "
        "rests on (queue)."
    )


@pytest.mark.parametrize(
    ("role", "first"),
    [("operator", "/"), ("fitter", "/visits"), ("officer", "/cases"), ("administrator", "/accounts")],
)
async def test_who_was_refused_a_page_finds_their_first_one(it: Centre, role: str, first: str) -> None:
    await it.has(role)
    browser = await it.signed_in(role)
    assert '<a href="/start">' in (await browser.get("/no-such-page")).text
    answer = await browser.get("/start")
    assert (answer.status_code, answer.headers["location"]) == (303, first)
