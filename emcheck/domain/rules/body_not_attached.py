"""body.not_attached: the strap is closed, and the body check says that the tag is on no living limb.

Rule book (domain.md, Rules and Fitting; docs/adr/0022, 0028):
1. From the reading at which the check says detached, once a reading at least `alert_after_s` later has borne it out
   and none in between said attached, until one says attached or the fitting ends. P1. Silence ends nothing.
2. A cause of its own: the strap closed, the body gone. A strap that was cut or opened is told by tag.strap, which is
   latched; it ends what is said here, and nothing is added to it.
3. A unit that says attached outweighs another that does not (`bodies`, 2): in doubt nobody is accused. A sleeper is
   not: motion alone never makes the check say detached, nor does a warm blanket.
4. A sensor that says what cannot be, is frozen or has fallen silent for `unusable_after_s` proves nothing: the check is
   uncertain, and class `unusable` says so to whoever plans visits. It accuses nobody.
5. The explanation is the check's own, of the readings at which it decided. Readings outside the fitting are not used.
"""

from collections.abc import Iterable, Iterator, Mapping

from emcheck.domain.bodies import OFF, Piece, pieces, together
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, UnitId, WearerId
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting
from emcheck.domain.track import Track
from emcheck.domain.worn import UNUSABLE

RULE = RuleId("body.not_attached")


def find(
    wearer_id: WearerId, fittings: Iterable[Fitting], tracks: Mapping[UnitId, Track], now: Ms, policy: Policy
) -> Iterator[Finding]:
    """One finding for each time off the limb (1), and for each time that cannot be told (4)."""
    off_ms, unusable_ms = policy.ms(f"{RULE}.alert_after_s"), policy.ms(f"{RULE}.unusable_after_s")
    for fitting in fittings:
        for piece in together(p for p in pieces(OFF, fitting, tracks, now) if p.until - p.start >= off_ms):
            yield _finding(wearer_id, fitting, piece, OFF, f"{RULE}.priority", policy)
        for piece in together(p for p in pieces(UNUSABLE, fitting, tracks, now) if p.until - p.start >= unusable_ms):
            yield _finding(wearer_id, fitting, piece, UNUSABLE, f"{RULE}.priority_unusable", policy)


def _finding(
    wearer_id: WearerId, fitting: Fitting, piece: Piece, class_: str, priority: str, policy: Policy
) -> Finding:
    return Finding(
        rule=RULE,
        class_=class_,
        wearer_id=wearer_id,
        start=piece.start,
        end=piece.end,
        priority=policy.text(priority),
        evidence=(piece.fact,),
        detail=(("tag", fitting.tag), ("readings", piece.words)),
        policy=policy.label,
    )
