"""How a monitoring centre fares: alerts by wearer, rule and outcome, how fast they were seen, floods; beside targets.

Pure: from alerts and what happened to them. Sources of the targets stand beside them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emcheck.domain.alerts import Alert, AlertState, Step
from emcheck.domain.called import called
from emcheck.domain.ids import AlertId, Ms
from emcheck.domain.instants import DAY, MINUTE, format_ms
from emcheck.domain.policy import Policy
from emcheck.present.times import duration

Within = Mapping[str, tuple[tuple[Ms, float], ...]]
"""By priority: within what time which share of alerts is to be acknowledged."""
FLOOD = 10
FLOOD_SPAN: Ms = 10 * MINUTE
"""Alerts for one operator that nobody can attend to: 10 or more in 10 minutes (EEMUA 191 and ISA-18.2,
Monitoring and assessment; emcheck domain model, Alerts)."""
FLOOD_SHARE = 0.01
"""Of the time, at most (ISA-18.2, Monitoring and assessment; emcheck domain model, Alerts)."""
STALE: Ms = DAY
"""An alert that waits for longer is stale (ISA-18.2, Monitoring and assessment)."""
CHATTER = 3
"""So many alerts of one subject and rule within `FLOOD_SPAN` are chattering (ISA-18.2: several in a short time; the
number and the time are ours)."""
_MONTH: Ms = 30 * DAY


def within(policy: Policy) -> Within:
    """The policy's target times, and the shares: P1 80 % and 98.5 % (domain model, Alerts); 80 % of others is ours."""
    targets = policy.targets_ms()
    soon = {"P1": ((policy.ms("alert.target.P1_soon_s"), 0.80), (targets["P1"], 0.985))}
    return {priority: ((target_ms, 0.80),) for priority, target_ms in targets.items()} | soon


@dataclass(frozen=True, slots=True)
class Seen:
    """How fast the alerts of one priority were acknowledged: `within` is (limit in ms, share, target)."""

    priority: str
    raised: int
    acknowledged: int
    median_ms: Ms | None
    within: list[tuple[Ms, float | None, float]]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Everything at one look, of the time from `since` to `until`."""

    since: Ms
    until: Ms
    wearers: int
    alerts: int
    by_rule: Counter[str]
    by_priority: Counter[str]
    outcomes: Counter[str]
    withdrawn: int
    seen: list[Seen]
    flood_spans: int
    flood_share: float
    stale: int
    chattering: list[tuple[str, str, int]]
    by_batch: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Strap batch to straps fitted and alerts of `tag.strap`."""

    @property
    def per_wearer_month(self) -> float | None:
        """Alerts for a wearer in thirty days; None where nobody is monitored."""
        span = max(self.until - self.since, 1)
        return None if not self.wearers else self.alerts / self.wearers * _MONTH / span


