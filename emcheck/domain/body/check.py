"""The body check of one tag: readings in, what it is on out. The rule book is the package's docstring."""

import marshal
from collections.abc import Callable
from math import log
from operator import attrgetter
from typing import Any

from emcheck.domain.body.bias import Bias
from emcheck.domain.body.contact import Contact
from emcheck.domain.body.frozen import Still
from emcheck.domain.body.judgement import ATTACHED, DETACHED, UNCERTAIN, Judgement, Reading
from emcheck.domain.body.model import MODEL, Model
from emcheck.domain.body.modes import ACTIVE, COOLING, MOVING, RESTING, START, STILL, density, forward, weights
from emcheck.domain.body.sample import LIMB_MAX_C, Sample, impossible, merged, without
from emcheck.domain.body.trends import Trend
from emcheck.domain.body.warmth import Warmth
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER, MINUTE

SKIN, GAP, CONTACT = range(3)
NEVER: Ms = -FOREVER
STEP_MS: Ms = 10_000
"""Evidence is weighed once in so long: readings closer together say the same thing again (5)."""
COVER_MAX = 0.001
"""Over cloth is ruled out at this error rate, where a proximity tells, before a tag is attached (6)."""
COOLS = 0.5
"""Of what is carried off, so much still cools (chosen)."""
FIRST_MIN = 1.0
"""What the first reading weighs."""
WEIGHED_MAX_MIN = 5.0
"""Samples are up to 5 min apart (formats.md); what a longer silence hides is no evidence."""
TREND_MIN = 4.0
"""The window of the slope: half a removal's time constant of 9.1 min."""
LIVE_MS: Ms = 900_000
"""A channel that said nothing for so long is not there (6): three samples at the slowest."""
STEADY_C_PER_MIN = 0.03
"""A tag off the body has cooled: 5 to 95 % of its slopes (fit)."""
STRAP_LOG = 3.0
"""An opened strap makes off twenty times as likely (chosen; `tag.strap` is a rule of its own)."""
USUAL_GAIN = 0.02
"""Usual motion is that of some fifty moving minutes."""


VERSION = 3
"""Of the state's shape in a checkpoint."""
_own_of = attrgetter(
    "_at", "_decided", "_gap_c", "_minute", "_moved", "_seen_at", "_strap", "_usual_motion", "_weighed_at"
)
_slots_of: dict[type, Callable[[Any], Any]] = {
    Warmth: Warmth.told,
    **{kind: attrgetter(*kind.__slots__) for kind in (Bias, Contact, Still, Trend)},
}


