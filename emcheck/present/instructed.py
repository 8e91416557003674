"""What an instruction was, in a few words: for the history of an alert that it touched."""

from emcheck.domain.instructions import (
    ActOnAlert,
    GrantAbsence,
    Instruction,
    PutFitting,
    PutInstallation,
    PutOrder,
    PutRegister,
    PutWearer,
    ReportAudit,
    SuspendOrder,
)


def in_words(act: Instruction) -> str:
    """`by instruction: authorised absence of O-1, approved by A. Officer (medical)`."""
    kind = act.type.replace("_", " ")
    if isinstance(act, GrantAbsence):
        span = f"{act.from_} to {act.until}"
        return f"by instruction: {kind} of {act.order_id}, {span}, approved by {act.approved_by} ({act.reason})"
    return f"by instruction: {kind}{_of(act)}, said {act.by}{_why(act)}"


def _of(act: Instruction) -> str:
    if isinstance(act, PutOrder):
        return f" {act.order.order_id}"
    if isinstance(act, PutInstallation):
        return f" of {act.installation.unit} at {act.installation.address_id}"
    if isinstance(act, PutFitting):
        return f" of tag {act.fitting.tag}"
    if isinstance(act, ActOnAlert):
        return f" {act.alert_id} {act.act}"
    if isinstance(act, (PutWearer, PutRegister, GrantAbsence, ReportAudit)):
        return ""
    return f" of {act.order_id}"


def _why(act: Instruction) -> str:
    reason = act.reason if isinstance(act, SuspendOrder) else None
    return f" ({reason})" if reason else ""
