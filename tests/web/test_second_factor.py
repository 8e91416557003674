"""The second factor: set up, asked for after the password, good once, throttled, required by role, and reset."""

import re
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pyotp
import pytest

from emcheck.desk import SecondFactor
from emcheck.domain.instants import MINUTE
from emcheck.domain.rights import Role
from emcheck.service.app import Service
from emcheck.settings import WebSettings
from emcheck.web.people.sealing import KeyFile, Seal, SealError
from emcheck.web.serving import parts_over
from tests.web.centre import PASSWORD, Browser, Centre

PAGE = "/account/second-factor"
STEP = 30_000


def secret_in(page: str) -> str:
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert found is not None
    return found[1].replace(" ", "")


class Device:
    """A phone with an app for codes, whose clock is the test's."""

    def __init__(self, it: Centre, secret: str) -> None:
        self.it, self.totp = it, pyotp.TOTP(secret)

    def shows(self, *, later_ms: int = 0) -> str:
        return self.totp.at((self.it.clock.now() + later_ms) // 1000)


async def set_up(it: Centre, browser: Browser) -> tuple[Device, list[str]]:
    """By the pages: the device, and its recovery codes."""
    assert (await browser.sends(PAGE, act="begin", password=PASSWORD)).status_code == 303
    device = Device(it, secret_in((await browser.get(PAGE)).text))
    answer = await browser.sends(PAGE, act="confirm", code=device.shows())
    assert answer.status_code == 200
    browser.csrf = answer.text.partition('data-csrf="')[2].partition('"')[0]
    return device, re.findall(r"<li><code>([a-z2-7-]+)</code>", answer.text)


async def by_password(it: Centre, name: str = "operator") -> tuple[httpx.AsyncClient, str]:
    """Somebody new who typed the password, and the pledge in the form for the code."""
    visitor = it.visitor()
    answer = await visitor.post("/sign-in", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    found = re.search(r'name="pledge" value="([^"]+)"', answer.text)
    assert found is not None
    return visitor, found[1]


async def test_a_device_counts_once_it_was_confirmed(it: Centre) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    assert (await browser.get(f"{PAGE}/code.svg")).status_code == 404
    assert (await browser.sends(PAGE, act="begin", password="wrong")).status_code == 401
    await browser.sends(PAGE, act="begin", password=PASSWORD)
    picture = await browser.get(f"{PAGE}/code.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.count("<path") == 2
    assert not re.search(r"style=|<style|<script|href", picture.text)
    page = (await browser.get(PAGE)).text
    assert "otpauth://totp/emcheck:operator?secret=" in page
    assert "<svg" not in page
    await it.signed_in()  # not asked for a code yet
    wrong = await browser.sends(PAGE, act="confirm", code="000000")
    assert wrong.status_code == 401
    assert "Is its clock right?" in wrong.text
    answer = await browser.sends(PAGE, act="confirm", code=Device(it, secret_in(page)).shows())
    codes = re.findall(r"<li><code>([a-z2-7-]+)</code>", answer.text)
    assert len(set(codes)) == 10
    assert all(len(code.replace("-", "")) * 5 >= 112 for code in codes)
    assert codes[0] not in (await browser.get(PAGE)).text
    assert (await browser.get(f"{PAGE}/code.svg")).status_code == 404
    await by_password(it)


async def test_beside_a_night_that_is_played_codes_go_by_the_machines_clock(it: Centre) -> None:
    await it.has("operator")
    service = SimpleNamespace(loops=SimpleNamespace(look_at_mail=None), troubles=list)
    settings = WebSettings(key_file=it.folder / "web.key")
    factors = parts_over(settings, it.store, it.clock, cast("Service", service)).signing_in.factors
    await factors.begin("operator")
    secret = await factors.pending("operator")
    assert secret is not None
    assert await factors.confirm("operator", pyotp.TOTP(secret).now()) is not None


async def test_a_code_is_asked_after_the_password_and_lets_in_once(it: Centre) -> None:
    await it.has("operator")
    device, _ = await set_up(it, await it.signed_in())
    it.clock.advance(it.clock.now() + STEP)
    visitor, pledge = await by_password(it)
    for code in ("", "12345", "abcdef", "١٢٣٤٥٦", device.shows(later_ms=-5 * STEP)):
        wrong = await visitor.post("/sign-in/code", data={"pledge": pledge, "code": code})
        assert wrong.status_code in (401, 429), code
        it.clock.advance(it.clock.now() + 4 * MINUTE)
        visitor, pledge = await by_password(it)
    code = f" {device.shows()[:3]} {device.shows()[3:]} "
    good = await visitor.post("/sign-in/code", data={"pledge": pledge, "code": code, "next": "/access"})
    assert (good.status_code, good.headers["location"]) == (303, "/access")
    assert (await visitor.get("/")).status_code == 200
    again, pledge = await by_password(it)
    assert (await again.post("/sign-in/code", data={"pledge": pledge, "code": code})).status_code == 401
    earlier = device.shows(later_ms=-STEP)
    assert (await again.post("/sign-in/code", data={"pledge": pledge, "code": earlier})).status_code == 401
    later = device.shows(later_ms=STEP)
    assert (await again.post("/sign-in/code", data={"pledge": pledge, "code": later})).status_code == 303


async def test_a_pledge_is_good_for_minutes_and_for_its_password(it: Centre) -> None:
    await it.has("operator")
    device, _ = await set_up(it, await it.signed_in())
    visitor, pledge = await by_password(it)
    it.clock.advance(it.clock.now() + 5 * MINUTE)
    late = await visitor.post("/sign-in/code", data={"pledge": pledge, "code": device.shows()})
    assert late.status_code == 401
    assert "took too long" in late.text
    _, pledge = await by_password(it)
    for other in ("", "x", pledge[:-4] + "AAAA", Seal().close('["operator", null, 99]', "pledge")):
        answer = await visitor.post("/sign-in/code", data={"pledge": other, "code": device.shows()})
        assert answer.status_code == 401, other
    account = await it.store.account("operator")
    assert account is not None
    await it.store.put_account(account._replace(password="another"))
    answer = await visitor.post("/sign-in/code", data={"pledge": pledge, "code": device.shows()})
    assert "begin again" in answer.text


async def test_wrong_codes_are_throttled_wherever_they_come_from(it: Centre) -> None:
    await it.has("operator")
    device, _ = await set_up(it, await it.signed_in())
    it.clock.advance(it.clock.now() + STEP)
    for number in range(6):
        visitor, pledge = await by_password(it)
        answer = await visitor.post("/sign-in/code", data={"pledge": pledge, "code": f"00000{number}"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == 15 * 60
    answer = await visitor.post("/sign-in/code", data={"pledge": pledge, "code": device.shows()})
    assert answer.status_code == 429
    it.clock.advance(it.clock.now() + 15 * MINUTE)
    visitor, pledge = await by_password(it)
    assert (await visitor.post("/sign-in/code", data={"pledge": pledge, "code": device.shows()})).status_code == 303


async def test_a_recovery_code_lets_in_once_and_is_on_record(it: Centre) -> None:
    await it.has("operator", "auditor")
    _, codes = await set_up(it, await it.signed_in())
    for typed, status in ((codes[0].upper(), 303), (codes[0], 401), (codes[1].replace("-", " "), 303)):
        visitor, pledge = await by_password(it)
        answer = await visitor.post("/sign-in/code", data={"pledge": pledge, "code": typed})
        assert answer.status_code == status
    assert "8 recovery codes left" in (await visitor.get("/account")).text
    log = (await (await it.signed_in("auditor")).get("/api/v1/access", params={"subject": "operator"})).json()
    assert [line["action"] for line in log] == ["recovery code used", "recovery code used"]


async def test_new_codes_and_removal_ask_for_both_factors(it: Centre) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    device, codes = await set_up(it, browser)
    for act in ("recovery-codes", "remove"):
        it.clock.advance(it.clock.now() + STEP)
        assert (await browser.sends(PAGE, act=act, password="wrong", code=device.shows())).status_code == 401
        assert (await browser.sends(PAGE, act=act, password=PASSWORD, code="000000")).status_code == 401
        assert (await browser.sends(PAGE, act=act, password=PASSWORD)).status_code == 401
    new = await browser.sends(PAGE, act="recovery-codes", password=PASSWORD, code=device.shows())
    assert len(re.findall(r"<li><code>", new.text)) == 10
    other = await browser.sends(PAGE, act="remove", password=PASSWORD, code=codes[0])
    assert other.status_code == 401
    it.clock.advance(it.clock.now() + STEP)
    gone = await browser.sends(PAGE, act="remove", password=PASSWORD, code=device.shows())
    assert gone.status_code == 303
    assert (await browser.get("/account")).status_code == 200
    assert await it.store.second_factor("operator") is None
    await it.signed_in()
    assert (await browser.sends(PAGE, act="explode")).status_code == 403  # the sign-in has a new word


async def test_setting_it_up_ends_all_other_sign_ins(it: Centre) -> None:
    await it.has("operator")
    browser, other = await it.signed_in(), await it.signed_in()
    before = browser.client.cookies["emcheck"]
    await set_up(it, browser)
    assert (await browser.get("/")).status_code == 200
    assert browser.client.cookies["emcheck"] != before
    assert (await other.get("/")).status_code == 303
    assert (await it.visitor().get("/", headers={"Cookie": f"emcheck={before}"})).status_code == 303


async def test_a_role_may_be_required_to_have_one(it: Centre) -> None:
    await it.has("operator", "supervisor")
    it.parts.signing_in._factor_roles = frozenset({Role.SUPERVISOR})
    browser = await it.signed_in("supervisor")
    for path in ("/", "/access", "/live"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, PAGE), path
    assert (await browser.get("/", headers={"HX-Request": "true"})).headers["hx-redirect"] == PAGE
    api = await browser.get("/api/v1/alerts")
    assert (api.status_code, "set it up first" in api.json()["detail"]) == (403, True)
    assert "Your role must have a second factor" in (await browser.get(PAGE)).text
    await set_up(it, browser)
    assert (await browser.get("/")).status_code == 200
    assert (await (await it.signed_in()).get("/")).status_code == 200


async def test_programs_do_the_same(it: Centre) -> None:
    await it.has("operator")
    sent = {"name": "operator", "password": PASSWORD}
    client = it.visitor()
    client.headers["Authorization"] = f"Bearer {(await client.post('/api/v1/session', json=sent)).json()['token']}"
    path = "/api/v1/me/second-factor"
    none = {"is_on": False, "is_required": False, "recovery_codes_left": 0, "secret": None, "otpauth": None}
    assert (await client.get(path)).json() == none
    assert (await client.post(path, json={"act": "begin", "password": "wrong"})).status_code == 403
    assert (await client.post(path, json={"act": "begin", "password": PASSWORD})).status_code == 200
    device = Device(it, (await client.get(path)).json()["secret"])
    done = (await client.post(path, json={"act": "confirm", "code": device.shows()})).json()
    assert len(done["recovery_codes"]) == 10
    client.headers["Authorization"] = f"Bearer {done['token']}"
    assert (await client.get(path)).json() == none | {"is_on": True, "recovery_codes_left": 10}
    assert (await client.post(path, json={"act": "begin", "password": PASSWORD})).status_code == 409
    wanted = await it.visitor().post("/api/v1/session", json=sent)
    assert (wanted.status_code, wanted.json()["wanted"]) == (401, "code")
    it.clock.advance(it.clock.now() + STEP)
    assert (await it.visitor().post("/api/v1/session", json=sent | {"code": device.shows()})).status_code == 200
    it.clock.advance(it.clock.now() + STEP)
    gone = await client.post(path, json={"act": "remove", "password": PASSWORD, "code": device.shows()})
    assert gone.json()["recovery_codes"] == []
    assert (await it.visitor().post("/api/v1/session", json=sent)).status_code == 200


async def test_the_database_alone_tells_no_secret(it: Centre) -> None:
    await it.has("operator", "auditor")
    device, codes = await set_up(it, await it.signed_in())
    key = it.folder / "web.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    raw = b"".join((it.folder / name).read_bytes() for name in ("em.db", "em.db-wal"))
    assert device.totp.secret.encode() not in raw
    assert key.read_bytes().strip() not in raw
    assert not any(code.encode() in raw or code.replace("-", "").encode() in raw for code in codes)
    kept = await it.store.second_factor("operator")
    assert kept is not None
    await it.store.put_second_factor(SecondFactor("auditor", kept.sealed, 1, confirmed_at=1))
    visitor, pledge = await by_password(it, "auditor")
    assert (await visitor.post("/sign-in/code", data={"pledge": pledge, "code": device.shows()})).status_code == 401


async def test_without_its_key_recovery_codes_still_let_in(it: Centre) -> None:
    await it.has("operator")
    device, codes = await set_up(it, await it.signed_in())
    (it.folder / "web.key").unlink()
    visitor, pledge = await by_password(it)
    answer = await visitor.post("/sign-in/code", data={"pledge": pledge, "code": device.shows()})
    assert answer.status_code == 503
    assert "Recovery codes still work" in answer.text
    assert str(it.folder) not in answer.text
    assert (await visitor.post("/sign-in/code", data={"pledge": pledge, "code": codes[0]})).status_code == 303
    assert not (it.folder / "web.key").exists()


@pytest.mark.parametrize("held", [b"", b"AAAA", b"\xff\xfe", b"no key at all"])
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "web.key"
    path.write_bytes(held)
    with pytest.raises(SealError, match=r"web\.key"):
        KeyFile(path).seal_or_make()
    with pytest.raises(SealError, match="cannot be made"):
        KeyFile(tmp_path / "none" / "web.key").seal_or_make()


def test_what_is_sealed_opens_for_its_purpose_only() -> None:
    seal = Seal()
    sealed = seal.close("text", "purpose")
    assert seal.open(sealed, "purpose") == "text"
    assert seal.open(sealed, "another") is None
    assert Seal().open(sealed, "purpose") is None
    assert seal.close("text", "purpose") != sealed
