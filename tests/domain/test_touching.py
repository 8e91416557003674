"""Time without a touch: what counts as one spell, what ends it, and when it is unusual."""

from emcheck.domain.instants import HOUR, MINUTE
from emcheck.domain.touching import Spell


def spell(*readings: tuple[int, float], before: Spell | None = None, counts: bool = True) -> Spell:
    """After readings of proximity at minutes."""
    told = before or Spell()
    for minute, proximity in readings:
        told = told.after(minute * MINUTE, proximity, counts=counts)
    return told


LOOSE = ((0, 0.98), (1, 0.1), (6, 0.2), (11, 0.1), (12, 0.95))


def test_a_touch_ends_a_spell_and_shows_how_loose_the_strap_is() -> None:
    assert spell(*LOOSE[:4]).unusual_ms() == 10 * MINUTE
    assert spell(*LOOSE) == Spell(longest_ms=10 * MINUTE)


def test_only_what_is_longer_than_ever_before_is_unusual() -> None:
    loose = spell(*LOOSE)
    again = spell((20, 0.4), (25, 0.4), (30, 0.4), before=loose)
    assert again.unusual_ms() == 0
    assert spell((31, 0.4), before=again).unusual_ms() == 11 * MINUTE


def test_what_lies_off_the_limb_shows_nothing_of_the_strap() -> None:
    off = spell((20, 0.1), (35, 0.1), before=spell(*LOOSE))
    assert off.after(36 * MINUTE, 0.1, counts=False) == Spell(longest_ms=10 * MINUTE)


def test_a_silence_ends_a_spell_and_another_may_begin() -> None:
    silent = spell((1, 0.1), (10, 0.1), (26, 0.1))
    assert silent == Spell(26 * MINUTE, 26 * MINUTE)
    assert spell((25, 0.1), before=spell((1, 0.1), (10, 0.1))).unusual_ms() == 24 * MINUTE


def test_nothing_begins_where_it_does_not_count() -> None:
    assert spell(*LOOSE, counts=False) == Spell()
    assert spell((0, 0.69), (HOUR // MINUTE // 6, 0.69)).unusual_ms() == 10 * MINUTE
    assert spell((0, 0.7), (10, 0.7)) == Spell()
