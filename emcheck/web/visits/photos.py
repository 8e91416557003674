"""Photos of a visit, on their way in and out (docs/adr/0034).

A picture is kept before its act is posted, so that no act names what never was there; where the act is refused it goes
again. Every look at a picture is a line of the access log, written before it is shown.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from emcheck.desk import Access, Photo
from emcheck.domain.fitting.photos import PhotoError, bare, gone, photos_of
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, SECOND, format_ms
from emcheck.service.sessions import plain_photo
from emcheck.web.alerts.acting import Wrong
from emcheck.web.guarding import MayFit, MaySeeVisits, address_of
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem
from emcheck.web.visits.following import followed
from emcheck.web.visits.saying import told

router = APIRouter(prefix="/api/v1/visits")
JPEG = "image/jpeg"
_PICTURE: Mapping[str, Any] = {"content": {JPEG: {"schema": {"type": "string", "format": "binary"}}}}


class Taken(BaseModel):
    """A photo of a visit; its picture stands under its own address."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    sha256: str
    """Of the picture as it is kept; the record names it by this."""
    caption: Literal["strap_and_skin", "whole_leg", "unit_and_place"]
    """What it shows."""
    at: str
    """When it was taken."""
    by: str
    """By whom."""
    is_held: bool
    """Whether the picture is kept still."""
    deleted_at: str | None
    """When it went, where its time was over."""
    kept_days: int | None
    """After how many days it went."""


@router.get("/{session}/photos", summary="The photos of a visit")
async def photos(request: Request, session: str, who: MaySeeVisits, parts: WithParts) -> list[Taken]:
    """What was taken, without the pictures."""
    look = await followed(request).look(who, session)
    await followed(request).note(request, who, look)
    return [Taken.model_validate(plain_photo(photo)) for photo in await parts.desk.photos(session)]


@router.post(
    "/{session}/photos",
    summary="Add a photo",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, **_PICTURE}},
)
async def add(
    request: Request,
    session: str,
    who: MayFit,
    parts: WithParts,
    caption: Literal["strap_and_skin", "whole_leg", "unit_and_place"],
    key: Annotated[str | None, Query(max_length=64)] = None,
    age_ms: Annotated[int | None, Query(ge=0, le=DAY)] = None,
) -> Taken:
    """A JPEG as the body, no side longer than 1600 pixels; what a camera writes beside the picture is left out.

    With its `key` it may be sent again; `age_ms` is how long ago it was taken.
    """
    look = await followed(request).look(who, session)
    if look.session.closed is not None:
        raise Problem(422, f"The visit {session} is over: no photo is added to it.")
    try:
        picture = bare(await request.body())
    except PhotoError as error:
        raise Problem(422, f"The photo is not taken: {error}.") from None
    at = parts.clock.now() - (age_ms or 0)
    photo = Photo(session, sha256(picture).hexdigest(), look.session.visit.wearer_id, caption, at, who.name)
    async with followed(request).adding:
        return await _kept(request, parts, who, photo, picture, key)


async def _kept(request: Request, parts: Parts, who: Who, photo: Photo, picture: bytes, key: str | None) -> Taken:
    await parts.desk.keep_photo(photo, picture)
    visit = (await followed(request).look(who, photo.session)).session.visit
    raw = {"type": "fitting_photo", "session": photo.session, "tag": visit.tag, "by": who.name}
    raw |= {"sha256": photo.sha256, "caption": photo.caption} | ({} if key is None else {"key": key})
    raw |= {"at": format_ms(photo.at)} if parts.clock.now() - photo.at >= SECOND else {}
    outcome = await told(parts, followed(request), who, photo.session, raw)
    if isinstance(outcome, Wrong):
        acts = (await followed(request).look(who, photo.session, anew=True)).session.acts
        if photo.sha256 not in {act.sha256 for act in photos_of(act for _, act in acts)}:
            await parts.desk.drop_photo(photo.session, photo.sha256)
        errors = [{"pointer": f"/{outcome.field}", "detail": outcome.problem}] if outcome.field else []
        raise Problem(422, f"The photo is not taken: {outcome.problem}.", errors=errors)
    kept = next(each for each in await parts.desk.photos(photo.session) if each.sha256 == photo.sha256)
    return Taken.model_validate(plain_photo(kept))


@router.get("/{session}/photos/{name}", summary="One photo", response_class=Response, responses={200: dict(_PICTURE)})
async def photo(request: Request, session: str, name: str, who: MaySeeVisits, parts: WithParts) -> Response:
    """The picture of that SHA-256, as it is kept."""
    look = await followed(request).look(who, session)
    held = await parts.desk.picture(session, name)
    if held is None:
        raise Problem(404, await _why_not(parts, session, name))
    await _note(request, parts, who, look.session.visit.wearer_id, parts.clock.now())
    return Response(held, media_type=JPEG, headers={"Content-Disposition": f'inline; filename="{name[:12]}.jpg"'})


async def _why_not(parts: Parts, session: str, name: str) -> str:
    known = next((each for each in await parts.desk.photos(session) if each.sha256 == name), None)
    if known is None:
        return f"There is no photo {name[:64]} of this visit."
    return f"This photo was {gone(known.kept_days)}."


async def _note(request: Request, parts: Parts, who: Who, wearer_id: str, now: Ms) -> None:
    await parts.desk.note_access([Access(now, who.name, "photo of a visit seen", wearer_id, None, address_of(request))])


async def pictures_of(request: Request, parts: Parts, who: Who, record: Mapping[str, Any]) -> dict[str, bytes]:
    """The pictures of a record that are held, by SHA-256, each kept in the access log as seen."""
    found: dict[str, bytes] = {}
    for each in record["photos"]:
        picture = await parts.desk.picture(record["record"]["session"], each["sha256"])
        if picture is not None:
            await _note(request, parts, who, record["record"]["wearer_id"], parts.clock.now())
            found[each["sha256"]] = picture
    return found
