"""What one transaction writes: a `Commit` turned into rows."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from emcheck.ports import INBOX_KINDS, AlertChange, Checkpoint, Commit, Delivery, InboxRow
from emcheck.store import queries, schema
from emcheck.store.backend import Backend, InboxTuple
from emcheck.store.failures import unknown_kind
from emcheck.store.rows import alert_body, alert_row, event_id, finding_row, quarantine_kept, storable

_KIND_NUMBERS = {kind: number for number, kind in enumerate(INBOX_KINDS)}
_FINDING_GONE = delete(schema.finding).where(
    schema.finding.c.subject == bindparam("gone_subject"), schema.finding.c.key == bindparam("gone_key")
)


def upsert(
    connection: AsyncConnection,
    table: Table,
    *,
    set_: Mapping[str, ColumnElement[Any]] | None = None,
    only_rising: Column[Any] | None = None,
) -> sqlite.Insert | postgresql.Insert:
    """Insert, or replace what stands under the primary key (`set_`: by these; `only_rising`: by larger only)."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    key = list(table.primary_key.columns)
    replaced = {c.name: statement.excluded[c.name] for c in table.columns if c not in key}
    where = None if only_rising is None else only_rising < statement.excluded[only_rising.name]
    return statement.on_conflict_do_update(index_elements=key, set_=set_ or replaced, where=where)


def kept_once(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Insert, or leave what stands under the primary key."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return make(table).on_conflict_do_nothing()


def delivery_rows(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Rows of `delivery`."""
    return [
        one._replace(alert_id=storable(one.alert_id), consumer=storable(one.consumer))._asdict() for one in deliveries
    ]


class Writing:
    """Writes commits over one connection; remembers which number stands for which unit.

    Thrown away with its connection after a failure: it may then know units that were never committed.
    """

    def __init__(self, connection: AsyncConnection, backend: Backend) -> None:
        self._backend = backend
        self._units: dict[str, int] | None = None
        self._inbox_statement = str(schema.inbox.insert().compile(dialect=connection.dialect))
        self._upserts = {
            table.name: upsert(connection, table)
            for table in (schema.finding, schema.alert, schema.deadline, schema.checkpoint, schema.person)
        }

    async def append(self, connection: AsyncConnection, commit: Commit) -> bool:
        """The steady state, as a transaction of its own: rows of known units and nothing else. False if it is not."""
        known = self._units
        if known is None or not commit.inbox or _beyond_inbox(commit):
            return False
        if not all(row.unit is None or row.unit in known for row in commit.inbox):
            return False
        await self._backend.append_inbox(connection, self._inbox_statement, inbox_tuples(commit.inbox, known))
        return True

    async def write(self, connection: AsyncConnection, commit: Commit) -> None:
        """All parts of a commit, in the open transaction."""
        numbers = await self._numbers(connection, commit)
        if commit.inbox:
            await self._backend.insert_inbox(connection, self._inbox_statement, inbox_tuples(commit.inbox, numbers))
        if commit.quarantine:
            refused = [quarantine_kept(item)._asdict() for item in commit.quarantine]
            await connection.execute(schema.quarantine.insert(), refused)
        if commit.findings_gone or commit.findings:
            await self._write_findings(connection, commit)
        if commit.alerts:
            await self._write_alerts(connection, commit.alerts)
        if commit.deadlines:
            due = [{"subject": storable(d.subject), "due_at": d.due} for d in commit.deadlines]
            await connection.execute(self._upserts["deadline"], due)
        if commit.checkpoints:
            await self._write_checkpoints(connection, commit.checkpoints, numbers)
        if commit.people:
            await connection.execute(self._upserts["person"], [person._asdict() for person in commit.people])
        if commit.policies:
            await connection.execute(schema.policy.insert(), [policy._asdict() for policy in commit.policies])
        if commit.deliveries:
            await connection.execute(kept_once(connection, schema.delivery), delivery_rows(commit.deliveries))
        if commit.answers:
            said = [{"number": number, "said": storable(outcome)} for number, outcome in commit.answers]
            await connection.execute(queries.ANSWERED, said)

    async def _numbers(self, connection: AsyncConnection, commit: Commit) -> dict[str, int]:
        """The number of every unit named in the commit; new units are given theirs."""
        if self._units is None:
            self._units = {row.name: row.unit_no for row in await connection.execute(queries.UNITS)}
        known = self._units
        named = {row.unit for row in commit.inbox} | {item.unit for item in commit.checkpoints}
        new = sorted(name for name in named if name is not None and name not in known)
        if new:
            first = max(known.values(), default=0) + 1
            rows = [{"unit_no": number, "name": name} for number, name in enumerate(new, first)]
            await connection.execute(schema.unit.insert(), rows)
            known.update((name, number) for number, name in enumerate(new, first))
        return known

    async def _write_findings(self, connection: AsyncConnection, commit: Commit) -> None:
        """What is gone first: a finding that comes back in the same commit holds."""
        if commit.findings_gone:
            gone = [{"gone_subject": storable(s), "gone_key": storable(k)} for s, k in commit.findings_gone]
            await connection.execute(_FINDING_GONE, gone)
        if commit.findings:
            await connection.execute(self._upserts["finding"], [finding_row(finding) for finding in commit.findings])

    async def _write_alerts(self, connection: AsyncConnection, changes: Sequence[AlertChange]) -> None:
        """The alert as it is, its history, and what is owed to publishers, together or not at all."""
        await connection.execute(self._upserts["alert"], [alert_row(change.alert) for change in changes])
        await connection.execute(schema.alert_history.insert(), [_history_row(change) for change in changes])
        if owed := [_outbox_row(change, change.published) for change in changes if change.published is not None]:
            await connection.execute(schema.outbox.insert(), owed)

    async def _write_checkpoints(
        self, connection: AsyncConnection, taken: Sequence[Checkpoint], numbers: Mapping[str, int]
    ) -> None:
        rows = [{"unit_no": numbers[c.unit], "row_id": c.row_id, "at": c.at, "state": c.state} for c in taken]
        await connection.execute(self._upserts["checkpoint"], rows)


def _beyond_inbox(commit: Commit) -> bool:
    return any(getattr(commit, part.name) for part in fields(commit) if part.name != "inbox")


def inbox_tuples(rows: Sequence[InboxRow], numbers: Mapping[str, int]) -> list[InboxTuple]:
    """Rows as the driver takes them; StoreError for a kind that the inbox has no number for."""
    try:
        return [
            (row_id, received_at, _KIND_NUMBERS[kind], None if unit is None else numbers[unit], previous, payload)
            for row_id, received_at, kind, unit, previous, payload in rows
        ]
    except KeyError as error:
        raise unknown_kind(error.args[0]) from error


def _history_row(change: AlertChange) -> dict[str, Any]:
    return {
        "alert_id": change.alert.alert_id,
        "action": change.action,
        "at": change.at,
        "by": storable(change.by),
        "note": storable(change.note),
        "body": alert_body(change.alert),
    }


def _outbox_row(change: AlertChange, body: bytes) -> dict[str, Any]:
    return {
        "subject": storable(change.alert.subject),
        "alert_id": change.alert.alert_id,
        "event_id": event_id(change.alert),
        "priority": change.alert.priority,
        "created_at": change.at,
        "body": body,
        "target": None if change.to is None else storable(change.to),
    }
