"""How a visit may end, as a table, and what the register takes from its beginning and its end."""

from collections.abc import Iterable
from typing import NamedTuple

from emcheck.domain.acts import InstructionError
from emcheck.domain.fitting.acts import CloseFitting, Found, OpenFitting
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.register import Fitting, Installation, Order, Overridden, VisitMade, changed


class Ending(NamedTuple):
    """What an outcome means (5)."""

    touched: bool
    """Whether the fitter had the tag in hand. If not, the fitting that was there goes on as if nothing had been."""
    attempt: bool
    """Whether it counts as a failed attempt: two go to the authority (fitting.overdue)."""
    words: str


OUTCOMES: dict[str, Ending] = {
    "success": Ending(True, False, "the tag is on, and the record is signed"),
    "cannot_validate": Ending(True, True, "the tag could not be shown to be on a living limb"),
    "refused_access": Ending(False, True, "the wearer did not let the fitter in, or refused the tag"),
    "no_show": Ending(False, True, "nobody was there"),
    "wrong_address": Ending(False, True, "the wearer does not live there"),
    "unsafe": Ending(False, True, "the fitter left for their safety"),
    "mistaken": Ending(False, False, "it was begun by mistake"),
    "lapsed": Ending(False, False, "nobody said how the visit ended"),
}


Parts = tuple[tuple[Order, ...], tuple[Installation, ...], tuple[Fitting, ...]]
"""What of a register a visit may change."""


def failed_attempts(order: Order) -> Iterable[Ms]:
    """When visits of an order failed."""
    return (visit.at for visit in order.visits if OUTCOMES[visit.outcome].attempt)


def begun(parts: Parts, act: OpenFitting, at: Ms) -> Parts:
    """A visit ends the fittings of the tags in hand: what is latched is cleared, what happens inside accuses nobody."""
    orders, installations, fittings = parts
    wearers = {order.wearer_id for order in orders if order.order_id == act.order_id}
    tags = (act.tag, act.takes_off)

    def ended(fitting: Fitting) -> Fitting:
        on = fitting.fitted_at < at < (fitting.removed_at or FOREVER)
        return (
            changed(fitting, removed_at=at) if on and fitting.tag in tags and fitting.wearer_id in wearers else fitting
        )

    return orders, installations, tuple(map(ended, fittings))


def closed(parts: Parts, act: CloseFitting, at: Ms) -> Parts:
    """What the register takes from the end: the visit, and by its outcome a fitting that begins or one that goes on."""
    orders, installations, fittings = parts
    found = act.found
    if found is None:
        raise InstructionError("found", "missing; the service says what it found when it carries the closing out")
    made = VisitMade(session=act.session, at=format_ms(at), outcome=act.outcome, by=act.by)  # type: ignore[arg-type] # as text it is judged
    orders = tuple(
        changed(order, visits=(*order.visits, made)) if order.order_id == found.order_id else order for order in orders
    )
    if not OUTCOMES[act.outcome].touched:
        return orders, installations, tuple(_goes_on(fitting, found) for fitting in fittings)
    if act.outcome == "success" or act.left_on:
        fittings = (*fittings, _fitting(act, found, at))
    if act.range_dbm is not None:
        installations = tuple(
            changed(one, range_dbm=act.range_dbm) if one.unit == found.unit and one.removed_at is None else one
            for one in installations
        )
    return orders, installations, fittings


def _goes_on(fitting: Fitting, found: Found) -> Fitting:
    """The tag was not touched: its fitting did not end when the visit began."""
    was = fitting.wearer_id == found.wearer_id and fitting.tag in found.ended
    return changed(fitting, removed_at=None) if was and fitting.removed_at == found.opened_at else fitting


def _fitting(act: CloseFitting, found: Found, at: Ms) -> Fitting:
    """The tag is on from the end of the visit, as it was found."""
    override = None
    if found.state == "overridden" and found.overridden_by and found.override_reason:
        override = Overridden(by=found.overridden_by, reason=found.override_reason)
    return Fitting(
        tag=act.tag,
        wearer_id=found.wearer_id,
        limb=found.limb,
        strap_batch=found.strap_batch,
        fitted_at=format_ms(at),  # type: ignore[arg-type] # as text it is judged
        validation=found.state,
        session=act.session,
        override=override,
    )
