"""Publishers: MQTT, webhook and log. Each delivers one item or raises; trying again is the outbox's work."""

import json

import httpx
import structlog

from emcheck.ports import OutboxItem, Transport

log = structlog.get_logger("emcheck.alerts")


class RefusedForGoodError(RuntimeError):
    """The receiver will never take this item; trying again is useless."""


class LogPublisher:
    """Alerts as lines of the log: the publisher of last resort."""

    name = "log"

    async def publish(self, item: OutboxItem) -> None:
        """Write one line."""
        event = json.loads(item.body)
        log.info(
            "alert", change=event["type"], priority=item.priority, alert_id=item.alert_id, text=event["data"]["text"]
        )


class MqttPublisher:
    """Alerts on `em/v1/alerts/{priority}`."""

    name = "mqtt"

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def publish(self, item: OutboxItem) -> None:
        """Publish at QoS 1."""
        await self._transport.publish_alert(priority=item.priority, body=item.body)


class WebhookPublisher:
    """Alerts by HTTP POST; any 2xx is delivered."""

    name = "webhook"

    def __init__(self, url: str, *, timeout_s: float, bearer_token: str | None = None) -> None:
        headers = {"content-type": "application/cloudevents+json"}
        if bearer_token is not None:
            headers["authorization"] = f"Bearer {bearer_token}"
        self._url = url
        self._client = httpx.AsyncClient(timeout=timeout_s, headers=headers)

    async def publish(self, item: OutboxItem) -> None:
        """POST it. A 4xx other than 408 and 429 is a refusal for good."""
        response = await self._client.post(self._url, content=item.body)
        if response.is_success:
            return
        if response.is_client_error and response.status_code not in (408, 429):
            raise RefusedForGoodError(f"{self._url} answered {response.status_code}")
        raise ConnectionError(f"{self._url} answered {response.status_code}")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()
