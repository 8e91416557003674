"""Codes that others give to what our alerts say, where one fits; beside ours, never instead.

The public ones are those of the Ministry of Justice's repository hmpps-electronic-monitoring-data-insights-ui
(curfew_activity.json); those for alarm-receiving centres are SIA event codes (ANSI/SIA DC-03), the second of a pair for
the end of what the first began. Both as domain.md names them; what it does not name has no code here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Codes(NamedTuple):
    """What fits an alert while its cause goes on, and SIA's code once that has ended (None: the same)."""

    public: str | None = None
    sia: str | None = None
    sia_ended: str | None = None


_TAMPER = Codes(sia="TA", sia_ended="TR")
CODES: Mapping[tuple[str, str | None], Codes] = MappingProxyType(
    {
        ("curfew.absence", "late_return"): Codes("AL09", "CI", "CJ"),
        ("curfew.absence", "left_during"): Codes("AL10", "OK"),
        ("curfew.absence", "out_at_end"): Codes("AL11", "OK"),
        ("curfew.absence", "out_whole"): Codes("AL12", "CI"),
        ("tag.strap", None): _TAMPER,
        ("tag.case", None): _TAMPER,
        ("unit.case", None): _TAMPER,
        ("unit.silent", None): Codes(sia="YC", sia_ended="YK"),
        ("unit.power", None): Codes("AL04", "AT", "AR"),
        ("unit.moved", None): Codes("AL05"),
        ("unit.clock", None): Codes("AL24"),
        ("unit.battery", None): Codes("AL21"),
        ("tag.battery", None): Codes("AL21"),
    }
)
_PAST_COMMENCEMENT = "AL08"
"""A late return while it is none yet: the wearer is out past the curfew's beginning."""
_NONE = Codes()


def classes(rule: str) -> tuple[str | None, ...]:
    """The classes of a rule that have codes of their own, None for all alike; none where no code fits."""
    return tuple(class_ for known, class_ in CODES if known == rule)


def codes(rule: str, class_: str | None, *, ended: bool) -> tuple[str | None, str | None]:
    """The public and the SIA code of an alert; None where none fits."""
    fitting = CODES.get((rule, class_)) or CODES.get((rule, None)) or _NONE
    public = _PAST_COMMENCEMENT if class_ == "late_return" and not ended else fitting.public
    return public, (fitting.sia_ended if ended else None) or fitting.sia
