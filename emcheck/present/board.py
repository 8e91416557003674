"""The board in words: what each place is called, and how many are where, which shows that nobody is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emcheck.domain.called import called
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms
from emcheck.domain.whereabouts import Standing, Whereabouts
from emcheck.present.times import clock

WORDS: Mapping[Whereabouts, str] = {
    Whereabouts.OUT_IN_CURFEW: "out in curfew",
    Whereabouts.NOT_JUDGED: "cannot be judged",
    Whereabouts.UNKNOWN: "unknown",
    Whereabouts.OUT_ALLOWED: "out, allowed",
    Whereabouts.HOME: "at home",
    Whereabouts.NOT_MONITORED: "not monitored",
}
SIGNS: Mapping[Whereabouts, str] = {
    Whereabouts.OUT_IN_CURFEW: "▲",
    Whereabouts.NOT_JUDGED: "✖",
    Whereabouts.UNKNOWN: "?",
    Whereabouts.OUT_ALLOWED: "□",
    Whereabouts.HOME: "■",
    Whereabouts.NOT_MONITORED: "–",
}
"""A place is told by its sign and its words, never by colour alone."""
MEANS: Mapping[Whereabouts, str] = {
    Whereabouts.OUT_IN_CURFEW: "a curfew window is open and no tag is heard where it stands",
    Whereabouts.NOT_JUDGED: "a rule failed on what units told: nothing is said until it is mended",
    Whereabouts.UNKNOWN: "no unit vouches for where the wearer is",
    Whereabouts.OUT_ALLOWED: "not heard at home, and no window is open, or leave is granted",
    Whereabouts.HOME: "a tag is heard where the order wants it; one that is said to be off its wearer is named so",
    Whereabouts.NOT_MONITORED: "no order is in force, or no tag is fitted, or no base unit stands there",
}
TAG_AT_HOME = "tag at home"
OUT = "out"
NO_DISTRICT = "no district named"

Counts = Mapping[tuple[Whereabouts, str], int]
"""How many are where, by site."""


def told_words(it: Standing, off: Finding | None) -> str:
    """A wearer's place: what is at home where `off` stands is the tag; that being out is allowed has no date."""
    if it.whereabouts is Whereabouts.HOME and off is not None:
        return TAG_AT_HOME
    return OUT if it.whereabouts is Whereabouts.OUT_ALLOWED else WORDS[it.whereabouts]


def why_words(it: Standing, off: Finding | None, *, leave_until: Ms | None, curfew_ended: Ms | None, zone: str) -> str:
    """What stands beside it: why, what says that the tag is off its wearer, and why nobody need be at home."""
    said = [it.why] if it.why else []
    if off is not None:
        said.append(f"{called(off.rule, off.class_)} since {clock(off.start, zone)}")
    if it.whereabouts is Whereabouts.OUT_ALLOWED and leave_until is not None:
        said.append(f"leave until {clock(leave_until, zone)[:16]}")
    elif it.whereabouts is Whereabouts.OUT_ALLOWED:
        ended = "" if curfew_ended is None else f" (it ended {clock(curfew_ended, zone)[:16]})"
        said.append(f"no curfew now{ended}")
    return "; ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site, or what `site` is None for: all others together, or everybody."""

    name: str
    site: str | None
    counts: Mapping[Whereabouts, int]

    @property
    def wearers(self) -> int:
        """All of it."""
        return sum(self.counts.values())


def everybody(counts: Counts) -> SiteRow:
    """All sites together."""
    return _together("all sites", _sites(counts).values())


def by_site(counts: Counts, *, most: int) -> list[SiteRow]:
    """The sites, those with most out in curfew first; of more than `most` the rest in one row, so that sums hold."""
    rows = [SiteRow(name=site or NO_DISTRICT, site=site, counts=found) for site, found in _sites(counts).items()]
    rows.sort(key=lambda row: ([-row.counts[kind] for kind in _GRAVE], row.name))
    if len(rows) <= most:
        return rows
    others = rows[most - 1 :]
    return [*rows[: most - 1], _together(f"{len(others)} other sites", [row.counts for row in others])]


_GRAVE = (Whereabouts.OUT_IN_CURFEW, Whereabouts.NOT_JUDGED, Whereabouts.UNKNOWN)


def _sites(counts: Counts) -> dict[str, dict[Whereabouts, int]]:
    found: dict[str, dict[Whereabouts, int]] = {}
    for (kind, site), number in counts.items():
        found.setdefault(site, dict.fromkeys(Whereabouts, 0))[kind] += number
    return found


def _together(name: str, sites: Iterable[Mapping[Whereabouts, int]]) -> SiteRow:
    added = dict.fromkeys(Whereabouts, 0)
    for found in sites:
        for kind, number in found.items():
            added[kind] += number
    return SiteRow(name=name, site=None, counts=added)


def reconciled(counts: Counts, wearers: int) -> tuple[bool, str]:
    """Whether the counts add up to the register, and that in words."""
    row = everybody(counts)
    parts = " + ".join(f"{row.counts[kind]:,} {WORDS[kind]}" for kind in Whereabouts if row.counts[kind])
    added = f"{parts or 'nobody'} = {row.wearers:,}"
    if row.wearers == wearers:
        return True, f"{added}: every wearer of the register, each in one place."
    return False, f"{added}, but the register has {wearers:,} wearers. Tell operations: somebody is missing here."
