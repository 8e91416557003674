"""Instructions: what courts, operators and fitters change while an order runs (formats.md, Stream).

Each makes a register of the one before. It is known from its receipt and kept for ever, with who gave it; what was
judged before is judged again by the register that is in force now.

1. `authorised_absence`: leave, entered before or after the fact. The total is revised, the record of the absence stays.
2. `variation`: other windows from its effective time on; `suspension` and `resumption`; `order_end`.
   `revocation`: leave, a suspension or a variation that was entered wrongly or is withdrawn, or leave's right times. It
   stays on record.
3. `order`, `installation`, `fitting`, `wearer`: a new one, or what stands under the same name from now on. So a tag or
   unit is swapped by ending one installation or fitting and adding another.
4. `register`: all of it, as a file holds it.
5. `alert`: what an operator does about an alert (`attending`). It changes no register and no finding.
6. `audit`: what the auditor finds, all of it, nothing where all is well (rule service.audit). It changes no register.
7. `referral`: an order's breach is reported to the authority (`referrals`). It changes no register and no finding.
8. `policy`: one more version of a policy, from its effective time on (policies). It changes no register.
9. `fitting_opened`, `_answer`, `_mark`, `_photo`, `_override`, `_closed`: a fitter's visit (`fitting`).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from emcheck.domain.acts import Act, By
from emcheck.domain.acts import InstructionError as InstructionError  # noqa: PLC0414 - all of an instruction from one room
from emcheck.domain.attending import ActOnAlert
from emcheck.domain.fitting.acts import AddPhoto, AnswerStep, CloseFitting, MarkFitting, OpenFitting, OverrideFitting
from emcheck.domain.ids import AlertId, OrderId
from emcheck.domain.problems import Misplaced, first_problem
from emcheck.domain.register import (
    CurfewRequirement,
    Fitting,
    Installation,
    Order,
    Register,
    Wearer,
)
from emcheck.domain.written import Instant, LocalTime


class GrantAbsence(Act):
    """Leave that excludes seconds from the total (1)."""

    type: Literal["authorised_absence"]
    """Which act it is."""
    order_id: OrderId
    """Whose."""
    from_: Annotated[LocalTime, Field(alias="from")]
    """Local time in the order's zone."""
    until: LocalTime
    """Local time in the order's zone, after `from`."""
    reason: str
    """Medical, short-notice work, custody, wedding or funeral, job interview, court."""
    approved_by: By
    """By whom."""
    evidence: str | None = None
    """On what."""


class VaryOrder(Act):
    """Other windows from an effective time on (2)."""

    type: Literal["variation"]
    """Which act it is."""
    order_id: OrderId
    """Which order."""
    effective_at: Instant
    """From when on."""
    curfew: tuple[CurfewRequirement, ...]
    """All windows that hold then."""
    by: By
    """Who said so."""


class SuspendOrder(Act):
    """Time taken out of every window (2)."""

    type: Literal["suspension"]
    """Which act it is."""
    order_id: OrderId
    """Which order."""
    from_: Annotated[LocalTime, Field(alias="from")]
    """Local time in the order's zone."""
    until: LocalTime | None = None
    """Local time in the order's zone; until it is resumed, or ends, where it is missing."""
    reason: str | None = None
    """Why."""
    by: By
    """Who said so."""


class ResumeOrder(Act):
    """The suspension in force at `at` ends there (2)."""

    type: Literal["resumption"]
    """Which act it is."""
    order_id: OrderId
    """Which order."""
    at: LocalTime
    """Local time in the order's zone."""
    by: By
    """Who said so."""


