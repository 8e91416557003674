"""The register's name in findings: a hash that holds for what it says, and survives an erasure."""

import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.register import parse_register
from emcheck.shipped import shipped_config

EXAMPLE: dict[str, Any] = json.loads((shipped_config() / "register.example.json").read_text())


def _hash(register: dict[str, Any]) -> str:
    return parse_register(json.dumps(register)).sha256()


@given(st.sampled_from([(), ("wearers",), ("orders",), ("installations", "fittings"), tuple(EXAMPLE)[1:]]))
def test_the_hash_is_that_of_the_plain_register_in_one_piece(emptied: tuple[str, ...]) -> None:
    kept = {part: [] if part in emptied else value for part, value in EXAMPLE.items()}
    if "wearers" in emptied:
        kept |= {"orders": [], "fittings": []}
    register = parse_register(json.dumps(kept))
    whole = json.dumps(register.plain(), sort_keys=True, separators=(",", ":"))
    assert register.sha256() == hashlib.sha256(whole.encode()).hexdigest()


def test_names_notes_and_contacts_are_not_hashed_so_it_survives_their_erasure() -> None:
    erased = EXAMPLE | {"wearers": [{"wearer_id": wearer["wearer_id"]} for wearer in EXAMPLE["wearers"]]}
    assert erased["wearers"] != EXAMPLE["wearers"]
    assert _hash(erased) == _hash(EXAMPLE)


def test_whatever_can_alter_a_verdict_is_hashed() -> None:
    order = EXAMPLE["orders"][0]
    later = EXAMPLE | {"orders": [order | {"ends_at": "2030-01-01T00:00:00Z"}, *EXAMPLE["orders"][1:]]}
    assert _hash(later) != _hash(EXAMPLE)
