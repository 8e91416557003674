"""body.no_motion: a tag that is heard, strap closed, neither moves nor warms: the prosthesis at home.

Rule book (domain.md, Rules; docs/adr/0028):
1. Class `still`: no motion but knocks for `after_s`, outside sleep. P2: a question, no accusation.
2. Class `room`: the skin side stays within `room_within_c` of ambient, the tag's bias taken off, for `room_after_s`, in
   a room of at most `room_max_c`. In a warmer one a limb shows no gap either, and nothing is said. P2.
3. Sleep is known in two ways: while the body check says attached a limb is at rest, whatever the hour, and nothing
   counts; and the policy's night, `night_from_h` to `night_until_h` by the order's clock, is left out of `still`.
4. Where the check says detached, body.not_attached tells it: nothing is added here. A strap that was cut or opened
   likewise (`bodies`, 3). What a tag says of motion while nothing is heard of it is not guessed: 15 min without a word
   begin it anew.
5. Until the tag moves or warms, or the check decides. Readings outside the fitting are not used.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from emcheck.domain.bodies import Piece, pieces, together
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, UnitId, WearerId
from emcheck.domain.instants import DAY
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting
from emcheck.domain.track import Track
from emcheck.domain.windows import resolve
from emcheck.domain.worn import ROOM, STILL

RULE = RuleId("body.no_motion")


def find(
    wearer_id: WearerId,
    fittings: Iterable[Fitting],
    tracks: Mapping[UnitId, Track],
    now: Ms,
    policy: Policy,
    *,
    zone: str,
) -> Iterator[Finding]:
    """One finding for each time in which the tag did not move (1), or followed the room (2)."""
    still_ms, room_ms = policy.ms(f"{RULE}.after_s"), policy.ms(f"{RULE}.room_after_s")
    for fitting in fittings:
        still = (p for p in pieces(STILL, fitting, tracks, now) if awake_ms(p.start, p.until, policy, zone) >= still_ms)
        room = (p for p in pieces(ROOM, fitting, tracks, now) if p.until - p.start >= room_ms)
        for class_, found in ((STILL, still), (ROOM, room)):
            for piece in together(found):
                yield _finding(wearer_id, fitting, piece, class_, policy)


def _finding(wearer_id: WearerId, fitting: Fitting, piece: Piece, class_: str, policy: Policy) -> Finding:
    return Finding(
        rule=RULE,
        class_=class_,
        wearer_id=wearer_id,
        start=piece.start,
        end=piece.end,
        priority=policy.text(f"{RULE}.priority"),
        evidence=(piece.fact,),
        detail=(("tag", fitting.tag), ("readings", piece.words)),
        policy=policy.label,
    )


def awake_ms(start: Ms, until: Ms, policy: Policy, zone: str) -> Ms:
    """How much of a time lies outside the policy's nights (3); an edge in doubt makes the night longer."""
    if until - start < policy.ms(f"{RULE}.after_s"):
        return until - start
    falls, rises = policy.number(f"{RULE}.night_from_h"), policy.number(f"{RULE}.night_until_h")
    asleep = 0
    for at in range(start - 2 * DAY, until + 2 * DAY, DAY):
        day = datetime.fromtimestamp(at / 1000, UTC).date()
        begins = resolve(f"{day}T{_clock(falls)}", zone, "earlier")
        ends = resolve(f"{day + timedelta(days=rises <= falls)}T{_clock(rises)}", zone, "later")
        asleep += max(0, min(until, ends) - max(start, begins))
    return until - start - asleep


def _clock(hour: float) -> str:
    minutes = round(hour * 60) % 1440
    return f"{minutes // 60:02}:{minutes % 60:02}:00"
