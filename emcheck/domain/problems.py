"""What is wrong with a value that people wrote, in one line: the path, the reason and what would be right."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails


class Misplaced(ValueError):
    """A fault inside the value that is being judged; `path` goes on from there."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path


_FORMS = {
    "from_time": "a time of day; write it as in 19:00",
    "until_time": "a time of day; write it as in 07:00",
    "from": "a local time; write it as in 2026-03-25T19:00, without an offset",
    "until": "a local time; write it as in 2026-03-25T22:00, without an offset",
    "convicted_on": "a date; write it as in 2022-06-28",
    "unit": "the name of a base unit: 4 to 32 capitals, digits and hyphens, as in BU-0001",
}
_PATTERNS = {
    r"\S": "says nothing; write some text",
    r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$": "is no ULID: 26 digits and capitals, as in 01JD0000000000000000000000",
    r"^[0-9a-f]{64}$": "is no SHA-256: 64 digits and letters a to f",
}
"""What is wrong with a text that is not of one of these forms."""
_SHAPES = {
    **dict.fromkeys(
        ("model_attributes_type", "model_type", "dataclass_type", "dict_type"), "no JSON object; write it as in {...}"
    ),
    **dict.fromkeys(("tuple_type", "list_type"), "no list; write it as in [...]"),
    "string_type": "no text; write it in quotes",
    **dict.fromkeys(("float_type", "int_type", "float_parsing", "int_parsing"), "no number; write it as in 120"),
}
_BOUNDS = {
    "less_than_equal": ("too much, at most", "le"),
    "greater_than_equal": ("too little, at least", "ge"),
}
_NEEDED = {"approved_by": "an absence names who approved it", "reason": "an absence says what for"}


def first_problem(error: ValidationError) -> tuple[str, str]:
    """(path, reason and remedy) of the first fault; the path is empty where the whole value is at fault."""
    problem = error.errors(include_url=False)[0]
    path = [str(part) for part in problem["loc"]]
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, Misplaced):
        path.append(cause.path)
    return ".".join(path), _words(problem, path[-1] if path else "")


def _words(problem: ErrorDetails, field: str) -> str:
    kind, value, expected = problem["type"], problem["input"], problem.get("ctx", {}).get("expected")
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return "unknown key; remove it or correct its spelling"
    if kind in ("missing", "missing_argument", "missing_keyword_only_argument"):
        return f"missing; {_NEEDED.get(field, 'add it')}"
    if kind in ("string_pattern_mismatch", "string_type", "string_too_short") and field in (_FORMS | _NEEDED):
        return f"{value!r} is not {_FORMS[field]}" if field in _FORMS else f"{value!r} says nothing; {_NEEDED[field]}"
    if kind in ("literal_error", "enum"):
        return f"{value!r} is none of {expected}"
    if kind == "json_invalid":
        return _no_json(str(problem.get("ctx", {}).get("error")))
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        return f"{value!r} is {word} {problem.get('ctx', {}).get(bound)}"
    if kind in _SHAPES:
        return _SHAPES[kind]
    return _ill_formed(problem) or problem["msg"].removeprefix("Value error, ")


def _ill_formed(problem: ErrorDetails) -> str:
    """A pattern is nobody's words; empty where no pattern is at fault."""
    if problem["type"] != "string_pattern_mismatch":
        return ""
    why = _PATTERNS.get(problem["ctx"]["pattern"], "has characters that are not allowed here")
    return f"{problem['input']!r} {why}"


def _no_json(fault: str) -> str:
    if fault.startswith("EOF while parsing a value at line 1 column 0"):
        return "empty; write one JSON object: {...}"
    return f"not JSON: {fault}; correct it there, the file is one JSON object and nothing after it"
