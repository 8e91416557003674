"""Numbers of tags as fitters type them: of one that is known but for its case, the known spelling."""

from collections.abc import Iterable

from emcheck.desk import Desk
from emcheck.domain.amending import addresses
from emcheck.domain.boots import settings_of
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER, MINUTE
from emcheck.domain.register import Order, Register
from emcheck.service.history import told_in

_LATELY: Ms = 15 * MINUTE


async def heard_near(desk: Desk, register: Register, order: Order, now: Ms) -> list[str]:
    """The tags that units at the order's addresses heard lately, by number; those of no fitting too."""
    places = addresses(order)
    here = [i for i in register.installations if i.installed_at <= now < (i.removed_at or FOREVER)]
    units = [one.unit for one in here if one.address_id in places]
    row = await desk.row_before(now - _LATELY) if units else 0
    found: set[str] = set()
    for unit in units:
        async for each in desk.inbox_after(row, unit=unit):
            told = told_in(each.received_at, each.payload) if each.kind == "up" else None
            for event in () if told is None else told.events:
                found |= set() if event is None else {said.tag for said in settings_of(event) if said.present}
    return sorted(found)


def spelt(typed: str, heard: Iterable[str], registered: Iterable[str]) -> str:
    """`t-7` as the one tag that is heard, or else registered, by that number in other case; `typed` where none is.

    Of two that differ by case alone none is guessed.
    """
    typed = typed.strip()
    for known in (set(heard), set(registered)):
        if typed in known:
            return typed
    for known in (set(heard), set(registered)):
        alike = [tag for tag in known if tag.casefold() == typed.casefold()]
        if alike:
            return alike[0] if len(alike) == 1 else typed
    return typed
