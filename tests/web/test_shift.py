"""The shift: what is handed over stands on one page, and how it fared beside what it should be."""

import re
from typing import Any

import pytest

from emcheck.domain.alerts import AlertState
from emcheck.domain.instants import MINUTE
from tests.support import at
from tests.web.centre import Browser, Centre, urgent


async def busy(it: Centre) -> Browser:
    """At 20:30: one alert waits, one is acknowledged, one claimed, one shelved, one confirmed, one closed."""
    await it.has()
    it.clock.advance(at("20:00"))
    await it.raises(*[urgent(f"AL-{name}", raised_at=at("19:30") + n, text=f"text of {name}") for n, name in
                      enumerate(("WAIT", "ACKN", "CLAIM", "SHELF", "CONF", "CLOSE"))])  # fmt: skip
    await it.raises(urgent("AL-EARLY", raised_at=at("18:30"), text="text of early"))
    await it.raises(urgent("AL-INC", rule="incident.silent", wearer_id=None, subject="incident all", size=2,
                           priority="P2", raised_at=at("19:40"), text="All units fell silent"))  # fmt: skip
    await it.raises(urgent("AL-UNDER", incident="AL-INC", state=AlertState.SUPPRESSED, raised_at=at("19:41")))
    browser = await it.signed_in()
    for name, acts in {
        "ACKN": ["acknowledge"], "CLAIM": ["claim"], "SHELF": ["shelve"], "CONF": ["acknowledge", "confirm"],
        "CLOSE": ["acknowledge", "close"],
    }.items():  # fmt: skip
        for revision, act in enumerate(acts, start=1):
            fields: dict[str, Any] = {"shelve": {"minutes": "30"}, "close": {"disposition": "no_answer"}}.get(act, {})
            answer = await browser.sends(f"/alerts/AL-{name}/acts", act=act, seen_revision=revision, **fields)
            assert answer.status_code == 303, (name, act, answer.text)
    it.clock.advance(at("20:30"))
    return browser


def part(text: str, heading: str) -> str:
    """What stands under a heading, without its tags."""
    plain = re.sub(r"<[^>]+>", " ", "<" + text.partition(f">{heading}<")[2].partition("<h2")[0])
    return re.sub(r"\s+", " ", plain)


async def test_what_is_handed_over(it: Centre) -> None:
    browser = await busy(it)
    text = (await browser.get("/shift")).text
    assert "Shift, Tue 24 Mar 19:00 to Tue 24 Mar 20:30" in text
    assert "it goes on" in text
    assert re.findall(r"text of (\w+)", part(text, "Open now")) == ["early", "WAIT", "CLAIM", "ACKN", "SHELF", "CONF"]
    promised = part(text, "Promised")
    assert set(re.findall(r"text of (\w+)", promised)) == {"ACKN", "CLAIM", "CONF"}
    assert "operator Tue 24 Mar 20:30:00" in promised, "a lease that runs out"
    assert "waits, not acknowledged" in promised
    assert "when it is closed" in promised
    assert re.findall(r"text of (\w+)", part(text, "Shelved")) == ["SHELF"]
    assert "Tue 24 Mar 20:30:00" in part(text, "Shelved")
    assert "All units fell silent" in part(text, "Incidents")
    assert "1 alert under it" in part(text, "Incidents")
    assert "text of CONF" in part(text, "To be reported to the authority")
    assert "W-1 Priya &lt;Barker&gt;" in part(text, "To be reported to the authority"), "whom it is about"
    assert "to be referred by Wed 25 Mar 20:00:00" in part(text, "To be reported to the authority")
    done = part(text, "What was done")
    assert "operator" in done
    assert "no answer" in done
    assert re.findall(r"text of (\w+)", done) == ["CLOSE"]


async def test_what_was_taken_back_was_not_done(it: Centre) -> None:
    browser = await busy(it)
    await it.raises(urgent("AL-BACK", raised_at=at("20:29"), text="text of BACK"))
    for revision, act in enumerate(("acknowledge", "undo", "close"), start=1):
        fields = {"disposition": "false"} if act == "close" else {}
        answer = await browser.sends("/alerts/AL-BACK/acts", act=act, seen_revision=revision, **fields)
        assert answer.status_code == 303, (act, answer.text)
    before = (await browser.get("/api/v1/shift", params={"until": "2026-03-24T20:30:00.001Z"})).json()
    assert [each["alert"]["alert_id"] for each in before["closed"]] == ["AL-BACK", "AL-CLOSE"]
    it.clock.advance(at("20:30") + 1000)
    assert (await browser.sends("/alerts/AL-BACK/acts", act="undo", seen_revision=4)).status_code == 303
    text = (await browser.get("/shift")).text
    done = part(text, "What was done")
    assert re.findall(r"text of (\w+)", done) == ["CLOSE"]
    assert "text of BACK" in part(text, "Open now")
    acts = {"acknowledged": 3, "claimed": 1, "shelved": 1, "confirmed": 1, "closed": 1}
    for until, back in (("2026-03-24T20:30:01.001Z", 2), ("2026-03-24T20:30:00.001Z", 1)):
        api = (await browser.get("/api/v1/shift", params={"until": until})).json()
        assert api["work"] == [{"by": "operator", "acts": acts | {"taken_back": back}}], until
        assert [each["alert"]["alert_id"] for each in api["closed"]] == ["AL-CLOSE"], until


