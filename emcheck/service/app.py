"""The composition root: puts store, transport, engine and publishers together and runs them as named tasks.

`Service` is the same for `emcheck serve` (real clock, any broker) and for the demo (virtual clock, embedded
broker): who starts it hands it its parts.
"""

import asyncio
import functools
import random
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

import httpx
import structlog
import uvicorn

from emcheck.alerting.cloudevents import cloud_event
from emcheck.alerting.notifying import Contact, targets_of
from emcheck.alerting.outbox import OutboxRunner
from emcheck.clock import Clock
from emcheck.desk import Desk
from emcheck.domain.alerts import Alert
from emcheck.domain.ids import Ms
from emcheck.domain.policy import Policy
from emcheck.ending import end
from emcheck.ingest.mqtt import MqttTransport
from emcheck.ports import Publisher, StoreError
from emcheck.service import housekeeping
from emcheck.service.acknowledging import Acknowledger, Seal
from emcheck.service.auditing import Auditor
from emcheck.service.clockwatch import ClockWatch, Look
from emcheck.service.configuring import Configuring
from emcheck.service.forgetting import Forgetting
from emcheck.service.http import By, QuietServer, health_app, listen
from emcheck.service.loops import Loops
from emcheck.service.pipeline import Pipeline
from emcheck.service.reaching import unreached
from emcheck.service.visiting import EndingVisits
from emcheck.service.vitals import Vitals

