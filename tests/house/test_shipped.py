"""What is shipped beside the code: locks, licences, the wheel, policy and example register."""

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

ROOT = Path(__file__).resolve().parents[2]
PERMISSIVE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation", re.IGNORECASE)
MPL = {"certifi", "pathspec", "hypothesis"}
"""Under MPL-2.0, used unchanged (docs/adr/0007)."""


def _locked(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["run.lock", "dev.lock"])
def test_locks_are_hashed_and_name_no_registry(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 30
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
    for name in _locked("dev.lock"):
        try:
            about = importlib.metadata.metadata(name).json
        except importlib.metadata.PackageNotFoundError:
            continue  # locked for another platform
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


def test_the_policy_says_of_every_threshold_what_why_and_by_whom() -> None:
    policy = parse_policy((shipped_config() / "policy" / "england-wales.toml").read_text())
    assert policy.label == "england-wales@1"
    assert policy.thresholds.keys() == KEYS.keys()
    bare = [key for key, t in policy.thresholds.items() if not (t.unit and len(t.reason) > 20 and len(t.source) > 20)]
    assert bare == []
    assert [key for key, t in policy.thresholds.items() if key.endswith("_s") and t.unit != "s"] == []


def test_the_example_register_is_a_register() -> None:
    register = parse_register((shipped_config() / "register.example.json").read_bytes())
    assert len(register.wearers) == 2
