"""What the console asks of the store: who may sign in, who looked at what, and the queue page by page.

Accounts, sign-ins and the access log are no facts: they change no verdict and are not in the inbox. What an operator
does about an alert is an instruction and goes through the mailbox like any other (`emcheck.ports.Store.post`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from emcheck.desk.visits import Assignment as Assignment
from emcheck.desk.visits import Photo as Photo
from emcheck.desk.visits import VisitsDesk
from emcheck.domain.alerts import Alert, Step, waits
from emcheck.domain.ids import Ms
from emcheck.domain.rights import ACCOUNT, Role
from emcheck.ports import AlertChange, Quarantined, Store

NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")
"""How an account is called: what stands beside each act for ever."""
NAME_ELSEWHERE = re.compile(ACCOUNT)
"""How one of a provider elsewhere may be called: there, names are often addresses."""
_RAISED_BITS = 44
_RAISED_MAX = (1 << _RAISED_BITS) - 1


class Account(NamedTuple):
    """Somebody who may sign in. `password` is an argon2id hash in its usual text form; None until one was chosen.

    `link_sha256` is the hash of a one-time link that is good until `link_until`; it goes when a password is chosen.
    `identity` is set where a provider elsewhere knows them (OpenID Connect) and no password lets in. `language` is the
    one that they read best, as `de`; None where their browser says.
    """

    name: str
    role: Role
    created_at: Ms
    disabled_at: Ms | None = None
    password: str | None = None
    link_sha256: str | None = None
    link_until: Ms | None = None
    identity: str | None = None
    language: str | None = None

    def state(self, now: Ms) -> str:
        """Whether it can be used, in words."""
        if self.disabled_at is not None:
            return "disabled"
        if self.identity is not None:
            return "signs in elsewhere"
        if self.password is not None:
            return "may sign in"
        return "has a link" if self.link_until is not None and self.link_until > now else "its link is over"


class SignIn(NamedTuple):
    """A sign-in that holds: by the hash of its token, so that whoever reads the database cannot use it."""

    token_sha256: str
    account: str
    began_at: Ms
    used_at: Ms
    address: str | None = None
    """Where it was made from."""

    @property
    def named(self) -> str:
        """What a list calls it: a part of the hash."""
        return self.token_sha256[:16]


class SecondFactor(NamedTuple):
    """The device that shows an account's codes (RFC 6238). `sealed` is its secret, sealed for this account.

    It counts once `confirmed_at` is set. `step` is the newest 30 s whose code was used: no code up to it is taken.
    """

    account: str
    sealed: str
    made_at: Ms
    confirmed_at: Ms | None = None
    step: int = 0


class Access(NamedTuple):
    """A line of the access log: who did or saw what of whom. `subject` is a wearer, a unit, an account or nothing."""

    at: Ms
    account: str
    action: str
    subject: str | None = None
    alert_id: str | None = None
    address: str | None = None
    """Where the request came from."""


class View(NamedTuple):
    """A filter of the queue that somebody kept: `query` as it stands in the address, `priority=P1&waiting=1`."""

    account: str
    name: str
    query: str


class Place(NamedTuple):
    """Where an alert stands in the queue: by `rank`, and by id among equals."""

    rank: int
    alert_id: str


class Count(NamedTuple):
    """How many alerts of a priority are open in the queue, how many of them wait, and since when the first does."""

    priority: str
    open: int
    waiting: int
    first_raised_at: Ms | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the queue is wanted. `words` is sought in ids of alerts, wearers and units, and in wearers' names.

    A word that names a unit finds whom it hears, too: `heard_by` has them, by the word in small letters. `holder` is
    who has it, `subjects` are the wearers and units of a site, `incident` an alert and those under it.
    """

    priority: str | None = None
    waiting_only: bool = False
    words: str = ""
    rule: str | None = None
    holder: str | None = None
    subjects: tuple[str, ...] | None = None
    incident: str | None = None
    heard_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


EVERYTHING = Asked()


def rank(alert: Alert) -> int | None:
    """Its place in the queue as one number: by priority, what waits first, then by time left; None where it is in none.

    Time left to a target is the same order as the time of the raise, for alerts of one priority have one target.
    """
    if alert.state in ("closed", "suppressed") or alert.withdrawn:
        return None
    return (_group(alert.priority, waiting=waits(alert)) << _RAISED_BITS) + min(max(alert.raised_at, 0), _RAISED_MAX)


def _group(priority: str, *, waiting: bool) -> int:
    return 2 * int(priority[1:]) + (not waiting)


def ranks(priority: str | None) -> tuple[int, int]:
    """The first rank of a priority, or of all, and the first after it."""
    if priority is None:
        return 0, 1 << 62
    number = int(priority[1:])
    return 2 * number << _RAISED_BITS, 2 * (number + 1) << _RAISED_BITS


RANKS_OF_A_GROUP = 1 << _RAISED_BITS


def is_waiting(group: int) -> bool:
    """Whether alerts of a group (`rank // RANKS_OF_A_GROUP`) wait for somebody."""
    return group % 2 == 0


def counts_of(groups: Sequence[tuple[int, int, int]]) -> list[Count]:
    """Groups as the store counts them (group, how many, lowest rank) by priority."""
    found: dict[str, Count] = {}
    for group, number, lowest in sorted(groups):
        priority = f"P{group // 2}"
        known = found.get(priority, Count(priority, 0, 0, None))
        if is_waiting(group):
            known = known._replace(waiting=number, first_raised_at=lowest % RANKS_OF_A_GROUP)
        found[priority] = known._replace(open=known.open + number)
    return list(found.values())


class Told(NamedTuple):
    """A change of an alert with its number, which rises with each."""

    number: int
    change: AlertChange


