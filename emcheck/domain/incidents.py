"""Incidents: many troubles with one cause, told as one, so that nobody drowns and nothing is lost.

1. A trouble is a unit's silence (receive time) or its cut from the mains (event time); not that of a unit that never
   spoke, for in that nothing ended. Units have something in common: all of them this service and its broker; some an
   `uplink` or a `postcode`, as the register says, or a firmware, as they say themselves.
2. A group's *burst* is from the first to the last of its troubles that began within `incident.within_s` of so many
   others that they are `units_min`, and `share_pct` of the group.
3. It is an incident from when the one that made it so many was known; that of a narrower group waits `settle_s`, in
   which a wider one may explain it.
4. Troubles that begin in the burst belong to it: their alerts are suppressed, it is one alert (`queue`).
5. It has ended when no more than `over_pct` of them go on. What still goes on `grace_s` later is on its own again.
6. It explains a silence, never an absence: each wearer's curfew is judged as ever (domain.md, `unit.silent`).

A function of the troubles, whatever the order in which they are noticed: it is judged at instants at which all that
began before is known (`Engine.tick`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from emcheck.domain.bursts import EVERYBODY, KEEP, REMEMBERED, Burst, Bursts, Group, Trouble
from emcheck.domain.deadlines import Deadlines
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, UnitId
from emcheck.domain.instants import FOREVER, MINUTE, format_ms, parse_ms
from emcheck.domain.policies import Line
from emcheck.domain.policy import Policy
from emcheck.domain.queue import alert_id
from emcheck.domain.register import Installation
from emcheck.domain.rules import unit_power, unit_silent
from emcheck.domain.rules.unit_silent import Explained

OF_SILENCE, OF_POWER = RuleId("incident.silent"), RuleId("incident.power")
RULES: Mapping[str, RuleId] = {unit_silent.RULE: OF_SILENCE, unit_power.RULE: OF_POWER}
"""Of which rule's findings an incident may be made, and what it is called then."""
_TELL_EVERY: Ms = 5_000
"""While more troubles come in, the count is told anew no oftener."""


_SWEEP_EVERY: Ms = 10 * MINUTE
_BY_WIDTH = ("all", "uplink", "firmware", "postcode")
_SHARED: Mapping[str, tuple[str, ...]] = {
    unit_silent.RULE: ("uplink", "firmware", "postcode"),
    unit_power.RULE: ("postcode",),
}
"""What may be the cause: no network takes anybody's mains away."""
_NEARLY_ALL_PCT = 90
"""So many of an incident's units share a network or a district, and it is said."""


def _order(burst: Burst) -> tuple[Ms, int, str]:
    """The first that was raised comes first; of several at once the widest."""
    return burst.raised_at or 0, _BY_WIDTH.index(burst.group.kind), burst.group.name


class Runs(Protocol):
    """A unit, as far as it matters here."""

    @property
    def firmware(self) -> str:
        """What it runs; empty where that is not known."""
        ...


