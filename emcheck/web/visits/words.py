"""The page's words in the reader's language, from the gettext catalogues in `catalogues/`, read as they are.

English is the language of the sources and has no catalogue. What the domain says is English too, with figures and names
in it: a message of the catalogue with `{fields}` is recognised in it, and what stands in the fields is put into the
translation, itself translated where the catalogue has it. So the domain knows no language, and a record none but its
own.

1. A text is translated whole where it can be, else its longest beginning that can be, and then the rest.
2. A sentence is the same with or without a capital at its beginning and a mark at its end.
3. What stands in brackets is a text of its own. What is said of the command line is left out: it is no help here.
4. What nobody translated stays as it is: a reader has the English rather than nothing.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from babel.core import Locale, negotiate_locale
from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol
from whenever import Instant

from emcheck.domain.ids import Ms

FOLDER = Path(__file__).parent / "catalogues"
SOURCE = "en"
_NAMES = (SOURCE, *sorted(path.stem for path in FOLDER.glob("*.po")))
LANGUAGES = {name: Locale.parse(name).get_display_name() or name for name in _NAMES}
"""By code, each called as it calls itself."""
LANGUAGE_COOKIE = "emcheck-language"
"""What was chosen in a browser, for accounts that chose nothing."""
FIELD = re.compile(r"\{(\w+)\}")
_COMMAND = re.compile(r" \(`emcheck [^`]*`\)|, or close it first \(answer `leave`[^)]*\)")
_BREAK = re.compile(r"(?<=[.?!:;,]) ")
_BRACKETS = re.compile(r"(?s)(.+) \(([^()]+)\)([.:;,]?)|\(([^()]+)\)([.:;,]?)")
_NUMBER = re.compile(r"([-+]?\d+)\.(\d+[.:;,]?)")
_MARKS = ".:;,"
_SURE = 12
_KNOWN_MAX = 4_000


class _Pattern(NamedTuple):
    weight: int
    regex: re.Pattern[str]
    translation: str


class Words:
    """One language. Without a catalogue everything is said as it stands in the sources."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts: dict[str, str] = {}
        self._patterns: list[_Pattern] = []
        self._known: dict[str, str] = {}
        self._point = get_decimal_symbol(language)
        if language != SOURCE:
            self._read(FOLDER / f"{language}.po")

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            catalogue = read_po(file)
        for message in catalogue:
            told = legible(str(message.id))
            if not told or not message.string or message.fuzzy:
                continue
            self._texts[told] = legible(str(message.string))
            if FIELD.search(told):
                self._patterns.append(_pattern(told, self._texts[told]))
        self._patterns.sort(key=lambda pattern: -pattern.weight)

    def gettext(self, message: str) -> str:
        """A text of the page."""
        return self._texts.get(message, message)

    def when(self, at: Ms, zone: str) -> str:
        """An instant by the local clock: `Wed 4 Mar 19:00`."""
        local = Instant.from_timestamp(at, unit="millisecond").to_tz(zone).to_stdlib()
        return format_datetime(local, "EEE d MMM HH:mm", locale=self.language)

    def day(self, day: str) -> str:
        """A date as it is kept, `2026-03-24`, as a person reads it: `Tue 24 Mar`."""
        return format_date(date.fromisoformat(day), "EEE d MMM", locale=self.language)

    def weekday(self, day: str) -> str:
        """The day of the week of a date as it is kept: `Tue`."""
        return format_date(date.fromisoformat(day), "EEE", locale=self.language)

    def said(self, text: str) -> str:
        """What the domain says."""
        text = legible(text)
        if not self._texts or not text.strip():
            return text
        if text not in self._known:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[text] = self._translated(text)
        return self._known[text]

    def _translated(self, text: str) -> str:
        if (number := _NUMBER.fullmatch(text)) is not None:
            return f"{number[1]}{self._point}{number[2]}"
        if (found := self._whole(text)) is not None:
            return found
        if (split := self._split(text)) is not None:
            return split
        if (match := _BRACKETS.fullmatch(text)) is not None:
            before, inner, mark, alone, end = match.groups()
            return f"({self.said(alone)}){end}" if alone else f"{self.said(before)} ({self.said(inner)}){mark}"
        for joint in (" and ", ", "):
            before, found_, after = text.partition(joint)
            if found_ and before in self._texts:
                return f"{self._texts[before]}{self._texts.get(joint, joint)}{self.said(after)}"
        return text

    def _split(self, text: str) -> str | None:
        """By its longest beginning that is known; None where none is, nor any part after it."""
        breaks = [match.end() for match in _BREAK.finditer(text)]
        for end in reversed(breaks):
            head, rest = text[: end - 1], text[end:]
            if (found := self._whole(head)) is not None:
                return f"{found} {self.said(rest)}"
        for end in breaks:
            head, rest = text[: end - 1], text[end:]
            if (said := self.said(rest)) != rest:
                return f"{self.said(head)} {said}"
        return None

    def _whole(self, text: str) -> str | None:
        for said, mark, capital in _forms(text):
            if (found := self._as_it_is(said)) is not None:
                return f"{found[0].upper()}{found[1:]}{mark}" if capital else f"{found}{mark}"
        return None

    def _as_it_is(self, text: str) -> str | None:
        if text in self._texts:
            return self._texts[text]
        for _, regex, translation in self._patterns:
            if (match := regex.fullmatch(text)) is not None:
                return self._filled(translation, match)
        return None

    def _filled(self, translation: str, match: re.Match[str]) -> str:
        return FIELD.sub(lambda field: self.said(match[field[1]]), translation)


def legible(text: str) -> str:
    """A sentence of the domain as it is read here: signs of units, and nothing of commands (3)."""
    return _COMMAND.sub("", text).replace("degC", "°C")


def _forms(text: str) -> Iterator[tuple[str, str, bool]]:
    """The ways in which a catalogue may have it (2): the text, the mark that was left out, whether its capital was."""
    for said, mark in ((text, ""), (text[:-1], text[-1:])) if text[-1:] in tuple(_MARKS) else ((text, ""),):
        yield said, mark, False
        if said[:1].isupper():
            yield said[0].lower() + said[1:], mark, True


def _pattern(message: str, translation: str) -> _Pattern:
    """A message with fields as what recognises it; the more of it is fixed, the earlier it is tried."""
    weight = len(FIELD.sub("", message))
    anything = ".*?" if weight >= _SURE else r"(?:(?![.?!:;] ).)*?"  # a short one is no key to a whole sentence
    named: set[str] = set()
    regex, last = "", 0
    for field in FIELD.finditer(message):
        regex += re.escape(message[last : field.start()])
        regex += f"(?P={field[1]})" if field[1] in named else f"(?P<{field[1]}>{anything})"
        named.add(field[1])
        last = field.end()
    regex += re.escape(message[last:])
    return _Pattern(weight, re.compile(regex, re.DOTALL), translation)


@lru_cache
def in_language(language: str) -> Words:
    """The words of one of `LANGUAGES`."""
    return Words(language)


def language_of(*chosen: str | None, accepted: str) -> str:
    """Which of `LANGUAGES`: the first that was chosen, else the first that a browser accepts, else English."""
    if (known := next((one for one in chosen if one in LANGUAGES), None)) is not None:
        return known
    weighed = []
    for number, part in enumerate(accepted.split(",")[:20]):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), number, name.strip()))
        except ValueError:
            continue
    return negotiate_locale([name for _, _, name in sorted(weighed)], list(LANGUAGES), sep="-") or SOURCE
