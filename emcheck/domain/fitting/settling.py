"""The end of a visit: whether it may be called a success, and what is found for the register.

1. A success is signed over a record: its hash must be that of the acts and facts that it names, its state `validated`
   or `overridden`, and it must be from within `fitting.session.sign_within_s`. So nobody signs what they have not seen,
   nor what was so an hour ago, and a signature for one session is none for another.
2. The wearer signs too, unless a supervisor overrode it.
3. A tag that came off in a visit that was begun by mistake did so in the fitter's hand: its fitting does not go on.
4. Any other outcome stands as it is said. Where the tag stays on all the same its limb is what was answered last, and
   the fitting is `pending`: fitting.unvalidated says so.
"""

from collections.abc import Callable, Iterable, Sequence

from emcheck.domain.acts import InstructionError
from emcheck.domain.fitting.acts import CloseFitting, Found
from emcheck.domain.fitting.judging import PENDING, Standing, standing
from emcheck.domain.fitting.record import record, record_sha256
from emcheck.domain.fitting.steps import BY_ID
from emcheck.domain.fitting.visits import Visit, heed_note
from emcheck.domain.ids import Ms, TagId
from emcheck.domain.instants import format_ms
from emcheck.domain.policy import Policy
from emcheck.domain.receipt import Told

ScheduleOf = Callable[[Ms], str | None]
"""The hash of the schedule that the visit's unit is to hold at an instant."""


def as_of(
    visit: Visit,
    acts: Sequence[tuple[Ms, object]],
    told: Iterable[Told],
    *,
    policy: Policy,
    at: Ms,
    schedule_sha256: str | None,
) -> Standing:
    """A session as its record has it: these acts, and the facts received before `at`, judged at `at`."""
    known = [each for each in told if each.received_at < at]
    return standing(visit, acts, known, policy=policy, now=at, schedule_sha256=schedule_sha256)


def settled(
    act: CloseFitting,
    visit: Visit,
    acts: Sequence[tuple[Ms, object]],
    told: Iterable[Told],
    *,
    policy: Policy,
    now: Ms,
    schedule_of: ScheduleOf,
    note: str | None = None,
) -> Found:
    """What a closing comes to; InstructionError where it is called a success and is none."""
    signed_at, count = (now, len(acts)) if act.as_of is None or act.acts is None else (act.as_of, act.acts)
    it = as_of(visit, acts[:count], told, policy=policy, at=signed_at, schedule_sha256=schedule_of(signed_at))
    if act.outcome == "success":
        _signable(act, it, now)
        if it.seen.limb is not None:
            heed_note(it.seen.limb.said, note)
    override = it.seen.override
    return Found.model_validate(
        {
            "wearer_id": visit.wearer_id,
            "order_id": visit.order_id,
            "unit": visit.unit,
            "address_id": visit.address_id,
            "state": it.state if act.outcome == "success" else PENDING,
            "limb": None if it.seen.limb is None else it.seen.limb.said.limb,
            "strap_batch": visit.strap_batch,
            "overridden_by": None if override is None else override.by,
            "override_reason": None if override is None else override.reason,
            "ended": [tag for tag in visit.ended if act.outcome != "mistaken" or not _came_off(it, tag)],
            "opened_at": format_ms(visit.opened_at),
            "schedule_sha256": it.seen.schedule_sha256,
        }
    )


def _came_off(it: Standing, tag: TagId) -> bool:
    """Clause 3."""
    heard = it.seen.heard
    told = (report.strap for report in heard.of(tag))
    return any(strap in ("open", "cut") for strap in told) or any(
        of == tag and kind.startswith("strap") for _, of, kind in heard.tampers
    )


def _signable(act: CloseFitting, it: Standing, now: Ms) -> None:
    """Clauses 1 and 2."""
    if it.state == PENDING:
        first = it.open_steps()[0]
        words = it.results[first].words
        more = len(it.open_steps()) - 1
        rest = f" ({more} more steps are open)" if more else ""
        raise InstructionError("outcome", f"not yet a success: {BY_ID[first].title}: {words}{rest}")
    sha256 = record_sha256(record(it))
    if act.record_sha256 != sha256:
        raise InstructionError(
            "record_sha256", f"what was signed is not this session's record, which is {sha256}; read it, and sign anew"
        )
    if not 0 <= now - it.seen.now <= it.seen.ms("session.sign_within_s"):
        raise InstructionError("as_of", f"the record is of {format_ms(it.seen.now)}, too long ago; read and sign anew")
    if it.state != "overridden" and "wearer" not in {one.role for one in act.signatures}:
        raise InstructionError("signatures", "the wearer has not signed; a supervisor may override it with a reason")
