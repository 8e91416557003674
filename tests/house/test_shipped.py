"""What is shipped beside the code: locks, licences, the wheel, policy and example register."""

import hashlib
import importlib.metadata
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from emcheck.domain.policy import KEYS, parse_policy
from emcheck.domain.register import parse_register
from emcheck.settings import shipped_config
from emcheck.shipped import shipped_policies

ROOT = Path(__file__).resolve().parents[2]
PERMISSIVE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation", re.IGNORECASE)
MPL = {"certifi", "pathspec", "hypothesis"}
"""Under MPL-2.0, used unchanged (docs/adr/0007)."""


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["run.lock", "dev.lock", "detectors.lock"])
def test_locks_are_hashed_and_name_no_registry(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 25
    assert [block.split("\n")[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def test_what_runs_is_what_is_tested() -> None:
    tested = _locked("dev.lock")
    assert {name: version for name, version in _locked("run.lock").items() if tested.get(name) != version} == {}


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[\[<>=~! ]", line)[0] for line in project["dependencies"]}
    assert declared - _locked("run.lock").keys() == set()


def test_licences_bind_nobody() -> None:
    foreign = []
    for name in _locked("dev.lock") | _locked("detectors.lock"):
        try:
            about = importlib.metadata.metadata(name).json
        except importlib.metadata.PackageNotFoundError:
            continue  # locked for another platform, or for `make bench-body DATA=FOLDER` only
        classified = [line for line in about.get("classifier", ()) if line.startswith("License")]
        licence = str(about.get("license_expression") or classified or about.get("license", ""))
        if not PERMISSIVE.search(licence) and name not in MPL:
            foreign.append(f"{name}: {licence or 'none stated'}")
    assert foreign == []


def test_the_wheel_carries_the_configuration(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("emcheck/_config/")}
    shipped = {
        f"emcheck/_config/{path.relative_to(shipped_config())}"
        for path in shipped_config().rglob("*")
        if path.is_file()
    }
    assert carried == shipped
    assert "emcheck/_config/policy/england-wales.toml" in carried


def test_three_policies_are_shipped() -> None:
    assert list(shipped_policies()) == ["england-wales", "scotland", "us-example"]


@pytest.mark.parametrize("name", shipped_policies())
def test_a_policy_says_of_every_threshold_what_why_and_by_whom(name: str) -> None:
    text = shipped_policies()[name].read_text()
    policy = parse_policy(text)
    assert policy.label == f"{name}@1"
    assert [key for key in KEYS if f"\n[{key}]\n" not in text] == []
    bare = [key for key, t in policy.thresholds.items() if not (t.unit and len(t.reason) > 20 and len(t.source) > 20)]
    assert bare == []
    assert [key for key, t in policy.thresholds.items() if key.endswith("_s") and t.unit != "s"] == []


def test_the_example_register_is_a_register() -> None:
    register = parse_register((shipped_config() / "register.example.json").read_bytes())
    assert len(register.wearers) == 2


def test_what_a_source_does_not_settle_is_to_be_signed_off() -> None:
    for name, path in shipped_policies().items():
        for key, threshold in parse_policy(path.read_text()).thresholds.items():
            if "no published" in threshold.source or "known to us" in threshold.reason:
                assert threshold.sign_off, (name, key)


def test_what_scotland_asks_of_an_order_is_not_what_england_asks() -> None:
    known = {name: parse_policy(path.read_text()) for name, path in shipped_policies().items()}
    most = {name: policy.number("order.court.day_max_h") for name, policy in known.items()}
    assert most == {"england-wales": 20, "scotland": 12, "us-example": 24}
    for name in ("scotland", "us-example"):
        own = [t for t in known[name].thresholds.values() if "Sentencing Act" in t.source or "England" in t.source]
        assert own == [], f"{name} must not rest on the law of England and Wales"


def test_files_of_others_are_unchanged_and_named_with_their_licence() -> None:
    folders = {ROOT / "emcheck" / "web" / "static": "htmx.min.js", ROOT / "tests" / "web" / "vendor": "axe.min.js"}
    for folder, name in folders.items():
        told = (folder / "VENDORED.md").read_text()
        assert f"`{name}`" in told
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() in told


def test_the_wheel_carries_the_console_whole(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("emcheck/web/")}
    room = ROOT / "emcheck" / "web"
    there = {f"emcheck/web/{path.relative_to(room)}" for path in room.rglob("*") if path.is_file()}
    assert {name for name in there if "__pycache__" not in name} == carried
    assert {"emcheck/web/static/htmx.min.js", "emcheck/web/templates/queue.html"} <= carried


def test_pages_ask_no_other_site_for_anything() -> None:
    room = ROOT / "emcheck" / "web"
    own = [*room.glob("templates/*.html"), *(p for p in room.glob("static/*.[jc]s*") if p.name != "htmx.min.js")]
    asked = [path.name for path in own if re.search(r"(src|href|url|import)\W{1,3}(https?:)?//", path.read_text())]
    assert asked == []