class BodyCheck:
    """Weighs one tag's readings, one after the other; under 1 KB."""

    __slots__ = (
        "_at", "_bias", "_contact", "_decided", "_frozen", "_gap_c", "_held", "_last", "_minute", "_moved", "_p",
        "_seen_at", "_slope", "_strap", "_usual_motion", "_warmth", "_weighed_at", "_weights",
    )  # fmt: skip

    def __init__(self, *, bias_c: float | None = None, model: Model = MODEL) -> None:
        self._weights = weights(model)
        self._p = list(START)
        self._bias = Bias(bias_c)
        self._contact = Contact(model)
        self._frozen = (Still(), Still(), Still())
        self._slope = Trend(TREND_MIN)
        self._warmth = Warmth()
        self._gap_c: float | None = None
        self._at: Ms | None = None
        self._weighed_at: Ms | None = None
        self._held: Sample | None = None
        self._usual_motion = 0.0
        self._minute = self._moved = 0
        self._seen_at = [NEVER, NEVER, NEVER]
        self._strap: str | None = None
        self._decided = UNCERTAIN
        self._last = self._judgement(Reading(), ())

    def take(self, sample: Sample, *, lifted: bool = False) -> Judgement:
        """What the tag is on, from this reading and earlier ones; `lifted` is a fitter's word that it is held off.

        An impossible value and a reading from before the last are not used, and the judgement's remarks say so (7).
        """
        remarks: tuple[str, ...] = ()
        unusable: tuple[str, ...] = ()
        while (fault := impossible(sample)) is not None:
            sample = without(sample, fault[0])
            remarks, unusable = (*remarks, f"{fault[0]} was not used: {fault[1]}"), (*unusable, fault[0])
        if self._at is not None and sample.at < self._at:
            late_s = (self._at - sample.at) / 1000
            return self._judgement(self._last.reading, (*remarks, f"a reading {late_s:g} s back in time was not used"))
        if sample.skin_c is not None and sample.skin_c <= LIMB_MAX_C:
            self._warmth.feel(sample.at, sample.skin_c)
        self._at = sample.at
        if sample.proximity is not None:
            corrected = self._contact.corrected(self._weights.model, sample.proximity, sample.skin_c)
            self._contact.lifted(sample.at, corrected, off=lifted)
            if lifted:
                sample = sample._replace(proximity=None)
        if self._held is not None:
            sample = merged(self._held, sample)
        if self._weighed_at is not None and sample.at - self._weighed_at < STEP_MS:
            self._held = sample
            return self._judgement(self._last.reading, remarks) if remarks else self._last
        self._held = None
        reading, frozen = self._weigh(sample, unusable)
        self._last = self._judgement(reading, (*remarks, *frozen))
        return self._last

    def _weigh(self, sample: Sample, unusable: tuple[str, ...]) -> tuple[Reading, tuple[str, ...]]:
        """Take a step (2 to 5); what was read, and the remarks about channels that are frozen."""
        dt_min = FIRST_MIN if self._weighed_at is None else (sample.at - self._weighed_at) / MINUTE
        self._weighed_at = sample.at
        weighed_min = min(dt_min, WEIGHED_MAX_MIN)
        told = [0.0] * 5
        skin_c, ambient_c, motion, frozen = self._thawed(sample)
        usual = self._usual_motion
        self._hear_motion(sample.at, motion, weighed_min, told)
        self._turn_strap(sample.strap, told)
        felt = [0.0] * 5
        gap_c, slope = self._feel(sample.at, skin_c, ambient_c, dt_min, weighed_min, felt)
        self._warmth.weigh(max(felt[:COOLING]) - max(felt[COOLING:]))
        told = [one + other for one, other in zip(told, felt, strict=True)]
        contact = self._touch(sample, weighed_min, told)
        p = self._p = forward(self._p, self._weights.rows(dt_min), told)
        self._learn(gap_c, slope, weighed_min)
        above = None if gap_c is None else gap_c - self._bias.estimate(self._weights.model).bias_c
        moved = self._moved.bit_count() if motion is not None else None
        strong = None if motion is None else motion > 0 and motion >= self._weights.model.faint_share * usual
        touched = gap_c is not None and contact is not None and not self._contact.says_no()
        cold = touched and not self._warmth.proven()
        reading = Reading(
            skin_c, above, slope, contact, moved, self._strap, self._contact.fault, self._contact.seen_no, ambient_c,
            strong, cold, self._unusable(sample, unusable, (skin_c, ambient_c, motion)),
        )  # fmt: skip
        self._decide(sample.at, p)
        return reading, frozen

    def _unusable(
        self, sample: Sample, impossible: tuple[str, ...], used: tuple[float | None, float | None, float | None]
    ) -> tuple[str, ...]:
        """The channels that say what cannot be, are frozen, or said something once and nothing for long (7)."""
        skin, ambient, motion = sample.skin_c, sample.ambient_c, sample.motion
        skin_c, ambient_c, motion_used = used
        since, seen = sample.at - LIVE_MS, self._seen_at
        names = [name for name in impossible if name != "strap"]
        if skin is None:
            names += ["skin_c"] * (NEVER < seen[SKIN] < since)
        elif skin_c is None and skin <= LIMB_MAX_C:
            names.append("skin_c")
        if ambient is not None and ambient_c is None:
            names.append("ambient_c")
        if motion is not None and motion_used is None:
            names.append("motion")
        if self._contact.fault or NEVER < seen[CONTACT] < since:
            names.append("proximity")
        return tuple(sorted(set(names))) if names else ()

    def _thawed(self, sample: Sample) -> tuple[float | None, float | None, float | None, tuple[str, ...]]:
        """The temperatures and motion that are not frozen, and what is said of those that are."""
        _, skin, ambient, motion, _, _ = sample
        moved = motion is not None and motion > 0
        of_skin, of_ambient, of_motion = self._frozen
        frozen: tuple[str, ...] = ()
        if skin is not None and of_skin.temperature(sample.at, skin, ambient, moved=moved):
            skin, frozen = None, ("the skin side has frozen and is not used",)
        if ambient is not None and of_ambient.temperature(sample.at, ambient, sample.skin_c, moved=moved):
            ambient, frozen = None, (*frozen, "ambient has frozen and is not used")
        if motion is not None and of_motion.motion(motion):
            motion, frozen = None, (*frozen, "motion has frozen and is not used")
        if skin is not None and skin > LIMB_MAX_C:
            skin, frozen = None, (*frozen, f"the skin side is at {skin:g} degC, too hot for a limb, and is not used")
        return skin, ambient, motion, frozen

    def _hear_motion(self, at: Ms, motion: float | None, weighed_min: float, told: list[float]) -> None:
        """Motion, against what is usual for the tag (3)."""
        minute = at // MINUTE
        self._moved = (self._moved << min(max(minute - self._minute, 0), 10)) & 0x3FF
        self._minute = minute
        if motion is None:
            return
        weight = self._weights.model.motion_weight
        none, faint, strong = self._weights.motion(weighed_min)
        if motion > 0:
            usual = self._usual_motion
            heard = faint if motion < self._weights.model.faint_share * usual else strong
            self._usual_motion = usual + (motion - usual) * USUAL_GAIN if usual else motion
            self._moved |= 1
        else:
            heard = none
        for mode, each in enumerate(heard):
            told[mode] += weight * each

    def _feel(
        self,
        at: Ms,
        skin_c: float | None,
        ambient_c: float | None,
        dt_min: float,
        weighed_min: float,
        told: list[float],
    ) -> tuple[float | None, float | None]:
        """The temperatures (2): the gap and the slope, where they are known."""
        if skin_c is None:
            return None, None
        self._seen_at[SKIN] = at
        self._slope.take(dt_min, skin_c)
        ready, model = self._weights, self._weights.model
        weight = model.level_weight * weighed_min
        for mode, curve in enumerate(ready.level):
            told[mode] += weight * log(density(curve, skin_c))
        slope = self._slope.slope()
        if slope is not None:
            weight = model.slope_weight * weighed_min
            fits = [density(curve, slope) for curve in ready.slope]
            fits[MOVING] = max(fits[MOVING], COOLS * fits[COOLING])
            for mode, each in enumerate(fits):
                told[mode] += weight * log(each)
        if ambient_c is None:
            return None, slope
        self._seen_at[GAP] = at
        gap_c = skin_c - ambient_c
        sides = self._bias.estimate(model)
        weight = model.gap_weight * weighed_min
        if self._gap_c is not None:
            changed = min(1.0, abs(gap_c - self._gap_c) / model.gap_change_c)
            weight += (1 - model.gap_weight) * changed
        self._gap_c = gap_c
        above = min(2.0, max(-0.8, gap_c - sides.bias_c))
        more = sides.usual_c / model.worn_gap_c[0] - 1
        for mode, curve in enumerate(ready.gaps(ambient_c + sides.bias_c)):
            if mode in (ACTIVE, RESTING):
                told[mode] += weight * log(density(curve, above - more * curve[0], sides.of_worn))
            else:
                told[mode] += weight * log(density(curve, above, sides.of_bias))
        return gap_c, slope

    def _touch(self, sample: Sample, weighed_min: float, told: list[float]) -> float | None:
        """Proximity (4)."""
        contact = self._contact
        if sample.proximity is None or contact.fault:
            return None
        self._seen_at[CONTACT] = sample.at
        contact.take(
            self._weights.model,
            contact.corrected(self._weights.model, sample.proximity, sample.skin_c),
            weighed_min,
            told,
        )
        return contact.level

    def _turn_strap(self, strap: str | None, told: list[float]) -> None:
        """A strap that opens speaks against a limb, once; one that is seen to close begins anew (1)."""
        if strap is None or strap == self._strap:
            return
        if strap != "closed":
            told[ACTIVE] -= STRAP_LOG
            told[RESTING] -= STRAP_LOG
        elif self._strap is not None:
            self._p = list(START)
            self._contact.begin(self._weights.model)
            self._warmth.begin()
        self._strap = strap

    def _learn(self, gap_c: float | None, slope: float | None, weighed_min: float) -> None:
        """What certain times teach of the tag: its bias, and whether its proximity can say no."""
        p = self._p
        if gap_c is not None and slope is not None:
            if p[STILL] > 0.95 and abs(slope) < STEADY_C_PER_MIN:
                self._bias.off(gap_c, weighed_min)
            elif p[ACTIVE] + p[RESTING] > 0.95:
                self._bias.worn(gap_c, weighed_min)
        self._contact.compare(self._weights.model, weighed_min, p[COOLING] + p[STILL], p[ACTIVE] + p[RESTING])

    def _decide(self, at: Ms, p: list[float]) -> None:
        """Wald's test: a decision is made at its error rate, and stands until it is less likely than not (5, 6)."""
        model, contact = self._weights.model, self._contact
        p_off = p[COOLING] + p[STILL] + p[MOVING]
        p_skin = (p[ACTIVE] + p[RESTING]) * (1 - contact.covered)
        since = at - LIVE_MS
        feels, touches = self._seen_at[GAP] >= since, self._seen_at[CONTACT] >= since and not contact.fault
        vouched = (feels or (touches and contact.seen_no)) and self._strap in (None, "closed")
        if p_off > 0.9 or (touches and contact.says_no()):
            self._warmth.begin()
        if touches:
            ruled_out = contact.covered <= COVER_MAX and (self._warmth.proven() or not feels)
            vouched = vouched and ruled_out and not contact.says_no()
        tells = touches or p[MOVING] < 0.1 or not self._usual_motion
        if (tells and p_off >= model.detached_from) or (self._decided == DETACHED and p_off >= model.detached_until):
            self._decided = DETACHED if touches or self._seen_at[SKIN] >= since else UNCERTAIN
        elif vouched and (
            p_skin >= model.attached_from or (self._decided == ATTACHED and p_skin >= model.attached_until)
        ):
            self._decided = ATTACHED
        else:
            self._decided = UNCERTAIN

    def _judgement(self, reading: Reading, remarks: tuple[str, ...]) -> Judgement:
        contact = self._contact
        return Judgement(
            state=self._decided,
            modes=self._p,
            covered=contact.covered,
            loose=contact.loose if contact.says_no() else 0.0,
            reading=reading,
            remarks=remarks,
        )

    def plain(self) -> dict[str, Any]:
        """The whole state as JSON knows it, for a checkpoint."""
        reading = self._last.reading
        return {
            "v": VERSION,
            "modes": self._p,
            "parts": [_slots_of[type(part)](part) for part in self._parts()],
            "own": _own_of(self),
            "held": None if self._held is None else tuple(self._held),
            "last": (reading[:-1], reading.unusable, self._last.remarks),
        }

    @classmethod
    def restored(cls, plain: dict[str, Any], *, model: Model = MODEL) -> "BodyCheck":
        """The check that `plain` was made of; it goes on as if nothing had been. ValueError for another version's."""
        if plain.get("v") != VERSION:
            raise ValueError(f"a body check of version {plain.get('v')!r}; this is {VERSION}, begin anew")
        check = cls.__new__(cls)
        check._take_up(plain, model)  # noqa: SLF001 - its own
        return check

    def _take_up(self, plain: dict[str, Any], model: Model) -> None:
        self._weights = weights(model)
        self._p = list(plain["modes"])
        bias, contact, slope, warmth, *still = plain["parts"]
        self._bias, self._contact, self._slope = Bias.__new__(Bias), Contact.__new__(Contact), Trend.__new__(Trend)
        self._warmth = Warmth.__new__(Warmth)
        self._frozen = Still.__new__(Still), Still.__new__(Still), Still.__new__(Still)
        self._bias.take_up(*bias)
        self._contact.take_up(*contact)
        self._slope.take_up(*slope)
        self._warmth.take_up(*warmth)
        for part, values in zip(self._frozen, still, strict=True):
            part.take_up(*values)
        (
            self._at, self._decided, self._gap_c, self._minute, self._moved, seen_at, self._strap,
            self._usual_motion, self._weighed_at,
        ) = plain["own"]  # fmt: skip
        self._seen_at = list(seen_at)
        self._held = None if plain["held"] is None else Sample(*plain["held"])
        reading, unusable, remarks = plain["last"]
        self._last = self._judgement(Reading(*reading)._replace(unusable=tuple(unusable)), tuple(remarks))

    def packed(self) -> bytes:
        """The state between two readings, in under 500 bytes; for this process alone, `plain` is for all others."""
        return marshal.dumps(tuple(self.plain().values()))

    @classmethod
    def unpacked(cls, packed: bytes, *, model: Model = MODEL) -> "BodyCheck":
        """The check that was packed; it goes on as if nothing had been."""
        return cls.restored(plain_of(packed), model=model)

    def _parts(self) -> tuple["Bias | Contact | Still | Trend | Warmth", ...]:
        return self._bias, self._contact, self._slope, self._warmth, *self._frozen


def plain_of(packed: bytes) -> dict[str, Any]:
    """What `plain` of the packed check is."""
    return dict(zip(("v", "modes", "parts", "own", "held", "last"), marshal.loads(packed), strict=True))  # noqa: S302 - our own bytes, of this process
