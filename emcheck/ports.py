"""The protocols by which peers on floor one are handed to each other; the service composes them.

Everything one transaction writes is one value, `Commit`; whoever decides does not write and whoever
writes does not decide.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from emcheck.domain.alerts import Alert, Step
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.publishing import StoredPolicy
from emcheck.domain.receipt import QuarantineCount

INBOX_KINDS = ("up", "instruction", "service", "heard")
"""What `InboxRow.kind` may be; the inbox keeps the place in this tuple, so it only grows at its end."""


class InboxRow(NamedTuple):
    """One received line, kept for ever, in order of arrival.

    `kind` is `up`, `instruction`, `service` or `heard` (a message of the unit that brought nothing new, but showed
    that its link is up; it has no payload); `payload` the bytes as received (for `up`) or JSON;
    `previous` is the row id of the same unit's row before it (None: the first, or not of a unit), so
    that one unit's history is walked without an index.
    """

    row_id: int
    received_at: Ms
    kind: str
    unit: UnitId | None
    previous: int | None
    payload: bytes


class Quarantined(NamedTuple):
    """Input that could not be used, whole, with the reason (protocol.md, Bad input)."""

    received_at: Ms
    topic: str
    unit: str | None
    reason: str
    detail: str
    payload: bytes
    boot: str | None = None
    first_seq: int | None = None
    last_seq: int | None = None


class AlertChange(NamedTuple):
    """An alert after a change, what the change was, and when it became known.

    `published` is the CloudEvents body to deliver, or None where nothing is to be told; `to` names a contact and one of
    its channels that are to be notified beside the queue, as `supervisor page`.
    """

    alert: Alert
    action: str
    at: Ms
    by: str
    note: str
    published: bytes | None
    to: str | None = None


class Checkpoint(NamedTuple):
    """A unit's folded state after inbox row `row_id`; what followed is integrated on top of it."""

    unit: UnitId
    row_id: int
    at: Ms
    state: bytes


class Deadline(NamedTuple):
    """The next instant at which `subject` must be judged though nothing arrives; kept early, never late."""

    subject: str
    due: Ms


class Delivery(NamedTuple):
    """Somebody has what was published of an alert: `consumer` confirmed that revision at `at`."""

    alert_id: str
    revision: int
    consumer: str
    at: Ms


class Person(NamedTuple):
    """Personal data of a wearer, erasable while the facts stay."""

    wearer_id: str
    name: str | None
    notes: bytes


class Letter(NamedTuple):
    """An instruction that waits for the decision loop; JSON as it was posted."""

    number: int
    posted_at: Ms
    body: bytes


