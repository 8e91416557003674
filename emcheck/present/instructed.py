"""What an instruction was, in a few words: for the history of an alert that it touched, and for the list of all."""

from typing import Any

from emcheck.domain.attending import ActOnAlert
from emcheck.domain.fitting.acts import AddPhoto, AnswerStep, FittingAct, MarkFitting, OpenFitting, OverrideFitting
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.domain.instructions import (
    EndOrder,
    GrantAbsence,
    Instruction,
    PutFitting,
    PutInstallation,
    PutOrder,
    PutPolicy,
    PutWearer,
    ReferBreach,
    ResumeOrder,
    Revoke,
    SuspendOrder,
    VaryOrder,
    order_of,
    parse_instruction,
)
from emcheck.domain.policy import parse_policy
from emcheck.present.standing import curfew_lines


def in_words(act: Instruction) -> str:
    """`by instruction: authorised absence of O-1, 2026-.. to .., approved by A. Officer (medical)`."""
    said = "approved by" if isinstance(act, GrantAbsence) else "said"
    return f"by instruction: {what(act)}, {said} {by(act)}{_why(act)}"


def what(act: Instruction) -> str:
    """`authorised absence of O-1, 2026-03-25T19:00 to 2026-03-25T22:00`."""
    kind = act.type.replace("_", " ")
    if isinstance(act, GrantAbsence):
        return f"{kind} of {act.order_id}, {act.from_} to {act.until}"
    if isinstance(act, Revoke):
        instead = "" if act.instead is None else f", {act.instead.from_} to {act.instead.until} instead"
        since = act.from_ if act.effective_at is None else format_ms(act.effective_at)
        return f"{kind} of {act.revokes.replace('_', ' ')} of {act.order_id} from {since}{instead}"
    if isinstance(act, VaryOrder):
        lines = "; ".join(line for place in act.curfew for line in curfew_lines(place)) or "no curfew"
        return f"{kind} of {act.order_id} from {format_ms(act.effective_at)}: {lines}"
    if isinstance(act, ReferBreach):
        reference = f", reference {act.reference}" if act.reference else ""
        return f"{kind} of a breach of {act.order_id} to {act.to}{reference}: {', '.join(act.alerts)}"
    if isinstance(act, SuspendOrder):
        return f"{kind} of {act.order_id}, {act.from_} to {act.until or 'its resumption or end'}"
    if isinstance(act, ResumeOrder):
        return f"{kind} of {act.order_id} at {act.at}"
    if isinstance(act, EndOrder):
        return f"{kind} of {act.order_id}, at {format_ms(act.ends_at)}"
    return _visit(act) if isinstance(act, FittingAct) else f"{kind}{_of(act)}"


def _visit(act: FittingAct) -> str:
    """`fitting FS-1 opened: tag T-7 for O-1 at BU-0003`."""
    head = f"fitting {act.session}"
    if isinstance(act, OpenFitting):
        return f"{head} opened: tag {act.tag} for {act.order_id} at {act.unit}"
    if isinstance(act, AnswerStep):
        said = act.limb or (f"{act.gap_mm:g} mm" if act.gap_mm is not None else " and ".join(act.identifiers))
        return f"{head}: {act.step.replace('_', ' ')}: {act.answer}{f', {said}' if said else ''}"
    if isinstance(act, MarkFitting):
        return f"{head}: {act.what.replace('_', ' ')}{f' {act.room}' if act.room else ''}"
    if isinstance(act, AddPhoto):
        return f"{head}: photo of {act.caption.replace('_', ' ')}, {act.sha256[:12]}"
    if isinstance(act, OverrideFitting):
        return f"{head} overridden"
    return f"{head} closed: {act.outcome.replace('_', ' ')}"


def by(act: Instruction) -> str:
    """Who gave it."""
    return act.approved_by if isinstance(act, GrantAbsence) else act.by


def plain(
    number: int | None, at: Ms, raw: dict[str, Any] | None, outcome: str, revoked_by: int | None = None
) -> dict[str, Any]:
    """An instruction for programs; what is not kept of one that was refused is null."""
    act = None if raw is None else parse_instruction(raw)
    return {
        "number": number,
        "given_at": format_ms(at),
        "type": act and act.type,
        "order_id": act and order_of(act),
        "by": act and by(act),
        "what": act and what(act),
        "outcome": outcome,
        "revoked_by": revoked_by,
        "instruction": raw,
    }


def row(line: dict[str, Any], apart: str = ": ") -> tuple[str, ...]:
    """The same as number, instant, who, and what with what became of it; `apart` stands between those two."""
    head = (str(line[key] or "-") for key in ("number", "given_at", "by"))
    revoked = "" if line["revoked_by"] is None else f"; revoked by number {line['revoked_by']}"
    return *head, f"{line['what'] or 'what it was is not kept'}{apart}{line['outcome']}{revoked}"


def _of(act: Instruction) -> str:
    if isinstance(act, PutOrder):
        return f" {act.order.order_id}"
    if isinstance(act, PutInstallation):
        return f" of {act.installation.unit} at {act.installation.address_id}"
    if isinstance(act, PutFitting):
        return f" of tag {act.fitting.tag}"
    if isinstance(act, ActOnAlert):
        return f" {act.alert_id} {act.act.replace('_', ' ')}{f' to {act.to}' if act.to else ''}"
    if isinstance(act, PutPolicy):
        return f" {parse_policy(act.policy).label}"
    return f" {act.wearer.wearer_id}" if isinstance(act, PutWearer) else ""


def _why(act: Instruction) -> str:
    reason = act.retroactive if isinstance(act, PutPolicy) else getattr(act, "reason", None)
    return f" ({reason})" if reason else ""
