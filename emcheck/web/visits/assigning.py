"""Who is to make which visit on which day: what a supervisor says, and what of it holds (docs/adr/0035).

1. An assignment holds until its day is over, by the order's clock, and while its account may fit. Then the visit is
   anybody's again.
2. It bars nobody: another fitter may make the visit, and is told whose it is.
3. It is made over what was looked at: where somebody assigned since, nothing is done and it is said who and when.
"""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, NamedTuple

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from emcheck.desk import Access, Assignment
from emcheck.domain.ids import Ms
from emcheck.domain.register import Order
from emcheck.domain.rights import Right, may
from emcheck.present.times import clock, local_date
from emcheck.web.alerts.acting import Wrong
from emcheck.web.guarding import address_of
from emcheck.web.parts import Parts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem

SeenAt = Annotated[int, Field(ge=0, le=1 << 53)]
_DAYS_MAX = 60
"""How far ahead visits are planned."""


class ToAssign(BaseModel):
    """Whose visit an order is to be."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    fitter: Annotated[str, Field(max_length=80)]
    """Their account."""
    day: Annotated[str, Field(max_length=10)]
    """`2026-03-24`, by the order's clock."""
    seen_at: SeenAt | None = None
    """The instant (ms) of the assignment that this one takes the place of; left out where there is none."""


class Assigned(BaseModel):
    """An assignment as it stands."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    order_id: str
    """Of which order."""
    fitter: str
    """Whose it is."""
    day: str
    """On which day."""
    by: str
    """Who said so."""
    at: int
    """When, in ms: what a change names as `seen_at`."""


class Holding(NamedTuple):
    """The assignments that hold, by order, and the accounts that visits can be assigned to."""

    by_order: Mapping[str, Assignment]
    fitters: tuple[str, ...]

    def of(self, order: Order, now: Ms) -> Assignment | None:
        """An order's, if it holds (1)."""
        made = self.by_order.get(order.order_id)
        if made is None or made.fitter not in self.fitters or made.day < local_date(now, order.timezone).isoformat():
            return None
        return made


NOBODYS = Holding(MappingProxyType({}), ())
"""Where nothing was assigned."""


async def holding(parts: Parts) -> Holding:
    """What holds now."""
    made = await parts.desk.assignments()
    accounts = await parts.desk.accounts()
    fitters = tuple(each.name for each in accounts if each.disabled_at is None and may(each.role, Right.FIT))
    return Holding({each.order_id: each for each in made}, fitters)


async def assign(
    request: Request, parts: Parts, who: Who, order: Order, said: ToAssign | None, seen: Ms | None
) -> Assignment | Wrong | None:
    """Say whose it is, or nobody's where nothing is said; how it stands. Problem where somebody was first (3)."""
    now = parts.clock.now()
    if said is not None and (wrong := await _wrong_with(parts, order, said, now)) is not None:
        return wrong
    made = None if said is None else Assignment(order.order_id, said.fitter, said.day, who.name, now)
    line = Access(now, who.name, "visit assigned", order.wearer_id, None, address_of(request))
    await parts.desk.note_access([line])
    stands = await parts.desk.assign(order.order_id, made, seen_at=seen)
    if stands != made and stands is not None:
        at = clock(stands.at, order.timezone)
        said_so = f"{stands.by} gave {order.order_id} to {stands.fitter} at {at}"
        raise Problem(409, f"{said_so}; nothing was changed. Look again.")
    return stands


async def _wrong_with(parts: Parts, order: Order, said: ToAssign, now: Ms) -> Wrong | None:
    fitters = (await holding(parts)).fitters
    if said.fitter not in fitters:
        there = ", ".join(fitters) or "none"
        return Wrong("fitter", f"{said.fitter[:40]!r} is no fitter who may sign in; there are {there}")
    today = local_date(now, order.timezone)
    try:
        day = dt.date.fromisoformat(said.day)
    except ValueError:
        return Wrong("day", f"{said.day!r} is no day; write it as {today.isoformat()}")
    last = today + dt.timedelta(days=_DAYS_MAX)
    if not today <= day <= last or day.isoformat() != said.day:
        return Wrong("day", f"{said.day} is not from {today.isoformat()} to {last.isoformat()}")
    return None
