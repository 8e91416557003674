"""When a wrist of the unlabelled recordings was off, judged afterwards and from both sides: a reference, not the truth.

The check may only look back and does not know the sensor; the reference looks at all of a recording at once.

1. The sensor's bias is the median gap of its still and cool half-hours, of those within 0.15 degC of their lower
   quarter: off has less than worn. Where there are none, -0.13 (the median of the others).
2. Off: in a quarter of an hour around, the gap keeps within 0.15 degC of the bias, four in five minutes have no
   motion, and the skin side is under 33 degC (a hand under a pillow has no gap either, but is warm).
3. Unclear: the gap keeps so near the bias, but it moves, or is warm: carried in a bag, handled, a hand in the sun.
   Nobody is scored there. What lies within 5 min of off or unclear is unclear too, if the gap is that small.
4. Off for a few minutes, too: a stretch in which the gap is all the time under the bias plus 0.3 degC, begun by a fall
   of the gap from 0.5 degC over it within 3 min and by a cooling of the skin side of 0.8 degC in 6 min, with a minute
   or more motionless. A limb that cools has a wider gap, not a narrower one.
5. Unclear, too: 6 min in which the skin side cools by 0.8 degC with the gap closed and no motion in 4 of them, though
   the gap did not fall at the start (it was closed already, in the sun or under a blanket).
6. All else is worn.
"""

from statistics import median

from emcheck.domain.body import Sample

WORN, OFF, UNCLEAR = 1, 0, -1
_HALF = 7
_NEAR_C = 0.15
_WARM_C = 33.0


def labels(samples: list[Sample]) -> list[int]:
    """One of `WORN`, `OFF` and `UNCLEAR` for each reading of a recording with a reading a minute."""
    gaps = [(s.skin_c or 0.0) - (s.ambient_c or 0.0) for s in samples]
    still = [not s.motion for s in samples]
    bias = bias_of(samples)
    marks = []
    for i in range(len(samples)):
        around = range(max(0, i - _HALF), min(len(samples), i + _HALF + 1))
        near = sum(abs(gaps[j] - bias) <= _NEAR_C for j in around) / len(around)
        calm = sum(still[j] for j in around) / len(around)
        cool = (samples[i].skin_c or 0.0) < _WARM_C
        marks.append(WORN if near < 0.6 else OFF if calm >= 0.8 and cool and near >= 0.7 else UNCLEAR)
    _dips(samples, gaps, bias, still, marks)
    _coolings(samples, gaps, bias, still, marks)
    return _mended(marks, gaps, bias, still)


def _dips(samples: list[Sample], gaps: list[float], bias: float, still: list[bool], marks: list[int]) -> None:
    """Clause 4."""
    low = [int(gap < bias + 0.3) for gap in gaps]
    for start, end in runs(low, 1):
        before = max(gaps[max(0, start - 3) : start + 1])
        cooled = max(s.skin_c or 0.0 for s in samples[max(0, start - 3) : start + 1]) - min(
            s.skin_c or 0.0 for s in samples[start : start + 6]
        )
        if before >= bias + 0.5 and cooled >= 0.8 and sum(still[start:end]) >= max(1, 0.3 * (end - start)):
            marks[start:end] = [OFF] * (end - start)


def bias_of(samples: list[Sample]) -> float:
    """Clause 1."""
    hours = [samples[i : i + 30] for i in range(0, len(samples) - 29, 30)]
    lying = sorted(
        median((s.skin_c or 0.0) - (s.ambient_c or 0.0) for s in hour)
        for hour in hours
        if sum(not s.motion for s in hour) >= 29 and max(s.skin_c or 0.0 for s in hour) < 31
    )
    if len(lying) < 2:
        return -0.13
    return median(gap for gap in lying if gap < lying[len(lying) // 4] + _NEAR_C)


def _coolings(samples: list[Sample], gaps: list[float], bias: float, still: list[bool], marks: list[int]) -> None:
    """Clause 5."""
    for start, end in runs([int(gap < bias + 0.3) for gap in gaps], 1):
        for i in range(start, end - 6):
            fell = (samples[i].skin_c or 0.0) - (samples[i + 6].skin_c or 0.0)
            if fell >= 0.8 and sum(still[i : i + 6]) >= 4:
                marks[i : i + 7] = [UNCLEAR if mark == WORN else mark for mark in marks[i : i + 7]]


def _mended(marks: list[int], gaps: list[float], bias: float, still: list[bool]) -> list[int]:
    """Edges where they are: off reaches as far as the gap is small and nothing moves; clause 3's surroundings."""
    for step in (1, -1):
        order = range(len(marks)) if step == 1 else range(len(marks) - 1, -1, -1)
        previous = WORN
        for i in order:
            if marks[i] != OFF and previous == OFF and gaps[i] < bias + 0.25 and still[i]:
                marks[i] = OFF
            previous = marks[i]
    for i, mark in enumerate(marks):
        if mark == OFF and gaps[i] > bias + 0.35:
            marks[i] = WORN
    out = list(marks)
    for i, mark in enumerate(marks):
        if mark == WORN and gaps[i] < bias + 0.25 and any(m != WORN for m in marks[max(0, i - 5) : i + 6]):
            out[i] = UNCLEAR
    return out


def runs(marks: list[int], what: int) -> list[tuple[int, int]]:
    """Stretches `[from, until)` of one label."""
    found, start = [], None
    for i, mark in enumerate([*marks, None]):
        if mark == what and start is None:
            start = i
        elif mark != what and start is not None:
            found.append((start, i))
            start = None
    return found