class Answer(NamedTuple):
    """What became of a letter: `outcome` is `done`, or why it was refused. Its text is not kept."""

    number: int
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What one transaction writes. `findings_gone` are keys per subject of findings that no longer hold."""

    inbox: Sequence[InboxRow] = ()
    quarantine: Sequence[Quarantined] = ()
    findings: Sequence[Finding] = ()
    findings_gone: Sequence[tuple[str, str]] = ()
    alerts: Sequence[AlertChange] = ()
    deadlines: Sequence[Deadline] = ()
    checkpoints: Sequence[Checkpoint] = ()
    answers: Sequence[Answer] = ()
    people: Sequence[Person] = ()
    policies: Sequence[StoredPolicy] = ()
    deliveries: Sequence[Delivery] = ()


class OutboxItem(NamedTuple):
    """One delivery owed to every publisher: `item_id` rises; `event_id` is the same at each delivery."""

    item_id: int
    subject: str
    alert_id: str
    event_id: str
    priority: str
    created_at: Ms
    body: bytes


class Owed(NamedTuple):
    """A notification that is owed to a contact: `to` is contact and channel, `alert` as it stands at this moment."""

    item: OutboxItem
    to: str
    alert: Alert


class StoredRegister(NamedTuple):
    """The register that was loaded: JSON without personal data, its hash, and when.

    `as_of_row` is the newest inbox row then: instructions after it change this register.
    """

    sha256: str
    loaded_at: Ms
    body: bytes
    as_of_row: int = 0


class StoreError(Exception):
    """The database failed. `remedy` says what would help; `transient` whether trying again may."""

    def __init__(self, message: str, *, remedy: str, transient: bool) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.transient = transient


class Store(Protocol):
    """Durable memory. Every implementation passes `tests/store/contract.py`. All errors are StoreError."""

    @property
    def database_id(self) -> str:
        """The ULID of this database: the `store` of every acknowledgement."""
        ...

    async def open(self) -> None:
        """Connect; create or migrate the schema; refuse a database newer than the code."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...

    async def acknowledging(self) -> bool:
        """False while a restored or copied database waits for an operator's word."""
        ...

    async def confirm_acknowledging(self) -> None:
        """An operator confirms that this database is the one that may acknowledge."""
        ...

    async def reserve_counter(self, name: str, span: int) -> int:
        """The first of `span` numbers never given out before under `name`; survives a crash."""
        ...

    async def commit(self, commit: Commit) -> None:
        """Write all of it in one durable transaction, or nothing."""
        ...

    async def last_row(self) -> InboxRow | None:
        """The newest inbox row."""
        ...

    def inbox_after(self, row_id: int, *, unit: UnitId | None = None) -> AsyncIterator[InboxRow]:
        """Rows after `row_id`, in order of arrival; with `unit` those of one and all instructions."""
        ...

    async def unit_history(self, *, newest: int, after: int) -> list[InboxRow]:
        """One unit's rows from `newest` back along `previous` down to, not including, `after`; oldest first."""
        ...

    def checkpoints(self) -> AsyncIterator[Checkpoint]:
        """The newest checkpoint of each unit."""
        ...

    async def prune_checkpoints(self) -> int:
        """Remove those that a newer one of the same unit replaced; returns how many went."""
        ...

    async def register(self) -> StoredRegister | None:
        """The register in force."""
        ...

    async def registers(self) -> list[StoredRegister]:
        """Every register that was ever loaded, in order."""
        ...

    async def save_register(self, register: StoredRegister, people: Sequence[Person]) -> None:
        """Put a register in force as of the newest inbox row; people are replaced, earlier registers stay."""
        ...

    async def policies(self) -> list[StoredPolicy]:
        """Every version of every policy that was published, in order; one name and version stands once."""
        ...

    async def instructions_after(self, row_id: int) -> list[InboxRow]:
        """The instructions in the inbox after `row_id`, in order."""
        ...

    async def post(self, body: bytes, at: Ms) -> int:
        """Leave an instruction for the decision loop; its number."""
        ...

    async def letters(self) -> list[Letter]:
        """Instructions that wait, oldest first."""
        ...

    async def outcome(self, number: int) -> str | None:
        """What became of a letter; None while it waits."""
        ...

    async def answered(self) -> list[tuple[Letter, str]]:
        """Letters of the last day or so with what became of them, oldest first; their text is gone."""
        ...

    async def people(self, wearer_id: str | None = None) -> list[Person]:
        """All personal data held, or what is held of one wearer."""
        ...

    async def erase_person(self, wearer_id: str) -> bool:
        """Erase one wearer's personal data; facts and findings stay. False if none was held."""
        ...

    async def findings(
        self, subject: str | None = None, *, live_after: Ms | None = None, rule: str | None = None
    ) -> list[Finding]:
        """Findings that hold, of one subject, rule or all, by start; with `live_after` those that end later.

        The end that counts is the window's where there is one.
        """
        ...

    async def alerts(self, *, open_only: bool, subjects: Sequence[str] | None = None) -> list[Alert]:
        """Alerts by `raised_at`, of at most 500 subjects or of all; `open_only` leaves out what is closed."""
        ...

    async def alerts_named(self, names: Sequence[str]) -> list[Alert]:
        """The alerts of these ids, in any order; at most 500 ids."""
        ...

    async def open_alerts(self, *, after: tuple[Ms, str], limit: int) -> list[tuple[Ms, str]]:
        """When alerts that are open were raised, and their ids, in this order from the one after `after`."""
        ...

    async def alert_histories(self, names: Sequence[str]) -> list[list[AlertChange]]:
        """What happened to each of these alerts, each oldest first; at most 500 ids."""
        ...

    async def alerts_under(self, incident: str, *, open_only: bool, limit: int = 1 << 31) -> list[Alert]:
        """The alerts that an incident accounts for, by `raised_at`; of more than `limit` the first."""
        ...

    async def alert_history(self, alert_id: str) -> list[AlertChange]:
        """What happened to an alert, oldest first (`published` is not kept: None)."""
        ...

    async def alert_steps(self, since: Ms) -> list[Step]:
        """What happened to all alerts from `since` on, in the order in which it was written."""
        ...

    async def deadlines_due(self, at: Ms) -> list[Deadline]:
        """Deadlines due at or before `at`, earliest first."""
        ...

    async def quarantined(self, *, limit: int, after: int = 0) -> list[tuple[int, Quarantined]]:
        """Refused input, oldest first, with its number; from the one after `after`."""
        ...

    async def quarantine_counts(self) -> list[QuarantineCount]:
        """Counts of refused input by unit and reason."""
        ...

    async def outbox_after(self, publisher: str, *, limit: int) -> list[OutboxItem]:
        """What `publisher` has not delivered yet, in order."""
        ...

    async def outbox_delivered(self, publisher: str, item_id: int) -> None:
        """`publisher` has delivered everything up to `item_id`."""
        ...

    async def owed_to(self, publisher: str, targets: Sequence[str], *, after: int, limit: int) -> list[Owed]:
        """What `publisher` has not told these targets yet, in order from the item after `after`, each with its alert.

        One look at both, so that they agree.
        """
        ...

    async def note_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Keep who has what; of what is known already, the first word counts."""
        ...

    async def deliveries(self, names: Sequence[str]) -> list[Delivery]:
        """What is known to have arrived of these alerts; at most 500 ids."""
        ...


class Message(NamedTuple):
    """One MQTT message as received. `retained` tells a stale copy that the broker kept."""

    topic: str
    payload: bytes
    retained: bool
    received_at: Ms


class Downlink(NamedTuple):
    """A message for one unit's `down` topic (QoS 0, may be lost)."""

    unit: UnitId
    payload: bytes


class Transport(Protocol):
    """The MQTT side. Drops on a full queue are counted and harmless: undone by the end-to-end acknowledgement."""

    async def receive(self, *, most: int, linger_s: float) -> list[Message]:
        """Wait for a message, then take up to `most` of what comes within `linger_s`; in order."""
        ...

    def waiting(self) -> int:
        """How many messages are received and not yet taken."""
        ...

    def oldest_waiting(self) -> Ms | None:
        """When the oldest of them was received; None where there is none."""
        ...

    async def send(self, downlinks: Sequence[Downlink]) -> None:
        """Send at once or drop: a unit that misses one asks again. Never raises for a lost link."""
        ...

    async def publish_alert(self, *, priority: str, body: bytes) -> None:
        """Publish on `em/v1/alerts/{priority}`, QoS 1; ConnectionError if the broker did not take it."""
        ...


class Publisher(Protocol):
    """Takes alerts to where they are watched. At least once, in order per subject.

    `confirms`: whether what is delivered is known to have reached a consumer, and not a hop on the way only.
    """

    name: str
    confirms: bool

    async def publish(self, item: OutboxItem) -> None:
        """Deliver one item; any exception means: not delivered, try again later."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...
