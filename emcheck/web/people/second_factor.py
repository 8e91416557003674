"""The second factor: six digits that a device shows (TOTP, RFC 6238), and codes on paper for when it is lost.

1. A device counts once it was confirmed by a code of its own. Its secret is 160 random bits, and it stands in the
   database sealed for its account (`sealing`).
2. A code is good for its 30 s, the 30 s before, for who types slowly, and the 30 s after, for a device that is fast. It
   is good once: neither it nor an older one is taken again.
3. Ten recovery codes of 120 random bits each are shown once and kept by their hash, which so many bits allow; each is
   good once.
4. Five wrong codes of a name within 15 min and no more are looked at, wherever they come from: who gets so far knows
   the password.
"""

import asyncio
import base64
import hmac
import secrets

import pyotp

from emcheck.clock import Clock
from emcheck.desk import Desk, SecondFactor
from emcheck.domain.ids import Ms
from emcheck.web.people.sealing import KeyFile
from emcheck.web.people.tries import sha256

RECOVERY_CODES = 10
_STEP_S = 30
_GROUPS, _GROUP = 4, 6


class SecondFactors:
    """Sets devices up, and checks codes. Errors of the key are SealError."""

    def __init__(self, desk: Desk, clock: Clock, key: KeyFile) -> None:
        self._desk = desk
        self._clock = clock
        self._key = key

    async def has(self, account: str) -> bool:
        """Whether a code is asked of this account."""
        known = await self._desk.second_factor(account)
        return known is not None and known.confirmed_at is not None

    async def begin(self, account: str) -> None:
        """A new device, which does not count until it is confirmed."""
        seal = await asyncio.to_thread(self._key.seal_or_make)
        secret = pyotp.random_base32()
        await self._desk.put_second_factor(SecondFactor(account, seal.close(secret, account), self._clock.now()))

    async def pending(self, account: str) -> str | None:
        """The secret of a device that waits for its confirmation, in Base32; None where none does."""
        known = await self._desk.second_factor(account)
        return None if known is None or known.confirmed_at is not None else await self._secret(known)

    async def confirm(self, account: str, code: str) -> list[str] | None:
        """The device counts from now on: the recovery codes; None where it is not this device's code."""
        known = await self._desk.second_factor(account)
        if known is None or known.confirmed_at is not None:
            return None
        step = _step_of(await self._secret(known), code, self._clock.now())
        if step is None:
            return None
        await self._desk.put_second_factor(known._replace(confirmed_at=self._clock.now(), step=step))
        return await self.new_recovery_codes(account)

    async def new_recovery_codes(self, account: str) -> list[str]:
        """Ten codes for paper; those of before are over."""
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        await self._desk.put_recovery_codes(account, [sha256(_plain(code)) for code in codes])
        return codes

    async def check(self, account: str, code: str) -> str | None:
        """`code` or `recovery code`, by what was good and is used up now; None where it is neither."""
        known = await self._desk.second_factor(account)
        if known is None or known.confirmed_at is None:
            return None
        if len(plain := _plain(code)) == _GROUPS * _GROUP:
            return "recovery code" if await self._desk.use_recovery_code(account, sha256(plain)) else None
        step = _step_of(await self._secret(known), code, self._clock.now())
        return "code" if step is not None and await self._desk.use_step(account, step) else None

    async def _secret(self, factor: SecondFactor) -> str | None:
        seal = await asyncio.to_thread(self._key.seal)
        return seal.open(factor.sealed, factor.account)


def address_of_secret(account: str, secret: str) -> str:
    """What a QR code says to the device (`otpauth:`)."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name="emcheck")


def _step_of(secret: str | None, code: str, now: Ms) -> int | None:
    """Of which 30 s the code is, of those that are taken (2); None where it is of none."""
    given = "".join(code.split())
    if secret is None or not (given.isascii() and given.isdigit()):
        return None
    device, current = pyotp.TOTP(secret), now // 1000 // _STEP_S
    found = [n for n in (current + 1, current, current - 1) if hmac.compare_digest(device.generate_otp(n), given)]
    return next(iter(found), None)


def _recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_GROUPS * _GROUP * 5 // 8)).decode().lower()
    return "-".join(letters[n : n + _GROUP] for n in range(0, len(letters), _GROUP))


def _plain(code: str) -> str:
    return "".join(code.lower().replace("-", "").split())
