"""A fitting record as PDF, by Typst: the same record gives the same bytes, whatever machine and whenever.

Only the fonts that come with Typst are used, and the time of making is the record's. They have Latin, Greek, Cyrillic
and Hebrew letters; what they do not have is a box on paper, and whole in the JSON. A value of the record stands as
text: none of it is read as markup.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import typst

from emcheck.domain.body import BodyCheck, Sample
from emcheck.domain.instants import parse_ms
from emcheck.present.body_drawing import Drawing

_TEMPLATE = Path(__file__).with_name("fitting.typ")
_LONG_WORD = re.compile(r"\S{28,}")
_PIECE = 14
_DRAWN_IN = "DejaVu Sans Mono"
"""Of the fonts that come along the one for drawings; there is no sans-serif among them."""


class RecordError(ValueError):
    """A record that cannot be set; the message says what is wrong with it."""


def record_pdf(document: Mapping[str, Any]) -> bytes:
    """The pages of a record's file. RecordError where it is none."""
    [pages] = _set(document, "pdf")
    return pages


def record_pictures(document: Mapping[str, Any], *, dots_per_inch: float = 110) -> list[bytes]:
    """Each page as a PNG, to be looked at."""
    return _set(document, "png", dots_per_inch)


def _set(document: Mapping[str, Any], kind: Literal["pdf", "png"], ppi: float | None = None) -> list[bytes]:
    try:
        made_at = datetime.fromisoformat(document["record"]["as_of"]).replace(microsecond=0)
        inputs = {
            "document": json.dumps(_breakable(document), ensure_ascii=False),
            "drawing": _drawing(document["record"]),
        }
        pages: Any = typst.compile(
            _TEMPLATE.read_bytes(), format=kind, ppi=ppi, sys_inputs=inputs, timestamp=made_at,
            ignore_system_fonts=True, font_paths=[],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, typst.TypstError) as error:
        raise RecordError(f"no fitting record of version 1: {error}") from None
    return [pages] if isinstance(pages, bytes) else list(pages)


def _breakable(value: Any, key: str = "") -> Any:
    """The same with places in long words where a line may end, so that none runs off the page; hashes stay whole."""
    if isinstance(value, Mapping):
        return {name: _breakable(inner, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_breakable(inner) for inner in value]
    if not isinstance(value, str) or key.endswith("sha256"):
        return value
    return _LONG_WORD.sub(lambda word: "\u200b".join(_pieces(word[0])), value)


def _pieces(word: str) -> list[str]:
    return [word[start : start + _PIECE] for start in range(0, len(word), _PIECE)]


def _drawing(record: Mapping[str, Any]) -> str:
    """The body check's channels, drawn anew from its readings; nothing where there are none."""
    check, points = BodyCheck(), []
    for read in record["body"]:
        sample = Sample(
            parse_ms(read["at"]), read["skin_c"], read["ambient_c"], read["motion"], read["proximity"], read["strap"]
        )
        points.append((sample, check.take(sample, lifted=read["lifted"])))
    if not points:
        return ""
    return Drawing(f"{record['tag']} on {record['limb']}", points).svg().replace("sans-serif", f"'{_DRAWN_IN}'")
