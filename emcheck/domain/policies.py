"""The published policies of a service: for each name a line of versions, each in force from its own time on.

Which version judges what (docs/adr/0023):

1. A curfew window is judged by the version in force at its start, of the line that its order names (`policy`), else of
   the service's own. What an order may add up to is told by the version in force when the order begins.
2. What is told of a wearer's tags and papers goes by the line of the wearer's earliest order, by the version in force
   when what is told began. What is told of a unit goes by the service's own line, likewise.
3. How facts are read (`terms`) goes by the service's own line and by each fact's own time.
4. What runs in receive time goes by the version in force at that receipt, as was known then (`Line.then`).
5. A published version never changes. One that begins before it became known asks for a reason.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence

from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.policy import Policy, PolicyError
from emcheck.domain.register import Order


class Line:
    """The versions of one policy, by the time from which each is in force; of two with one time the later published."""

    __slots__ = ("_first", "_froms", "_late", "versions")

    def __init__(self, first: Policy) -> None:
        self.versions = [first]
        self._first = first
        self._froms = [first.effective_at]
        self._late: dict[str, Ms] = {}
        """When versions became known that were in force before."""

    @property
    def name(self) -> str:
        """What orders call it."""
        return self.versions[0].name

    def add(self, policy: Policy, known_at: Ms) -> None:
        """One more version, known from an instant on."""
        if policy.effective_at < known_at:
            self._late[policy.version] = known_at
        insort(self.versions, policy, key=lambda version: version.effective_at)
        self._froms = [version.effective_at for version in self.versions]

    def at(self, at: Ms) -> Policy:
        """The version in force at an instant; before the first of them, the first."""
        if at >= self._froms[-1]:
            return self.versions[-1]
        return self.versions[max(bisect_right(self._froms, at) - 1, 0)]

    def then(self, at: Ms) -> Policy:
        """The version in force at an instant as was known at that instant (4)."""
        if not self._late:
            return self.at(at)
        begun = self.versions[: bisect_right(self._froms, at)]
        return next((v for v in reversed(begun) if self._late.get(v.version, at) <= at), self._first)

    def lasting(self, now: Ms) -> list[Policy]:
        """The versions that are in force or will be."""
        return [policy for policy, span in self.spans() if span.start < span.end and span.end > now]

    def most_ms(self, key: str) -> Ms:
        """The longest span under `key` in any version."""
        return max(version.ms(key) for version in self.versions)

    def spans(self) -> list[tuple[Policy, Span]]:
        """Each version with the time in which it is in force."""
        edges = [-FOREVER, *self._froms[1:], FOREVER]
        return [(policy, Span(*edges[place : place + 2])) for place, policy in enumerate(self.versions)]

    def judged(self, find: Callable[[Policy], Iterable[Finding]]) -> Iterator[Finding]:
        """What a rule finds, each by the version in force when it began (2).

        When a finding began must not hang on the policy; where it does, the rule itself asks for the version.
        """
        if len(self.versions) == 1:
            yield from find(self.versions[0])
            return
        for policy, span in self.spans():
            if span.start < span.end:
                yield from (finding for finding in find(policy) if span.start <= finding.start < span.end)


class Policies:
    """All lines by name; `own` is the service's, for units and for orders that name none."""

    def __init__(self, own: Policy, *others: Policy) -> None:
        self.own = Line(own)
        self.lines = {own.name: self.own}
        for policy in others:
            self.publish(policy, -FOREVER)

    def line(self, name: str | None) -> Line:
        """The line of that name; the service's own for None, and for one that came in before names were looked at."""
        return self.own if name is None else self.lines.get(name, self.own)

    def window(self, order: Order, start: Ms) -> Policy:
        """What judges a window of an order (1)."""
        return self.line(order.policy).at(start)

    def of(self, order: Order) -> Policy:
        """What the order as a whole is judged by (1)."""
        return self.line(order.policy).at(order.starts_at)

    def of_wearer(self, orders: Sequence[Order]) -> Line:
        """What the wearer's tags and papers are judged by (2)."""
        return self.line(min(orders, key=lambda order: (order.starts_at, order.order_id)).policy)

    def known(self, name: str, version: str) -> Policy | None:
        """A published version."""
        line = self.lines.get(name)
        return next((policy for policy in line.versions if policy.version == version), None) if line else None

    def sha256(self, label: str) -> str:
        """The hash of the version that findings call so; empty where it is not known."""
        known = self.known(*label.rsplit("@", 1)) if "@" in label else None
        return known.sha256 if known is not None else ""

    def check(self, policy: Policy, at: Ms, *, retroactive: bool) -> bool:
        """Whether it is to be published, or stands here already; PolicyError says why it cannot be (5)."""
        known = self.known(policy.name, policy.version)
        if known is not None and known.sha256 != policy.sha256:
            raise PolicyError(
                f"version: {policy.label} is published with another content; what is published never changes: "
                f"give this one another version"
            )
        if known is None and self.is_retroactive(policy, at) and not retroactive:
            raise PolicyError(
                f"effective_at: {format_ms(policy.effective_at)} is past, and {policy.name} has judged since; let it "
                "begin later, or say why it is to be judged again (`emcheck policy publish --retroactive WHY`)"
            )
        return known is None

    def is_retroactive(self, policy: Policy, at: Ms) -> bool:
        """Whether it begins before it is known and its line has judged: the first of a line changes nothing."""
        return policy.name in self.lines and policy.effective_at < at

    def publish(self, policy: Policy, known_at: Ms) -> None:
        """One more version, known from an instant on; what is published already is not published twice."""
        if self.check(policy, -FOREVER, retroactive=True):
            line = self.lines.get(policy.name)
            if line is None:
                self.lines[policy.name] = Line(policy)
            else:
                line.add(policy, known_at)

    def unpublished(self, orders: Iterable[Order]) -> tuple[int, str] | None:
        """The place of the first order whose policy is not published, and what is wrong; None where all are."""
        for number, order in enumerate(orders):
            if order.policy is not None and order.policy not in self.lines:
                published = ", ".join(sorted(self.lines))
                return number, (
                    f"no policy {order.policy!r} is published; there are {published}. Publish it first "
                    "(`emcheck policy publish`), or leave it out for the service's own"
                )
        return None
