"""Running the service from settings: what `emcheck serve` does, until it is told to stop."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

import structlog

from emcheck.alerting.publishers import LogPublisher, MqttPublisher, WebhookPublisher
from emcheck.clock import Clock, SystemClock
from emcheck.domain.policy import Policy
from emcheck.domain.register import Register
from emcheck.ingest.mqtt import MqttTransport, tls_context
from emcheck.ports import Publisher, Store
from emcheck.service.app import Options, Service
from emcheck.service.enrolment import load_register
from emcheck.settings import Settings
from emcheck.store.sql import SqlStore


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
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
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
        tls=tls_context(mqtt.ca_file, mqtt.certificate_file, mqtt.key_file) if mqtt.tls else None,
        queue_messages_max=mqtt.queue_messages_max,
        keepalive_s=mqtt.keepalive_s,
        connect_timeout_s=mqtt.connect_timeout_s,
        reconnect_first_s=mqtt.reconnect_first_s,
        reconnect_most_s=mqtt.reconnect_most_s,
    )


def publishers_of(settings: Settings, transport: MqttTransport) -> list[Publisher]:
    """The publishers that are on."""
    alerting = settings.alerting
    publishers: list[Publisher] = []
    if alerting.log.enabled:
        publishers.append(LogPublisher())
    if alerting.mqtt.enabled:
        publishers.append(MqttPublisher(transport))
    if alerting.webhook.url is not None:
        token = alerting.webhook.bearer_token
        publishers.append(
            WebhookPublisher(
                alerting.webhook.url,
                timeout_s=alerting.webhook.timeout_s,
                bearer_token=token.get_secret_value() if token else None,
            )
        )
    return publishers


def options_of(settings: Settings) -> Options:
    """The service's options as the settings want them."""
    return Options(
        batch_max=settings.service.batch_messages_max,
        linger_s=settings.service.batch_linger_ms / 1000,
        chunk_ms=settings.service.judge_chunk_ms,
        alive_every_ms=round(settings.service.alive_every_s * 1000),
        stop_within_s=settings.service.stop_within_s,
        http=(settings.http.host, settings.http.port) if settings.http.enabled else None,
        retry_first_s=settings.alerting.retry_first_s,
        retry_most_s=settings.alerting.retry_most_s,
        watchdog_url=settings.watchdog.url,
        watchdog_every_s=settings.watchdog.every_s,
        watchdog_timeout_s=settings.watchdog.timeout_s,
    )


async def serve(
    settings: Settings,
    policy: Policy,
    register: Register | None,
    *,
    clock: Clock | None = None,
    options: Options | None = None,
) -> None:
    """Run until SIGTERM or SIGINT. StoreError if the database cannot be used.

    `clock` and `options` are for simulated time; by default the machine's clock and what the settings say.
    """
    clock = clock or SystemClock()
    store: Store = SqlStore(settings.store.async_url, busy_timeout_ms=settings.store.busy_timeout_ms, clock=clock)
    await store.open()
    try:
        if register is not None:
            await load_register(store, register, clock.now())
        transport = transport_of(settings, clock, store.database_id)
        service = Service(
            store=store,
            transport=transport,
            publishers=publishers_of(settings, transport),
            policy=policy,
            clock=clock,
            options=options or options_of(settings),
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, service.stop)
        await service.run()
    finally:
        await store.close()


def policy_path(settings: Settings, shipped: Path) -> Path:
    """The policy in force."""
    return settings.service.policy_file or shipped / "policy" / "england-wales.toml"


def quiet_logging() -> None:
    """Only what has failed: for the demo, whose own lines are what people look at."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
