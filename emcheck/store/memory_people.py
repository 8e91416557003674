"""Who may sign in, for tests."""

from collections.abc import Sequence

from emcheck.desk import Access, Account, SecondFactor, SignIn
from emcheck.domain.ids import Ms
from emcheck.domain.rights import Role
from emcheck.store.rows import storable


class MemoryPeople:
    """A part of `emcheck.desk.Desk`."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._factors: dict[str, SecondFactor] = {}
        self._codes: dict[str, set[str]] = {}
        self._sign_ins: dict[str, SignIn] = {}
        self._access: list[Access] = []

    async def accounts(self) -> list[Account]:
        """All of them, by name."""
        return sorted(self._accounts.values())

    async def account(self, name: str) -> Account | None:
        """One of them."""
        return self._accounts.get(name)

    async def account_of(self, identity: str) -> Account | None:
        """The one that a provider elsewhere knows by this."""
        return next((each for each in self._accounts.values() if each.identity == identity), None)

    async def add_account(self, account: Account) -> bool:
        """Add it; False where there is one of that name."""
        return self._accounts.setdefault(account.name, account) is account

    async def change_role(self, name: str, role: Role) -> None:
        """The account has another role, and its sign-ins end."""
        if name in self._accounts:
            self._accounts[name] = self._accounts[name]._replace(role=role)
            await self.sign_out(account=name)

    async def choose_language(self, name: str, language: str | None) -> None:
        """The account's pages are in this language, as far as they are; None lets the browser say."""
        if name in self._accounts:
            self._accounts[name] = self._accounts[name]._replace(language=language)

    async def put_account(self, account: Account) -> None:
        """Add it, or replace what stands under its name."""
        self._accounts[account.name] = account

    async def choose_password(self, name: str, password: str, *, link_sha256: str, at: Ms) -> bool:
        """Give the account its password and use its link up; False where the link is not the one, or is over."""
        known = self._accounts.get(name)
        if known is None or known.link_sha256 != link_sha256 or known.disabled_at is not None:
            return False
        if known.link_until is None or known.link_until <= at:
            return False
        self._accounts[name] = known._replace(password=password, link_sha256=None, link_until=None)
        return True

    async def change_password(self, name: str, password: str, *, was: str) -> bool:
        """Replace the hash `was`; False where it is not the one, or the account is disabled."""
        known = self._accounts.get(name)
        if known is None or known.password != was or known.disabled_at is not None:
            return False
        self._accounts[name] = known._replace(password=password)
        return True

    async def sign_in(self, sign_in: SignIn, *, ended_before: Ms) -> None:
        """Keep a sign-in; those that began before `ended_before` go."""
        self._sign_ins = {token: one for token, one in self._sign_ins.items() if one.began_at >= ended_before}
        self._sign_ins[sign_in.token_sha256] = sign_in

    async def signed_in(self, token_sha256: str) -> SignIn | None:
        """The sign-in of a token."""
        return self._sign_ins.get(token_sha256)

    async def sign_in_used(self, token_sha256: str, at: Ms) -> None:
        """It was used at `at`."""
        if token_sha256 in self._sign_ins:
            self._sign_ins[token_sha256] = self._sign_ins[token_sha256]._replace(used_at=at)

    async def sign_ins(self, account: str) -> list[SignIn]:
        """All of an account, the newest first; what is over by its age may be among them."""
        return sorted((s for s in self._sign_ins.values() if s.account == account), key=lambda s: -s.began_at)

    async def sign_out(
        self, *, token_sha256: str | None = None, account: str | None = None, but: str | None = None
    ) -> None:
        """End one sign-in, or all of an account, or all but that of the token `but`."""
        self._sign_ins = {
            token: one
            for token, one in self._sign_ins.items()
            if token != token_sha256 and (one.account != account or token == but)
        }

    async def second_factor(self, account: str) -> SecondFactor | None:
        """The account's device, confirmed or not."""
        return self._factors.get(account)

    async def put_second_factor(self, factor: SecondFactor) -> None:
        """Add it, or replace what the account has."""
        self._factors[factor.account] = factor

    async def use_step(self, account: str, step: int) -> bool:
        """A code of these 30 s is used up; False where it, or a later one, was."""
        known = self._factors.get(account)
        if known is None or known.step >= step:
            return False
        self._factors[account] = known._replace(step=step)
        return True

    async def drop_second_factor(self, account: str) -> None:
        """Forget the account's device and recovery codes."""
        self._factors.pop(account, None)
        self._codes.pop(account, None)

    async def put_recovery_codes(self, account: str, hashes: Sequence[str]) -> None:
        """The account's one-time codes are these, and no others."""
        self._codes[account] = set(hashes)

    async def recovery_codes(self, account: str) -> int:
        """How many are left."""
        return len(self._codes.get(account, ()))

    async def use_recovery_code(self, account: str, code_sha256: str) -> bool:
        """It is used up; False where it was, or never was one."""
        left = self._codes.get(account, set())
        if code_sha256 not in left:
            return False
        left.discard(code_sha256)
        return True

    async def note_access(self, lines: Sequence[Access]) -> None:
        """Keep lines of the access log, for ever."""
        for line in lines:
            subject = None if line.subject is None else storable(line.subject)
            self._access.append(line._replace(account=storable(line.account), subject=subject))

    async def access_log(
        self, *, before: int | None = None, limit: int, subject: str | None = None
    ) -> list[tuple[int, Access]]:
        """The newest lines before number `before`, newest first, each with its number; of one subject, or of all."""
        numbered = [
            (number, line)
            for number, line in enumerate(self._access, start=1)
            if (before is None or number < before) and subject in (None, line.subject)
        ]
        return numbered[::-1][:limit]
