"""A unit's public key in the register: one spelling, one unit, and never one for which anybody could sign."""

import base64
from typing import Any

import pytest

from emcheck.domain.keys import public_key_bytes
from emcheck.domain.register import Register, RegisterError, public_key_of
from tests.support import register

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
# RFC 8032, 7.1, tests 1 and 2
KEY = base64.b64encode(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")).decode()
OTHER = base64.b64encode(bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")).decode()


def installed(*entries: dict[str, Any]) -> Register:
    base = {"address_id": "A-1", "removed_at": None}
    return register(installations=[base | entry for entry in entries])


def first(**entry: Any) -> dict[str, Any]:
    return {"unit": "BU-0001", "installed_at": "2026-03-01T00:00:00Z", "removed_at": "2026-03-10T00:00:00Z"} | entry


def second(**entry: Any) -> dict[str, Any]:
    return {"unit": "BU-0001", "installed_at": "2026-03-10T00:00:00Z"} | entry


def test_a_unit_has_its_key_in_any_of_its_installations() -> None:
    known = installed(first(public_key=KEY), second())
    assert public_key_of(known.installations) == KEY
    assert public_key_of(installed(first()).installations) is None
    assert installed(first(public_key=KEY), second(public_key=KEY)).installations[1].public_key == KEY


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ((first(public_key=KEY), second(public_key=OTHER)), "installations BU-0001: two public_key"),
        ((first(public_key=KEY), second(unit="BU-0002", public_key=KEY)), "its public_key is that of BU-0001"),
        ((first(public_key=KEY[:-1]),), "installations.0.public_key: a public key is 32 bytes"),
        ((first(public_key=KEY.replace("=", "\n=")),), "a public key is 32 bytes"),
        ((first(public_key="d75a"),), "a public key is 32 bytes"),
        ((first(public_key=base64.b64encode(bytes(32)).decode()),), "anybody could sign"),
    ],
)
def test_what_would_not_say_who_signed_is_refused(entries: tuple[dict[str, Any], ...], message: str) -> None:
    with pytest.raises(RegisterError, match=message):
        installed(*entries)


def _add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = one, two
    m = D * x1 * x2 * y1 * y2
    return (
        (x1 * y2 + x2 * y1) * pow(1 + m, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - m, -1, P) % P,
    )


def _root(square: int) -> int | None:
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return None if (x * x - square) % P else x


def _order_8_point() -> tuple[int, int]:
    """A point of order 8: a prime multiple of any point that is not of prime order."""
    prime = 2**252 + 27742317777372353535851937790883648493
    for y in range(2, 100):
        x = _root((y * y - 1) * pow(D * y * y + 1, -1, P) % P)
        if x is None:
            continue
        point, total, number = (x, y), (0, 1), prime
        while number:
            if number & 1:
                total = _add(total, point)
            point, number = _add(point, point), number >> 1
        twice = _add(total, total)
        if _add(twice, twice) != (0, 1):
            return total
    raise AssertionError("every fourth point has such a multiple")


def test_all_points_of_small_order_are_refused_in_every_spelling() -> None:
    generator = _order_8_point()
    points, point = set(), (0, 1)
    for _ in range(8):
        points.add(point)
        point = _add(point, generator)
    assert len(points) == 8
    spellings = {y + more for _, y in points for more in (0, P) if y + more < 2**255}
    assert len(spellings) == 7
    for y in spellings:
        for sign in (0, 1 << 255):
            with pytest.raises(ValueError, match="anybody could sign"):
                public_key_bytes(base64.b64encode((y | sign).to_bytes(32, "little")).decode())
