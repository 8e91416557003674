"""What every store does for pages that look back and over all."""

from emcheck.desk import Desk
from emcheck.domain.alerts import AlertState
from emcheck.ports import Commit, Quarantined
from tests.store.samples import HOSTILE, T0, alert, change, closed


class OverviewContract:
    """`store` is open and empty."""

    async def test_alerts_of_a_span_are_read_on_whether_open_or_closed(self, store: Desk) -> None:
        made = [alert("AL-1", raised_at=T0), closed("AL-2", raised_at=T0 + 1), alert("AL-3", raised_at=T0 + 1),
                closed("AL-4", raised_at=T0 + 9), alert("AL-5", raised_at=T0 + 10)]  # fmt: skip
        await store.commit(Commit(alerts=[change(each) for each in made]))
        first = await store.alerts_raised(T0, T0 + 10, limit=2)
        assert [each.alert_id for each in first] == ["AL-1", "AL-2"]
        rest = await store.alerts_raised(T0, T0 + 10, after=(T0 + 1, "AL-2"), limit=9)
        assert [each.alert_id for each in rest] == ["AL-3", "AL-4"]
        assert await store.alerts_raised(T0 + 2, T0 + 9, limit=9) == []

    async def test_what_is_in_hand_is_had_acknowledged_or_shelved(self, store: Desk) -> None:
        made = [
            alert("AL-1"), alert("AL-2", holder="jo"), alert("AL-3", priority="P3", state=AlertState.SHELVED),
            alert("AL-4", state=AlertState.ACKNOWLEDGED, holder="kim"), closed("AL-5", holder="jo"),
            alert("AL-6", state=AlertState.SUPPRESSED), alert("AL-7", withdrawn=True, holder="jo"),
        ]  # fmt: skip
        await store.commit(Commit(alerts=[change(each) for each in made]))
        assert [each.alert_id for each in await store.in_hand(limit=9)] == ["AL-2", "AL-4", "AL-3"]
        assert [each.alert_id for each in await store.in_hand(limit=1)] == ["AL-2"]

    async def test_incidents_that_are_open_are_found_by_their_subject(self, store: Desk) -> None:
        made = [
            alert("AL-1", subject="incident all", size=9, raised_at=T0 + 2, wearer_id=None),
            alert("AL-2", subject="incident postcode SE15 4", size=3, raised_at=T0 + 1, wearer_id=None),
            closed("AL-3", subject="incident uplink x", size=3), alert("AL-4", subject="incidental"),
        ]  # fmt: skip
        await store.commit(Commit(alerts=[change(each) for each in made]))
        assert [each.alert_id for each in await store.open_incidents(limit=9)] == ["AL-2", "AL-1"]
        assert [each.alert_id for each in await store.open_incidents(limit=1)] == ["AL-2"]

    async def test_refused_input_is_read_from_its_end(self, store: Desk) -> None:
        kept = [
            Quarantined(T0 + n, "em/v1/BU-0001/up", "BU-0001" if n % 2 else None, "not_json" if n < 3 else "over_size",
                        HOSTILE, b"\x00" + bytes([n])) for n in range(5)
        ]  # fmt: skip
        await store.commit(Commit(quarantine=kept))
        newest = await store.refused(limit=2)
        assert [item.payload for _, item in newest] == [b"\x00\x04", b"\x00\x03"]
        rest = await store.refused(before=newest[-1][0], limit=9)
        assert [item.payload[1] for _, item in rest] == [2, 1, 0]
        assert [item.payload[1] for _, item in await store.refused(unit="BU-0001", limit=9)] == [3, 1]
        assert [item.payload[1] for _, item in await store.refused(unit="BU-0001", reason="not_json", limit=9)] == [1]
        assert len(await store.refused(unit="em/v1/BU-0001/up", limit=9)) == 5
        assert await store.refused(unit=HOSTILE, limit=9) == []
