"""A fitting record as PDF, by Typst: the same record gives the same bytes, whatever machine and whenever.

Only the fonts that come with Typst are used, and the time of making is the record's. They have Latin, Greek, Cyrillic
and Hebrew letters; what they do not have is a box on paper, and whole in the JSON. A value of the record stands as
text: none of it is read as markup.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import typst

from emcheck.domain.body import BodyCheck, Sample
from emcheck.domain.fitting.photos import gone, size_of
from emcheck.domain.instants import parse_ms
from emcheck.present.body_drawing import Drawing

Photos = Mapping[str, bytes]
"""Pictures as they are kept, by SHA-256."""
_NONE: Photos = MappingProxyType({})
_TEMPLATE = Path(__file__).with_name("fitting.typ")
_LONG_WORD = re.compile(r"\S{28,}")
_PIECE = 14
_DRAWN_IN = "DejaVu Sans Mono"
"""Of the fonts that come along the one for drawings; there is no sans-serif among them."""


class RecordError(ValueError):
    """A record that cannot be set; the message says what is wrong with it."""


def record_pdf(document: Mapping[str, Any], photos: Photos = _NONE) -> bytes:
    """The pages of a record's file, its photos at the end. RecordError where it is none."""
    [pages] = _set(document, photos, "pdf")
    return pages


def record_pictures(document: Mapping[str, Any], photos: Photos = _NONE, *, dots_per_inch: float = 110) -> list[bytes]:
    """Each page as a PNG, to be looked at."""
    return _set(document, photos, "png", dots_per_inch)


def _set(
    document: Mapping[str, Any], photos: Photos, kind: Literal["pdf", "png"], ppi: float | None = None
) -> list[bytes]:
    """A photo whose picture is broken must not keep a record from being printed: it is set without them then."""
    try:
        return _compiled(document, photos, kind, ppi)
    except RecordError:
        if not photos:
            raise
    return _compiled(document, _NONE, kind, ppi)


def _compiled(
    document: Mapping[str, Any], photos: Photos, kind: Literal["pdf", "png"], ppi: float | None
) -> list[bytes]:
    try:
        made_at = datetime.fromisoformat(document["record"]["as_of"]).replace(microsecond=0)
        inputs = {
            "document": json.dumps(_breakable(document), ensure_ascii=False),
            "drawing": _drawing(document["record"]),
            "pictures": json.dumps({name: _framed(picture) for name, picture in photos.items()}),
            "gone": json.dumps({each["sha256"]: gone(each["kept_days"]) for each in document.get("photos", ())}),
        }
        pages: Any = typst.compile(
            _TEMPLATE.read_bytes(), format=kind, ppi=ppi, sys_inputs=inputs, timestamp=made_at,
            ignore_system_fonts=True, font_paths=[],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, typst.TypstError) as error:
        raise RecordError(f"no fitting record of version 1: {error}") from None
    return [pages] if isinstance(pages, bytes) else list(pages)


def _framed(picture: bytes) -> str:
    """A picture inside an SVG: what is handed to Typst beside its template is text."""
    width, height = size_of(picture)
    told = f"data:image/jpeg;base64,{b64encode(picture).decode()}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="{told}"/></svg>'
    )


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
