"""What was fitted, in a few lines above the signatures: whoever signs reads there what the signature is for."""

from typing import Any

from emcheck.domain.fitting.judging import Standing
from emcheck.domain.fitting.seen import PASSED
from emcheck.domain.instants import DAY
from emcheck.domain.register import Register
from emcheck.domain.windows import windows
from emcheck.present.times import hour, local_date

_WEEK = 7


def fitted_said(it: Standing, register: Register) -> dict[str, Any]:
    """The limb, and the curfew of the next seven days: by hours the days on which a window begins.

    `curfew` is None where the unit has not acknowledged it.
    """
    visit, now = it.seen.visit, it.seen.now
    order = next((order for order in register.orders if order.order_id == visit.order_id), None)
    limb = None if it.seen.limb is None else it.seen.limb.said.limb
    said: dict[str, Any] = {"fitted_limb": (limb or "").replace("_", " "), "curfew": None, "every_day": _WEEK}
    if order is not None and it.results["schedule"].state == PASSED:
        days: dict[str, list[str]] = {}
        for window in windows(order, now, now + _WEEK * DAY):
            if window.address_id == visit.address_id and now <= window.start < now + _WEEK * DAY:
                hours = f"{hour(window.start, order.timezone)}–{hour(window.end, order.timezone)}"
                days.setdefault(hours, []).append(local_date(window.start, order.timezone).isoformat())
        said["curfew"] = list(days.items())
    return said
