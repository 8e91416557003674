"""The timeline as SVG, for page and paper: curfew, presence, what else was told, a night a row, over its local hours.

The same as `drawing` draws as text. Present is solid, absent open, unknown hatched, an authorised absence has a dotted
outline, now is a line: patterns tell, colour (Okabe and Ito's palette, which the three colour blindnesses tell apart)
only helps. Every bar says what it is when pointed at; `<desc>` and `told` say all of it in words. A page may set
`--ink`, `--paper` and `--faint`; without them it is black on white.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from emcheck.domain.alerts import Alert
from emcheck.domain.called import called, code
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms
from emcheck.domain.instants import HOUR, MINUTE
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window
from emcheck.present.times import clock, day, duration, hour, local_minutes

PRESENT, ABSENT, UNKNOWN = "present", "absent", "unknown"
SAID = {PRESENT: "at home", ABSENT: "not heard at home", UNKNOWN: "unknown"}
"""What is known of a time, in words."""
_WIDTH, _LEFT, _RIGHT, _LANE = 1000, 130, 18, 26
_PLOT = _WIDTH - _LEFT - _RIGHT
_NOTE, _LETTER = 14, 6.6
"""The height of a line of small print, and the width of a letter in it."""
_NARROW = 1.5
"""No bar is thinner: one second of absence is seen too."""
_TOLD_MAX = 60
STYLE = (
    ".em text{font:14px system-ui,sans-serif;fill:var(--ink,#111);font-variant-numeric:tabular-nums}"
    ".em .small{font-size:12px}.em .head{font-size:16px;font-weight:600}"
    ".em .note{font-size:12px;paint-order:stroke;stroke:var(--paper,#fff);stroke-width:4px}"
    ".em .over{stroke:none}.em .plate{fill:var(--paper,#fff)}"
    ".em .grid{stroke:var(--faint,#ccc);stroke-width:1}.em .now{stroke:var(--ink,#111);stroke-width:2}"
    ".em .curfew{fill:var(--ink,#111)}.em .present{fill:#0072b2}"
    ".em .absent{fill:var(--paper,#fff);stroke:#d55e00;stroke-width:2}"
    ".em .unknown{fill:url(#em-hatch);stroke:var(--faint,#bbb)}"
    ".em .excused{fill:none;stroke:#009e73;stroke-width:2;stroke-dasharray:2 3}"
    ".em .unread{fill:none;stroke:var(--faint,#bbb);stroke-dasharray:6 4}"
    ".em .bar{fill:url(#em-dots);stroke:var(--ink,#111)}.em .mark{fill:#d55e00;stroke:var(--ink,#111)}"
)
"""What the drawing looks like; a page whose policy forbids styles inside it serves this beside."""
PATTERNS = (
    '<defs><pattern id="em-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="7" height="7" fill="var(--paper,#fff)"/><rect width="2.2" height="7" fill="#888"/></pattern>'
    '<pattern id="em-dots" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="var(--paper,#fff)"/><circle cx="3" cy="3" r="1.5" fill="#e69f00"/></pattern>'
    "</defs>"
)
"""The patterns that bars are filled with; they stand in each drawing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Something that lasted: a cut strap, a unit without mains. `end` is None while it lasts; `code` is cited."""

    lane: str
    start: Ms
    end: Ms | None
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An instant worth pointing at: an alert raised, an operator's act."""

    at: Ms
    text: str
    code: str = ""


LANES = {
    "tag": "tag", "body": "tag on the limb", "unit": "base unit", "rf": "radio", "fitting": "fitting",
    "monitoring": "equipment", "evidence": "messages", "service": "this service",
}  # fmt: skip
"""What the lane of a rule is called, by how the rule's code begins."""


def bar_of(finding: Finding) -> Bar:
    """A finding beside presence, under what people call it."""
    rule, class_ = finding.rule, finding.class_
    begins = rule.split(".")[0]
    return Bar(
        lane=LANES.get(begins, begins), start=finding.start, end=finding.end, text=called(rule, class_),
        code=code(rule, class_),
    )  # fmt: skip


