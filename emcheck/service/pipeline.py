"""The decision loop: batch, decide, commit, acknowledge. The only writer of the store.

Everything a batch changes is decided in memory by pure code, written in one transaction, and only then told
to anyone. If the transaction fails, what is in memory is thrown away and read again from the store: nothing
of the batch was acknowledged, so it comes again.
"""

import asyncio
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from emcheck.domain.amending import amended
from emcheck.domain.attending import ActOnAlert
from emcheck.domain.engine import Engine
from emcheck.domain.findings import Finding
from emcheck.domain.fitting.acts import FittingAct
from emcheck.domain.ids import BootId, Ms, UnitId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.instructions import (
    Instruction,
    PutPolicy,
    ReportAudit,
    outcome_of,
    parse_instruction,
)
from emcheck.domain.personal import impersonal, told_of
from emcheck.domain.policy import Policy
from emcheck.domain.remarks import heeded
from emcheck.domain.rules import service_audit
from emcheck.ports import (
    AlertChange,
    Answer,
    Commit,
    Deadline,
    Delivery,
    InboxRow,
    Letter,
    Message,
    Person,
    Quarantined,
    Store,
)
from emcheck.present.instructed import in_words
from emcheck.present.late import lateness
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.admitting import admit, asks_the_record
from emcheck.service.attending import Attending, Publish
from emcheck.service.breath import Breath
from emcheck.service.checkpoints import SERVICE, Checkpoints
from emcheck.service.confirming import Confirming
from emcheck.service.emptying import Emptying
from emcheck.service.enrolment import people_of
from emcheck.service.history import Recent, telling
from emcheck.service.intake import Taken, owed, quarantined, take
from emcheck.service.publishing import Publishing
from emcheck.service.queue_figures import QueueFigures
from emcheck.service.recovery import recover
from emcheck.service.standing import Decision, Standing
from emcheck.service.visiting import Visiting

log = structlog.get_logger("emcheck.service")

