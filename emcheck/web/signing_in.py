"""Signing in: passwords, one-time links, sign-ins that end by themselves, and how often somebody may try.

1. A password has at least 15 characters of any kind (NIST SP 800-63B-4, 3.1.1.2). It is kept as argon2id with the
   library's parameters, which are RFC 9106's for little memory. Hashing runs in a thread: it takes long on purpose.
2. A token is 32 random bytes; the store has its hash only. It ends when it was not used for a while, after a shift, or
   when the account is disabled or gets another password.
3. After 5 failures of a name from one address, 20 of a name or 20 from an address within 15 min, more are not even
   looked at. That is kept in memory: a new start forgets it, and 20 tries a start guess nothing.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict, deque
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from emcheck.clock import Clock
from emcheck.desk import Access, Account, Desk, SignIn
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, MINUTE
from emcheck.domain.rights import Right, Role, may

PASSWORD_LEAST, PASSWORD_MOST = 15, 200
LINK_LASTS: Ms = DAY
_USED_EVERY: Ms = MINUTE
"""How exactly it is noted when a sign-in was used last; it costs a write."""
_WITHIN: Ms = 15 * MINUTE
_FAILURES_BOTH, _FAILURES_ONE = 5, 20
_KEYS_MAX = 10_000
_HASHING_AT_ONCE = 2
"""Each takes 64 MiB while it runs."""


class Who(NamedTuple):
    """Whoever is signed in, and what forms of this sign-in prove themselves with."""

    name: str
    role: Role
    token_sha256: str
    csrf: str

    def may(self, right: Right) -> bool:
        """Whether the role has the right."""
        return may(self.role, right)


class Refused(Exception):
    """No sign-in; the words are for whoever tried, `after_s` for how long no more tries are looked at."""

    def __init__(self, words: str, *, after_s: int | None = None) -> None:
        super().__init__(words)
        self.after_s = after_s


class SigningIn:
    """Lets people in, and knows them again."""

    def __init__(self, desk: Desk, clock: Clock, *, idle_ms: Ms, absolute_ms: Ms) -> None:
        self._desk = desk
        self._clock = clock
        self._idle_ms, self._absolute_ms = idle_ms, absolute_ms
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe())
        self._tries = Tries()
        self._turn = asyncio.Semaphore(_HASHING_AT_ONCE)

    async def enter(self, name: str, password: str, address: str) -> str:
        """The token of a new sign-in; Refused in the same words whatever of the two was wrong."""
        now = self._clock.now()
        if (until := self._tries.barred_until(name, address, now)) is not None:
            minutes = max(1, (until - now) // MINUTE)
            raise Refused(f"Too many tries; try again in {minutes} min.", after_s=max(1, (until - now) // 1000))
        account = await self._desk.account(name)
        usable = account is not None and account.disabled_at is None and account.password is not None
        hashed = account.password if usable and account is not None else None
        good = await self._verify(hashed or self._nobody, password)
        if account is None or hashed is None or not good:
            self._tries.failed(name, address, now)
            await self._desk.note_access([Access(now, name[:80], "sign-in refused", address=address)])
            raise Refused("Name or password is wrong. A new password is made by an administrator's link.")
        self._tries.forget(name, address)
        token = secrets.token_urlsafe(32)
        await self._desk.sign_in(SignIn(sha256(token), name, now, now), ended_before=now - self._absolute_ms)
        await self._desk.note_access([Access(now, name, "signed in", address=address)])
        return token

    async def who(self, token: str, *, used: bool = True) -> Who | None:
        """Who holds the token, if it still holds; `used` where a person did something and not a page by itself."""
        now, hashed = self._clock.now(), sha256(token)
        known = await self._desk.signed_in(hashed)
        if known is None:
            return None
        over = now - known.began_at >= self._absolute_ms or now - known.used_at >= self._idle_ms
        account = None if over else await self._desk.account(known.account)
        if account is None or account.disabled_at is not None:
            await self._desk.sign_out(token_sha256=hashed)
            return None
        if used and now - known.used_at >= _USED_EVERY:
            await self._desk.sign_in_used(hashed, now)
        return Who(account.name, account.role, hashed, csrf_of(token))

    async def leave(self, who: Who) -> None:
        """Sign out."""
        await self._desk.sign_out(token_sha256=who.token_sha256)
        await self._desk.note_access([Access(self._clock.now(), who.name, "signed out")])

    async def invited(self, link: str) -> Account | None:
        """Whose one-time link this is, while it is good."""
        hashed, now = sha256(link), self._clock.now()
        return next(
            (
                account
                for account in await self._desk.accounts()
                if account.link_sha256 == hashed
                and account.disabled_at is None
                and account.link_until is not None
                and account.link_until > now
            ),
            None,
        )

    async def choose(self, account: Account, link: str, password: str) -> bool:
        """The password of whoever has the link, which is used up; False where it was meanwhile."""
        async with self._turn:
            hashed = await asyncio.to_thread(self._hasher.hash, password)
        now = self._clock.now()
        if not await self._desk.choose_password(account.name, hashed, link_sha256=sha256(link), at=now):
            return False
        await self._desk.sign_out(account=account.name)
        await self._desk.note_access([Access(now, account.name, "password chosen")])
        return True

    async def _verify(self, hashed: str, password: str) -> bool:
        async with self._turn:
            return await asyncio.to_thread(self._verified, hashed, password[:PASSWORD_MOST])

    def _verified(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def wrong_with(password: str, again: str, name: str) -> str | None:
    """What keeps it from being a password (1), in words; None where nothing does."""
    if len(password) < PASSWORD_LEAST:
        return (
            f"It has {len(password)} characters; at least {PASSWORD_LEAST} are wanted. Four words that you make up do."
        )
    if len(password) > PASSWORD_MOST:
        return f"It has {len(password)} characters; at most {PASSWORD_MOST} are read."
    if name in password.lower() or len(set(password)) < 5:
        return "It is easily guessed: leave your name out, and use more than a few characters again and again."
    return None if password == again else "The two are not the same; write it twice alike."


class Tries:
    """Failures of late, by name, by address and by both (3)."""

    def __init__(self) -> None:
        self._failed: OrderedDict[tuple[str, str], deque[Ms]] = OrderedDict()

    def barred_until(self, name: str, address: str, now: Ms) -> Ms | None:
        """When tries are looked at again; None where they are."""
        over = None
        for key, most in self._keys(name, address):
            times = self._failed.get(key, deque())
            while times and times[0] <= now - _WITHIN:
                times.popleft()
            if len(times) >= most:
                over = max(over or 0, times[-most] + _WITHIN)
        return over

    def failed(self, name: str, address: str, now: Ms) -> None:
        """One more; what was asked of longest ago is forgotten where there are too many."""
        for key, most in self._keys(name, address):
            self._failed.setdefault(key, deque(maxlen=most)).append(now)
            self._failed.move_to_end(key)
        while len(self._failed) > _KEYS_MAX:
            self._failed.popitem(last=False)

    def forget(self, name: str, address: str) -> None:
        """Whoever got in had only mistyped."""
        for key, _ in self._keys(name, address)[:2]:
            self._failed.pop(key, None)

    def _keys(self, name: str, address: str) -> list[tuple[tuple[str, str], int]]:
        return [((name, address), _FAILURES_BOTH), ((name, ""), _FAILURES_ONE), (("", address), _FAILURES_ONE)]


def sha256(token: str) -> str:
    """How a token is known to the store."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(token: str) -> str:
    """What a form of a sign-in carries: made of the cookie's value, which no other site can read."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"emcheck form", hashlib.sha256).hexdigest()


def new_link(now: Ms) -> tuple[str, str, Ms]:
    """A one-time link's secret, its hash, and until when it is good."""
    secret = secrets.token_urlsafe(32)
    return secret, sha256(secret), now + LINK_LASTS
