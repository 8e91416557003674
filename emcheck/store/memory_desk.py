"""The console's half of the store for tests."""

from collections.abc import Iterator, Sequence

from emcheck.desk import (
    RANKS_OF_A_GROUP,
    Access,
    Account,
    Asked,
    Count,
    Place,
    SignIn,
    Told,
    View,
    counts_of,
    rank,
    ranks,
)
from emcheck.domain.alerts import Alert, Step, waits
from emcheck.domain.ids import Ms
from emcheck.ports import AlertChange, Person, StoreError
from emcheck.store.desk_queries import ACTS_OF_PEOPLE
from emcheck.store.rows import storable
from emcheck.store.spill import SpilledInbox


class MemoryDesk:
    """See `emcheck.desk.Desk`."""

    _alerts: dict[str, Alert]
    _changes: list[AlertChange]
    _people: dict[str, Person]

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._sign_ins: dict[str, SignIn] = {}
        self._access: list[Access] = []
        self._views: dict[tuple[str, str], View] = {}

    @property
    def _rows(self) -> SpilledInbox:
        raise StoreError("the store in memory is not open", remedy="open() the store first", transient=False)

    async def accounts(self) -> list[Account]:
        """All of them, by name."""
        return sorted(self._accounts.values())

    async def account(self, name: str) -> Account | None:
        """One of them."""
        return self._accounts.get(name)

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

    async def sign_out(self, *, token_sha256: str | None = None, account: str | None = None) -> None:
        """End one sign-in, or all of an account."""
        self._sign_ins = {
            token: one for token, one in self._sign_ins.items() if token != token_sha256 and one.account != account
        }

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

    async def views(self, account: str) -> list[View]:
        """What somebody kept, by name."""
        return sorted(view for view in self._views.values() if view.account == storable(account))

    async def put_view(self, view: View) -> None:
        """Keep it, or replace what stands under its name."""
        kept = View(*map(storable, view))
        self._views[kept.account, kept.name] = kept

    async def drop_view(self, account: str, name: str) -> bool:
        """Keep it no more; False where there is none."""
        return self._views.pop((storable(account), storable(name)), None) is not None

    async def queue_page(self, asked: Asked, *, after: Place | None, limit: int) -> list[Alert]:
        """The alerts of the queue from the one after `after`, in its order."""
        low, high = ranks(asked.priority)
        found = sorted(
            (place, alert)
            for place, alert in self._queue()
            if low <= place.rank < high
            and (after is None or place > after)
            and (waits(alert) or not asked.waiting_only)
            and asked.rule in (None, alert.rule)
            and asked.holder in (None, alert.holder)
            and (asked.subjects is None or alert.subject in asked.subjects)
            and asked.incident in (None, alert.alert_id, alert.incident)
            and all(self._speaks_of(alert, word) for word in asked.words.lower().split())
        )
        return [alert for _, alert in found[:limit]]

    def _queue(self) -> Iterator[tuple[Place, Alert]]:
        for alert in self._alerts.values():
            if (number := rank(alert)) is not None:
                yield Place(number, alert.alert_id), alert

    def _speaks_of(self, alert: Alert, word: str) -> bool:
        person = self._people.get(alert.subject)
        named = "" if person is None or person.name is None else person.name
        return any(word in text.lower() for text in (alert.subject, alert.alert_id, named))

    async def queue_counts(self) -> list[Count]:
        """How many alerts of each priority are in the queue; a priority without any is left out."""
        groups: dict[int, list[int]] = {}
        for place, _ in self._queue():
            groups.setdefault(place.rank // RANKS_OF_A_GROUP, []).append(place.rank)
        return counts_of([(group, len(found), min(found)) for group, found in groups.items()])

    async def last_told(self) -> int:
        """The number of the newest change of any alert; 0 where there is none."""
        return len(self._changes)

    async def told_after(self, number: int, *, limit: int) -> list[Told]:
        """Changes of alerts after a number, in the order in which they were written."""
        later = self._changes[number : number + limit]
        return [Told(each, change) for each, change in enumerate(later, start=number + 1)]

    async def holders(self, names: Sequence[str]) -> dict[str, Step]:
        """Of each of at most 500 alerts the last act of a person; one that nobody acted on is left out."""
        return {
            c.alert.alert_id: Step(c.alert.alert_id, c.action, c.at, c.by)
            for c in self._changes
            if c.alert.alert_id in names and c.action in ACTS_OF_PEOPLE
        }

    async def count_under(self, incident: str) -> int:
        """How many alerts an incident accounts for, closed ones too."""
        return sum(alert.incident == incident for alert in self._alerts.values())

    async def names(self, wearers: Sequence[str]) -> dict[str, str]:
        """The names of at most 500 wearers, as far as they are held."""
        return {w: p.name for w in wearers if (p := self._people.get(w)) is not None and p.name is not None}

    async def row_before(self, at: Ms) -> int:
        """The number of an inbox row behind which all rows were received at `at` or later; 0 for all rows."""
        earlier = [row.row_id for row in map(self._rows.row, range(len(self._rows))) if row.received_at < at]
        return max(earlier, default=0)
