"""Signatures: what was signed verifies in any spelling, and no signed value can be changed."""

import base64
import json
import random
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from emcheck.wire.signing import (
    BadSignature,
    load_signing_key,
    public_text,
    seal,
    sign,
    signature_fault,
    verify,
)

# RFC 8032, 7.1, test 1
KEY = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
PUBLIC = public_text(KEY)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
UNIT = "BU-0001"
ENVELOPE: dict[str, Any] = {
    "v": 1,
    "unit": UNIT,
    "boot": "01JD0000000000000000000000",
    "first_seq": 41,
    "sent_at": "2026-03-24T19:00:05.120Z",
    "events": [
        {"type": "presence", "at": "2026-03-24T19:00:05.120Z", "tag": "T-1", "in_range": True, "rssi_dbm": -71.5},
        {
            "type": "report",
            "at": "2026-03-24T19:00:35.120Z",
            "tag": "T-1",
            "heard": 12,
            "skin_c": 31.25,
            "x": ["é", None],
        },
    ],
}


def sealed(envelope: dict[str, Any] = ENVELOPE) -> bytes:
    return seal(json.dumps(envelope, separators=(",", ":"), ensure_ascii=False).encode(), KEY)


def fault(payload: bytes, *, public_key: str | None = PUBLIC, required: bool = True) -> str | None:
    return signature_fault(payload, unit=UNIT, public_key=public_key, required=required)


def test_the_key_and_the_signature_are_those_of_the_standard() -> None:
    assert base64.b64decode(PUBLIC).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert sign({}, KEY) == base64.b64encode(KEY.sign(b"{}")).decode()
    assert (
        sign({"sig": "old", "b": 1.0, "a": "€"}, KEY) == base64.b64encode(KEY.sign('{"a":"€","b":1}'.encode())).decode()
    )


Json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)
Message = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), Json, max_size=5).map(
    lambda fields: {key: value for key, value in fields.items() if key != "sig"} | {"unit": UNIT}
)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same value with its names in another order."""
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: shuffled(value[name], chance) for name in names}
    return [shuffled(inner, chance) for inner in value] if isinstance(value, list) else value


@given(Message, st.randoms(use_true_random=False), st.sampled_from([None, 0, 3]), st.booleans())
def test_order_and_white_space_are_not_signed(
    message: dict[str, Any], chance: random.Random, indent: int | None, ascii_only: bool
) -> None:
    signed = message | {"sig": sign(message, KEY)}
    text = json.dumps(shuffled(signed, chance), indent=indent, ensure_ascii=ascii_only)
    assert fault(text.encode()) is None
    verify(f" \n{text}\t".encode(), PUBLIC)


@given(Message, Message)
def test_one_message_s_signature_is_no_other_s(one: dict[str, Any], other: dict[str, Any]) -> None:
    forged = json.dumps(other | {"sig": sign(one, KEY)}).encode()
    if json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True) and not _same(one, other):
        assert fault(forged) is not None


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and 1.0 and 0 and -0 are one number each, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def test_no_byte_of_a_signed_value_can_be_changed() -> None:
    """Every byte of an envelope, with bytes that keep it JSON more often than chance would."""
    payload = sealed()
    for place in range(len(payload)):
        for byte in {*b' "0159aeEuxzZ{}[]:,.-+\\/=\x00\x7f', payload[place] ^ 1, payload[place] ^ 0x20}:
            changed = payload[:place] + bytes([byte]) + payload[place + 1 :]
            assert fault(changed) is not None or _same(json.loads(changed), json.loads(payload)), changed


@given(st.data())
def test_no_stretch_of_bytes_can_be_changed(data: st.DataObject) -> None:
    payload = sealed()
    start = data.draw(st.integers(0, len(payload) - 1))
    end = data.draw(st.integers(start, min(len(payload), start + 6)))
    changed = payload[:start] + data.draw(st.binary(max_size=6)) + payload[end:]
    if fault(changed) is None:
        assert _same(json.loads(changed), json.loads(payload))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (json.dumps(ENVELOPE).encode(), "sig is missing"),
        (json.dumps(ENVELOPE | {"sig": 7}).encode(), "sig is not the base64 of 64 bytes"),
        (json.dumps(ENVELOPE | {"sig": sign(ENVELOPE, KEY)[:-2]}).encode(), "sig is not the base64 of 64 bytes"),
        (json.dumps(ENVELOPE | {"sig": sign(ENVELOPE, STRANGER)}).encode(), "not by the enrolled key"),
        (sealed({key: value for key, value in ENVELOPE.items() if key != "unit"}), "does not name its unit"),
        (sealed(ENVELOPE | {"unit": None}), "does not name its unit"),
        (sealed().replace(b'"v":1', b'"v":1,"v":1'), "'v' stands twice"),
        (sealed().replace(b'"heard":12', b'"heard":12,"h\\u0065ard":12'), "'heard' stands twice"),
        (sealed().replace(b'"heard":12', b'"heard":9007199254740993'), "beyond 2\\^53"),
        (sealed().replace(b'"heard":12', b'"heard":NaN'), "no RFC 8785 form"),
        (sealed().replace("é".encode(), b"\\ud800"), "no RFC 8785 form"),
        (sealed().decode().encode("utf-16"), "not JSON"),
        (b"[" * 100_000, "bytes; an envelope is at most|not JSON"),
        (b"[" * 60_000 + b"]" * 5_000, "not JSON"),
        (b"[1]", "not a JSON object"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(payload: bytes, words: str) -> None:
    said = fault(payload)
    assert said is not None
    assert re.search(words, said)


@pytest.mark.parametrize("digits", ["100000000000000000000", "9007199254740992", "-123456789012345680000"])
def test_a_large_integer_in_its_canonical_digits_is_one(digits: str) -> None:
    number = float(digits)
    text = json.dumps({"unit": UNIT, "x": 0, "sig": sign({"unit": UNIT, "x": number}, KEY)})
    assert fault(text.replace('"x": 0', f'"x": {digits}').encode()) is None
    assert fault(text.replace('"x": 0', f'"x": {digits[:-1]}1').encode()) is not None


def test_a_sign_bit_of_zero_is_nothing() -> None:
    message = {"unit": UNIT, "skin_c": -0.0}
    assert fault(json.dumps(message | {"sig": sign({"unit": UNIT, "skin_c": 0}, KEY)}).encode()) is None


def test_where_nothing_is_required_only_what_is_signed_is_verified() -> None:
    plain = json.dumps(ENVELOPE).encode()
    forged = json.dumps(ENVELOPE | {"sig": sign(ENVELOPE, STRANGER)}).encode()
    assert fault(plain, required=False) is None
    assert fault(b"rubbish", required=False) is None
    assert fault(sealed(), required=False) is None
    assert fault(forged, required=False) is not None
    assert fault(sealed().replace(b'"v":1', b'"v":1,"v":1'), required=False) is not None
    assert fault(forged, public_key=None, required=False) is None
    with pytest.raises(BadSignature, match="not by the enrolled key"):
        verify(forged, PUBLIC)
    assert fault(sealed(), public_key=None) == "signatures are required and BU-0001 has no public_key in the register"


def test_a_key_file_holds_one_ed25519_key() -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert public_text(load_signing_key(pem)) == PUBLIC
    for wrong in (
        b"",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        KEY.public_key().public_bytes_raw(),
    ):
        with pytest.raises(ValueError, match="no private key in PEM"):
            load_signing_key(wrong)
