"""A fitter's session as whoever looks on sees it: the terminal now, a page later. It is read from the inbox alone.

`Looking` follows one session: each look reads what came since the last one. `post` says something in it, as every
other instruction is said. Nothing is remembered here, so that a phone that is lost loses nothing.
"""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from emcheck.desk import Desk, Photo
from emcheck.domain.amending import addresses
from emcheck.domain.fitting.acts import FittingAct
from emcheck.domain.fitting.judging import Standing, standing
from emcheck.domain.fitting.record import record, record_sha256
from emcheck.domain.fitting.settling import as_of
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.domain.instructions import parse_instruction
from emcheck.domain.policies import Policies
from emcheck.domain.receipt import Told
from emcheck.domain.register import Register
from emcheck.domain.roster import Roster
from emcheck.ports import Store
from emcheck.service.enrolment import policies_in_force, register_in_force
from emcheck.service.history import told_in
from emcheck.service.session import Session, schedule_of, sessions_of
from emcheck.service.visiting import note_of


class NoSessionError(ValueError):
    """There is no such session; the message names those that there are."""


@dataclass(frozen=True, slots=True)
class Look:
    """A session at one instant. `record_at` is until when facts are in its record, and `note` the limb note."""

    session: Session
    standing: Standing
    record_at: Ms
    note: str | None
    name: str | None
    """The wearer's, where it is held."""


@dataclass(slots=True)
class Looking:
    """Follows one session of an open store."""

    store: Store
    session: Session
    policies: Policies
    told: list[Told] = field(default_factory=list)
    row_id: int = 0
    received_at: Ms = 0
    in_thread: bool = False
    """Judge in a thread, where the loop has others to serve meanwhile: a long visit takes a tenth of a second."""
    _roster: Roster | None = None

    @classmethod
    async def at(cls, store: Store, name: str) -> "Looking":
        """The session of that name, or of which the name begins so; NoSessionError."""
        known = await sessions_of(store)
        found = [known[name]] if name in known else [one for key, one in known.items() if key.startswith(name)]
        if len(found) != 1:
            there = ", ".join(list(known)[-5:]) or "none"
            raise NoSessionError(f"no session {name!r}; the last ones are: {there} (`emcheck fit list`)")
        policies = await policies_in_force(store)
        if policies is None:
            raise NoSessionError("no policy was ever published here; is this the right database?")
        opened = found[0]
        session = Session(opened.visit, opened.acts[:1], (opened.rows[0], None))
        return cls(store, session, policies, row_id=session.rows[0], received_at=session.visit.opened_at)

    async def look(self, now: Ms) -> Look:
        """The session as it stands at `now`; one that is closed as it stood when it was."""
        await self._read()
        session = self.session
        policy = self.policies.own.then(session.visit.opened_at)
        person = next(iter(await self.store.people(session.visit.wearer_id)), None)
        note = await note_of(self.store, session.visit.wearer_id)
        name = None if person is None else person.name
        if session.closed is not None and session.closed_at is not None:
            at = session.closed.as_of or session.closed_at
            acts = session.acts[: session.closed.acts]
            wanted = None if session.closed.found is None else session.closed.found.schedule_sha256
            it = await self._judged(as_of, session.visit, acts, self.told, policy=policy, at=at, schedule_sha256=wanted)
            return Look(session, it, at, note, name)
        it = await self._judged(
            standing, session.visit, session.acts, self.told, policy=policy, now=now, note=note or "",
            schedule_sha256=await self._schedule(now),
        )  # fmt: skip
        return Look(session, it, self.received_at, note, name)

    async def to_sign(self) -> Standing:
        """The session as its record would have it now: with the facts received before the newest of the inbox."""
        policy = self.policies.own.then(self.session.visit.opened_at)
        return await self._judged(
            as_of, self.session.visit, self.session.acts, self.told, policy=policy, at=self.received_at,
            schedule_sha256=await self._schedule(self.received_at),
        )  # fmt: skip

    async def _judged(self, judge: Callable[..., Standing], *args: Any, **said: Any) -> Standing:
        return await asyncio.to_thread(judge, *args, **said) if self.in_thread else judge(*args, **said)

    async def _read(self) -> None:
        """What came since the last look: acts of this session, and what its unit told; nothing after its end."""
        if self.session.closed is not None:
            return
        async for row in self.store.inbox_after(self.row_id, unit=self.session.visit.unit):
            self.row_id, self.received_at = row.row_id, row.received_at
            if row.kind == "up":
                if (told := told_in(row.received_at, row.payload)) is not None:
                    self.told.append(told)
            elif row.kind == "instruction":
                self._roster = None
                act = parse_instruction(json.loads(row.payload))
                if isinstance(act, FittingAct) and act.session == self.session.visit.session:
                    self.session.add(act, row.received_at, row.row_id)
                if self.session.closed is not None:
                    break

    async def _schedule(self, now: Ms) -> str | None:
        """The hash of the curfew that the unit is to hold."""
        if self._roster is None:
            in_force = await register_in_force(self.store)
            self._roster = Roster(around(in_force.register, self.session.visit.order_id), self.policies)
            open_ = {name: one for name, one in (await sessions_of(self.store)).items() if one.closed is None}
            self._roster.visits = {name: one.visit for name, one in open_.items()}
        return schedule_of(self._roster, self.session.visit.unit)(now)


def around(register: Register, order_id: str) -> Register:
    """What of a register matters at an order's addresses: a country's whole roster is not needed in a hallway."""
    places = {address for order in register.orders if order.order_id == order_id for address in addresses(order)}
    orders = tuple(order for order in register.orders if addresses(order) & places)
    wearers = {order.wearer_id for order in orders}
    return Register(
        version=1,
        wearers=tuple(wearer for wearer in register.wearers if wearer.wearer_id in wearers),
        orders=orders,
        installations=tuple(one for one in register.installations if one.address_id in places),
        fittings=tuple(one for one in register.fittings if one.wearer_id in wearers),
    )


def plain_photo(photo: Photo) -> dict[str, Any]:
    """A photo as a record's file names it."""
    return {
        "sha256": photo.sha256, "caption": photo.caption, "at": format_ms(photo.at), "by": photo.by,
        "is_held": photo.is_held, "deleted_at": None if photo.deleted_at is None else format_ms(photo.deleted_at),
        "kept_days": photo.kept_days,
    }  # fmt: skip


async def document_of(store: Desk, look: Look) -> dict[str, Any]:
    """The record as a file, with the photos as they are held now."""
    return document(look, await store.photos(look.session.visit.session))


def document(look: Look, photos: Iterable[Photo] = ()) -> dict[str, Any]:
    """The record as a file (docs/formats.md, Fitting record): what was signed, by whom, and who the wearer is."""
    it, closed = look.standing, look.session.closed
    of = record(it)
    plain: dict[str, Any] = {"version": 1, "record": of, "sha256": record_sha256(of)}
    plain["outcome"] = None if closed is None else closed.outcome
    plain["signed_sha256"] = None if closed is None else closed.record_sha256
    signatures = () if closed is None else closed.signatures
    plain["signatures"] = [
        {"role": s.role, "name": s.name, "at": format_ms(s.at)} | ({"strokes": s.strokes} if s.strokes else {})
        for s in signatures
    ]
    plain["closed_at"] = None if look.session.closed_at is None else format_ms(look.session.closed_at)
    plain["range_dbm"] = None if closed is None else closed.range_dbm
    plain["note"] = None if closed is None else closed.note
    plain["photos"] = [plain_photo(photo) for photo in photos]
    plain["personal"] = {"name": look.name, "limb_note": look.note}
    return plain
