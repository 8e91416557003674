"""A local HTTP server that notes what it is sent and answers as it is told: a watcher, a webhook's receiver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Receiver:
    """`url` is where it listens; `status` what it answers; `gate` must be set for it to answer at all."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.gate = asyncio.Event()
        self.gate.set()
        self.requests: list[tuple[str, bytes]] = []
        self._news = asyncio.Condition()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (line[15:] for line in head.lower().splitlines() if line.startswith("content-length:")), "0"
                )
                body = await reader.readexactly(int(length))
                async with self._news:
                    self.requests.append((head.splitlines()[0], body))
                    self._news.notify_all()
                await self.gate.wait()
                writer.write(f"HTTP/1.1 {self.status} Said\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        writer.close()

    async def took(self, count: int) -> None:
        """Until it was sent so many requests in all."""
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: len(self.requests) >= count)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """One on a free port of the loopback."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    receiver.url = f"http://{host}:{port}/here"
    try:
        yield receiver
    finally:
        receiver.gate.set()
        server.close()
