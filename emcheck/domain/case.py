"""A case: one wearer's live state. Judges the wearer's orders on the tracks of the units at their addresses.

Judging is a function of the facts so far and the instant; what it keeps between two judgements is what was
raised when, and the results of windows it need not look at again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from emcheck.domain import windows as curfew
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import AddressId, Ms, UnitId, WearerId
from emcheck.domain.instants import DAY
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Installation, Order
from emcheck.domain.rules import curfew_absence, curfew_accumulated, tag_strap
from emcheck.domain.rules.curfew_absence import Episode
from emcheck.domain.timeline import FOREVER, Source, Stretch, close_short_gaps, merge, source_timeline
from emcheck.domain.track import Track
from emcheck.domain.windows import Window

_LOOKBACK: Ms = 2 * DAY
"""Judging from a fact on begins this long before it: longer than any window and its neighbours."""


@dataclass(slots=True)
class Raised:
    """An alert that was raised for an episode in a window: what identifies it while facts revise it."""

    span: Span
    raised_at: Ms


@dataclass(slots=True)
class OrderState:
    """One order's windows, the findings of each as last judged, and its alerts' instants."""

    order: Order
    windows: list[Window]
    excused: list[Span]
    results: dict[Window, tuple[Finding, ...]] = field(default_factory=dict)
    raised: dict[Window, list[Raised]] = field(default_factory=dict)
    accumulated_at: Ms | None = None


class Case:
    """One wearer. `wake_at` is the next instant at which the judgement could change with no new fact."""

    def __init__(
        self,
        wearer_id: WearerId,
        orders: Iterable[Order],
        fittings: Iterable[Fitting],
        installations: Iterable[Installation],
        policy: Policy,
    ) -> None:
        self.wearer_id = wearer_id
        self.policy = policy
        self.fittings = tuple(fittings)
        self.orders = [
            OrderState(order, curfew.windows(order, order.starts_at, order.ends_at), curfew.absences(order))
            for order in orders
        ]
        self.sources = _sources(self.fittings, installations)
        self.units = {source.unit for sources in self.sources.values() for source in sources}
        """The units whose facts this case rests on."""
        self.wake_at: Ms = 0
        self.watching = False
        """An absence is known only up to some past instant and nothing ended it: the next fact may lengthen it."""

    def timeline(self, address: AddressId, tracks: Mapping[UnitId, Track]) -> list[Stretch]:
        """Known time at an address, short gaps closed, not clipped to any instant."""
        sources = self.sources.get(address, [])
        known = [(source, source_timeline(tracks[source.unit], source)) for source in sources]
        return close_short_gaps(merge(known), self.policy.ms("presence.leave_time_s")) if known else []

    def judge(self, tracks: Mapping[UnitId, Track], now: Ms, since: Ms) -> list[Finding]:
        """Judge the windows that time from `since` on may touch; all findings of the wearer, by order and start."""
        timelines: dict[AddressId, list[Stretch]] = {}
        self.watching, self.wake_at = False, FOREVER
        found: list[Finding] = []
        for state in self.orders:
            for window in state.windows:
                if window.start > now:
                    self.wake_at = min(self.wake_at, window.start)
                    break
                if window.end <= since - _LOOKBACK and window in state.results:
                    continue
                if window.address_id not in timelines:
                    timelines[window.address_id] = self.timeline(window.address_id, tracks)
                self._judge_window(state, window, timelines[window.address_id], now)
            found += self._order_findings(state, now)
        own = {unit: tracks[unit] for unit in self.units}
        return found + tag_strap.find(self.wearer_id, self.fittings, own, now, self.policy)

    def vary(self, state: OrderState, order: Order) -> None:
        """The order says otherwise from now on; what was raised for a window stays known."""
        state.order, state.windows = order, curfew.windows(order, order.starts_at, order.ends_at)
        state.excused, state.results = curfew.absences(order), {}

    def _judge_window(self, state: OrderState, window: Window, timeline: list[Stretch], now: Ms) -> None:
        episodes = curfew_absence.episodes(state.order, window, timeline, state.excused, now, self.policy)
        if window.end > now:
            self.wake_at = min(self.wake_at, window.end)
        found: list[Finding] = []
        raised: list[Raised] = []
        for episode in episodes:
            alarm = self._raise(state, window, episode, now)
            if alarm is not None:
                raised.append(alarm)
            found += [replace(finding, raised_at=alarm.raised_at if alarm else None) for finding in episode.findings]
            if episode.span.end == window.end and episode.last_end < min(window.end, now):
                self.watching = True
        state.results[window] = tuple(found)
        if window.end > now:
            ongoing = episodes[-1] if episodes and episodes[-1].goes_on else None
            self._look_ahead(state, timeline, ongoing, now, is_raised=bool(found) and found[-1].raised_at is not None)
        if raised or window in state.raised:
            state.raised[window] = raised

    def _raise(self, state: OrderState, window: Window, episode: Episode, now: Ms) -> Raised | None:
        """The alert of an episode: the one that was raised for it, or a new one if it is due (rule book 4)."""
        if episode.reached_at is None or episode.reached_at > now:
            return None
        for known in state.raised.get(window, []):
            if known.span.start < episode.span.end and episode.span.start < known.span.end:
                return Raised(episode.span, known.raised_at)
        return Raised(episode.span, now)

    def _look_ahead(
        self, state: OrderState, timeline: list[Stretch], ongoing: Episode | None, now: Ms, *, is_raised: bool
    ) -> None:
        """When an absence in an open window, if it goes on, next changes what is said of it."""
        last = next((stretch for stretch in reversed(timeline) if stretch.start <= now), None)
        if last is None or last.present:
            return
        if last.end < now:
            self.watching = True
            return
        unexcused_ms = ongoing.unexcused_ms if ongoing is not None else 0
        alert_after_ms = self.policy.ms("curfew.absence.alert_after_s")
        long_after_ms = self.policy.ms("curfew.absence.long_after_s")
        for step in (long_after_ms,) if ongoing is not None and is_raised else (alert_after_ms, long_after_ms):
            if unexcused_ms < step:
                self._wake_after(state, now, step - unexcused_ms)
        if state.accumulated_at is None:
            total_ms = sum(f.absent_ms or 0 for found in state.results.values() for f in found)
            spare_ms = curfew_accumulated.allowance_ms(state.order, self.policy) - total_ms
            self._wake_after(state, now, max(spare_ms, 0) + 1)

    def _wake_after(self, state: OrderState, now: Ms, unexcused_ms: Ms) -> None:
        ahead = curfew_absence.unexcused_pieces(now, FOREVER, state.excused)
        due = curfew_absence.instant_of(ahead, unexcused_ms)
        if due is not None:
            self.wake_at = min(self.wake_at, due)

    def _order_findings(self, state: OrderState, now: Ms) -> list[Finding]:
        absences = [finding for window in state.windows for finding in state.results.get(window, ())]
        exceeded = curfew_accumulated.find(state.order, absences, state.excused, now, self.policy)
        state.accumulated_at = None if exceeded is None else (state.accumulated_at or now)
        if exceeded is not None:
            absences.append(replace(exceeded, raised_at=state.accumulated_at))
        return absences


def _sources(fittings: Iterable[Fitting], installations: Iterable[Installation]) -> dict[AddressId, list[Source]]:
    """Every fitted tag at every installed unit, by address, where the two overlap in time (Presence 4)."""
    sources: dict[AddressId, list[Source]] = {}
    for installation in installations:
        for fitting in fittings:
            fitted = Span(fitting.fitted_at, fitting.removed_at or FOREVER)
            start = max(fitted.start, installation.installed_at)
            end = min(fitted.end, installation.removed_at or FOREVER)
            if start < end:
                source = Source(installation.unit, fitting.tag, fitted, Span(start, end))
                sources.setdefault(installation.address_id, []).append(source)
    return sources
