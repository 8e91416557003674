"""What one unit was told of its configuration and what it says it holds; when it is to be told again.

1. Again at most once a minute, then twice as long each time: up to 5 min for a unit that names its configuration,
   up to an hour for one that never did (old firmware: the fields are optional).
2. `rev` is a number that never goes back, from the store's counter, over 24 bits of the content's hash. It rises with
   each change; a unit that names a higher one than it was given is given one above that.
3. So nothing need be remembered: after a restart the echo itself tells whether the unit holds what it should
   (docs/adr/0011).
"""

from dataclasses import dataclass
from typing import NamedTuple

from emcheck.domain.configuration import Configuration
from emcheck.domain.ids import BootId, Ms
from emcheck.domain.instants import HOUR, MINUTE

AGAIN_FIRST_MS: Ms = MINUTE
AGAIN_MOST_MS: Ms = 5 * MINUTE
AGAIN_UNANSWERED_MS: Ms = HOUR
_DOUBLINGS_MAX = 10
_HASH_BITS = 24
_REV_MAX = 2**53 - 1
"""Beyond it a number has no exact form in JSON (RFC 8785)."""


class Echo(NamedTuple):
    """The configuration that a unit says it holds."""

    rev: int
    schedule_sha256: str | None


@dataclass(slots=True)
class Configured:
    """What one unit should hold, what it was told of it, and what it says it holds."""

    digest: bytes | None = None
    """Of the configuration that it should hold; None where there is none."""
    schedule_digest: bytes | None = None
    until: Ms = 0
    rev: int = 0
    tries: int = 0
    sent_at: Ms | None = None
    echo: Echo | None = None
    echoed_in: tuple[BootId, int] | None = None
    echoes: bool = False

    def wants(self, configuration: Configuration) -> None:
        """From now on it should hold another configuration, or the same until another edge."""
        schedule = configuration.schedule_sha256
        digest = None if schedule is None else bytes.fromhex(configuration.sha256)
        if self.digest != digest:
            self.rev = self.tries = 0
        self.digest, self.until = digest, configuration.until
        self.schedule_digest = None if schedule is None else bytes.fromhex(schedule)

    def says(self, echo: Echo | None, boot: BootId, seq: int) -> None:
        """It names what it holds; what an earlier event of its boot said, repeated or late, is no news."""
        if self.echoed_in is not None and self.echoed_in[0] == boot and seq <= self.echoed_in[1]:
            return
        self.echo, self.echoed_in = echo, (boot, seq)
        self.echoes = self.echoes or echo is not None

    @property
    def told(self) -> bool:
        """Whether there is anything it should be told."""
        return self.digest is not None

    @property
    def acknowledged(self) -> bool:
        """Whether it holds what it should (3)."""
        echo = self.echo
        if self.digest is None or self.schedule_digest is None or echo is None:
            return False
        if echo.schedule_sha256 != self.schedule_digest.hex():
            return False
        return echo.rev == self.rev if self.rev else echo.rev % 2**_HASH_BITS == _fingerprint(self.digest)

    def due(self, now: Ms) -> bool:
        """Whether it may be told now (1)."""
        if not self.told or self.acknowledged:
            return False
        most = AGAIN_MOST_MS if self.echoes else AGAIN_UNANSWERED_MS
        pause = min(AGAIN_FIRST_MS << min(max(self.tries - 1, 0), _DOUBLINGS_MAX), most)
        return self.sent_at is None or now - self.sent_at >= pause

    def tell(self, members: str, number: int, now: Ms) -> str | None:
        """The downlink's member, its `rev` over `number` where a new one is needed; None where none is left (2).

        `members` are those of the configuration it wants, as JSON text, made again: kept for every unit they would
        weigh most of all.
        """
        held = 0 if self.echo is None else self.echo.rev
        self.tries, self.sent_at = self.tries + 1, now
        if self.digest is None:
            return None
        if not self.rev or held >= self.rev:
            rev = max(number, (held >> _HASH_BITS) + 1) << _HASH_BITS | _fingerprint(self.digest)
            if rev > _REV_MAX:
                return None
            self.rev = rev
        return f'"config":{{"rev":{self.rev},{members}}}'


def _fingerprint(digest: bytes) -> int:
    return int.from_bytes(digest[: _HASH_BITS // 8])
