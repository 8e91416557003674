"""Signatures at the door: what is not the unit's own word is kept, folded into nothing and never acknowledged."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from emcheck.domain.engine import Engine
from emcheck.domain.ids import BootId, UnitId
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy
from emcheck.domain.register import Register
from emcheck.service.history import Recent
from emcheck.service.intake import Taken, take
from emcheck.service.running import options_of, seal_of
from emcheck.settings import Settings, SettingsError
from emcheck.settings.sections import ServiceSettings
from emcheck.wire.signing import public_text, seal, verify
from emcheck.wire.topics import up
from tests.support import BOOT, UnitStory, at, england, england_signed, register

UNIT = UnitId("BU-0001")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NOON = at("12:00")


def enrolled(*, key: Ed25519PrivateKey | None = KEY) -> Register:
    at_home = {"unit": UNIT, "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}
    return register(installations=[at_home | ({} if key is None else {"public_key": public_text(key)})])


class Door:
    """The engine behind `take`, and what has been kept."""

    def __init__(self, policy: Policy | None = None, known: Register | None = None) -> None:
        self.memory = Recent()
        self.engine = Engine(
            known or enrolled(),
            Policies(policy or england_signed()),
            memory=self.memory,
            decided=lambda *decision: None,
        )

    def takes(self, payload: bytes, *, at: int = NOON) -> Taken:
        return take(self.engine, up(UNIT), payload, at, retained=False, remember=self.memory.remember)

    @property
    def acknowledged(self) -> int:
        """Up to which number the unit would be acknowledged."""
        return self.engine.acknowledged(UNIT, BootId(BOOT))

    @property
    def untouched(self) -> bool:
        """Whether no number of any boot is used up and no fact is held."""
        return not self.engine.units[UNIT].track.boots


def envelope(*, first_seq: int = 1, **changes: Any) -> bytes:
    story = UnitStory()
    story.boots(NOON).beats(NOON, NOON + 60_000)
    events = [told["events"][0] for _, told in story.messages]
    return json.dumps(
        {"v": 1, "unit": UNIT, "boot": story.boot, "first_seq": first_seq, "events": events} | changes
    ).encode()


def test_what_the_unit_signed_is_taken() -> None:
    door = Door()
    taken = door.takes(seal(envelope(), KEY))
    assert taken.receipt is not None
    assert (door.acknowledged, taken.refusals) == (3, ())


def test_what_it_did_not_sign_is_kept_and_uses_up_no_number() -> None:
    for payload in (envelope(), seal(envelope(), STRANGER), seal(envelope(), KEY).replace(b'"boot"', b'"loot"', 1)):
        door = Door()
        taken = door.takes(payload)
        assert [reason for reason, *_ in taken.refusals] == ["bad_signature"]
        assert [numbers for *_, first, last in taken.refusals for numbers in (first, last)] == [None, None]
        assert taken.receipt is None
        assert door.untouched
        assert [run.reason for run in door.engine.units[UNIT].refusals] == ["bad_signature"]
        after = door.takes(seal(envelope(), KEY))
        assert after.receipt is not None
        assert door.acknowledged == 3


def test_a_broken_envelope_uses_up_its_numbers_only_when_signed() -> None:
    broken = envelope(sent_at="yesterday")
    door = Door()
    assert door.takes(broken).receipt is None
    assert door.untouched
    taken = door.takes(seal(broken, KEY))
    assert taken.receipt is not None
    assert (taken.refusals[0][0], door.acknowledged) == ("not_in_schema", 3)


def test_a_forged_future_cannot_burn_the_numbers_to_come() -> None:
    door = Door(england())
    door.takes(seal(envelope(), KEY))
    forged = seal(envelope(first_seq=4, events=[{"type": "dance"}] * 1000), STRANGER)
    assert door.takes(forged).receipt is None
    assert door.engine.units[UNIT].track.boots[BootId(BOOT)].sequence.acknowledged() == 3


def test_a_unit_without_a_key_is_refused_where_signatures_are_required() -> None:
    door = Door(known=enrolled(key=None))
    assert door.takes(seal(envelope(), KEY)).refusals[0][0] == "bad_signature"
    assert Door(england(), enrolled(key=None)).takes(seal(envelope(), KEY)).receipt is not None


def test_where_none_is_required_a_false_one_is_still_refused() -> None:
    assert Door(england()).takes(envelope()).receipt is not None
    assert Door(england()).takes(seal(envelope(), KEY)).receipt is not None
    assert Door(england()).takes(seal(envelope(), STRANGER)).refusals[0][0] == "bad_signature"


def test_a_signed_envelope_of_another_unit_is_none() -> None:
    other = envelope().replace(b'"unit": "BU-0001"', b'"unit": "BU-0002"')
    assert Door().takes(seal(other, KEY)).refusals[0][0] == "other_unit"


def test_the_service_s_key_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    settings = Settings(service=ServiceSettings(signing_key_file=path))
    with pytest.raises(SettingsError, match=r"service.signing_key_file: .*signing.key: No such file"):
        seal_of(settings)
    path.write_bytes(b"secret")
    with pytest.raises(SettingsError, match="no private key in PEM"):
        seal_of(settings)
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    sealing = options_of(settings).seal
    assert sealing is not None
    verify(sealing(b'{"v":1}'), public_text(KEY))
    assert options_of(Settings()).seal is None


def test_a_forged_envelope_is_no_sign_of_life() -> None:
    door = Door()
    door.takes(seal(envelope(), KEY))
    unit = door.engine.units[UNIT]
    before = unit.last_received_at
    door.engine.tick(NOON + 600_000)
    assert unit.silent_at is not None
    door.takes(seal(envelope(first_seq=4), STRANGER), at=NOON + 700_000)
    assert (unit.last_received_at, unit.silent_at is not None) == (before, True)
