"""Reads settings, says in one line what is wrong with them, and tells where each value came from."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from emcheck.settings.sections import Settings

PREFIX = "EMCHECK_"
ENVIRONMENT_OTHER = frozenset({"EMCHECK_CONFIG"})
"""Variables with our prefix that are no settings: EMCHECK_CONFIG names the file for the command line."""


class SettingsError(ValueError):
    """Settings that cannot be used. One line: file and line, key, what is wrong, what would be right."""


class Explained(NamedTuple):
    """One setting in force; `source` is `default`, `FILE:LINE` or `environment`. Secrets are masked."""

    key: str
    value: str
    source: str


class _Leaf(NamedTuple):
    key: str
    section: type[BaseModel]
    name: str
    field: FieldInfo

    @property
    def secret(self) -> bool:
        return "SecretStr" in str(self.field.annotation)

    @property
    def named(self) -> bool:
        """Whether what stands below it has names that the installation gives."""
        return isinstance(self.field.default, dict)


def load_settings(path: Path | None) -> Settings:
    """Settings from the file (None: defaults only) and the environment; SettingsError if they are wrong."""
    raw, lines = ({}, {}) if path is None else _read(path)
    variables = _environment()
    try:
        settings = Settings(**raw)
    except ValidationError as error:
        raise SettingsError(_sentence(error, path, lines, variables)) from None
    settings.remember({key: f"{path}:{line}" for key, line in lines.items()})
    settings.remember(dict.fromkeys(variables, "environment"))
    return settings


def explain(settings: Settings) -> list[Explained]:
    """Every setting by key, its value as text and where it came from."""
    return [
        Explained(key, _masked(value), settings.source_of(key))
        for leaf in _leaves(Settings)
        for key, value in _spread(leaf.key, _value(settings, leaf.key))
    ]


def annotated_toml() -> str:
    """`config/emcheck.toml`: every setting at its default, with its reason; what is off by default is commented out."""
    text = [
        "# Settings of emcheck, each at its default. Unknown keys are errors.",
        "# The environment wins over this file: EMCHECK_MQTT__HOST=broker.example sets mqtt.host.",
        "# Thresholds that decide about people are not here but in the policy.",
    ]
    section: type[BaseModel] | None = None
    for leaf in _leaves(Settings):
        if leaf.section is not section:
            section = leaf.section
            text += ["", *_comment(section.__doc__ or ""), f"[{leaf.key.rpartition('.')[0]}]"]
        text += ["", *_comment(leaf.field.description or "")]
        text.append(_line(leaf))
    return "\n".join(text) + "\n"


def _line(leaf: _Leaf) -> str:
    """What is off by default stands as an example."""
    if leaf.named:
        return f"# {leaf.name} = {_example(leaf)}"
    default = leaf.field.default
    return f"# {leaf.name} = {_toml(_example(leaf))}" if default is None else f"{leaf.name} = {_toml(default)}"


def _spread(key: str, value: object) -> Iterator[tuple[str, object]]:
    """A setting, or all that stands below it where the installation gives the names; None where there is nothing."""
    if not isinstance(value, dict):
        yield key, value
    elif not value:
        yield key, None
    else:
        for name, below in value.items():
            yield from _spread(f"{key}.{name}", below)


def _leaves(model: type[BaseModel], prefix: str = "") -> Iterator[_Leaf]:
    below: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            below.append((f"{prefix}{name}.", type(field.default)))
        else:
            yield _Leaf(f"{prefix}{name}", model, name, field)
    for deeper, section in below:
        yield from _leaves(section, deeper)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}; name a file that exists, or none") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8; settings are TOML text in UTF-8") from None
    try:
        return tomllib.loads(text), _lines(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}; compare with config/emcheck.toml") from None


def _lines(text: str) -> dict[str, int]:
    """The line of each key: tomllib keeps none. Good for error messages, hence no parser of its own."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\[\]]+?)\s*\]", line):
            table = _bare(header[1]) + "."
            found.setdefault(_bare(header[1]), number)
        elif pair := re.match(r"\s*([\w\"'.\s-]+?)\s*=", line):
            found.setdefault(table + _bare(pair[1]), number)
    return found


def _bare(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def _environment() -> dict[str, str]:
    """Settings that the environment gives, by key, with the variable's name; an unknown variable is an error."""
    known = {leaf.key.replace(".", "__").upper(): leaf.key for leaf in _leaves(Settings)}
    named = tuple(f"{leaf.key.replace('.', '__').upper()}__" for leaf in _leaves(Settings) if leaf.named)
    given: dict[str, str] = {}
    for variable, text in os.environ.items():
        name = variable.upper()
        if not name.startswith(PREFIX) or name in ENVIRONMENT_OTHER or not text:
            continue
        if name.removeprefix(PREFIX).startswith(named):
            given[name.removeprefix(PREFIX).lower().replace("__", ".")] = variable
            continue
        if name.removeprefix(PREFIX) not in known:
            near = _near(name.removeprefix(PREFIX), known)
            hint = f"did you mean {PREFIX}{near}?" if near else f"write it as in {PREFIX}MQTT__HOST"
            raise SettingsError(f"environment: {variable}: no such setting; {hint}")
        given[known[name.removeprefix(PREFIX)]] = variable
    return given


def _sentence(error: ValidationError, path: Path | None, lines: Mapping[str, int], variables: Mapping[str, str]) -> str:
    details = error.errors(include_url=False)
    first = details[0]
    key = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return f"{_where(key, path, lines, variables)}: {key}: {_wrong(first, key)}{more}"


def _where(key: str, path: Path | None, lines: Mapping[str, int], variables: Mapping[str, str]) -> str:
    if key in variables:
        return f"environment: {variables[key]}"
    while key and key not in lines:
        key = key.rpartition(".")[0]
    if key:
        return f"{path}:{lines[key]}"
    return "environment" if path is None else str(path)


def _wrong(detail: ErrorDetails, key: str) -> str:
    if detail["type"] == "extra_forbidden":
        near = _near(key, {leaf.key: "" for leaf in _leaves(Settings)})
        return f"no such setting; {f'did you mean {near}?' if near else '`emcheck config show` lists those there are'}"
    said = detail["msg"].removeprefix("Value error, ")
    said = said[0].lower() + said[1:]
    leaf = next((leaf for leaf in _leaves(Settings) if leaf.key == key), None)
    if detail["type"] == "dict_type":
        return "no table of channels; write it as in [alerting.contacts.supervisor] and, below it, page = ..."
    if leaf is None or leaf.named:
        return said
    shown = "the secret" if leaf.secret else repr(detail["input"])
    usual = "off" if leaf.field.default is None else _toml(leaf.field.default)
    return f"{shown} cannot be used: {said}; the default is {usual}"


def _near(name: str, known: Mapping[str, str]) -> str | None:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return close[0]
    ending = re.split(r"\.|__", name)[-1]
    return next((key for key in known if re.split(r"\.|__", key)[-1] == ending), None)


def _value(settings: BaseModel, key: str) -> object:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _masked(value: object) -> str:
    if value is None:
        return "off"
    if isinstance(value, SecretStr):
        return "********"
    text = value if isinstance(value, str) else _toml(value) if isinstance(value, bool | int | float) else str(value)
    return re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1:********@", text)


def _example(leaf: _Leaf) -> object:
    return next(iter(leaf.field.examples or ()), "...")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{value}"'


def _comment(text: str) -> list[str]:
    return [f"# {line.strip()}" for line in text.strip().splitlines()]