class Times(BaseModel):
    """A stretch of local time in the order's zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    from_: Annotated[LocalTime, Field(alias="from")]
    """Where it begins."""
    until: LocalTime
    """Where it ends, after `from`."""


class Revoke(Act):
    """Leave, a suspension or a variation of an order never held, or leave held at other times (2). Records stay."""

    type: Literal["revocation"]
    """Which act it is."""
    revokes: Literal["authorised_absence", "suspension", "variation"]
    """What it is about."""
    order_id: OrderId
    """Which order."""
    from_: Annotated[LocalTime | None, Field(alias="from")] = None
    """Where leave or a suspension that is revoked begins, as it was entered."""
    effective_at: Instant | None = None
    """When a variation that is revoked takes effect, as it was entered."""
    until: LocalTime | None = None
    """Where it ends; needed where several begin at that time."""
    instead: Times | None = None
    """The times that are right, where it was entered with wrong ones; nothing holds where they are missing."""
    reason: Annotated[str, Field(pattern=r"\S")]
    """Why."""
    by: By
    """Who said so."""

    @model_validator(mode="after")
    def _named(self) -> "Revoke":
        if self.revokes == "variation":
            if self.effective_at is None:
                raise Misplaced("effective_at", "missing; say when the variation takes effect")
            if self.instead is not None:
                raise Misplaced("instead", "a variation has no other times; give another variation that is right")
        elif self.from_ is None:
            raise Misplaced("from", "missing; say where what is revoked begins")
        return self


class EndOrder(Act):
    """The order ends at another time than was known (2)."""

    type: Literal["order_end"]
    """Which act it is."""
    order_id: OrderId
    """Which order."""
    ends_at: Instant
    """When."""
    reason: str | None = None
    """Why."""
    by: By
    """Who said so."""


class PutOrder(Act):
    """A new order, or all that an order says from now on (3)."""

    type: Literal["order"]
    """Which act it is."""
    order: Order
    """As in a register."""
    by: By
    """Who said so."""


class PutInstallation(Act):
    """A unit at an address; another of the same unit and `installed_at` is replaced (3)."""

    type: Literal["installation"]
    """Which act it is."""
    installation: Installation
    """As in a register."""
    by: By
    """Who said so."""


class PutFitting(Act):
    """A tag on a limb; another of the same tag, wearer and `fitted_at` is replaced (3)."""

    type: Literal["fitting"]
    """Which act it is."""
    fitting: Fitting
    """As in a register."""
    by: By
    """Who said so."""


class PutWearer(Act):
    """A new wearer, or other personal data of one (3)."""

    type: Literal["wearer"]
    """Which act it is."""
    wearer: Wearer
    """As in a register."""
    by: By
    """Who said so."""


class PutRegister(Act):
    """All that should be monitored (4)."""

    type: Literal["register"]
    """Which act it is."""
    register_: Annotated[Register, Field(alias="register")]
    """As in a file."""
    by: By
    """Who said so."""


class PutPolicy(Act):
    """A version of a policy is published (6); one that stands already is not published twice."""

    type: Literal["policy"]
    """Which act it is."""
    policy: str
    """The whole file, TOML as it stands: findings keep the hash of these very letters."""
    by: By
    """Who said so."""
    retroactive: Annotated[str, Field(pattern=r"\S")] | None = None
    """Why what was judged already is judged again, where it begins before it is known."""


class AuditDifference(Act):
    """What the auditor finds of one kind or publisher (6)."""

    kind: Literal["step_overdue", "undelivered", "publisher_behind"]
    """A step that was not made; a notification nobody has; a publisher that owes."""
    publisher: Annotated[str, Field(max_length=120)] = ""
    """Which one owes."""
    count: Annotated[int, Field(ge=1)]
    """How many alerts or deliveries."""
    since: Instant
    """Since when it is missed."""
    examples: Annotated[tuple[Annotated[str, Field(max_length=60)], ...], Field(max_length=10)] = ()
    """Some of the alerts."""


class ReportAudit(Act):
    """All that the auditor finds at its look; what it found before and no longer does is mended (6)."""

    type: Literal["audit"]
    """Which act it is."""
    found: tuple[AuditDifference, ...]
    """Each cause once."""
    by: By
    """Who looked."""

    @model_validator(mode="after")
    def _each_once(self) -> "ReportAudit":
        if len({(one.kind, one.publisher) for one in self.found}) < len(self.found):
            raise Misplaced("found", "a cause is told once, with its count")
        return self


class ReferBreach(Act):
    """A breach of an order is reported to the authority (7)."""

    type: Literal["referral"]
    """Which act it is."""
    order_id: OrderId
    """Which order was breached."""
    alerts: Annotated[tuple[AlertId, ...], Field(min_length=1)]
    """The alerts whose findings it rests on; their history keeps what was known then."""
    to: Annotated[str, Field(pattern=r"\S")]
    """To which authority."""
    at: Instant | None = None
    """When it was made, where that was before it is told."""
    reference: str | None = None
    """What the authority calls it."""
    note: str = ""
    """What else is to be known of it."""
    by: By
    """Who made it."""


Instruction = Annotated[
    GrantAbsence
    | VaryOrder
    | SuspendOrder
    | ResumeOrder
    | Revoke
    | EndOrder
    | PutOrder
    | PutInstallation
    | PutFitting
    | PutWearer
    | PutRegister
    | PutPolicy
    | ActOnAlert
    | ReportAudit
    | ReferBreach
    | OpenFitting
    | AnswerStep
    | MarkFitting
    | AddPhoto
    | OverrideFitting
    | CloseFitting,
    Field(discriminator="type"),
]
INSTRUCTION: TypeAdapter[Instruction] = TypeAdapter(Instruction)


def parse_instruction(raw: Any) -> Instruction:
    """The instruction in a JSON value; InstructionError names the field."""
    try:
        return INSTRUCTION.validate_python(raw)
    except ValidationError as error:
        path, reason = first_problem(error)
        kind = str(raw.get("type")) if isinstance(raw, dict) else ""
        if error.errors(include_url=False)[0]["type"].startswith("union_tag"):
            path, reason = "type", _no_act(raw.get("type") if isinstance(raw, dict) else None)
        raise InstructionError(path.removeprefix(kind).removeprefix("."), reason) from None


def _no_act(said: object) -> str:
    acts = ", ".join(get_args(act.model_fields["type"].annotation)[0] for act in get_args(get_args(Instruction)[0]))
    return f"{'missing' if said is None else f'{said!r} is no instruction'}; there are {acts}"


def order_of(act: Instruction) -> OrderId | None:
    """The order that an act is about, None where it is about none or about all."""
    return act.order.order_id if isinstance(act, PutOrder) else getattr(act, "order_id", None)


CHANGES_NOTHING = (
    "alert",
    "audit",
    "referral",
    "policy",
    "fitting_answer",
    "fitting_mark",
    "fitting_photo",
    "fitting_override",
)
"""Kinds of acts that a register is the same after, and called the same."""


REVOCABLE = ("authorised_absence", "suspension", "variation")
"""Kinds of acts that can be taken back by their number."""


def outcome_of(warnings: Sequence[str], kind: str = "", number: int = 0) -> str:
    """What whoever gave an instruction is answered once it is carried out, with the number that takes it back."""
    done = f"done as number {number}" if kind in REVOCABLE else "done"
    return f"{done}, with warnings: {'; '.join(warnings)}" if warnings else done
