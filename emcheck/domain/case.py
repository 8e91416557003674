"""A case: one wearer's live state. Judges the wearer's orders on the tracks of the units at their addresses.

Judging is a function of the facts so far and the instant; what it keeps between two judgements is what was
raised when, and the results of windows it need not look at again. Windows that ended long ago fold into sums:
a case stays small however long its orders run. What was folded is unfolded when a very late fact asks for it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from emcheck.domain import bodies, of_tags, paperwork
from emcheck.domain import windows as curfew
from emcheck.domain.doubts import Doubt, doubts_of, named
from emcheck.domain.findings import Finding, Span, is_settled
from emcheck.domain.ids import AddressId, Ms, UnitId, WearerId
from emcheck.domain.instants import DAY, FOREVER
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Installation, Order
from emcheck.domain.rules import curfew_absence, curfew_accumulated, fitting_unvalidated
from emcheck.domain.rules.curfew_absence import Episode
from emcheck.domain.rules.fitting_unvalidated import Question
from emcheck.domain.terms import Terms
from emcheck.domain.timeline import Source, Stretch, close_short_gaps, merge, source_timeline, sources_of
from emcheck.domain.track import Track
from emcheck.domain.windows import Window

KEEP: Ms = 3 * DAY
"""Nights that stay open to late facts; older ones ask for all facts together."""
_AHEAD: Ms = 2 * DAY
"""Windows are known so far ahead; a year of them would be most of what a case weighs."""


_NEVER: Mapping[object, Ms] = MappingProxyType({})
_LONG_AGO: Ms = -FOREVER
"""One number for all cases."""


@dataclass(slots=True)
class Raised:
    """An alert that was raised for an episode in a window: what identifies it while facts revise it."""

    span: Span
    raised_at: Ms


_NOTHING_RAISED: Mapping[Span, list[Raised]] = MappingProxyType({})
_NOTHING_FOUND: Mapping[Window, tuple[Finding, ...]] = MappingProxyType({})
"""Both are shared by all that have none, which is nearly always."""


@dataclass(slots=True)
class OrderState:
    """One order's windows that are not folded, the findings of each as last judged, and its alerts' instants."""

    order: Order
    excused: tuple[Span, ...]
    windows: tuple[Window, ...] = ()
    results: Mapping[Window, tuple[Finding, ...]] = field(default_factory=lambda: _NOTHING_FOUND)
    raised: Mapping[Span, list[Raised]] = field(default_factory=lambda: _NOTHING_RAISED)
    accumulated_at: Ms | None = None
    before: curfew_accumulated.Before = curfew_accumulated.NOTHING

    def absences(self) -> list[Finding]:
        """The findings of its windows, by start."""
        return [finding for window in self.windows for finding in self.results.get(window, ())]


class Case:
    """One wearer. `wake_at` is the next instant at which the judgement could change with no new fact."""

    __slots__ = (
        "_ahead", "_papers_until", "_raised", "_sources", "asked", "fittings", "judged_at", "open_until", "orders",
        "questions", "settled", "terms", "units", "wake_at", "watching", "wearer_id", "woken_as",
    )  # fmt: skip

    def __init__(
        self,
        wearer_id: WearerId,
        orders: Iterable[Order],
        fittings: Iterable[Fitting],
        installations: Iterable[Installation],
        terms: Terms,
    ) -> None:
        self.wearer_id = wearer_id
        self.woken_as = f"case {wearer_id}"
        """The name of its deadline, one text for all who keep it."""
        self.terms = terms
        self.orders: tuple[OrderState, ...] = ()
        self._rest_on(orders, fittings, installations)
        self.wake_at: Ms = 0
        self.watching = False
        """An absence is known only up to some past instant and nothing ended it: the next fact may lengthen it."""
        self.settled: Ms = _LONG_AGO
        """Windows that ended by then are folded."""
        self.open_until: Ms = _LONG_AGO
        """Not to be folded before: a very late fact seldom comes alone."""
        self._raised: Mapping[object, Ms] = _NEVER
        """When what holds in no window was first seen, by `of_tags.name_of`."""
        self.questions: tuple[Question, ...] = ()
        """What folded nights showed of fittings, and is not to be had again from what is left of them."""
        self.asked: Sequence[Question] = ()
        """The same of all nights, as last judged: fittings of which a fitter is to see again what their tag sits on."""
        self.judged_at: Ms = _LONG_AGO
        """The last judgement; windows that had ended by then are judged again only if facts reach them."""
        self._ahead: Ms = _LONG_AGO
        self._papers_until: Ms = _LONG_AGO
        """Until then the register alone says nothing; where it said something, it is asked at each judgement."""

    def _rest_on(
        self, orders: Iterable[Order], fittings: Iterable[Fitting], installations: Iterable[Installation]
    ) -> None:
        known = {state.order.order_id: state for state in self.orders}
        orders = tuple(orders)
        self.orders = tuple(known.get(order.order_id) or OrderState(order, ()) for order in orders)
        for order, state in zip(orders, self.orders, strict=True):
            state.order, state.excused = order, tuple(curfew.absences(order))
        self.fittings = tuple(fittings)
        self._sources = tuple(sources_of(self.fittings, installations))
        self.units = tuple(sorted({source.unit for source in self._sources}))
        """The units whose facts this case rests on."""

    @property
    def addresses(self) -> list[AddressId]:
        """Where a tag of the wearer is to be heard or was, in the register's order."""
        return list(dict.fromkeys(source.address_id for source in self._sources))

    def sources(self, address: AddressId | None = None) -> Sequence[Source]:
        """What tells of an address, or of all."""
        return self._sources if address is None else [s for s in self._sources if s.address_id == address]

    def timeline(self, address: AddressId, tracks: Mapping[UnitId, Track]) -> list[Stretch]:
        """Known time at an address, short gaps closed, not clipped to any instant."""
        known = [(source, source_timeline(tracks[source.unit], source)) for source in self.sources(address)]
        return close_short_gaps(merge(known), self.terms) if known else []

    def judge(self, tracks: Mapping[UnitId, Track], now: Ms, since: Ms, beside: Iterable[Doubt] = ()) -> list[Finding]:
        """Judge the windows that time from `since` on may touch; all findings that are not folded, by order and start.

        `beside` are doubts that come from no unit. A fact may close a short gap in front of it; a window that ended
        since the last judgement is judged anyway.
        """
        since = min(since, self.judged_at) - self.terms.leave_ms_most
        self._look_out(now)
        timelines: dict[AddressId, tuple[list[Stretch], list[Doubt]]] = {}
        self.watching = False
        found: list[Finding] = []
        for state in self.orders:
            for window in state.windows:
                if window.start > now:
                    self.wake_at = min(self.wake_at, window.start)
                    break
                if window.end <= since:
                    continue
                if window.address_id not in timelines:
                    doubts = [*doubts_of(self.sources(window.address_id), tracks, now), *beside]
                    timelines[window.address_id] = self.timeline(window.address_id, tracks), doubts
                self._judge_window(state, window, *timelines[window.address_id], now)
            found += self._order_findings(state, now)
        self.judged_at = now
        told = list(self._at_any_hour(tracks, now))
        if told or self._raised:
            self._raised = {name: self._raised.get(name, now) for name in map(of_tags.name_of, told)}
        zone = self.orders[0].order.timezone
        told = [finding for finding in told if not is_settled(finding, self.settled)]
        return found + [
            replace(finding, raised_at=self._raised[of_tags.name_of(finding)], zone=zone) for finding in told
        ]

    def _at_any_hour(self, tracks: Mapping[UnitId, Track], now: Ms) -> Iterator[Finding]:
        """What holds in no window: of the wearer's tags, and of the register."""
        telling, told = of_tags.telling(tracks.values()), list[Finding]()
        if telling:
            orders = [state.order for state in self.orders]
            line, zone = self.terms.policies.of_wearer(orders), orders[0].timezone
            told = [*of_tags.findings(self.wearer_id, self.fittings, tracks, now, line=line, zone=zone)]
            yield from told
            self.wake_at = min(self.wake_at, of_tags.next_step(telling, now))
            self.watching |= bodies.in_dispute(tracks)
        self.asked = fitting_unvalidated.questions(self.questions, told, self.fittings)
        if self.asked:
            orders = [state.order for state in self.orders]
            line = self.terms.policies.of_wearer(orders)
            yield from fitting_unvalidated.revalidations(self.wearer_id, self.fittings, self.asked, now, line)
            self.wake_at = min(self.wake_at, fitting_unvalidated.next_step(self.asked, now, line))
        if now >= self._papers_until:
            orders = [state.order for state in self.orders]
            said = [*paperwork.findings(self.wearer_id, orders, self.fittings, now, self.terms.policies)]
            yield from said
            until = paperwork.next_step(orders, self.fittings, now, self.terms.policies)
            self.wake_at = min(self.wake_at, until)
            self._papers_until = now if said else min(self._ahead, until)
        else:
            self.wake_at = min(self.wake_at, self._papers_until)

    def _look_out(self, now: Ms) -> None:
        """Know the windows of the next days, and be woken before they are used up."""
        if now >= self._ahead - DAY:
            begun = min((s.order.starts_at for s in self.orders if s.order.ends_at > now), default=now)
            known, self._ahead = self._ahead, max(now, begun) + _AHEAD
            for state in self.orders:
                since = max(known, self.settled)
                new = curfew.windows(state.order, since, self._ahead)
                state.windows += tuple(window for window in new if window.start >= since)
        goes_on = any(state.order.ends_at > self._ahead for state in self.orders)
        self.wake_at = self._ahead - DAY if goes_on else FOREVER

    def amend(
        self, orders: Iterable[Order], fittings: Iterable[Fitting], installations: Iterable[Installation]
    ) -> None:
        """The register says otherwise of the wearer; what was raised for a window stays known.

        The next judgement looks at all windows that are not folded; those that are must be unfolded first.
        """
        self._rest_on(orders, fittings, installations)
        if not self.units:  # nobody tells them all again
            self.questions = ()
        self._ahead = self.judged_at = -FOREVER
        self._papers_until = -FOREVER
        for state in self.orders:
            state.windows, state.results = (), _NOTHING_FOUND

    def has_absences(self, *, going_on: bool = False) -> bool:
        """Whether there are findings of windows that are not folded, or such as go on."""
        return any(f.end is None or not going_on for state in self.orders for f in state.absences())

    def forget_judgement(self) -> None:
        """A rule failed half way, a policy says otherwise, or there is a new doubt: all is judged anew next time."""
        self.judged_at = self._papers_until = -FOREVER

    # --- old nights ---------------------------------------------------------------------------------------

    def horizon(self, told: Mapping[UnitId, Ms], now: Ms) -> Ms:
        """Nights before it are seldom told of again: `KEEP` before `now`, or what a unit that still counts has told."""
        counting = {source.unit for source in self._sources if source.counts.end > now - KEEP}
        horizon = min([now, *(told[unit] for unit in counting if unit in told)]) - KEEP
        while straddling := [w.start for s in self.orders for w in s.windows if w.start < horizon < w.end]:
            horizon = min(straddling)  # so that one instant tells what is folded of all orders
        return horizon

    def fold(self, horizon: Ms) -> None:
        """Let windows that ended by `horizon` go, their findings summed up."""
        self.settled = horizon
        self.questions = tuple(q for q in self.asked if q.end is not None and q.end <= horizon)
        for state in self.orders:
            old = [window for window in state.windows if window.end <= horizon]
            state.before = self._summed(state, [f for window in old for f in state.results.get(window, ())])
            state.windows = state.windows[len(old) :]
            if state.results:
                state.results = {window: found for window, found in state.results.items() if window.end > horizon}
            if state.raised:
                state.raised = {span: alarms for span, alarms in state.raised.items() if span.end > horizon}

    def _summed(self, state: OrderState, absences: list[Finding]) -> curfew_accumulated.Before:
        before = state.before
        if not absences:
            return before
        exceeded = self._exceeded(state, absences, self.settled)
        return curfew_accumulated.Before(
            before.absent_ms + sum(absence.absent_ms or 0 for absence in absences),
            before.excluded_ms + sum(absence.excluded_ms or 0 for absence in absences),
            None if exceeded is None else exceeded.start,
            () if exceeded is None else exceeded.evidence,
        )

    def remember(self, standing: Iterable[Finding]) -> None:
        """Know again what was raised for whom, after a start."""
        known = list(standing)
        self._raised = _raised_at_once(known)
        for state in self.orders:
            state.raised = raised_by(known, state)
            for finding in known:
                if finding.rule == curfew_accumulated.RULE and finding.order_id == state.order.order_id:
                    state.accumulated_at = finding.raised_at

    def unfold(self, standing: Iterable[Finding]) -> None:
        """Judge all windows anew at the next judgement; `standing` are the findings of those that were folded."""
        known = list(standing)
        self._raised, self.questions = {**self._raised, **_raised_at_once(known)}, ()
        for state in self.orders:
            state.raised = {**raised_by(known, state), **state.raised}
            state.before, state.results = curfew_accumulated.NOTHING, _NOTHING_FOUND
            state.windows = tuple(curfew.windows(state.order, -FOREVER, self._ahead))
        self.settled = self.judged_at = -FOREVER

    # --- judging ------------------------------------------------------------------------------------------

    def _exceeded(self, state: OrderState, absences: list[Finding], now: Ms) -> Finding | None:
        policy = self.terms.policies.of(state.order)
        return curfew_accumulated.find(state.order, absences, state.excused, now, policy, state.before)

    def _judge_window(
        self, state: OrderState, window: Window, timeline: list[Stretch], doubts: list[Doubt], now: Ms
    ) -> None:
        policy = self.terms.policies.window(state.order, window.start)
        episodes = curfew_absence.episodes(state.order, window, timeline, state.excused, now, policy)
        if window.end > now:
            self.wake_at = min(self.wake_at, window.end)
        found: list[Finding] = []
        raised: list[Raised] = []
        for episode in episodes:
            alarm = self._raise(state, window, episode, now)
            if alarm is not None:
                raised.append(alarm)
            found += [
                replace(
                    finding,
                    episode=episode.span,
                    raised_at=alarm.raised_at if alarm else None,
                    doubts=named(doubts, Span(finding.start, now if finding.end is None else finding.end)),
                )
                for finding in episode.findings
            ]
            if episode.last_end < min(window.end, now) <= episode.span.end:
                self.watching = True
        if found:
            state.results = {**state.results, window: tuple(found)}
        elif window in state.results:
            state.results = {other: known for other, known in state.results.items() if other != window}
        if window.end > now:
            ongoing = episodes[-1] if episodes and episodes[-1].span.end > now else None
            told = bool(found) and found[-1].raised_at is not None
            self._look_ahead(state, policy, timeline, ongoing, now, told=told)
        span = Span(window.start, window.end)
        if raised:
            state.raised = {**state.raised, span: raised}
        elif span in state.raised:
            state.raised = {other: alarms for other, alarms in state.raised.items() if other != span}

    def _raise(self, state: OrderState, window: Window, episode: Episode, now: Ms) -> Raised | None:
        """The alert of an episode: the one that was raised for it, or a new one if it is due (rule book 4)."""
        if episode.reached_at is None or episode.reached_at > now:
            return None
        for known in state.raised.get(Span(window.start, window.end), []):
            if known.span.start < episode.span.end and episode.span.start < known.span.end:
                return Raised(episode.span, known.raised_at)
        return Raised(episode.span, now)

    def _look_ahead(
        self, state: OrderState, policy: Policy, timeline: list[Stretch], ongoing: Episode | None, now: Ms, *,
        told: bool,
    ) -> None:  # fmt: skip
        """When an absence in an open window, if it goes on, next changes what is said of it."""
        last = None
        for stretch in reversed(timeline):
            if stretch.start <= now:
                last = stretch
                break
            if not stretch.present:  # told ahead of its time, by a clock that is fast
                self.wake_at = min(self.wake_at, stretch.start)
        if last is None or last.present:
            return
        if last.end < now:
            self.watching = True
            return
        self.wake_at = min(self.wake_at, last.end + self.terms.leave_ms_most + 1)  # a late message may vouch
        unexcused_ms = ongoing.unexcused_ms if ongoing is not None else 0
        steps = [policy.ms(f"curfew.absence.{step}_after_s") for step in ("alert", "long")]
        for step in steps[1:] if ongoing is not None and told else steps:
            if unexcused_ms < step:
                self._wake_after(state, now, step - unexcused_ms)
        total_ms = state.before.absent_ms + sum(f.absent_ms or 0 for f in state.absences())
        spare_ms = curfew_accumulated.allowance_ms(state.order, self.terms.policies.of(state.order)) - total_ms
        if spare_ms >= 0:
            self._wake_after(state, now, spare_ms + 1)

    def _wake_after(self, state: OrderState, now: Ms, unexcused_ms: Ms) -> None:
        ahead = curfew_absence.unexcused_pieces(now, FOREVER, state.excused)
        due = curfew_absence.instant_of(ahead, unexcused_ms)
        if due is not None:
            self.wake_at = min(self.wake_at, due)

    def _order_findings(self, state: OrderState, now: Ms) -> list[Finding]:
        absences = state.absences()
        exceeded = self._exceeded(state, absences, now)
        state.accumulated_at = None if exceeded is None else (state.accumulated_at or now)
        if exceeded is not None:
            absences.append(replace(exceeded, raised_at=state.accumulated_at))
        return absences


def _raised_at_once(standing: Iterable[Finding]) -> dict[object, Ms]:
    rules = of_tags.RULES | paperwork.RULES
    return {of_tags.name_of(f): f.raised_at for f in standing if f.rule in rules and f.raised_at is not None}


def raised_by(standing: Iterable[Finding], state: OrderState) -> dict[Span, list[Raised]]:
    """What findings tell of the alerts that were raised for an order's windows."""
    raised: dict[Span, list[Raised]] = {}
    for finding in standing:
        if finding.order_id != state.order.order_id or finding.window is None or finding.raised_at is None:
            continue
        alarm = Raised(finding.episode or Span(finding.start, finding.end or finding.window.end), finding.raised_at)
        if alarm not in (known := raised.setdefault(finding.window, [])):
            known.append(alarm)
    return raised
