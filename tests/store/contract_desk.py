"""What every store does for the console."""

from emcheck.desk import (
    EVERYTHING,
    Access,
    Account,
    Asked,
    Assignment,
    Count,
    Desk,
    Photo,
    Place,
    SecondFactor,
    SignIn,
    View,
    rank,
)
from emcheck.domain.alerts import Alert, AlertState, Step
from emcheck.domain.ids import AlertId
from emcheck.domain.rights import Role
from emcheck.ports import Commit, Person, StoredRegister
from tests.store.samples import BIG, HOSTILE, T0, alert, change, closed, row

JO = Account("j.doe", Role.OPERATOR, T0, link_sha256="ab", link_until=T0 + 100)


def place(of: Alert) -> Place:
    """Where an alert of the queue stands."""
    number = rank(of)
    assert number is not None
    return Place(number, of.alert_id)


class DeskContract:
    """`store` is open and empty."""

    async def test_accounts_are_kept_by_name(self, store: Desk) -> None:
        assert await store.accounts() == []
        assert await store.account("j.doe") is None
        await store.put_account(JO)
        await store.put_account(Account("a.clerk", Role.AUDITOR, T0))
        assert [kept.name for kept in await store.accounts()] == ["a.clerk", "j.doe"]
        assert await store.account("j.doe") == JO
        await store.put_account(JO._replace(disabled_at=T0 + 5))
        assert await store.account("j.doe") == JO._replace(disabled_at=T0 + 5)
        assert await store.account(HOSTILE) is None

    async def test_a_link_is_good_once_and_for_a_time(self, store: Desk) -> None:
        await store.put_account(JO)
        assert not await store.choose_password("j.doe", "hash", link_sha256="other", at=T0)
        assert not await store.choose_password("nobody", "hash", link_sha256="ab", at=T0)
        assert not await store.choose_password("j.doe", "hash", link_sha256="ab", at=T0 + 100)
        assert await store.choose_password("j.doe", "hash", link_sha256="ab", at=T0 + 99)
        assert not await store.choose_password("j.doe", "mine", link_sha256="ab", at=T0 + 99)
        assert await store.account("j.doe") == Account("j.doe", Role.OPERATOR, T0, password="hash")

    async def test_an_account_has_a_language(self, store: Desk) -> None:
        await store.put_account(JO)
        await store.choose_language("j.doe", "de")
        assert await store.account("j.doe") == JO._replace(language="de")
        await store.choose_language("j.doe", None)
        await store.choose_language(HOSTILE, "de")
        assert await store.accounts() == [JO]

    async def test_a_disabled_account_chooses_nothing(self, store: Desk) -> None:
        await store.put_account(JO._replace(disabled_at=T0))
        assert not await store.choose_password("j.doe", "hash", link_sha256="ab", at=T0)

    async def test_sign_ins_are_kept_used_and_ended(self, store: Desk) -> None:
        first, second, third = (SignIn(token, "j.doe", T0 + n, T0 + n) for n, token in enumerate("abc"))
        for one in (first, second, third._replace(account="a.clerk")):
            await store.sign_in(one, ended_before=0)
        await store.sign_in_used("a", T0 + 9)
        assert await store.signed_in("a") == first._replace(used_at=T0 + 9)
        await store.sign_out(token_sha256="a")
        assert await store.signed_in("a") is None
        await store.sign_out(account="j.doe")
        assert await store.signed_in("b") is None
        assert await store.signed_in("c") is not None
        await store.sign_in(first, ended_before=T0 + 3)
        assert await store.signed_in("c") is None

    async def test_all_sign_ins_of_an_account_end_but_one(self, store: Desk) -> None:
        mine = [SignIn(token, "j.doe", T0 + n, T0 + n, "192.0.2.7") for n, token in enumerate("abc")]
        other = SignIn("d", "a.clerk", T0, T0)
        for one in (*mine, other):
            await store.sign_in(one, ended_before=0)
        assert await store.sign_ins("j.doe") == mine[::-1]
        assert await store.sign_ins(HOSTILE) == []
        await store.sign_out(account="j.doe", but="b")
        assert await store.sign_ins("j.doe") == [mine[1]]
        assert await store.sign_ins("a.clerk") == [other]

    async def test_accounts_of_a_provider_are_known_by_what_it_says(self, store: Desk) -> None:
        ann = Account("ann", Role.OPERATOR, T0, identity="https://id.example 17")
        assert await store.add_account(ann)
        assert not await store.add_account(ann._replace(identity="https://id.example 18"))
        assert await store.account_of("https://id.example 17") == await store.account("ann") == ann
        assert await store.account_of("https://id.example 18") is None
        assert await store.account_of(HOSTILE) is None

    async def test_another_role_ends_sign_ins(self, store: Desk) -> None:
        await store.put_account(JO)
        await store.sign_in(SignIn("a", "j.doe", T0, T0), ended_before=0)
        await store.change_role("j.doe", Role.AUDITOR)
        await store.change_role("nobody", Role.AUDITOR)
        assert await store.account("j.doe") == JO._replace(role=Role.AUDITOR)
        assert await store.account("nobody") is None
        assert await store.sign_ins("j.doe") == []

    async def test_a_password_is_changed_by_who_knows_it(self, store: Desk) -> None:
        await store.put_account(JO._replace(password="first"))
        assert not await store.change_password("j.doe", "second", was="other")
        assert await store.change_password("j.doe", "second", was="first")
        assert not await store.change_password("j.doe", "third", was="first")
        await store.put_account(JO._replace(password="second", disabled_at=T0))
        assert not await store.change_password("j.doe", "third", was="second")
        assert not await store.change_password("nobody", "third", was="second")

    async def test_a_code_of_a_second_factor_is_good_once(self, store: Desk) -> None:
        assert await store.second_factor("j.doe") is None
        assert not await store.use_step("j.doe", 5)
        device = SecondFactor("j.doe", "sealed", T0)
        await store.put_second_factor(device)
        await store.put_second_factor(device._replace(confirmed_at=T0 + 1, step=4))
        assert await store.use_step("j.doe", 5)
        assert not await store.use_step("j.doe", 5)
        assert not await store.use_step("j.doe", 4)
        assert await store.second_factor("j.doe") == SecondFactor("j.doe", "sealed", T0, T0 + 1, 5)

    async def test_recovery_codes_are_good_once(self, store: Desk) -> None:
        assert await store.recovery_codes("j.doe") == 0
        await store.put_recovery_codes("j.doe", ["a", "b"])
        await store.put_recovery_codes("a.clerk", ["a"])
        assert await store.use_recovery_code("j.doe", "a")
        assert not await store.use_recovery_code("j.doe", "a")
        assert await store.recovery_codes("j.doe") == 1
        await store.put_recovery_codes("j.doe", ["c", "d"])
        assert not await store.use_recovery_code("j.doe", "b")
        await store.put_second_factor(SecondFactor("j.doe", "sealed", T0))
        await store.drop_second_factor("j.doe")
        assert await store.second_factor("j.doe") is None
        assert await store.recovery_codes("j.doe") == 0
        assert await store.recovery_codes("a.clerk") == 1

    async def test_the_access_log_is_read_from_its_end(self, store: Desk) -> None:
        lines = [Access(T0 + n, "j.doe", "alert", f"W-{n % 2}", "AL-1", "127.0.0.1") for n in range(5)]
        await store.note_access(lines)
        newest = await store.access_log(limit=2)
        assert [told for _, told in newest] == lines[:2:-1]
        rest = await store.access_log(before=newest[-1][0], limit=9)
        assert [told for _, told in rest] == lines[2::-1]
        assert [told.at for _, told in await store.access_log(limit=9, subject="W-1")] == [T0 + 3, T0 + 1]
        await store.note_access([Access(T0, HOSTILE, "refused", HOSTILE)])
        assert len(await store.access_log(limit=9)) == 6

    async def test_the_queue_is_by_priority_then_what_waits_then_age(self, store: Desk) -> None:
        late, early = alert("AL-1", raised_at=T0 + 9), alert("AL-2", raised_at=T0 + 1)
        seen = alert("AL-3", raised_at=T0, state=AlertState.ACKNOWLEDGED)
        lower = alert("AL-4", raised_at=T0, priority="P3", subject="BU-0001")
        twin = alert("AL-0", raised_at=T0 + 9)
        hidden = [closed("AL-5"), alert("AL-6", withdrawn=True), alert("AL-7", state=AlertState.SUPPRESSED)]
        await store.commit(Commit(alerts=[change(a) for a in (late, early, seen, lower, twin, *hidden)]))
        order = [early, twin, late, seen, lower]
        assert await store.queue_page(EVERYTHING, after=None, limit=9) == order
        assert await store.queue_page(EVERYTHING, after=None, limit=2) == order[:2]
        for number, before in enumerate(order, start=1):
            assert await store.queue_page(EVERYTHING, after=place(before), limit=9) == order[number:]
        assert await store.queue_counts() == [Count("P1", 4, 3, T0 + 1), Count("P3", 1, 1, T0)]
        await store.commit(Commit(alerts=[change(closed("AL-2", raised_at=T0 + 1, revision=2), "closed")]))
        assert await store.queue_page(EVERYTHING, after=None, limit=9) == order[1:]

    async def test_the_queue_is_filtered_by_rule_holder_site_and_incident(self, store: Desk) -> None:
        mine = alert("AL-1", holder="jo", rule="unit.silent", subject="BU-0001", raised_at=T0)
        incident = alert("AL-2", subject="BU-0002", raised_at=T0 + 1)
        under = alert("AL-3", incident="AL-2", state=AlertState.ACKNOWLEDGED, holder="max", raised_at=T0 + 2)
        hidden = alert("AL-4", incident="AL-2", state=AlertState.SUPPRESSED)
        await store.commit(Commit(alerts=[change(a) for a in (mine, incident, under, hidden)]))
        for asked, found in {
            Asked(rule="unit.silent"): [mine], Asked(holder="jo"): [mine], Asked(holder=HOSTILE): [],
            Asked(subjects=("BU-0001", "BU-0002")): [mine, incident], Asked(subjects=()): [],
            Asked(incident="AL-2"): [incident, under], Asked(incident="AL-2", holder="max"): [under],
        }.items():  # fmt: skip
            assert await store.queue_page(asked, after=None, limit=9) == found, asked
        back = alert("AL-1", rule="unit.silent", subject="BU-0001", raised_at=T0, revision=2)
        await store.commit(Commit(alerts=[change(back, "returned")]))
        assert await store.queue_page(Asked(holder="jo"), after=None, limit=9) == []

    async def test_views_are_kept_for_each_account_by_name(self, store: Desk) -> None:
        urgent, mine = View("jo", "urgent", "priority=P1"), View("jo", "mine", "mine=1")
        for view in (urgent, mine, View("max", "urgent", "priority=P2")):
            await store.put_view(view)
        assert await store.views("jo") == [mine, urgent]
        await store.put_view(urgent._replace(query="waiting=1"))
        assert await store.views("jo") == [mine, urgent._replace(query="waiting=1")]
        assert await store.drop_view("jo", "urgent")
        assert not await store.drop_view("jo", "urgent")
        assert await store.views("jo") == [mine]
        await store.put_view(View("jo", HOSTILE, "words=x"))
        assert len(await store.views("jo")) == 2
        assert await store.drop_view("jo", HOSTILE)

    async def test_an_empty_queue(self, store: Desk) -> None:
        assert await store.queue_page(EVERYTHING, after=None, limit=9) == []
        assert await store.queue_counts() == []
        assert await store.last_told() == 0
        assert await store.told_after(0, limit=9) == []
        assert await store.holders(["AL-1"]) == {}
        assert await store.row_before(T0) == 0

    async def test_the_queue_is_searched(self, store: Desk) -> None:
        people = [Person("W-1", "Priya Barker", b"{}"), Person("W-2", None, b"{}")]
        await store.save_register(StoredRegister("ab", T0, b"{}"), people)
        mine, other = alert("AL-A1"), alert("AL-B2", subject="W-2", priority="P2")
        odd = alert("AL-C3", subject="50%_x", priority="P4", state=AlertState.SHELVED)
        await store.commit(Commit(alerts=[change(a) for a in (mine, other, odd)]))

        async def found(**asked: object) -> list[str]:
            page = await store.queue_page(Asked(**asked), after=None, limit=9)  # type: ignore[arg-type] # any field
            return [each.alert_id for each in page]

        assert await store.names(["W-1", "W-2", "W-3"]) == {"W-1": "Priya Barker"}
        assert await found(words="barker") == await found(words="PRIYA bark") == await found(words="w-1") == ["AL-A1"]
        assert await found(words="al-b2") == ["AL-B2"]
        assert await found(words="%") == await found(words="0%_") == ["AL-C3"]
        assert await found(words="barker w-2") == []
        heard_by = {"bu-1": ("W-1", "W-2")}
        assert await found(words="BU-1", heard_by=heard_by) == ["AL-A1", "AL-B2"]
        assert await found(words="bu-1 Barker", heard_by=heard_by) == ["AL-A1"]
        assert await found(words="bu-2", heard_by=heard_by) == []
        assert await found(words="\\") == []
        assert await found(priority="P2") == ["AL-B2"]
        assert await found(waiting_only=True) == ["AL-A1", "AL-B2"]
        assert await found(waiting_only=True, priority="P4") == []

    async def test_changes_have_numbers_that_rise(self, store: Desk) -> None:
        first = change(alert())
        second = change(alert(revision=2, state=AlertState.ACKNOWLEDGED), "acknowledged", at=T0 + 5)._replace(by="jo")
        await store.commit(Commit(alerts=[first, second]))
        told = await store.told_after(0, limit=9)
        assert [each.change for each in told] == [c._replace(published=None) for c in (first, second)]
        assert told[0].number < told[1].number == await store.last_told()
        assert await store.told_after(told[0].number, limit=9) == told[1:]
        assert await store.told_after(0, limit=1) == told[:1]

    async def test_who_has_an_alert_is_who_acted_last(self, store: Desk) -> None:
        acts = [
            change(alert(), "raised"),
            change(alert(revision=2), "acknowledged", at=T0 + 1)._replace(by="jo"),
            change(alert(revision=3), "confirmed", at=T0 + 2)._replace(by="kim"),
            change(alert(revision=4), "amended", at=T0 + 3),
            change(alert("AL-2"), "raised"),
        ]
        await store.commit(Commit(alerts=acts))
        assert await store.holders(["AL-1", "AL-2", "AL-3"]) == {
            "AL-1": Step(AlertId("AL-1"), "confirmed", T0 + 2, "kim")
        }

    async def test_what_lies_under_an_incident_is_counted(self, store: Desk) -> None:
        parts = [alert("AL-1", incident="AL-9"), closed("AL-2", incident="AL-9"), alert("AL-3")]
        await store.commit(Commit(alerts=[change(each) for each in parts]))
        assert await store.count_under("AL-9") == 2
        assert await store.count_under("AL-1") == 0

    async def test_photos_are_kept_once_and_their_pictures_go(self, store: Desk) -> None:
        first = Photo("FS-1", "aa", "W-1", "whole_leg", T0, "a.fitter")
        second = Photo("FS-1", "bb", "W-1", "unit_and_place", T0 + 10, HOSTILE)
        other = Photo("FS-2", "aa", "W-2", "whole_leg", T0 + 20, "a.fitter")
        for photo in (second, first, other):
            await store.keep_photo(photo, photo.sha256.encode() * 3)
        await store.keep_photo(first._replace(caption="strap_and_skin", at=T0 + 99), b"again")
        assert [photo.sha256 for photo in await store.photos("FS-1")] == ["aa", "bb"]
        assert (await store.photos("FS-1"))[0] == first
        assert await store.picture("FS-1", "aa") == b"aaaaaa"
        assert await store.picture("FS-1", "cc") is None
        assert await store.photos("FS-9") == []
        assert await store.forget_photos(before=T0, at=T0 + 50, kept_days=9) == 0
        assert await store.forget_photos(before=T0 + 10, at=T0 + 50, kept_days=9) == 1
        assert await store.forget_photos(before=T0 + 10, at=T0 + 60, kept_days=9) == 0
        gone = first._replace(is_held=False, deleted_at=T0 + 50, kept_days=9)
        assert (await store.photos("FS-1"))[0] == gone
        assert await store.picture("FS-1", "aa") is None
        await store.drop_photo("FS-2", "aa")
        assert await store.photos("FS-2") == []
        assert not await store.erase_person("W-1")
        assert [photo.is_held for photo in await store.photos("FS-1")] == [False, False]
        assert [photo.kept_days for photo in await store.photos("FS-1")] == [9, None]

    async def test_an_assignment_takes_the_place_of_the_one_that_was_seen(self, store: Desk) -> None:
        first = Assignment("O-1", "a.fitter", "2026-03-24", "jo", T0)
        second = Assignment("O-1", "b.fitter", "2026-03-25", "kim", T0 + 5)
        assert await store.assign("O-1", None, seen_at=None) is None
        assert await store.assign("O-1", first, seen_at=None) == first
        assert await store.assign("O-1", second, seen_at=None) == first
        assert await store.assign("O-1", second, seen_at=T0 + 1) == first
        assert await store.assign("O-1", second, seen_at=T0) == second
        other = first._replace(order_id="O-0")
        assert await store.assign("O-0", other, seen_at=None) == other
        assert await store.assignments() == [other, second]
        assert await store.assign("O-1", None, seen_at=T0) == second
        assert await store.assign("O-1", None, seen_at=T0 + 5) is None
        assert await store.assignments() == [other]

    async def test_rows_are_found_by_their_receipt(self, store: Desk) -> None:
        numbers = [3, 4, 7, 8, BIG]
        await store.commit(Commit(inbox=[row(n, received_at=T0 + 10 * n) for n in numbers]))
        for at in (T0, T0 + 30, T0 + 31, T0 + 45, T0 + 70, T0 + 71, T0 + 10 * BIG, T0 + 10 * BIG + 1):
            behind = await store.row_before(at)
            assert [n for n in numbers if n > behind] == [n for n in numbers if T0 + 10 * n >= at]
