"""Signatures on the wire: Ed25519 over the RFC 8785 form of the message without `sig` (docs/adr/0010).

1. `sig` is base64 (88 characters) and stands at the top of an envelope or downlink.
2. What is signed is I-JSON (RFC 7493) in UTF-8: a name that stands twice in one object is refused, for two
   readers would read two things; so is an integer beyond ±(2^53 - 1) unless its digits are the canonical ones,
   for two such numbers can have one form. -0 is taken for 0: no reader here tells them apart.
3. Order of keys, white space and spelling of numbers and text are not signed; every value is.
4. A unit that has a key and sends a `sig` is always verified. Where the policy requires signatures, an
   envelope without `sig` or `unit`, or of a unit without a key, is refused like one with a wrong one.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emcheck.domain.canonical import canonical
from emcheck.domain.keys import public_key_bytes
from emcheck.wire.codec import ENVELOPE_MAX_BYTES

_SAFE_DIGITS = 16
"""2^53 has 16 digits; a longer integer is beyond it."""


class BadSignature(ValueError):
    """A message that its sender did not sign, or that cannot be told to be signed. One line says why."""


class _NotJson(BadSignature):
    """Bytes that nobody takes for a message."""


def sign(message: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """`sig` of a message (whatever `sig` it has is left out); ValueError where it has no RFC 8785 form."""
    return base64.b64encode(key.sign(_signed_form(message))).decode()


def seal(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """A message without `sig`, as JSON text, with its `sig`."""
    return b'%s,"sig":"%s"}' % (payload.rstrip()[:-1], sign(_read(payload), key).encode())


def verify(payload: bytes, public_key: str) -> None:
    """Nothing where `payload` carries a good signature by that key; BadSignature else."""
    _verify(_read(payload), public_key)


def signature_fault(payload: bytes, *, unit: str, public_key: str | None, required: bool) -> str | None:
    """Why an envelope must not be believed (4), None where nothing speaks against it. `public_key` is the unit's."""
    if public_key is None:
        return f"signatures are required and {unit} has no public_key in the register" if required else None
    if len(payload) > ENVELOPE_MAX_BYTES:  # the codec refuses it, unread
        return f"{len(payload)} bytes; an envelope is at most {ENVELOPE_MAX_BYTES}" if required else None
    try:
        message = _read(payload)
        if required or message.get("sig") is not None:
            _verify(message, public_key)
    except BadSignature as error:
        return str(error) if required or not isinstance(error, _NotJson) else None
    unnamed = required and message.get("unit") is None
    return "signatures are required and the envelope does not name its unit" if unnamed else None


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half of a key, as the register writes it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def load_signing_key(pem: bytes) -> Ed25519PrivateKey:
    """The private key in a PEM file without a pass phrase; ValueError says what is wrong in one line."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, ValueError):
        raise ValueError("no private key in PEM without a pass phrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 key; make one with: openssl genpkey -algorithm ed25519")
    return key


def _verify(message: Mapping[str, Any], public_key: str) -> None:
    try:
        signed = _signed_form(message)
    except ValueError as error:
        raise BadSignature(f"it has no RFC 8785 form: {error}"[:200]) from None
    try:
        _public(public_key).verify(_signature(message.get("sig")), signed)
    except InvalidSignature:
        raise BadSignature("sig is not by the enrolled key over this message") from None


def _signature(sig: object) -> bytes:
    """The 64 bytes of `sig` in its one spelling (1)."""
    if sig is None:
        raise BadSignature("sig is missing")
    try:
        raw = base64.b64decode(sig, validate=True) if isinstance(sig, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 64 or base64.b64encode(raw).decode() != sig:
        raise BadSignature("sig is not the base64 of 64 bytes")
    return raw


@lru_cache(maxsize=16_384)
def _public(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key_bytes(text))


def _signed_form(message: Mapping[str, Any]) -> bytes:
    return canonical({key: value for key, value in message.items() if key != "sig"})


def _read(payload: bytes) -> dict[str, Any]:
    """The JSON object in `payload`, read in the one way in which it can be signed (2)."""
    try:
        message = json.loads(payload.decode(), object_pairs_hook=_object, parse_int=_integer)
    except BadSignature:
        raise
    except (ValueError, RecursionError) as error:
        raise _NotJson(f"not JSON: {error}"[:200]) from None
    if not isinstance(message, dict):
        raise _NotJson("not a JSON object")
    return message


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadSignature(f"{twice!r} stands twice in one object"[:200])
    return read


def _integer(text: str) -> int | float:
    if len(text.lstrip("-")) <= _SAFE_DIGITS and abs(number := int(text)) < 2**53:
        return number
    try:
        if canonical(float(text)).decode() == text:
            return float(text)
    except ValueError:
        pass
    raise BadSignature(f"{text[:40]} is beyond 2^53 and not exact")
