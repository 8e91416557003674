"""Registers for a malicious night: orders, units and tags whose edges fall where rules turn."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from firmware_sim.auditor.instants import earlier, format_utc, later, parse_utc, zone
from firmware_sim.auditor.windows import windows_of_order

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACES = (
    ("UTC", "2026-03-24"), ("Europe/London", "2026-03-29"), ("Europe/London", "2026-10-25"),
    ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"), ("Pacific/Apia", "2011-12-30"), ("America/Havana", "2026-03-08"),
    ("America/Havana", "2026-11-01"), ("Asia/Kolkata", "2026-03-24"),
)  # fmt: skip
HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Plan:
    """A register, the time in which something happens, and the instants near which it is worth happening."""

    register: dict[str, Any]
    first_ms: int
    last_ms: int
    edges_ms: list[int]
    tags: list[str]
    later_absences: list[dict[str, Any]]
    """Absences that come as instructions."""


def plan(chance: random.Random) -> Plan:
    """A register out of chance."""
    place, day = chance.choice(PLACES)
    made = _Making(chance, place, datetime.fromisoformat(day))
    return made.plan()


class _Making:
    def __init__(self, chance: random.Random, place: str, day: datetime) -> None:
        self.chance, self.place, self.day = chance, place, day
        before, after = chance.choice(((14, 40), (14, 40), (14, 40), (14, 40), (100, 120)))  # hours
        self.first_ms = earlier(day - timedelta(hours=before), zone(place))
        self.last_ms = later(day + timedelta(hours=after), zone(place))
        self.later_absences: list[dict[str, Any]] = []

    def plan(self) -> Plan:
        orders = [self._order("O-1", "W-1", self.place)]
        if self.chance.random() < 0.2:
            orders.append(self._order("O-2", "W-1", self.chance.choice(("UTC", "America/New_York", self.place))))
        if self.chance.random() < 0.4:
            orders.append(self._order("O-3", "W-2", self.place))
        edges = {edge for o in orders for w in windows_of_order(o, self.last_ms) for edge in (w.start, w.end)}
        installations, fittings = self._installations(edges), self._fittings(edges)
        for lasting in (*installations, *fittings):
            edges |= {parse_utc(v) for k, v in lasting.items() if k.endswith("_at") and v is not None}
        register = {
            "version": 1,
            "wearers": [{"wearer_id": "W-1"}, {"wearer_id": "W-2"}],
            "orders": orders, "installations": installations, "fittings": fittings,
        }  # fmt: skip
        inside = sorted(e for e in edges if self.first_ms <= e <= self.last_ms) or [self.first_ms]
        tags = sorted({f["tag"] for f in fittings}) + (["T-9"] if self.chance.random() < 0.1 else [])
        return Plan(register, self.first_ms, self.last_ms, inside, tags, self.later_absences)

    def _order(self, name: str, wearer: str, place: str) -> dict[str, Any]:
        chance = self.chance
        starts_ms = self.first_ms + chance.choice((-72, -72, 0, 3, 13)) * HOUR
        ends_ms = max(starts_ms + HOUR, self.last_ms + chance.choice((96, 96, 0, -9, -20)) * HOUR)
        order: dict[str, Any] = {
            "order_id": name, "wearer_id": wearer, "kind": "community_order", "timezone": place,
            "starts_at": format_utc(starts_ms), "ends_at": format_utc(ends_ms),
            "curfew": self._curfew(),
        }  # fmt: skip
        allowance = chance.choice((None, 0, 1, 5, 5, 10, 30, 120))
        if allowance is not None:
            order["atv_allowance_min"] = allowance
        if chance.random() < 0.3:
            order["first_night"] = self._local(chance.choice((1, 3, 8, 14)))
        if chance.random() < 0.3:
            edges = sorted(self.first_ms + chance.randrange(14, 50) * HOUR for _ in range(chance.choice((1, 1, 2))))
            order["variations"] = [{"effective_at": format_utc(edge), "curfew": self._curfew()} for edge in set(edges)]
        if chance.random() < 0.25:
            spans = [self._local(h) for h in chance.choices((0.25, 1, 6), k=chance.choice((1, 2)))]
            order["suspensions"] = [span | {"reason": "hospital"} for span in spans]
        absences = [self._absence() for _ in range(chance.choice((0, 0, 0, 1, 2)))]
        if absences:
            order["authorised_absences"] = absences
        if chance.random() < 0.25:
            self.later_absences.append(self._absence() | {"order_id": name})
        return order

    def _absence(self) -> dict[str, Any]:
        span = self._local(self.chance.choice((0.0833334, 0.25, 1, 3)))
        return span | {"reason": "medical", "approved_by": "A. Clerk", "evidence": "letter"}

    def _local(self, hours: float) -> dict[str, str]:
        """A stretch of local time that starts on a quarter of an hour, often on the day of the clock change."""
        start = self.day + timedelta(minutes=15 * self.chance.randrange(-50, 130))
        if self.chance.random() < 0.4:
            start = self.day + timedelta(minutes=15 * self.chance.randrange(0, 14))
        until = start + timedelta(minutes=round(hours * 60))
        return {"from": start.isoformat(timespec="minutes"), "until": until.isoformat(timespec="minutes")}

    def _curfew(self) -> list[dict[str, Any]]:
        """Windows of a whole week that do not overlap, at one address or at two."""
        style = self.chance.choice(("nightly", "short", "wild", "touching", "edges"))
        spans: list[tuple[int, int]] = []
        for day in range(7):
            spans += [(day * 1440 + start, day * 1440 + end) for start, end in self._day(style)]
        kept: list[tuple[int, int]] = []
        for start, end in spans:
            if (not kept or start >= kept[-1][1]) and end <= spans[0][0] + 10080:
                kept.append((start, end))
        places = ("A-1", "A-2") if self.chance.random() < 0.25 else ("A-1",)
        curfew: dict[str, list[dict[str, str]]] = {}
        for start, end in kept:
            curfew.setdefault(self.chance.choice(places), []).append(_weekly(start, end))
        return [{"address_id": address, "windows": windows} for address, windows in curfew.items()]

    def _day(self, style: str) -> list[tuple[int, int]]:
        """Start and end in minutes of the day of the windows that start on one day."""
        pick = self.chance.choice
        if style == "nightly":
            return [(19 * 60, 31 * 60)]
        if style == "short":
            return [(pick((60, 90, 120)), pick((150, 180))), (600, 610), (pick((1200, 1260)), pick((1440, 1500)))]
        if style == "touching":
            edges = sorted(self.chance.sample(range(0, 1441, 15), 4))
            return list(zip(edges, edges[1:], strict=False))
        if style == "edges":
            return [
                (pick((0, 15)), pick((60, 90, 120))),
                (pick((120, 135, 150)), pick((165, 180))),
                (1380, pick((1440, 1530))),
            ]
        edges = sorted(self.chance.sample(range(0, 1441, 15), 2))
        return [(edges[0], edges[1])]

    def _installations(self, edges: set[int]) -> list[dict[str, Any]]:
        made = []
        for unit in ("BU-0001", "BU-0002", "BU-0003")[: self.chance.choice((1, 1, 1, 2, 3))]:
            where = self.chance.choice(("A-1", "A-1", "A-1", "A-2"))
            if unit == "BU-0001":
                where = "A-1"
            start, move, end = self._times(edges)
            made.append(_lasting("installed_at", start, move or end, unit=unit, address_id=where))
            if move is not None:
                other = self.chance.choice(("A-1", "A-2"))
                made.append(_lasting("installed_at", move, end, unit=unit, address_id=other))
        return made

    def _fittings(self, edges: set[int]) -> list[dict[str, Any]]:
        start, move, end = self._times(edges)
        made = [_lasting("fitted_at", start, move or end, tag="T-1", wearer_id="W-1")]
        if move is not None:
            tag, wearer = self.chance.choice((("T-2", "W-1"), ("T-1", "W-1"), ("T-1", "W-2")))
            made.append(_lasting("fitted_at", move, end, tag=tag, wearer_id=wearer))
        if self.chance.random() < 0.3:
            made.append(_lasting("fitted_at", start, None, tag="T-3", wearer_id="W-2"))
        if self.chance.random() < 0.1:
            made.append(_lasting("fitted_at", start, None, tag="T-4", wearer_id="W-1"))
        return made

    def _times(self, edges: set[int]) -> tuple[int, int | None, int | None]:
        """A beginning, perhaps a change and perhaps an end, in order."""
        known = sorted(e for e in edges if self.first_ms + HOUR < e < self.last_ms)
        start = self.first_ms - 24 * HOUR
        if self.chance.random() < 0.7 or len(known) < 3:
            return start, None, None
        low, high = sorted(self.chance.sample(known, 2))
        nudge = self.chance.choice((0, 0, 60_000, -1))
        kind = self.chance.random()
        if kind < 0.4:
            return start, low + nudge, None
        if kind < 0.6:
            return start, low + nudge, high + 60_000
        return (low + nudge, None, None) if kind < 0.8 else (start, None, high + nudge)


def _weekly(start: int, end: int) -> dict[str, str]:
    return {
        "from_day": DAYS[start // 1440 % 7], "from_time": f"{start // 60 % 24:02}:{start % 60:02}",
        "until_day": DAYS[end // 1440 % 7], "until_time": f"{end // 60 % 24:02}:{end % 60:02}",
    }  # fmt: skip


def _lasting(name: str, start: int, end: int | None, **fields: Any) -> dict[str, Any]:
    return {**fields, name: format_utc(start), "removed_at": None if end is None else format_utc(end)}
