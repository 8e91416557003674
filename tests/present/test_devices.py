"""Equipment in words, and bytes that hide nothing."""

from emcheck.domain.channels import BATTERY, CLOCK, POWER, TAG_BATTERY, Change
from emcheck.domain.findings import FactRef
from emcheck.domain.ids import BootId, UnitId
from emcheck.present.devices import REFUSED, as_hex, as_text, event_words, level_words
from emcheck.service.intake import REASONS
from tests.support import at

FACT = FactRef(UnitId("BU-0001"), BootId("B"), 1)


def test_every_reason_is_explained() -> None:
    assert set(REFUSED) == set(REASONS)


def test_levels_are_told_with_amount_and_since_when() -> None:
    def told(channel: str, level: str, amount: float | None) -> str:
        return level_words(channel, Change(at("19:00"), level, amount, FACT), "UTC")

    assert told(POWER, "battery", 80.0) == "on battery, 80 %, since Tue 24 Mar 19:00:00"
    assert told(BATTERY, "low", 12) == "battery low, 12 %, since Tue 24 Mar 19:00:00"
    assert told(TAG_BATTERY, "empty", 4) == "battery empty, 4 %, since Tue 24 Mar 19:00:00"
    assert told(CLOCK, "far", -901_000) == "clock far off, 15 min 1 s slow, since Tue 24 Mar 19:00:00"
    assert told(CLOCK, "off", 45_500) == "clock off, 45 s fast, since Tue 24 Mar 19:00:00"
    assert level_words(BATTERY, None, "UTC") == ""


def test_an_event_is_told_as_it_was() -> None:
    event = {"type": "unit_status", "at": at("19:00"), "power": "mains", "tags": {"T-1": "in"}, "moved": False}
    said = event_words(event, "UTC")  # type: ignore[arg-type] # as decoded
    assert said == "unit_status at Tue 24 Mar 19:00:00: power mains, tags T-1=in, moved no"
    assert event_words(None, "UTC") == "refused: see the quarantine"


def test_bytes_hide_nothing() -> None:
    payload = b'{"a": 1}\x00\x1b[2J\xff\xe2\x80\xae line'
    assert as_text(payload) == '{"a": 1}\\x00\\x1b[2J\\xff\\u202e line'
    rows = as_hex(payload).splitlines()
    assert rows[0] == '00000000  7b 22 61 22 3a 20 31 7d 00 1b 5b 32 4a ff e2 80  {"a": 1}..[2J...'
    assert rows[1] == "00000010  ae 20 6c 69 6e 65                                . line"
    assert as_hex(b"") == ""