async def test_how_it_fared_beside_the_targets(it: Centre) -> None:
    browser = await busy(it)
    await it.raises(*[urgent(f"AL-F{n}", priority="P3", raised_at=at("20:10") + n) for n in range(30)])
    text = (await browser.get("/shift")).text
    assert "20:10 to 20:20: 30 alerts" in part(text, "Floods")
    assert "none" in part((await browser.get("/shift?operators=4")).text, "Floods")
    fared = part(text, "How it fared")
    assert "P1 acknowledged within 30 s" in fared
    assert "98.5%" in fared
    api = (await browser.get("/api/v1/shift?operators=4")).json()
    assert (api["statistics"]["alerts"], api["floods"]) == (38, [])
    assert [each["alert"]["alert_id"] for each in api["shelved"]] == ["AL-SHELF"]
    assert api["work"] == [
        {"by": "operator",
         "acts": {"acknowledged": 3, "claimed": 1, "shelved": 1, "confirmed": 1, "closed": 1}}
    ]  # fmt: skip
    assert [each["by"] for each in api["closed"]] == ["operator"]


@pytest.mark.parametrize(
    ("asked", "heading"),
    [
        ("shift=last", "Shift, Tue 24 Mar 07:00 to Tue 24 Mar 19:00"),
        ("shift=day", "Shift, Mon 23 Mar 20:30 to Tue 24 Mar 20:30"),
        ("from=2026-03-24T18:00&until=2026-03-24T19:00", "Shift, Tue 24 Mar 18:00 to Tue 24 Mar 19:00"),
    ],
)  # fmt: skip
async def test_the_time_is_chosen(it: Centre, asked: str, heading: str) -> None:
    browser = await busy(it)
    answer = await browser.get(f"/shift?{asked}")
    assert answer.status_code == 200
    assert heading in answer.text
    assert "it goes on" in answer.text or "last" in asked or "until" in asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("from=nonsense", "write it as 2026-03-24T19:00"), ("until=2026-03-24T18:00", "it is not after the beginning"),
        ("from=2026-01-01T00:00", "at most 31 days"), ("from=2026-03-25T00:00&until=2026-03-25T10:00", "it lies ahead"),
        ("operators=0", "a number from 1 to 200"), ("operators=%22%3E%3Cb%3E", "a number from 1 to 200"),
    ],
)  # fmt: skip
async def test_a_form_answers_beside_the_field_and_keeps_what_was_typed(it: Centre, asked: str, said: str) -> None:
    await it.has()
    it.clock.advance(at("20:30"))
    answer = await (await it.signed_in()).get(f"/shift?{asked}")
    assert answer.status_code == 422
    assert said in answer.text
    typed = asked.partition("=")[2].partition("&")[0]
    assert f'value="{typed}"' in answer.text or "%" in typed
    assert "><b>" not in answer.text.partition('class="choose')[2].partition("</form>")[0]
    api = await (await it.signed_in()).get("/api/v1/shift", params={"since": "yesterday"})
    assert api.status_code == 422


async def test_a_quiet_shift_says_so(it: Centre) -> None:
    await it.has()
    it.clock.advance(at("20:30"))
    text = (await (await it.signed_in()).get("/shift")).text
    assert "Nobody has anything." in text
    assert "Nobody did anything about an alert." in text
    assert part(text, "Floods").strip().endswith("cannot attend to: none.")


async def test_what_was_before_and_after_is_not_of_the_shift(it: Centre) -> None:
    browser = await busy(it)
    it.clock.advance(at("20:50"))
    api = (await browser.get("/api/v1/shift", params={
        "since": "2026-03-24T18:00:00Z", "until": "2026-03-24T19:00:00Z"})).json()  # fmt: skip
    assert (api["statistics"]["alerts"], api["work"], api["closed"]) == (1, [], [])
    it.clock.advance(it.clock.now() + MINUTE)
    lines = (await (await it.signed_in("auditor")).get("/api/v1/access")).json()
    assert "shift read" in [line["action"] for line in lines]


async def test_its_last_instant_is_of_a_shift_that_goes_on(it: Centre) -> None:
    await it.has()
    it.clock.advance(at("20:00"))
    await it.raises(urgent("AL-NOW", raised_at=at("20:00")))
    browser = await it.signed_in()
    answer = await browser.sends("/alerts/AL-NOW/acts", act="acknowledge", seen_revision=1)
    assert answer.status_code == 303
    text = (await browser.get("/shift")).text
    assert "Nobody did anything" not in text
    api = (await browser.get("/api/v1/shift")).json()
    assert api["work"] == [{"by": "operator", "acts": {"acknowledged": 1}}]
    assert (api["statistics"]["alerts"], api["until"]) == (1, "2026-03-24T20:00:00.000Z")
    over = (await browser.get("/api/v1/shift", params={"until": "2026-03-24T19:59:59.999Z"})).json()
    assert (over["statistics"]["alerts"], over["work"]) == (0, [])


async def test_a_shift_that_begins_this_instant_is_shown(it: Centre) -> None:
    await it.has()
    it.clock.advance(at("19:00"))
    browser = await it.signed_in()
    assert (await browser.get("/shift")).status_code == 200
    assert (await browser.get("/api/v1/shift")).status_code == 200
