"""The house rules that a machine can check. Each test's docstring says why the rule is there.

A rule with exceptions keeps them in a ratchet: a table of what still breaks it. It only shrinks; an entry that is
no longer needed fails the test too.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("emcheck", "firmware_sim", "tests", "bench")
LINES_MAX = 400
FUNCTION_LINES_MAX = 60
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}

CLOCK_READS = re.compile(
    r"\b(time\.(time|time_ns|localtime|gmtime|ctime)|datetime\.(now|utcnow|today)|date\.today"
    r"|(Instant|ZonedDateTime|OffsetDateTime|PlainDateTime|SystemDateTime)\.now\w*)\("
)
NOT_WRITTEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.])/(root|home/\w+|Users/\w+|work)/"),
    "a folder outside the project": re.compile(r"\.\./sha" r"red|\.lib" r"rary/"),
    "the address of a package registry": re.compile(
        r"--(extra-)?index-url(?!\S*[\"'`])|pypi\.org/simple|files\.pythonhosted"
    ),
    "work left undone": re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|NotImplemented" r"Error"),
}


def _modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def _texts() -> Iterator[Path]:
    """Every file of the project that people write: no caches, no virtual environment, no locks."""
    kinds = {
        ".py",
        ".md",
        ".toml",
        ".json",
        ".yaml",
        ".yml",
        ".sh",
        ".conf",
        ".acl",
        ".service",
        ".ini",
        ".txt",
        ".tcss",
    }
    for top in sorted(ROOT.iterdir()):
        if top.is_file() and (top.suffix in kinds or top.name in ("Makefile", ".importlinter", ".gitignore")):
            yield top
        elif (
            top.is_dir()
            and top.name not in ("build", "out", "var")
            and (not top.name.startswith(".") or top.name == ".ci")
        ):
            yield from (p for p in sorted(top.rglob("*")) if p.is_file() and (p.suffix in kinds or p.name == "run"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _over(sizes: dict[str, int], limit: int, ratchet: dict[str, int]) -> list[str]:
    grown = [
        f"{name}: {size} lines, at most {ratchet.get(name, limit)}"
        for name, size in sizes.items()
        if size > ratchet.get(name, limit)
    ]
    slack = [
        f"{name}: now {sizes.get(name, 0)}; lower or remove its entry"
        for name in ratchet
        if sizes.get(name, 0) < ratchet[name]
    ]
    return grown + slack


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{_name(path)}::{node.name}", node.end_lineno - node.lineno + 1


def test_files_stay_readable_in_one_sitting() -> None:
    """One noun a file: what is longer holds two."""
    sizes = {_name(path): len(path.read_text().splitlines()) for path in _modules(*SOURCES)}
    assert _over(sizes, LINES_MAX, LONG_FILES) == []


def test_functions_fit_on_a_screen() -> None:
    """What cannot be seen at once cannot be checked at once."""
    sizes = {name: size for path in _modules("emcheck", "firmware_sim", "bench") for name, size in _functions(path)}
    assert _over(sizes, FUNCTION_LINES_MAX, LONG_FUNCTIONS) == []


def test_every_module_says_what_it_is_for() -> None:
    """A reader opens the room by its docstring."""
    silent = [
        _name(path)
        for path in _modules(*SOURCES)
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_only_the_clock_reads_the_clock() -> None:
    """Otherwise a replay is not the live system, and tests have to patch time."""
    reading = [
        f"{_name(path)}:{number}"
        for path in _modules("emcheck", "firmware_sim")
        if _name(path) != "emcheck/clock.py"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if CLOCK_READS.search(line)
    ]
    assert reading == []


def test_only_the_command_line_prints() -> None:
    """The service speaks through its log and its publishers."""
    printing = [
        f"{_name(path)}:{node.lineno}"
        for path in _modules("emcheck", "firmware_sim")
        if not _name(path).startswith("emcheck/cli/")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "typer.echo", "sys.stdout.write")
    ]
    assert printing == []


def test_mqtt_is_spoken_in_one_file() -> None:
    """The library's habits stay behind one door."""
    importing = [
        _name(path)
        for path in _modules("emcheck")
        if re.search(r"^\s*(import|from) (aiomqtt|paho)", path.read_text(), re.MULTILINE)
    ]
    assert len(importing) <= 1, importing


@pytest.mark.parametrize("what", sorted(NOT_WRITTEN))
def test_nothing_is_written_that_holds_only_here(what: str) -> None:
    """What names one machine is wrong on every other; what is left undone belongs in an issue."""
    found = [
        f"{_name(path)}:{number}"
        for path in _texts()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if NOT_WRITTEN[what].search(line) and path != Path(__file__).resolve()
    ]
    assert found == [], what


def test_every_exception_to_a_check_has_its_reason() -> None:
    """`# noqa: X` and `# type: ignore[x]` are followed by why."""
    mark = re.compile(r"#\s*(noqa|type:\s*ignore)")
    good = re.compile(r"#\s*(noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\])\W+\w+")
    unexplained = [
        f"{_name(path)}:{number}"
        for path in _modules(*SOURCES)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if path != Path(__file__).resolve() and mark.search(line) and not good.search(line)
    ]
    assert unexplained == []


def test_no_error_is_swallowed() -> None:
    """An `except Exception` that does nothing hides the night's first fault."""
    swallowing = [
        f"{_name(path)}:{node.lineno}"
        for path in _modules("emcheck", "firmware_sim")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
    ]
    assert swallowing == []


def test_tests_use_no_mocks_and_no_silent_skips() -> None:
    """A mock agrees with its author; a skipped test is not seen again."""
    forbidden = re.compile(r"unittest\.mock|from mock|pytest\.mark\.(skip|xfail)|pytest\.xfail")
    found = [
        f"{_name(path)}:{number}"
        for path in _modules("tests")
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if forbidden.search(line)
    ]
    assert found == []


def test_every_decision_is_in_the_index() -> None:
    """A record nobody finds was not recorded."""
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name for name in files if f"({name})" not in index] == []
    assert [name[:4] for name in files] == [f"{number:04d}" for number in range(1, len(files) + 1)]
