"""A transport that keeps what is sent; what is received is put in by the test itself."""

from collections.abc import Sequence

from emcheck.ports import Downlink, Message


class Air:
    """Implements `emcheck.ports.Transport` without a broker. `oldest` is when a waiting message was received."""

    def __init__(self) -> None:
        self.sent: list[Downlink] = []
        self.oldest: int | None = None

    async def receive(self, *, most: int, linger_s: float) -> list[Message]:
        raise AssertionError("nothing is received here")

    def waiting(self) -> int:
        return 0 if self.oldest is None else 1

    def oldest_waiting(self) -> int | None:
        return self.oldest

    async def send(self, downlinks: Sequence[Downlink]) -> None:
        self.sent += downlinks

    async def publish_alert(self, *, priority: str, body: bytes) -> None:
        raise AssertionError("nothing is published here")
