"""The equipment: what wants attention comes first, page by page; what was refused is shown as it came."""

import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from emcheck.domain.instants import MINUTE
from emcheck.ports import Message
from emcheck.wire.topics import up
from tests.support import UnitStory, at
from tests.web.centre import Centre, centre
from tests.web.test_board import street

HOSTILE = b'{"v": 9, "<script>": "\xff\x1b[2J"}'


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Centre]:
    """Unit 1 is well, 2 on a failing battery and fast, 3 has fallen silent, 4 and 5 never told anything."""
    async with centre(tmp_path, street(5)) as it:
        well = UnitStory("BU-0001").boots(at("18:51")).hears(at("18:51"), tag="T-1").beats(at("18:52"), at("19:30"))
        ailing = UnitStory("BU-0002").boots(at("18:51")).beats(at("18:52"), at("19:28"))
        ailing.tell(at("19:29"), "unit_status", power="battery", battery_pct=12, clock_offset_ms=95_000)
        silent = UnitStory("BU-0003").boots(at("18:51")).hears(at("18:51"), tag="T-3").beats(at("18:52"), at("19:00"))
        for told in (well, ailing, silent):
            await it.tells(told)
        for number in range(3):
            refused = HOSTILE + bytes([number])
            await it.loop.receive([Message(up("BU-0001"), refused, retained=False, received_at=at("19:30") + number)])
        it.clock.advance(at("19:30:30"))
        await it.loop.tick(at("19:30:30"))
        await it.has()
        yield it


def units_of(text: str) -> list[str]:
    return re.findall(r'data-label="unit"><a href="/units/(BU-\d+)"', text)


async def test_what_wants_attention_comes_first(town: Centre) -> None:
    browser = await town.signed_in()
    text = (await browser.get("/equipment")).text
    assert units_of(text) == ["BU-0004", "BU-0005", "BU-0003", "BU-0002", "BU-0001"]
    assert "never" in text
    assert "silent: Tue 24 Mar 19:00:02" in re.sub(r"<[^>]+>|\s+", " ", text).replace("  ", " ").replace("  ", " ")
    for order, first in {"battery": "BU-0002", "clock": "BU-0002", "refused": "BU-0001", "unit": "BU-0001"}.items():
        assert units_of((await browser.get(f"/equipment?by={order}")).text)[0] == first, order
    assert "battery low, 12 %" in text
    assert "1 min 35 s fast" in text
    assert units_of((await browser.get("/equipment?silent=1")).text) == ["BU-0004", "BU-0005", "BU-0003"]
    assert units_of((await browser.get("/equipment?words=w-2")).text) == ["BU-0002"]
    assert units_of((await browser.get("/equipment?by=nonsense&after=%5B%5D")).text)[0] == "BU-0004"


@pytest.mark.parametrize("order", ["heard", "battery", "clock", "firmware", "key", "refused", "unit"])
async def test_a_list_is_read_on_in_its_order(town: Centre, order: str) -> None:
    browser, seen, after = await town.signed_in(), list[str](), ""
    while True:
        page = (await browser.get(f"/api/v1/units?by={order}&limit=2&after={quote(after)}")).json()
        seen += [line["unit"] for line in page["lines"]]
        assert page["number"] == 5
        if (after := page["next"]) is None:
            break
    assert sorted(seen) == [f"BU-000{n}" for n in range(1, 6)]
    assert len(seen) == len(set(seen))
    for wrong in ("[]", "nothing", '[{"a":1},"x"]', '[true,"x"]', "[1]"):
        answer = await browser.get(f"/api/v1/units?by=heard&after={quote(wrong)}")
        assert answer.status_code == 422, wrong


@pytest.mark.parametrize(
    ("order", "first"), [("heard", "T-2"), ("battery", "T-1"), ("batch", "T-1"), ("fitted", "T-1")]
)
async def test_tags_are_read_on_in_their_order(town: Centre, order: str, first: str) -> None:
    browser, seen, after = await town.signed_in(), list[str](), ""
    while True:
        page = (await browser.get(f"/api/v1/tags?by={order}&limit=2&after={quote(after)}")).json()
        seen += [line["tag"] for line in page["lines"]]
        assert page["number"] == 5
        if (after := page["next"]) is None:
            break
    assert (seen[0], sorted(seen)) == (first, [f"T-{n}" for n in range(1, 6)])


async def test_lists_are_searched_by_all_that_a_line_names(town: Centre) -> None:
    browser = await town.signed_in()
    for path, words in {"/api/v1/units": ("bu-0004", "a-4", "W-4"), "/api/v1/tags": ("t-4", "w-4", "BU-0004")}.items():
        for said in words:
            page = (await browser.get(f"{path}?words={said}")).json()
            assert (page["number"], len(page["lines"])) == (1, 1), (path, said)
        assert (await browser.get(f"{path}?words=zzz")).json()["number"] == 0


