"""The console's half of the store for tests."""

from collections.abc import Iterator, Sequence

from emcheck.desk import RANKS_OF_A_GROUP, Asked, Count, Place, Told, View, counts_of, rank, ranks
from emcheck.domain.alerts import Alert, Step, waits
from emcheck.domain.ids import Ms
from emcheck.ports import AlertChange, Person, StoreError
from emcheck.store.desk_queries import ACTS_OF_PEOPLE
from emcheck.store.memory_assignments import MemoryAssignments
from emcheck.store.memory_overview import MemoryOverview
from emcheck.store.memory_people import MemoryPeople
from emcheck.store.memory_photos import MemoryPhotos
from emcheck.store.rows import storable
from emcheck.store.spill import SpilledInbox


class MemoryDesk(MemoryPeople, MemoryOverview, MemoryPhotos, MemoryAssignments):
    """See `emcheck.desk.Desk`."""

    _alerts: dict[str, Alert]
    _changes: list[AlertChange]
    _people: dict[str, Person]

    def __init__(self) -> None:
        super().__init__()
        MemoryPhotos.__init__(self)
        MemoryAssignments.__init__(self)
        self._views: dict[tuple[str, str], View] = {}

    @property
    def _rows(self) -> SpilledInbox:
        raise StoreError("the store in memory is not open", remedy="open() the store first", transient=False)

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
            and all(
                self._speaks_of(alert, word) or alert.subject in asked.heard_by.get(word, ())
                for word in asked.words.lower().split()
            )
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
