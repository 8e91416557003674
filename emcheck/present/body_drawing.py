"""A body check as SVG: what the tag said, how likely each hypothesis is, and the state, over one axis of time.

Lines differ in dash and hypotheses in pattern, so that it is read in print without colour; `<desc>` and `told` say the
same in words. A column shows the greatest and least of its readings, and the state that matters most: off, then
uncertain.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape

from emcheck.domain.body import ATTACHED, DETACHED, UNCERTAIN, Judgement, Sample
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, HOUR, MINUTE, SECOND
from emcheck.present.times import clock, day, duration, hour

Point = tuple[Sample, Judgement]
Read = Callable[[Sample, Judgement], float | None]

_WIDTH, _LEFT, _RIGHT, _TOP, _GAP = 1000, 92, 16, 64, 34
_PLOT = _WIDTH - _LEFT - _RIGHT
_LINE = 11
"""Labels of an axis stand no closer than a line of small print: marks come first."""
_TOLD_MAX = 40
_TICKS = tuple(n * SECOND for n in (10, 30, 60, 300, 600, 1800)) + tuple(
    n * HOUR for n in (1, 2, 3, 6, 12, 24, 48, 168)
)
_FILLS = {"skin": "#9ecae1", "loose": "#e8e8e8", "covered": "url(#dots)", "moving": "url(#slant)", "off": "#3d3d3d"}
_NAMES = {
    "skin": "on skin",
    "loose": "no contact now",
    "covered": "over cloth",
    "moving": "moving, not on skin",
    "off": "off and still",
}
_STATES = {ATTACHED: "#9ecae1", UNCERTAIN: "url(#slant)", DETACHED: "#3d3d3d"}
_DEFS = (
    '<defs><pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#fff"/><circle cx="3" cy="3" r="1.4" fill="#222"/></pattern>'
    '<pattern id="slant" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#fff"/>'
    '<rect width="2" height="6" fill="#777"/></pattern></defs>'
)
_STYLE = (
    "<style>text{font:13px sans-serif;fill:#222}.small{font-size:11px}.head{font-size:17px;font-weight:bold}"
    ".grid{stroke:#ddd}.frame{fill:none;stroke:#888}.line{fill:none;stroke:#111;stroke-width:1.4}"
    ".dash{stroke-dasharray:5 3;stroke:#b0461e}</style>"
)


def told(points: Sequence[Point]) -> list[str]:
    """The states one after the other, with the reason at the end of each: the drawing for who cannot see it."""
    found = []
    start = 0
    for i in range(1, len(points) + 1):
        if i == len(points) or points[i][1].state != points[start][1].state:
            first, (last, judged) = points[start][0], points[i - 1]
            lasts = duration(last.at - first.at) if last.at > first.at else "one reading"
            found.append(f"{_when(first.at)}, {lasts}: {judged.state}; at its end {judged.words}")
            start = i
    if len(found) <= _TOLD_MAX:
        return found
    return [*found[: _TOLD_MAX - 1], f"and {len(found) - _TOLD_MAX + 1} more stretches"]


def _when(at: Ms) -> str:
    return f"{day(at, 'UTC')} {hour(at, 'UTC')} UTC"


class Drawing:
    """Panels, one under the other; each is drawn on its own and moves the next one down."""

    def __init__(self, name: str, points: Sequence[Point]) -> None:
        self._name, self._points = name, points
        self._start = points[0][0].at
        self._span = max(points[-1][0].at - self._start, MINUTE)
        columns: dict[int, list[Point]] = {}
        for point in points:
            columns.setdefault(round(self._x(point[0].at)), []).append(point)
        self._columns = columns
        self._y = _TOP

    def svg(self) -> str:
        """The whole file."""
        parts = [*self._temperatures(), *self._gap(), *self._motion(), *self._contact()]
        parts += [*self._hypotheses(), *self._states()]
        ticks = [*self._ticks()]
        height = self._y + 18
        head = f"{self._name}: {_when(self._start)}, {duration(self._span)}"
        opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        spoken = escape("\n".join(told(self._points)))
        lines = [
            f'{opening} aria-labelledby="title desc"><title id="title">Body check of {escape(head)}</title>',
            f'<desc id="desc">{spoken}</desc>{_DEFS}{_STYLE}<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
            f'<text class="head" x="{_LEFT}" y="26">{escape(head)}</text>',
        ]
        return "\n".join([*lines, *ticks, *parts, "</svg>\n"])

    def _x(self, at: Ms) -> float:
        return _LEFT + (at - self._start) / self._span * _PLOT

    def _panel(self, title: str, height: int) -> Iterator[str]:
        """A frame with its title over it; what is drawn in it comes after."""
        self._y += _GAP
        yield f'<text x="{_LEFT}" y="{self._y - 7}">{escape(title)}</text>'
        yield f'<rect class="frame" x="{_LEFT}" y="{self._y}" width="{_PLOT}" height="{height}"/>'
        self._y += height

    def _lines(
        self, title: str, height: int, values: Sequence[tuple[str, Read]], marks: Sequence[float] = ()
    ) -> Iterator[str]:
        """Lines of one scale, the first whole and the second dashed; a missing reading breaks it."""
        read_of_all = [read(*point) for point in self._points for _, read in values]
        seen = [value for value in read_of_all if value is not None]
        yield from self._panel(title, height)
        if not seen:
            yield f'<text class="small" x="{_LEFT + 8}" y="{self._y - height / 2}">no readings</text>'
            return
        low, high = min(*seen, *marks, seen[0]), max(*seen, *marks, seen[0])
        low, high = (low, high) if high - low >= 0.2 else (low - 0.1, high + 0.1)
        bottom, scale = self._y, height / (high - low)
        labelled: list[float] = []
        for value in (*marks, low, high):
            y = bottom - (value - low) * scale
            if all(abs(y - other) >= _LINE for other in labelled):
                labelled.append(y)
                said = f"{value:.1f}".replace("-0.0", "0.0")
                yield f'<text class="small" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{said}</text>'
        for mark in marks:
            y = bottom - (mark - low) * scale
            yield f'<path class="grid" d="M{_LEFT} {y:.1f}h{_PLOT}"/>'
        for kind, read in values:
            yield f'<path class="{kind}" d="{self._path(read, lambda value: bottom - (value - low) * scale)}"/>'

    def _path(self, read: Read, y: Callable[[float], float]) -> str:
        """Through the least and the greatest of each column."""
        steps, broken = [], True
        for x, points in self._columns.items():
            there = [value for sample, judged in points if (value := read(sample, judged)) is not None]
            if not there:
                broken = True
                continue
            for value in dict.fromkeys((min(there), max(there))):
                steps.append(f"{'M' if broken else 'L'}{x} {y(value):.1f}")
                broken = False
        return "".join(steps)

    def _temperatures(self) -> Iterator[str]:
        yield from self._lines(
            "Temperature, degC: skin side (whole line), ambient (dashed)", 130,
            [("line", lambda sample, _: sample.skin_c), ("line dash", lambda sample, _: sample.ambient_c)],
        )  # fmt: skip

    def _gap(self) -> Iterator[str]:
        yield from self._lines(
            "Skin above ambient, degC, the tag's bias taken off: about 0 off a body", 80,
            [("line", lambda _, judged: judged.reading.above_c)], marks=(0.0,),
        )  # fmt: skip

    def _motion(self) -> Iterator[str]:
        """Only zero, and what share of the greatest: the unit is the tag's own."""
        height = 50
        most = max((sample.motion or 0.0 for sample, _ in self._points), default=0.0)
        yield from self._panel("Motion, against the tag's own greatest", height)
        bars = [
            f"M{x} {self._y}v{-max(2.0, height * (moved / most) ** 0.5):.1f}"
            for x, points in self._columns.items()
            if (moved := max(sample.motion or 0.0 for sample, _ in points)) > 0
        ]
        yield f'<path class="line" d="{"".join(bars)}"/>'

    def _contact(self) -> Iterator[str]:
        if any(sample.proximity is not None for sample, _ in self._points):
            yield from self._lines(
                "Proximity: 1 is contact", 60, [("line", lambda sample, _: sample.proximity)], marks=(0.0, 1.0)
            )

    def _hypotheses(self) -> Iterator[str]:
        """How likely each is, one on the other, a column's last word."""
        height = 90
        yield from self._panel("How likely", height)
        tops = dict.fromkeys(self._columns, 0.0)
        for name, fill in _FILLS.items():
            lower = [f"L{x} {self._y - height * tops[x]:.1f}" for x in reversed(tops)]
            for x, points in self._columns.items():
                tops[x] += points[-1][1].hypotheses[name]
            upper = [f"{'L' if i else 'M'}{x} {self._y - height * top:.1f}" for i, (x, top) in enumerate(tops.items())]
            yield f'<path fill="{fill}" d="{"".join(upper + lower)}Z"/>'
        yield from self._key([(_FILLS[name], said) for name, said in _NAMES.items()])

    def _states(self) -> Iterator[str]:
        height = 26
        yield from self._panel("State", height)
        worst = [
            (x, next(state for state in (DETACHED, UNCERTAIN, ATTACHED) if any(j.state == state for _, j in points)))
            for x, points in self._columns.items()
        ]
        start = 0
        for i in range(1, len(worst) + 1):
            if i == len(worst) or worst[i][1] != worst[start][1]:
                x, end = worst[start][0], worst[i][0] if i < len(worst) else _LEFT + _PLOT
                fill, width = _STATES[worst[start][1]], max(1, end - x)
                yield f'<rect x="{x}" y="{self._y - height}" width="{width}" height="{height}" fill="{fill}"/>'
                start = i
        yield from self._key([(fill, state) for state, fill in _STATES.items()])

    def _key(self, signs: Sequence[tuple[str, str]]) -> Iterator[str]:
        """What the fills mean, under a panel."""
        x, y = _LEFT, self._y + 8
        for fill, said in signs:
            yield f'<rect class="frame" x="{x}" y="{y}" width="14" height="11" style="fill:{fill}"/>'
            yield f'<text class="small" x="{x + 20}" y="{y + 10}">{said}</text>'
            x += 34 + 7 * len(said)
        self._y += 22

    def _ticks(self) -> Iterator[str]:
        """Instants in UTC over the first panel, and lines down to the last."""
        every = next((tick for tick in _TICKS if self._span / tick <= 9), 2 * _TICKS[-1])
        for at in range(-(-self._start // every) * every, self._start + self._span + 1, every):
            x = self._x(at)
            said = hour(at, "UTC")[:5] if every < DAY and at % DAY else day(at, "UTC")[4:10]
            said = clock(at, "UTC")[-8:] if every < MINUTE else said
            yield f'<path class="grid" d="M{x:.1f} {_TOP}V{self._y - 22}"/>'
            yield f'<text class="small" text-anchor="middle" x="{x:.1f}" y="{_TOP - 6}">{said}</text>'
