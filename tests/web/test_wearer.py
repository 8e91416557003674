"""The wearer on one page: a fortnight at a glance, folded nights on request, the week's timetable, fittings, notes."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emcheck.domain.instants import DAY, MINUTE
from emcheck.web.overview import wearer as pages
from tests.support import at, order, register
from tests.web.centre import Centre, centre

HELD = {
    "wearer_id": "W-1", "name": "Priya <Barker>", "notes": {"limb": "left leg <prosthetic>", "access": {"dog": True}},
    "contacts": {"phone": "+44 20 7946 0000"},
}  # fmt: skip
FITTED = {
    "tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "overridden",
    "strap_batch": "S-1", "session": "FS-1", "override": {"by": "S. Visor", "reason": "the unit's clock"},
}  # fmt: skip


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Centre]:
    async with centre(tmp_path, register(wearers=[HELD], fittings=[FITTED])) as it:
        await it.has()
        yield it


def picture(text: str) -> str:
    """What the glance says in its picture's description."""
    return text.partition('id="em-nights-1-desc">')[2].partition("</desc>")[0]


async def test_what_is_held_of_a_wearer(home: Centre) -> None:
    await home.night()
    text = (await (await home.signed_in()).get("/wearers/W-1")).text
    for said in (
        "left leg &lt;prosthetic&gt;", "{&#34;dog&#34;: true}", "+44 20 7946 0000", "by S. Visor: the unit&#39;s clock",
        'href="/wearers/W-1/fittings/FS-1.pdf"', "Timetable of a week", "Order O-1 of W-1, Mon 23 Mar 2026",
        'href="/units/BU-0001"', "<meter", "tag T-1",
    ):  # fmt: skip
        assert said in text, said
    assert len(re.findall(r"Mar, curfew", picture(text))) == 14
    assert text.count('id="em-hatch"') == 1, "patterns stand once on a page"


async def test_where_the_wearer_is_stands_first_and_programs_are_told_the_same(home: Centre) -> None:
    await home.night()
    browser = await home.signed_in()
    text = re.sub(r"<[^>]+>|\s+", " ", (await browser.get("/wearers/W-1")).text)
    begins = re.sub(r" +", " ", text).partition("Barker&gt; ")[2].partition(" The last nights")[0]
    assert begins.startswith(
        "? Unknown since Tue 24 Mar 18:42:12; strap cut since Tue 24 Mar 18:40:00 · "
        "next curfew Tue 24 Mar 19:00 · 1 open alert , the gravest ▲ P1 strap cut"
    ), begins
    now = (await browser.get("/api/v1/wearers/W-1")).json()["now"]
    assert (now["state"], now["since"]) == ("unknown", "2026-03-24T18:42:12.000Z")


async def test_the_week_is_chosen_and_nonsense_is_this_week(home: Centre) -> None:
    browser = await home.signed_in()
    assert "Mon 30 Mar 2026" in (await browser.get("/wearers/W-1?week=2026-03-31")).text
    for nonsense in ("never", "9999-01-01", "2026-13-01", "%3Cb%3E"):
        assert "Mon 23 Mar 2026" in (await browser.get(f"/wearers/W-1?week={nonsense}")).text, nonsense


async def test_folded_nights_are_drawn_from_the_record_on_request(home: Centre) -> None:
    await home.night()
    await home.tells(home.unit.beats(at("18:41"), at("20:00")).loses(at("20:01")).beats(at("20:02"), at("20:30")))
    for day in range(1, 9):
        later = at("19:00") + day * DAY
        await home.tells(home.unit.hears(later - 5 * MINUTE).beats(later, later + 5 * MINUTE))
    home.clock.advance(at("19:10") + 8 * DAY)
    await home.loop.tick(home.clock.now() - 1)
    browser = await home.signed_in()
    text = (await browser.get("/wearers/W-1")).text
    [line] = re.findall(r"Tue 24 Mar, curfew[^.]*\.", picture(text))
    assert "not read from the record" in line
    assert "absence" in line, "what was found of it is told"
    assert "Draw them from the record" in text
    drawn = (await browser.get("/wearers/W-1?nights=all")).text
    [line] = re.findall(r"Tue 24 Mar, curfew[^.]*\.", picture(drawn))
    assert "at home 1 h 1 min" in line
    assert "not heard at home" in line
    assert "not read" not in picture(drawn)
    api = (await browser.get("/api/v1/wearers/W-1?nights=all")).json()
    assert line in api["nights"]["O-1"]
    assert api["contacts"] == {"phone": "+44 20 7946 0000"}


async def test_a_record_that_is_of_nobody_or_not_held_is_not_there(home: Centre) -> None:
    browser = await home.signed_in()
    for path in ("/wearers/W-1/fittings/FS-9", "/wearers/W-9/fittings/FS-1", "/wearers/W-1/fittings/FS-1"):
        assert (await browser.get(f"{path}.pdf")).status_code == 404, path
        assert (await browser.get(f"/api/v1{path}")).status_code == 404, path
    lines = (await (await home.signed_in("auditor")).get("/api/v1/access", params={"subject": "W-1"})).json()
    assert [line["action"] for line in lines] == ["record of a visit read"] * 2


async def test_an_order_without_curfew_has_no_nights(tmp_path: Path) -> None:
    async with centre(tmp_path, register(order(curfew=[]), wearers=[HELD])) as it:
        await it.has("operator")
        text = (await (await it.signed_in()).get("/wearers/W-1")).text
    assert "No curfew window in the last 14 days." in text


def test_weeks_are_no_further_than_anybody_s_timetable() -> None:
    now = at("19:00")
    assert pages._week_asked("2027-01-01", now, "UTC").isoformat() == "2027-01-01"
    assert pages._week_asked("2099-01-01", now, "UTC").isoformat() == "2026-03-24"
