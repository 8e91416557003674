"""Officers: own cases are read, others are as if there were none, and the asking is kept."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from emcheck.domain.register import Register, RegisterError
from emcheck.domain.rights import RIGHTS, Right, Role
from emcheck.service.enrolment import load_register
from tests.support import order, register
from tests.web.centre import PASSWORD, Centre, centre, online, urgent
from tests.web.chromium import faults_of, signed_in
from tests.web.test_rights import routes


def two_wearers(**of_first: str) -> Register:
    """W-1, whose officer is `officer`, and W-2, whose officer is somebody else."""
    mine = order(officer="officer", **of_first)
    other = order(order_id="O-2", wearer_id="W-2", officer="s.else@probation.example")
    return register(
        mine,
        other,
        wearers=[{"wearer_id": "W-1", "name": "Priya <Barker>"}, {"wearer_id": "W-2", "name": "Sam Secret"}],
    )


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    begun = Centre(tmp_path / "em.db")
    await begun.store.open()
    await load_register(begun.store, two_wearers(), begun.clock.now())
    await begun.store.close()
    async with centre(tmp_path) as made:
        await made.has()
        yield made


async def test_an_officer_begins_with_own_cases(it: Centre) -> None:
    await it.raises(urgent(), urgent("AL-BBB", priority="P2"), urgent("AL-CCC", subject="W-2", wearer_id="W-2"))
    browser = await it.signed_in("officer")
    answer = await browser.signs_in("officer")
    assert answer.headers["location"] == "/cases"
    page = (await browser.get("/cases")).text
    for said in ("W-1 Priya &lt;Barker&gt;", "O-1, community order, until", "1 P1", "1 P2", 'href="/wearers/W-1"'):
        assert said in page, said
    assert "W-2" not in page
    assert "Secret" not in page


async def test_own_cases_are_read_and_others_are_not_there(it: Centre) -> None:
    browser = await it.signed_in("officer")
    for path in ("/wearers/{}", "/api/v1/wearers/{}"):
        own = await browser.get(path.format("W-1"))
        assert own.status_code == 200
        assert "Barker" in own.text
        other, none = [await browser.get(path.format(wearer)) for wearer in ("W-2", "W-9")]
        assert (other.status_code, none.status_code) == (404, 404)
        assert other.text.replace("W-2", "W-9") == none.text
        assert "Secret" not in other.text
    log = (await (await it.signed_in("auditor")).get("/api/v1/access", params={"subject": "W-2"})).json()
    assert [(line["account"], line["action"]) for line in log] == [("officer", "wearer refused")] * 2
    seen = (await (await it.signed_in("auditor")).get("/api/v1/access", params={"subject": "W-1"})).json()
    assert {line["action"] for line in seen} == {"wearer seen", "wearer read"}


@pytest.mark.parametrize("role", Role)
async def test_each_route_about_a_wearer_with_each_role_for_own_and_others(it: Centre, role: Role) -> None:
    sent = {"name": role, "password": PASSWORD}
    token = (await it.visitor().post("/api/v1/session", json=sent)).json()["token"]
    walked = [(method, path, right) for method, path, right in routes(it) if "{wearer_id}" in path and right]
    walked = [each for each in walked if "{session}" not in each[1]]
    assert len(walked) >= 2
    async with it.visitor(headers={"Authorization": f"Bearer {token}"}) as client:
        for method, path, right in walked:
            own, other, none = [
                (await client.request(method, path.replace("{wearer_id}", wearer))).status_code
                for wearer in ("W-1", "W-2", "W-9")
            ]
            if right not in RIGHTS[role]:
                assert (own, other, none) == (403, 403, 403), path
            elif Right.QUEUE in RIGHTS[role]:
                assert 404 not in (own, other), path
                assert none == 404, path
            else:
                assert own < 400, path
                assert (other, none) == (404, 404), path


async def test_a_fitting_of_somebody_else_s_case_is_not_there(it: Centre) -> None:
    browser = await it.signed_in("officer")
    for path in ("/wearers/{}/fittings/FS-1.pdf", "/api/v1/wearers/{}/fittings/FS-1"):
        other, none = [await browser.get(path.format(wearer)) for wearer in ("W-2", "W-9")]
        assert (other.status_code, none.status_code) == (404, 404)
        assert other.text.replace("W-2", "W-9") == none.text
        assert "has no fitting" in (await browser.get(path.format("W-1"))).text
    log = (await (await it.signed_in("auditor")).get("/api/v1/access", params={"subject": "W-2"})).json()
    assert [line["action"] for line in log] == ["wearer refused"] * 2


async def test_programs_read_own_cases(it: Centre) -> None:
    await it.raises(urgent())
    browser = await it.signed_in("officer")
    [case] = (await browser.get("/api/v1/me/cases")).json()
    assert (case["wearer_id"], case["name"], case["open_alerts"]) == ("W-1", "Priya <Barker>", {"P1": 1})
    assert [each["order_id"] for each in case["orders"]] == ["O-1"]
    assert (await (await it.signed_in("operator")).get("/api/v1/me/cases")).status_code == 403


async def test_an_officer_without_cases_is_told_why(it: Centre) -> None:
    account = await it.store.account("officer")
    assert account is not None
    await it.store.put_account(account._replace(name="other.officer"))
    browser = await it.signed_in("other.officer")
    page = (await browser.get("/cases")).text
    assert "No order in the register names you as its officer (other.officer)" in page
    assert (await browser.get("/wearers/W-1")).status_code == 404


async def test_while_the_service_reads_itself_back(it: Centre) -> None:
    it.is_ready = False
    browser = await it.signed_in("officer")
    for path in ("/cases", "/wearers/W-1", "/wearers/W-2", "/api/v1/me/cases"):
        assert (await browser.get(path)).status_code == 503, path


def test_an_order_without_an_officer_keeps_its_hash() -> None:
    assert b"officer" not in json.dumps(register(order()).plain()).encode()
    assert register(order()).sha256() != register(order(officer="j.doe")).sha256()
    with pytest.raises(RegisterError, match="officer"):
        register(order(officer="J Doe"))


async def test_an_officers_pages_in_a_browser(it: Centre, browser: Browser) -> None:
    await it.night()
    async with online(it) as address:
        context = await browser.new_context(base_url=address, bypass_csp=True)
        page = await signed_in(context, address, "officer")
        faults = await faults_of(page)
        await page.get_by_role("group", name="Open alerts").get_by_role("link", name="W-1").click()
        await expect(page.locator("h1")).to_contain_text("W-1")
        await expect(page.locator('a[href^="/alerts/"]')).to_have_count(0)
        faults |= await faults_of(page)
        await page.goto("/wearers/W-2")
        await expect(page.get_by_text("There is no wearer W-2 in the register.")).to_be_visible()
        await context.close()
    assert faults == {}, json.dumps(faults, indent=1)
