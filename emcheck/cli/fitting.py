"""`emcheck fit`: a fitter's visit, from the first question to the signed record."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from emcheck.cli.explaining import JsonOption, read_store
from emcheck.cli.serving import ConfigOption, refuse_if_missing, settings_of
from emcheck.cli.showing import say, show, show_lines

if TYPE_CHECKING:
    from emcheck.service.sessions import Look
    from emcheck.store.sql import SqlStore

fit_app = typer.Typer(help="Fit a tag, step by step, and leave with a signed record.", invoke_without_command=True)
Found = TypeVar("Found")
SessionArgument = Annotated[str, typer.Argument(metavar="SESSION", help="A session, or how it begins.")]


@fit_app.callback()
def fit(
    context: typer.Context,
    *,
    order: Annotated[str | None, typer.Option(help="For which order.")] = None,
    tag: Annotated[str | None, typer.Option(help="The tag in your hand, as scanned.")] = None,
    unit: Annotated[str | None, typer.Option(help="The base unit at the address.")] = None,
    fitter: Annotated[str | None, typer.Option(help="Your name.")] = None,
    fitter_tag: Annotated[str | None, typer.Option(help="Your own tag, to be heard on site.")] = None,
    strap_batch: Annotated[str | None, typer.Option(help="Of the strap.")] = None,
    takes_off: Annotated[str | None, typer.Option(help="A tag of the wearer that this one takes the place of.")] = None,
    session: Annotated[str | None, typer.Option(help="The one to go on with, or how it begins; or a new name.")] = None,
    answers: Annotated[
        str | None, typer.Option(metavar="FILE", help="Play answers from a file, - for standard input; see the docs.")
    ] = None,
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="How many seconds to wait for a step.")] = 120.0,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a tag, or go on where the session stood. Exit 0: signed; 1: not validated; 2: refused, or bad input."""
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from emcheck.cli.conducting import conduct
    from emcheck.cli.reading import bad_input, read_named
    from emcheck.cli.visit import RefusedError, read_script
    from emcheck.ports import StoreError
    from emcheck.service.sessions import NoSessionError

    if order is None and session is None:
        bad_input("say which order with --order, or which session goes on with --session; see emcheck fit --help")
    settings = settings_of(config)
    refuse_if_missing(settings)
    script = None if answers is None else read_script(*read_named(answers))
    opening = {
        "order_id": order, "tag": tag, "unit": unit, "by": fitter, "fitter_tag": fitter_tag,
        "strap_batch": strap_batch, "takes_off": takes_off,
    }  # fmt: skip
    try:
        signed = asyncio.run(conduct(settings, session, opening, script, wait_s=wait_s, as_json=as_json))
    except (RefusedError, NoSessionError) as error:
        bad_input(error)
    except StoreError as error:
        bad_input(f"{error}; {error.remedy}")
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("emcheck: the session stays open; the same command goes on with it", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(0 if signed else 1)


@fit_app.command("list")
def fit_list(
    order: Annotated[str | None, typer.Option(help="Only of this order.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every session, by whom, and how it ended."""
    from emcheck.domain.instants import format_ms
    from emcheck.service.session import sessions_of

    found = [
        {
            "session": one.visit.session, "order_id": one.visit.order_id, "tag": one.visit.tag, "unit": one.visit.unit,
            "fitter": one.visit.by, "opened_at": format_ms(one.visit.opened_at),
            "outcome": one.closed and one.closed.outcome,
            "state": one.closed and one.closed.found and one.closed.found.state,
        }
        for one in read_store(config, sessions_of).values()
        if order in (None, one.visit.order_id)
    ]  # fmt: skip
    if as_json:
        show_lines(found)
    elif not found:
        typer.echo("No fitter's visit is on record.")
    else:
        keys = ("session", "opened_at", "order_id", "tag", "fitter")
        rows = [(*(str(one[key]) for key in keys), _ended(one)) for one in found]
        show(("session", "opened (UTC)", "order", "tag", "fitter", "outcome"), rows)


def _ended(one: dict[str, Any]) -> str:
    if one["outcome"] is None:
        return "open"
    return f"{one['outcome'].replace('_', ' ')}, {one['state']}" if one["outcome"] == "success" else one["outcome"]


@fit_app.command("show")
def fit_show(session: SessionArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Where a session stands: every step, and what to do next."""
    from emcheck.cli.conducting import about
    from emcheck.domain.fitting.judging import is_done
    from emcheck.domain.fitting.steps import STEPS

    look = _look(config, session)
    it, closed = look.standing, look.session.closed
    if as_json:
        show_lines({"step": s.id, "state": it.results[s.id].state, "words": it.results[s.id].words} for s in STEPS)
        return
    say(f"Session {look.session.visit.session}: {about(look)}")
    for warning in look.session.warnings:
        say(warning, urgent=True)
    if look.note:
        say(f"LIMB NOTE: {look.note}", urgent=True)
    for step in STEPS:
        result = it.results[step.id]
        say(f"  {result.state:<8} {step.title}: {result.words}", urgent=not is_done(step.id, result))
    say("open" if closed is None else f"{closed.outcome.replace('_', ' ')}, {closed.found and closed.found.state}")


def _look(config: Path | None, session: str) -> "Look":
    async def asked(_: "SqlStore", look: "Look") -> "Look":
        return look

    return _of_session(config, session, asked)


def _of_session(
    config: Path | None, session: str, asks: Callable[["SqlStore", "Look"], Coroutine[None, None, Found]]
) -> Found:
    """What is asked of a session as it stands now."""
    from emcheck.cli.reading import bad_input
    from emcheck.clock import SystemClock
    from emcheck.service.sessions import Looking, NoSessionError

    async def asked(store: "SqlStore") -> Found:
        return await asks(store, await (await Looking.at(store, session)).look(SystemClock().now()))

    try:
        return read_store(config, asked)
    except NoSessionError as error:
        bad_input(error)


@fit_app.command("demo")
def fit_demo(
    situation: Annotated[
        str, typer.Argument(help="What the strap is closed on: skin, sock, prosthesis-foam; a wrong one lists all.")
    ] = "skin",
    folder: Annotated[Path, typer.Option(help="Where it lives; an earlier demo there is removed.")] = Path("var/fit"),
    console: Annotated[
        bool, typer.Option("--console", help="Fit it yourself in the fitters' page, in real time, until Ctrl-C.")
    ] = False,
) -> None:
    """Play a fitting without hardware: broker, service and a simulated tag, to the record on paper."""
    from emcheck.cli.fit_demo import show_page, show_visit

    (show_page if console else show_visit)(situation, folder)


@fit_app.command("record")
def fit_record(
    session: SessionArgument,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A .json or .pdf file; JSON on output else.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Though the file is there.")] = False,
    config: ConfigOption = None,
) -> None:
    """The record of a visit: what was seen, by what, and who signed."""
    import json

    from emcheck.cli.reading import bad_input
    from emcheck.cli.writing import refuse_if_there, write_new

    if out is not None and out.suffix not in (".json", ".pdf"):
        bad_input(f"{out}: a record is a .json or a .pdf file; name one of them")
    if out is not None and not force:
        refuse_if_there(out)
    plain, pictures = _record(config, session)
    text = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    content: str | bytes = text
    if out.suffix == ".pdf":
        from emcheck.evidence.fitting_record import record_pdf  # its compiler is large, and loaded for this alone

        content = record_pdf(plain, pictures)
    write_new(out, content, force=force)
    typer.echo(f"{out}: {plain['record']['session']}, sha256 {plain['sha256']}")


def _record(config: Path | None, session: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The record's file, and the pictures of its photos that are held."""
    from emcheck.service.sessions import document_of

    async def asked(store: "SqlStore", look: "Look") -> tuple[dict[str, Any], dict[str, bytes]]:
        plain = await document_of(store, look)
        held = {
            one["sha256"]: await store.picture(plain["record"]["session"], one["sha256"]) for one in plain["photos"]
        }
        return plain, {name: picture for name, picture in held.items() if picture is not None}

    return _of_session(config, session, asked)
