"""Signing in with a provider elsewhere: a real one on the loopback, which does wrong where a test asks for it."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, expect

from emcheck.desk import Account
from emcheck.domain.instants import MINUTE
from emcheck.domain.rights import Role
from emcheck.settings import OidcSettings, SettingsError
from emcheck.web.people.elsewhere import Elsewhere, secret_of
from tests.service.served import refused
from tests.web.centre import HASHED, Centre, online
from tests.web.chromium import faults_of
from tests.web.provider import CLIENT, SECRET, SPOILS, Provider, providing

BACK = "/sign-in/elsewhere/back"
ANN = {"sub": "17", "preferred_username": "Ann.Other@authority.example", "groups": ["staff", "control room"]}
NAME = "ann.other@authority.example"
ROLES = {"duty leads": "supervisor", "control room": "operator"}


@pytest.fixture
async def provider(it: Centre) -> AsyncIterator[Provider]:
    async with providing(it.clock.now) as started:
        started.people = {"Ann": dict(ANN), "Bob": {"sub": "18", "preferred_username": "bob", "groups": "duty leads"}}
        it.parts.elsewhere = elsewhere(it, started)
        yield started


def elsewhere(it: Centre, provider: Provider, console: str = "http://console.test", **said: Any) -> Elsewhere:
    settings = OidcSettings(
        issuer=provider.issuer, client_id=CLIENT, name="the authority", roles=said.pop("roles", ROLES), **said
    )
    return Elsewhere(settings, provider.secret, it.clock, console=console)


async def there(visitor: httpx.AsyncClient, who: str | None = "Ann", onward: str = "") -> str:
    """The way to the provider, a click there, and the address that it sends back to."""
    out = await visitor.get("/sign-in/elsewhere", params={"next": onward} if onward else None)
    assert out.status_code == 303, out.text
    async with httpx.AsyncClient() as outside:
        page = (await outside.get(out.headers["location"])).text
        link = re.search(rf'href="([^"]+)">{who or "No"}<', page)
        assert link is not None
        clicked = await outside.get(httpx.URL(out.headers["location"]).join(link[1]))
    return clicked.headers["location"].removeprefix("http://console.test")


async def comes(it: Centre, who: str | None = "Ann", onward: str = "") -> tuple[httpx.AsyncClient, httpx.Response]:
    """Somebody new goes there and comes back."""
    visitor = it.visitor()
    return visitor, await visitor.get(await there(visitor, who, onward))


async def test_whoever_the_provider_knows_is_let_in_with_the_role_of_a_group(it: Centre, provider: Provider) -> None:
    await it.has("auditor")
    assert "Sign in with the authority" in (await it.visitor().get("/sign-in")).text
    ann, answer = await comes(it, onward="/alerts/AL-1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts/AL-1")
    assert "emcheck-way" not in ann.cookies
    me = (await ann.get("/api/v1/me")).json()
    assert (me["name"], me["role"]) == (NAME, "operator")
    account = await it.store.account(NAME)
    assert account == Account(NAME, Role.OPERATOR, it.clock.now(), identity=f"{provider.issuer} 17")
    bob, _ = await comes(it, "Bob")
    me = (await bob.get("/api/v1/me")).json()
    assert (me["name"], me["role"]) == ("bob", "supervisor")
    log = (await (await it.signed_in("auditor")).get("/api/v1/access")).json()
    assert [line["action"] for line in log if line["account"] == NAME][::-1] == [
        "account added as operator, known elsewhere", "signed in elsewhere",
    ]  # fmt: skip


@pytest.mark.parametrize("spoils", SPOILS)
async def test_what_is_wrong_lets_nobody_in(it: Centre, provider: Provider, spoils: str) -> None:
    provider.spoils = spoils
    visitor, answer = await comes(it)
    assert answer.status_code in (403, 502), answer.text
    assert "Begin again" in answer.text
    assert "emcheck" not in visitor.cookies
    assert (await visitor.get("/")).status_code == 303
    assert await it.store.accounts() == []
    provider.spoils = ""
    assert (await comes(it))[1].status_code == 303


@pytest.mark.parametrize("spoils", ["down", "not json", "other issuer", "odd address"])
async def test_a_provider_that_does_not_answer_as_it_should(it: Centre, provider: Provider, spoils: str) -> None:
    provider.spoils = spoils
    answer = await it.visitor().get("/sign-in/elsewhere")
    assert answer.status_code == 502
    assert f"{provider.issuer} does not answer as it should" in answer.text
    assert (await it.visitor().get("/sign-out/elsewhere")).status_code == 502
    provider.spoils = ""
    assert (await comes(it))[1].status_code == 303


async def test_who_declines_there_is_told_so(it: Centre, provider: Provider) -> None:
    _, answer = await comes(it, None)
    assert answer.status_code == 403
    assert "did not let you in: access_denied" in answer.text


async def test_a_way_back_is_good_once_in_its_browser_and_for_minutes(it: Centre, provider: Provider) -> None:
    visitor, other = it.visitor(), it.visitor()
    way = await there(visitor)
    assert (await other.get(way)).status_code == 403
    await there(other)
    assert (await other.get(way)).status_code == 403  # another browser's own way, with this one's answer
    forged = {"Cookie": "emcheck-way=" + visitor.cookies["emcheck-way"][:-4] + "AAAA"}
    assert (await it.visitor().get(way, headers=forged)).status_code == 403
    kept = visitor.cookies["emcheck-way"]
    assert (await visitor.get(way)).status_code == 303
    again = await it.visitor().get(way, headers={"Cookie": f"emcheck-way={kept}"})
    assert again.status_code == 502  # the provider takes no code twice
    late = await there(visitor)
    it.clock.advance(it.clock.now() + 10 * MINUTE)
    assert (await visitor.get(late)).status_code == 403
    for path in (BACK, f"{BACK}?state=x&code=y", f"{BACK}?error=%00%ff<b>"):
        answer = await it.visitor().get(path)
        assert answer.status_code == 403
        assert "<b>" not in answer.text


async def test_who_is_in_no_group_is_told_so_clearly(it: Centre, provider: Provider) -> None:
    await it.has("auditor")
    provider.people["Ann"]["groups"] = ["canteen", "<b>", 7]
    _, answer = await comes(it)
    assert answer.status_code == 403
    assert (
        f"You are {NAME} there, but no group of yours has a role here. Your groups: canteen, &lt;b&gt;" in answer.text
    )
    assert await it.store.account(NAME) is None
    del provider.people["Ann"]["groups"]
    assert "Your groups: none" in (await comes(it))[1].text
    log = (await (await it.signed_in("auditor")).get("/api/v1/access")).json()
    assert [line["action"] for line in log if line["account"] == NAME] == ["sign-in refused: no group"] * 2


async def test_another_group_is_another_role_and_ends_other_sign_ins(it: Centre, provider: Provider) -> None:
    first, _ = await comes(it)
    provider.people["Ann"]["groups"] = ["control room", "duty leads"]
    second, _ = await comes(it)
    assert (await second.get("/api/v1/me")).json()["role"] == "supervisor"
    assert (await first.get("/api/v1/me")).status_code == 401


async def test_somebody_is_known_by_subject_and_not_by_name(it: Centre, provider: Provider) -> None:
    await comes(it)
    provider.people["Ann"]["preferred_username"] = "ann.married@authority.example"
    ann, _ = await comes(it)
    assert (await ann.get("/api/v1/me")).json()["name"] == NAME
    provider.people["Bob"]["preferred_username"] = NAME
    _, answer = await comes(it, "Bob")
    assert answer.status_code == 403
    assert "somebody else&#39;s account here already" in answer.text
    await it.store.put_account(Account("bob", Role.AUDITOR, 1, password=HASHED))
    provider.people["Bob"]["preferred_username"] = "bob"
    assert (await comes(it, "Bob"))[1].status_code == 403
    kept = await it.store.account("bob")
    assert kept is not None
    assert (kept.role, kept.password) == (Role.AUDITOR, HASHED)


@pytest.mark.parametrize("name", [None, "", "a", "<script>", "x" * 81, 17, "ann\x00"])
async def test_a_name_that_cannot_be_an_accounts_is_refused(it: Centre, provider: Provider, name: Any) -> None:
    provider.people["Ann"]["preferred_username"] = name
    _, answer = await comes(it)
    assert answer.status_code == 403
    assert "web.oidc.name_claim" in answer.text
    assert await it.store.accounts() == []


async def test_a_disabled_account_stays_outside(it: Centre, provider: Provider) -> None:
    ann, _ = await comes(it)
    account = await it.store.account(NAME)
    assert account is not None
    await it.store.put_account(account._replace(disabled_at=it.clock.now()))
    assert (await ann.get("/account")).status_code == 303
    _, answer = await comes(it)
    assert "Your account here is disabled" in answer.text


async def test_a_client_without_a_secret_says_its_name(it: Centre, provider: Provider) -> None:
    provider.secret = None
    it.parts.elsewhere = elsewhere(it, provider)
    assert (await comes(it))[1].status_code == 303
    provider.secret = "another"
    assert (await comes(it))[1].status_code == 502


async def test_its_document_is_kept_for_minutes_and_its_keys_are_not(it: Centre, provider: Provider) -> None:
    await comes(it)
    await comes(it)
    assert (provider.asked.count("discovery"), provider.asked.count("keys")) == (1, 2)
    it.clock.advance(it.clock.now() + 10 * MINUTE)
    await comes(it)
    assert provider.asked.count("discovery") == 2


async def test_where_nobody_signs_in_elsewhere(it: Centre) -> None:
    assert "Sign in with" not in (await it.visitor().get("/sign-in")).text
    for path in ("/sign-in/elsewhere", BACK, "/signed-out", "/sign-out/elsewhere"):
        assert (await it.visitor().get(path)).status_code == 404, path


async def test_no_secret_of_the_way_is_readable_or_logged(
    it: Centre, provider: Provider, capfd: pytest.CaptureFixture[str]
) -> None:
    visitor = it.visitor()
    out = await visitor.get("/sign-in/elsewhere")
    cookie = out.headers["set-cookie"]
    assert all(word in cookie.lower() for word in ("httponly", "samesite=lax", "max-age=600"))
    assert "verifier" not in cookie
    assert SECRET not in out.headers["location"]
    provider.spoils = "nonce"
    _, answer = await comes(it)
    said = "".join(capfd.readouterr())
    assert "elsewhere_not_believed" in said
    assert SECRET not in said + answer.text


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"issuer": "http://id.example", "client_id": "x", "roles": ROLES}, "https://"),
        ({"issuer": "https://id.example", "roles": ROLES}, "belong together"),
        ({"issuer": "https://id.example", "client_id": "x"}, "roles is empty"),
        ({"roles": {"staff": "boss"}}, "is no role"),
        ({"roles": {"staff": ""}}, "is no role"),
    ],
)
def test_settings_that_cannot_be_used_say_why(said: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        OidcSettings(**said)


def test_the_secret_comes_from_a_file_or_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("word\n")
    assert secret_of(OidcSettings(client_secret_file=path)) == "word"
    assert secret_of(OidcSettings(client_secret="other", client_secret_file=path)) == "other"  # type: ignore[arg-type] # as from a file
    assert secret_of(OidcSettings()) is None
    with pytest.raises(SettingsError, match=r"web\.oidc\.client_secret_file"):
        secret_of(OidcSettings(client_secret_file=tmp_path / "none"))


async def test_a_service_whose_secret_cannot_be_read_says_so_at_its_start(tmp_path: Path) -> None:
    oidc = {"issuer": "https://id.example", "client_id": "x", "client_secret_file": f"{tmp_path}/none"}
    web: dict[str, dict[str, Any]] = {
        "web": {"enabled": True, "port": 0},
        "web.oidc": oidc,
        "web.oidc.roles": {"staff": "operator"},
    }
    said = await refused(tmp_path, web)
    assert f"web.oidc.client_secret_file: {tmp_path}/none" in said
    assert "name a file of one line that this service can read" in said


async def test_in_a_browser_there_and_back_and_out_again(it: Centre, provider: Provider, browser: Browser) -> None:
    faults: dict[str, list[str]] = {}
    async with online(it) as address:
        it.parts.elsewhere = elsewhere(it, provider, address)
        context = await browser.new_context(base_url=address, bypass_csp=True)
        page = await context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        await page.goto("/account")
        faults |= await faults_of(page)
        await page.get_by_role("link", name="Sign in with the authority").click()
        await page.get_by_role("link", name="Ann").click()
        await expect(page.get_by_text("You sign in elsewhere")).to_be_visible()
        assert page.url == f"{address}/account"
        faults |= await faults_of(page)
        await page.get_by_role("button", name="Sign out", exact=True).click()
        await expect(page.get_by_text("You are signed out of emcheck")).to_be_visible()
        faults |= await faults_of(page)
        await page.get_by_role("link", name="Sign out there, too").click()
        await page.wait_for_url(f"{address}/sign-in")
        await page.goto("/account")
        await page.wait_for_url(re.compile("/sign-in"))
        provider.spoils = "nonce"
        await page.get_by_role("link", name="Sign in with the authority").click()
        await page.get_by_role("link", name="Ann").click()
        await expect(page.get_by_text("cannot be believed")).to_be_visible()
        faults |= await faults_of(page)
        provider.spoils, provider.people["Ann"]["groups"] = "", ["canteen"]
        await page.get_by_role("link", name="Begin again").click()
        await page.get_by_role("link", name="Sign in with the authority").click()
        await page.get_by_role("link", name="Ann").click()
        await expect(page.get_by_text("no group of yours has a role here")).to_be_visible()
        faults |= await faults_of(page)
        assert [line for line in said if "Content Security Policy" in line] == []
        await context.close()
    assert faults == {}, json.dumps(faults, indent=1)
