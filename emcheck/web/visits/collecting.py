"""Collects what the fitters' page may say into its catalogues: `python -m emcheck.web.visits.collecting`.

Messages come from the templates, from what the page offers to choose, and from the domain: a sentence with figures in
it is a message with `{fields}` (see `words`). New ones come into each catalogue without a translation, what is said no
more goes; what changed is to be translated anew.
"""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import emcheck
from emcheck.domain.fitting.acts import LIMBS
from emcheck.web.visits import telling
from emcheck.web.visits.drawing import FOLDER
from emcheck.web.visits.words import FIELD, legible
from emcheck.web.visits.words import FOLDER as CATALOGUES

ROOT = Path(emcheck.__file__).parent
SPOKEN = (
    "domain/body/judgement.py", "domain/fitting/acts.py", "domain/fitting/limb_check.py", "domain/fitting/limb_note.py",
    "domain/fitting/outcomes.py", "domain/fitting/photos.py", "domain/fitting/repeats.py", "domain/fitting/settling.py",
    "domain/fitting/site_checks.py", "domain/fitting/steps.py", "domain/fitting/visits.py", "domain/remarks.py",
    "web/visits/assigning.py",
    "web/visits/ending.py", "web/visits/opening.py", "web/visits/saying.py", "web/visits/telling.py",
)  # fmt: skip
"""Files whose sentences are shown on the page."""
_SILENT = re.compile(
    r"\\b|[|^$]|^[a-z_]+\d*$|^[a-z]+[_.]|^[-/]|^[A-Z]\w+[A-Z]\w+$|\.(html|json|pdf)$|/(json|pdf)$|filename|-own-tag|^(dBm|UTC)$"
)
"""No sentence: patterns, names of fields and files."""
_NOT_SHOWN = {"_SOP", "_OURS", "ANSWER", "PENDING"}
_STEPS_NOT_SHOWN = (5, 8)
"""Of a row of the table of steps: by what it passes, and its source; they stand in the record."""
_LOGGED = {"order seen", "visit assigned", "visit opened", "record of a visit read"}
_IN_FIELDS = (
    "leg", "arm", "rising", "falling", "above", "below", "open", "cut", "is open", "is cut", "closed", "p over 0.999",
    "heard", "weak", "dead", "success", "lapsed",
)  # fmt: skip
"""Words that sentences of the domain have in their fields."""
_LEAST = 3
"""Letters that stand in a message with fields for sure; less recognises nothing."""


def messages() -> Iterator[tuple[str, str]]:
    """Every message with where it stands, each once."""
    seen: set[str] = set()
    found = [*_of_templates(), *_offered(), *(each for path in SPOKEN for each in _of_source(ROOT / path))]
    for where, said in found:
        text = legible(said)
        if text not in seen and text not in _LOGGED:
            seen.add(text)
            yield where, text


def _of_templates() -> Iterator[tuple[str, str]]:
    for path, line, message, _, _ in extract_from_dir(
        str(FOLDER / "templates"), method_map=[("**.html", "jinja2.ext:babel_extract")]
    ):
        yield f"web/visits/templates/{path}:{line}", str(message)


def _offered() -> Iterator[tuple[str, str]]:
    """What is chosen instead of typed, and the words of states and figures."""
    reasons = [reason for group in telling.REASONS.values() for reason in group]
    names = [name.replace("_", " ") for name in (*LIMBS, *telling.OUTCOMES)]
    chosen = (*telling.IDENTIFIERS, *telling.ROOMS, *reasons, *telling.OVERRIDES, *telling.STATES.values())
    for text in (*chosen, *names, *_IN_FIELDS, "Signatures"):
        yield "web/visits/telling.py:1", text


def _of_source(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shown = {id(part) for each in ast.walk(tree) for part in _labels(each)}
    silent = {id(node) for each in ast.walk(tree) for node in _silent(each)}
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            text = _with_fields(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if (id(node) in shown or not _SILENT.search(text)) and sum(map(str.isalpha, FIELD.sub("", text))) >= _LEAST:
            yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def _labels(node: ast.AST) -> Iterator[ast.AST]:
    """What a figure is of."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reading":
        yield node.args[2]
    elif isinstance(node, ast.Tuple) and len(node.elts) == 3:
        yield node.elts[2]


def _silent(node: ast.AST) -> Iterator[ast.AST]:
    """What is said to nobody: docstrings, annotations, names that are looked up."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    elif isinstance(node, ast.Subscript):
        yield from ast.walk(node.slice)
    elif isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None:
        yield from ast.walk(node.annotation)
    elif isinstance(node, ast.Dict):
        yield from (key for key in node.keys if key is not None)
    elif isinstance(node, ast.Compare):
        yield from node.comparators
    elif isinstance(node, ast.Assign) and _NOT_SHOWN & {
        each.id for each in ast.walk(node) if isinstance(each, ast.Name)
    }:
        yield from ast.walk(node.value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Step":
        yield from (part for number in _STEPS_NOT_SHOWN for part in ast.walk(node.args[number]))


def _with_fields(node: ast.JoinedStr) -> str:
    """An f-string as a message: `{age_s:.0f} s` is `{age_s} s`."""
    names: dict[str, str] = {}
    text = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        elif isinstance(part, ast.FormattedValue):
            said = ast.unparse(part.value)
            text += "{" + names.setdefault(said, _name(part.value, set(names.values()))) + "}"
    return text


def _name(value: ast.expr, taken: set[str]) -> str:
    named = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else "said"
    return next(name for name in (named, *(f"{named}_{n}" for n in string.digits[2:])) if name not in taken)


def collect(language: str) -> Catalog:
    """The catalogue of a language with every message there is, translated as far as it was."""
    path = CATALOGUES / f"{language}.po"
    made = Catalog(
        locale=language, project="emcheck", version="0", fuzzy=False, charset="utf-8",
        header_comment=f"# The fitters' page in {language}; see CONTRIBUTING.md, Another language.",
        msgid_bugs_address="none", last_translator="emcheck", language_team=language,
    )  # fmt: skip
    if path.exists():
        with path.open("rb") as file:
            made = read_po(file, locale=language)
    now = Catalog(fuzzy=False)
    for where, text in messages():
        file_name, _, line = where.rpartition(":")
        flags = ["python-format"] if "%(" in text else []
        now.add(text, locations=[(f"emcheck/{file_name}", int(line))], flags=flags)
    made.update(now, no_fuzzy_matching=True, update_creation_date=False)
    made.obsolete.clear()
    return made


def main() -> None:
    """Bring all catalogues up to date."""
    for path in sorted(CATALOGUES.glob("*.po")):
        made = collect(path.stem)
        with path.open("wb") as file:
            write_po(file, made, width=110, sort_by_file=True, include_lineno=False)


if __name__ == "__main__":
    main()
