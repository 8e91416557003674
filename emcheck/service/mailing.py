"""Beside a running service: an instruction into its mailbox, and its inbox as a stream."""

import asyncio
import base64
import gzip
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, cast

from emcheck.clock import SystemClock
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.ports import InboxRow, Quarantined, Store, StoredRegister
from emcheck.settings import Settings
from emcheck.store.sql import SqlStore
from emcheck.wire import topics

_LOOK_EVERY_S = 0.1
_PAGE = 500


async def post(settings: Settings, raw: Any, *, wait_s: float) -> str | None:
    """Post an instruction; what became of it, None if nobody took it within `wait_s`. StoreError."""
    store = SqlStore(settings.store.async_url, operator=True, busy_timeout_ms=settings.store.busy_timeout_ms)
    await store.open()
    try:
        number = await store.post(json.dumps(raw, ensure_ascii=False).encode(), SystemClock().now())
        end = time.monotonic() + wait_s
        while (outcome := await store.outcome(number)) is None and time.monotonic() < end:
            await asyncio.sleep(_LOOK_EVERY_S)
        return outcome
    finally:
        await store.close()


async def export_stream(settings: Settings, out: Path, *, force: bool = False) -> int:
    """Write the whole inbox to a new file, line by line; how many. FileExistsError where there is one.

    With `force` it takes the place of one that is there. Where it fails half way, all is as it was.
    """
    new = out.with_name(f".{out.name}.new") if force else out
    store = SqlStore(settings.store.async_url, read_only=True)
    await store.open()
    lines = 0
    try:
        with ExitStack() as left:
            plain = left.enter_context(new.open("wb" if force else "xb"))
            half = left.enter_context(ExitStack())
            half.callback(new.unlink)
            file = left.enter_context(gzip.GzipFile(fileobj=plain, mode="wb")) if out.suffix == ".gz" else plain
            async for line in stream_of(store):
                cast("BinaryIO", file).write(line)
                lines += 1
            half.pop_all()
        if force:
            new.replace(out)
        return lines
    finally:
        await store.close()


async def stream_of(store: Store) -> AsyncIterator[bytes]:
    """Everything that was received, as lines in the order of receipt.

    A register that was loaded after the first is an instruction of the start from which on it was judged by.
    What was refused whole stands in the quarantine alone; a message that the broker had kept is marked as such.
    """
    refused = _refused_whole(store)
    waiting = await anext(refused, None)
    loaded = (await store.registers())[1:]
    async for row in store.inbox_after(0):
        while waiting is not None and waiting.received_at < row.received_at:
            yield _refused(waiting)
            waiting = await anext(refused, None)
        yield stream_line(row)
        if loaded and row.kind == "service" and row.row_id > loaded[0].as_of_row and b"started" in row.payload:
            last = [register for register in loaded if register.as_of_row < row.row_id][-1]
            yield _loaded(row.received_at, last)
            loaded = loaded[loaded.index(last) + 1 :]
    while waiting is not None:
        yield _refused(waiting)
        waiting = await anext(refused, None)


def _loaded(at: Ms, register: StoredRegister) -> bytes:
    head = f'{{"received_at":"{format_ms(at)}","instruction":{{"type":"register","by":"emcheck register load",'
    return head.encode() + b'"register":' + register.body + b"}}\n"


async def _refused_whole(store: Store) -> AsyncIterator[Quarantined]:
    """Quarantined messages that no number was used up by: the inbox has no row of them."""
    after = 0
    while page := await store.quarantined(limit=_PAGE, after=after):
        for _, item in page:
            if item.first_seq is None and item.boot is None:
                yield item
        after = page[-1][0]


def stream_line(row: InboxRow) -> bytes:
    """An inbox row as formats.md writes it, the payload of a message as it came."""
    head = f'{{"received_at":"{format_ms(row.received_at)}"'
    if row.kind == "up":
        return _message(row.received_at, topics.up(str(row.unit)), row.payload)
    if row.kind == "service":
        return head.encode() + b"," + row.payload[1:] + b"\n"
    if row.kind == "heard":
        return f'{head},"heard":"{row.unit}"}}\n'.encode()
    return f'{head},"instruction":'.encode() + row.payload + b"}\n"


def _refused(item: Quarantined) -> bytes:
    return _message(item.received_at, item.topic, item.payload, retained=item.reason == "retained")


def _message(received_at: Ms, topic: str, payload: bytes, *, retained: bool = False) -> bytes:
    head = f'{{"received_at":"{format_ms(received_at)}","topic":{json.dumps(topic)}'
    head += ',"retained":true' if retained else ""
    body = _as_json(payload)
    if body is None:
        return f'{head},"payload_b64":"{base64.b64encode(payload).decode()}"}}\n'.encode()
    return f'{head},"payload":'.encode() + body + b"}\n"


def _as_json(payload: bytes) -> bytes | None:
    """The payload where it may stand in a line as it is; None where only its bytes tell it whole."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(body, dict) and b"\n" not in payload and b"\r" not in payload else None