_AT_ONCE = 16
"""Subjects judged between two looks at the clock; a case takes well under a millisecond."""
_DECISIONS_MAX = 500
"""So many go into one transaction where all are judged again; a start finds what a crash leaves undone."""
_ALERTS_AT_ONCE = 100
"""Alerts of which what is due is decided between two looks at the clock: some ten milliseconds."""


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
        checkpoint_every_ms: Ms,
        chunk_ms: float = math.inf,
    ) -> None:
        self.turn = asyncio.Lock()
        self._breath = Breath(chunk_ms)
        self._store = store
        self.publishing = Publishing(store, policy)
        self._acknowledger = acknowledger
        self._published = published
        self._on_alerts = on_alerts
        self._checkpoint_every_ms = checkpoint_every_ms
        self.events_total = self.duplicates_total = self.quarantined_total = self.alerts_total = 0
        self.recalls_total = self.receipts_total = self.steps_total = 0
        self._own = self.publishing.own
        self.queue = QueueFigures(self._own.targets_ms)
        self.on_taken: Callable[[Taken], None] = lambda taken: None
        """Told of each message that was taken."""
        self.on_amended: Callable[[set[UnitId]], None] = lambda units: None
        """Told of the units that an instruction touched."""
        self.engine: Engine

    async def recover(self, now: Ms) -> None:
        """Read everything back, then judge what was missed while nobody was looking."""
        self._recent = Recent()
        self._decisions: list[Decision] = []
        self._cause: tuple[Ms, str] | None = None
        """The instruction that is being carried out: since when it is known, and in words."""
        self._row: list[InboxRow] = []
        self._signed_at: Ms = 0
        self._new_events = 0
        self._standing = Standing(self._store, self._breath)
        policies = await self.publishing.known(now)
        found = await recover(self._store, policies, self._recent, self._standing, decided=self._decided)
        self.engine, self.last_row_of, self._row_id = found.engine, found.last_row_of, found.row_id
        self._signed_at = self.engine.receiving.last_at or 0
        now = max(now, self._signed_at)  # a clock that was set back while nobody was looking
        self._checkpoints = Checkpoints(
            self.engine, found.under, found.stale, every_ms=self._checkpoint_every_ms, now=now
        )
        self._judged_anew = found.changed
        self._acts: list[AlertChange] = []
        self._looks: list[Deadline] = []
        self._confirming = Confirming(self._store)
        self._visiting = Visiting(self._store, found.sessions)
        self.up_since = now
        """Since when receipts could come."""
        self._attending = Attending(self._store, self._published, self._own, up_since=now)
        self._emptying = Emptying(self._store, self._published)
        waiting = await self._store.alerts(open_only=True)
        self._attending.load(waiting)
        self.queue.load(waiting)
        await self._emptying.load(waiting)
        self.engine.service("started", now)
        self._note_service("started", now)
        self.engine.judge_all(now)
        await self._write([])

    def _decided(self, subject: str, found: list[Finding], now: Ms, settled: Ms) -> None:
        cause = None if self._cause is None or now < self._cause[0] else self._cause[1]  # due before: not its doing
        late = lateness(self.engine.catching_up, judged_anew=self._judged_anew)
        self._decisions.append(Decision(subject, found, now, settled, late, cause))

    async def receive(self, messages: Sequence[Message]) -> None:
        """Judge, commit and owe acknowledgements for a batch, in order of receipt.

        The loop goes on in between; as long as the turn is held nobody else judges or commits.
        """
        self._breath.begin()
        quarantine: list[Quarantined] = []
        owing: list[tuple[UnitId, BootId, list[dict[str, object]]]] = []
        for message in messages:
            await self._breath.pause()
            taken = take(
                self.engine, message.topic, message.payload, message.received_at,
                retained=message.retained, remember=self._recent.remember,
            )  # fmt: skip
            self.on_taken(taken)
            self._keep(message, taken)
            if self.engine.wanting:
                await self._recall()
            quarantine += quarantined(message, taken)
            owing += owed(taken)
        deliveries, quarantine = await self._confirming.settle(quarantine)
        await self._write(quarantine, deliveries=deliveries)
        for unit, boot, rejected in owing:
            self._acknowledger.owe(unit, boot, self.engine.acknowledged(unit, boot), rejected)

    def _keep(self, message: Message, taken: Taken) -> None:
        """An inbox row for what brings something; of a repeat, only that the unit was heard."""
        if taken.receipt is None or taken.unit is None:
            if taken.confirmed is not None:
                self._confirming.note(message, taken.confirmed)
            return
        self._row_id += 1
        if taken.receipt.new == 0 and not taken.receipt.recall and not taken.refusals:
            self.duplicates_total += 1
            self._signed_at = max(self._signed_at, message.received_at)
            self._row.append(InboxRow(self._row_id, message.received_at, "heard", taken.unit, None, b""))
            return
        self._new_events += taken.receipt.new
        self._signed_at = max(self._signed_at, message.received_at)
        previous = self.last_row_of.get(taken.unit)
        self.last_row_of[taken.unit] = self._row_id
        self._row.append(InboxRow(self._row_id, message.received_at, "up", taken.unit, previous, message.payload))

    async def _recall(self) -> None:
        """Hand the engine what units told long ago, and what was found then."""
        for name in list(self.engine.wanting):
            units, wearers = self.engine.roster.around(name)
            told = {unit: await telling(self._store, unit, self._row, self.last_row_of.get(unit)) for unit in units}
            log.info("unit.recalled", unit=name, units=len(units))
            self.recalls_total += 1
            self.engine.recall(name, told, await self._standing.reopen([*units, *wearers]))
            if len(self._decisions) >= _DECISIONS_MAX:
                await self._write([])

    async def mail(self) -> list[Letter]:
        """Instructions that wait."""
        return await self._store.letters()

    async def instruct(self, letters: Sequence[Letter], now: Ms) -> None:
        """Carry out what was posted, at `now`, and commit it with its answers."""
        answers: list[Answer] = []
        people: list[Person] = []
        now = max(now, self._signed_at)
        for letter in letters:
            try:
                raw = json.loads(letter.body)
                act = parse_instruction(raw)
                warnings = await self._carry_out(act, impersonal(raw), now)
            except (ValueError, RecursionError) as error:  # InstructionError is one
                log.warning("instruction.refused", letter=letter.number, reason=str(error))
                answers.append(Answer(letter.number, f"refused: {error}"))
            else:
                people += people_of(told_of(act))
                answers.append(Answer(letter.number, outcome_of(warnings, act.type, self._row_id)))
                log.info("instruction.done", letter=letter.number, type=act.type, warnings=len(warnings))
            finally:
                self._cause = None
        await self._write([], answers=answers, people=people)

    async def _carry_out(self, act: Instruction, raw: dict[str, Any], now: Ms) -> list[str]:
        """One instruction, without personal data; what is remarked of it. InstructionError, and nothing is done."""
        before = self.engine.roster.register
        if isinstance(act, FittingAct):
            await self._write([])  # what was received is of the visit too
            act, raw = await self._visiting.settled(act, raw, self.engine.roster, self.last_row_of, now)
        made = amended(before, act, now)
        if asks_the_record(act, before):
            await self._write([])
            for change in await admit(act, self._store, before, now, self._published):
                self._note_act(change)
        raw = heeded(act, raw, before, made, self.engine.roster.policies.of)
        if isinstance(act, ActOnAlert):
            await self._write([])  # what is decided but not committed is of the alert too
            while self._attending.next() <= now:  # and so is what was due before
                await self._attend(now)
            change = await self._attending.act(act, now)
            self._note_act(change)
            self._emptying.begin(change)
        self._cause = now, in_words(act)
        if isinstance(act, PutPolicy) and not await self._is_new(act, now):
            return []
        touched = self.engine.instruct(raw, now, made)
        if isinstance(act, ReportAudit):
            standing = self._standing.findings.get(service_audit.SUBJECT, {}).values()
            found = service_audit.judged(act, standing, now=now, policy=self.engine.roster.policies.own.then(now))
            self._decided(service_audit.SUBJECT, found, now, -FOREVER)
        self._row_id += 1
        self._signed_at = now
        self._row.append(InboxRow(self._row_id, now, "instruction", None, None, _dumped(raw)))
        if isinstance(act, PutPolicy):
            self.publishing.note(act, now, self._row_id)
        if self.engine.wanting:
            await self._recall()
        self._checkpoints.amended(units := self.engine.roster.resting(touched))
        if isinstance(act, FittingAct):
            units |= self._visiting.note(act, now, self._row_id)
        self.on_amended(set(self.engine.units) if isinstance(act, PutPolicy) else units)
        if isinstance(act, PutPolicy):
            await self._judge_again(now)
        return list(raw.get("warnings", ()))

    async def _is_new(self, act: PutPolicy, now: Ms) -> bool:
        """Whether it publishes anything; then what was due of all before it is decided, a few at a time."""
        if not self.publishing.is_new(act, self.engine.roster.policies, now):
            return False
        self._note_service("alive", now - 1)
        await self._judge_again(now - 1)
        return True

    async def _judge_again(self, now: Ms) -> None:
        """Whom a policy touched, a few at a time: they may be all."""
        while self.engine.tick(now, most=_AT_ONCE) == _AT_ONCE:
            if len(self._decisions) >= _DECISIONS_MAX:
                await self._write([])
            await self._breath.pause()

    def _note_act(self, change: AlertChange) -> None:
        self._acts.append(change)
        self._standing.put(change.alert)

    def wake_at(self) -> Ms:
        """The next instant at which something is to be judged, or something of an alert is due."""
        return 0 if self._emptying.pending else min(self.engine.wake_at(), self._attending.next())

    async def tick(self, upto: Ms) -> None:
        """Decide what is due by `upto`, as much of it as may be judged at a stretch, and commit it."""
        self._breath.begin()
        while self.engine.tick(upto, most=_AT_ONCE) == _AT_ONCE and not self._breath.due():
            pass
        if self._decisions:
            self._note_service("alive", upto)
            await self._write([])
        if self._emptying.pending:
            for change in await self._emptying.step(upto):
                self._note_act(change)
            await self._write([])
        upto = min(upto, self.engine.wake_at() - 1)  # what may change an alert is decided before
        while self._attending.next() <= upto and not self._breath.due():
            await self._attend(upto)

    async def _attend(self, upto: Ms) -> None:
        """Leases, shelves and steps of some alerts, each at its own instant."""
        fallen = await self._attending.fall_due(upto, most=_ALERTS_AT_ONCE)
        for change in fallen.changes:
            self._note_act(change)
        self._looks += fallen.deadlines
        await self._write([])

    async def alive(self, now: Ms) -> None:
        """Leave word in the inbox that the service was receiving until now."""
        self.engine.service("alive", now)
        self._note_service("alive", now)
        await self._write([])

    async def tell_clock(self, said: dict[str, Any], now: Ms) -> None:
        """Something was found of the machine's clock: it is part of the record, and judged."""
        now = max(now, self._signed_at)
        self.engine.tell_clock(said, now)
        self._note_service("clock", now, **said)
        await self._write([])

    async def stopped(self, now: Ms) -> None:
        """Leave word of an orderly stop, and all state, so that the next start is quick."""
        self.engine.service("stopped", now)
        self._note_service("stopped", now)
        await self._write([], leaving=True)

    async def judge_all(self, now: Ms) -> list[Finding]:
        """Judge everything at `now` and commit it; all findings that stand, settled ones too."""
        self.engine.judge_all(now)
        await self._write([])
        return await self._store.findings()

    def _note_service(self, what: str, now: Ms, **said: object) -> None:
        """A sign of life in the inbox, never dated before one that stands there."""
        self._row_id += 1
        self._signed_at = now = max(now, self._signed_at)
        self._row.append(InboxRow(self._row_id, now, "service", None, None, _dumped({"service": what} | said)))

    async def _write(
        self,
        quarantine: list[Quarantined],
        *,
        leaving: bool = False,
        answers: Sequence[Answer] = (),
        people: Sequence[Person] = (),
        deliveries: Sequence[Delivery] = (),
    ) -> None:
        """One transaction for everything since the last one."""
        rows, self._row = self._row, []
        decisions, self._decisions = self._decisions, []
        changes: list[AlertChange] = []
        for change, at in await self._standing.queue_changes(decisions):
            await self._breath.pause()
            body = self._published(change.alert, change.action, change.note)
            changes.append(AlertChange(change.alert, change.action, at, "emcheck", change.note, body))
        changes += self._acts
        self._acts = []
        policies = self.publishing.take()
        findings, gone = await self._standing.replace(decisions, stamp=self.engine.roster.stamp)
        judged = dict.fromkeys(d.subject for d in decisions if d.subject in self.engine.cases)
        await self._breath.pause()
        deadlines, self._looks = self._looks, []
        deadlines += [Deadline(f"case {name}", self.engine.look_at(WearerId(name))) for name in judged]
        deadlines += self._attending.watch(change.alert for change in changes)
        checkpoints = self._checkpoints.take(self.last_row_of, self._row_id, rows, leaving=leaving)
        parts = (rows, quarantine, changes, findings, gone, deadlines, checkpoints, answers, deliveries)
        if not any(parts):
            return
        await self._store.commit(
            Commit(
                inbox=rows, quarantine=quarantine, findings=findings, findings_gone=gone, alerts=changes,
                deadlines=deadlines, checkpoints=checkpoints, answers=answers, people=people,
                policies=policies, deliveries=deliveries,
            )
        )  # fmt: skip
        self.events_total, self._new_events = self.events_total + self._new_events, 0
        self.quarantined_total += len(quarantine)
        self.receipts_total += len(deliveries)
        self.steps_total += sum(change.action == "escalated" for change in changes)
        self.alerts_total += len(changes)
        self.queue.note(changes)
        if any(checkpoint.unit == SERVICE for checkpoint in checkpoints):
            await self._store.prune_checkpoints()
        if changes:
            self._on_alerts()


def _dumped(raw: object) -> bytes:
    return json.dumps(raw, separators=(",", ":"), ensure_ascii=False).encode()
