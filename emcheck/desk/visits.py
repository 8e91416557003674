"""What of fitters' visits is no fact and no instruction: pictures that go after a time, and who is to go where."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from emcheck.domain.ids import Ms


class Photo(NamedTuple):
    """A photo of a fitter's visit, without its picture. `is_held` is whether that is kept still.

    `deleted_at` and `kept_days` say when it went and after how long; both are None where an erasure took it.
    """

    session: str
    sha256: str
    wearer_id: str
    caption: str
    at: Ms
    by: str
    is_held: bool = True
    deleted_at: Ms | None = None
    kept_days: int | None = None


class Assignment(NamedTuple):
    """Whose visit an order is on a day: `fitter` an account, `day` as `2026-03-24` by the order's clock."""

    order_id: str
    fitter: str
    day: str
    by: str
    at: Ms


class VisitsDesk(Protocol):
    """A part of `emcheck.desk.Desk`."""

    async def keep_photo(self, of: Photo, picture: bytes) -> None:
        """Keep it; one that is kept already stays."""
        ...

    async def photos(self, session: str) -> Sequence[Photo]:
        """All of a visit, by time."""
        ...

    async def picture(self, session: str, sha256: str) -> bytes | None:
        """One of them; None where it is held no more, or never was."""
        ...

    async def drop_photo(self, session: str, sha256: str) -> None:
        """Forget that there was one: its act was refused."""
        ...

    async def forget_photos(self, *, before: Ms, at: Ms, kept_days: int) -> int:
        """Delete the pictures taken before an instant, for they were kept so long; how many those were."""
        ...

    async def assignments(self) -> Sequence[Assignment]:
        """All there are, by order; those of days that are over too."""
        ...

    async def assign(self, order_id: str, now: Assignment | None, *, seen_at: Ms | None) -> Assignment | None:
        """Put `now` in the place of the one made at `seen_at`, None for none; what stands there then."""
        ...
