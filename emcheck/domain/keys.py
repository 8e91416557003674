"""Public keys of units as the register holds them: 32 bytes Ed25519 (RFC 8032), base64."""

import base64
import binascii

_P = 2**255 - 19
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_SMALL_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})
"""The y of all points whose order divides 8: with such a "key", zeros say, anybody can sign (RFC 8032, 8.4; the
same list stands in libsodium's ge25519_has_small_order)."""


def public_key_bytes(text: str) -> bytes:
    """The 32 bytes of a key; ValueError in one line where it is none that can be trusted."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32 or base64.b64encode(raw).decode() != text:
        raise ValueError("a public key is 32 bytes of Ed25519 in base64: 43 characters and one =")
    if (int.from_bytes(raw, "little") & (2**255 - 1)) % _P in _SMALL_ORDER:
        raise ValueError("this is no unit's key: anybody could sign for it; enter the one the unit shows")
    return raw


def public_key(text: str) -> str:
    """The key itself, once it is known to be one; ValueError else."""
    public_key_bytes(text)
    return text
