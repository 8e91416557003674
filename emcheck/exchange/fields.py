"""A JSON document that remembers which of its fields were looked at, so that all others can be named."""

import json
import re
from collections.abc import Iterator
from typing import Any

from emcheck.exchange.imported import NotUnderstood

_EMPTY: tuple[object, ...] = (None, "", [], {})


def parse(text: str) -> Any:
    """The JSON in `text`."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise NotUnderstood("", f"not JSON: {error}; correct it there") from None


class Fields:
    """One object of a document; `path` is where it stands."""

    def __init__(self, content: object, path: str = "") -> None:
        if not isinstance(content, dict):
            raise NotUnderstood(path or "the document", "not a JSON object, as this shape has here")
        self.path, self._content = path, content
        self._seen: dict[str, list[Fields] | None] = {}

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Whether the field says anything."""
        return self._content.get(name) not in _EMPTY

    def text(self, name: str) -> str | None:
        """A field's text, looked at; None where it is empty."""
        value = self._content.get(name)
        self._seen.setdefault(name, None)
        if value in _EMPTY:
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise NotUnderstood(self.at(name), "neither text nor a number")
        return str(value).strip() or None

    def matches(self, name: str, pattern: str) -> bool:
        """Whether all of a field's text is of this form, in whatever letters. It counts as looked at if it is."""
        said = self._content.get(name)
        found = isinstance(said, str) and re.fullmatch(pattern, said.strip(), re.IGNORECASE) is not None
        if found:
            self._seen.setdefault(name, None)
        return found

    def inner(self, name: str) -> "Fields":
        """The object under a name."""
        [found] = self._seen.setdefault(name, None) or [Fields(self._content.get(name), self.at(name))]
        self._seen[name] = [found]
        return found

    def items(self, name: str) -> list["Fields"]:
        """The objects of the list under a name; none where it is empty."""
        value = self._content.get(name) or []
        if not isinstance(value, list):
            raise NotUnderstood(self.at(name), "not a list, as this shape has here")
        found = [Fields(item, f"{self.at(name)}.{number}".lstrip(".")) for number, item in enumerate(value)]
        self._seen[name] = found
        return found

    def unused(self) -> list[tuple[str, str]]:
        """(path, remark) of each field that says something and was not looked at, then how many say nothing."""
        paths: dict[str, int] = {}
        empty = 0
        for path, value in self.left():
            if value in _EMPTY:
                empty += 1
            else:
                alike = re.sub(r"\b\d+\b", "*", path)
                paths[alike] = paths.get(alike, 0) + 1
        told = [(path, f"{count} times" if count > 1 else "") for path, count in paths.items()]
        return told + ([("fields that are empty", str(empty))] if empty else [])

    def left(self) -> Iterator[tuple[str, Any]]:
        """Path and value of every leaf that was not looked at."""
        for name, value in self._content.items():
            if name not in self._seen:
                yield from _leaves(self.at(name), value)
            for inner in self._seen.get(name) or ():
                yield from inner.left()


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}", inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(f"{path}.{number}", inner)
    else:
        yield path, value