def statistics(
    alerts: Iterable[Alert],
    steps: Iterable[Step],
    *,
    since: Ms,
    until: Ms,
    wearers: int,
    targets: Within,
    operators: int = 1,
    batches: Mapping[str, str] | None = None,
    straps: Mapping[str, int] | None = None,
) -> Statistics:
    """Of the alerts raised in `[since, until)`, beside `targets` (`within`).

    `batches` names the strap batch of a wearer, `straps` counts each.
    """
    known = {alert.alert_id: alert for alert in alerts if since <= alert.raised_at < until}
    first: dict[AlertId, dict[str, Ms]] = {}
    for step in _not_taken_back(steps):
        if step.alert_id in known:
            first.setdefault(step.alert_id, {}).setdefault(step.action, step.at)
    flooded = len(floods(known.values(), since=since, operators=operators))
    cut = Counter((batches or {}).get(a.wearer_id or "", "") for a in known.values() if a.rule == "tag.strap")
    return Statistics(
        since=since,
        until=until,
        wearers=wearers,
        alerts=len(known),
        by_rule=Counter(str(alert.rule) for alert in known.values()),
        by_priority=Counter(alert.priority for alert in known.values()),
        outcomes=Counter(_outcome(alert) for alert in known.values()),
        withdrawn=sum(alert.withdrawn for alert in known.values()),
        seen=[_seen(priority, known, first, targets.get(priority, ()), until) for priority in ("P1", "P2", "P3", "P4")],
        flood_spans=flooded,
        flood_share=flooded / max(-((since - until) // FLOOD_SPAN), 1),
        stale=sum(a.state is not AlertState.CLOSED and until - a.raised_at > STALE for a in known.values()),
        chattering=_chattering(known.values()),
        by_batch={batch: (count, cut[batch]) for batch, count in sorted((straps or {}).items())},
    )


def _not_taken_back(steps: Iterable[Step]) -> list[Step]:
    """Steps by time; an acknowledgement that was a mistake is none."""
    ordered = sorted(steps, key=lambda step: step.at)
    last: dict[AlertId, int] = {}
    mistakes: set[int] = set()
    for number, step in enumerate(ordered):
        if step.action == "acknowledged":
            last[step.alert_id] = number
        elif step.action == "unacknowledged" and step.alert_id in last:
            mistakes.add(last[step.alert_id])
    return [step for number, step in enumerate(ordered) if number not in mistakes]


def floods(alerts: Iterable[Alert], *, since: Ms, operators: int = 1) -> list[tuple[Ms, int]]:
    """The spans of `FLOOD_SPAN` from `since` on in which nobody could attend to all, each with how many were raised."""
    spans = Counter((alert.raised_at - since) // FLOOD_SPAN for alert in alerts)
    return [(since + span * FLOOD_SPAN, count) for span, count in sorted(spans.items()) if count >= FLOOD * operators]


def _outcome(alert: Alert) -> str:
    if alert.state is AlertState.CLOSED:
        return alert.disposition or "closed"
    return "withdrawn, open" if alert.withdrawn else "open"


def _seen(
    priority: str,
    known: Mapping[AlertId, Alert],
    first: Mapping[AlertId, Mapping[str, Ms]],
    targets: tuple[tuple[Ms, float], ...],
    until: Ms,
) -> Seen:
    """Those that were withdrawn before anyone saw them count neither way, nor do those whose time is not over yet."""
    waits: list[Ms] = []
    unseen: list[Ms] = []
    for name, alert in known.items():
        if alert.priority != priority:
            continue
        at = first.get(name, {}).get("acknowledged")
        gone = first.get(name, {}).get("withdrawn")
        if at is None and gone is not None:
            continue
        if at is not None:
            waits.append(at - alert.raised_at)
        else:
            unseen.append(until - alert.raised_at)
    waits.sort()
    within = [(limit, _share(waits, unseen, limit), target) for limit, target in targets]
    return Seen(priority, len(waits) + len(unseen), len(waits), waits[len(waits) // 2] if waits else None, within)


def _share(waits: list[Ms], unseen: list[Ms], limit: Ms) -> float | None:
    """Of those that were acknowledged or are overdue how many were acknowledged in time; None where there are none."""
    due = len(waits) + sum(waited > limit for waited in unseen)
    return sum(wait <= limit for wait in waits) / due if due else None


def _chattering(alerts: Iterable[Alert]) -> list[tuple[str, str, int]]:
    """Subject, rule and the most alerts within `FLOOD_SPAN`, the worst first."""
    raised: dict[tuple[str, str], list[Ms]] = {}
    for alert in alerts:
        raised.setdefault((alert.subject, str(alert.rule)), []).append(alert.raised_at)
    found = []
    for (subject, rule), instants in raised.items():
        instants.sort()
        most = max(sum(0 <= later - at < FLOOD_SPAN for later in instants) for at in instants)
        if most >= CHATTER:
            found.append((subject, rule, most))
    return sorted(found, key=lambda row: (-row[2], row))


def as_json(stats: Statistics) -> dict[str, Any]:
    """For programs; spans in seconds, targets beside what they are for."""
    from emcheck.domain.instants import format_ms

    return {
        "since": format_ms(stats.since),
        "until": format_ms(stats.until),
        "wearers": stats.wearers,
        "alerts": stats.alerts,
        "alerts_per_wearer_and_month": stats.per_wearer_month,
        "by_rule": dict(stats.by_rule),
        "by_priority": dict(stats.by_priority),
        "outcomes": dict(stats.outcomes),
        "withdrawn": stats.withdrawn,
        "acknowledged": [
            {
                "priority": seen.priority,
                "raised": seen.raised,
                "acknowledged": seen.acknowledged,
                "median_s": None if seen.median_ms is None else seen.median_ms / 1000,
                "within": [
                    {"seconds": limit / 1000, "share": share, "target": target} for limit, share, target in seen.within
                ],
            }
            for seen in stats.seen
        ],
        "floods": {"spans_of_10_min": stats.flood_spans, "share": stats.flood_share, "target": FLOOD_SHARE},
        "stale": stats.stale,
        "chattering": [{"subject": s, "rule": r, "within_10_min": n} for s, r, n in stats.chattering],
        "strap_batches": {batch: {"straps": n, "tampers": cut} for batch, (n, cut) in stats.by_batch.items()},
    }


Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, columns and rows."""


def tables(stats: Statistics) -> list[Table]:
    """For people: what is, and beside it what should be."""
    rate = stats.per_wearer_month
    load: list[tuple[str, ...]] = [
        ("alerts", str(stats.alerts), ""),
        ("wearers monitored", str(stats.wearers), ""),
        ("alerts a wearer and month", "none monitored" if rate is None else f"{rate:.1f}", ""),
        ("withdrawn by later facts", str(stats.withdrawn), ""),
        (
            "10 minutes in flood",
            f"{stats.flood_spans}, {stats.flood_share:.1%} of the time",
            f"under {FLOOD_SHARE:.0%}",
        ),
        ("stale, open for over a day", str(stats.stale), "none"),
    ]
    seen: list[tuple[str, ...]] = [
        (
            f"{one.priority} acknowledged within {duration(limit)}",
            f"{share:.1%} of {one.raised}" if share is not None else "none due yet" if one.raised else "none raised",
            f"{target:.1%}",
        )
        for one in stats.seen
        for limit, share, target in one.within
    ]
    title = f"{format_ms(stats.since)} to {format_ms(stats.until)}"
    return [
        (title, ("figure", "is", "target"), load + seen),
        (
            "By what they are", ("what", "rule", "alerts"),
            [(called(rule), rule, str(n)) for rule, n in stats.by_rule.most_common()],
        ),
        ("Outcomes", ("outcome", "alerts"), _counted(stats.outcomes)),
        (
            "Chattering", ("who", "what", "rule", "in 10 minutes"),
            [(s, called(r), r, str(n)) for s, r, n in stats.chattering],
        ),
        (
            "Strap batches", ("batch", "fitted", "cut or open"),
            [(batch, str(n), str(cut)) for batch, (n, cut) in stats.by_batch.items()],
        ),
    ]  # fmt: skip


def _counted(counts: Counter[str]) -> list[tuple[str, ...]]:
    return [(name.replace("_", " "), str(n)) for name, n in counts.most_common()]
