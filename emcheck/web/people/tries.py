"""How often somebody may try, and how a secret is known to the store."""

import hashlib
from collections import OrderedDict, deque
from typing import NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE

_WITHIN: Ms = 15 * MINUTE
_KEYS_MAX = 10_000


class Most(NamedTuple):
    """How many failures within 15 min are too many: of a name from one address, of a name, and from an address."""

    both: int
    name: int
    address: int


PASSWORDS = Most(5, 20, 20)
CODES = Most(5, 5, 20)
"""Who tries codes knows the password: a name that is barred by it bars no innocent."""


class Tries:
    """Failures of late, by name, by address and by both; those of a known `device` by it alone, and apart."""

    def __init__(self, most: Most) -> None:
        self._most = most
        self._failed: OrderedDict[tuple[str, str], deque[Ms]] = OrderedDict()

    def barred_until(self, name: str, address: str, now: Ms, device: str = "") -> Ms | None:
        """When tries are looked at again; None where they are."""
        over = None
        for key, most in self._keys(name, address, device):
            times = self._failed.get(key, deque())
            while times and times[0] <= now - _WITHIN:
                times.popleft()
            if len(times) >= most:
                over = max(over or 0, times[-most] + _WITHIN)
        return over

    def tried(self, name: str, address: str, now: Ms, device: str = "") -> None:
        """One more, counted before it is looked at, so that many at once are as many as one after another.

        What was asked of longest ago is forgotten where there are too many.
        """
        for key, most in self._keys(name, address, device):
            self._failed.setdefault(key, deque(maxlen=most)).append(now)
            self._failed.move_to_end(key)
        while len(self._failed) > _KEYS_MAX:
            self._failed.popitem(last=False)

    def good(self, name: str, address: str, device: str = "") -> None:
        """The last one was good: whoever got in had only mistyped."""
        for key, _ in self._keys(name, address, device):
            if key[0]:
                self._failed.pop(key, None)
            elif self._failed.get(key):
                self._failed[key].pop()

    def _keys(self, name: str, address: str, device: str) -> list[tuple[tuple[str, str], int]]:
        if device:
            return [((name, f"device {device}"), self._most.both)]
        return [((name, address), self._most.both), ((name, ""), self._most.name), (("", address), self._most.address)]


def sha256(token: str) -> str:
    """How a token is known to the store."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
