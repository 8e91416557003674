"""Running the service from settings: what `emcheck serve` does, until it is told to stop."""

import asyncio
import contextlib
import functools
import logging
import os
import signal
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO, cast

import structlog

from emcheck.alerting.notifying import Contact
from emcheck.alerting.publishers import LogPublisher, MqttPublisher, WebhookPublisher
from emcheck.clock import Clock, SystemClock, look
from emcheck.domain.policy import Policy
from emcheck.domain.register import Register
from emcheck.ingest.mqtt import MqttTransport, tls_context
from emcheck.ports import Publisher
from emcheck.service.acknowledging import Seal
from emcheck.service.app import Beside, Options, Service
from emcheck.service.enrolment import load_policy, load_register, policies_in_force
from emcheck.service.http import ListenError
from emcheck.service.reaching import UnreachableError, contacts_of_all
from emcheck.settings import Settings, SettingsError
from emcheck.shipped import shipped_config, shipped_policies
from emcheck.store.sql import SqlStore
from emcheck.wire.signing import load_signing_key, seal

log = structlog.get_logger("emcheck.service")


class StartError(RuntimeError):
    """The service cannot start as it is set up; one line with what helps."""


class _StandardError:
    """Lines on standard error, as far as it takes them: a full disk under the log must not end the service."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def configure_logging(settings: Settings) -> None:
    """Lines on standard error, for people or for collectors."""
    wanted = settings.logging.format
    as_json = wanted == "json" or (wanted == "auto" and not sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.logging.level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _StandardError())),
        cache_logger_on_first_use=False,
    )


def transport_of(settings: Settings, clock: Clock, store_id: str) -> MqttTransport:
    """The MQTT side as the settings want it."""
    mqtt = settings.mqtt
    return MqttTransport(
        host=mqtt.host,
        port=mqtt.port,
        clock=clock,
        store_id=store_id,
        client_id=mqtt.client_id,
        username=mqtt.username,
        password=mqtt.password.get_secret_value() if mqtt.password else None,
        protocol=mqtt.protocol,
        tls=_tls(settings),
        queue_messages_max=mqtt.queue_messages_max,
        keepalive_s=mqtt.keepalive_s,
        connect_timeout_s=mqtt.connect_timeout_s,
        reconnect_first_s=mqtt.reconnect_first_s,
        reconnect_most_s=mqtt.reconnect_most_s,
    )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    mqtt = settings.mqtt
    if not mqtt.tls:
        return None
    try:
        return tls_context(mqtt.ca_file, mqtt.certificate_file, mqtt.key_file)
    except OSError as error:  # ssl.SSLError is one
        files = ", ".join(str(file) for file in (mqtt.ca_file, mqtt.certificate_file, mqtt.key_file) if file)
        raise StartError(
            f"mqtt: the certificates cannot be used ({error.strerror or error}). "
            f"Look at {files or 'the system store'}: PEM files that we may read, key and certificate a pair"
        ) from None


def publishers_of(settings: Settings, transport: MqttTransport) -> list[Publisher]:
    """The publishers that are on."""
    alerting = settings.alerting
    publishers: list[Publisher] = []
    if alerting.log.enabled:
        publishers.append(LogPublisher())
    if alerting.mqtt.enabled:
        publishers.append(MqttPublisher(transport))
    if alerting.webhook.url is not None:
        token, hmac_key = alerting.webhook.bearer_token, alerting.webhook.hmac_key
        publishers.append(
            WebhookPublisher(
                alerting.webhook.url,
                timeout_s=alerting.webhook.timeout_s,
                bearer_token=token.get_secret_value() if token else None,
                hmac_key=hmac_key.get_secret_value() if hmac_key else None,
            )
        )
    return publishers


def seal_of(settings: Settings) -> Seal | None:
    """What signs downlinks, None where no key is configured; SettingsError if its file cannot be used."""
    path = settings.service.signing_key_file
    if path is None:
        return None
    try:
        return functools.partial(seal, key=load_signing_key(path.read_bytes()))
    except OSError as error:
        raise SettingsError(
            f"service.signing_key_file: {path}: {error.strerror}; name a key file that this service can read"
        ) from None
    except ValueError as error:
        raise SettingsError(f"service.signing_key_file: {path}: {error}") from None


def options_of(settings: Settings) -> Options:
    """The service's options as the settings want them; SettingsError if the signing key cannot be used."""
    return Options(
        batch_max=settings.service.batch_messages_max,
        linger_s=settings.service.batch_linger_ms / 1000,
        chunk_ms=settings.service.judge_chunk_ms,
        alive_every_ms=round(settings.service.alive_every_s * 1000),
        checkpoint_every_ms=round(settings.service.checkpoint_every_s * 1000),
        stop_within_s=settings.service.stop_within_s,
        audit_every_s=settings.service.audit_every_s,
        http=(settings.http.host, settings.http.port) if settings.http.enabled else None,
        retry_first_s=settings.alerting.retry_first_s,
        retry_most_s=settings.alerting.retry_most_s,
        watchdog_url=settings.watchdog.url,
        watchdog_every_s=settings.watchdog.every_s,
        watchdog_timeout_s=settings.watchdog.timeout_s,
        seal=seal_of(settings),
        look=functools.partial(look, ask_system=settings.service.clock_sync_asked),
    )


