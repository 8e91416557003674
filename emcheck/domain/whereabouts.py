"""Where a wearer is at an instant, as far as units have told by then; for a board. Nothing is decided by it.

Rule book:
1. Not monitored: no order is in force, or no fitted tag counts at a base unit of the order's addresses.
2. What a source says is what its timeline says at the instant: the word in force while its newest boot vouches
   (Presence 1 to 3). That is at hand without the timeline, so that a hundred thousand are looked at in a second or two.
3. Sources of an address: present if any says so; absent if all do; else unknown (Presence 4).
4. In a curfew window, unless leave covers the instant, the window's address decides: home, out in curfew, unknown.
5. At any other time: home where any address says present; out, and allowed to be, where all say absent; else unknown.
6. A tag is heard, not a person. Where the strap was cut or opened, or the body check says that the tag is on no living
   limb, and a rule finds so still (`tag.strap`, `body.not_attached` class `off`), that stands beside: `off_wearer`.

An absence that is too short to count (Presence 5) is one here while it lasts: nobody knows yet how long it will be.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from emcheck.domain import of_tags
from emcheck.domain.bodies import OFF
from emcheck.domain.case import Case, OrderState
from emcheck.domain.findings import Finding
from emcheck.domain.ids import AddressId, Ms, UnitId
from emcheck.domain.rules import body_not_attached, tag_strap
from emcheck.domain.timeline import Source, source_timeline
from emcheck.domain.track import Track
from emcheck.domain.windows import Window, is_in_force


class Whereabouts(StrEnum):
    """What is known of a wearer at an instant; the gravest first, as a board shows them."""

    OUT_IN_CURFEW = "out_in_curfew"
    NOT_JUDGED = "not_judged"
    """A rule failed on what units told: nothing is said of the wearer until it is mended."""
    UNKNOWN = "unknown"
    OUT_ALLOWED = "out_allowed"
    HOME = "home"
    NOT_MONITORED = "not_monitored"


class Standing(NamedTuple):
    """Where somebody is, `why` where that needs a word, the window that is open, and the address that decided."""

    whereabouts: Whereabouts
    why: str = ""
    window: Window | None = None
    address_id: AddressId | None = None


def standing(case: Case, tracks: Mapping[UnitId, Track], now: Ms) -> Standing:
    """Where a wearer is at `now`; `tracks` has those of the case's units."""
    in_force = [state for state in case.orders if is_in_force(state.order, now)]
    if not in_force:
        return Standing(Whereabouts.NOT_MONITORED, _why_no_order(case, now))
    said: dict[AddressId, list[bool | None]] = {}
    for address in case.addresses:
        for source in case.sources(address):
            if source.counts.start <= now < source.counts.end:
                said.setdefault(address, []).append(says(tracks[source.unit], source, now))
    if not said:
        return Standing(Whereabouts.NOT_MONITORED, _why_no_source(case, now))
    places = {address: _merged(told) for address, told in said.items()}
    window = _window(in_force, now)
    if window is not None:
        where = {True: Whereabouts.HOME, False: Whereabouts.OUT_IN_CURFEW, None: Whereabouts.UNKNOWN}
        found = where[places.get(window.address_id)]
        return Standing(found, "", window, window.address_id)
    home = next((address for address, present in places.items() if present), None)
    if home is not None:
        return Standing(Whereabouts.HOME, "", None, home)
    absent = all(present is False for present in places.values())
    found = Whereabouts.OUT_ALLOWED if absent else Whereabouts.UNKNOWN
    return Standing(found, "", None, next(iter(places)))


def off_wearer(case: Case, tracks: Mapping[UnitId, Track], now: Ms) -> Finding | None:
    """What says at `now` that a fitted tag is not on the wearer, the strap before the body; None where nothing does."""
    if not of_tags.telling(tracks.values()):
        return None  # nearly always
    worn = [f for f in case.fittings if f.fitted_at <= now and (f.removed_at is None or now < f.removed_at)]
    line = case.terms.policies.of_wearer([state.order for state in case.orders])
    for rule in (tag_strap, body_not_attached):
        found = line.judged(partial(rule.find, case.wearer_id, worn, tracks, now))
        goes_on = [one for one in found if one.end is None and (rule is tag_strap or one.class_ == OFF)]
        if goes_on:
            return min(goes_on, key=lambda one: one.start)
    return None


def no_curfew(case: Case, now: Ms) -> tuple[Ms | None, Ms | None]:
    """Where no curfew holds at `now`: until when leave covers it, if leave does; else when the last window ended."""
    leave = [span.end for state in case.orders for span in state.excused if span.start <= now < span.end]
    open_now = any(window.start <= now < window.end for state in case.orders for window in state.windows)
    if leave and open_now:
        return max(leave), None
    return None, max((w.end for state in case.orders for w in state.windows if w.end <= now), default=None)


def says(track: Track, source: Source, now: Ms) -> bool | None:
    """Whether a source says present or absent at an instant after all that was told; None where it says nothing."""
    boot = track.newest
    if boot is None or boot.top is None:
        return None
    known = boot.current.get(source.tag)
    if boot.top > now or known is None:
        # dated ahead, or not named since a number was missing: the timeline knows whether the word before it survives
        stretches = source_timeline(track, source)
        return next((stretch.present for stretch in stretches if stretch.start <= now < stretch.end), None)
    if boot.broken or now >= boot.top + track.reading.vouch_ms(boot.heartbeat_ms):
        return None
    return known[0] if known[1] <= now < known[2] else None


def last_heard_at(track: Track, source: Source, now: Ms) -> Ms | None:
    """When a tag was last heard at a unit, as far as entries that are not folded tell; None where they tell none."""
    newest = track.newest
    if newest is not None and (top := newest.top) is not None and says(track, source, now):
        return min(now, top)
    for boot in reversed(track.in_order()):
        for entry in reversed(boot.entries):
            for tag, present, heard_at, _ in entry.settings:
                if tag == source.tag:
                    at = entry.end if present else entry.start if heard_at is None else heard_at
                    return at - boot.correction(entry.first)
    return None


def _merged(told: Iterable[bool | None]) -> bool | None:
    """Clause 3."""
    known = list(told)
    return True if True in known else None if None in known else False


def _window(orders: Iterable[OrderState], now: Ms) -> Window | None:
    """The curfew window that is open and not covered by leave."""
    for state in orders:
        if any(span.start <= now < span.end for span in state.excused):
            continue
        for window in state.windows:
            if window.start <= now < window.end:
                return window
    return None


def _why_no_order(case: Case, now: Ms) -> str:
    begun = [state.order for state in case.orders if state.order.starts_at <= now]
    if not begun:
        return "the order has not begun"
    return "suspended" if any(now < order.ends_at for order in begun) else "the order has ended"


def _why_no_source(case: Case, now: Ms) -> str:
    worn = any(f.fitted_at <= now and (f.removed_at is None or now < f.removed_at) for f in case.fittings)
    return "no base unit where the order wants one" if worn else "no tag is fitted"