def mark_of(alert: Alert, at: Ms) -> Mark:
    """An alert's raise."""
    what = called(alert.rule, alert.class_, ended=alert.ended_at is not None)
    return Mark(at=at, text=f"{alert.priority} raised: {what}", code=code(alert.rule, alert.class_))


def _cited(text: str, code: str) -> str:
    """What is said when it is pointed at, with its code."""
    return f"{text} ({code})" if code else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One wearer at one address, in the order's zone; `until` is how far anything is known to count."""

    title: str
    zone: str
    windows: Sequence[Window]
    known: Sequence[Stretch]
    until: Ms
    now: Ms
    excused: Sequence[Span] = ()
    bars: Sequence[Bar] = ()
    marks: Sequence[Mark] = field(default=())


def told(it: Timeline) -> list[str]:
    """The drawing for who cannot see it: each window, and each stretch, bar and mark in it, in order."""
    found: list[str] = []
    for low, high, window in _nights(it):
        found.append(f"Curfew {day(window.start, it.zone)} {span_words(window.start, window.end, it.zone)}")
        said = [
            (start, f"{SAID[state]} {span_words(start, end, it.zone)}") for start, end, state in _states(it, low, high)
        ]
        said += [
            (span.start, f"authorised {span_words(span.start, span.end, it.zone)}")
            for span in _in(it.excused, low, high)
        ]
        said += [(bar.start, f"{bar.lane}: {bar.text}") for bar in it.bars if _touches(bar, low, high)]
        said += [(mark.at, f"{clock(mark.at, it.zone)}: {mark.text}") for mark in it.marks if low <= mark.at < high]
        found += [text for _, text in sorted(said, key=lambda each: each[0])]
    if len(found) > _TOLD_MAX:
        return [*found[: _TOLD_MAX - 1], f"and {len(found) - _TOLD_MAX + 1} more"]
    return found


def draw_svg(timelines: Sequence[Timeline], *, styled: bool = True, patterns: bool = True) -> str:
    """The whole file: one wearer's addresses, one under the other; `styled` where it stands alone.

    `patterns` are left out where another drawing of the same page has them.
    """
    style = f"<style>{STYLE}</style>" if styled else ""
    rows, y = [], 0
    for it in timelines:
        rows.append(f'<text class="head" x="{_RIGHT}" y="{y + 24}">{escape(it.title)} ({escape(it.zone)})</text>')
        y += 44
        for low, high, window in _nights(it):
            night = _Night(it, low, high, window, y)
            rows += night.drawn()
            y = night.bottom + 22
    height = y + 38
    title = escape(", ".join(it.title for it in timelines))
    spoken = escape(". ".join(said for it in timelines for said in told(it)))
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" class="em" viewBox="0 0 {_WIDTH} {height}" role="img"'
    return "\n".join(
        [
            f'{opening} aria-labelledby="em-title em-desc"><title id="em-title">{title}</title>',
            f'<desc id="em-desc">{spoken}</desc>{PATTERNS if patterns else ""}{style}',
            f'<rect width="{_WIDTH}" height="{height}" fill="var(--paper,#fff)"/>',
            *rows,
            *_key(timelines, y + 8),
            "</svg>\n",
        ]
    )


def _nights(it: Timeline) -> Iterator[tuple[Ms, Ms, Window]]:
    """Each window with an hour on either side."""
    for window in it.windows:
        yield window.start - HOUR, window.end + HOUR, window


def _states(it: Timeline, low: Ms, high: Ms) -> Iterator[tuple[Ms, Ms, str]]:
    """The time from `low` to `high`, as far as it counts."""
    return states(it.known, low, min(high, it.until))


def states(known: Iterable[Stretch], low: Ms, high: Ms) -> Iterator[tuple[Ms, Ms, str]]:
    """The time from `low` to `high` without a gap: start, end and what is known of it."""
    at = low
    for stretch in known:
        start, end = max(stretch.start, at), min(stretch.end, high)
        if start < end:
            if at < start:
                yield at, start, UNKNOWN
            yield start, end, PRESENT if stretch.present else ABSENT
            at = end
    if at < high:
        yield at, high, UNKNOWN


