"""`emcheck schema`: the shapes of the files that people and programs write."""

import json
from typing import Annotated

import typer


def _schema_names() -> list[str]:
    from emcheck.service.published import NAMES

    return list(NAMES)


def schema(
    name: Annotated[
        str,
        typer.Argument(help="As `register` or `asyncapi`; any other word lists them.", autocompletion=_schema_names),
    ],
) -> None:
    """Print the JSON Schema of a format, or AsyncAPI 3 of everything on MQTT."""
    from emcheck.cli.reading import bad_input
    from emcheck.service.published import NAMES, published

    if name not in NAMES:
        bad_input(f"no schema {name!r}; there are {', '.join(NAMES)}")
    typer.echo(json.dumps(published(name), indent=1, ensure_ascii=False))
