"""The walk test on the fitters' page: which rooms, how long, and what the levels are of."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.centre import Centre
from tests.web.doorstep import Doorstep, fitters, unfitted_centre
from tests.web.test_visits import answers, begun, marks


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with unfitted_centre(tmp_path) as made:
        await fitters(made, "a.fitter")
        yield made


async def test_one_room_is_asked_about_before_the_walk_is_over(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it)
    session = await begun(browser)
    await hallway.passes(5)
    hidden = '<details class="again one-room" data-stage="one_room" hidden>'
    await marks(browser, session, "room", room="hall")
    await hallway.passes(30)
    page = (await browser.get(f"/visits/{session}/walk")).text
    assert "Only 1 room: is that all there is?" in page
    assert hidden not in page
    assert 'data-stage="walk_over" hidden' in page
    await marks(browser, session, "walk_over")
    page = (await browser.get(f"/visits/{session}/walk")).text
    assert "Only hall was walked: walk the others, or say that there is no other room." in page
    assert hidden not in page
    await marks(browser, session, "walk_over", only_room="1")
    assert "Next: " in (await browser.get(f"/visits/{session}/walk")).text
    await marks(browser, session, "room", room="kitchen")
    await hallway.passes(30)
    page = (await browser.get(f"/visits/{session}/walk")).text
    assert hidden in page
    assert 'data-stage="walk_over" hidden' not in page


async def test_levels_of_the_walk_say_what_they_are_of(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it, levels={"hall": -70.0, "kitchen": -85.0})
    session = await begun(browser)
    assert "Stay half a minute in every corner." in (await browser.get(f"/visits/{session}/walk")).text
    await answers(browser, session, "identity", identifiers=["photo", "date of birth"])
    await hallway.passes(5)
    await marks(browser, session, "room", room="hall")
    await hallway.passes(1)
    soon = (await browser.get(f"/visits/{session}/walk/now")).text
    assert "of 3 frames, stay about 5 s more" in soon
    await hallway.passes(30)
    page = (await browser.get(f"/visits/{session}/walk/now")).text
    assert "<dt>now: good</dt>" in page
    assert "</small> -70<small>dBm" in page
    assert "Good from -78 dBm, too low under -92 dBm." in page
    hallway.levels["hall"] = -93.0
    await hallway.passes(1)
    page = (await browser.get(f"/visits/{session}/walk/now")).text
    assert "<dt>now: too low</dt>" in page
    assert "<small>lowest so far</small> -93<small>dBm" in page
    hallway.levels["hall"] = -70.0
    await hallway.passes(1)
    assert "<small>lowest so far</small> -93<small>dBm" in (await browser.get(f"/visits/{session}/walk/now")).text
    await marks(browser, session, "room", room="kitchen")
    await hallway.passes(2)
    page = (await browser.get(f"/visits/{session}/walk/now")).text
    assert "<dt>now: low</dt>" in page
    assert "<small>lowest so far</small> -85<small>dBm" in page


async def test_a_dead_room_is_shown(it: Centre) -> None:
    browser, hallway = await it.signed_in("a.fitter"), Doorstep(it, levels={"cellar": -122.0})
    session = await begun(browser)
    await hallway.passes(5)
    for room in ("hall", "cellar"):
        await marks(browser, session, "room", room=room)
        await hallway.passes(40)
    during = (await browser.get(f"/visits/{session}/walk/now")).text
    assert "cellar, 4" in during
    await marks(browser, session, "walk_over")
    page = (await browser.get(f"/visits/{session}/walk")).text
    assert '<tr class="dead">' in page
    assert "Dead: cellar. Put the unit elsewhere and walk again, or ask for a second one." in page
    assert "Walk again: choose a room." not in page  # other steps are open, and the walk may be last
