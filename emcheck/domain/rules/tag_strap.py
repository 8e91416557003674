"""tag.strap: the strap was cut or opened.

Rule book (domain.md, Rules; NIJ standard: the event in 5 s, the centre in 3 min):
1. At once, from a `tag_tamper` (with its true time, even told later from the tag's memory) or a report
   whose strap is not closed. P1.
2. Latched: the first word stands until a fitter's visit, that is, until the fitting ends.
3. A tag's events dated outside its fitting are not used: a fitter's visit accuses nobody.
"""

from collections.abc import Iterable, Mapping

from emcheck.domain.findings import FactRef, Finding
from emcheck.domain.ids import Ms, RuleId, UnitId, WearerId
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting
from emcheck.domain.track import Track

RULE = RuleId("tag.strap")


def find(
    wearer_id: WearerId, fittings: Iterable[Fitting], tracks: Mapping[UnitId, Track], now: Ms, policy: Policy
) -> list[Finding]:
    """One finding for each fitting whose strap was reported cut or open, by any unit."""
    return latched(RULE, "strap", wearer_id, fittings, tracks, now, policy)


def latched(
    rule: RuleId, part: str, wearer_id: WearerId, fittings: Iterable[Fitting], tracks: Mapping[UnitId, Track], now: Ms,
    policy: Policy,
) -> list[Finding]:  # fmt: skip
    """The first word of each fitting about a part of the tag: `strap` or `case` (2)."""
    found: list[Finding] = []
    for fitting in fittings:
        told = sorted(words(part, fitting, tracks))
        if not told or told[0][0] > now:
            continue
        at, fact, kind = told[0]
        found.append(
            Finding(
                rule=rule,
                class_=kind,
                wearer_id=wearer_id,
                start=at,
                end=fitting.removed_at if fitting.removed_at is not None and fitting.removed_at <= now else None,
                priority=policy.text(f"{rule}.priority"),
                evidence=(fact,),
                detail=(("tag", fitting.tag), ("fitted_at", format_ms(fitting.fitted_at))),
                policy=policy.label,
            )
        )
    return found


def words(part: str, fitting: Fitting, tracks: Mapping[UnitId, Track]) -> Iterable[tuple[Ms, FactRef, str]]:
    """All that units told of a part of the tag in its fitting: when, by which fact, and what."""
    for unit, track in tracks.items():
        for boot in track.boots.values():
            for tamper in boot.tampers:
                at = tamper.at - boot.correction(tamper.seq)
                inside = fitting.fitted_at <= at < (fitting.removed_at or FOREVER)
                if tamper.tag == fitting.tag and tamper.kind.startswith(part) and inside:
                    yield at, FactRef(unit, boot.boot, tamper.seq), tamper.kind
