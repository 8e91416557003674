"""What every store does, whatever it is made of. Each implementation's test class inherits these."""

import pytest

from emcheck.domain.ids import UnitId
from emcheck.domain.instants import DAY
from emcheck.domain.publishing import StoredPolicy
from emcheck.domain.receipt import QuarantineCount
from emcheck.ports import (
    Answer,
    Commit,
    Deadline,
    InboxRow,
    Letter,
    Person,
    Store,
    StoredRegister,
    StoreError,
)
from tests.store.contract_desk import DeskContract
from tests.store.contract_overview import OverviewContract
from tests.store.contract_queue import QueueContract
from tests.store.samples import (
    BIG,
    HOSTILE,
    HOUR,
    T0,
    UNIT,
    absence,
    alert,
    change,
    checkpoint,
    refused,
    row,
    silence,
)


async def rows_after(store: Store, row_id: int = 0) -> list[InboxRow]:
    """All inbox rows after one."""
    return [kept async for kept in store.inbox_after(row_id)]


class StoreContract(QueueContract, DeskContract, OverviewContract):
    """`store` is open and empty."""

    async def test_it_has_an_identity_and_may_acknowledge(self, store: Store) -> None:
        assert len(store.database_id) == 26
        assert await store.acknowledging()
        await store.confirm_acknowledging()
        assert await store.acknowledging()

    async def test_an_empty_store_knows_nothing(self, store: Store) -> None:
        assert await store.last_row() is None
        assert await rows_after(store) == []
        assert await store.unit_history(newest=5, after=0) == []
        assert [kept async for kept in store.checkpoints()] == []
        assert await store.prune_checkpoints() == 0
        assert await store.register() is None
        assert await store.people() == []
        assert await store.people("W-1") == []
        assert not await store.erase_person("W-1")
        assert await store.findings() == await store.findings("W-1") == []
        assert await store.alerts(open_only=False) == await store.alerts(open_only=True) == []
        assert await store.alert_history("AL-1") == []
        assert await store.deadlines_due(T0) == []
        assert await store.quarantined(limit=10) == []
        assert await store.quarantine_counts() == []
        assert await store.outbox_after("mqtt", limit=10) == []
        await store.commit(Commit())

    async def test_a_store_is_opened_once(self, store: Store) -> None:
        with pytest.raises(StoreError, match="open already"):
            await store.open()
        assert await store.last_row() is None

    async def test_rows_come_back_as_they_came_in_order_of_arrival(self, store: Store) -> None:
        rows = [
            row(1, payload=bytes(range(256))),
            row(2, None, kind="service", payload=b'{"type":"start"}'),
            row(BIG, "BU-0002", received_at=T0 + BIG, payload=b""),
            row(BIG + 1, previous=1, received_at=T0 - 5),
            row(BIG + 2, None, kind="instruction", payload="ü".encode()),
        ]
        await store.commit(Commit(inbox=rows[:2]))
        await store.commit(Commit(inbox=rows[2:]))
        assert await rows_after(store) == rows
        assert await rows_after(store, 2) == rows[2:]
        assert await rows_after(store, BIG + 2) == []
        assert await store.last_row() == rows[-1]

    async def test_more_rows_than_a_page(self, store: Store) -> None:
        rows = [row(number, f"BU-{number % 7:04}") for number in range(1, 1203)]
        await store.commit(Commit(inbox=rows))
        assert await rows_after(store) == rows
        assert await rows_after(store, 700) == rows[700:]

    async def test_a_row_id_is_given_out_once_and_a_failed_commit_leaves_nothing(self, store: Store) -> None:
        await store.commit(Commit(inbox=[row(1)]))
        again = Commit(
            inbox=[row(2, "BU-0009"), row(1, "BU-0009")],
            quarantine=[refused()],
            findings=[absence()],
            alerts=[change(alert())],
            deadlines=[Deadline("W-1", T0)],
        )
        with pytest.raises(StoreError) as caught:
            await store.commit(again)
        assert not caught.value.transient
        assert caught.value.remedy
        assert await rows_after(store) == [row(1)]
        assert await store.findings() == []
        assert await store.alerts(open_only=False) == []
        assert await store.quarantined(limit=1) == []
        assert await store.deadlines_due(T0) == []
        await store.commit(Commit(inbox=[row(2, "BU-0009")]))
        assert await rows_after(store, 1) == [row(2, "BU-0009")]

    async def test_an_unknown_kind_is_refused_whole(self, store: Store) -> None:
        with pytest.raises(StoreError, match="gossip"):
            await store.commit(Commit(inbox=[row(1), row(2, kind="gossip")]))
        assert await rows_after(store) == []

    async def test_a_units_history_is_walked_along_its_own_rows(self, store: Store) -> None:
        rows = [row(n, f"BU-000{n % 3}", previous=n - 3 if n > 3 else None) for n in range(1, 31)]
        await store.commit(Commit(inbox=rows))
        mine = [kept for kept in rows if kept.unit == "BU-0001"]
        assert await store.unit_history(newest=28, after=0) == mine
        assert await store.unit_history(newest=28, after=10) == [kept for kept in mine if kept.row_id > 10]
        assert await store.unit_history(newest=28, after=11) == [kept for kept in mine if kept.row_id > 11]
        assert await store.unit_history(newest=28, after=28) == []
        told = row(31, None, kind="instruction")
        await store.commit(Commit(inbox=[told]))
        after = [kept async for kept in store.inbox_after(10, unit=UnitId("BU-0001"))]
        assert after == [kept for kept in (*mine, told) if kept.row_id > 10]

    async def test_counters_give_no_number_twice(self, store: Store) -> None:
        first = await store.reserve_counter("n", 100)
        assert first >= 1
        second = await store.reserve_counter("n", BIG)
        assert second >= first + 100
        assert await store.reserve_counter("n", 1) >= second + BIG
        assert await store.reserve_counter("other", 1) == first
        with pytest.raises(ValueError, match="at least 1"):
            await store.reserve_counter("n", 0)

    async def test_findings_are_revised_by_subject_and_key_and_may_go(self, store: Store) -> None:
        first, second = absence(0, end=None), absence(1)
        other = silence(unit=UnitId("BU-0002"), start=first.start)
        await store.commit(Commit(findings=[second, first, other]))
        assert await store.findings() == sorted([first, other, second], key=lambda f: (f.start, f.subject))
        assert await store.findings("W-1") == [first, second]
        revised = absence(0, absent_ms=2 * HOUR)
        assert revised.key == first.key
        await store.commit(Commit(findings=[revised]))
        assert await store.findings("W-1") == [revised, second]
        await store.commit(Commit(findings_gone=[("W-1", second.key), ("W-2", revised.key), ("W-1", "never")]))
        assert await store.findings() == sorted([revised, other], key=lambda f: (f.start, f.subject))

    async def test_a_finding_that_goes_and_comes_in_one_commit_holds(self, store: Store) -> None:
        held = absence()
        await store.commit(Commit(findings=[held], findings_gone=[(held.subject, held.key)]))
        assert await store.findings() == [held]

    async def test_the_last_of_two_versions_in_one_commit_counts(self, store: Store) -> None:
        await store.commit(Commit(findings=[absence(), absence(absent_ms=7)]))
        assert await store.findings() == [absence(absent_ms=7)]

    async def test_what_had_ended_is_left_out_when_only_the_living_are_asked_for(self, store: Store) -> None:
        window = absence(1).window
        assert window is not None
        told, open_, gone = silence(end=window.end), silence(start=T0 + 1), absence(0)
        await store.commit(Commit(findings=[gone, absence(1), told, open_]))
        assert await store.findings(live_after=window.end) == [open_]
        assert await store.findings(live_after=window.end - 1) == [told, open_, absence(1)]
        assert len(await store.findings(live_after=-BIG)) == 4

    async def test_a_subject_has_one_deadline(self, store: Store) -> None:
        await store.commit(Commit(deadlines=[Deadline("W-1", T0 + 5), Deadline("W-2", T0 + 5), Deadline("W-3", T0)]))
        assert await store.deadlines_due(T0 - 1) == []
        assert await store.deadlines_due(T0 + 5) == [
            Deadline("W-3", T0),
            Deadline("W-1", T0 + 5),
            Deadline("W-2", T0 + 5),
        ]
        await store.commit(Commit(deadlines=[Deadline("W-3", T0 + BIG), Deadline("W-1", T0 + 1)]))
        assert await store.deadlines_due(T0 + 5) == [Deadline("W-1", T0 + 1), Deadline("W-2", T0 + 5)]

    async def test_checkpoints_that_a_newer_one_replaced_are_pruned(self, store: Store) -> None:
        taken = [checkpoint(n, T0 + n * HOUR // 2) for n in range(8)]
        other = checkpoint(3, T0, "BU-0002")
        await store.commit(Commit(checkpoints=[*taken, other]))
        assert sorted([kept async for kept in store.checkpoints()]) == [taken[7], other]
        assert await store.prune_checkpoints() == 7
        assert sorted([kept async for kept in store.checkpoints()]) == [taken[7], other]
        assert await store.prune_checkpoints() == 0

    async def test_a_checkpoint_taken_again_replaces_itself(self, store: Store) -> None:
        await store.commit(Commit(checkpoints=[checkpoint(1, T0)]))
        again = checkpoint(1, T0)._replace(state=b"anew")
        await store.commit(Commit(checkpoints=[again]))
        assert [kept async for kept in store.checkpoints()] == [again]

    async def test_more_checkpoints_than_a_page(self, store: Store) -> None:
        taken = [checkpoint(n, T0 + n, f"BU-{n:04}") for n in range(1, 1203)]
        await store.commit(Commit(checkpoints=taken))
        assert sorted([kept async for kept in store.checkpoints()]) == taken

    async def test_the_last_register_saved_is_in_force_and_people_are_replaced(self, store: Store) -> None:
        first, second = StoredRegister("a" * 64, T0, b"{}"), StoredRegister("b" * 64, T0 + 1, b'{"version":1}')
        await store.save_register(first, [Person("W-1", "Ann", b"{}"), Person("W-2", None, b"")])
        assert await store.register() == first
        await store.save_register(second, [Person("W-3", "Cy", b"x"), Person("W-1", "Anne", b"y")])
        assert await store.register() == second
        assert await store.people() == [Person("W-1", "Anne", b"y"), Person("W-3", "Cy", b"x")]
        await store.save_register(first, [Person("W-1", "Ann", b"{}")])
        assert await store.register() == first

    async def test_policies_stand_in_order_and_each_version_once(self, store: Store) -> None:
        assert await store.policies() == []
        first = StoredPolicy("england-wales", "1", "a" * 64, T0, T0 + 1, b'name = "england-wales"')
        second = first._replace(version="2", effective_at=-T0, as_of_row=BIG)
        await store.commit(Commit(policies=[first]))
        await store.commit(Commit(policies=[second, first._replace(name="scotland")], inbox=[row(BIG)]))
        assert await store.policies() == [first, second, first._replace(name="scotland")]
        with pytest.raises(StoreError):
            await store.commit(Commit(policies=[second._replace(sha256="b" * 64)], inbox=[row(BIG + 1)]))
        assert await store.policies() == [first, second, first._replace(name="scotland")]
        last = await store.last_row()
        assert last is not None
        assert last.row_id == BIG, "nothing of a commit that fails is written"

    async def test_a_register_knows_since_which_row_it_is_in_force(self, store: Store) -> None:
        await store.commit(Commit(inbox=[row(1), row(2, None, kind="instruction", payload=b"{}")]))
        await store.save_register(StoredRegister("a" * 64, T0, b"{}"), [])
        later = [row(3, None, kind="instruction", payload=b'{"n":1}'), row(4), row(BIG, None, kind="instruction")]
        await store.commit(Commit(inbox=later))
        loaded = await store.register()
        assert loaded is not None
        assert loaded.as_of_row == 2
        assert await store.instructions_after(2) == [later[0], later[2]]
        assert await store.instructions_after(BIG) == []
        await store.save_register(StoredRegister("b" * 64, T0 + 1, b"{}"), [])
        assert [(one.sha256[0], one.as_of_row) for one in await store.registers()] == [("a", 2), ("b", BIG)]

    async def test_letters_wait_in_order_until_they_are_answered_and_their_text_is_not_kept(self, store: Store) -> None:
        first, second = await store.post(b'{"name":"Ann"}', T0), await store.post("ü".encode(), T0 + 1)
        assert await store.letters() == [Letter(first, T0, b'{"name":"Ann"}'), Letter(second, T0 + 1, "ü".encode())]
        assert await store.outcome(first) is None
        await store.commit(Commit(answers=[Answer(first, "done")], people=[Person("W-1", "Ann", b"{}")]))
        assert await store.outcome(first) == "done"
        assert [letter.number for letter in await store.letters()] == [second]
        assert await store.people() == [Person("W-1", "Ann", b"{}")]
        await store.commit(Commit(answers=[Answer(second, "refused: by: missing\x00")]))
        assert await store.outcome(second) == "refused: by: missing\\x00"
        assert await store.letters() == []
        assert await store.answered() == [
            (Letter(first, T0, b""), "done"), (Letter(second, T0 + 1, b""), "refused: by: missing\\x00")
        ]  # fmt: skip

    async def test_an_answer_is_kept_for_a_day_and_what_waits_for_as_long_as_it_waits(self, store: Store) -> None:
        answered, waits = await store.post(b"a", T0), await store.post(b"b", T0)
        await store.commit(Commit(answers=[Answer(answered, "done")]))
        await store.post(b"c", T0 + DAY)
        assert await store.outcome(answered) == "done"
        last = await store.post(b"d", T0 + DAY + 1)
        assert await store.outcome(answered) is None
        assert [letter.number for letter in await store.letters()][:1] == [waits]
        assert last > waits

    async def test_a_person_is_erased_while_facts_stay(self, store: Store) -> None:
        await store.commit(Commit(inbox=[row(1)], findings=[absence()]))
        await store.save_register(StoredRegister("a", T0, b"{}"), [Person("W-1", "Ann", b""), Person("W-2", "Bo", b"")])
        assert await store.people("W-1") == [Person("W-1", "Ann", b"")]
        assert await store.erase_person("W-1")
        assert not await store.erase_person("W-1")
        assert await store.people("W-1") == []
        assert await store.people() == [Person("W-2", "Bo", b"")]
        assert await store.findings("W-1") == [absence()]
        assert await rows_after(store) == [row(1)]

    async def test_quarantine_keeps_input_whole_and_counts_it(self, store: Store) -> None:
        items = [
            refused(),
            refused("not_enrolled", None, boot=None, first_seq=None, last_seq=None),
            refused(received_at=T0 + 7),
            refused("over_size", first_seq=BIG, last_seq=BIG),
        ]
        await store.commit(Commit(quarantine=items[:1]))
        await store.commit(Commit(quarantine=items[1:]))
        kept = await store.quarantined(limit=10)
        assert [item for _, item in kept] == items
        assert kept == sorted(kept)
        assert await store.quarantined(limit=2) == kept[:2]
        assert await store.quarantined(limit=10, after=kept[1][0]) == kept[2:]
        assert await store.quarantine_counts() == [
            QuarantineCount(None, "not_enrolled", 1, T0),
            QuarantineCount(UNIT, "not_json", 2, T0 + 7),
            QuarantineCount(UNIT, "over_size", 1, T0),
        ]

    async def test_hostile_words_and_numbers_do_not_stop_a_commit(self, store: Store) -> None:
        bad = refused(HOSTILE, HOSTILE, topic=HOSTILE, detail=HOSTILE, boot=HOSTILE, first_seq=1 << 70, last_seq=-1)
        found = silence(rule="evidence.rejected", unit=UnitId(HOSTILE), class_=HOSTILE)
        raised = change(alert(subject=HOSTILE, text=HOSTILE))
        acts = [raised._replace(by=HOSTILE, note=HOSTILE)]
        due = [Deadline(HOSTILE, T0)]
        await store.commit(Commit(inbox=[row(1)], quarantine=[bad], findings=[found], alerts=acts, deadlines=due))
        [(_, kept)] = await store.quarantined(limit=1)
        assert kept.payload == bad.payload
        assert kept.detail == "nul \\x00, lone \\ud800, quote ' \" ; -- \n ü 🜲"
        assert (kept.first_seq, kept.last_seq) == (None, -1)
        assert await store.findings(HOSTILE) == [found]
        assert await store.alerts(open_only=True) == [raised.alert]
        assert len(await store.deadlines_due(T0)) == 1
        assert len(await store.outbox_after(HOSTILE, limit=1)) == 1
        await store.commit(Commit(findings_gone=[(found.subject, found.key)]))
        assert await store.findings() == []

    async def test_after_closing_every_question_is_refused(self, store: Store) -> None:
        await store.close()
        await store.close()
        with pytest.raises(StoreError, match="not open"):
            await store.last_row()
        with pytest.raises(StoreError, match="not open"):
            await store.commit(Commit(inbox=[row(1)]))
