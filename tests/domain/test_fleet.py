"""fleet.batch: a batch of straps that is reported far oftener than all others, and what that does to accusations."""

import random
from typing import Any

import pytest

from emcheck.domain.findings import Finding
from emcheck.domain.instants import DAY, HOUR, MINUTE
from emcheck.domain.register import Register, parse_register
from emcheck.present.words import explain
from emcheck.service.replay import replay
from emcheck.service.stream import Line
from tests.service.test_recovery import as_lines, live, told
from tests.support import UnitStory, at, england, judge, lines, nightly, order

BEGAN = at("2026-03-20T00:00")


def town(batches: dict[str | None, int]) -> Register:
    """So many wearers of each batch of straps, each with a unit at an address of his own."""
    import json

    worn = [batch for batch, count in batches.items() for _ in range(count)]
    numbers = range(1, len(worn) + 1)
    body: dict[str, Any] = {
        "version": 1,
        "wearers": [{"wearer_id": f"W-{n}"} for n in numbers],
        "orders": [order(order_id=f"O-{n}", wearer_id=f"W-{n}") for n in numbers],
        "installations": [
            {"unit": f"BU-{n:04}", "address_id": f"A-{n}", "installed_at": "2026-03-01T00:00:00Z"} for n in numbers
        ],
        "fittings": [
            {"tag": f"T-{n}", "wearer_id": f"W-{n}", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}
            | ({} if batch is None else {"strap_batch": batch})
            for n, batch in zip(numbers, worn, strict=True)
        ],
    }
    for number, made in enumerate(body["orders"], start=1):
        made["curfew"] = nightly(address=f"A-{number}")
    return parse_register(json.dumps(body))


def reported(*wearers: int, every: int = HOUR) -> list[Line]:
    """The straps of these wearers are reported cut, one after the other."""
    stories = []
    for place, number in enumerate(wearers, start=1):
        when = BEGAN + place * every
        story = UnitStory(f"BU-{number:04}").boots(when - MINUTE)
        stories.append(story.tell(when, "tag_tamper", tag=f"T-{number}", kind="strap_cut"))
    return lines(*stories)


def of(found: list[Finding], rule: str) -> list[Finding]:
    return [finding for finding in found if finding.rule == rule]


@pytest.mark.parametrize(("own", "others", "found"), [(4, 0, 0), (5, 0, 1), (5, 3, 1), (5, 4, 0), (7, 5, 0), (8, 5, 1)])
def test_a_batch_is_in_doubt_beyond_three_times_the_rest(own: int, others: int, found: int) -> None:
    """Of 20 straps of the batch so many, of 40 others so many: 5 of 20 is over 3 x 3 of 40, not over 3 x 4 of 40."""
    known = town({"S-24-11": 20, None: 40})
    stream = reported(*range(21, 21 + others), *range(1, own + 1))
    assert len(of(judge(stream, known, until=BEGAN + DAY), "fleet.batch")) == found


def test_it_says_what_it_rests_on_and_stops_accusations() -> None:
    known = town({"S-24-11": 20, None: 40})
    found = judge(reported(1, 2, 3, 4, 5, 21), known, until=BEGAN + DAY)
    [batch] = of(found, "fleet.batch")
    fifth = BEGAN + 5 * HOUR
    assert (batch.start, batch.raised_at, batch.end, batch.priority) == (fifth, fifth + 2000, None, "P1")
    assert [fact.unit for fact in batch.evidence] == [f"BU-{n:04}" for n in range(1, 6)]
    assert explain(batch) == (
        "Of 20 straps of batch S-24-11 5 were reported cut or open by Fri 20 Mar 05:00:00 (UTC), of 40 others 0. The "
        "straps may be faulty: no wearer is to be accused by one of them before a fitter has seen it."
    )
    straps = of(found, "tag.strap")
    assert {f.wearer_id: f.doubts for f in straps} == {f"W-{n}": ("strap_batch",) for n in range(1, 6)} | {"W-21": ()}
    assert {f.priority for f in straps} == {"P1"}, "a strap of a bad batch may be cut all the same"
    assert explain(straps[0]).endswith("In doubt, for straps of its batch are reported far oftener than others.")


def test_old_reports_do_not_count() -> None:
    known = town({"S-24-11": 20, None: 40})
    assert of(judge(reported(1, 2, 3, 4, 5, every=23 * DAY), known, until=BEGAN + 120 * DAY), "fleet.batch") == []
    assert of(judge(reported(1, 2, 3, 4, 5, every=22 * DAY), known, until=BEGAN + 120 * DAY), "fleet.batch") != []


def test_without_others_nothing_can_be_said() -> None:
    assert of(judge(reported(1, 2, 3, 4, 5), town({"S-24-11": 20}), until=BEGAN + DAY), "fleet.batch") == []


@pytest.mark.parametrize("seed", range(6))
async def test_it_is_judged_alike_in_any_order_after_restarts_and_in_a_replay(seed: int) -> None:
    chance = random.Random(seed)
    known = town({"S-24-11": 12, "S-25-02": 12, None: 12})
    wearers = chance.sample(range(1, 13), 7) + chance.sample(range(13, 37), 3)
    chance.shuffle(wearers)
    stream, until = reported(*wearers), BEGAN + DAY
    late = [line._replace(received_at=BEGAN + 12 * HOUR) for line in chance.sample(stream, len(stream))]
    restarts = {chance.randrange(1, len(stream)): chance.choice(["killed", "stopped"]) for _ in range(3)}
    store, _ = await live(stream, known, until, restarts=restarts, checkpoint_every_ms=HOUR)
    rows = [row async for row in store.inbox_after(0)]
    again = replay(as_lines(rows), known, england(), until=until)
    assert told(await store.findings()) == told(again.findings)
    await store.close()
    shuffled = judge(late, known, until=until)
    assert said(again.findings) == said(shuffled)


def said(found: list[Finding]) -> list[tuple[Any, ...]]:
    return sorted((f.rule, f.start, f.detail, f.doubts) for f in found if f.rule in ("fleet.batch", "tag.strap"))
