"""An officer's own cases: whose order in the register names the account as `officer`.

What is asked of anybody else's is answered as if there were no such wearer, and the asking is kept.
"""

from itertools import islice
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from emcheck.desk import Access
from emcheck.domain.alerts import Alert
from emcheck.domain.ids import WearerId
from emcheck.domain.instants import format_ms
from emcheck.domain.register import Order
from emcheck.domain.rights import Right
from emcheck.present.times import clock
from emcheck.service.open_alerts import open_alerts
from emcheck.web.alerts.rows import Row, rows_of, told_json
from emcheck.web.guarding import MaySeeOwnCases, address_of
from emcheck.web.overview.board import wearers_named
from emcheck.web.overview.equipment import engine_of
from emcheck.web.pages import page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem, is_swap

router = APIRouter(include_in_schema=False)
CASES_MAX = 500
ALERTS_MAX = 200
_EVERY_S = 30


class OwnAlert(NamedTuple):
    """An open alert with the own cases that it is about: one of a base unit is about all who live with it."""

    row: Row
    wearers: list[WearerId]


class Own(NamedTuple):
    """The own cases: their orders by wearer, and what is open of them, each alert with the cases that it is about."""

    orders: dict[WearerId, list[Order]]
    alerts: list[tuple[Alert, list[WearerId]]]


@router.get("/cases")
async def cases(request: Request, who: MaySeeOwnCases, parts: WithParts) -> Response:
    """Own cases: what is open, the gravest first, and where everybody is; the page asks for these again by itself."""
    mine = await own_of(request, parts, who, "own cases seen")
    found, alerts = await cases_told(parts, mine), await alerts_told(parts, mine)
    said: dict[str, Any] = {
        "cases": found, "names": {row["wearer_id"]: row["name"] for row in found}, "most": CASES_MAX,
        "alerts": alerts, "more": len(mine.alerts) - len(alerts), "troubles": parts.troubles(),
        "as_of": clock(parts.clock.now(), parts.zone), "every_s": _EVERY_S,
    }  # fmt: skip
    return page(request, "cases_now.html" if is_swap(request) else "cases.html", who=who, **said)


async def own_of(request: Request, parts: Parts, who: Who, action: str) -> Own:
    """At most 500 cases, by the wearer's id; kept in the access log before anything is told."""
    engine = engine_of(parts)
    orders = [order for order in engine.roster.register.orders if order.officer == who.name]
    await parts.note_look(who.name, action, address_of(request))
    mine: dict[WearerId, list[Order]] = {}
    for order in sorted(orders, key=lambda order: order.wearer_id):
        mine.setdefault(order.wearer_id, []).append(order)
    mine = dict(islice(mine.items(), CASES_MAX))
    own = [case for wearer in mine if (case := engine.cases.get(wearer)) is not None]
    return Own(mine, await open_alerts(parts.desk, own))


async def cases_told(parts: Parts, mine: Own) -> list[dict[str, Any]]:
    """Each with where they are, the orders that name the officer, and how many alerts are open."""
    return [
        row
        | {"orders": [_order(each) for each in mine.orders[row["wearer_id"]]]}
        | {"open": _open([alert for alert, about in mine.alerts if row["wearer_id"] in about])}
        for row in await wearers_named(parts, list(mine.orders))
    ]


async def alerts_told(parts: Parts, mine: Own) -> list[OwnAlert]:
    """The first 200, in the words of the queue."""
    shown = mine.alerts[:ALERTS_MAX]
    rows = await rows_of(parts, [alert for alert, _ in shown])
    return [OwnAlert(row, about) for row, (_, about) in zip(rows, shown, strict=True)]


def _order(order: Order) -> dict[str, str]:
    return {
        "order_id": order.order_id, "kind": order.kind.replace("_", " "), "ends_at": format_ms(order.ends_at),
        "until": clock(order.ends_at, order.timezone),
    }  # fmt: skip


def _open(alerts: list[Alert]) -> dict[str, int]:
    """How many alerts are open, by priority."""
    priorities = sorted(alert.priority for alert in alerts)
    return {each: priorities.count(each) for each in dict.fromkeys(priorities)}


async def refuse_others(request: Request, parts: Parts, who: Who, wearer_id: str) -> None:
    """Problem where the wearer is none of an officer's: the same as where there is no such wearer."""
    if who.may(Right.QUEUE):
        return
    if not any(
        order.officer == who.name for order in engine_of(parts).roster.register.orders if order.wearer_id == wearer_id
    ):
        line = Access(parts.clock.now(), who.name, "wearer refused", wearer_id[:80], None, address_of(request))
        await parts.desk.note_access([line])
        raise no_wearer(wearer_id)


def no_wearer(wearer_id: str) -> Problem:
    """There is none of that id, or none for whoever asks."""
    return Problem(404, f"There is no wearer {wearer_id[:40]} in the register.")


def plain_alert(it: OwnAlert) -> dict[str, Any]:
    """An alert for programs: what a row says of it, and of which own cases."""
    return told_json(it.row) | {"cases": it.wearers}


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A case for programs."""
    orders = [{key: order[key] for key in ("order_id", "kind", "ends_at")} for order in row["orders"]]
    since = row["since"]
    return {
        "wearer_id": row["wearer_id"], "name": row["name"], "state": row["whereabouts"],
        "since": None if since is None else format_ms(since), "orders": orders, "open_alerts": row["open"],
    }  # fmt: skip
