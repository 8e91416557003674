"""Any bytes either parse or give one named error."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.wire.codec import ENVELOPE_MAX_BYTES, Envelope, EnvelopeRefused, decode

BOOT = "01JD0000109000000000000000"
EVENT: dict[str, Any] = {"type": "unit_status", "at": "2026-03-05T23:56:00.000Z", "power": "mains"}
ENVELOPE: dict[str, Any] = {
    "v": 1,
    "boot": BOOT,
    "first_seq": 7,
    "sent_at": "2026-03-05T23:58:02.000Z",
    "events": [EVENT],
}

REASONS = {"not_json", "not_in_schema", "wrong_version", "over_size"}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def parses_or_names(payload: bytes) -> None:
    envelope, reason = None, "parsed"
    try:
        envelope = decode(payload)
    except EnvelopeRefused as error:
        reason = error.reason
    if envelope is None:
        assert reason in REASONS
    else:
        assert isinstance(envelope, Envelope)
        assert len(envelope.events) == len([e for e in envelope.events if e is not None]) + len(envelope.refused)


@given(st.binary(max_size=300))
def test_any_bytes(payload: bytes) -> None:
    parses_or_names(payload)


@given(json_values)
def test_any_json(value: object) -> None:
    parses_or_names(json.dumps(value).encode())


@given(st.sampled_from(sorted(ENVELOPE)), json_values)
def test_an_envelope_with_one_field_replaced(key: str, value: object) -> None:
    parses_or_names(json.dumps(ENVELOPE | {key: value}).encode())


@given(
    st.lists(
        json_values
        | st.fixed_dictionaries({"type": st.sampled_from(["report", "lost", "boot"])}, optional={"at": json_values}),
        max_size=4,
    )
)
def test_events_are_judged_one_by_one(events: list[object]) -> None:
    envelope = decode(json.dumps(ENVELOPE | {"events": [EVENT, *events, EVENT]}).encode())
    assert envelope.events[0] == envelope.events[-1]
    assert envelope.events[0] is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v": 2}, "wrong_version"),
        ({"boot": "x"}, "not_in_schema"),
        ({"first_seq": 0}, "not_in_schema"),
        ({"events": []}, "not_in_schema"),
    ],
)
def test_named_refusals(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(EnvelopeRefused) as caught:
        decode(json.dumps(ENVELOPE | change).encode())
    assert caught.value.reason == reason


def test_over_size() -> None:
    with pytest.raises(EnvelopeRefused, match="over_size"):
        decode(b" " * (ENVELOPE_MAX_BYTES + 1))


def test_what_is_legible_of_a_wrong_version_is_known() -> None:
    with pytest.raises(EnvelopeRefused) as caught:
        decode(json.dumps(ENVELOPE | {"v": 9}).encode())
    assert (caught.value.boot, caught.value.first_seq, caught.value.count) == (BOOT, 7, 1)


@pytest.mark.parametrize(
    "event",
    [
        EVENT | {"at": "2026-02-30T00:00:00Z"},
        EVENT | {"at": "2026-03-05T23:56:00"},
        {
            "type": "presence",
            "at": EVENT["at"],
            "tag": "T-1",
            "in_range": False,
            "last_heard_at": "2026-03-05T23:57:00Z",
        },
        {"type": "lost", "at": EVENT["at"], "boot": BOOT, "from": 5, "to": 4, "periodic_only": True},
    ],
)
def test_impossible_events_are_refused_alone(event: dict[str, Any]) -> None:
    envelope = decode(json.dumps(ENVELOPE | {"events": [EVENT, event]}).encode())
    assert envelope.events[0] is not None
    assert envelope.events[1] is None
    assert [refusal.seq for refusal in envelope.refused] == [8]


def test_numbers_beyond_2_53_are_exact() -> None:
    assert decode(json.dumps(ENVELOPE | {"first_seq": 2**53 + 1}).encode()).first_seq == 2**53 + 1


@pytest.mark.parametrize(
    "said", [{"proximity": 7}, {"skin_c": 800.5}, {"ambient_c": -300}, {"motion_mg": -1}, {"skin_c": None}]
)
def test_what_a_sensor_says_that_cannot_be_does_not_hide_that_the_tag_was_heard(said: dict[str, Any]) -> None:
    report = {"type": "report", "at": EVENT["at"], "tag": "T-1", "interval_s": 60, "heard": 9, "expected": 10}
    envelope = decode(json.dumps(ENVELOPE | {"events": [report | said]}).encode())
    assert envelope.refused == ()
    assert envelope.events[0] is not None
    assert said.items() <= envelope.events[0].items()


@pytest.mark.parametrize("said", ['"warm"', "NaN", "[31.0]", "Infinity"])
def test_what_is_no_number_is_refused_alone(said: str) -> None:
    report = {"type": "report", "at": EVENT["at"], "tag": "T-1", "interval_s": 60, "heard": 9, "expected": 10}
    text = json.dumps(ENVELOPE | {"events": [report | {"skin_c": "?"}, EVENT]}).replace('"?"', said)
    envelope = decode(text.encode())
    assert [refusal.seq for refusal in envelope.refused] == [7]
    assert [event is None for event in envelope.events] == [True, False]
