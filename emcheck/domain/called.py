"""What rules and their classes are called by people; the codes stand beside, for whoever has to cite them.

`curfew.absence, out_whole` is "out for the whole curfew". A class without a name of its own has its rule's.
"""

from collections.abc import Mapping
from types import MappingProxyType

RULES: Mapping[str, str] = MappingProxyType(
    {
        "curfew.absence": "absence in a curfew",
        "curfew.accumulated": "allowance of absence used up",
        "tag.strap": "strap cut or open",
        "tag.case": "case of the tag open",
        "tag.battery": "battery of the tag low",
        "body.not_attached": "tag on no living limb",
        "body.no_motion": "tag does not move",
        "unit.case": "case of the base unit open",
        "unit.moved": "base unit moved",
        "unit.silent": "base unit silent",
        "unit.power": "base unit without mains",
        "unit.clock": "clock of the base unit off",
        "unit.battery": "battery of the base unit low",
        "rf.interference": "radio noise",
        "fitting.overdue": "fitting overdue",
        "fitting.unvalidated": "fitting not validated",
        "monitoring.not_producing": "nothing usable comes",
        "monitoring.removal_due": "tag due to come off",
        "evidence.gap": "events missing",
        "evidence.rejected": "messages that could not be used",
        "evidence.unknown_device": "sender not in the register",
        "evidence.conflict": "one number with two contents",
        "evidence.replayed": "frames of a tag repeated",
        "service.undecided": "curfew that could not be judged",
        "service.clock": "clock of this service",
        "service.audit": "work of this service left undone",
        "fleet.batch": "batch of straps in doubt",
        "incident.silent": "many base units silent",
        "incident.power": "many base units without mains",
    }
)
CLASSES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("curfew.absence", "late_return"): "late return",
        ("curfew.absence", "left_during"): "left during the curfew",
        ("curfew.absence", "out_at_end"): "out at the end of the curfew",
        ("curfew.absence", "out_whole"): "out for the whole curfew",
        ("tag.strap", "strap_cut"): "strap cut",
        ("tag.strap", "strap_open"): "strap open",
        ("body.not_attached", "cool"): "tag not as warm as a limb",
        ("body.not_attached", "unsure"): "tag perhaps on no limb",
        ("body.not_attached", "unusable"): "sensor of the tag broken",
        ("body.not_attached", "silent_sensors"): "sensors of the tag silent",
        ("body.no_motion", "room"): "tag no warmer than the room",
        ("unit.moved", "with_power"): "base unit moved, and its mains went or came",
        ("unit.moved", "with_link"): "base unit moved, and its link went or came",
        ("unit.moved", "repeated"): "base unit moved again and again",
        ("fitting.overdue", "failed_attempts"): "visits to fit failed",
        ("fitting.unvalidated", "revalidate"): "fitting to be validated anew",
        ("fitting.unvalidated", "overridden"): "fitting let stand unvalidated",
        ("evidence.gap", "lost"): "events lost",
        ("evidence.conflict", "older_boot"): "events of an earlier start",
        ("evidence.rejected", "bad_receipt"): "receipts that could not be used",
        ("service.clock", "unsynchronised"): "clock of this service not synchronised",
        ("service.clock", "stepped"): "clock of this service set",
        ("service.audit", "step_overdue"): "alerts not passed on",
        ("service.audit", "undelivered"): "alerts that nobody confirmed",
        ("service.audit", "publisher_behind"): "deliveries owed",
    }
)


_NOT_BACK = "not back since the curfew began"


def called(rule: str, class_: str | None = None, *, ended: bool = True) -> str:
    """What a finding or alert is called: by its class where that has a name, else by its rule.

    A late return that has not ended is none yet (`domain.codes`).
    """
    if class_ == "late_return" and not ended:
        return _NOT_BACK
    return CLASSES.get((rule, class_ or "")) or RULES.get(rule, rule)


def code(rule: str, class_: str | None = None) -> str:
    """The same as it is cited: `curfew.absence, out_whole`."""
    return rule if class_ is None else f"{rule}, {class_}"
