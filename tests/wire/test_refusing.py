"""What is wrong is said to people who do not read patterns."""

import json
from typing import Any

import pytest

from emcheck.wire import refusing
from emcheck.wire.codec import EnvelopeRefused, decode

_BOOT = "01JQ3V5K8M0000000000000000"
_STATUS = {"type": "unit_status", "at": "2026-03-24T19:00:00Z"}
WRONG = [
    ({"boot": "7"}, "boot: should be a ULID, 26 letters and digits, such as 01JQ3V5K8M0000000000000000"),
    ({"unit": "bu"}, "unit: should be 4 to 32 capital letters, digits and hyphens, such as BU-0001"),
    ({"sent_at": "yesterday"}, "sent_at: should be a time in UTC, such as 2026-03-24T19:00:00Z"),
]


@pytest.mark.parametrize(("changed", "said"), WRONG)
def test_a_field_of_another_shape_is_told_what_is_right(changed: dict[str, Any], said: str) -> None:
    envelope = {"v": 1, "boot": _BOOT, "first_seq": 1, "events": [_STATUS]} | changed
    with pytest.raises(EnvelopeRefused) as refused:
        decode(json.dumps(envelope).encode())
    assert refused.value.detail == said


def test_a_tag_of_another_shape_is_told_what_is_right() -> None:
    event = {"type": "presence", "at": "2026-03-24T19:00:00Z", "tag": "T 1", "in_range": True}
    read = decode(json.dumps({"v": 1, "boot": _BOOT, "first_seq": 1, "events": [event]}).encode())
    assert [one.detail for one in read.refused] == [
        "presence.tag: should be up to 64 letters, digits and _.:-, such as T-1"
    ]


def test_every_pattern_has_words() -> None:
    patterns = {refusing.AT, refusing.BOOT, refusing.TAG, refusing.UNIT, refusing.EVENT_ID, refusing.NOT_BLANK}
    assert patterns == set(refusing._SHOWN)