async def test_tags_with_the_unit_that_heard_them_last(town: Centre) -> None:
    browser = await town.signed_in()
    told = (await browser.get("/api/v1/tags?by=tag")).json()["lines"]
    assert [(line["tag"], line["present"], line["unit"], line["heard_at"]) for line in told] == [
        ("T-1", True, "BU-0001", "2026-03-24T19:30:00.000Z"), ("T-2", None, "BU-0002", None),
        ("T-3", None, "BU-0003", "2026-03-24T19:00:00.000Z"), ("T-4", None, "BU-0004", None),
        ("T-5", None, "BU-0005", None),
    ]  # fmt: skip
    text = (await browser.get("/equipment/tags?by=heard&words=T-3")).text
    assert "1 tag fitted like that" in text
    assert 'href="/wearers/W-3"' in text


async def test_what_was_refused_is_shown_as_it_came(town: Centre) -> None:
    browser = await town.signed_in()
    text = (await browser.get("/equipment/quarantine")).text
    numbers = re.findall(r'href="/equipment/quarantine/(\d+)"', text)
    assert numbers == ["3", "2", "1"]
    page = (await browser.get("/equipment/quarantine/1")).text
    assert "<script>" not in page.replace('<script src="', "")
    assert "&lt;script&gt;" in page
    assert "\\xff\\x1b[2J" in page
    assert "7b 22 76 22 3a 20 39" in page
    api = (await browser.get("/api/v1/quarantine/1")).json()
    assert base64.b64decode(api["payload_b64"]) == HOSTILE + b"\x00"
    listed = (await browser.get("/api/v1/quarantine?limit=2&unit=BU-0001")).json()
    assert [each["number"] for each in listed["refused"]] == [3, 2]
    rest = (await browser.get(f"/api/v1/quarantine?before={listed['next']}")).json()
    assert [each["number"] for each in rest["refused"]] == [1]
    for path in ("/equipment/quarantine/99", "/equipment/quarantine/x", "/equipment/quarantine/99999999999999999999"):
        assert (await browser.get(path)).status_code == 404, path
    assert (await browser.get("/api/v1/quarantine?reason=none")).status_code == 422
    assert re.findall(r"quarantine/(\d+)", (await browser.get("/equipment/quarantine?reason=over_size")).text) == []


async def test_a_unit_on_one_page_and_who_looked_is_kept_for_its_wearers(town: Centre) -> None:
    browser = await town.signed_in()
    text = (await browser.get("/units/BU-0003")).text
    for said in ("silent", "&lt;Wearer&gt; 3", "SE1", "presence at Tue 24 Mar 18:51:00: tag T-3, in_range yes",
                 "<dd>unit_status at Tue 24 Mar 19:00:00: power mains", "Its alerts"):  # fmt: skip
        assert said in text, said
    assert text.index("19:00:02") < text.index("18:52:02"), "the newest report first"
    refused = (await browser.get("/units/BU-0001")).text
    assert re.findall(r'href="/equipment/quarantine/(\d+)"', refused) == ["3", "2", "1"]
    api = (await browser.get("/api/v1/units/BU-0003")).json()
    assert json.loads(api["reports"][0]["payload"])["events"][0]["at"] == "2026-03-24T19:00:00.000Z"
    assert api["alerts"]
    for path in ("/units/BU-0009", "/api/v1/units/BU-0009", "/units/%00"):
        assert (await browser.get(path)).status_code == 404, path
    auditor = await town.signed_in("auditor")
    lines = (await auditor.get("/api/v1/access", params={"subject": "W-3"})).json()
    assert [line["action"] for line in lines] == ["unit seen"] * 2


async def test_lists_are_noted_once_an_hour(town: Centre) -> None:
    browser = await town.signed_in()
    for path in ("/equipment", "/equipment?by=unit", "/equipment/tags", "/equipment/quarantine"):
        await browser.get(path)
    town.clock.advance(town.clock.now() + MINUTE)
    lines = (await (await town.signed_in("auditor")).get("/api/v1/access")).json()
    assert [line["action"] for line in lines if line["account"] == "operator"] == [
        "quarantine seen", "tags seen", "equipment seen", "signed in",
    ]  # fmt: skip


async def test_while_the_service_reads_itself_back_there_is_no_list(town: Centre) -> None:
    town.is_ready = False
    browser = await town.signed_in()
    for path in ("/equipment", "/equipment/tags", "/units/BU-0001"):
        assert (await browser.get(path)).status_code == 503, path
    assert (await browser.get("/equipment/quarantine")).status_code == 200
