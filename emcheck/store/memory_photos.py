"""Photos of fitters' visits, for tests."""

from collections.abc import Sequence

from emcheck.desk import Photo
from emcheck.domain.ids import Ms
from emcheck.store.rows import storable


class MemoryPhotos:
    """A part of `emcheck.desk.Desk`."""

    def __init__(self) -> None:
        self._photos: dict[tuple[str, str], tuple[Photo, bytes]] = {}

    async def keep_photo(self, of: Photo, picture: bytes) -> None:
        """Keep it; one that is kept already stays."""
        kept = of._replace(session=storable(of.session), by=storable(of.by), is_held=True)
        self._photos.setdefault((kept.session, kept.sha256), (kept, picture))

    async def photos(self, session: str) -> Sequence[Photo]:
        """All of a visit, by time."""
        found = [photo for photo, _ in self._photos.values() if photo.session == storable(session)]
        return sorted(found, key=lambda photo: (photo.at, photo.sha256))

    async def picture(self, session: str, sha256: str) -> bytes | None:
        """One of them; None where it is held no more, or never was."""
        photo, picture = self._photos.get((storable(session), storable(sha256)), (None, b""))
        return picture if photo is not None and photo.is_held else None

    async def drop_photo(self, session: str, sha256: str) -> None:
        """Forget that there was one: its act was refused."""
        self._photos.pop((storable(session), storable(sha256)), None)

    async def forget_photos(self, *, before: Ms, at: Ms, kept_days: int) -> int:
        """Delete the pictures taken before an instant, for they were kept so long; how many those were."""
        old = [key for key, (photo, _) in self._photos.items() if photo.is_held and photo.at < before]
        for key in old:
            photo, _ = self._photos[key]
            self._photos[key] = photo._replace(is_held=False, deleted_at=at, kept_days=kept_days), b""
        return len(old)

    def _erase_photos(self, wearer_id: str) -> None:
        for key, (photo, _) in list(self._photos.items()):
            if photo.wearer_id == wearer_id:
                self._photos[key] = photo._replace(is_held=False), b""
