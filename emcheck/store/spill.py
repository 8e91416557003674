"""Inbox rows for a store in memory: numbers in arrays, payloads in an anonymous temporary file.

A row costs some 50 bytes of memory whatever its payload; the file has no name and goes with the process.
"""

import os
import tempfile
from array import array
from bisect import bisect_right
from collections.abc import Sequence

from emcheck.domain.ids import UnitId
from emcheck.ports import INBOX_KINDS, InboxRow, StoreError
from emcheck.store.failures import temporary_failure, unknown_kind

_NONE = -1
_CELLS = 5
_KIND_NUMBERS = {kind: number for number, kind in enumerate(INBOX_KINDS)}
_BUFFER_BYTES = 1 << 20


class SpilledInbox:
    """Rows in order of arrival, by rising row id."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=_BUFFER_BYTES)  # noqa: SIM115 - lives as long as the store
        self._size = 0
        self._flushed = 0
        self._row_ids = array("q")
        self._cells = array("q")
        """`_CELLS` numbers a row: when received, kind, unit, previous row, end in the file."""
        self._names: list[UnitId] = []
        self._numbers: dict[UnitId, int] = {}

    def __len__(self) -> int:
        return len(self._row_ids)

    def last_row_id(self) -> int:
        """Id of the newest row; 0 where there is none."""
        return self._row_ids[-1] if self._row_ids else 0

    def check(self, rows: Sequence[InboxRow]) -> None:
        """StoreError where `append` would refuse one of them: nothing is written unless all can be."""
        last = self.last_row_id()
        for row in rows:
            if row.kind not in _KIND_NUMBERS:
                raise unknown_kind(row.kind)
            if row.row_id <= last:
                raise StoreError(
                    f"inbox row {row.row_id} is there already; the newest is {last}",
                    remedy="report this with the log: it is a fault in emcheck",
                    transient=False,
                )
            last = row.row_id

    def append(self, row: InboxRow) -> None:
        """Add one row that `check` let pass."""
        row_id, received_at, kind, unit, previous, payload = row
        try:
            self._file.write(payload)
        except OSError as error:
            raise temporary_failure(error) from error
        self._size += len(payload)
        self._row_ids.append(row_id)
        self._cells.extend(
            (
                received_at,
                _KIND_NUMBERS[kind],
                _NONE if unit is None else self._number(unit),
                _NONE if previous is None else previous,
                self._size,
            )
        )

    def _number(self, unit: UnitId) -> int:
        number = self._numbers.get(unit)
        if number is None:
            number = self._numbers[unit] = len(self._names)
            self._names.append(unit)
        return number

    def row(self, place: int) -> InboxRow:
        """The row at a place, counted from 0."""
        received_at, kind, unit, previous, end = self._cells[place * _CELLS : (place + 1) * _CELLS]
        return InboxRow(
            self._row_ids[place],
            received_at,
            INBOX_KINDS[kind],
            None if unit == _NONE else self._names[unit],
            None if previous == _NONE else previous,
            self._payload(self._cells[place * _CELLS - 1] if place else 0, end),
        )

    def _payload(self, start: int, end: int) -> bytes:
        try:
            if end > self._flushed:
                self._file.flush()
                self._flushed = self._size
            return os.pread(self._file.fileno(), end - start, start)
        except OSError as error:
            raise temporary_failure(error) from error

    def place_after(self, row_id: int) -> int:
        """Where the first row after `row_id` stands, or would."""
        return bisect_right(self._row_ids, row_id)

    def history(self, *, newest: int, after: int) -> list[InboxRow]:
        """One unit's rows along `previous`, oldest first."""
        rows: list[InboxRow] = []
        row_id: int | None = newest
        while row_id is not None and row_id > after:
            place = self.place_after(row_id) - 1
            if place < 0 or self._row_ids[place] != row_id:
                break
            rows.append(self.row(place))
            row_id = rows[-1].previous
        rows.reverse()
        return rows

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
