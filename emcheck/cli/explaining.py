"""`emcheck explain`: the story of one alert."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from emcheck.cli.serving import ConfigOption, refuse_if_missing, settings_of
from emcheck.cli.showing import terminal_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from emcheck.domain.advice import Advice
    from emcheck.domain.alerts import Alert
    from emcheck.domain.ids import Ms
    from emcheck.domain.policies import Policies
    from emcheck.domain.policy import Policy
    from emcheck.service.explaining import Story
    from emcheck.store.sql import SqlStore

_T = TypeVar("_T")
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def _advised(advice: "Advice") -> list[str]:
    command = f"`{advice.command}`; " if advice.command else ""
    return [f"{advice.do} ({command}{advice.source})"]


def explain(
    name: Annotated[str, typer.Argument(help="An alert's id, or how it begins.", metavar="ALERT")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="Also draw the night to this SVG file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Though the SVG file is there.")] = False,
) -> None:
    """What was known when, what an alert rests on, and the night it is about."""
    from emcheck.cli.progressing import progress
    from emcheck.cli.writing import refuse_if_there
    from emcheck.clock import SystemClock
    from emcheck.domain.advice import next_step
    from emcheck.present import escalated, referred, story, together, words
    from emcheck.present.ended import ended
    from emcheck.service.explaining import story_of

    if svg is not None and not force:
        refuse_if_there(svg, "--svg")
    now = SystemClock().now()
    policies = policies_known(config)

    async def told(store: "SqlStore") -> "Story":
        alert = await the_alert(store, name)
        with progress() as on_row:
            return await story_of(store, alert, policies, on_row=on_row)

    it = read_store(config, told)
    if svg is not None:
        _plot(it, now, svg, force=force)
    history = [(c.at, c.action, c.by, c.note, c.alert) for c in it.history]
    facts = [(rest.fact, rest.event, rest.received_at) for rest in it.rests]
    if as_json:
        places = [(place.address_id, place.known, place.windows) for place in it.places]
        told_of = story.as_json(it.alert, history, facts, places, now)
        if it.referral is not None:
            told_of["referral"] = referred.plain(it.referral, now)
        typer.echo(json.dumps(told_of, indent=1, ensure_ascii=False))
        return
    zone = next((f.zone for f in it.grounds), it.places[0].zone if it.places else "UTC")
    typer.echo(story.headline(it.alert))
    known = [*map(words.explain, it.grounds), *filter(None, [together.in_parts(it.grounds)])]
    if it.alert.withdrawn:
        known.insert(0, f"Withdrawn: {it.history[-1].note}.")
    _section("Known now", known or [it.alert.text])
    advice, outlook = next_step(it.alert), escalated.outlook(it.alert, it.step, it.of, zone)
    over = ended(it.alert, [line[:4] for line in history], it.grounds, zone, referral=it.referral, now=now)
    _section("To do next", [*([over] if over else []), *(_advised(advice) if advice is not None else [])])
    _section("If nothing is done", [outlook] if outlook else [])
    _section(f"What was known when ({zone})", story.knowledge(history, zone))
    if it.alert.incident is not None:
        _section("Part of", [f"incident {it.alert.incident}, which accounts for it and for others"])
    if it.under:
        listed = f"emcheck alerts list --incident {it.alert.alert_id} --all"
        _section("Under it", [f"{it.under} alerts; `{listed}` shows them"])
    if it.referral is not None:
        _section("Referral", [referred.in_words(it.referral, now, zone)])
    _section("It rests on", story.rests_on(facts, zone))
    _draw(it, now)


def _draw(it: "Story", now: "Ms") -> None:
    from emcheck.present.drawing import cell_of, draw_text, legend

    whom, cell = it.alert.wearer_id or "", cell_of((w for p in it.places for w in p.windows), terminal_width())
    drawings = [
        draw_text(f"{whom} at {p.address_id}", p.known, p.windows, until=now, now=now, zone=p.zone, cell=cell)
        for p in it.places
    ]
    if drawings:
        typer.echo("\n" + "\n\n".join([*drawings, legend(cell)]))


def _plot(it: "Story", now: "Ms", out: Path, *, force: bool) -> None:
    """The same drawing as a picture; a line where there is no night to draw."""
    from emcheck.cli.writing import write_new
    from emcheck.present.timeline_svg import draw_svg
    from emcheck.service.picturing import timelines_of

    if not it.places:
        about = f"{it.alert.alert_id}: it is about no wearer with a curfew, so that there is no night to draw"
        typer.echo(f"emcheck: {about}; {out} is not written", err=True)
        return
    write_new(out, draw_svg(timelines_of(it, now)), force=force)


def _section(title: str, lines: list[str]) -> None:
    if lines:
        typer.echo("\n".join(["", title, *(part for line in lines for part in wrapped(f"  {line}"))]))


async def the_alert(store: "SqlStore", name: str) -> "Alert":
    """The one alert whose id is `name` or begins so; else a line and exit code 2."""
    from emcheck.cli.reading import bad_input
    from emcheck.service.explaining import matching

    alerts = await matching(store, name)
    if len(alerts) != 1:
        several = f"{len(alerts)} alerts begin so: {', '.join(a.alert_id for a in alerts[:4])}; write more of the one"
        bad_input(f"{name}: {several if alerts else 'no such alert; `emcheck alerts list --all` shows them'}")
    return alerts[0]


def policies_known(config: "Path | None") -> "Policies":
    """The policies that are published, the service's own first; the one that is set where none is yet."""
    from emcheck.cli.reading import read_policy
    from emcheck.domain.policies import Policies
    from emcheck.service.enrolment import policies_in_force
    from emcheck.service.running import policy_path
    from emcheck.shipped import shipped_config

    known = read_store(config, policies_in_force)
    return known or Policies(read_policy(policy_path(settings_of(config), shipped_config())))


def policy_in_force(config: "Path | None") -> "Policy":
    """The version of the service's own policy that is in force now."""
    from emcheck.clock import SystemClock

    return policies_known(config).own.then(SystemClock().now())


def read_store(config: "Path | None", ask: "Callable[[SqlStore], Awaitable[_T]]") -> "_T":
    """The answer of the database to a question; what is wrong with it is a line and exit code 2."""
    import asyncio

    from emcheck.cli.reading import bad_input
    from emcheck.ports import StoreError
    from emcheck.store.sql import SqlStore

    settings = settings_of(config)
    refuse_if_missing(settings)

    async def answer() -> "_T":
        store = SqlStore(settings.store.async_url, read_only=True)
        await store.open()
        try:
            return await ask(store)
        finally:
            await store.close()

    try:
        return asyncio.run(answer())
    except StoreError as error:
        bad_input(f"{error}; {error.remedy}")
