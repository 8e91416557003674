"""The page's words in the reader's language, from the gettext catalogues in `catalogues/`, read as they are.

English is the language of the sources and has no catalogue. What the domain says is English too, with figures and names
in it: a message of the catalogue with `{fields}` is recognised in it, and what stands in the fields is put into the
translation, itself translated where the catalogue has it. So the domain knows no language, and a record none but its
own.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from babel.core import Locale, negotiate_locale
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "catalogues"
SOURCE = "en"
LANGUAGES = {
    name: Locale.parse(name).get_display_name() or name
    for name in (SOURCE, *sorted(p.stem for p in FOLDER.glob("*.po")))
}
"""By code, each called as it calls itself."""
FIELD = re.compile(r"\{(\w+)\}")
_SENTENCE = re.compile(r"(?<=[.?!:;]) ")
_KNOWN_MAX = 4_000


class _Pattern(NamedTuple):
    weight: int
    regex: re.Pattern[str]
    translation: str


class Words:
    """One language. Without a catalogue everything is said as it stands in the sources."""

    def __init__(self, path: Path | None) -> None:
        self._texts: dict[str, str] = {}
        self._patterns: list[_Pattern] = []
        self._known: dict[str, str] = {}
        if path is not None:
            self._read(path)

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            catalogue = read_po(file)
        for message in catalogue:
            told = str(message.id)
            if not told or not message.string or message.fuzzy:
                continue
            if FIELD.search(told):
                self._patterns.append(_pattern(told, str(message.string)))
            else:
                self._texts[told] = str(message.string)
        self._patterns.sort(key=lambda pattern: -pattern.weight)

    def gettext(self, message: str) -> str:
        """A text of the page."""
        return self._texts.get(message, message)

    def said(self, text: str) -> str:
        """What the domain says."""
        text = text.replace("degC", "°C")
        if not self._texts or not text.strip():
            return text
        if text not in self._known:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[text] = self._translated(text)
        return self._known[text]

    def _translated(self, text: str) -> str:
        found = self._whole(text)
        if found is not None:
            return found
        parts = _SENTENCE.split(text)
        for end in range(len(parts) - 1, 0, -1):  # the longest beginning that is known, then the rest
            head = self._whole(" ".join(parts[:end]))
            if head is not None:
                return f"{head} {self._translated(' '.join(parts[end:]))}"
        return f"{parts[0]} {self._translated(' '.join(parts[1:]))}" if len(parts) > 1 else text

    def _whole(self, text: str) -> str | None:
        if text in self._texts:
            return self._texts[text]
        for _, regex, translation in self._patterns:
            if (match := regex.fullmatch(text)) is not None:
                return FIELD.sub(lambda field, it=match: self.said(it[field[1]]), translation)  # type: ignore[misc] # mypy knows no default of a lambda
        return None


def _pattern(message: str, translation: str) -> _Pattern:
    """A message with fields as what recognises it; the more of it is fixed, the earlier it is tried."""
    named: set[str] = set()
    regex, last = "", 0
    for field in FIELD.finditer(message):
        regex += re.escape(message[last : field.start()])
        regex += f"(?P={field[1]})" if field[1] in named else f"(?P<{field[1]}>.*?)"
        named.add(field[1])
        last = field.end()
    regex += re.escape(message[last:])
    return _Pattern(len(FIELD.sub("", message)), re.compile(regex, re.DOTALL), translation)


@lru_cache
def in_language(language: str) -> Words:
    """The words of one of `LANGUAGES`."""
    return Words(None if language == SOURCE else FOLDER / f"{language}.po")


def language_of(chosen: str, accepted: str) -> str:
    """Which of `LANGUAGES`: the one that was chosen, else the first that a browser accepts, else English."""
    if chosen in LANGUAGES:
        return chosen
    weighed = []
    for number, part in enumerate(accepted.split(",")[:20]):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), number, name.strip()))
        except ValueError:
            continue
    return negotiate_locale([name for _, _, name in sorted(weighed)], list(LANGUAGES), sep="-") or SOURCE
