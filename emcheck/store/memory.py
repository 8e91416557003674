"""The store for tests: the same contract, nothing kept after `close()`."""

from collections.abc import AsyncIterator, Sequence
from itertools import islice

from emcheck.domain.alerts import Alert, Step
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instants import DAY
from emcheck.domain.publishing import StoredPolicy
from emcheck.domain.receipt import QuarantineCount
from emcheck.ports import (
    AlertChange,
    Checkpoint,
    Commit,
    Deadline,
    Delivery,
    InboxRow,
    Letter,
    OutboxItem,
    Owed,
    Person,
    Quarantined,
    StoredRegister,
    StoreError,
)
from emcheck.store.memory_desk import MemoryDesk
from emcheck.store.rows import event_id, is_open, quarantine_kept, storable
from emcheck.store.spill import SpilledInbox


class MemoryStore(MemoryDesk):
    """`emcheck.desk.Desk` without a database. `database_id` is the caller's, so that a replay repeats itself."""

    def __init__(self, *, database_id: str = "0" * 26) -> None:
        super().__init__()
        self._database_id = database_id
        self._inbox: SpilledInbox | None = None
        self._counters: dict[str, int] = {}
        self._quarantine: list[Quarantined] = []
        self._findings: dict[str, dict[str, Finding]] = {}
        self._alerts: dict[str, Alert] = {}
        self._history: dict[str, list[AlertChange]] = {}
        self._changes: list[AlertChange] = []
        self._outbox: list[OutboxItem] = []
        self._event_ids: set[str] = set()
        self._delivered: dict[str, int] = {}
        self._targets: dict[int, str] = {}
        self._deliveries: dict[tuple[str, int, str], Delivery] = {}
        self._deadlines: dict[str, Ms] = {}
        self._checkpoints: dict[UnitId, dict[int, Checkpoint]] = {}
        self._registers: list[StoredRegister] = []
        self._policies: list[StoredPolicy] = []
        self._letters: dict[int, tuple[Letter, str | None]] = {}
        self._people: dict[str, Person] = {}

    @property
    def database_id(self) -> str:
        """The ULID that acknowledgements would carry."""
        return self._database_id

    @property
    def _rows(self) -> SpilledInbox:
        if self._inbox is None:
            raise StoreError("the store in memory is not open", remedy="open() the store first", transient=False)
        return self._inbox

    async def open(self) -> None:
        """Make ready for rows."""
        if self._inbox is not None:
            raise StoreError("the store in memory is open already", remedy="open() it once", transient=False)
        self._inbox = SpilledInbox()

    async def close(self) -> None:
        """Forget the rows."""
        if self._inbox is not None:
            self._inbox.close()
            self._inbox = None

    async def acknowledging(self) -> bool:
        """Always: nothing in memory was ever restored or copied."""
        return True

    async def confirm_acknowledging(self) -> None:
        """Nothing to confirm."""

    async def reserve_counter(self, name: str, span: int) -> int:
        """The first of `span` numbers never given out before under `name`. Counts from 1."""
        if span < 1:
            raise ValueError(f"a span is at least 1, not {span}")
        first = self._counters.get(name, 1)
        self._counters[name] = first + span
        return first

    # --- writing ------------------------------------------------------------------------------------------

    async def commit(self, commit: Commit) -> None:
        """Write all of it, or nothing."""
        self._rows.check(commit.inbox)
        self._check_published(commit.policies)
        self._check_owed(commit.alerts)
        for row in commit.inbox:
            self._rows.append(row)
        self._quarantine.extend(quarantine_kept(item) for item in commit.quarantine)
        for subject, key in commit.findings_gone:
            self._findings.get(storable(subject), {}).pop(storable(key), None)
        for finding in commit.findings:
            self._findings.setdefault(storable(finding.subject), {})[storable(finding.key)] = finding
        for change in commit.alerts:
            self._change_alert(change)
        for deadline in commit.deadlines:
            self._deadlines[storable(deadline.subject)] = deadline.due
        for person in commit.people:
            self._people[person.wearer_id] = person
        self._policies += commit.policies
        self._keep_deliveries(commit.deliveries)
        for number, outcome in commit.answers:
            self._letters[number] = (self._letters[number][0]._replace(body=b""), storable(outcome))
        for checkpoint in commit.checkpoints:
            self._checkpoints.setdefault(checkpoint.unit, {})[checkpoint.row_id] = checkpoint

    def _check_published(self, policies: Sequence[StoredPolicy]) -> None:
        known = {(policy.name, policy.version) for policy in self._policies}
        if any((policy.name, policy.version) in known for policy in policies):
            raise StoreError(
                "a version of a policy is published twice",
                remedy="report this with the log: it is a fault in emcheck",
                transient=False,
            )

    def _check_owed(self, changes: Sequence[AlertChange]) -> None:
        owed = [event_id(change.alert) for change in changes if change.published is not None]
        if len(set(owed)) < len(owed) or not self._event_ids.isdisjoint(owed):
            raise StoreError(
                f"one revision of an alert is published twice ({', '.join(owed)})",
                remedy="report this with the log: it is a fault in emcheck",
                transient=False,
            )

    def _change_alert(self, change: AlertChange) -> None:
        alert = change.alert
        self._alerts[alert.alert_id] = alert
        kept = change._replace(by=storable(change.by), note=storable(change.note), published=None)
        self._history.setdefault(alert.alert_id, []).append(kept)
        self._changes.append(kept)
        if change.published is None:
            return
        name = event_id(alert)
        self._event_ids.add(name)
        number, subject = len(self._outbox) + 1, storable(alert.subject)
        owed = OutboxItem(number, subject, alert.alert_id, name, alert.priority, change.at, change.published)
        self._outbox.append(owed)
        if change.to is not None:
            self._targets[number] = storable(change.to)

    # --- the inbox and folded state -----------------------------------------------------------------------

    async def last_row(self) -> InboxRow | None:
        """The newest inbox row."""
        return self._rows.row(len(self._rows) - 1) if len(self._rows) else None

    async def inbox_after(self, row_id: int, *, unit: UnitId | None = None) -> AsyncIterator[InboxRow]:
        """Rows after `row_id`, in order of arrival; with `unit` those of one and all instructions."""
        place = self._rows.place_after(row_id)
        while place < len(self._rows):
            row = self._rows.row(place)
            if unit is None or row.unit == unit or row.kind == "instruction":
                yield row
            place += 1

    async def unit_history(self, *, newest: int, after: int) -> list[InboxRow]:
        """One unit's rows from `newest` back along `previous` down to, not including, `after`; oldest first."""
        return self._rows.history(newest=newest, after=after)

    async def checkpoints(self) -> AsyncIterator[Checkpoint]:
        """The newest checkpoint of each unit."""
        for taken in list(self._checkpoints.values()):
            yield taken[max(taken)]

    async def prune_checkpoints(self) -> int:
        """Remove those that a newer one of the same unit replaced; returns how many went."""
        gone = sum(len(taken) - 1 for taken in self._checkpoints.values())
        self._checkpoints = {unit: {max(taken): taken[max(taken)]} for unit, taken in self._checkpoints.items()}
        return gone

    # --- register and people ------------------------------------------------------------------------------

    async def register(self) -> StoredRegister | None:
        """The register in force."""
        return self._registers[-1] if self._registers else None

    async def registers(self) -> list[StoredRegister]:
        """Every register that was ever loaded, in order."""
        return list(self._registers)

    async def save_register(self, register: StoredRegister, people: Sequence[Person]) -> None:
        """Put a register in force; people are replaced."""
        last = await self.last_row()
        self._registers.append(register._replace(as_of_row=last.row_id if last is not None else 0))
        self._people = {person.wearer_id: person for person in people}

    async def policies(self) -> list[StoredPolicy]:
        """Every version of every policy that was published, in order."""
        return list(self._policies)

    async def instructions_after(self, row_id: int) -> list[InboxRow]:
        """The instructions in the inbox after `row_id`, in order."""
        rows = (self._rows.row(place) for place in range(self._rows.place_after(row_id), len(self._rows)))
        return [row for row in rows if row.kind == "instruction"]

    async def post(self, body: bytes, at: Ms) -> int:
        """Leave an instruction for the decision loop; its number. Answers that are a day old go."""
        number = max(self._letters, default=0) + 1
        for old, (letter, outcome) in list(self._letters.items()):
            if outcome is not None and letter.posted_at < at - DAY:
                del self._letters[old]
        self._letters[number] = (Letter(number, at, body), None)
        return number

    async def letters(self) -> list[Letter]:
        """Instructions that wait, oldest first."""
        return [letter for letter, outcome in self._letters.values() if outcome is None]

    async def outcome(self, number: int) -> str | None:
        """What became of a letter; None while it waits."""
        return self._letters[number][1] if number in self._letters else None

    async def answered(self) -> list[tuple[Letter, str]]:
        """Letters of the last day or so with what became of them, oldest first; their text is gone."""
        return [(letter, outcome) for letter, outcome in self._letters.values() if outcome is not None]

    async def people(self, wearer_id: str | None = None) -> list[Person]:
        """All personal data held, by wearer, or what is held of one."""
        held = (person for person in self._people.values() if wearer_id in (None, person.wearer_id))
        return sorted(held, key=lambda p: p.wearer_id)

    async def erase_person(self, wearer_id: str) -> bool:
        """Erase one wearer's personal data; False if none was held."""
        self._erase_photos(wearer_id)
        return self._people.pop(wearer_id, None) is not None

    # --- verdicts -----------------------------------------------------------------------------------------

    async def findings(
        self, subject: str | None = None, *, live_after: Ms | None = None, rule: str | None = None
    ) -> list[Finding]:
        """Findings that hold, of one subject, of one rule or all; with `live_after` those that go on then."""
        of = list(self._findings.values()) if subject is None else [self._findings.get(storable(subject), {})]
        found = [
            f
            for held in of
            for f in held.values()
            if (live_after is None or _lives(f, live_after)) and rule in (None, f.rule)
        ]
        return sorted(found, key=lambda f: (f.start, f.subject, f.key))

    async def alerts(self, *, open_only: bool, subjects: Sequence[str] | None = None) -> list[Alert]:
        """Alerts by `raised_at`, of some subjects or of all; `open_only` leaves out what is closed."""
        wanted = (
            alert
            for alert in self._alerts.values()
            if (is_open(alert) or not open_only) and (subjects is None or alert.subject in subjects)
        )
        return sorted(wanted, key=lambda a: (a.raised_at, a.alert_id))

    async def alerts_named(self, names: Sequence[str]) -> list[Alert]:
        """The alerts of these ids, in any order."""
        return [self._alerts[name] for name in names if name in self._alerts]

    async def open_alerts(self, *, after: tuple[Ms, str], limit: int) -> list[tuple[Ms, str]]:
        """When alerts that are open were raised, and their ids, in this order from the one after `after`."""
        named = sorted((alert.raised_at, name) for name, alert in self._alerts.items() if is_open(alert))
        return [one for one in named if one > after][:limit]

    async def alert_histories(self, names: Sequence[str]) -> list[list[AlertChange]]:
        """What happened to each of these alerts, each oldest first; at most 500 ids."""
        return [list(self._history[name]) for name in names if name in self._history]

    async def alerts_under(self, incident: str, *, open_only: bool, limit: int = 1 << 31) -> list[Alert]:
        """The alerts that an incident accounts for, by `raised_at`, at most `limit`."""
        return [a for a in await self.alerts(open_only=open_only) if a.incident == incident][:limit]

    async def alert_history(self, alert_id: str) -> list[AlertChange]:
        """What happened to an alert, oldest first (`published` is not kept: None)."""
        return list(self._history.get(alert_id, ()))

    async def alert_steps(self, since: Ms) -> list[Step]:
        """What happened to all alerts from `since` on, in the order in which it was written."""
        return [Step(c.alert.alert_id, c.action, c.at, c.by) for c in self._changes if c.at >= since]

    async def deadlines_due(self, at: Ms) -> list[Deadline]:
        """Deadlines due at or before `at`, earliest first."""
        due = (Deadline(subject, when) for subject, when in self._deadlines.items() if when <= at)
        return sorted(due, key=lambda d: (d.due, d.subject))

    # --- quarantine and outbox ----------------------------------------------------------------------------

    async def quarantined(self, *, limit: int, after: int = 0) -> list[tuple[int, Quarantined]]:
        """Refused input, oldest first, with its number; from the one after `after`."""
        return list(enumerate(self._quarantine[after : after + limit], start=after + 1))

    async def quarantine_counts(self) -> list[QuarantineCount]:
        """Counts of refused input by unit and reason."""
        counts: dict[tuple[str | None, str], QuarantineCount] = {}
        for item in self._quarantine:
            seen = counts.get((item.unit, item.reason))
            number, last = (1, item.received_at) if seen is None else (seen.messages + 1, seen.last_received_at)
            last = max(last, item.received_at)
            counts[item.unit, item.reason] = QuarantineCount(item.unit, item.reason, number, last)
        return sorted(counts.values(), key=lambda c: (c.unit or "", c.reason))

    async def outbox_after(self, publisher: str, *, limit: int) -> list[OutboxItem]:
        """What `publisher` has not delivered yet, in order."""
        delivered = self._delivered.get(storable(publisher), 0)
        return self._outbox[delivered : delivered + limit]

    async def outbox_delivered(self, publisher: str, item_id: int) -> None:
        """`publisher` has delivered everything up to `item_id`; what was delivered stays so."""
        publisher = storable(publisher)
        self._delivered[publisher] = max(item_id, self._delivered.get(publisher, 0))

    async def owed_to(self, publisher: str, targets: Sequence[str], *, after: int, limit: int) -> list[Owed]:
        """What `publisher` has not told these targets yet, in order from the item after `after`, each with its alert.

        One look at both, so that they agree.
        """
        owed = (
            Owed(item, self._targets[item.item_id], self._alerts[item.alert_id])
            for item in self._outbox[self._delivered.get(storable(publisher), 0) :]
            if self._targets.get(item.item_id) in targets and item.item_id > after
        )
        return list(islice(owed, limit))

    def _keep_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            kept = one._replace(alert_id=storable(one.alert_id), consumer=storable(one.consumer))
            self._deliveries.setdefault(kept[:3], kept)

    async def note_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Keep who has what; of what is known already, the first word counts."""
        self._keep_deliveries(deliveries)

    async def deliveries(self, names: Sequence[str]) -> list[Delivery]:
        """What is known to have arrived of these alerts."""
        return [kept for kept in self._deliveries.values() if kept.alert_id in names]


def _lives(finding: Finding, after: Ms) -> bool:
    end = finding.end if finding.window is None else finding.window.end
    return end is None or end > after
