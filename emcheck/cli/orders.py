"""`emcheck order`: orders from the shapes of other services, as a calendar for the wearer, and a week of one drawn."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emcheck.cli.serving import ConfigOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emcheck.domain.policy import Policy
    from emcheck.domain.register import Order
    from emcheck.exchange.imported import Imported

order_app = typer.Typer(help="Orders: import, export, a week drawn.", no_args_is_help=True)

RegisterFile = Annotated[
    Path | None, typer.Option("--register", help="The register that holds the order; the one in force where left out.")
]
OrderName = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id, as O-1.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
_SHAPES = ("auto", "moj", "curfew-times", "ical")


@order_app.command("import")
def order_import(
    path: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A monitoring order, curfew times or a calendar; - for standard input."),
    ],
    *,
    shape: Annotated[str, typer.Option("--format", help=f"One of {', '.join(_SHAPES)}.")] = "auto",
    order_id: Annotated[str | None, typer.Option(help="Its id in the register.")] = None,
    wearer_id: Annotated[str | None, typer.Option(help="Whose order it is.")] = None,
    kind: Annotated[str | None, typer.Option(help="As `community_order`; the register's schema lists them.")] = None,
    zone: Annotated[str | None, typer.Option(help="IANA time zone, as Europe/London.")] = None,
    address_id: Annotated[
        list[str] | None, typer.Option(help="The address's id, or PLACE=ID for one of several; may be repeated.")
    ] = None,
    starts_at: Annotated[str | None, typer.Option(help="When the order starts, with offset.")] = None,
    ends_at: Annotated[str | None, typer.Option(help="When the order ends, with offset.")] = None,
    varies_at: Annotated[str | None, typer.Option(help="Vary the order that is there from this instant on.")] = None,
    atv_allowance_min: Annotated[float | None, typer.Option(help="Minutes of unexcused absence allowed.")] = None,
    into: Annotated[Path | None, typer.Option(help="Put it into this register; replaced whole or not at all.")] = None,
    policy: Annotated[str | None, typer.Option(help="Limits of orders; England & Wales where left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read an order as another service writes it: the order on standard output, what was not used on standard error."""
    from emcheck.cli.reading import bad_input, read_instant, read_named, read_policy, read_register
    from emcheck.exchange.imported import Given, NotUnderstood
    from emcheck.exchange.placing import completed
    from emcheck.exchange.shapes import Shape, read_order

    if shape not in _SHAPES:
        bad_input(f"--format: {shape!r} is none of {', '.join(_SHAPES)}")
    pairs = [given.rpartition("=") for given in address_id or []]
    given = Given(
        order_id=order_id,
        wearer_id=wearer_id,
        kind=kind,
        zone=zone,
        addresses={place: address for place, _, address in pairs},
        starts_at=read_instant(starts_at, "--starts-at"),
        ends_at=read_instant(ends_at, "--ends-at"),
        varies_at=read_instant(varies_at, "--varies-at"),
        atv_allowance_min=atv_allowance_min,
    )
    (text, name), limits = read_named(path), read_policy(policy)
    try:
        imported = read_order(text, Shape(shape), completed(given, read_register(into)) if into else given)
        placed = _placed(imported, into, limits)
    except NotUnderstood as error:
        bad_input(f"{name}: {error}")
    if as_json:
        typer.echo(json.dumps(_plain(imported), indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(imported.report.lines()), err=True)
        typer.echo(placed or json.dumps(_register_form(imported), indent=1, ensure_ascii=False))


def _placed(imported: "Imported", into: Path | None, limits: "Policy") -> str:
    """Put the order into the register and say so; nothing is written where anything is wrong with it."""
    from emcheck.cli.reading import bad_input, heed_limits, read_register, read_text
    from emcheck.cli.writing import replace
    from emcheck.domain.register import RegisterError, parse_register
    from emcheck.domain.remarks import slips
    from emcheck.exchange.placing import OF_ORDERS_ONLY, VARIES_ONLY, placed

    if into is None:
        order = imported.order
        alone = {"version": 1, "wearers": [{"wearer_id": order["wearer_id"]}], "orders": [order]}
        known = parse_register(json.dumps(alone | {"installations": [], "fittings": []}))
        heed_limits(known, limits, Path("the order"), alone=True)
        if imported.varies_at is not None:
            imported.report.not_used += [(field, VARIES_ONLY) for field in sorted(order.keys() & OF_ORDERS_ONLY)]
        return ""
    text = placed(read_text(into), imported, read_register(into))
    try:
        register = parse_register(text, name=str(into))
    except RegisterError as error:
        bad_input(error)
    heed_limits(register, limits, into, alone=True)
    made = [order for order in register.orders if order.order_id == imported.order["order_id"]]
    imported.report.assumed += [(str(into), said) for said in slips(register, made)]
    replace(into, text)
    done = "varied" if imported.varies_at is not None else "put in"
    return f"{into}: {imported.order['order_id']} {done}; sha256 {register.sha256()}"


def _register_form(imported: "Imported") -> "Mapping[str, Any]":
    """The order; or its variation, and where it is more than one, all that an order is given by it."""
    from emcheck.exchange.placing import variations_of

    varied = variations_of(imported)
    if imported.varies_at is None:
        return imported.order
    return varied if len(varied["variations"]) > 1 or "suspensions" in varied else varied["variations"][0]


def _plain(imported: "Imported") -> dict[str, object]:
    from emcheck.exchange.placing import variations_of

    varied = variations_of(imported)
    made: dict[str, object] = (
        {"order": imported.order} if not varied else {"variation": varied["variations"][0], **varied}
    )
    return made | {"report": imported.report.plain()}


def _order(register: Path | None, order_id: str, config: Path | None) -> "Order":
    from emcheck.cli.reading import bad_input, read_register
    from emcheck.cli.registers import read_in_force

    known = (read_in_force(config)[0] if register is None else read_register(register)).orders
    found = next((order for order in known if order.order_id == order_id), None)
    if found is None:
        some = ", ".join(order.order_id for order in known[:5]) or "none"
        where = "the register in force" if register is None else register
        bad_input(f"{where}: no order {order_id!r}; there are {some}{', ...' if len(known) > 5 else ''}")
    return found


@order_app.command("export")
def order_export(
    order_id: OrderName,
    register: RegisterFile = None,
    config: ConfigOption = None,
    shape: Annotated[str, typer.Option("--format", help="`ical`: a calendar, for a phone.")] = "ical",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file; standard output where left out.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Though the file is there.")] = False,
) -> None:
    """Write an order's timetable as a calendar: every window by itself, as it really begins and ends."""
    from emcheck.cli.reading import bad_input
    from emcheck.cli.writing import write_new
    from emcheck.clock import SystemClock
    from emcheck.exchange.calendar import write_ical

    if shape != "ical":
        bad_input(f"--format: {shape!r} is not written; ical is")
    text = write_ical(_order(register, order_id, config), SystemClock().now())
    if out is None:
        typer.echo(text, nl=False)
        return
    write_new(out, text, force=force)
    typer.echo(f"{out}: {text.count('BEGIN:VEVENT')} windows of {order_id}")


@order_app.command("show")
def order_show(
    order_id: OrderName,
    register: RegisterFile = None,
    config: ConfigOption = None,
    week: Annotated[str | None, typer.Option(help="A date of the week; this week where left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a week of an order in local time: curfew by address, leave, suspensions, how long each night really is."""
    from datetime import date

    from emcheck.cli.reading import bad_input
    from emcheck.clock import SystemClock
    from emcheck.present.times import local_date
    from emcheck.present.week import draw_week, week_json, week_of

    order = _order(register, order_id, config)
    try:
        any_day = date.fromisoformat(week) if week else local_date(SystemClock().now(), order.timezone)
        shown = week_of(order, any_day)
    except (ValueError, OverflowError):
        bad_input(f"--week: {week!r} is no date; write it as in 2026-03-23")
    if as_json:
        typer.echo(json.dumps(week_json(shown), indent=1, ensure_ascii=False))
    else:
        typer.echo(draw_week(shown, width=shutil.get_terminal_size((80, 24)).columns), nl=False)
