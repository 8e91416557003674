"""The story of the prosthetic leg, through simulator, broker, service and terminal, in five variants.

A fitter closes the tag on a prosthetic leg: bare foam, over a sock, warmed by hand, with a heat pack; or on a real one.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from emcheck.clock import VirtualClock
from emcheck.domain.ids import TagId, UnitId
from emcheck.evidence.fitting_record import record_pdf
from emcheck.service.sessions import Looking, document
from firmware_sim.worlds.flat import flat
from tests.domain.visited import unfitted
from tests.service.hallway import SCRIPT, fit, lines
from tests.service.test_instructing import reading
from tests.support import at, england

BEGIN = at("10:00")
NOT_ON_A_LIMB = "not on a living limb, do not leave, choose the other leg"
IN_A_RECORD = f"{NOT_ON_A_LIMB}, or where the limb note bars it, end the visit and tell your supervisor"
SIMULATED: list[dict[str, Any]] = [item | ({"wait_s": 75} if item.get("wait_s") == 30 else {}) for item in SCRIPT]
"""A simulated tag sends every 8 to 12 s: a room takes longer."""
REFUSED = [*SIMULATED[: next(i for i, item in enumerate(SCRIPT) if item.get("until") == "body") + 1]]
"""Until the check has spoken; then the fitter says how the visit ends."""
VARIANTS = {
    "bare foam": "prosthesis-foam",
    "over a sock": "prosthesis-sock",
    "warmed by hand": "prosthesis-hand-warmed",
    "with a heat pack": "prosthesis-heat-pack",
    "a real leg": "skin",
}


async def played(folder: Path, place: str, script: list[dict[str, Any]]) -> dict[str, Any]:
    """A visit from its first question to its end; the record as a file."""
    clock = VirtualClock(BEGIN)
    unit, tag, own = UnitId("BU-0001"), TagId("T-1"), TagId("F-1")
    async with flat(folder, unfitted(), england(), clock, unit=unit, tag=tag, fitter_tag=own, place=place):
        await fit(folder / "emcheck.db", clock, script)
    async with reading(folder / "emcheck.db") as store:
        return document(await (await Looking.at(store, "FS-1")).look(clock.now()))


@pytest.mark.timeout(175)
@pytest.mark.parametrize("variant", [name for name, place in VARIANTS.items() if place != "skin"])
async def test_on_a_prosthetic_leg_the_fitter_is_told_not_to_leave(
    variant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = {"close": "cannot_validate", "note": "both legs looked at"}
    told = await played(tmp_path, VARIANTS[variant], [*REFUSED, ending])
    said = [line["words"] for line in lines(capsys.readouterr().out) if line.get("step") == "body"]
    assert said[-1].lower().endswith(f"{NOT_ON_A_LIMB}.")
    body = next(step for step in told["record"]["steps"] if step["step"] == "body")
    assert (told["outcome"], told["record"]["state"], body["state"]) == ("cannot_validate", "pending", "failed")
    assert body["words"].lower().endswith(f"{IN_A_RECORD}.")
    assert told["signatures"] == []


@pytest.mark.timeout(175)
async def test_on_a_real_leg_the_fitter_leaves_with_a_record_that_shows_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = await played(tmp_path, VARIANTS["a real leg"], SIMULATED)
    assert lines(capsys.readouterr().out)[-1]["state"] == "validated"
    assert told["outcome"] == "success"
    assert told["sha256"] == told["signed_sha256"]
    body = next(step for step in told["record"]["steps"] if step["step"] == "body")
    read = body["readings"]
    assert read["lift_off_lowest_contact"] < read["contact_no_below"]
    assert read["skin_rise_c"] >= told["record"]["policy"]["thresholds"]["fitting.body.rise_min_c"]["value"]
    assert read["moved_mg"] > 0
    assert read["state"] == "attached"
    assert record_pdf(json.loads(json.dumps(told))).startswith(b"%PDF")
