"""For how long nothing has touched the proximity sensor of a tag that was on a limb, against what is usual for it.

A tag that is slipped off and left, or worn by a shoe, a prosthesis or a hot-water bottle, is never touched as by skin
again: it reads 0.05 to 0.65 on and on. A strap that sits loose reads the same, and is touched again within minutes,
seldom after half an hour (the loose wrist of the recordings; docs/body.md). So a *spell* counts from the first reading
under `TOUCHED`, and is *unusual* once it is longer than any before it in the fitting that a touch has ended.

A spell begins while the tag is *on* (`worn`, 6), its strap closed. It ends at a touch, which shows that it was a loose
strap; or where the check says detached, the strap opens, or nothing is read for `SILENT_MS`, and then it shows nothing
of the strap. A reading that tells no proximity, or a sensor in doubt, says nothing of it.
"""

from typing import NamedTuple

from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE

TOUCHED = 0.7
"""Skin reads 0.92 and more in 99 of 100 worn minutes, cloth and things 0.65 and less (docs/body.md, swept)."""
SILENT_MS: Ms = 15 * MINUTE
"""Three reports at the slowest (formats.md)."""


class Spell(NamedTuple):
    """Without a touch from `since` to the reading at `until`; `longest_ms` is the longest that a touch has ended."""

    since: Ms | None = None
    until: Ms = 0
    longest_ms: Ms = 0

    def after(self, at: Ms, proximity: float, *, counts: bool) -> "Spell":
        """With a reading; `counts` where it may begin a spell, or one goes on."""
        if self.since is not None and at - self.until > SILENT_MS:
            return Spell(longest_ms=self.longest_ms).after(at, proximity, counts=counts)
        if not counts:
            return self if self.since is None else Spell(longest_ms=self.longest_ms)
        if proximity < TOUCHED:
            return Spell(at if self.since is None else self.since, at, self.longest_ms)
        return self if self.since is None else Spell(longest_ms=max(self.longest_ms, self.until - self.since))

    def unusual_ms(self) -> Ms:
        """How long it has lasted, where that is longer than ever before; else 0."""
        lasted_ms = 0 if self.since is None else self.until - self.since
        return lasted_ms if lasted_ms > self.longest_ms else 0
