"""The last nights at a glance: one thin row each over the same local hours, as SVG and in words.

1. A row is a local day on which windows begin; it starts an hour before the earliest window of all rows and ends an
   hour after the latest, both by the clock on the wall, so that rows can be compared.
2. On a clock-change night the hours after the change stand an hour off the scale, and the row says so.
3. What is folded is drawn as not read: only what was found of it is told. Nothing is guessed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.timeline import Stretch
from emcheck.domain.windows import Window, resolve
from emcheck.present.timeline_svg import ABSENT, PATTERNS, PRESENT, SAID, UNKNOWN, span_words, states
from emcheck.present.times import duration, local_date, offset_ms, short_day

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 1000, 150, 210, 24, 26
_PLOT = _WIDTH - _LEFT - _RIGHT
_NARROW = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """The windows that begin on one local day at one address. `known` is None where the night is folded."""

    day: date
    address_id: str
    zone: str
    windows: Sequence[Window]
    known: Sequence[Stretch] | None
    absences: Sequence[Finding]
    excused: Sequence[Span]
    alerts: int
    now: Ms

    @property
    def midnight(self) -> Ms:
        """Where the local day begins."""
        return resolve(f"{self.day.isoformat()}T00:00", self.zone, "earlier")

    @property
    def clocks_change(self) -> bool:
        """Whether the clocks change in it."""
        return offset_ms(self.midnight, self.zone) != offset_ms(self.windows[-1].end, self.zone)

    def spent(self) -> dict[str, Ms]:
        """How long of its windows, up to now, the wearer was at home, not heard or unknown; nothing where folded."""
        found = {PRESENT: 0, ABSENT: 0, UNKNOWN: 0}
        for window in self.windows if self.known is not None else ():
            for start, end, state in states(self.known or (), window.start, min(window.end, self.now)):
                found[state] += end - start
        return found

    @property
    def absent_ms(self) -> Ms:
        """Unexcused absence that was found in it."""
        return sum(finding.absent_ms or 0 for finding in self.absences)


def nights_of(
    found: Iterable[Window], known: dict[str, Sequence[Stretch] | None], *, zone: str, settled: Ms,
    absences: Iterable[Finding], excused: Sequence[Span], raised: Iterable[Ms], now: Ms,
) -> list[Night]:  # fmt: skip
    """Windows by the local day they begin on and by address, the newest first; before `settled` a night is folded."""
    rows: dict[tuple[date, str], list[Window]] = {}
    for window in found:
        rows.setdefault((local_date(window.start, zone), window.address_id), []).append(window)
    absences, raised = list(absences), list(raised)
    nights = []
    for (day, address), windows in sorted(rows.items(), reverse=True):
        spans = {Span(window.start, window.end) for window in windows}
        whole = known.get(address) if windows[0].start >= settled else None
        nights.append(
            Night(
                day=day, address_id=address, zone=zone, windows=sorted(windows), known=whole, now=now,
                absences=[finding for finding in absences if finding.window in spans], excused=excused,
                alerts=sum(any(w.start <= at < w.end for w in windows) for at in raised),
            )
        )  # fmt: skip
    return nights


def night_words(night: Night) -> str:
    """One night for who cannot see it: its windows, how long what was, each absence, and how many alerts."""
    windows = ", ".join(span_words(window.start, window.end, night.zone) for window in night.windows)
    said = [f"{_day(night)}, curfew {windows}"]
    if night.known is None:
        said.append("not read from the record")
    else:
        said += [f"{SAID[state]} {duration(spent)}" for state, spent in night.spent().items() if spent >= 1000]
    for finding in night.absences:
        end = night.now if finding.end is None else finding.end
        excused = f", {duration(finding.excluded_ms)} of it authorised" if finding.excluded_ms else ""
        said.append(f"absence {span_words(finding.start, end, night.zone)}{excused}")
    if night.alerts:
        said.append(f"{night.alerts} alert{'' if night.alerts == 1 else 's'}")
    if night.clocks_change:
        said.append("the clocks change in it")
    return "; ".join(said) + "."


def _day(night: Night) -> str:
    return short_day(night.midnight + DAY // 2, night.zone)


def draw_nights(nights: Sequence[Night], title: str, *, number: int = 1) -> str:
    """The rows over one scale; `number` tells drawings of one page apart, of which the first has the patterns."""
    low, high = _scale(nights)
    height = _TOP + _ROW * len(nights) + 40
    rows = list(_hours(low, high, _TOP + _ROW * len(nights)))
    for place, night in enumerate(nights):
        rows += _row(night, low, high, _TOP + _ROW * place)
    name = f"em-nights-{number}"
    spoken = escape(" ".join(map(night_words, nights)))
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" class="em" viewBox="0 0 {_WIDTH} {height}" role="img"'
    return "\n".join(
        [
            f'{opening} aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-desc">{spoken}</desc>{PATTERNS if number == 1 else ""}',
            f'<rect width="{_WIDTH}" height="{height}" fill="var(--paper,#fff)"/>', *rows,
            *_key(height - 22), "</svg>\n",
        ]
    )  # fmt: skip


def _scale(nights: Sequence[Night]) -> tuple[Ms, Ms]:
    """From when to when after local midnight every row goes (1)."""
    low = min(night.windows[0].start - night.midnight for night in nights) - HOUR
    high = max(night.windows[-1].end - night.midnight for night in nights) + HOUR
    return low // HOUR * HOUR, -(-high // HOUR) * HOUR


def _hours(low: Ms, high: Ms, bottom: int) -> Iterator[str]:
    every = next(n for n in (1, 2, 3, 6, 12, 24) if n * HOUR / (high - low) * _PLOT >= 34)
    for at in range(low, high + 1, HOUR):
        x = _LEFT + (at - low) / (high - low) * _PLOT
        yield f'<path class="grid" d="M{x:.1f} {_TOP - 4}V{bottom}"/>'
        if at // HOUR % every == 0:
            said = f"{at // HOUR % 24:02}:00"
            yield f'<text class="small" text-anchor="middle" x="{x:.1f}" y="{_TOP - 10}">{said}</text>'


def _row(night: Night, low: Ms, high: Ms, y: int) -> Iterator[str]:
    zero, first, last = night.midnight, night.midnight + low, night.midnight + high

    def bar(kind: str, start: Ms, end: Ms, text: str, top: int, height: int) -> str:
        start, end = max(start, first), min(end, last)
        x = _LEFT + (start - zero - low) / (high - low) * _PLOT
        width = max(_NARROW, (end - start) / (high - low) * _PLOT)
        shape = f'<rect class="{kind}" x="{x:.1f}" y="{y + top}" width="{width:.1f}" height="{height}">'
        return f"{shape}<title>{escape(text)}</title></rect>"

    place = f" {night.address_id}" if len(night.address_id) < 8 else ""
    yield f'<text x="10" y="{y + 16}">{escape(_day(night) + place)}</text>'
    for window in night.windows:
        said = f"curfew {span_words(window.start, window.end, night.zone)}"
        yield bar("curfew", window.start, window.end, said, 2, 3)
    if night.known is not None:
        for start, end, state in states(night.known, first, min(last, night.now)):
            yield bar(state, start, end, f"{SAID[state]} {span_words(start, end, night.zone)}", 7, 12)
        for span in night.excused:
            if span.start < last and first < span.end:
                yield bar("excused", *span, f"authorised {span_words(*span, night.zone)}", 6, 14)
    else:
        for window in night.windows:
            yield bar("unread", window.start, window.end, "not read from the record", 7, 12)
        for finding in night.absences:
            end = night.now if finding.end is None else finding.end
            yield bar(ABSENT, finding.start, end, f"absence {span_words(finding.start, end, night.zone)}", 7, 12)
    if first <= night.now < last:
        x = _LEFT + (night.now - zero - low) / (high - low) * _PLOT
        yield f'<path class="now" d="M{x:.1f} {y}v{_ROW - 2}"><title>now</title></path>'
    yield f'<text class="small" x="{_LEFT + _PLOT + 12}" y="{y + 16}">{escape(_sum(night))}</text>'


def _sum(night: Night) -> str:
    """What stands beside a row: what of the allowance it took, and how many alerts."""
    said = [duration(night.absent_ms) + " absent"] if night.absent_ms else []
    unknown = night.spent()[UNKNOWN]
    said += [duration(unknown // 60_000 * 60_000) + " unknown"] if unknown >= 60_000 and len(said) == 0 else []
    said += [f"{night.alerts} alert{'' if night.alerts == 1 else 's'}"] if night.alerts else []
    said += ["clocks change"] if night.clocks_change else []
    return ", ".join(said) or ("" if night.known is not None else "not read")


def _key(y: int) -> Iterator[str]:
    x = _LEFT
    for kind, said in (
        (PRESENT, "at home"), (ABSENT, "not heard"), (UNKNOWN, "unknown"), ("curfew", "curfew"),
        ("excused", "authorised"), ("unread", "not read"),
    ):  # fmt: skip
        yield f'<rect class="{kind}" x="{x}" y="{y}" width="18" height="12"/>'
        yield f'<text class="small" x="{x + 25}" y="{y + 11}">{said}</text>'
        x += 48 + 8 * len(said)
