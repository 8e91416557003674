"""Publishers against real receivers: an HTTP server, a broker, the log."""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import structlog
from structlog.testing import capture_logs

from emcheck.alerting.cloudevents import CONTENT_TYPE, cloud_event
from emcheck.alerting.publishers import LogPublisher, MqttPublisher, RefusedForGoodError, WebhookPublisher
from emcheck.clock import SystemClock
from emcheck.ingest.embedded import EmbeddedBroker, free_port
from emcheck.ingest.mqtt import MqttTransport
from emcheck.ports import OutboxItem
from emcheck.service.running import publishers_of
from emcheck.settings import Settings
from tests.alerting.fakes import FailingStore, raise_alerts, running, settled, until
from tests.alerting.receiving import Centre, centre
from tests.store.samples import T0, alert

BODY = cloud_event(alert(), action="raised", at=T0, source="emcheck/TEST", note="")
ITEM = OutboxItem(1, "W-1", "AL-1", "AL-1.1", "P1", T0, BODY)


@pytest.fixture
def receiver() -> Iterator[Centre]:
    with centre() as told:
        yield told


@contextlib.asynccontextmanager
async def webhook(url: str, **given: Any) -> AsyncIterator[WebhookPublisher]:
    made = WebhookPublisher(url, **({"timeout_s": 10.0} | given))
    try:
        yield made
    finally:
        await made.close()


async def test_a_webhook_posts_the_event_as_it_is(receiver: Centre) -> None:
    async with webhook(receiver.url, bearer_token="t0ken") as publisher:
        await publisher.publish(ITEM)
    (posted,) = receiver.came
    assert (posted.path, posted.body) == ("/alerts", BODY)
    assert posted.headers["content-type"] == CONTENT_TYPE
    assert posted.headers["authorization"] == "Bearer t0ken"
    assert "x-emcheck-signature" not in posted.headers


async def test_with_a_key_the_receiver_can_tell_that_it_is_ours(receiver: Centre) -> None:
    async with webhook(receiver.url, hmac_key="k€y") as publisher:
        await publisher.publish(ITEM)
    (posted,) = receiver.came
    expected = hmac.new("k€y".encode(), posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["x-emcheck-signature"] == f"sha256={expected}"
    assert "authorization" not in posted.headers


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered(receiver: Centre, status: int) -> None:
    receiver.answers = status
    async with webhook(receiver.url) as publisher:
        await publisher.publish(ITEM)


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
async def test_an_answer_about_the_item_is_a_refusal_for_good(receiver: Centre, status: int) -> None:
    receiver.answers = status
    async with webhook(receiver.url) as publisher:
        with pytest.raises(RefusedForGoodError, match=str(status)):
            await publisher.publish(ITEM)


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 429, 500, 502, 503])
async def test_an_answer_about_the_moment_or_the_set_up_is_tried_again(receiver: Centre, status: int) -> None:
    receiver.answers = status
    async with webhook(receiver.url) as publisher:
        with pytest.raises(ConnectionError, match=str(status)):
            await publisher.publish(ITEM)


async def test_a_receiver_that_dawdles_is_given_its_time_and_no_more(receiver: Centre) -> None:
    """Each read is quick; only the whole of it takes too long."""
    receiver.slow = True
    async with webhook(receiver.url, timeout_s=0.2) as publisher:
        with pytest.raises(ConnectionError, match="TimeoutError"):
            await publisher.publish(ITEM)


async def test_errors_name_the_receiver_without_its_secrets() -> None:
    port = free_port()
    async with webhook(f"http://user:pass@127.0.0.1:{port}/T0KEN?key=secret") as publisher:
        with pytest.raises(ConnectionError, match=f"http://127.0.0.1:{port}: ConnectError") as refused:
            await publisher.publish(ITEM)
    for secret in ("user", "pass", "T0KEN", "secret"):
        assert secret not in str(refused.value)


async def test_a_webhook_that_comes_back_gets_everything_in_order(receiver: Centre) -> None:
    receiver.answers = 503
    store = FailingStore()
    await store.open()
    await raise_alerts(store, "W-1", "W-1", "W-1")
    async with webhook(receiver.url) as publisher, running(store, [publisher]):
        await until(lambda: len(receiver.came) >= 2)
        receiver.answers = 204
        await settled(store, "webhook")
    delivered = [item.body for item in await store.outbox_after("another", limit=9)]
    assert [posted.body for posted in receiver.came][-3:] == delivered
    await store.close()


async def test_settings_make_the_publishers(receiver: Centre) -> None:
    keys = {"url": receiver.url, "bearer_token": "t0ken", "hmac_key": "key"}
    settings = Settings.model_validate({"alerting": {"webhook": keys}})
    transport = MqttTransport(host="127.0.0.1", port=free_port(), clock=SystemClock(), store_id="TEST")
    publishers = publishers_of(settings, transport)
    assert [publisher.name for publisher in publishers] == ["log", "mqtt", "webhook"]
    await publishers[-1].publish(ITEM)
    assert isinstance(publishers[-1], WebhookPublisher)
    await publishers[-1].close()
    (posted,) = receiver.came
    assert posted.headers["authorization"] == "Bearer t0ken"
    assert posted.headers["x-emcheck-signature"] == f"sha256={hmac.new(b'key', BODY, hashlib.sha256).hexdigest()}"
    off = {"log": {"enabled": False}, "mqtt": {"enabled": False}}
    assert publishers_of(Settings.model_validate({"alerting": off}), transport) == []


async def test_alerts_come_on_the_monitoring_queue(tmp_path: Path) -> None:
    async with EmbeddedBroker(store_dir=tmp_path / "nats") as broker:
        transport = MqttTransport(host=broker.host, port=broker.port, clock=SystemClock(), store_id="TEST")
        publisher = MqttPublisher(transport)
        with pytest.raises(ConnectionError, match="not connected"):
            await publisher.publish(ITEM)
        session = asyncio.create_task(transport.run())
        await until(lambda: transport.connected)
        async with aiomqtt.Client(broker.host, broker.port) as watcher:
            await watcher.subscribe("em/v1/alerts/#", qos=1)
            await publisher.publish(ITEM)
            heard = await anext(aiter(watcher.messages))
        assert (heard.topic.value, heard.payload) == ("em/v1/alerts/P1", BODY)
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)


async def test_the_log_has_one_line_an_alert(fresh_log: None) -> None:
    with capture_logs() as logged:
        await LogPublisher().publish(ITEM)
    assert logged == [
        {
            "event": "alert", "log_level": "info", "change": "emcheck.alert.raised", "priority": "P1",
            "alert_id": "AL-1", "text": json.loads(BODY)["data"]["text"],
        }
    ]  # fmt: skip


@pytest.fixture
def fresh_log() -> Iterator[None]:
    """As it comes, whatever another test has set up."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)
