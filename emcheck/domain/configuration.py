"""What a base unit is told to do (protocol.md, Configuration): a function of register, policy and now.

1. A unit that is installed nowhere now is told nothing.
2. `tags`: fittings that hold now, of wearers with an order at the unit's address: its curfew or a variation
   names the address, it has not ended, and it begins before the schedule ends. So a tag is listened for from its
   fitting on, not from the first window.
3. `schedule`: the curfew windows of those tags at the address, as instants, `{"from", "until", "tags"}` by time;
   whole, as `windows` resolves them (variations, suspensions, first night, clock changes): a unit needs no
   time-zone rules, and what it holds is what wearers are judged by. Equal windows stand once.
4. It holds the windows that touch the present week or the next; weeks begin on Wednesday at noon UTC. So a unit that
   hears nothing for a week still has the week's curfew, and the schedule changes by day, when few events come.
5. `range_dbm` is told where the register holds a calibrated one; else the installer's stands.
6. `heartbeat_s`, `report_s`, `leave_time_s` are policy.
7. While a fitter's visit is open at the unit, `fitting` names the session, how often to report and until when, which
   the unit obeys by itself. The session's tag is listened for and its windows stand in the schedule as if it were on
   already, so that the curfew that a fitter sees acknowledged is the one that holds afterwards; the fitter's own tag is
   listened for too. A calibrated range is as wide as can be until the walk test has set another.
8. Between two edges (`until`) nothing changes; the same register, policy and span give the same bytes.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from emcheck.domain.amending import addresses
from emcheck.domain.canonical import compact, sha256_of_texts
from emcheck.domain.fitting.visits import Visit
from emcheck.domain.ids import AddressId, Ms, TagId, UnitId
from emcheck.domain.instants import DAY, FOREVER, HOUR, format_ms
from emcheck.domain.register import Fitting, Order
from emcheck.domain.roster import Roster
from emcheck.domain.walk import WEAKEST_DBM
from emcheck.domain.windows import windows

_WEEK: Ms = 7 * DAY
_WEDNESDAY_NOON: Ms = 6 * DAY + 12 * HOUR
"""1970-01-07T12:00Z."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a unit is told from now `until` an edge. `content` has no `rev` yet; None where there is nothing to tell."""

    content: dict[str, Any] | None
    until: Ms
    sha256: str = ""
    members: str = ""
    """Those of `content` as JSON text, as they are hashed and told."""

    @property
    def schedule_sha256(self) -> str | None:
        """The hash of the schedule, which the unit echoes."""
        return None if self.content is None else str(self.content["schedule_sha256"])


class Configurations:
    """Every unit's configuration, read off the roster as it is when asked: an instruction costs nothing here."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster

    def _fixed(self, now: Ms) -> dict[str, Any]:
        policy = self.roster.policies.own.then(now)
        return {key: round(policy.number(f"unit.config.{key}")) for key in ("heartbeat_s", "report_s", "leave_time_s")}

    def of(self, name: UnitId, now: Ms) -> Configuration:
        """What the unit is told now."""
        unit = self.roster.units.get(name)
        installations = () if unit is None else unit.installations
        here = next((i for i in installations if _holds(i.installed_at, i.removed_at, now)), None)
        edges = [edge for i in installations for edge in (i.installed_at, i.removed_at)]
        edges += [version.effective_at for version in self.roster.policies.own.versions]
        if here is None:
            return Configuration(None, _next(edges, now))
        since = (now - _WEDNESDAY_NOON) // _WEEK * _WEEK + _WEDNESDAY_NOON
        horizon = since + 2 * _WEEK
        visits = [v for v in self.roster.visits.values() if v.unit == name and _holds(v.opened_at, v.until, now)]
        cases = {case.wearer_id: case for case in self.roster.cases_of.get(name, ())}
        cases |= {v.wearer_id: self.roster.cases[v.wearer_id] for v in visits if v.wearer_id in self.roster.cases}
        ordered = [
            (state.order, [*case.fittings, *(_as_if_on(v) for v in visits if v.wearer_id == case.wearer_id)])
            for case in cases.values()
            for state in case.orders
            if state.order.ends_at > now and state.order.starts_at < horizon
            if here.address_id in addresses(state.order)
        ]
        fittings = [f for _, fitted in ordered for f in fitted]
        edges += [since + _WEEK, *(order.ends_at for order, _ in ordered)]
        edges += [edge for f in fittings for edge in (f.fitted_at, f.removed_at)]
        edges += [v.until for v in visits]
        here_too = {v.fitter_tag for v in visits if v.fitter_tag is not None}
        tags = sorted({f.tag for f in fittings if _holds(f.fitted_at, f.removed_at, now)} | here_too)
        schedule = _schedule(ordered, here.address_id, now, since, horizon)
        content = self._fixed(now) | {"tags": tags, "schedule": schedule, "schedule_sha256": sha256_of_texts(schedule)}
        if here.range_dbm is not None:
            content["range_dbm"] = here.range_dbm
        if visits:
            report_s = round(self.roster.policies.own.then(now).number("fitting.session.report_s"))
            said = {"session": visits[0].session, "report_s": report_s, "until": format_ms(visits[0].until)}
            content["fitting"] = said
            if here.range_dbm is not None:
                content["range_dbm"] = WEAKEST_DBM
        text = compact(content)
        return Configuration(content, _next(edges, now), hashlib.sha256(text.encode()).hexdigest(), text[1:-1])


def _schedule(
    ordered: Iterable[tuple[Order, Sequence[Fitting]]], address: AddressId, now: Ms, since: Ms, horizon: Ms
) -> list[dict[str, Any]]:
    """Windows at the address with the tags that are to be in range (3)."""
    wanted: dict[tuple[Ms, Ms], set[TagId]] = {}
    for order, fitted in ordered:
        tags = {f.tag for f in fitted if _holds(f.fitted_at, f.removed_at, now)}
        for window in windows(order, since, horizon) if tags else ():
            if window.address_id == address:
                wanted.setdefault((window.start, window.end), set()).update(tags)
    return [
        {"from": _text(start), "until": _text(end), "tags": sorted(tags)}
        for (start, end), tags in sorted(wanted.items())
    ]


def _as_if_on(visit: Visit) -> Fitting:
    """The session's tag, on until the visit is over (7)."""
    return Fitting(
        tag=visit.tag,
        wearer_id=visit.wearer_id,
        fitted_at=format_ms(visit.opened_at),  # type: ignore[arg-type] # as text it is judged
        removed_at=format_ms(visit.until),  # type: ignore[arg-type] # as above
    )


@lru_cache(maxsize=4096)
def _text(edge: Ms) -> str:
    """An edge of a schedule: most units of a town have the same."""
    return format_ms(edge)


def _holds(start: Ms, end: Ms | None, now: Ms) -> bool:
    return start <= now and (end is None or now < end)


def _next(edges: Iterable[Ms | None], now: Ms) -> Ms:
    return min((edge for edge in edges if edge is not None and edge > now), default=FOREVER)
