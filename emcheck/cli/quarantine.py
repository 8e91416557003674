"""`emcheck quarantine`: what could not be used, why, and the bytes as they came."""

import json
from collections import deque
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emcheck.cli.explaining import JsonOption, read_store
from emcheck.cli.serving import ConfigOption
from emcheck.cli.showing import show, show_lines

if TYPE_CHECKING:
    from emcheck.ports import Quarantined
    from emcheck.store.sql import SqlStore

quarantine_app = typer.Typer(help="Input that was refused; it is kept whole.", no_args_is_help=True)
_PAGE = 500
_SHOWN_BYTES = 4096
"""So much of a payload is shown as text; `--raw` gives all of it."""


@quarantine_app.command("list")
def quarantine_list(
    unit: Annotated[str | None, typer.Option(help="Of this base unit, or sender, alone.")] = None,
    reason: Annotated[str | None, typer.Option(help="For this reason alone, as not_in_schema.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="How many, the newest.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was refused, oldest first: when, from whom, why, and which field was wrong."""
    from emcheck.cli.reading import bad_input
    from emcheck.service.intake import REASONS

    if reason is not None and reason not in REASONS:
        bad_input(f"--reason {reason}: nothing is refused for that; there are {', '.join(REASONS)}")

    async def asked(store: "SqlStore") -> "list[tuple[int, Quarantined]]":
        newest: deque[tuple[int, Quarantined]] = deque(maxlen=most)
        after = 0
        while page := await store.quarantined(limit=_PAGE, after=after):
            newest.extend(kept for kept in page if _is_of(kept[1], unit, reason))
            after = page[-1][0]
        return list(newest)

    found = read_store(config, asked)
    if as_json:
        show_lines(_plain(number, item) for number, item in found)
    elif not found:
        typer.echo("Nothing of that was refused." if unit or reason else "Nothing was refused.")
    else:
        rows = [
            (str(number), _when(item), item.unit or item.topic, item.reason, _numbers(item), item.detail)
            for number, item in found
        ]
        show(("number", "received (UTC)", "from", "reason", "events", "what is wrong"), rows, prose=True)
        typer.echo("`emcheck quarantine show NUMBER` shows one as it came.")


@quarantine_app.command("show")
def quarantine_show(
    number: Annotated[int, typer.Argument(min=1, help="Its number, as `quarantine list` has it.")],
    raw: Annotated[bool, typer.Option("--raw", help="The bytes alone, as they came.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """One of them: reason, field, and the bytes as they came."""
    from emcheck.cli.reading import bad_input
    from emcheck.present.devices import as_text

    async def asked(store: "SqlStore") -> "list[tuple[int, Quarantined]]":
        return await store.quarantined(limit=1, after=number - 1)

    found = [item for at, item in read_store(config, asked) if at == number]
    if not found:
        bad_input(f"{number}: nothing was refused under that number; `emcheck quarantine list` shows the numbers")
    (item,) = found
    if raw:
        typer.get_binary_stream("stdout").write(item.payload)
        return
    if as_json:
        typer.echo(json.dumps(_plain(number, item) | _bytes(item.payload), indent=1, ensure_ascii=False))
        return
    told = {
        "number": str(number), "received": f"{_when(item)} UTC", "topic": item.topic,
        "from": item.unit or "nobody known", "reason": item.reason, "what is wrong": item.detail,
        "events": _numbers(item) or "no number was used up",
        "boot": item.boot or "", "bytes": f"{len(item.payload):,}",
    }  # fmt: skip
    for name, said in told.items():
        if said:
            typer.echo(f"{name + ':':15}{said}")
    typer.echo(f"\n{as_text(item.payload[:_SHOWN_BYTES])}")
    if len(item.payload) > _SHOWN_BYTES:
        typer.echo(f".. the first {_SHOWN_BYTES:,} of {len(item.payload):,} bytes; --raw writes them all")


def _is_of(item: "Quarantined", unit: str | None, reason: str | None) -> bool:
    return (unit is None or unit in (item.unit, item.topic)) and (reason is None or item.reason == reason)


def _when(item: "Quarantined") -> str:
    from emcheck.domain.instants import format_ms

    return format_ms(item.received_at)


def _numbers(item: "Quarantined") -> str:
    """Which numbers of the unit's were used up by it."""
    if item.first_seq is None:
        return ""
    return str(item.first_seq) if item.last_seq == item.first_seq else f"{item.first_seq} to {item.last_seq}"


def _plain(number: int, item: "Quarantined") -> dict[str, Any]:
    return {
        "number": number, "received_at": _when(item), "topic": item.topic, "unit": item.unit, "reason": item.reason,
        "detail": item.detail, "boot": item.boot, "first_seq": item.first_seq, "last_seq": item.last_seq,
        "bytes": len(item.payload),
    }  # fmt: skip


def _bytes(payload: bytes) -> dict[str, str]:
    """As a stream has it: as text where it is some, and always as base64, which tells every byte."""
    import base64

    told = {"payload_b64": base64.b64encode(payload).decode()}
    try:
        return {"payload_text": payload.decode(), **told}
    except UnicodeDecodeError:
        return told
