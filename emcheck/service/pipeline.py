"""The decision loop: batch, decide, commit, acknowledge. The only writer of the store.

Everything a batch changes is decided in memory by pure code, written in one transaction, and only then told
to anyone. If the transaction fails, what is in memory is thrown away and read again from the store: nothing
of the batch was acknowledged, so it comes again.
"""

import asyncio
import json
from collections.abc import Callable, Sequence

from emcheck.domain.alerts import Alert
from emcheck.domain.engine import Engine
from emcheck.domain.findings import Finding
from emcheck.domain.ids import AlertId, BootId, Ms, UnitId
from emcheck.domain.instants import format_ms
from emcheck.domain.policy import Policy
from emcheck.domain.queue import reconcile
from emcheck.domain.register import Register, parse_register
from emcheck.ports import AlertChange, Commit, InboxRow, Message, Quarantined, Store
from emcheck.present.words import explain
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.intake import Taken, take
from emcheck.service.memory import EnvelopeMemory

Publish = Callable[[Alert, str, str], bytes]
"""Alert, action and note to the bytes that are delivered."""


class Pipeline:
    """One register's engine over one store. Not to be entered by two tasks at once: hold `turn`."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        acknowledger: Acknowledger,
        *,
        published: Publish,
        on_alerts: Callable[[], None],
    ) -> None:
        self.turn = asyncio.Lock()
        self._store = store
        self._policy = policy
        self._acknowledger = acknowledger
        self._published = published
        self._on_alerts = on_alerts
        self.events_total = self.duplicates_total = self.quarantined_total = self.alerts_total = 0
        self.engine: Engine

    async def recover(self, now: Ms) -> None:
        """Read everything back: register, alerts, findings, the inbox played in anew; then judge what was missed."""
        register = await self._register()
        self._memory = EnvelopeMemory()
        self._decisions: list[tuple[str, list[Finding], Ms, str | None]] = []
        self._recovering = True
        self.engine = Engine(register, self._policy, memory=self._memory, decided=self._decided)
        self._last_row_of: dict[UnitId, int] = {}
        self._row_id = 0
        self._alerts: dict[str, dict[AlertId, Alert]] = {}
        for alert in await self._store.alerts(open_only=False):
            self._alerts.setdefault(alert.subject, {})[alert.alert_id] = alert
        self._findings: dict[str, dict[str, Finding]] = {}
        for finding in await self._store.findings():
            self._findings.setdefault(finding.subject, {})[finding.key] = finding
        async for row in self._store.inbox_after(0):
            self._play(row)
        self._recovering = False
        self._row: list[InboxRow] = []
        self.engine.service("started", now)
        self._row.append(self._service_row("started", now))
        for subject, found in self.engine.all_findings(now).items():
            self._decided(subject, found, now)
        await self._write([])

    async def _register(self) -> Register:
        stored = await self._store.register()
        if stored is None:
            return Register(version=1, wearers=(), orders=(), installations=(), fittings=())
        return parse_register(stored.body, name="the stored register")

    def _play(self, row: InboxRow) -> None:
        """One stored row into the engine, without deciding anything anew."""
        self._row_id = row.row_id
        if row.kind == "service":
            self.engine.service(json.loads(row.payload)["service"], row.received_at)
        elif row.unit is not None:
            self._last_row_of[row.unit] = row.row_id
            take(
                self.engine,
                f"em/v1/{row.unit}/up",
                row.payload,
                row.received_at,
                retained=False,
                remember=self._memory.remember,
            )

    def _decided(self, subject: str, found: list[Finding], now: Ms) -> None:
        if not self._recovering:
            self._decisions.append((subject, found, now, self._lateness()))

    def _lateness(self) -> str | None:
        down = self.engine.catching_up
        if down is None:
            return None
        return f"detected late because the service was down from {format_ms(down.start)} to {format_ms(down.end)}"

    async def receive(self, messages: Sequence[Message]) -> None:
        """Judge, commit and owe acknowledgements for a batch, in order of receipt."""
        quarantine: list[Quarantined] = []
        owed: list[tuple[UnitId, BootId, list[dict[str, object]]]] = []
        for message in messages:
            taken = take(
                self.engine, message.topic, message.payload, message.received_at,
                retained=message.retained, remember=self._memory.remember,
            )  # fmt: skip
            self._keep(message, taken)
            quarantine += [_quarantined(message, taken, *refusal) for refusal in taken.refusals]
            if taken.unit is not None and taken.receipt is not None:
                rejected: list[dict[str, object]] = [
                    {"from": first, "to": last, "reason": reason}
                    for reason, _, first, last in taken.refusals
                    if first is not None
                ]
                owed.append((taken.unit, taken.receipt.boot, rejected))
        await self._write(quarantine)
        for unit, boot, rejected in owed:
            acknowledged = self.engine.units[unit].track.boots[boot].sequence.acknowledged()
            self._acknowledger.owe(unit, boot, acknowledged, rejected)

    def _keep(self, message: Message, taken: Taken) -> None:
        """An inbox row for what brings something; a repeat brings nothing and is only counted."""
        if taken.receipt is None or taken.unit is None:
            return
        if taken.receipt.new == 0 and not taken.receipt.conflict and not taken.refusals:
            self.duplicates_total += 1
            return
        self.events_total += taken.receipt.new
        self._row_id += 1
        previous = self._last_row_of.get(taken.unit)
        self._last_row_of[taken.unit] = self._row_id
        self._row.append(InboxRow(self._row_id, message.received_at, "up", taken.unit, previous, message.payload))

    async def tick(self, upto: Ms, *, most: int) -> int:
        """Decide what is due by `upto`, at most `most` subjects, and commit it; how many were."""
        done = self.engine.tick(upto, most=most)
        if self._decisions:
            self._row.append(self._service_row("alive", upto))
            await self._write([])
        return done

    async def alive(self, now: Ms) -> None:
        """Leave word in the inbox that the service was receiving until now."""
        self._row.append(self._service_row("alive", now))
        await self._write([])

    async def stopped(self, now: Ms) -> None:
        """Leave word of an orderly stop."""
        self.engine.service("stopped", now)
        self._row.append(self._service_row("stopped", now))
        await self._write([])

    def _service_row(self, what: str, now: Ms) -> InboxRow:
        self._row_id += 1
        return InboxRow(self._row_id, now, "service", None, None, json.dumps({"service": what}).encode())

    async def _write(self, quarantine: list[Quarantined]) -> None:
        """One transaction for everything since the last one."""
        rows, self._row = self._row, []
        decisions, self._decisions = self._decisions, []
        changes = [change for decision in decisions for change in self._reconcile(*decision)]
        findings, gone = self._difference({subject: found for subject, found, _, _ in decisions})
        self.quarantined_total += len(quarantine)
        self.alerts_total += len(changes)
        if not (rows or quarantine or changes or findings or gone):
            return
        await self._store.commit(
            Commit(inbox=rows, quarantine=quarantine, findings=findings, findings_gone=gone, alerts=changes)
        )
        if changes:
            self._on_alerts()

    def _reconcile(self, subject: str, found: list[Finding], now: Ms, late: str | None) -> list[AlertChange]:
        known = self._alerts.setdefault(subject, {})
        changes = []
        for change in reconcile(known, found, now, explain=explain, late=late):
            known[change.alert.alert_id] = change.alert
            body = self._published(change.alert, change.action, change.note)
            changes.append(AlertChange(change.alert, change.action, now, "emcheck", change.note, body))
        if not known:
            del self._alerts[subject]
        return changes

    def _difference(self, latest: dict[str, list[Finding]]) -> tuple[list[Finding], list[tuple[str, str]]]:
        """What of the findings is new or revised, and what no longer holds."""
        revised: list[Finding] = []
        gone: list[tuple[str, str]] = []
        for subject, found in latest.items():
            before = self._findings.get(subject, {})
            after = {finding.key: finding for finding in found}
            revised += [finding for key, finding in after.items() if before.get(key) != finding]
            gone += [(subject, key) for key in before if key not in after]
            if after:
                self._findings[subject] = after
            else:
                self._findings.pop(subject, None)
        return revised, gone


def _quarantined(
    message: Message, taken: Taken, reason: str, detail: str, first: int | None, last: int | None
) -> Quarantined:
    boot = taken.receipt.boot if taken.receipt is not None else None
    return Quarantined(
        message.received_at, message.topic, taken.unit, reason, detail, message.payload, boot, first, last
    )
