"""Photos of fitters' visits, as a SQL store keeps them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from emcheck.desk import Photo
from emcheck.domain.ids import Ms
from emcheck.store.reading import SqlReads, not_open
from emcheck.store.rows import storable
from emcheck.store.schema import photo
from emcheck.store.writing import kept_once

_OF = photo.c.session == bindparam("of")
_NAMED = photo.c.sha256 == bindparam("named")
_PHOTOS: Select[Any] = (
    select(
        photo.c.session, photo.c.sha256, photo.c.wearer_id, photo.c.caption, photo.c.at, photo.c.by,
        photo.c.picture.is_not(None), photo.c.deleted_at, photo.c.kept_days,
    )
    .where(_OF)
    .order_by(photo.c.at, photo.c.sha256)
)  # fmt: skip
_PICTURE = select(photo.c.picture).where(_OF, _NAMED, photo.c.picture.is_not(None))
_DROP = delete(photo).where(_OF, _NAMED)
_FORGET = (
    update(photo)
    .where(photo.c.picture.is_not(None), photo.c.at < bindparam("before"))
    .values(picture=None, deleted_at=bindparam("gone_at"), kept_days=bindparam("days"))
)
ERASE_PHOTOS = update(photo).where(photo.c.wearer_id == bindparam("whose")).values(picture=None)


class SqlPhotos(SqlReads):
    """A part of `emcheck.desk.Desk`."""

    def _transaction(self, *, scrub: bool = False) -> AbstractAsyncContextManager[AsyncConnection]:  # noqa: ARG002 - of SqlStore
        raise not_open(self._name)

    async def keep_photo(self, of: Photo, picture: bytes) -> None:
        """Keep it; one that is kept already stays."""
        row = {"session": of.session, "sha256": of.sha256, "wearer_id": of.wearer_id, "caption": of.caption}
        values = {name: storable(text) for name, text in (row | {"by": of.by}).items()}
        async with self._transaction() as connection:
            await connection.execute(kept_once(connection, photo), values | {"at": of.at, "picture": picture})

    async def photos(self, session: str) -> Sequence[Photo]:
        """All of a visit, by time."""
        rows = await self._rows(_PHOTOS, of=storable(session))
        return [Photo(*row) for row in rows]

    async def picture(self, session: str, sha256: str) -> bytes | None:
        """One of them; None where it is held no more, or never was."""
        rows = await self._rows(_PICTURE, of=storable(session), named=storable(sha256))
        return bytes(rows[0][0]) if rows else None

    async def drop_photo(self, session: str, sha256: str) -> None:
        """Forget that there was one: its act was refused."""
        async with self._transaction(scrub=True) as connection:
            await connection.execute(_DROP, {"of": storable(session), "named": storable(sha256)})

    async def forget_photos(self, *, before: Ms, at: Ms, kept_days: int) -> int:
        """Delete the pictures taken before an instant, for they were kept so long; how many those were."""
        async with self._transaction(scrub=True) as connection:
            values = {"before": before, "gone_at": at, "days": kept_days}
            return int((await connection.execute(_FORGET, values)).rowcount)
