"""Publishers: MQTT, webhook and log. Each delivers one item or raises; trying again is the outbox's work."""

import asyncio
import hashlib
import hmac
import json

import httpx
import structlog

from emcheck.alerting.cloudevents import CONTENT_TYPE
from emcheck.ports import OutboxItem, Transport

log = structlog.get_logger("emcheck.alerts")

SIGNATURE_HEADER = "x-emcheck-signature"
"""`sha256=` and the HMAC-SHA256 of the body in hexadecimal, as GitHub's webhooks have it."""
_OF_THE_ITEM = frozenset({400, 409, 413, 415, 422})
"""Answers that speak of what was sent. All others speak of the moment (408, 429, 5xx) or of how the receiver is set
up (401, 404): they pass or are mended, and then everything waits to be delivered."""


class RefusedForGoodError(RuntimeError):
    """The receiver will not take this very item; the outbox tries a few times more, then skips it."""


class LogPublisher:
    """Alerts as lines of the log: the publisher of last resort."""

    name = "log"
    confirms = False

    async def publish(self, item: OutboxItem) -> None:
        """Write one line."""
        event = json.loads(item.body)
        log.info(
            "alert", change=event["type"], priority=item.priority, alert_id=item.alert_id, text=event["data"]["text"]
        )

    async def close(self) -> None:
        """Nothing is held."""


class MqttPublisher:
    """Alerts on `em/v1/alerts/{priority}`."""

    name = "mqtt"
    confirms = False

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def publish(self, item: OutboxItem) -> None:
        """Publish at QoS 1."""
        await self._transport.publish_alert(priority=item.priority, body=item.body)

    async def close(self) -> None:
        """The session is the transport's own."""


class WebhookPublisher:
    """Alerts by HTTP POST; any 2xx is delivered. With `hmac_key` the receiver can tell that they are ours."""

    name = "webhook"
    confirms = True

    def __init__(
        self, url: str, *, timeout_s: float, bearer_token: str | None = None, hmac_key: str | None = None
    ) -> None:
        headers = {"content-type": CONTENT_TYPE}
        if bearer_token is not None:
            headers["authorization"] = f"Bearer {bearer_token}"
        self._url = url
        shown = httpx.URL(url)
        self._shown = f"{shown.scheme}://{shown.netloc.decode()}"  # login, path and query may be secrets
        self._timeout_s = timeout_s
        self._hmac_key = None if hmac_key is None else hmac_key.encode()
        self._client = httpx.AsyncClient(timeout=timeout_s, headers=headers)

    async def publish(self, item: OutboxItem) -> None:
        """POST it. RefusedForGoodError where the answer speaks of the item; ConnectionError for all else but 2xx."""
        status = await self._post(item.body)
        if status in _OF_THE_ITEM:
            raise RefusedForGoodError(f"{self._shown} answered {status}")
        if not 200 <= status < 300:
            raise ConnectionError(f"{self._shown} answered {status}")

    async def _post(self, body: bytes) -> int:
        headers = {}
        if self._hmac_key is not None:
            headers[SIGNATURE_HEADER] = f"sha256={hmac.new(self._hmac_key, body, hashlib.sha256).hexdigest()}"
        try:
            async with asyncio.timeout(self._timeout_s):  # over all of it; httpx's is for each read
                response = await self._client.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            raise ConnectionError(f"{self._shown}: {type(error).__name__} {error}".rstrip()) from error
        return response.status_code

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()
