"""What one base unit's reports tell of the body that a tag is on: kept as the check behind them, and its stretches.

A *reading* is a report of 1 frame or more with a skin side, an ambient, a motion or a proximity; a tag that tells none
costs nothing. A report without one, of a tag that has told some, is *bare*: it is no reading. For each tag of a unit
the body check weighs the readings of a fitting, and what it says makes *stretches*. They are a function of the set of
facts (P1), though only the check behind the last reading is kept:

1. Readings are read in the order of presence: boots as they follow each other, numbers rising, times as corrected.
   What is dated after a newer boot's start or outside the fitting is not used, nor what goes back in time.
2. The check is kept packed as of an *edge*, a number before which nothing is missing. Readings behind a missing number
   wait beside it and are weighed on from there; when the hole is filled or declared lost the edge moves on. At most
   `WAITING_MAX` wait; then the edge moves over the hole.
3. A reading from before the edge asks for all facts together (`Track.torn`, docs/adr/0013). While all is folded anew
   readings wait until every boot is known.
4. A fitting begins a check of its own, with the bias that was measured at that fitting. A tag that tells no proximity
   is judged without it: sure of the bias, the check takes cool legs for things (docs/body.md: 1.6 against 0.6 a day).

Stretches, each from the reading that begins it to the one that ends it (`until` is the last one that bears it out):

5. *off*: the check says detached, until it says attached; an uncertain word or silence neither begins nor ends it.
   *cool*: the same by temperature and motion alone, of a tag that tells no proximity (docs/adr/0028).
6. *on*: the check says attached, until it says detached, or nothing is read for an hour.
7. *still*: the strap is closed and the tag did not move by more than a knock, and is neither off nor on a limb; *room*:
   the same, and the skin side follows a room that is no warmer than a policy allows. Both end after 15 min without a
   word to the point, at the last one.
8. *unsure*: with proximity, the strap closed and no sensor in doubt, the check said attached and can no longer tell:
   from its first uncertain word until it decides, or after 15 min without a word. It tells the longest time in it in
   which nothing touched the sensor, where that is unusual (`touching`).
9. *unusable*: a channel says what cannot be, is frozen, or has fallen silent while the others go on.
10. *mute*: all channels have fallen silent at once, and the tag goes on being heard: from the first bare report after a
    reading of the same fitting to the next reading, over silence too once it has lasted. A unit that runs another
    firmware may not know of channels: its bare reports begin none and end what goes on.

Stretches of 7 to 10 that were over before `LEAST_MS` are forgotten: no policy may ask for shorter ones.
"""

from collections.abc import Iterable, Sequence
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from emcheck.domain.body import ATTACHED, DETACHED, BodyCheck, Judgement, Sample
from emcheck.domain.body.check import plain_of
from emcheck.domain.facts import Event
from emcheck.domain.ids import BootId, Ms, TagId
from emcheck.domain.instants import FOREVER, HOUR, MINUTE
from emcheck.domain.touching import Spell

if TYPE_CHECKING:
    from emcheck.domain.boots import Boot
    from emcheck.domain.terms import Reading as Terms
    from emcheck.domain.track import Track

OFF, COOL, ON, STILL, ROOM, UNSURE, UNUSABLE, MUTE = (
    "off", "cool", "on", "still", "room", "unsure", "unusable", "mute"
)  # fmt: skip
LEAST_MS: dict[str, Ms] = {
    OFF: 0, COOL: 0, ON: 0, STILL: 6 * HOUR, ROOM: HOUR, UNSURE: 10 * MINUTE, UNUSABLE: HOUR // 2, MUTE: 15 * MINUTE,
}  # fmt: skip
"""A stretch that is as long is looked at with each reading, and kept (the last line above)."""
SILENT_MS: dict[str, Ms] = {ON: HOUR} | dict.fromkeys((STILL, ROOM, UNSURE, UNUSABLE, MUTE), 15 * MINUTE)
"""Without a word for so long a stretch is over; *off* and *cool* stand (5, as what units tell: docs/adr/0017)."""
WAITING_MAX = 2_048
"""Most of what a unit keeps over an outage (protocol.md: 2,500 events), however it is shuffled; weighed in 50 ms."""


class Read(NamedTuple):
    """A reading as a unit told it, `at` by its own clock."""

    boot: BootId
    seq: int
    at: Ms
    skin_c: float | None
    ambient_c: float | None
    motion: float | None
    proximity: float | None
    strap: str | None

    def is_bare(self) -> bool:
        """Whether it says that the tag was heard, and nothing of a body."""
        return self[3:7] == _NOTHING


