"""What can be asked of a SQL store. Reads see what is committed, in short transactions that hold up no writer."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncEngine

from emcheck.domain.alerts import Alert, Step
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.publishing import StoredPolicy
from emcheck.domain.receipt import QuarantineCount
from emcheck.ports import (
    INBOX_KINDS,
    AlertChange,
    Checkpoint,
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
from emcheck.store import queries
from emcheck.store.errors import translated
from emcheck.store.rows import alert_from, finding_from, is_open, storable

PAGE_ROWS = 500
"""Rows read in one short transaction: a reader that stays in one keeps SQLite's log from being cut back."""


def _inbox_row(row: Row[*tuple[Any, ...]]) -> InboxRow:
    row_id, received_at, kind, name, previous, payload = row
    return InboxRow(row_id, received_at, INBOX_KINDS[kind], name, previous, payload)


class SqlReads:
    """The reading half of `SqlStore`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._reader: AsyncEngine | None = None

    async def _rows(self, statement: Executable, **values: Any) -> list[Row[*tuple[Any, ...]]]:
        if self._reader is None:
            raise not_open(self._name)
        self._check_in_place()
        with translated(self._name):
            async with self._reader.connect() as connection:
                return list((await connection.execute(statement, values)).all())

    def _check_in_place(self) -> None:
        """StoreError where the database is no longer where it was opened."""

    async def acknowledging(self) -> bool:
        """False while a restored or copied database waits for an operator's word."""
        rows = await self._rows(queries.ACKNOWLEDGING)
        return bool(rows) and rows[0][0] == "yes"

    async def last_row(self) -> InboxRow | None:
        """The newest inbox row."""
        return next(map(_inbox_row, await self._rows(queries.LAST_ROW)), None)

    async def inbox_after(self, row_id: int, *, unit: UnitId | None = None) -> AsyncIterator[InboxRow]:
        """Rows after `row_id`, in order of arrival; with `unit` those of one and all instructions."""
        page_of, of = (queries.INBOX_PAGE, {}) if unit is None else (queries.INBOX_PAGE_OF, {"unit": storable(unit)})
        while page := await self._rows(page_of, after=row_id, most=PAGE_ROWS, **of):
            for row in page:
                yield _inbox_row(row)
            row_id = page[-1][0]

    async def unit_history(self, *, newest: int, after: int) -> list[InboxRow]:
        """One unit's rows from `newest` back along `previous` down to, not including, `after`; oldest first."""
        return [_inbox_row(row) for row in await self._rows(queries.UNIT_HISTORY, newest=newest, after=after)]

    async def checkpoints(self) -> AsyncIterator[Checkpoint]:
        """The newest checkpoint of each unit."""
        after = -1
        while page := await self._rows(queries.CHECKPOINTS_PAGE, after=after, most=PAGE_ROWS):
            for unit, row_id, at, state, _ in page:
                yield Checkpoint(unit, row_id, at, state)
            after = page[-1][-1]

    async def register(self) -> StoredRegister | None:
        """The register in force."""
        return next((StoredRegister(*row) for row in await self._rows(queries.REGISTER)), None)

    async def registers(self) -> list[StoredRegister]:
        """Every register that was ever loaded, in order."""
        return [StoredRegister(*row) for row in await self._rows(queries.REGISTERS)]

    async def policies(self) -> list[StoredPolicy]:
        """Every version of every policy that was published, in order."""
        return [StoredPolicy(*row) for row in await self._rows(queries.POLICIES)]

    async def instructions_after(self, row_id: int) -> list[InboxRow]:
        """The instructions in the inbox after `row_id`, in order."""
        return [_inbox_row(row) for row in await self._rows(queries.INSTRUCTIONS, after=row_id)]

    async def letters(self) -> list[Letter]:
        """Instructions that wait, oldest first."""
        return [Letter(*row) for row in await self._rows(queries.LETTERS)]

    async def outcome(self, number: int) -> str | None:
        """What became of a letter; None while it waits."""
        return next((row[0] for row in await self._rows(queries.OUTCOME, number=number)), None)

    async def answered(self) -> list[tuple[Letter, str]]:
        """Letters of the last day or so with what became of them, oldest first; their text is gone."""
        return [(Letter(*kept), outcome) for *kept, outcome in await self._rows(queries.ANSWERS)]

    async def people(self, wearer_id: str | None = None) -> list[Person]:
        """All personal data held, by wearer, or what is held of one."""
        if wearer_id is not None:
            return [Person(*row) for row in await self._rows(queries.PERSON, wearer=storable(wearer_id))]
        return sorted((Person(*row) for row in await self._rows(queries.PEOPLE)), key=lambda p: p.wearer_id)

    async def findings(
        self, subject: str | None = None, *, live_after: Ms | None = None, rule: str | None = None
    ) -> list[Finding]:
        """Findings that hold, of one subject, of one rule or all; with `live_after` those that go on then."""
        if rule is not None:
            rows = await self._rows(queries.FINDINGS_BY, rule=storable(rule))
        elif subject is not None:
            rows = await self._rows(queries.FINDINGS_OF, subject=storable(subject))
        elif live_after is not None:
            rows = await self._rows(queries.FINDINGS_LIVE, after=live_after)
        else:
            rows = await self._rows(queries.FINDINGS)
        return sorted((finding_from(row[0]) for row in rows), key=lambda f: (f.start, f.subject, f.key))

    async def alerts(self, *, open_only: bool, subjects: Sequence[str] | None = None) -> list[Alert]:
        """Alerts by `raised_at`, of at most 500 subjects or of all; `open_only` leaves out what is closed."""
        if subjects is not None:
            rows = await self._rows(queries.ALERTS_OF, subjects=[storable(subject) for subject in subjects])
        else:
            rows = await self._rows(queries.ALERTS_OPEN if open_only else queries.ALERTS)
        found = (alert_from(row[0]) for row in rows)
        return sorted((a for a in found if is_open(a) or not open_only), key=lambda a: (a.raised_at, a.alert_id))

    async def alerts_named(self, names: Sequence[str]) -> list[Alert]:
        """The alerts of these ids, in any order; at most 500 ids."""
        return [alert_from(row[0]) for row in await self._rows(queries.ALERTS_NAMED, names=list(names))]

    async def open_alerts(self, *, after: tuple[Ms, str], limit: int) -> list[tuple[Ms, str]]:
        """When alerts that are open were raised, and their ids, in this order from the one after `after`."""
        at, name = after
        return [(row[0], row[1]) for row in await self._rows(queries.OPEN_ALERTS, at=at, name=name, most=limit)]

    async def alert_histories(self, names: Sequence[str]) -> list[list[AlertChange]]:
        """What happened to each of these alerts, each oldest first; at most 500 ids."""
        rows = await self._rows(queries.ALERT_HISTORIES, names=list(names))
        told: dict[str, list[AlertChange]] = {}
        for name, body, action, at, by, note in rows:
            told.setdefault(name, []).append(AlertChange(alert_from(body), action, at, by, note, None))
        return list(told.values())

    async def alerts_under(self, incident: str, *, open_only: bool, limit: int = 1 << 31) -> list[Alert]:
        """The alerts that an incident accounts for, by `raised_at`, at most `limit`."""
        closed = 0 if open_only else 1
        rows = await self._rows(queries.ALERTS_UNDER, incident=storable(incident), closed=closed, most=limit)
        return [alert_from(row[0]) for row in rows]

    async def alert_history(self, alert_id: str) -> list[AlertChange]:
        """What happened to an alert, oldest first (`published` is not kept: None)."""
        rows = await self._rows(queries.ALERT_HISTORY, alert_id=alert_id)
        return [AlertChange(alert_from(body), action, at, by, note, None) for body, action, at, by, note in rows]

    async def alert_steps(self, since: Ms) -> list[Step]:
        """What happened to all alerts from `since` on, in the order in which it was written."""
        return [Step(*row) for row in await self._rows(queries.ALERT_STEPS, since=since)]

    async def deadlines_due(self, at: Ms) -> list[Deadline]:
        """Deadlines due at or before `at`, earliest first."""
        rows = await self._rows(queries.DEADLINES_DUE, at=at)
        return sorted((Deadline(*row) for row in rows), key=lambda d: (d.due, d.subject))

    async def quarantined(self, *, limit: int, after: int = 0) -> list[tuple[int, Quarantined]]:
        """Refused input, oldest first, with its number; from the one after `after`."""
        rows = await self._rows(queries.QUARANTINED, after=after, most=limit)
        return [(number, Quarantined(*kept)) for number, *kept in rows]

    async def quarantine_counts(self) -> list[QuarantineCount]:
        """Counts of refused input by unit and reason."""
        counts = (QuarantineCount(*row) for row in await self._rows(queries.QUARANTINE_COUNTS))
        return sorted(counts, key=lambda c: (c.unit or "", c.reason))

    async def outbox_after(self, publisher: str, *, limit: int) -> list[OutboxItem]:
        """What `publisher` has not delivered yet, in order."""
        return [
            OutboxItem(*row)
            for row in await self._rows(queries.OUTBOX_AFTER, publisher=storable(publisher), most=limit)
        ]

    async def owed_to(self, publisher: str, targets: Sequence[str], *, after: int, limit: int) -> list[Owed]:
        """What `publisher` has not told these targets yet, in order from the item after `after`, each with its alert.

        One look at both, so that they agree.
        """
        rows = await self._rows(
            queries.OWED_TO,
            publisher=storable(publisher),
            targets=[storable(name) for name in targets],
            after=after,
            most=limit,
        )
        return [Owed(OutboxItem(*item), to, alert_from(body)) for *item, to, body in rows]

    async def deliveries(self, names: Sequence[str]) -> list[Delivery]:
        """What is known to have arrived of these alerts; at most 500 ids."""
        return [Delivery(*row) for row in await self._rows(queries.DELIVERIES, names=list(names))]


def not_open(name: str) -> StoreError:
    """The store was asked before `open()` or after `close()`."""
    return StoreError(f"the database {name} is not open", remedy="open() the store first", transient=False)
