"""Which fitter is to make which visit on which day, for tests."""

from collections.abc import Sequence

from emcheck.desk import Assignment
from emcheck.domain.ids import Ms
from emcheck.store.rows import storable


class MemoryAssignments:
    """A part of `emcheck.desk.Desk`."""

    def __init__(self) -> None:
        self._assignments: dict[str, Assignment] = {}

    async def assignments(self) -> Sequence[Assignment]:
        """All there are, by order; those of days that are over too."""
        return [self._assignments[order_id] for order_id in sorted(self._assignments)]

    async def assign(self, order_id: str, now: Assignment | None, *, seen_at: Ms | None) -> Assignment | None:
        """Put `now` in the place of the one made at `seen_at`, None for none; what stands there then."""
        of = storable(order_id)
        held = self._assignments.get(of)
        if held is not None and held.at == seen_at:
            del self._assignments[of]
        if now is not None:
            kept = now._replace(order_id=of, fitter=storable(now.fitter), by=storable(now.by))
            self._assignments.setdefault(of, kept)
        return self._assignments.get(of)
