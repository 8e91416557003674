"""Open visits: who may begin one, and whose word counts in it.

1. One session for one tag, one wearer and one base unit at a time. Each is named in what is refused.
2. An answer belongs to one session, its fitter and its tag: all three stand in it, and all three must be right. So
   nobody copies another's answers, and a wrong tag that is scanned is noticed at the first answer.
3. A visit ends by itself after `fitting.session.most_s`: the service closes it as `lapsed`.
4. The wearer's limb note bars limbs (`limb_note`): "left leg prosthetic" bars the left ankle.
5. An outcome says what becomes of the tag (`outcomes`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from emcheck.domain.acts import InstructionError
from emcheck.domain.amending import addresses
from emcheck.domain.fitting.acts import AddPhoto, AnswerStep, CloseFitting, MarkFitting, OpenFitting, OverrideFitting
from emcheck.domain.fitting.limb_note import instead, read_note
from emcheck.domain.ids import AddressId, Ms, OrderId, TagId, UnitId, WearerId
from emcheck.domain.instants import FOREVER, MINUTE, format_ms
from emcheck.domain.register import Fitting, Order, Register

_AHEAD: Ms = 5 * MINUTE
"""A phone's clock may be ahead by so much, as a unit's may (protocol.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A session that is open: what it is about, whose it is and until when."""

    session: str
    order_id: OrderId
    wearer_id: WearerId
    address_id: AddressId
    tag: TagId
    unit: UnitId
    by: str
    opened_at: Ms
    until: Ms
    fitter_tag: TagId | None = None
    strap_batch: str | None = None
    ended: tuple[TagId, ...] = ()
    """Tags whose fittings ended when it began."""


Visits = Mapping[str, Visit]
"""Open ones by session."""
NO_VISITS: Visits = MappingProxyType({})


def visits_after(visits: Visits, act: Any, register: Register, at: Ms, *, most_ms: Ms) -> Visits:
    """The open visits after an act that is known from `at`; InstructionError says what is wrong and what to do."""
    if isinstance(act, OpenFitting):
        visit = _opened(visits, act, register, at, most_ms)
        return MappingProxyType({**visits, visit.session: visit})
    if not isinstance(act, (AnswerStep, MarkFitting, AddPhoto, OverrideFitting, CloseFitting)):
        return visits
    _heed(visits, act, at)
    if isinstance(act, CloseFitting):
        return MappingProxyType({name: one for name, one in visits.items() if name != act.session})
    return visits


def _opened(visits: Visits, act: OpenFitting, register: Register, at: Ms, most_ms: Ms) -> Visit:
    """Clause 1, and whether order, unit and tag are what they should be."""
    order = next((one for one in register.orders if one.order_id == act.order_id), None)
    if order is None:
        raise InstructionError("order_id", f"no order {act.order_id!r} in the register; is it the right one?")
    if order.ends_at <= at:
        raise InstructionError(
            "order_id", f"{act.order_id} ended at {format_ms(order.ends_at)}: nothing is to be fitted; remove the tag"
        )
    address = _address(act, order, register, at)
    if act.session in visits:
        raise InstructionError("session", f"{act.session} is open already; go on with it, or take another name")
    for known in visits.values():
        shared = (
            f"tag {act.tag}" if known.tag == act.tag
            else f"wearer {known.wearer_id}" if known.wearer_id == order.wearer_id
            else f"unit {act.unit}" if known.unit == act.unit
            else None
        )  # fmt: skip
        if shared is not None:
            raise InstructionError(
                "session",
                f"{shared} is in session {known.session} of {known.by}{_not_that(known, act)}, open since "
                f"{format_ms(known.opened_at)}: go on with that one (`emcheck fit --session {known.session}`), or "
                "close it first (answer `leave` there and say how the visit ended)",
            )
    ended = _ended(act, order, register, at)
    return Visit(
        session=act.session, order_id=order.order_id, wearer_id=order.wearer_id, address_id=address, tag=act.tag,
        unit=act.unit, by=act.by, opened_at=at, until=at + most_ms, fitter_tag=act.fitter_tag,
        strap_batch=act.strap_batch, ended=ended,
    )  # fmt: skip


def _not_that(known: Visit, act: OpenFitting) -> str:
    return "" if known.tag == act.tag else f", which is about {known.tag} and not about {act.tag}"


def _address(act: OpenFitting, order: Order, register: Register, at: Ms) -> AddressId:
    wanted = addresses(order)
    here = [i for i in register.installations if i.installed_at <= at < (i.removed_at or FOREVER)]
    mine = next((i for i in here if i.unit == act.unit), None)
    if mine is not None and mine.address_id in wanted:
        return mine.address_id
    there = ", ".join(sorted(i.unit for i in here if i.address_id in wanted)) or "none yet"
    said = "is installed nowhere" if mine is None else f"is installed at {mine.address_id}"
    raise InstructionError(
        "unit",
        f"{act.unit} {said}, and {order.order_id} wants its wearer at {', '.join(sorted(wanted))}, where units are: "
        f"{there}. Scan the unit's label again, or enter its installation first (`emcheck instruct`)",
    )


def _ended(act: OpenFitting, order: Order, register: Register, at: Ms) -> tuple[TagId, ...]:
    """The tags that come off at the beginning; the session's own where it is on already."""
    on = {f.tag: f for f in register.fittings if worn(f, at)}
    if (there := on.get(act.tag)) is not None and there.wearer_id != order.wearer_id:
        raise InstructionError(
            "tag",
            f"{act.tag} is on {there.wearer_id} since {format_ms(there.fitted_at)}, and this is {order.wearer_id}: "
            "scan the tag in your hand again; if it is this one, end that fitting first",
        )
    if act.takes_off is not None:
        known = on.get(act.takes_off)
        if known is None or known.wearer_id != order.wearer_id:
            raise InstructionError("takes_off", f"{act.takes_off} is not on {order.wearer_id}; leave it out")
    return tuple(sorted({tag for tag in (act.tag, act.takes_off) if tag is not None and tag in on}))


def worn(fitting: Fitting, at: Ms) -> bool:
    """Whether a fitting holds at an instant."""
    return fitting.fitted_at <= at < (fitting.removed_at or FOREVER)


def _heed(visits: Visits, act: AnswerStep | MarkFitting | AddPhoto | OverrideFitting | CloseFitting, at: Ms) -> None:
    """Clause 2."""
    visit = visits.get(act.session)
    if visit is None:
        there = ", ".join(sorted(visits)) or "none"
        raise InstructionError("session", f"no session {act.session!r} is open; open are: {there}. Open one first")
    if isinstance(act, OverrideFitting):
        if act.by.strip().lower() == visit.by.strip().lower():
            raise InstructionError("by", f"{act.by} is the fitter of {act.session}; somebody else overrides it")
        return
    if isinstance(act, CloseFitting) and act.outcome == "lapsed":
        if at < visit.until:
            raise InstructionError("outcome", f"{act.session} goes on until {format_ms(visit.until)}; say how it ended")
        return
    if act.by != visit.by:
        raise InstructionError(
            "by", f"{act.session} is the session of {visit.by}; {act.by} opens one of their own and answers in that"
        )
    if act.tag != visit.tag:
        raise InstructionError("tag", wrong_tag(visit, act.tag))
    if act.at is not None and not visit.opened_at <= act.at <= at + _AHEAD:
        raise InstructionError(
            "at", f"{format_ms(act.at)} is not in the visit, which began at {format_ms(visit.opened_at)}; set the clock"
        )


def wrong_tag(visit: Visit, scanned: TagId) -> str:
    """What a fitter reads who scanned another tag than the session's."""
    return (
        f"you scanned {scanned}, and {visit.session} is about {visit.tag}: answers for one tag are not taken for "
        "another. Scan the tag on the limb; if it is the wrong one, close this session as mistaken and open one for it"
    )


def contradiction(visit: Visit, opening: Mapping[str, str | None]) -> str | None:
    """What of an opening is not so in a session that is to go on, in one line; None where nothing is."""
    scanned = opening.get("tag")
    if scanned is not None and scanned != visit.tag:
        return wrong_tag(visit, TagId(scanned))
    known = {
        "order_id": visit.order_id, "unit": visit.unit, "by": visit.by, "fitter_tag": visit.fitter_tag,
        "strap_batch": visit.strap_batch,
    }  # fmt: skip
    for field, kept in known.items():
        if (said := opening.get(field)) not in (None, kept):
            words = {"by": "fitter"}.get(field, field.removesuffix("_id").replace("_", " "))
            return (
                f"you said {words} {said}, and {visit.session} has {kept or 'none'}: leave it out to go on with "
                "that session, or close it and open another"
            )
    off = opening.get("takes_off")
    if off is not None and off not in visit.ended:
        return f"{visit.session} began without taking {off} off: close it and open another with --takes-off {off}"
    return None


def heed_note(act: AnswerStep, note: str | None) -> None:
    """InstructionError where an answer puts the tag on a limb that the note bars."""
    if act.limb is not None and act.limb in read_note(note).barred:
        raise InstructionError(
            "limb",
            f"{act.limb.replace('_', ' ')} is barred by the wearer's limb note: {note!r}: {instead(note, act.limb)}",
        )


def begun(visit: Visit) -> dict[str, object]:
    """What the opening keeps of a visit as it was found (`acts.Begun`), as JSON values."""
    return {
        "wearer_id": visit.wearer_id, "address_id": visit.address_id, "until": format_ms(visit.until),
        "ended": list(visit.ended),
    }  # fmt: skip


def visit_of(act: OpenFitting, at: Ms) -> Visit:
    """The visit that an opening began, as it was kept; ValueError where it was not kept whole."""
    found = act.found
    if found is None:
        raise ValueError(f"session {act.session}: its opening does not say what was found")
    return Visit(
        session=act.session, order_id=act.order_id, wearer_id=found.wearer_id, address_id=found.address_id,
        tag=act.tag, unit=act.unit, by=act.by, opened_at=at, until=found.until, fitter_tag=act.fitter_tag,
        strap_batch=act.strap_batch, ended=found.ended,
    )  # fmt: skip
