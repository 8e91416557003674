"""Whatever a document holds, it is read or refused in one line; nothing else comes out of a reader."""

import json
import random
from typing import Any

import pytest

from emcheck.domain.instants import parse_ms
from emcheck.exchange.imported import Given, NotUnderstood, judged
from emcheck.exchange.shapes import Shape, read_order
from tests.exchange.test_curfew_times import TIMES
from tests.exchange.test_ical import calendar, nightly
from tests.exchange.test_moj import document

ODD = [
    None, "", 0, -1, True, [], {}, ["x"], {"a": 1}, "x", "2026-03-29 01:30:00", "9999-12-31 23:59:59",
    "0001-01-01 00:00:00", "24:00", "23:59:59", "Mo", "Sunday", "9" * 40, 1e300, "２０:００:００",
]  # fmt: skip
LICENCE = {"curfewTimes": TIMES, "firstNightCurfewHours": {"firstNightFrom": "15:00", "firstNightUntil": "07:00"}}
NIGHTS = calendar(
    nightly(rule="FREQ=WEEKLY;BYDAY=FR,SA,SU;UNTIL=20260405T180000Z")
    + "\nEXDATE;TZID=Europe/London:20260327T190000\nLOCATION:home",
    nightly("20260421T190000Z", "20260422T070000Z", zone=""),
)
GIVEN: dict[str, Any] = {
    "order_id": "O-1", "wearer_id": "W-1", "kind": "bail", "addresses": {"": "A-1", "home": "A-1", "primary": "A-1"},
}  # fmt: skip


def changed_json(whole: Any, chance: random.Random) -> str:
    """A document with a few values taken out or made odd."""
    whole = json.loads(json.dumps(whole))
    for _ in range(chance.randint(1, 4)):
        place = whole
        while isinstance(place, (dict, list)) and place:
            key: Any = chance.choice(list(place)) if isinstance(place, dict) else chance.randrange(len(place))
            if isinstance(place[key], (dict, list)) and place[key] and chance.random() < 0.7:
                place = place[key]
                continue
            if chance.random() < 0.2:
                del place[key]
            else:
                place[key] = json.loads(json.dumps(chance.choice(ODD)))
            break
    return json.dumps(whole)


def changed_text(text: str, chance: random.Random) -> str:
    """A calendar with a few lines taken out, doubled or misspelt."""
    lines = text.splitlines()
    for _ in range(chance.randint(1, 3)):
        number = chance.randrange(len(lines))
        fate = chance.random()
        if fate < 0.2:
            del lines[number]
        elif fate < 0.4:
            lines.insert(chance.randrange(len(lines)), lines[number])
        else:
            letters = list(lines[number])
            for _ in range(chance.randint(1, 3)):
                letters[chance.randrange(len(letters))] = chance.choice("0123456789TZ:;=,-+ AFMWYéx")
            lines[number] = "".join(letters)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(8))
def test_a_changed_document_is_read_or_refused_in_one_line(seed: int) -> None:
    chance, read, refused = random.Random(seed), 0, []
    for _ in range(100):
        shape = chance.choice([Shape.MOJ, Shape.CURFEW_TIMES, Shape.ICAL])
        if shape is Shape.ICAL:
            text = changed_text(NIGHTS, chance)
        else:
            text = changed_json(document() if shape is Shape.MOJ else LICENCE, chance)
        given = GIVEN | {
            "zone": chance.choice([None, "Europe/London", "UTC", "Nowhere"]),
            "starts_at": chance.choice([None, parse_ms("2026-03-20T00:00:00Z")]),
            "ends_at": chance.choice([None, parse_ms("2026-09-20T00:00:00Z")]),
        }
        try:
            made = read_order(text, chance.choice([shape, Shape.AUTO]), Given(**given))
        except NotUnderstood as error:
            refused.append(str(error))
        else:
            assert judged(made.order).order_id == "O-1"
            read += 1
    assert read > 10
    assert [message for message in refused if "\n" in message or not message] == []
