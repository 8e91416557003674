"""Signing in: passwords, one-time links, second factors, sign-ins that end by themselves, and how often one may try.

1. A password (`passwords`) is kept as argon2id with the library's parameters, which are RFC 9106's for little memory.
   Hashing runs in a thread: it takes long on purpose.
2. A token is 32 random bytes; the store has its hash only. It ends when it was not used for a while, after a shift, or
   when the account is disabled, gets another password, another second factor or another role.
3. After 5 failures of a name from one address, 20 of a name or 20 from an address within 15 min, more are not even
   looked at. That is kept in memory: a new start forgets it, and 20 tries a start guess nothing. A browser that signed
   in as this name before (`devices`), and who is signed in, has 5 failures of its own and no part in anybody else's.
4. Who has a second factor (`second_factor`) is asked for its code after the password. A role may be required to have
   one: without it, its sign-in may do nothing but set one up.
5. Who is known elsewhere (`elsewhere`) has no password here, and no second factor: those are the provider's.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from emcheck.clock import Clock
from emcheck.desk import NAME_ELSEWHERE, Access, Account, Desk, SignIn
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, MINUTE
from emcheck.domain.rights import Right, Role, may
from emcheck.web.people.devices import device_of, new_mark
from emcheck.web.people.passwords import PASSWORD_MOST
from emcheck.web.people.sealing import Seal
from emcheck.web.people.second_factor import SecondFactors
from emcheck.web.people.tries import CODES, PASSWORDS, Tries, sha256

LINK_LASTS: Ms = DAY
_USED_EVERY: Ms = MINUTE
"""How exactly it is noted when a sign-in was used last; it costs a write."""
_PLEDGE_LASTS: Ms = 5 * MINUTE
_HASHING_AT_ONCE = 2
"""Each takes 64 MiB while it runs. Who was here before has a place beside them: a flood of strangers waits alone."""


class Who(NamedTuple):
    """Whoever is signed in, and what forms of this sign-in prove themselves with.

    `lacks_factor` where the role must have a second factor and the account has none. `is_elsewhere` where a provider
    knows the account and no password does. `language` is the account's, where one was chosen.
    """

    name: str
    role: Role
    token_sha256: str
    csrf: str
    lacks_factor: bool = False
    is_elsewhere: bool = False
    language: str | None = None

    def may(self, right: Right) -> bool:
        """Whether the role has the right, and nothing is to be set up first."""
        return may(self.role, right) and (right is Right.OWN_ACCOUNT or not self.lacks_factor)


class Refused(Exception):
    """No sign-in; the words are for whoever tried, `after_s` for how long no more tries are looked at."""

    def __init__(self, words: str, *, after_s: int | None = None) -> None:
        super().__init__(words)
        self.after_s = after_s


class CodeWanted(Exception):
    """The password is right, and a code is to follow; `pledge` says so to `enter_with_code`, for 5 min."""

    def __init__(self, pledge: str) -> None:
        super().__init__("A code of your second factor is wanted.")
        self.pledge = pledge


class SigningIn:
    """Lets people in, and knows them again."""

    def __init__(
        self, desk: Desk, clock: Clock, *, idle_ms: Ms, absolute_ms: Ms, factors: SecondFactors,
        factor_roles: frozenset[Role] = frozenset(),
    ) -> None:  # fmt: skip
        self._desk = desk
        self._clock = clock
        self._idle_ms, self._absolute_ms = idle_ms, absolute_ms
        self.factors = factors
        self._factor_roles = factor_roles
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe())
        self._tries, self._code_tries = Tries(PASSWORDS), Tries(CODES)
        self._turn, self._own_turn = asyncio.Semaphore(_HASHING_AT_ONCE), asyncio.Semaphore(1)
        self._seal = Seal()

    # --- letting in ---------------------------------------------------------------------------------------

    async def enter(self, name: str, password: str, address: str, code: str = "", mark: str = "") -> str:
        """The token of a new sign-in; Refused in the same words whatever of the two was wrong; CodeWanted (4).

        `mark` is what the browser has of an earlier sign-in of this name (3).
        """
        account = await self._desk.account(name)
        device = device_of(mark, name, None if account is None else account.password)
        account = await self._proved(name, account, password, address, device)
        if await self.factors.has(name):
            if not code:
                raise CodeWanted(self._seal.close(json.dumps([name, account.password, self._clock.now()]), "pledge"))
            await self._coded(name, code, address, device)
        return await self.begin(name, address)

    async def enter_with_code(self, pledge: str, code: str, address: str, marks: Callable[[str], str]) -> str:
        """The token of a new sign-in after `CodeWanted`; Refused where the code is wrong or it took too long."""
        opened = self._seal.open(pledge, "pledge")
        name, password, at = ("", None, 0) if opened is None else json.loads(opened)
        account = await self._desk.account(name)
        late = self._clock.now() - at >= _PLEDGE_LASTS
        if late or account is None or account.disabled_at is not None or account.password != password:
            raise Refused("That took too long; begin again with your password.")
        await self._coded(name, code, address, device_of(marks(name), name, password))
        return await self.begin(name, address)

    async def enter_elsewhere(self, identity: str, name: str, role: Role, address: str) -> str:
        """The token of a new sign-in of somebody whom a provider knows; Refused where the name cannot be theirs (5)."""
        account = await self._desk.account_of(identity)
        if account is None:
            account = await self._added(identity, name, role)
        if account.disabled_at is not None:
            raise Refused("Your account here is disabled. Ask an administrator.")
        if account.role != role:
            await self._desk.change_role(account.name, role)
            line = Access(self._clock.now(), account.name, f"role changed from {account.role} to {role}", account.name)
            await self._desk.note_access([line])
        return await self.begin(account.name, address, "signed in elsewhere")

    async def _added(self, identity: str, name: str, role: Role) -> Account:
        if not NAME_ELSEWHERE.fullmatch(name):
            raise Refused(f"The name {name[:80]!r} cannot be that of an account; see web.oidc.name_claim.")
        account = Account(name, role, self._clock.now(), identity=identity)
        if not await self._desk.add_account(account):
            raise Refused(f"{name} is somebody else's account here already. Ask an administrator.")
        await self._desk.note_access(
            [Access(account.created_at, name, f"account added as {role}, known elsewhere", name)]
        )
        return account

    async def begin(self, name: str, address: str, said: str = "signed in") -> str:
        """The token of a new sign-in of somebody who proved who they are."""
        now, token = self._clock.now(), secrets.token_urlsafe(32)
        await self._desk.sign_in(SignIn(sha256(token), name, now, now, address), ended_before=now - self._absolute_ms)
        await self._desk.note_access([Access(now, name, said, address=address)])
        return token

    async def mark(self, name: str) -> str | None:
        """What a browser is known again by as one of this account's; None where the account has no password here."""
        account = await self._desk.account(name)
        return None if account is None or account.password is None else new_mark(name, account.password)

    async def _proved(self, name: str, account: Account | None, password: str, address: str, device: str) -> Account:
        """The account of a name, by its password."""
        now = self._clock.now()
        self._refuse_too_many(self._tries, name, address, now, device)
        usable = account is not None and account.disabled_at is None and account.password is not None
        hashed = account.password if usable and account is not None else None
        good = await self._verify(hashed or self._nobody, password, self._own_turn if device else self._turn)
        if account is None or hashed is None or not good:
            await self._desk.note_access([Access(now, name[:80], "sign-in refused", address=address)])
            raise Refused("Name or password is wrong. A new password is made by an administrator's link.")
        self._tries.good(name, address, device)
        return account

    async def _coded(self, name: str, code: str, address: str, device: str) -> None:
        """A code of the account's second factor is used up; Refused where it is none."""
        now = self._clock.now()
        self._refuse_too_many(self._code_tries, name, address, now, device)
        used = await self.factors.check(name, code)
        if used is None:
            await self._desk.note_access([Access(now, name, "code refused", address=address)])
            raise Refused("The code is wrong, or was used. Wait for the next one, or take a recovery code.")
        self._code_tries.good(name, address, device)
        if used == "recovery code":
            await self._desk.note_access([Access(now, name, "recovery code used", name, address=address)])

    def _refuse_too_many(self, tries: Tries, name: str, address: str, now: Ms, device: str) -> None:
        if (until := tries.barred_until(name, address, now, device)) is not None:
            minutes = max(1, (until - now) // MINUTE)
            raise Refused(f"Too many tries; try again in {minutes} min.", after_s=max(1, (until - now) // 1000))
        tries.tried(name, address, now, device)

    # --- knowing again ------------------------------------------------------------------------------------

    async def who(self, token: str, *, used: bool = True) -> Who | None:
        """Who holds the token, if it still holds; `used` where a person did something and not a page by itself."""
        now, hashed = self._clock.now(), sha256(token)
        found = await self._holding(hashed, now)
        if found is None:
            return None
        known, account = found
        if used and now - known.used_at >= _USED_EVERY:
            await self._desk.sign_in_used(hashed, now)
        elsewhere = account.identity is not None
        wanted = account.role in self._factor_roles and not elsewhere
        lacks = wanted and not await self.factors.has(account.name)
        return Who(account.name, account.role, hashed, csrf_of(token), lacks, elsewhere, account.language)

    async def _holding(self, hashed: str, now: Ms) -> tuple[SignIn, Account] | None:
        """The sign-in of a token's hash, and whose it is; None where it is over, and it goes."""
        known = await self._desk.signed_in(hashed)
        if known is None:
            return None
        account = None if self._is_over(known, now) else await self._desk.account(known.account)
        if account is None or account.disabled_at is not None:
            await self._desk.sign_out(token_sha256=hashed)
            return None
        return known, account

    async def holds(self, who: Who) -> bool:
        """Whether a sign-in holds still; to ask is no use of it."""
        return await self._holding(who.token_sha256, self._clock.now()) is not None

    async def replace(self, token: str) -> None:
        """A browser signs in anew: the sign-in that it had ends, so that no token of before goes on."""
        if token:
            await self._desk.sign_out(token_sha256=sha256(token))

    def must_have_factor(self, who: Who) -> bool:
        """Whether the role may not be without a second factor."""
        return who.role in self._factor_roles and not who.is_elsewhere

    async def sign_ins(self, who: Who) -> list[SignIn]:
        """The account's sign-ins that hold, the newest first."""
        now = self._clock.now()
        return [each for each in await self._desk.sign_ins(who.name) if not self._is_over(each, now)]

    def _is_over(self, sign_in: SignIn, now: Ms) -> bool:
        return now - sign_in.began_at >= self._absolute_ms or now - sign_in.used_at >= self._idle_ms

    async def leave(self, who: Who) -> None:
        """Sign out."""
        await self._desk.sign_out(token_sha256=who.token_sha256)
        await self._desk.note_access([Access(self._clock.now(), who.name, "signed out")])

    async def end(self, who: Who, named: str | None) -> bool:
        """End the account's sign-in of that name, or all of them; False where there is none of that name."""
        ended = [each for each in await self._desk.sign_ins(who.name) if named in (None, each.named)]
        for each in ended:
            await self._desk.sign_out(token_sha256=each.token_sha256)
        said = "signed out everywhere" if named is None else "a sign-in ended"
        await self._desk.note_access([Access(self._clock.now(), who.name, said, who.name)])
        return bool(ended)

    # --- the own account ----------------------------------------------------------------------------------

    async def prove(self, who: Who, password: str, address: str, *, code: str | None = None) -> None:
        """Whoever is signed in is the account's owner: by the password, and by a code where one is given."""
        await self._proved(who.name, await self._desk.account(who.name), password, address, who.token_sha256)
        if code is not None:
            await self._coded(who.name, code, address, who.token_sha256)

    async def confirm_factor(self, who: Who, code: str, address: str) -> list[str]:
        """The new device counts: its recovery codes; Refused where the code is not its own."""
        self._refuse_too_many(self._code_tries, who.name, address, self._clock.now(), who.token_sha256)
        codes = await self.factors.confirm(who.name, code)
        if codes is None:
            raise Refused("That is not the code that this device shows now. Is its clock right?")
        self._code_tries.good(who.name, address, who.token_sha256)
        return codes

    async def change_password(self, who: Who, password: str) -> bool:
        """Another password, after `prove`; False where somebody was first."""
        account = await self._desk.account(who.name)
        if account is None or account.password is None:
            return False
        return await self._desk.change_password(who.name, await self._hashed(password), was=account.password)

    async def renew(self, who: Who, address: str, said: str) -> str:
        """All sign-ins of the account end, and this one goes on under a new token; `said` is kept."""
        await self._desk.sign_out(account=who.name)
        return await self.begin(who.name, address, said)

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
        hashed, now = await self._hashed(password), self._clock.now()
        if not await self._desk.choose_password(account.name, hashed, link_sha256=sha256(link), at=now):
            return False
        await self._desk.sign_out(account=account.name)
        await self._desk.note_access([Access(now, account.name, "password chosen")])
        return True

    async def _hashed(self, password: str) -> str:
        async with self._own_turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _verify(self, hashed: str, password: str, turn: asyncio.Semaphore) -> bool:
        async with turn:
            given = password if len(password) <= PASSWORD_MOST else ""  # nobody's is longer
            return await asyncio.to_thread(self._verified, hashed, given)

    def _verified(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def csrf_of(token: str) -> str:
    """What a form of a sign-in carries: made of the cookie's value, which no other site can read."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"emcheck form", hashlib.sha256).hexdigest()


def new_link(now: Ms) -> tuple[str, str, Ms]:
    """A one-time link's secret, its hash, and until when it is good."""
    secret = secrets.token_urlsafe(32)
    return secret, sha256(secret), now + LINK_LASTS
