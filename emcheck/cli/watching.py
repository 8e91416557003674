"""The monitoring queue as lines: for people, or the events as they are."""

import asyncio
import json
import time

import typer

from emcheck.alerting.cloudevents import AlertEvent
from emcheck.cli.reading import bad_input
from emcheck.cli.showing import say
from emcheck.ingest.mqtt import tls_context, watch_alerts
from emcheck.present.whom import whom
from emcheck.settings import MqttSettings
from emcheck.wire.receipts import receipt_for

_WATCH_AGAIN_S = 2.0


def watch(mqtt: MqttSettings, *, as_json: bool, consumer: str | None = None) -> None:
    """Print what comes until Ctrl-C; a broker that goes away after it was heard is tried again.

    With `consumer`, what was printed is confirmed under that name.
    """
    heard = False

    def receipt(body: bytes) -> bytes | None:
        return None if consumer is None else confirmation(body, consumer)

    async def follow() -> None:
        nonlocal heard
        events = watch_alerts(
            host=mqtt.host,
            port=mqtt.port,
            username=mqtt.username,
            password=mqtt.password.get_secret_value() if mqtt.password else None,
            tls=tls_context(mqtt.ca_file, mqtt.certificate_file, mqtt.key_file) if mqtt.tls else None,
            receipt=receipt,
        )
        if not as_json:
            typer.echo(f"Alerts of {mqtt.host}:{mqtt.port} as they come; Ctrl-C ends.", err=True)
        async for body in events:
            heard = True
            if as_json:
                typer.echo(one_line(body))
            else:
                say(describe(body), urgent=describe(body).startswith("P1"))

    while True:
        try:
            asyncio.run(follow())
        except ConnectionError as error:
            if not heard:
                bad_input(f"broker {error}; is it running, and are mqtt.host and mqtt.port right?")
            typer.echo(f"emcheck: broker {error}; trying again", err=True)
            time.sleep(_WATCH_AGAIN_S)
        except KeyboardInterrupt:
            raise typer.Exit from None


def confirmation(body: bytes, consumer: str) -> bytes | None:
    """The receipt of an alert event; None for whatever else is sent there."""
    try:
        return receipt_for(AlertEvent.model_validate_json(body).id, consumer)
    except ValueError:
        return None


def one_line(body: bytes) -> str:
    """An alert event on a line of its own, as it came; what is no JSON as a JSON text."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return json.dumps(body.decode(errors="replace"), ensure_ascii=False)


def describe(body: bytes) -> str:
    """One alert event as a line for a person; whatever else is sent there is named and skipped."""
    try:
        event = AlertEvent.model_validate_json(body)
    except ValueError:
        return f"??  not an alert event: {body[:80]!r}"
    alert, change = event.data, event.type.rpartition(".")[2]
    said = [part for part in (alert.text, alert.note, alert.late) if part]
    return f"{alert.priority}  {event.time[11:19]}Z  {change:<10} {whom(event.subject)}  {' '.join(said)}"
