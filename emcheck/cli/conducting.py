"""A fitter's session in a terminal, from where it stands to where it is left."""

from typing import Any

from ulid import ULID

from emcheck.cli.asking import ask
from emcheck.cli.visit import RefusedError, Talk, play, say_to
from emcheck.clock import Clock, SystemClock
from emcheck.domain.fitting.limb_note import UNCLEAR, read_note
from emcheck.domain.fitting.visits import contradiction
from emcheck.service.session import sessions_of
from emcheck.service.sessions import Look, Looking
from emcheck.settings import Settings
from emcheck.store.sql import SqlStore


async def conduct(
    settings: Settings,
    name: str | None,
    opening: dict[str, str | None],
    script: list[dict[str, Any]] | None,
    *,
    wait_s: float,
    as_json: bool,
    clock: Clock | None = None,
) -> bool:
    """The session from where it stands to where it is left; whether it is signed. RefusedError, NoSessionError."""
    store = SqlStore(settings.store.async_url, read_only=True)
    await store.open()
    try:
        name, resumed = await _opened(settings, store, name, opening)
        talk = Talk(settings, await Looking.at(store, name), as_json, clock or SystemClock())
        look = await talk.look()
        talk.tell(f"Session {name}{' goes on where it stood' if resumed else ''}: {about(look)}", state="open")
        for warning in look.session.warnings:
            talk.tell(warning, urgent=True, warning=warning)
        if look.note:
            talk.tell(f"LIMB NOTE: {look.note}", urgent=True, limb_note=look.note)
        if read_note(look.note).unclear:
            talk.tell(UNCLEAR, urgent=True)
        if script is None:
            await ask(talk, wait_s=wait_s)
        else:
            await play(talk, script, within_s=wait_s)
        look = await talk.look()
        closed = look.session.closed
        if closed is None:
            talk.told(look)
        outcome = None if closed is None else closed.outcome
        found = None if closed is None or closed.found is None else closed.found.state
        said = f"{outcome.replace('_', ' ')}, {found}" if outcome else f"open, {look.standing.state}"
        talk.tell(f"Session {name}: {said}.", outcome=outcome, state=found or look.standing.state,
                  open=look.standing.open_steps())  # fmt: skip
        return outcome == "success"
    finally:
        await store.close()


def about(look: Look) -> str:
    """The tag, for which order of whom, at which unit, and by whom."""
    visit = look.session.visit
    return f"tag {visit.tag} for {visit.order_id} of {look.name or visit.wearer_id} at {visit.unit}, {visit.by}"


async def _opened(
    settings: Settings, store: SqlStore, name: str | None, opening: dict[str, str | None]
) -> tuple[str, bool]:
    """The session that goes on, or the name of a new one; whether it is an old one. RefusedError where they differ."""
    known = await sessions_of(store)
    lacking = [option for option, key in (("--order", "order_id"), ("--tag", "tag"), ("--unit", "unit"),
                                          ("--fitter", "by")) if opening[key] is None]  # fmt: skip
    begun = [key for key in known if name is not None and lacking and key.startswith(name)]
    if name is not None and (name in known or len(begun) == 1):
        name = name if name in known else begun[0]
        if (wrong := contradiction(known[name].visit, opening)) is not None:
            raise RefusedError(wrong)
        return name, True
    if begun:
        raise RefusedError(f"{len(begun)} sessions begin with {name!r}: {', '.join(begun[-4:])}; write more of the one")
    mine = [
        one.visit
        for one in known.values()
        if name is None and one.closed is None and one.visit.order_id == opening["order_id"]
        if opening["by"] in (None, one.visit.by)
    ]
    if mine:
        if (wrong := contradiction(mine[0], opening)) is not None:
            raise RefusedError(wrong)
        return mine[0].session, True
    if lacking:
        raise RefusedError(f"no such session is open, and a new one needs {', '.join(lacking)}")
    name = name or f"FS-{ULID()}"
    said = {key: value for key, value in opening.items() if value is not None}
    await say_to(settings, {"type": "fitting_opened", "session": name, **said})
    return name, False
