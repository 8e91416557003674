"""Addresses of contacts, through Apprise: the only file that knows it.

Apprise blocks while it sends and so works in threads of its own; it is loaded where a contact has an address.
"""

import asyncio
import functools
import logging
import warnings
from types import ModuleType

_WITHIN_S = 20.0
"""For all addresses of one channel; what is not answered by then counts as not sent and is tried again."""


class AddressError(ValueError):
    """An address that Apprise cannot use. It may hold a secret, so it is not shown."""


@functools.cache
def _apprise() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports modules that later Pythons leave out
        import apprise

        apprise.Apprise.instantiate("json://localhost")  # the first use imports all it can speak to
    logging.getLogger("apprise").addHandler(logging.NullHandler())  # it would name addresses; we say what has failed
    return apprise


class Channel:
    """One way to reach a contact: all addresses of it, each of which must take what is sent."""

    def __init__(self, addresses: str) -> None:
        known = _apprise()
        self._apprise = known.Apprise(asset=known.AppriseAsset(app_id="emcheck", app_desc="curfew monitoring"))
        for number, address in enumerate(addresses.split(), start=1):
            if not self._apprise.add(address):
                raise AddressError(f"Apprise cannot use address {number}; write it as in mailto://user:password@host")
        if not len(self._apprise):
            raise AddressError("no address; write one as in mailto://user:password@host")

    async def send(self, title: str, text: str) -> None:
        """Send it to every address; ConnectionError where one did not take it."""
        async with asyncio.timeout(_WITHIN_S * 1.5):
            result = await self._apprise.async_notify(title=title, body=text, notify_type="warning", timeout=_WITHIN_S)
        if not result:
            raise ConnectionError("not every address took it")