class Desk(Store, VisitsDesk, Protocol):
    """A store with what the console needs beside. Passes `tests/store/contract_desk.py`. All errors are StoreError."""

    # --- accounts -----------------------------------------------------------------------------------------

    async def accounts(self) -> list[Account]:
        """All of them, by name."""
        ...

    async def account(self, name: str) -> Account | None:
        """One of them."""
        ...

    async def account_of(self, identity: str) -> Account | None:
        """The one that a provider elsewhere knows by this."""
        ...

    async def add_account(self, account: Account) -> bool:
        """Add it; False where there is one of that name."""
        ...

    async def change_role(self, name: str, role: Role) -> None:
        """The account has another role, and its sign-ins end."""
        ...

    async def choose_language(self, name: str, language: str | None) -> None:
        """The account's pages are in this language, as far as they are; None lets the browser say."""
        ...

    async def put_account(self, account: Account) -> None:
        """Add it, or replace what stands under its name."""
        ...

    async def choose_password(self, name: str, password: str, *, link_sha256: str, at: Ms) -> bool:
        """Give the account its password and use its link up; False where the link is not the one, or is over."""
        ...

    async def sign_in(self, sign_in: SignIn, *, ended_before: Ms) -> None:
        """Keep a sign-in; those that began before `ended_before` go."""
        ...

    async def signed_in(self, token_sha256: str) -> SignIn | None:
        """The sign-in of a token."""
        ...

    async def sign_in_used(self, token_sha256: str, at: Ms) -> None:
        """It was used at `at`."""
        ...

    async def sign_ins(self, account: str) -> list[SignIn]:
        """All of an account, the newest first; what is over by its age may be among them."""
        ...

    async def sign_out(
        self, *, token_sha256: str | None = None, account: str | None = None, but: str | None = None
    ) -> None:
        """End one sign-in, or all of an account, or all but that of the token `but`."""
        ...

    async def change_password(self, name: str, password: str, *, was: str) -> bool:
        """Replace the hash `was`; False where it is not the one, or the account is disabled."""
        ...

    async def second_factor(self, account: str) -> SecondFactor | None:
        """The account's device, confirmed or not."""
        ...

    async def put_second_factor(self, factor: SecondFactor) -> None:
        """Add it, or replace what the account has."""
        ...

    async def use_step(self, account: str, step: int) -> bool:
        """A code of these 30 s is used up; False where it, or a later one, was."""
        ...

    async def drop_second_factor(self, account: str) -> None:
        """Forget the account's device and recovery codes."""
        ...

    async def put_recovery_codes(self, account: str, hashes: Sequence[str]) -> None:
        """The account's one-time codes are these, and no others."""
        ...

    async def recovery_codes(self, account: str) -> int:
        """How many are left."""
        ...

    async def use_recovery_code(self, account: str, code_sha256: str) -> bool:
        """It is used up; False where it was, or never was one."""
        ...

    async def note_access(self, lines: Sequence[Access]) -> None:
        """Keep lines of the access log, for ever."""
        ...

    async def access_log(
        self, *, before: int | None = None, limit: int, subject: str | None = None
    ) -> list[tuple[int, Access]]:
        """The newest lines before number `before`, newest first, each with its number; of one subject, or of all."""
        ...

    # --- the queue ----------------------------------------------------------------------------------------

    async def views(self, account: str) -> list[View]:
        """What somebody kept, by name."""
        ...

    async def put_view(self, view: View) -> None:
        """Keep it, or replace what stands under its name."""
        ...

    async def drop_view(self, account: str, name: str) -> bool:
        """Keep it no more; False where there is none."""
        ...

    async def queue_page(self, asked: Asked, *, after: Place | None, limit: int) -> list[Alert]:
        """The alerts of the queue from the one after `after`, in its order."""
        ...

    async def queue_counts(self) -> list[Count]:
        """How many alerts of each priority are in the queue; a priority without any is left out."""
        ...

    async def last_told(self) -> int:
        """The number of the newest change of any alert; 0 where there is none."""
        ...

    async def told_after(self, number: int, *, limit: int) -> list[Told]:
        """Changes of alerts after a number, in the order in which they were written."""
        ...

    async def holders(self, names: Sequence[str]) -> dict[str, Step]:
        """Of each of at most 500 alerts the last act of a person; one that nobody acted on is left out."""
        ...

    async def count_under(self, incident: str) -> int:
        """How many alerts an incident accounts for, closed ones too."""
        ...

    async def names(self, wearers: Sequence[str]) -> dict[str, str]:
        """The names of at most 500 wearers, as far as they are held."""
        ...

    async def row_before(self, at: Ms) -> int:
        """The number of an inbox row behind which all rows were received at `at` or later; 0 for all rows."""
        ...

    # --- looking back and over all ------------------------------------------------------------------------

    async def alerts_raised(self, since: Ms, until: Ms, *, after: tuple[Ms, str] = (-1, ""), limit: int) -> list[Alert]:
        """The alerts raised in `[since, until)`, closed ones too, by instant and id, from the one after `after`."""
        ...

    async def in_hand(self, *, limit: int) -> list[Alert]:
        """The alerts of the queue that somebody has, acknowledged or shelved, in its order."""
        ...

    async def open_incidents(self, *, limit: int) -> list[Alert]:
        """The alerts of incidents that are not closed, by when they were raised."""
        ...

    async def refused(
        self, *, unit: str | None = None, reason: str | None = None, before: int | None = None, limit: int
    ) -> list[tuple[int, Quarantined]]:
        """Refused input with its number, newest first, from the one before `before`; of a unit, topic or reason."""
        ...