class Stretch(NamedTuple):
    """A time in which readings say one thing, by corrected times; `end` is None while it goes on."""

    kind: str
    start: Ms
    until: Ms
    end: Ms | None
    boot: BootId
    seq: int
    words: str = ""
    """The check's own, at the reading that began it; of *still*, *room*, *unsure*, at the one that showed it lasts."""
    untouched_ms: Ms = 0
    """Of *unsure*, and as far as it is unusual (8)."""

    def lasted_ms(self) -> Ms:
        """As far as readings bear it out."""
        return self.until - self.start


class Edge(NamedTuple):
    """Everything up to a reading: the check, packed, and the stretches."""

    boot: BootId
    seq: int
    at: Ms
    fitted_at: Ms
    check: bytes
    stretches: tuple[Stretch, ...]
    firmware: str
    """What the unit ran when it last told a reading."""
    spell: Spell


class Worn:
    """What a unit told of one tag's body."""

    __slots__ = ("edge", "fresh", "head", "tag", "told", "waiting")

    def __init__(self, tag: TagId) -> None:
        self.tag = tag
        self.edge: Edge | None = None
        self.waiting: list[Read] | tuple[()] = ()
        self.fresh = 0
        """So many of the last that wait have just come and were not weighed."""
        self.head: Edge | None = None
        """What is behind the last that waits, where it is at hand."""
        self.told: tuple[Stretch, ...] = ()
        """The stretches of all readings, those that wait included."""

    def wait(self, read: Read) -> None:
        """One more that is not weighed yet."""
        self.fresh += 1
        if self.waiting:
            self.waiting.append(read)
        else:
            self.waiting = [read]


def worn(track: "Track", tag: TagId) -> Worn | None:
    """What is known of a tag's body; None where it never told."""
    for known in track.worn:
        if known.tag == tag:
            return known
    return None


def hear(track: "Track", boot: "Boot", seq: int, event: Event) -> None:
    """Take note of a reading; it is weighed with all that came in the same message (`weigh`)."""
    if event["type"] != "report" or not event["heard"] or not track.terms.fitted(event["tag"]):
        return
    told = event.get("skin_c"), event.get("ambient_c"), event.get("motion_mg"), event.get("proximity")
    known = worn(track, event["tag"])
    if known is None:
        if told == _NOTHING:
            return
        known = Worn(event["tag"])
        track.worn += (known,)
        late = boot is not track.newest or seq < boot.sequence.received.last()
        track.torn |= late  # bare reports may have come since
    known.wait(Read(boot.boot, seq, event["at"], *told, event.get("strap")))


_NOTHING = (None, None, None, None)


def expect(track: "Track", tags: Iterable[TagId]) -> None:
    """All facts are told anew: of these tags bare reports count from the first on, whenever their readings come."""
    track.worn = tuple(map(Worn, tags))


def weigh(track: "Track") -> Ms | None:
    """Weigh what has just come; the earliest instant about which something else may be said now, None for none."""
    since = [at for known in track.worn if known.fresh and (at := _weigh(track, known)) is not None]
    return min(since, default=None)


def _weigh(track: "Track", known: Worn) -> Ms | None:
    before, fresh = _telling(known.told), known.waiting[-known.fresh :]
    at = min(read.at - track.boots[read.boot].correction(read.seq) for read in fresh)
    if known.edge is not None and len(fresh) == len(known.waiting) and _follow(track, known.edge, fresh):
        known.edge = _weighed(track, known.tag, known.edge, fresh)
        known.told, known.waiting, known.fresh = known.edge.stretches, (), 0
    else:
        settle(track, known)
    return _since(before, _telling(known.told), at)