def _in(spans: Iterable[Span], low: Ms, high: Ms) -> Iterator[Span]:
    for span in spans:
        if span.start < high and low < span.end:
            yield Span(max(span.start, low), min(span.end, high))


def _touches(bar: Bar, low: Ms, high: Ms) -> bool:
    return bar.start < high and (bar.end is None or low < bar.end)


def span_words(start: Ms, end: Ms, zone: str) -> str:
    """`19:00 to 19:19, 19 min`; with seconds where they decide."""
    fine = any(at % MINUTE for at in (start, end))
    first, last = (clock(at, zone)[11:] if fine else hour(at, zone) for at in (start, end))
    return f"{first} to {last}, {duration(end - start) or 'under 1 s'}"


class _Night:
    """One row: the hours, a lane for the curfew, one for presence, one for each kind of thing told, and the marks."""

    def __init__(self, it: Timeline, low: Ms, high: Ms, window: Window, top: int) -> None:
        self._it, self._low, self._high, self._window, self._top = it, low, high, window, top
        self._bars = [bar for bar in it.bars if _touches(bar, low, high)]
        self._lanes = list(dict.fromkeys(bar.lane for bar in self._bars))
        self._absent = [s for s in _states(it, low, high) if s[2] == ABSENT]
        self._first = top + 26
        self.bottom = self._y(2 + len(self._lanes))

    def drawn(self) -> Iterator[str]:
        it, zone = self._it, self._it.zone
        yield f'<text x="{_RIGHT}" y="{self._top + 12}">{escape(day(self._window.start, zone)[:10])}</text>'
        yield from self._hours()
        yield from self._lane("curfew", 0)
        said = f"curfew {span_words(self._window.start, self._window.end, zone)}"
        yield self._bar("curfew", 0, self._window.start, self._window.end, said, inset=9)
        yield from self._lane("at home", 1)
        for start, end, state in _states(it, self._low, self._high):
            yield self._bar(state, 1, start, end, f"{SAID[state]} {span_words(start, end, zone)}")
        yield from self._notes([(start, duration(end - start) or "under 1 s") for start, end, _ in self._absent], 1)
        for span in _in(it.excused, self._low, self._high):
            yield self._bar("excused", 1, *span, f"authorised {span_words(*span, zone)}", inset=1)
        for number, lane in enumerate(self._lanes, start=2):
            yield from self._lane(lane, number)
            for bar in self._bars:
                if bar.lane == lane:
                    end = min(self._high, max(it.until, bar.start) if bar.end is None else bar.end)
                    yield self._bar("bar", number, max(bar.start, self._low), end, _cited(bar.text, bar.code), inset=7)
            named = [(self._noted_at(bar), bar.text) for bar in self._bars if bar.lane == lane]
            yield from self._notes(named, number, over=True)
        yield from self._marks()

    def _noted_at(self, bar: Bar) -> Ms:
        """Where a bar's name begins: in it where it is long enough, else after it, or before it at the right edge."""
        start, end = max(bar.start, self._low), min(self._high, self._it.until if bar.end is None else bar.end)
        wide = _LETTER * len(bar.text) + 10
        if self._x(end) - self._x(start) >= wide:
            return start
        before = start - round(wide / _PLOT * (self._high - self._low))
        return before if self._x(end) + wide > _WIDTH - _RIGHT and before > self._low else max(start, end)

    def _y(self, number: int) -> int:
        """Where a lane begins; what absences are called stands under the second."""
        return self._first + _LANE * number + (_NOTE if number > 1 and self._absent else 0)

    def _x(self, at: Ms) -> float:
        return _LEFT + (at - self._low) / (self._high - self._low) * _PLOT

    def _hours(self) -> Iterator[str]:
        """Every local full hour, as often as there is room: a clock-change night has one more or one less."""
        every = next(n for n in (1, 2, 3, 6, 12, 24) if n * HOUR / (self._high - self._low) * _PLOT >= 52)
        shown = -100.0
        for at in range(-(-self._low // (15 * MINUTE)) * 15 * MINUTE, self._high + 1, 15 * MINUTE):
            minutes = round(local_minutes(at, self._it.zone))
            if minutes % 60 or (x := self._x(at)) - shown < 26:
                continue
            yield f'<path class="grid" d="M{x:.1f} {self._top + 18}V{self.bottom}"/>'
            if minutes // 60 % every == 0:
                shown = x
                said = f"{minutes // 60:02}:00"
                yield f'<text class="small" text-anchor="middle" x="{x:.1f}" y="{self._top + 12}">{said}</text>'

    def _lane(self, name: str, number: int) -> Iterator[str]:
        yield f'<text x="{_LEFT - 10}" y="{self._y(number) + 18}" text-anchor="end">{escape(name)}</text>'

    def _bar(self, kind: str, number: int, start: Ms, end: Ms, text: str, *, inset: int = 4) -> str:
        x, width = self._x(start), max(_NARROW, self._x(end) - self._x(start))
        y, height = self._y(number) + inset, _LANE - 2 * inset
        shape = f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}">'
        return f"{shape}<title>{escape(text)}</title></rect>"

    def _notes(self, said: Sequence[tuple[Ms, str]], number: int, *, over: bool = False) -> Iterator[str]:
        """What bars are called, under them or over their beginning, where there is room for it."""
        free = 0.0
        for at, text in said:
            x = self._x(max(at, self._low)) + (5 if over else 0)
            x = min(x, _WIDTH - _RIGHT - _LETTER * len(text))
            if x >= free:
                y = self._y(number) + (17 if over else _LANE + 9)
                if over:  # a box of paper inside the bar, whose border stays whole
                    width = _LETTER * len(text) + 6
                    yield f'<rect class="plate" x="{x - 3:.1f}" y="{y - 9}" width="{width:.1f}" height="10"/>'
                kind = "note over" if over else "note"
                yield f'<text class="{kind}" x="{x:.1f}" y="{y}">{escape(text)}</text>'
                free = x + _LETTER * (len(text) + 2)

    def _marks(self) -> Iterator[str]:
        for mark in self._it.marks:
            if self._low <= mark.at < self._high:
                x, y = self._x(mark.at), self._y(1) + 2
                said = escape(f"{clock(mark.at, self._it.zone)}: {_cited(mark.text, mark.code)}")
                yield f'<path class="mark" d="M{x:.1f} {y}l-6 -10h12z"><title>{said}</title></path>'
        if self._low <= self._it.now < self._high:
            x = self._x(self._it.now)
            said = f"now, {clock(self._it.now, self._it.zone)}"
            yield f'<path class="now" d="M{x:.1f} {self._top + 18}V{self.bottom + 4}"><title>{said}</title></path>'
            yield f'<text class="small" text-anchor="middle" x="{x:.1f}" y="{self.bottom + 17}">now</text>'


def _key(timelines: Sequence[Timeline], y: int) -> Iterator[str]:
    """What the patterns mean; only those that may be there."""
    signs = [(PRESENT, "at home"), (ABSENT, "not heard"), (UNKNOWN, "unknown"), ("curfew", "curfew")]
    signs += [("excused", "authorised")] if any(it.excused for it in timelines) else []
    signs += [("bar", "what else was told")] if any(it.bars for it in timelines) else []
    signs += [("mark", "alert raised")] if any(it.marks for it in timelines) else []
    x = _LEFT
    for kind, said in signs:
        shape = f'<path class="mark" d="M{x + 9} {y + 11}l-6 -10h12z"/>'
        yield shape if kind == "mark" else f'<rect class="{kind}" x="{x}" y="{y}" width="18" height="12"/>'
        yield f'<text class="small" x="{x + 25}" y="{y + 11}">{said}</text>'
        x += 48 + 8 * len(said)