log = structlog.get_logger("emcheck.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the service is told beside its parts; see settings for the reasons."""

    batch_max: int = 500
    linger_s: float = 0.05
    chunk_ms: int = 14
    alive_every_ms: Ms = 60_000
    checkpoint_every_ms: Ms = 3_600_000
    ack_every_s: float = 1.0
    stop_within_s: float = 5.0
    http: tuple[str, int] | None = None
    retry_first_s: float = 1.0
    retry_most_s: float = 60.0
    watchdog_url: str | None = None
    watchdog_every_s: float = 60.0
    watchdog_timeout_s: float = 10.0
    audit_every_s: float | None = None
    seal: Seal | None = None
    look: Look | None = None
    """At the machine's clocks; none where time is simulated."""
    look_every_s: float = 5.0


Beside = Callable[["Service"], Coroutine[None, None, None]]
"""Something that runs beside the service for as long as it does, as the console."""


class Service:
    """One running emcheck. `run` ends in an orderly way once `stop` was called."""

    def __init__(
        self,
        *,
        store: Desk,
        transport: MqttTransport,
        publishers: Sequence[Publisher],
        policy: Policy,
        clock: Clock,
        options: Options,
        contacts: Sequence[Contact] = (),
        beside: Mapping[str, Beside] | None = None,
    ) -> None:
        self._beside = beside or {}
        self._store = store
        self._transport = transport
        self._clock = clock
        self._options = options
        self._publishes = bool(publishers or contacts)
        self._stopping = asyncio.Event()
        self.started = asyncio.Event()
        self.heartbeats_total = 0
        self.acknowledger = Acknowledger(store, transport, every_s=options.ack_every_s, seal=options.seal)
        self.outbox = OutboxRunner(
            store, publishers, contacts, clock=clock, every_ms=policy.ms("alert.notify.every_s"),
            retry_first_s=options.retry_first_s, retry_most_s=options.retry_most_s,
        )  # fmt: skip
        self.pipeline = Pipeline(
            store,
            policy,
            self.acknowledger,
            published=self._published,
            on_alerts=self.outbox.notify,
            checkpoint_every_ms=options.checkpoint_every_ms,
            chunk_ms=options.chunk_ms,
        )
        self.auditor = Auditor(
            store, lambda: self.pipeline.engine.roster.policies.own, clock,
            publishers=[publisher.name for publisher in publishers],
            contacts=targets_of(contacts), every_s=options.audit_every_s or 0.0,
            up_since=lambda: self.pipeline.up_since,
        )  # fmt: skip
        self.configuring = Configuring(
            store, self.acknowledger, clock,
            roster=lambda: self.pipeline.engine.roster, turn=self.pipeline.turn, pause_s=options.ack_every_s,
        )  # fmt: skip
        self.pipeline.on_taken = self.configuring.taken
        self.pipeline.on_amended = self.configuring.amended
        self.pipeline.publishing.unreached = functools.partial(unreached, contacts=contacts)
        self.vitals = Vitals(lambda: self.pipeline.engine if self.started.is_set() else None)
        self.loops = Loops(
            self.pipeline,
            transport,
            self.acknowledger,
            clock,
            batch_max=options.batch_max,
            linger_s=options.linger_s,
            alive_every_ms=options.alive_every_ms,
        )

    def _published(self, alert: Alert, action: str, note: str) -> bytes:
        return cloud_event(
            alert, action=action, at=self._clock.now(), source=f"emcheck/{self._store.database_id}", note=note
        )

    def stop(self) -> None:
        """Ask for an orderly stop."""
        self._stopping.set()

    def stop_with(self, stopping: asyncio.Event) -> None:
        """Take somebody else's word for it: stop when `stopping` is set, perhaps already."""
        self._stopping = stopping

    async def run(self) -> None:
        """Serve until stopped. The store must be open; it is left open. ListenError if the HTTP port is not free."""
        with housekeeping.undisturbed():
            await self._run()

    async def _run(self) -> None:
        listening = None if self._options.http is None else listen(*self._options.http)
        tasks = set() if listening is None else {asyncio.create_task(self._serve_http(listening), name="http")}
        tasks |= {asyncio.create_task(job(self), name=name) for name, job in self._beside.items()}
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        tasks.add(opening := asyncio.create_task(self._open(), name="recover"))
        try:
            await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                tasks.discard(opening)
                opening.result()
                tasks |= self._start()
                self.started.set()
            done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                log.error("service.task_ended", task=task.get_name())
                task.result()
        finally:
            stopping.cancel()
            await self._wind_up(tasks)
            if listening is not None:
                listening.close()

    async def _open(self) -> None:
        await self.acknowledger.open()
        await self.loops.recover()
        housekeeping.settle()
        log.info("service.started", database=self._store.database_id, acknowledging=not self.acknowledger.silent)
        self._say_whom()

    def _say_whom(self) -> None:
        """Whom the register in force has us monitor: a service that monitors nobody must not look well."""
        now, register = self._clock.now(), self.pipeline.engine.roster.register
        in_force = sum(order.starts_at <= now < order.ends_at for order in register.orders)
        tell = log.info if in_force else log.warning
        tell("register.in_force", orders=in_force, of=len(register.orders), sha256=register.sha256()[:12])

    def _start(self) -> set[asyncio.Task[None]]:
        work = {
            "transport": self._transport.run(),
            "receive": self.loops.receive(),
            "keep_time": self.loops.keep_time(),
            "feel_pulse": self.vitals.run(),
            "answer_units": self.loops.answer_units(),
            "configure_units": self.configuring.run(),
            "read_mail": self.loops.read_mail(),
            "end_visits": EndingVisits(self._store, self._clock, lambda: self.pipeline.engine.roster.visits).run(),
            "forget_photos": Forgetting(self._store, self._clock, self._policy).run(),
            "tidy": housekeeping.tidy(lambda: self._transport.sessions_total),
        }
        if self._options.look is not None:
            work["watch_clock"] = self._watch_clock(self._options.look)
        if self._publishes:
            work["outbox"] = self._deliver()
        if self._options.audit_every_s is not None:
            work["audit"] = self.auditor.run()
        if self._options.watchdog_url is not None:
            work["watchdog"] = self._beat(self._options.watchdog_url)
        return {asyncio.create_task(job, name=name) for name, job in work.items()}

    def _policy(self, now: Ms) -> Policy:
        """The service's own, as it is published at `now`."""
        return self.pipeline.engine.roster.policies.own.then(now)

    async def _watch_clock(self, look: Look) -> None:
        """Every few seconds, by a clock that nobody sets; a look costs some microseconds."""
        engine = self.pipeline.engine
        watch = ClockWatch(told=engine.receiving.synchronised)
        while True:
            for said in watch.news(look(), self._policy(self._clock.now())):
                await self.loops.tell_clock(said)
            await asyncio.sleep(self._options.look_every_s)

    async def _deliver(self) -> None:
        """The outbox, begun anew after the store failed: what is not noted as delivered is delivered again."""
        while True:
            try:
                await self.outbox.run()
            except* StoreError as failed:
                for error in failed.exceptions:
                    log.error("outbox.store_failed", error=str(error))
            await asyncio.sleep(self._options.retry_first_s)

    async def _wind_up(self, tasks: set[asyncio.Task[None]]) -> None:
        """Stop within the time allowed, each step with its share; what is not done was not acknowledged."""
        within_s = self._options.stop_within_s
        word = asyncio.create_task(self._leave_word(), name="stopped")
        await asyncio.wait({word}, timeout=within_s / 2)
        if not word.done():
            log.warning("service.stop_not_noted", reason="the store does not answer")
        for task in await end((word, *tasks), within_s=within_s / 4):
            log.warning("service.task_late", task=task.get_name())
        log.info("service.stopped")

    async def _leave_word(self) -> None:
        """Note in the inbox that the stop was an orderly one."""
        async with self.pipeline.turn:
            if self.loops.health.ready:
                try:
                    await self.pipeline.stopped(self._clock.now())
                except StoreError as error:
                    log.warning("service.stop_not_noted", reason=str(error))

    def troubles(self) -> list[str]:
        """What keeps the service from its work, in words; empty when all is well."""
        found = [self.loops.health.trouble] if self.loops.health.trouble else []
        if not self._transport.connected:
            found.append(
                f"the broker: {self._transport.last_error or 'not connected yet'}. "
                "Is it running, and are mqtt.host and mqtt.port right? It is tried again"
            )
        if self.acknowledger.silent:
            found.append(
                "this database was restored or copied: units are not acknowledged until an operator says it is the one"
            )
        return found

    def readings(self) -> dict[str, tuple[str, float]]:
        """The figures of `/metrics` that are one number."""
        pipeline = self.pipeline
        return {
            "events_total": ("Events stored", pipeline.events_total),
            "duplicates_total": ("Messages that brought nothing new", pipeline.duplicates_total),
            "quarantined_total": ("Refused input", pipeline.quarantined_total),
            "recalls_total": ("Times that all a unit ever told was read again", pipeline.recalls_total),
            "alert_changes_total": ("Alerts raised, amended or withdrawn", pipeline.alerts_total),
            "escalation_steps_total": ("Times that an alert was passed on", pipeline.steps_total),
            "receipts_total": ("Receipts of consumers", pipeline.receipts_total),
            "audit_differences": ("Causes that the auditor found at its last look", len(self.auditor.found)),
            "acknowledgements_total": ("Acknowledgements sent", self.acknowledger.sent_total),
            "heartbeats_total": ("Heartbeats that the watchdog took", self.heartbeats_total),
            "downlinks_unsent_total": ("Answers to units lost with the broker", self._transport.unsent_total),
            "dropped_total": ("Messages dropped on a full queue; they come again", self._transport.dropped_total),
            "waiting_messages": ("Messages received and not yet taken", self._transport.waiting()),
            "ready": ("Whether events are being committed", float(not self.troubles())),
        } | self.configuring.readings()

    def _all_readings(self) -> dict[str, tuple[str, float | By]]:
        now = self._clock.now()
        return {
            **self.readings(), **self.readings_by_publisher(), **self.pipeline.queue.readings(now),
            **self.vitals.readings(now),
        }  # fmt: skip

    def readings_by_publisher(self) -> dict[str, tuple[str, By]]:
        """The figures of `/metrics` that each publisher has its own of."""
        routes = self.outbox.routes.items()
        return {
            "alerts_delivered_total": (
                "Deliveries of alert changes",
                By("publisher", {name: route.delivered_total for name, route in routes}),
            ),
            "alerts_failed_total": (
                "Deliveries that failed and are tried again",
                By("publisher", {name: route.failed_total for name, route in routes}),
            ),
            "alerts_given_up_total": (
                "Deliveries that a receiver refused for good",
                By("publisher", {name: route.given_up_total for name, route in routes}),
            ),
        }

    async def _serve_http(self, listening: socket.socket) -> None:
        app = health_app(troubles=self.troubles, readings=self._all_readings)
        host, port = listening.getsockname()[:2]
        log.info("http.listening", host=host, port=port)
        await QuietServer(uvicorn.Config(app, log_level="error", lifespan="off")).serve(sockets=[listening])

    async def _beat(self, url: str) -> None:
        """The dead man's switch: a heartbeat while all is well, to a watcher elsewhere."""
        async with httpx.AsyncClient(timeout=self._options.watchdog_timeout_s) as client:
            while True:
                if not self.troubles():
                    await self._beat_once(client, url)
                await asyncio.sleep(self._options.watchdog_every_s * random.uniform(0.9, 1.0))

    async def _beat_once(self, client: httpx.AsyncClient, url: str) -> None:
        try:
            (await client.post(url)).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("watchdog.unreachable", error=str(error) or type(error).__name__)
        else:
            self.heartbeats_total += 1
