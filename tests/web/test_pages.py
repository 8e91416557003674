"""Pages without JavaScript: reading, acting, and what is said where something cannot be done."""

import re

from emcheck.domain.alerts import AlertState
from emcheck.domain.instants import DAY, MINUTE
from tests.support import at
from tests.web.centre import Centre, urgent


async def test_the_queue_shows_what_waits_by_urgency(it: Centre) -> None:
    await it.has("operator")
    await it.raises(
        urgent("AL-AAA"), urgent("AL-BBB", priority="P3", rule="unit.silent", subject="BU-0001", wearer_id=None,
                                 unit="BU-0001", text="silent <b>since</b> 18:40"),
        urgent("AL-CCC", raised_at=at("18:30")),
    )  # fmt: skip
    page = (await (await it.signed_in()).get("/")).text
    assert re.findall(r'id="row-(AL-\w+)"', page) == ["AL-CCC", "AL-AAA", "AL-BBB"]
    assert "W-1 Priya &lt;Barker&gt;" in page
    assert "silent &lt;b&gt;since&lt;/b&gt; 18:40" in page
    assert "<b>2</b> P1" in page
    assert "(2 P1) Queue" in page


async def test_the_queue_is_read_page_by_page(it: Centre) -> None:
    await it.has("operator")
    await it.raises(
        *[urgent(f"AL-{number:03}", priority="P2", raised_at=at("18:00") + number) for number in range(120)]
    )
    browser, path, seen = await it.signed_in(), "/", list[str]()
    for _ in range(3):
        page = (await browser.get(path)).text
        seen += re.findall(r'id="row-(AL-\w+)"', page)
        onward = re.search(r'<a href="(/\?[^"]*after=[^"]+)"', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert seen == [f"AL-{number:03}" for number in range(120)]
    assert path == ""


async def test_the_filter_stands_in_the_address(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent("AL-AAA"), urgent("AL-BBB", priority="P2", subject="W-2", wearer_id="W-2"))
    browser = await it.signed_in()
    for path, found in {"/?words=barker": ["AL-AAA"], "/?priority=P2": ["AL-BBB"], "/?words=nobody": []}.items():
        page = (await browser.get(path)).text
        assert re.findall(r'id="row-(AL-\w+)"', page) == found, path
    assert "Nothing in the queue is like that" in page
    kept = (await browser.get("/?words=barker&priority=P1")).text
    assert "/alerts/AL-AAA?priority=P1&amp;words=barker" in kept
    hostile = (await browser.get("/", params={"words": '"><script>', "after": "1.x", "priority": "P9"})).text
    assert "<script>" not in hostile.replace('<script src="', "")


async def test_an_alert_says_what_how_when_and_by_whom(it: Centre) -> None:
    await it.has("operator")
    strap = await it.night()
    page = (await (await it.signed_in()).get(f"/alerts/{strap.alert_id}")).text
    for said in (
        "How do we know",
        "What was known when",
        "strap_cut",
        "Acknowledge",
        "W-1 Priya &lt;Barker&gt;",
        "<svg",
    ):
        assert said in page, said
    assert "<style" not in page
    assert "style=" not in page
    assert "number 17" in page or "boot 01JD" in page


async def test_acting_without_javascript(it: Centre) -> None:
    await it.has("operator")
    strap = await it.night()
    browser, path = await it.signed_in(), f"/alerts/{strap.alert_id}/acts"
    answer = await browser.sends(path, act="acknowledge", seen_revision=strap.revision, note="calling now")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{strap.alert_id}")
    page = (await browser.get(f"/alerts/{strap.alert_id}")).text
    assert "with operator until" in page
    assert "calling now" in page
    revision = re.search(r'name="seen_revision" value="(\d+)"', page)
    assert revision is not None
    answer = await browser.sends(path, act="confirm", seen_revision=revision[1])
    assert answer.status_code == 303
    answer = await browser.sends(path, act="close", seen_revision=int(revision[1]) + 1, disposition="equipment_fault")
    assert answer.status_code == 303
    [closed] = await it.store.alerts_named([strap.alert_id])
    assert (closed.state, closed.disposition) == (AlertState.CLOSED, "equipment_fault")
    assert [c.by for c in await it.store.alert_history(strap.alert_id)][-3:] == ["operator"] * 3


async def test_a_shelf_ends_when_it_was_said(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent())
    await (await it.signed_in()).sends("/alerts/AL-AAA/acts", act="shelve", seen_revision=1, minutes="30")
    [shelved] = await it.store.alerts_named(["AL-AAA"])
    assert (shelved.state, shelved.lease_until) == (AlertState.SHELVED, it.clock.now() + 30 * MINUTE)


async def test_a_form_answers_beside_the_field_and_keeps_what_was_typed(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent())
    browser, path = await it.signed_in(), "/alerts/AL-AAA/acts"
    answer = await browser.sends(path, act="close", seen_revision=1, note='said "<no>"')
    assert answer.status_code == 422
    assert 'name="disposition" data-focus="x" aria-invalid="true"' in answer.text
    assert '<p class="field-error">Choose why it is closed.</p>' in answer.text
    assert "authorised_absence, " not in answer.text
    assert "said &#34;&lt;no&gt;&#34;" in answer.text
    for fields in ({"act": "explode"}, {"act": "shelve", "minutes": "7"}, {"act": "confirm"}, {}):
        answer = await browser.sends(path, seen_revision=1, **fields)
        assert answer.status_code == 422, fields
    assert (await browser.sends(path, act="acknowledge")).status_code == 422
    [untouched] = await it.store.alerts_named(["AL-AAA"])
    assert untouched.revision == 1


async def test_a_stale_form_says_who_and_when_and_overwrites_nothing(it: Centre) -> None:
    await it.has("operator", "supervisor")
    await it.raises(urgent())
    first, second = await it.signed_in("supervisor"), await it.signed_in()
    await first.sends("/alerts/AL-AAA/acts", act="acknowledge", seen_revision=1)
    answer = await second.sends("/alerts/AL-AAA/acts", act="close", seen_revision=1, disposition="false", note="mine")
    assert answer.status_code == 409
    assert "<b>supervisor</b> acknowledged it at Tue 24 Mar 18:50:00" in answer.text
    assert 'value="mine"' in answer.text
    [stands] = await it.store.alerts_named(["AL-AAA"])
    assert (stands.state, stands.revision) == (AlertState.ACKNOWLEDGED, 2)


async def test_what_emcheck_itself_changed_makes_no_form_stale(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent())
    await it.raises(urgent(revision=2, text="5 min so far"), action="amended")
    answer = await (await it.signed_in()).sends("/alerts/AL-AAA/acts", act="acknowledge", seen_revision=1)
    assert answer.status_code == 303


async def test_an_old_night_is_drawn_on_request(it: Centre) -> None:
    await it.has("operator")
    strap = await it.night()
    browser = await it.signed_in()
    fresh = (await browser.get(f"/alerts/{strap.alert_id}")).text
    it.clock.advance(at("18:50") + 20 * DAY)
    await it.tells(it.unit.beats(it.clock.now(), it.clock.now() + 5 * MINUTE))
    browser = await it.signed_in()
    assert it.loop.engine.units["BU-0001"].settled > at("07:00", day="2026-03-25")  # type: ignore[index] # its name
    page = (await browser.get(f"/alerts/{strap.alert_id}")).text
    assert "Draw it from the record" in page
    assert "<svg" not in page
    drawn = (await browser.get(f"/alerts/{strap.alert_id}?night=1")).text
    told = [re.findall(r"<li>(Curfew[^<]*|at home[^<]*|strap[^<]*)</li>", text) for text in (drawn, fresh)]
    assert told[0][0] == told[1][0]
    assert told[0]


async def test_the_nights_beside_the_alerts_own_are_turned_to(it: Centre) -> None:
    await it.has("operator")
    strap = await it.night()
    browser = await it.signed_in()
    own = (await browser.get(f"/alerts/{strap.alert_id}")).text
    assert "The night before" in own
    assert "the night after" not in own, "it has not come yet"
    before = (await browser.get(f"/alerts/{strap.alert_id}?nights=-1")).text
    assert "Curfew Mon 23 Mar 2026 19:00 to 07:00" in before
    assert "Curfew Tue 24 Mar" not in before
    assert f'hx-get="/alerts/{strap.alert_id}?nights=0"' in before
    long_ago = (await browser.get(f"/alerts/{strap.alert_id}?nights=-60")).text
    assert "No curfew in that night." in long_ago
    for nonsense in ("x", "99999", "-99999", ""):
        assert "<svg" in (await browser.get(f"/alerts/{strap.alert_id}", params={"nights": nonsense})).text


async def test_while_the_service_reads_itself_back_alerts_are_shown(it: Centre) -> None:
    await it.has("operator")
    strap = await it.night()
    it.is_ready, it.troubles = False, ["starting"]
    page = (await (await it.signed_in()).get(f"/alerts/{strap.alert_id}")).text
    assert "reading itself back" in page
    assert "starting" in page
    assert "Acknowledge" in page


async def test_an_act_that_nobody_answers_is_kept_and_said_so(it: Centre) -> None:
    await it.has("operator")
    await it.raises(urgent())
    it.takes_mail, it.parts.wait_s = False, 0.05
    answer = await (await it.signed_in()).sends("/alerts/AL-AAA/acts", act="acknowledge", seen_revision=1)
    assert answer.status_code == 504
    assert "It is kept and will be done" in answer.text
    assert len(await it.store.letters()) == 1


async def test_an_incident_shows_what_lies_under_it(it: Centre) -> None:
    await it.has("operator")
    incident = urgent("AL-INC", rule="incident.silent", wearer_id=None, subject="incident", size=2, priority="P2")
    parts = [urgent(f"AL-P{n}", incident="AL-INC", state=AlertState.SUPPRESSED, rule="unit.silent") for n in range(2)]
    await it.raises(incident, *parts)
    browser = await it.signed_in()
    page = (await browser.get("/alerts/AL-INC")).text
    assert re.findall(r'hx-get="/alerts/(AL-P\d)"', page) == ["AL-P0", "AL-P1"]
    assert "The incident goes on" in page
    assert "AL-P0" not in (await browser.get("/")).text
    assert "Part of" in (await browser.get("/alerts/AL-P0")).text


async def test_pages_that_are_not_there(it: Centre) -> None:
    await it.has("operator")
    browser = await it.signed_in()
    for path in ("/alerts/AL-NONE", "/nothing", "/alerts/%00%ff", "/static/none.js", "/static/../app.py"):
        answer = await browser.get(path)
        assert answer.status_code == 404, path
        assert "Traceback" not in answer.text


async def test_a_wearer_on_one_page(it: Centre) -> None:
    await it.has("operator", "auditor")
    strap = await it.night()
    browser = await it.signed_in()
    page = (await browser.get("/wearers/W-1")).text
    assert "<dt>In force</dt><dd>Sun 01 Mar 00:00:00 to Fri 01 May 00:00:00 (UTC)</dd>" in page
    for said in (
        "W-1 Priya &lt;Barker&gt;", "O-1 community order", "every day 19:00 to 07:00", "T-1 validated",
        "BU-0001 at A-1",
        "0 s of 2 h of unexcused absence", f'href="/alerts/{strap.alert_id}"', "<svg", "Curfew Tue 24 Mar 2026",
    ):  # fmt: skip
        assert said in page, said
    assert (await browser.get("/wearers/W-9")).status_code == 404
    it.is_ready = False
    assert (await browser.get("/wearers/W-1")).status_code == 503
    seen = (await (await it.signed_in("auditor")).get("/api/v1/access", params={"subject": "W-1"})).json()
    assert [(line["account"], line["action"]) for line in seen] == [("operator", "wearer seen")]


async def test_what_of_the_allowance_is_used_is_told(it: Centre) -> None:
    await it.has("operator")
    await it.night()
    await it.tells(it.unit.beats(at("18:41"), at("20:00")).loses(at("20:01")).beats(at("20:02"), at("20:30")))
    it.clock.advance(at("20:31"))
    await it.loop.tick(at("20:31") - 1)
    page = (await (await it.signed_in()).get("/wearers/W-1")).text
    assert re.findall(r"order O-1: ([^<]*) of unexcused absence", page) == ["29 min 2 s of 2 h"]
