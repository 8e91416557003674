"""When old nights fold: once a day a case lets go of those that are seldom told of again, and its units of theirs."""

from collections.abc import Mapping, Sequence

from emcheck.domain.case import KEEP, Case
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instants import DAY
from emcheck.domain.roster import Roster
from emcheck.domain.unit import Unit


def let_go(case: Case, roster: Roster, now: Ms) -> None:
    """Fold what is to be folded of a case that was just judged at `now`, and of the units it rests on."""
    if now < max(case.open_until, case.settled + KEEP + DAY):
        return
    horizon = case.horizon(_told(case, roster.units), now)
    if horizon < case.settled + DAY:
        return
    case.fold(horizon)
    for name in case.units:
        _fold_unit(roster.units[name], roster.cases_of[name], roster)


def _told(case: Case, units: Mapping[UnitId, Unit]) -> dict[UnitId, Ms]:
    """How far each unit of the case has told."""
    newest = {name: units[name].track.newest for name in case.units}
    return {name: boot.top for name, boot in newest.items() if boot is not None and boot.top is not None}


def _fold_unit(unit: Unit, cases: Sequence[Case], roster: Roster) -> None:
    """A unit keeps what any case that rests on it may still ask for."""
    before = min(case.settled for case in cases) - DAY
    unit.fold(before, roster.asks_before(unit.unit), roster.fitted)