def _telling(stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """Without a *mute* that is too short: some tags tell their channels in every fifth report only."""
    return tuple(s for s in stretches if s.kind != MUTE or s.lasted_ms() >= LEAST_MS[MUTE])


def _follow(track: "Track", edge: Edge, fresh: Sequence[Read]) -> bool:
    """Whether readings are the next of the edge's boot, and nothing is missing before them."""
    last = edge.seq
    for read in fresh:
        if read.boot != edge.boot or read.seq <= last:
            return False
        last = read.seq
    return track.boots[edge.boot].sequence.received.covers(edge.seq, last)


def settle(track: "Track", known: Worn) -> None:
    """Move the edge as far as nothing is missing, and weigh what waits beyond it (2, 3)."""
    order = track.in_order()
    places = {boot.boot: place for place, boot in enumerate(order)}
    edge, fresh, known.fresh = known.edge, known.fresh, 0
    reached = (-1, 0) if edge is None else (places.get(edge.boot, -1), edge.seq)

    def place(read: Read) -> tuple[int, int]:
        return places.get(read.boot, -1), read.seq

    waiting = sorted(known.waiting, key=place)
    if waiting and edge is not None and place(waiting[0]) <= reached:
        track.torn = True
        return
    holes = ((at, first) for at, boot in enumerate(order) for first, _ in boot.sequence.holes())
    hole = min((each for each in holes if each > reached), default=(len(places), 0))
    count = max(sum(place(read) < hole for read in waiting), len(waiting) - WAITING_MAX)
    if count:
        edge = known.edge = _weighed(track, known.tag, edge, waiting[:count])
    left = waiting[count:]
    if not left:
        known.waiting, known.head, known.told = (), None, () if edge is None else edge.stretches
        return
    old = len(left) - fresh
    if count or known.head is None or left[:old] != known.waiting[:old]:
        known.head = _weighed(track, known.tag, edge, left)
    elif fresh:
        known.head = _weighed(track, known.tag, known.head, left[old:])
    known.waiting, known.told = left, known.head.stretches


def settle_all(track: "Track") -> None:
    """All facts are told again: weigh what waited for the last of them (3)."""
    for known in track.worn:
        settle(track, known)


def _since(before: tuple[Stretch, ...], after: tuple[Stretch, ...], at: Ms) -> Ms | None:
    """None where a judgement would say the same: nothing long goes on, and nothing began or ended."""
    lasting = any(s.end is None and s.kind != ON and s.until - s.start >= LEAST_MS[s.kind] for s in after)
    if len(before) == len(after) and all(_edges(a) == _edges(b) for a, b in zip(before, after, strict=True)):
        return at if lasting else None
    edges = set(map(_edges, before)) ^ set(map(_edges, after))
    return min([at, *(end - 1 for end, *_ in edges if end is not None)]) if edges or lasting else None


def _edges(stretch: Stretch) -> tuple[Any, ...]:
    return stretch[3], *stretch[:2], *stretch[4:7]


def _weighed(track: "Track", tag: TagId, edge: Edge | None, reads: Sequence[Read]) -> Edge:
    """The edge after further readings in their order."""
    fitted = list(track.terms.fitted(tag))
    before = edge or Edge(reads[0].boot, 0, -FOREVER, -FOREVER, BodyCheck().packed(), (), "", Spell())
    check: BodyCheck | None = None
    at, fitted_at, stretches, firmware, spell = before.at, before.fitted_at, *before[5:]
    for read in reads:
        boot = track.boots[read.boot]
        now = read.at - boot.correction(read.seq)
        fitting = next((span for span in fitted if span.start <= now < span.end), None)
        if now > boot.limit or now < at or fitting is None:
            continue
        if read.is_bare():
            if fitting.start == fitted_at:
                at, mute = now, dict.fromkeys(LEAST_MS) | {MUTE: boot.firmware == firmware}
                stretches = tuple(_followed(stretches, read, now, None, mute))
            continue
        if fitting.start != fitted_at:
            fitted_at = fitting.start
            bias_c = track.terms.bias_c(tag, fitted_at) if read.proximity is not None else None
            check = BodyCheck(bias_c=bias_c)
            stretches, spell = tuple(_over(stretches, fitted_at)), Spell()
        elif check is None:
            check = BodyCheck.unpacked(before.check)
        at, firmware = now, boot.firmware
        judged = check.take(Sample(now, *read[3:]))
        borne = _borne_out(judged, track.terms.at(now))
        if read.proximity is not None and not judged.reading.unusable:
            on = any(s.kind == ON and s.end is None for s in stretches)
            spell = spell.after(now, read.proximity, counts=on and bool(borne[ON] or borne[UNSURE]))
        stretches = tuple(_followed(stretches, read, now, judged, borne))
        if unusual_ms := spell.unusual_ms():
            stretches = tuple(_untouched(stretches, unusual_ms))
    last = reads[-1]
    packed = before.check if check is None else check.packed()
    return Edge(last.boot, last.seq, at, fitted_at, packed, stretches, firmware, spell)


def _over(stretches: Iterable[Stretch], at: Ms) -> Iterable[Stretch]:
    """Nothing goes on from one fitting into the next, which begins at an instant (4)."""
    return (s if s.end is not None else s._replace(end=at) for s in stretches)


def _followed(
    stretches: tuple[Stretch, ...], read: Read, at: Ms, judged: Judgement | None, borne: dict[str, bool | None]
) -> Iterable[Stretch]:
    """The stretches after a report: some go on, some end, some begin (5 to 10); `judged` is None of a bare one."""
    was_on = False
    for stretch in stretches:
        after = stretch if stretch.end is not None else _gone_on(stretch, at, says=borne[stretch.kind])
        was_on |= after.kind == ON and after.end is None
        lasted = after.lasted_ms() >= LEAST_MS[after.kind]
        if judged is not None and lasted and not after.words and after.kind in (STILL, ROOM, UNSURE):
            after = after._replace(words=judged.words)
        if after.end is None:
            borne[stretch.kind] = None
        if after.end is None or lasted:
            yield after
    for kind, says in borne.items():
        if says and (kind != UNSURE or was_on):
            yield Stretch(kind, at, at, None, read.boot, read.seq, _words(kind, judged))


def _untouched(stretches: Iterable[Stretch], ms: Ms) -> Iterable[Stretch]:
    for stretch in stretches:
        longer = stretch.kind == UNSURE and stretch.end is None and stretch.untouched_ms < ms
        yield stretch._replace(untouched_ms=ms) if longer else stretch


def _words(kind: str, judged: Judgement | None) -> str:
    """What is told of a stretch by what began it."""
    if judged is None:
        return "no channel"
    if kind == UNUSABLE:
        return ", ".join(judged.reading.unusable)
    return judged.words if kind in (OFF, COOL) else ""


def _gone_on(stretch: Stretch, at: Ms, *, says: bool | None) -> Stretch:
    """A stretch after a reading that speaks for it, against it, or neither."""
    lasts = stretch.kind == MUTE and stretch.lasted_ms() >= LEAST_MS[MUTE]
    if not lasts and at - stretch.until > SILENT_MS.get(stretch.kind, FOREVER):
        return stretch._replace(end=stretch.until)
    if says is None:
        return stretch
    return stretch._replace(until=at) if says else stretch._replace(end=at)


def _borne_out(judged: Judgement, terms: "Terms") -> dict[str, bool | None]:
    """Which kinds of stretch a reading speaks for (true), against (false), or neither."""
    reading, state = judged.reading, judged.state
    decided = state in (ATTACHED, DETACHED) or reading.strap in ("open", "cut")
    still = room = False if decided else None
    if not decided and reading.strong is not None:
        still = not reading.strong
    if not decided and reading.above_c is not None and (reading.ambient_c or 0) <= terms.room_max_c:
        room = reading.above_c < terms.room_within_c
    off = {DETACHED: True, ATTACHED: False}.get(state)
    touches = reading.contact is not None
    return {
        OFF: off if touches or not off else None,
        COOL: off if not (touches and off) else None,
        ON: {ATTACHED: True, DETACHED: False}.get(state),
        STILL: still,
        ROOM: room,
        UNSURE: not decided and touches and not reading.unusable,
        UNUSABLE: bool(reading.unusable),
        MUTE: False,
    }


def plain(known: Worn) -> dict[str, Any]:
    """As JSON knows it, for a checkpoint."""
    edge = known.edge
    return {
        "tag": known.tag,
        "edge": None if edge is None else [*edge[:4], plain_of(edge.check), *edge[5:]],
        "waiting": known.waiting,
        "told": known.told,
    }


def restored(state: dict[str, Any]) -> Worn:
    """What `plain` was made of."""
    known = Worn(TagId(state["tag"]))
    if state["edge"] is not None:
        boot, seq, at, fitted_at, check, stretches, firmware, *spell = state["edge"]
        packed, told = BodyCheck.restored(check).packed(), tuple(Stretch(*each) for each in stretches)
        known.edge = Edge(boot, seq, at, fitted_at, packed, told, intern(firmware), Spell(*(spell[0] if spell else ())))
    known.waiting = [Read(*each) for each in state["waiting"]] or ()
    known.told = tuple(Stretch(*each) for each in state["told"])
    return known
