"""What every store does with alerts, and with what is owed of them."""

import pytest

from emcheck.domain.alerts import AlertState, Course, Step
from emcheck.domain.ids import AlertId
from emcheck.ports import Commit, Delivery, Owed, Store, StoreError
from tests.store.samples import BIG, HOSTILE, T0, alert, change, closed


class QueueContract:
    """`store` is open and empty."""

    async def test_alerts_of_one_subject(self, store: Store) -> None:
        mine = [alert(), closed("AL-2", raised_at=T0)]
        await store.commit(Commit(alerts=[change(a) for a in (*mine, alert("AL-3", subject="W-2"))]))
        assert await store.alerts(open_only=False, subjects=["W-1"]) == mine[::-1]
        assert await store.alerts(open_only=True, subjects=["W-1"]) == mine[:1]
        assert await store.alerts(open_only=False, subjects=["W-3"]) == []

    async def test_alerts_keep_their_history(self, store: Store) -> None:
        raised = change(alert(raised_at=T0 + 2))
        earlier = change(alert("AL-2", raised_at=T0 + 1, subject="W-2"))
        amended = change(alert(raised_at=T0 + 2, revision=2, text="back at 20:00"), "amended", at=T0 + 9)
        ended = change(closed(raised_at=T0 + 2, revision=3), "closed", published=None, at=T0 + 10)
        await store.commit(Commit(alerts=[raised, earlier]))
        await store.commit(Commit(alerts=[amended, ended]))
        assert await store.alerts(open_only=False) == [earlier.alert, ended.alert]
        assert await store.alerts(open_only=True) == [earlier.alert]
        kept = [told._replace(published=None) for told in (raised, amended, ended)]
        assert await store.alert_history("AL-1") == kept

    async def test_what_is_published_is_owed_to_every_publisher_in_order(self, store: Store) -> None:
        changes = [
            change(alert(), published=b"one", at=T0 + 1),
            change(alert(revision=2), "acknowledged", published=None),
            change(alert("AL-2", subject="W-2", priority="P3"), published=b"two", at=T0 + 2),
            change(alert(revision=3), "amended", published=b"three", at=T0 + 3),
        ]
        await store.commit(Commit(alerts=changes))
        items = await store.outbox_after("mqtt", limit=10)
        assert [tuple(item[1:]) for item in items] == [
            ("W-1", "AL-1", "AL-1.1", "P1", T0 + 1, b"one"),
            ("W-2", "AL-2", "AL-2.1", "P3", T0 + 2, b"two"),
            ("W-1", "AL-1", "AL-1.3", "P1", T0 + 3, b"three"),
        ]
        assert items == sorted(items)
        assert await store.outbox_after("mqtt", limit=1) == items[:1]
        await store.outbox_delivered("mqtt", items[1].item_id)
        assert await store.outbox_after("mqtt", limit=10) == items[2:]
        await store.outbox_delivered("mqtt", items[0].item_id)
        assert await store.outbox_after("mqtt", limit=10) == items[2:]
        assert await store.outbox_after("webhook", limit=10) == items

    async def test_what_is_owed_to_a_contact_comes_with_the_alert_as_it_stands(self, store: Store) -> None:
        paged, mailed = "duty_operator page", "dutyXoperator page"
        raised = change(alert(), "escalated", at=T0 + 1)._replace(to=paged)
        other = change(alert("AL-2", subject="W-2"), "escalated", at=T0 + 2)._replace(to=mailed)
        queue = change(alert(revision=2), "amended", at=T0 + 3)
        seen = change(alert(revision=3, state=AlertState.ACKNOWLEDGED), "acknowledged", at=T0 + 4)
        again = change(alert("AL-3"), "escalated", at=T0 + 5)._replace(to="duty_operator mail")
        await store.commit(Commit(alerts=[raised, other, queue, seen, again]))
        items = await store.outbox_after("mqtt", limit=9)
        mine = [paged, "duty_operator mail"]
        assert await store.owed_to("notify", mine, after=0, limit=9) == [
            Owed(items[0], paged, seen.alert),
            Owed(items[4], "duty_operator mail", again.alert),
        ]
        assert await store.owed_to("notify", mine, after=0, limit=1) == [Owed(items[0], paged, seen.alert)]
        later = await store.owed_to("notify", mine, after=items[0].item_id, limit=9)
        assert [owed.item for owed in later] == [items[4]]
        await store.outbox_delivered("notify", items[0].item_id)
        assert [owed.to for owed in await store.owed_to("notify", mine, after=0, limit=9)] == ["duty_operator mail"]
        assert await store.owed_to("notify", [], after=0, limit=9) == []

    async def test_who_has_what_is_kept_once(self, store: Store) -> None:
        first, second = Delivery("AL-1", 1, "centre", T0), Delivery("AL-1", 2, HOSTILE, T0 + 1)
        await store.commit(Commit(deliveries=[first, first._replace(at=T0 + 9)]))
        await store.note_deliveries([second, first._replace(at=T0 + 5), Delivery("AL-2", BIG, "centre", T0)])
        await store.note_deliveries([])
        kept = sorted(await store.deliveries(["AL-1", "AL-9"]))
        assert kept == [first, second._replace(consumer="nul \\x00, lone \\ud800, quote ' \" ; -- \n ü 🜲")]
        assert await store.deliveries(["AL-2"]) == [Delivery("AL-2", BIG, "centre", T0)]
        assert await store.deliveries([]) == []

    async def test_alerts_by_name_and_the_histories_of_those_that_are_open(self, store: Store) -> None:
        changes = [change(alert(f"AL-{n}")) for n in (3, 1, 2, 4)]
        changes += [change(alert("AL-1", revision=2), "amended"), change(closed("AL-2", revision=2), "closed")]
        await store.commit(Commit(alerts=changes))
        assert [a.alert_id for a in await store.alerts_named(["AL-9", "AL-3"])] == ["AL-3"]
        assert await store.alerts_named([]) == []
        when = alert().raised_at
        first = await store.open_alerts(after=(-BIG, ""), limit=2)
        assert first == [(when, "AL-1"), (when, "AL-3")]
        assert await store.open_alerts(after=first[-1], limit=2) == [(when, "AL-4")]
        assert await store.open_alerts(after=(when, "AL-4"), limit=2) == []
        told = sorted(await store.alert_histories(["AL-3", "AL-1", "AL-9"]), key=lambda told: told[0].alert.alert_id)
        assert [[(c.alert.alert_id, c.action) for c in history] for history in told] == [
            [("AL-1", "raised"), ("AL-1", "amended")],
            [("AL-3", "raised")],
        ]
        assert await store.alert_histories([]) == []

    async def test_an_alert_keeps_its_course(self, store: Store) -> None:
        kept = alert(course=Course(since=T0 + 1, waited_ms=5, steps=2, told_at=T0 + 3, told_revision=4))
        await store.commit(Commit(alerts=[change(kept)]))
        assert await store.alerts(open_only=True) == [kept]

    async def test_one_revision_is_published_once(self, store: Store) -> None:
        await store.commit(Commit(alerts=[change(alert())]))
        with pytest.raises(StoreError):
            await store.commit(Commit(alerts=[change(alert(text="again"))]))
        assert await store.alerts(open_only=True) == [alert()]
        assert len(await store.outbox_after("mqtt", limit=10)) == 1

    async def test_steps_of_all_alerts_come_as_they_were_written(self, store: Store) -> None:
        first, second = change(alert()), change(alert("AL-2"))
        await store.commit(Commit(alerts=[first, second]))
        assert await store.alert_steps(0) == [Step(c.alert.alert_id, c.action, c.at, c.by) for c in (first, second)]
        assert await store.alert_steps(max(first.at, second.at) + 1) == []

    async def test_alerts_under_an_incident(self, store: Store) -> None:
        under = [alert(f"AL-{n}", incident=AlertId("AL-X"), raised_at=T0 + n) for n in (3, 1, 2)]
        gone = closed("AL-0", incident=AlertId("AL-X"), raised_at=T0)
        await store.commit(Commit(alerts=[change(a) for a in (*under, gone, alert("AL-X"))]))
        by_time = sorted(under, key=lambda a: a.raised_at)
        assert await store.alerts_under("AL-X", open_only=True) == by_time
        assert await store.alerts_under("AL-X", open_only=True, limit=2) == by_time[:2]
        assert await store.alerts_under("AL-X", open_only=False) == [gone, *by_time]
        assert await store.alerts_under("AL-0", open_only=False) == []
