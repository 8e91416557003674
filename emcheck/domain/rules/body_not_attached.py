"""body.not_attached: the strap is closed, and the body check says that the tag is on no living limb.

Rule book (domain.md, Rules and Fitting; docs/adr/0022, 0028):
1. Class `off`: from the reading at which the check says detached, once a reading at least `alert_after_s` later has
   borne it out and none in between said attached, until one says attached or the fitting ends, over silence too. P1.
2. Class `cool`: the same of a tag that tells no proximity, after `cool_after_s`. P2: a cool leg at rest may look so, as
   simulated ones do every few days: temperature and motion alone ask a question and accuse nobody.
3. A cause of its own: the strap closed, the body gone. A strap that was cut or opened is told by tag.strap, which is
   latched; it ends what is said here, and nothing is added to it.
4. A unit that says attached outweighs another that does not (`bodies`, 2): in doubt nobody is accused. A sleeper is
   not: motion alone never makes the check say detached, nor does a warm blanket.
5. A sensor that says what cannot be, is frozen or has fallen silent for `unusable_after_s` proves nothing: the check is
   uncertain, and class `unusable` says so to whoever plans visits. It accuses nobody. Class `silent_sensors` says it
   of a tag that told of its body in this fitting and then goes on being heard for `silent_after_s` with every channel
   silent, until one speaks again: a dead sensor board. What never told, a unit that has another firmware since, and
   a unit that says nothing at all are none (`worn`, 10). P4 both.
6. Class `unsure`: a tag with proximity, its sensors well and its strap closed, of which the check said attached, and
   has not been able to tell for `unsure_after_s`. A worn shoe and a hot-water bottle look so; so does a strap that sits
   loose, and now and then a leg: a question, P3. It is asked after `untouched_after_s` already where nothing has
   touched the sensor for so long, and longer than ever before in the fitting (`touching`): a strap that sits loose is
   touched again. Where the check decides after all it ends, and 1 says the rest.
7. The explanation is the check's own, of the readings at which it decided. Readings outside the fitting are not used.
"""

from collections.abc import Iterable, Iterator, Mapping

from emcheck.domain.bodies import OFF, Piece, pieces, together
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, UnitId, WearerId
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting
from emcheck.domain.track import Track
from emcheck.domain.worn import COOL, MUTE, UNSURE, UNUSABLE

RULE = RuleId("body.not_attached")


def find(
    wearer_id: WearerId, fittings: Iterable[Fitting], tracks: Mapping[UnitId, Track], now: Ms, policy: Policy
) -> Iterator[Finding]:
    """One finding for each time off the limb (1, 2), and for each time that cannot be told (5, 6)."""
    for fitting in fittings:
        off = _lasting(OFF, "alert", fitting, tracks, now, policy)
        cool = [p for p in _lasting(COOL, "cool", fitting, tracks, now, policy) if not any(_touch(p, o) for o in off)]
        unsure = _unsure(fitting, tracks, now, policy)
        unusable = _lasting(UNUSABLE, "unusable", fitting, tracks, now, policy)
        silent = _lasting(MUTE, "silent", fitting, tracks, now, policy)
        for class_, priority, found in (
            (OFF, "priority", off), (COOL, "priority_cool", cool), (UNSURE, "priority_unsure", unsure),
            (UNUSABLE, "priority_unusable", unusable), ("silent_sensors", "priority_unusable", silent),
        ):  # fmt: skip
            for piece in found:
                yield _finding(wearer_id, fitting, piece, class_, f"{RULE}.{priority}", policy)


def _lasting(
    kind: str, step: str, fitting: Fitting, tracks: Mapping[UnitId, Track], now: Ms, policy: Policy
) -> list[Piece]:
    after_ms = policy.ms(f"{RULE}.{step}_after_s")
    return together(p for p in pieces(kind, fitting, tracks, now) if p.until - p.start >= after_ms)


def _unsure(fitting: Fitting, tracks: Mapping[UnitId, Track], now: Ms, policy: Policy) -> list[Piece]:
    after_ms, untouched_ms = (policy.ms(f"{RULE}.{step}_after_s") for step in ("unsure", "untouched"))
    told = pieces(UNSURE, fitting, tracks, now)
    return together(p for p in told if p.until - p.start >= after_ms or p.untouched_ms >= untouched_ms)


def _touch(one: Piece, other: Piece) -> bool:
    return (one.end is None or other.start <= one.end) and (other.end is None or one.start <= other.end)


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
