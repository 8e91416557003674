"""Photos of a visit by programs: what is taken, what is refused, who sees them, and what is left when they are gone."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from emcheck.domain.fitting.photos import bare
from emcheck.domain.instants import DAY, SECOND
from emcheck.service.forgetting import Forgetting
from emcheck.service.published import published
from tests.pictures import BASELINE, EXIF, PROGRESSIVE, beside, sized
from tests.web.centre import Centre
from tests.web.doorstep import Doorstep, fitters, unfitted_centre
from tests.web.test_visits_api import Visit, program

KEPT = bare(BASELINE)
NAME = sha256(KEPT).hexdigest()
JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Centre]:
    async with unfitted_centre(tmp_path) as made:
        await fitters(made, "a.fitter", "b.fitter")
        await made.has("supervisor", "operator")
        yield made


async def adds(visit: Visit, file: bytes = BASELINE, caption: str = "strap_and_skin", **said: Any) -> httpx.Response:
    said |= {"caption": caption}
    return await visit.client.post(f"{visit.path}/photos", params=said, content=file, headers=JPEG)


async def looks(it: Centre) -> list[str]:
    """Who saw a picture, the newest first."""
    lines = await it.store.access_log(limit=99, subject="W-1")
    return [line.account for _, line in lines if line.action == "photo of a visit seen"]


async def test_a_photo_is_kept_bare_under_its_hash_and_each_look_is_logged(it: Centre) -> None:
    visit = await Visit.of(await program(it))
    await Doorstep(it).passes(60)
    taken = await adds(visit, beside(BASELINE, EXIF, behind=b"tail"), age_ms=20 * SECOND)
    assert (taken.status_code, taken.json()["sha256"], taken.json()["is_held"]) == (201, NAME, True), taken.text
    assert (await visit.client.get(f"{visit.path}/photos")).json() == [taken.json()]
    assert await looks(it) == []
    shown = await visit.client.get(f"{visit.path}/photos/{NAME}")
    assert (shown.content, shown.headers["content-type"]) == (KEPT, "image/jpeg")
    assert (shown.headers["cache-control"], shown.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert shown.headers["content-security-policy"].startswith("default-src 'none'")
    await visit.client.get(f"{visit.path}/photos/{NAME}")
    assert await looks(it) == ["a.fitter", "a.fitter"]
    supervisor, other, operator = [await program(it, name) for name in ("supervisor", "b.fitter", "operator")]
    assert (await supervisor.get(f"{visit.path}/photos/{NAME}")).content == KEPT
    assert (await other.get(f"{visit.path}/photos/{NAME}")).status_code == 404
    assert (await operator.get(f"{visit.path}/photos/{NAME}")).status_code == 403
    assert (await adds(Visit(other, visit.path.rpartition("/")[2]))).status_code == 404
    assert await looks(it) == ["supervisor", "a.fitter", "a.fitter"]


async def test_a_photo_sent_twice_is_one(it: Centre) -> None:
    visit = await Visit.of(await program(it))
    said = [await adds(visit, key="phone-0001") for _ in range(2)]
    assert [answer.status_code for answer in said] == [201, 201]
    again = await adds(visit, key="phone-0002")
    assert (again.status_code, "this photo is in the visit already" in again.text) == (422, True)
    assert (await visit.client.get(f"{visit.path}/photos/{NAME}")).content == KEPT, "what was kept stays"
    other = await adds(visit, PROGRESSIVE, key="phone-0001")
    assert other.json()["errors"] == [
        {"pointer": "/key", "detail": "stands for another act of this session; take a new one"}
    ]
    assert [each["sha256"] for each in (await visit.client.get(f"{visit.path}/photos")).json()] == [NAME]


async def test_what_cannot_be_taken_is_refused_and_leaves_nothing(it: Centre) -> None:
    visit = await Visit.of(await program(it))
    for file, words in (
        (b"", "it is no JPEG"), (b"\x89PNG" + bytes(99), "it is no JPEG"), (BASELINE[:-40], "cut off or broken"),
        (sized(BASELINE, 4000, 3000), "it is 4000 by 3000 pixels"),
    ):  # fmt: skip
        refused = await adds(visit, file)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
        assert words in refused.json()["detail"]
    large = await adds(visit, BASELINE + bytes(1 << 20))
    assert (large.status_code, large.json()["detail"]) == (413, "At most 1048576 bytes are read.")
    assert (await adds(visit, caption="my holiday")).status_code == 422
    most = round(it.policy.number("fitting.photo.most"))
    for number in range(most):
        assert (await adds(visit, sized(BASELINE, 32, 25 + number))).status_code == 201
    refused = await adds(visit)
    assert f"the visit has {most} photos, and at most {most} are taken" in refused.json()["detail"]
    assert await it.store.picture(visit.path.rpartition("/")[2], NAME) is None
    await visit.says("closed", outcome="no_show")
    assert "is over: no photo is added to it" in (await adds(visit)).json()["detail"]
    assert len((await visit.client.get(f"{visit.path}/photos")).json()) == most


async def test_a_picture_goes_after_its_days_and_the_record_stays_as_it_was(it: Centre) -> None:
    client = await program(it)
    visit = await Visit.of(client)
    await adds(visit)
    await visit.says("closed", outcome="cannot_validate")
    record = (await client.get(f"{visit.path}/record")).json()
    assert [(one["sha256"], one["is_held"]) for one in record["photos"]] == [(NAME, True)]
    assert [error.message for error in Draft202012Validator(published("fitting")).iter_errors(record)] == []
    paper = (await client.get(f"{visit.path}/record.pdf")).content
    assert KEPT[-40:-2] in paper, "a JPEG stands in a PDF as it is"
    assert await looks(it) == ["a.fitter"]
    forgetting = Forgetting(it.store, it.clock, lambda _: it.policy)
    days = round(it.policy.number("fitting.photo.kept_days"))
    await forgetting.look(it.clock.now() + days * DAY)
    assert await it.store.picture(record["record"]["session"], NAME) == KEPT
    await forgetting.look(it.clock.now() + days * DAY + 1)
    later = (await client.get(f"{visit.path}/record")).json()
    assert later["record"] == record["record"]
    assert (later["photos"][0]["is_held"], later["photos"][0]["kept_days"]) == (False, days)
    gone = await client.get(f"{visit.path}/photos/{NAME}")
    assert (gone.status_code, gone.json()["detail"]) == (404, f"This photo was deleted after {days} days.")
    assert KEPT[-40:-2] not in (await client.get(f"{visit.path}/record.pdf")).content
    browser = await it.signed_in("a.fitter")
    page = (await browser.get(f"/visits/{record['record']['session']}")).text
    assert f"deleted after {days} days" in page
    assert "<img" not in page


async def test_the_page_shows_photos_folded_away_and_offers_to_add_one(it: Centre) -> None:
    visit = await Visit.of(await program(it))
    await adds(visit, caption="unit_and_place")
    browser, supervisor = await it.signed_in("a.fitter"), await it.signed_in("supervisor")
    path = visit.path.removeprefix("/api/v1")
    page = (await browser.get(path)).text
    assert f'<img src="{visit.path}/photos/{NAME}" alt="The unit and its place" loading="lazy">' in page
    assert 'capture="environment"' in page
    assert 'data-count="1"' in (await browser.get(f"{path}/skin")).text
    page = (await supervisor.get(path)).text
    assert "Photos (1)" in page
    assert 'capture="environment"' not in page
