"""An officer's own cases: whose order in the register names the account as `officer`.

What is asked of anybody else's is answered as if there were no such wearer, and the asking is kept.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from emcheck.desk import Access
from emcheck.domain.alerts import Alert
from emcheck.domain.instants import format_ms
from emcheck.domain.register import Order, Register
from emcheck.domain.rights import Right
from emcheck.present.times import clock
from emcheck.web.guarding import MaySeeOwnCases, address_of
from emcheck.web.noting import note_look
from emcheck.web.overview.board import wearers_named
from emcheck.web.pages import page
from emcheck.web.parts import Parts, WithParts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem

router = APIRouter(include_in_schema=False)
CASES_MAX = 500


@router.get("/cases")
async def cases(request: Request, who: MaySeeOwnCases, parts: WithParts) -> Response:
    """Own cases: who, where, under which order, and what is open."""
    found = await own_cases(request, parts, who)
    return page(request, "cases.html", who=who, cases=found, most=CASES_MAX, troubles=parts.troubles())


async def own_cases(request: Request, parts: Parts, who: Who) -> list[dict[str, Any]]:
    """At most 500 of them, by id; kept in the access log before they are told."""
    register = _register(parts)
    mine = [order for order in register.orders if order.officer == who.name]
    wearers = sorted({order.wearer_id for order in mine})[:CASES_MAX]
    await note_look(parts, who.name, "own cases seen", address_of(request))
    alerts = await parts.desk.alerts(open_only=True, subjects=wearers) if wearers else []
    return [
        row
        | {"orders": [_order(o) for o in mine if o.wearer_id == row["wearer_id"]]}
        | {"open": _open([alert for alert in alerts if alert.wearer_id == row["wearer_id"]])}
        for row in await wearers_named(parts, wearers)
    ]


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
    if not any(order.officer == who.name for order in _register(parts).orders if order.wearer_id == wearer_id):
        line = Access(parts.clock.now(), who.name, "wearer refused", wearer_id[:80], None, address_of(request))
        await parts.desk.note_access([line])
        raise no_wearer(wearer_id)


def no_wearer(wearer_id: str) -> Problem:
    """There is none of that id, or none for whoever asks."""
    return Problem(404, f"There is no wearer {wearer_id[:40]} in the register.")


def _register(parts: Parts) -> Register:
    known = parts.known()
    if known is None:
        raise Problem(503, "The service is reading itself back; ask again shortly.", headers={"Retry-After": "5"})
    return known.engine.roster.register


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A case for programs."""
    orders = [{key: order[key] for key in ("order_id", "kind", "ends_at")} for order in row["orders"]]
    since = row["since"]
    return {
        "wearer_id": row["wearer_id"], "name": row["name"], "state": row["whereabouts"],
        "since": None if since is None else format_ms(since), "orders": orders, "open_alerts": row["open"],
    }  # fmt: skip
