"""The canonical form is that of RFC 8785: numbers as ECMAScript writes them, names by UTF-16 code units."""

import json
import math
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.canonical import canonical, compact, sha256_of, sha256_of_texts

# RFC 8785, Appendix B, and the sample lines of its reference implementation's number file
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4340000000000001": "9007199254740994",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


def ecmascript(number: float) -> str:
    """ECMA-262, Number::toString for radix 10, step by step, from the shortest digits that Python finds."""
    if number == 0:
        return "0"
    if number < 0:
        return "-" + ecmascript(-number)
    _, parts, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    digits, k = "".join(map(str, parts)), len(parts)
    n = exponent + k
    if k <= n <= 21:
        return digits + "0" * (n - k)
    if 0 < n <= 21:
        return f"{digits[:n]}.{digits[n:]}"
    if -6 < n <= 0:
        return "0." + "0" * -n + digits
    mantissa = digits if k == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{'+' if n > 0 else '-'}{abs(n - 1)}"


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_of_the_standard(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(number) == text.encode()
    assert ecmascript(number) == text


@given(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack(">d", bits.to_bytes(8))[0])
)
def test_every_number_is_written_as_ecmascript_writes_it(number: float) -> None:
    if math.isfinite(number):
        assert canonical(number).decode() == ecmascript(number)
        assert float(canonical(number)) == number


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53, -(2**53), "\ud800", {1: 2}, {"\udc00": 1}])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"not representable|exceeds|UTF|surrogates|must be strings"):
        canonical(value)


def test_a_nest_without_end_is_refused() -> None:
    nest: list[object] = []
    for _ in range(100_000):
        nest = [nest]
    with pytest.raises(ValueError, match="nested too deeply"):
        canonical(nest)
    while nest:  # taken apart by hand: Python would do it by recursion
        nest = nest[0]  # type: ignore[assignment]  # a list all the way down


def test_names_stand_by_utf_16_and_text_is_escaped_as_little_as_may_be() -> None:
    # RFC 8785, 3.2.3 and 3.2.4
    value = json.loads(r"""{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
        "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O"}""")
    names = list(json.loads(canonical(value)))
    assert names == ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]
    assert canonical(json.loads(r'"\u20ac$\u000F\u000aA' + r"'" + r'\u0042\u0022\u005c\\\"\/"')) == (
        b'"\xe2\x82\xac$\\u000f\\nA' + b"'" + b'B\\"\\\\\\\\\\"/"'
    )


def test_a_hash_is_over_the_form() -> None:
    assert sha256_of([]) == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
    assert sha256_of({"b": 1.0, "a": [True, None]}) == sha256_of({"a": [True, None], "b": 1})


NAMES = st.text(st.characters(min_codepoint=0, max_codepoint=127), max_size=8)
TEXTS = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(TEXTS)
def test_what_holds_texts_only_has_the_same_form_by_the_quick_way(value: object) -> None:
    assert compact(value).encode() == canonical(value)
    assert sha256_of_texts(value) == sha256_of(value)
