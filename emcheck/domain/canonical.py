"""The one form of a JSON value that is hashed and signed: RFC 8785 (JSON Canonicalization Scheme).

Numbers are IEEE 754 doubles, written as ECMAScript writes them; an integer beyond ±(2^53 - 1) has no exact
form and is refused, as are NaN, infinities and lone surrogates (RFC 8785, 3.2.2; RFC 7493, 2.2).
"""

import hashlib
import json
from typing import Any

import rfc8785


def canonical(value: Any) -> bytes:
    """The RFC 8785 form of a JSON value; ValueError where it has none."""
    try:
        return rfc8785.dumps(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def sha256_of(value: Any) -> str:
    """SHA-256 (hex) over the RFC 8785 form of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def sha256_of_texts(value: Any) -> str:
    """The same for what holds maps, lists and texts only, its keys in ASCII: in a twentieth of the time.

    Such a value has this form with the standard library too: no numbers, and keys that sort by code point.
    """
    return hashlib.sha256(compact(value).encode()).hexdigest()


def compact(value: Any) -> str:
    """A JSON value with its keys sorted and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
