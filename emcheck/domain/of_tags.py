"""What facts say of a wearer's tags at any hour: straps, cases, batteries, frames, and the body they are on."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from emcheck.domain import bodies, channels
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policies import Line
from emcheck.domain.register import Fitting
from emcheck.domain.rules import (
    body_no_motion,
    body_not_attached,
    evidence_replayed,
    fitting_unvalidated,
    tag_battery,
    tag_case,
    tag_strap,
)
from emcheck.domain.track import Track

_RULES = (tag_strap, tag_case, tag_battery, evidence_replayed, body_not_attached)
RULES = {body_no_motion.RULE, *(rule.RULE for rule in _RULES)}
_LATCHED = (tag_strap.RULE, tag_case.RULE)
_OF_BODIES = (body_no_motion.RULE, body_not_attached.RULE)


def telling(tracks: Iterable[Track]) -> list[Track]:
    """The tracks that hold something unusual of a unit or tag, or anything of a body."""
    return [track for track in tracks if track.worn or channels.tells(track)]


def findings(
    wearer_id: WearerId, fittings: Sequence[Fitting], tracks: bodies.Tracks, now: Ms, *, line: Line, zone: str
) -> Iterator[Finding]:
    """All that the rules about tags find."""
    for rule in _RULES:
        yield from line.judged(partial(rule.find, wearer_id, fittings, tracks, now))
    if any(track.worn for track in tracks.values()):
        yield from line.judged(partial(body_no_motion.find, wearer_id, fittings, tracks, now, zone=zone))


def next_step(tracks: Iterable[Track], now: Ms) -> Ms:
    """When a word counts that is dated ahead of `now`."""
    told = list(tracks)
    return min([at for track in told for at in channels.ahead(track, now)] + bodies.steps(told, now), default=FOREVER)


def name_of(told: Finding) -> object:
    """What names an alert while facts revise it: what is latched is one, whenever it began."""
    if told.rule in _OF_BODIES:
        return told.rule, told.class_, dict(told.detail)["tag"], told.start
    if told.class_ == fitting_unvalidated.REVALIDATE:
        return told.rule, dict(told.detail)["tag"], dict(told.detail)["fitted_at"]
    return told.rule, told.detail, None if told.rule in _LATCHED else told.start
