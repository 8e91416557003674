"""A simulated night as it is shown: alerts while they come, then each presence drawn against its window."""

import asyncio
import functools
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from emcheck.cli.demo_console import MADE, DemoConsole, invitation
from emcheck.cli.reading import bad_input, read_policy
from emcheck.cli.showing import terminal_width
from emcheck.cli.simulating import scenario_path
from emcheck.cli.stopping import term_is_ctrl_c
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import parse_ms
from emcheck.domain.rights import Role
from emcheck.domain.windows import Window
from emcheck.ingest.embedded import BrokerError
from emcheck.ports import StoreError
from emcheck.present import drawing, lines
from emcheck.present.times import clock as clock_words
from emcheck.present.whom import whom
from emcheck.service.running import quiet_logging
from firmware_sim.scenario import ScenarioError, load_scenario
from firmware_sim.worlds.night import Night, OutOfStepError, Watcher, run_night

_ROLES = (Role.SUPERVISOR, Role.FITTER, Role.OFFICER)
_STYLE = {"P1": "bold red", "P2": "yellow", "P3": "cyan", "P4": "dim"}


def show_night(scenario: str, folder: Path, seed: int | None, *, in_console: bool = False) -> None:
    """Run the night of a scenario in `folder`, print it as it goes and show it in the console, which may be looked at.

    With `in_console` the console stays until Ctrl-C, for a fitter and an officer, too; without, the demo ends with the
    night, whoever looks.
    """
    path = scenario_path(scenario)
    try:
        plan = load_scenario(path)
    except ScenarioError as error:
        bad_input(error)
    policy = read_policy(None)
    empty(folder, *MADE)
    quiet_logging()
    console, began = Console(soft_wrap=True), time.monotonic()
    zone = plan.town.timezone
    progress = Progress(
        TextColumn("{task.fields[now]}"), BarColumn(), TextColumn("{task.fields[events]:,} events"),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    bar = progress.add_task("night", total=plan.end_ms - plan.start_ms, now="", events=0)
    desk = DemoConsole(folder, zone, must=in_console, roles=_ROLES if in_console else _ROLES[:1])

    def opened(broker: str, units: int, wearers: int) -> None:
        _invite(console, desk, stays=in_console)
        console.print(f"Broker on {broker}, {units} base units connected over MQTT, {wearers} wearers under curfew.")
        console.print(
            f"The night of {clock_words(plan.start_ms, zone)} to {clock_words(plan.end_ms, zone)} ({zone}):\n"
        )

    def moved(now: Ms, events: int) -> None:
        progress.update(bar, completed=now - plan.start_ms, now=clock_words(now, zone), events=events)

    async def ended(night: Night) -> None:
        progress.stop()
        _page(console, night, zone)
        _sum_up(console, night, folder, time.monotonic() - began)
        await _point_to_console(console, night, zone, desk, stays=in_console)
        _point_to_commands(console, night, desk, stays=in_console)

    watcher = Watcher(opened=opened, alert=functools.partial(_say, console, zone), moved=moved, ended=ended)
    try:
        with progress, term_is_ctrl_c():
            night = run_night(
                plan, policy, folder, watcher=watcher, seed=seed, console=desk.beside, stays=in_console,
                officer=Role.OFFICER if in_console else None,
            )  # fmt: skip
            asyncio.run(night)
    except (BrokerError, StoreError, OutOfStepError, OSError) as error:
        bad_input(error)
    except KeyboardInterrupt:
        if not in_console:
            raise


def _say(console: Console, zone: str, event: dict[str, Any]) -> None:
    """Nobody is on duty here: that alerts are passed on is not shown, nor what lies under an incident."""
    data = event["data"]
    if event["type"].endswith(".escalated") or data["incident"] is not None:
        return
    when = clock_words(parse_ms(event["time"]), zone)[11:]
    change = str(event["type"]).rpartition(".")[2]
    style = _STYLE.get(data["priority"], "")
    who = data["wearer_id"] or data["unit"] or whom(event["subject"])
    console.print(f"[{style}]{when}  {data['priority']}  {change:<10}[/] {who}  {data['text']}", highlight=False)


def _invite(console: Console, desk: DemoConsole, *, stays: bool) -> None:
    """Where the night is seen, before anything of it."""
    if not desk.trouble:
        lasts = "until Ctrl-C" if stays else "while the night lasts"
        said = f"The console, {lasts}. A password is chosen here, once:"
        console.print(f"[bold]{said}[/]\n{invitation(desk.links)}\n", highlight=False)


def _sum_up(console: Console, night: Night, folder: Path, took_s: float) -> None:
    causes = {event["data"]["alert_id"] for event in night.alerts}
    console.print(
        f"{night.events:,} events committed and acknowledged, {len(causes)} alerts, "
        f"{len(night.findings)} findings, in {took_s:.0f} s. Database: {folder / 'emcheck.db'}"
    )


def _point_to_commands(console: Console, night: Night, desk: DemoConsole, *, stays: bool) -> None:
    """What to type to look further, ready to be copied: the queue, and the story of its gravest alert."""
    program, config = as_started(), f"--config {shlex.quote(str(desk.settings_file))}"
    alerts = [event["data"] for event in night.alerts if event["type"] == "emcheck.alert.raised"]
    console.print(f"\nThe queue:          {program} alerts list {config}", highlight=False)
    if alerts:
        gravest = min(alerts, key=lambda alert: (alert["priority"], alert["raised_at"]))
        console.print(f"One alert's story:  {program} explain {gravest['alert_id']} {config}", highlight=False)
    if stays:
        console.print(f"Another account:    {program} user add j.doe --role operator {config}", highlight=False)
    else:
        console.print(f"In the console:     {program} demo --console  (keeps it up until Ctrl-C)", highlight=False)


async def _point_to_console(console: Console, night: Night, zone: str, desk: DemoConsole, *, stays: bool) -> None:
    if desk.trouble:
        console.print(f"There was no console: {desk.trouble}", highlight=False)
    if stays:
        console.print(f"\nThe clock stands at {clock_words(night.until, zone)}. The console is up until Ctrl-C:")
        console.print(f"{desk.address}  sign in as {', '.join(desk.links)}", highlight=False)
        if waiting := await desk.waiting():
            console.print(f"No password is chosen yet; choose it here, once:\n{invitation(waiting)}", highlight=False)


def as_started() -> str:
    """The command as it was started, to be pasted: `emcheck` where the shell finds this one by its name."""
    program, found = Path(sys.argv[0]), shutil.which("emcheck")
    if len(program.parts) < 2 or (found is not None and Path(found).resolve() == program.resolve()):
        return "emcheck"
    return shlex.quote(str(program))


def empty(folder: Path, *made: str) -> None:
    """Remove what an earlier demo left, `made` beside its database; a folder with anything else is somebody's."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = sorted(
            p.name for p in folder.iterdir() if p.name not in ("broker", *made) and not p.name.startswith("emcheck.db")
        )
        if foreign:
            bad_input(f"--folder {folder}: it holds {foreign[0]}, which no demo made; name a new or an empty folder")
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    except OSError as error:
        bad_input(f"--folder {folder}: {error.strerror}; name a folder that can be written")


def _page(console: Console, night: Any, zone: str) -> None:
    """Each wearer's presence against the window, with what was found."""
    cases = night.engine.cases.values()
    shown = [window for case in cases for address in case.addresses for window in _tonight(case, address, night)]
    cell = drawing.cell_of(shown, terminal_width())
    console.print(f"\n[bold]Findings of the night[/]   {drawing.legend(cell)}\n")
    names = {wearer.wearer_id: wearer.name for wearer in night.register.wearers}
    found = lines.in_order(night.findings)
    for wearer, case in sorted(night.engine.cases.items()):
        tracks = {unit: night.engine.units[unit].track for unit in case.units}
        for address in case.addresses:
            windows = _tonight(case, address, night)
            known = case.timeline(address, tracks)
            title = f"{wearer} {names[WearerId(wearer)]}"
            drawn = drawing.draw_text(title, known, windows, until=night.until, now=night.until, zone=zone, cell=cell)
            console.print(drawn, highlight=False)
        for finding in found:
            if finding.wearer_id == wearer:
                style = _STYLE.get(finding.priority, "")
                console.print(
                    f"    [{style}]{finding.priority} {finding.rule}[/]  {lines.as_json(finding)['text']}",
                    highlight=False,
                )
    console.print("\n[bold]Equipment and evidence[/]")
    for finding in found:
        if finding.wearer_id is None:
            style = _STYLE.get(finding.priority, "")
            console.print(
                f"    [{style}]{finding.priority} {finding.rule}[/]  {lines.as_json(finding)['text']}", highlight=False
            )
    console.print()


def _tonight(case: Any, address: str, night: Any) -> list[Window]:
    span = 14 * 3_600_000
    return [
        window
        for state in case.orders
        for window in state.windows
        if window.address_id == address and window.start < night.until and window.end > night.until - span
    ]