async def serve(
    settings: Settings,
    policy: Policy,
    register: Register | None,
    *,
    clock: Clock | None = None,
    options: Options | None = None,
    console: Callable[[SqlStore, Clock], Beside] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT. StoreError, SettingsError or StartError say what stands in the way.

    `clock` and `options` are for simulated time; by default the machine's clock and what the settings say. `console`
    makes what serves the operators beside it, over the same store.
    """
    clock = clock or SystemClock()
    contacts = _reached(settings, [policy])
    options = options or options_of(settings)
    stopping = _stop_on_signals(within_s=options.stop_within_s)
    store = SqlStore(settings.store.async_url, busy_timeout_ms=settings.store.busy_timeout_ms, clock=clock)
    await store.open()
    async with contextlib.AsyncExitStack() as left:
        left.push_async_callback(store.close)
        await load_policy(store, policy, clock.now(), shipped=is_shipped(settings))
        if (known := await policies_in_force(store)) is not None:
            contacts = _reached(settings, known.own.lasting(clock.now()))
        if register is not None:
            await load_register(store, register, clock.now())
        transport = transport_of(settings, clock, store.database_id)
        publishers = publishers_of(settings, transport)
        for publisher in publishers:
            left.push_async_callback(publisher.close)
        service = Service(
            store=store,
            transport=transport,
            publishers=publishers,
            contacts=contacts,
            policy=policy,
            clock=clock,
            options=options,
            beside={} if console is None else {"console": console(store, clock)},
        )
        service.stop_with(stopping)
        try:
            await service.run()
        except ListenError as error:
            raise StartError(str(error)) from None


def _reached(settings: Settings, policies: Sequence[Policy]) -> list[Contact]:
    """All whom some policies call."""
    try:
        return contacts_of_all(settings, policies)
    except UnreachableError as error:
        raise StartError(f"{policy_path(settings, shipped_config())}: {error}") from None


def _stop_on_signals(*, within_s: float) -> asyncio.Event:
    """Set at SIGTERM or SIGINT. The process ends `within_s` later at most, whatever is stuck by then.

    A driver's thread may wait for a lock, or a name be looked up, for longer than anyone may wait for us.
    """
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop(*_: object) -> None:
        if not stopping.is_set():
            last_resort = threading.Timer(within_s, _abandon)
            last_resort.daemon = True
            last_resort.start()
        loop.call_soon_threadsafe(stopping.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping


def _abandon() -> None:
    """End at once. What was not committed was not acknowledged and comes again."""
    log.error("service.abandoned", reason="the store or the network did not let go in time")
    os._exit(0)


def policy_path(settings: Settings, shipped: Path) -> Path:
    """The file of the service's own policy, one that is shipped by its name."""
    named = str(settings.service.policy_file or "england-wales")
    return shipped_policies(shipped).get(named) or Path(named)


def is_shipped(settings: Settings) -> bool:
    """Whether the service's own policy is one that comes with emcheck."""
    return settings.service.policy_file is None or str(settings.service.policy_file) in shipped_policies()


def quiet_logging() -> None:
    """Only what has failed: for the demo, whose own lines are what people look at."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