class Incidents:
    """The troubles of all units. Told of each as it begins and ends; `judge` says what became of them."""

    def __init__(
        self, own: Line, installations: Iterable[Installation], units: Mapping[UnitId, Runs] | None = None
    ) -> None:
        self._own = own
        self._units: Mapping[UnitId, Runs] = units or {}
        self._watches: dict[str, Bursts] = {}
        self._groups: dict[UnitId, tuple[Group, ...]] = {}
        """Those of each unit, where it has any but everybody's."""
        self._sizes: Counter[Group] = Counter()
        self._cuts: dict[UnitId, dict[Ms, Ms | None]] = {}
        self._raised: list[Burst] = []
        self._dues = Deadlines()
        self._swept_at: Ms = 0
        self.count(installations)

    def due(self) -> Ms:
        """When it is to be judged next."""
        return self._dues.next()

    # --- who has what in common ---------------------------------------------------------------------------

    def count(self, installations: Iterable[Installation], by: int = 1) -> None:
        """Units come (`by` 1) or go (-1): how many there are of each group."""
        groups: dict[UnitId, set[Group]] = {}
        for installed in installations:
            if installed.removed_at is None:
                groups.setdefault(installed.unit, set()).update(_groups_of(installed))
        for unit, common in groups.items():
            self._sizes[EVERYBODY] += by
            for group in common:
                self._sizes[group] += by
            if by > 0 and common:
                self._groups[unit] = tuple(sorted(common, key=lambda group: (group.kind != "uplink", group.name)))
            elif by < 0:
                self._groups.pop(unit, None)

    def _policy(self, burst: Burst) -> Policy:
        """What a burst is judged by: the version of its beginning."""
        return self._own.then(burst.first)

    def _over_pct(self, burst: Burst) -> float:
        return self._policy(burst).number("incident.over_pct")

    def _grace_ms(self, burst: Burst) -> Ms:
        return self._policy(burst).ms("incident.grace_s")

    def _settle_ms(self, burst: Burst) -> Ms:
        return 0 if burst.group == EVERYBODY else self._policy(burst).ms("incident.settle_s")

    def _common(self, rule: str, unit: UnitId) -> Iterator[Group]:
        """What a unit has in common with others that may be the cause, the widest first."""
        known = self._groups.get(unit, ())
        firmware = self._units[unit].firmware if unit in self._units else ""
        yield EVERYBODY
        for kind in _SHARED[rule]:
            if kind == "firmware" and firmware:
                yield Group("firmware", firmware)
            yield from (group for group in known if group.kind == kind)

    def _needed(self, group: Group, policy: Policy) -> int:
        """How many troubles at once are a burst. Who runs which firmware is counted only when it matters (`_raise`)."""
        least, pct = policy.number, f"incident.{group.kind}"
        share = self._sizes[group] * least(f"{pct}.share_pct") / 100
        return max(int(least(f"{pct}.units_min")), -int(-share // 1))

    def _watches_of(self, rule: str, unit: UnitId) -> Iterator[Bursts]:
        return (self._watch(rule, group) for group in self._common(rule, unit))

    def _watch(self, rule: str, group: Group) -> Bursts:
        watch = self._watches.get(f"{rule} {group}")
        if watch is None:
            watch = Bursts(rule, group)
            self._watches[watch.name] = watch
        return watch

    # --- troubles -----------------------------------------------------------------------------------------

    def began(
        self,
        rule: str,
        unit: UnitId,
        start: Ms,
        known_at: Ms,
        now: Ms,
        end: Ms | None = None,
        *,
        explained: bool = False,
    ) -> None:
        """A trouble began; `end` where that is known at once. One that began long ago makes no incident any more."""
        explained, policy = False, self._own.then(start)
        if now >= self._swept_at + _SWEEP_EVERY:
            self._sweep(now)
        for watch in self._watches_of(rule, unit):
            if start < now - KEEP[rule] and watch.burst(start) is None:
                continue
            if explained and not any(burst.raised_at is not None for burst in watch.bursts):
                continue  # no narrower incident is wanted, nor what it would take to find one
            trouble, within_ms = Trouble(start, known_at, unit, end), policy.ms("incident.within_s")
            watch.add(trouble, self._needed(watch.group, policy), within_ms)
            if (burst := watch.burst(start)) is not None:
                self._look_at(watch, burst, max(burst.opened_at, known_at))
                explained |= burst.raised_at is not None

    def _sweep(self, now: Ms) -> None:
        """Let go of troubles that came to nothing."""
        self._swept_at = now
        for watch in list(self._watches.values()):
            watch.forget(now)
            if not watch.troubles and not watch.bursts:
                del self._watches[watch.name]

    def ended(self, rule: str, unit: UnitId, start: Ms, end: Ms, now: Ms) -> None:
        """A trouble goes on no more, as is known now."""
        for watch in self._watches_of(rule, unit):
            watch.end(start, unit, end)
            if (burst := watch.burst(start)) is not None and burst.raised_at is not None and not burst.done:
                self._look_at(watch, burst, now)

    def _look_at(self, watch: Bursts, burst: Burst, at: Ms) -> None:
        """Judge it when something new is to be said of it."""
        if burst.covered:
            return
        if burst.raised_at is None:
            at = burst.opened_at + self._settle_ms(burst)
        elif burst.ended_at is not None or not burst.is_ending(self._over_pct(burst)):
            at = -(-at // _TELL_EVERY) * _TELL_EVERY
        self._dues.arm(watch.name, at)

    def retell(self, rule: str, unit: UnitId, lasting_since: Ms | None, over: Iterable[Finding], now: Ms) -> None:
        """The troubles of a unit, after a start."""
        for trouble in over:
            explained = trouble.incident is not None
            self.began(rule, unit, trouble.start, trouble.start, now, trouble.end, explained=explained)
        if lasting_since is not None:
            self.began(rule, unit, lasting_since, lasting_since, now)

    def cuts(self, unit: UnitId, found: Iterable[Finding], now: Ms) -> bool:
        """The cuts from the mains of a unit as facts tell them now; whether that is anything."""
        known = self._cuts.get(unit, {})
        told = {f.start: f for f in found if f.rule == unit_power.RULE}
        if not known and not told:
            return False
        for start in known.keys() - told.keys():
            for watch in self._watches_of(unit_power.RULE, unit):
                watch.take_back(start, unit)
                self._dues.arm(watch.name, now)
        for start, cut in told.items():
            if start not in known:
                self.began(unit_power.RULE, unit, start, cut.raised_at or now, now, cut.end)
            elif cut.end is not None and known[start] is None:
                self.ended(unit_power.RULE, unit, start, cut.end, now)
        self._cuts[unit] = {start: cut.end for start, cut in told.items()}
        if not told:
            del self._cuts[unit]
        return True

    def marked(self, found: list[Finding], now: Ms) -> list[Finding]:
        """Findings of a unit, its cuts with the incident that accounts for them."""
        if not self._raised:
            return found
        return [self._marked(finding, now) if finding.rule == unit_power.RULE else finding for finding in found]

    def _marked(self, cut: Finding, now: Ms) -> Finding:
        explained = self.explained(cut.rule, cut.unit, cut.start) if cut.unit is not None else None
        if explained is None or (now if cut.end is None else cut.end) >= explained.until:
            return cut
        return replace(cut, incident=explained.incident)

    # --- incidents ----------------------------------------------------------------------------------------

    def explained(self, rule: str, unit: UnitId, start: Ms) -> Explained | None:
        """The incident that a trouble belongs to: of several, the first that was raised."""
        for burst in self._raised:
            if burst.alert and burst.rule == rule and burst.holds(start) and self._is_in(unit, burst.group):
                until = FOREVER if burst.ended_at is None else burst.ended_at + self._grace_ms(burst)
                return Explained(burst.alert, until)
        return None

    def _is_in(self, unit: UnitId, group: Group) -> bool:
        return any(group == common for common in self._common(unit_silent.RULE, unit))

    def judge(self, now: Ms) -> tuple[set[Group], set[UnitId]]:
        """What is to be told anew: the groups whose incidents changed, and units whose troubles are seen otherwise."""
        told: set[Group] = set()
        units: set[UnitId] = set()
        due: list[Bursts] = []
        while self._dues.next() <= now:
            if (watch := self._watches.get(self._dues.pop()[1])) is not None:
                due.append(watch)
        for watch in sorted(due, key=lambda w: (_BY_WIDTH.index(w.group.kind), w.name)):
            for burst in watch.bursts:
                if burst.raised_at is None and not burst.covered:
                    self._raise(watch, burst, now, units)
                if burst.raised_at is not None and not burst.done:
                    told.add(watch.group)
                    burst.ended_at = burst.over_at(self._over_pct(burst))
                    self._complete(watch, burst, now)
                    self._release(watch, burst, now, units)
            watch.forget(now)
        self._raised = [burst for burst in self._raised if burst.size() and not burst.is_over(now - REMEMBERED)]
        return told, units

    def _raise(self, watch: Bursts, burst: Burst, now: Ms, units: set[UnitId]) -> None:
        due = burst.opened_at + self._settle_ms(burst)
        if due > now:
            self._dues.arm(watch.name, due)
            return
        wider = _BY_WIDTH[: _BY_WIDTH.index(burst.group.kind)]
        if any(
            other.rule == burst.rule and other.first <= burst.last and burst.first <= other.last
            for other in self._raised
            if other.group.kind in wider
        ):
            burst.covered = True
            return
        if burst.group.kind == "firmware" and not self._is_share(burst):
            burst.covered = True
            return
        burst.raised_at, burst.alert = now, alert_id(self._finding(burst))
        burst.shared = self._shared(watch, burst)
        self._remember(burst)
        units.update(trouble.unit for trouble in watch.members(burst))

    def _is_share(self, burst: Burst) -> bool:
        """Count those who run a firmware, and see whether it is enough of them."""
        return self._tells_apart(burst.group) and burst.units >= self._needed(burst.group, self._policy(burst))

    def _tells_apart(self, group: Group) -> bool:
        """Whether it is not nearly everybody that has this in common."""
        if group.kind == "firmware":
            self._sizes[group] = sum(unit.firmware == group.name for unit in self._units.values())
        return self._sizes[group] * 100 < self._sizes[EVERYBODY] * _NEARLY_ALL_PCT

    def _complete(self, watch: Bursts, burst: Burst, now: Ms) -> None:
        """Know when no more come."""
        complete_at = burst.last + self._policy(burst).ms("incident.within_s")
        burst.complete = complete_at <= now
        if burst.complete and not burst.ended_at:
            burst.shared = self._shared(watch, burst)
        if not burst.complete:
            self._dues.arm(watch.name, complete_at)

    def _shared(self, watch: Bursts, burst: Burst) -> str:
        """What nearly all of its units have in common, in words; empty where that is nothing but being here."""
        units = [trouble.unit for trouble in watch.members(burst)]
        common = Counter(group for unit in units for group in self._common(burst.rule, unit) if group != EVERYBODY)
        return ", ".join(
            f"{group.kind} {group.name}"
            for group, count in sorted(common.items())
            if group != burst.group and count * 100 >= len(units) * _NEARLY_ALL_PCT and self._tells_apart(group)
        )

    def _release(self, watch: Bursts, burst: Burst, now: Ms, units: set[UnitId]) -> None:
        """Who has not come back is on its own again."""
        if burst.ended_at is None:
            return
        if burst.ended_at + self._grace_ms(burst) <= now:
            units |= burst.lasting
            burst.done, burst.ends, burst.lasting = True, [], set()
        else:
            self._dues.arm(watch.name, burst.ended_at + self._grace_ms(burst))

    def findings(self, group: Group) -> list[Finding]:
        """The incidents of a group that are not long over."""
        return [self._finding(burst) for burst in self._raised if burst.group == group]

    def groups(self) -> set[Group]:
        """Those that have any."""
        return {burst.group for burst in self._raised}

    def _finding(self, burst: Burst) -> Finding:
        rule = RULES[burst.rule]
        return Finding(
            rule=rule,
            class_=burst.group.kind,
            about=str(burst.group),
            start=burst.first,
            end=burst.ended_at,
            priority=self._policy(burst).text(f"{rule}.priority"),
            raised_at=burst.raised_at,
            detail=(
                ("group", burst.group.name),
                ("units", burst.size()),
                ("lasting", len(burst.lasting)),
                ("of", self._sizes[burst.group]),
                ("last_began", format_ms(burst.last)),
                ("complete", int(burst.complete)),
                *((("shared", burst.shared),) if burst.shared else ()),
            ),
            policy=self._policy(burst).label,
        )

    def _remember(self, burst: Burst) -> None:
        self._raised.append(burst)
        self._raised.sort(key=_order)

    def remember(self, finding: Finding) -> None:
        """Know an incident again, after a start; its troubles are told again by `began`."""
        told = dict(finding.detail)
        group = Group(finding.class_ or "", str(told["group"]))
        rule = next(rule for rule, name in RULES.items() if name == finding.rule)
        raised_at = finding.raised_at or finding.start
        last = parse_ms(str(told["last_began"]))
        burst = Burst(rule, group, finding.start, last, raised_at, raised_at, finding.end)
        burst.alert, burst.told_units = alert_id(finding), int(told["units"])
        burst.shared = str(told.get("shared", ""))
        self._remember(burst)
        watch = self._watch(rule, group)
        watch.bursts.append(burst)
        self._dues.arm(watch.name, 0)


def _groups_of(installed: Installation) -> Iterator[Group]:
    if installed.uplink is not None:
        yield Group("uplink", installed.uplink)
    if installed.postcode is not None:
        yield Group("postcode", installed.postcode)
