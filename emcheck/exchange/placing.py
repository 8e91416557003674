"""An imported order put into a register: as a new order, or as a variation of one that is there.

Nothing of the register is touched but what is added; what a variation cannot say is told as not used.
"""

import json
from typing import Any

from emcheck.domain.instants import format_ms, parse_ms
from emcheck.domain.register import Register
from emcheck.exchange.imported import Given, Imported, NotUnderstood

VARIES_ONLY = "a variation changes windows only"
OF_ORDERS_ONLY = {"first_night", "atv_allowance_min"}
_VARIES = {"order_id", "wearer_id", "timezone", "curfew", "variations", "suspensions"}


def completed(given: Given, register: Register) -> Given:
    """What the operator gives, with the register's own addresses, and what an order that is varied says of itself."""
    places = {place: place for place in sorted({i.address_id for i in register.installations})}
    known = {name: getattr(given, name) for name in Given.__slots__} | {"addresses": places | dict(given.addresses)}
    order = next((o for o in register.orders if o.order_id == given.order_id), None)
    if order is not None and given.varies_at is not None:
        itself = {"wearer_id": order.wearer_id, "kind": order.kind, "zone": order.timezone, "ends_at": order.ends_at}
        unsaid = {name: value for name, value in itself.items() if known[name] is None}
        sources = dict.fromkeys(unsaid, f"order {order.order_id} in the register")
        if given.starts_at is None:
            unsaid, sources = unsaid | {"starts_at": given.varies_at}, sources | {"starts_at": "--varies-at"}
        known |= unsaid | {"sources": sources}
    return Given(**known)


def placed(text: str, imported: Imported, register: Register) -> str:
    """The register's text with the order in it; NotUnderstood where it has no place."""
    raw: dict[str, Any] = json.loads(text)
    order, report = imported.order, imported.report
    present = next((o for o in raw["orders"] if o["order_id"] == order["order_id"]), None)
    if imported.varies_at is not None:
        _vary(present, imported)
    elif present is not None:
        remedy = "give another --order-id, or --varies-at to vary it"
        raise NotUnderstood("order_id", f"{order['order_id']!r} is in the register; {remedy}")
    else:
        raw["orders"].append(order)
        if order["wearer_id"] not in {wearer.wearer_id for wearer in register.wearers}:
            raw["wearers"].append({"wearer_id": order["wearer_id"]})
            report.assumed.append(("wearer_id", f"{order['wearer_id']} is new in the register, without a name"))
    return json.dumps(raw, indent=1, ensure_ascii=False) + "\n"


def variations_of(imported: Imported) -> dict[str, Any]:
    """What an order is given where it is varied: `variations`, and `suspensions` where there are any; else nothing."""
    made = imported.order
    if imported.varies_at is None:
        return {}
    first = {"effective_at": format_ms(imported.varies_at), "curfew": made["curfew"]}
    left_out = {"suspensions": made["suspensions"]} if made.get("suspensions") else {}
    return {"variations": [first, *made.get("variations", ())]} | left_out


def _vary(order: dict[str, Any] | None, imported: Imported) -> None:
    made, at = imported.order, imported.varies_at
    if order is None or at is None:
        raise NotUnderstood("order_id", f"no order {made['order_id']!r} in the register to vary")
    for name in ("wearer_id", "timezone"):
        if order[name] != made[name]:
            raise NotUnderstood(name, f"{made[name]!r}, but the order that is varied has {order[name]!r}")
    later = [
        v["effective_at"]
        for v in order.get("variations", [])
        if "revoked" not in v and parse_ms(v["effective_at"]) >= at
    ]
    if later:
        raise NotUnderstood("varies_at", f"a variation from {later[0]} is in the register; take it out or vary later")
    for name, given in variations_of(imported).items():
        order[name] = [*order.get(name, []), *given]
    standing = order | {"starts_at": format_ms(at)}
    for name in sorted(made.keys() - _VARIES):
        if _comparable(made[name]) != _comparable(standing.get(name)):
            imported.report.not_used.append((name, VARIES_ONLY))


def _comparable(value: Any) -> Any:
    """Instants are alike however they are written."""
    try:
        return parse_ms(value)
    except (TypeError, ValueError):
        return value
