"""Simulated fittings: how often each place passes the living-limb step, and after how long. `python -m bench.fitting`.

A tag comes out of a fitter's hand, is closed on the place, lifted off after 30 s for 20 s, let down, and the wearer is
asked to move; then the step is looked at every 10 s for five minutes. Places and their numbers are those of
`firmware_sim/body`. Of 0 in 1,000 the truth is under 0.3 % (95 %).
"""

import argparse
from collections.abc import Sequence
from statistics import median
from typing import Any

from emcheck.domain.body import Sample
from emcheck.domain.fitting.acts import AnswerStep, MarkFitting
from emcheck.domain.fitting.heard import Heard, Report
from emcheck.domain.fitting.limb_check import limb_check
from emcheck.domain.fitting.seen import PASSED, Seen
from emcheck.domain.fitting.visits import Visit
from emcheck.domain.ids import AddressId, Ms, OrderId, TagId, UnitId, WearerId
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.domain.policy import Policy, parse_policy
from emcheck.shipped import shipped_config
from firmware_sim.body import SimulatedBody
from firmware_sim.body.motion import ASKED
from firmware_sim.body.places import PLACES

_BEGIN: Ms = 1_774_724_400_000
_EVERY: Ms = 10 * SECOND
_LIFT_AT, _LOWER_AT, _MOST = 30 * SECOND, 50 * SECOND, 5 * MINUTE
_TAG = TagId("T-1")


def fitted_after_s(place: str, seed: int, policy: Policy) -> float | None:
    """After how many seconds since the strap was closed the step passes; None where it does not in five minutes."""
    body = SimulatedBody(seed=f"{place}/{seed}", at=_BEGIN - 3 * MINUTE)
    body.move_to("held", _BEGIN - MINUTE, strap="open", motion=ASKED)
    body.move_to(place, _BEGIN, strap="closed", motion=ASKED)
    acts: list[tuple[Ms, object]] = [
        (_BEGIN, AnswerStep(type="fitting_answer", step="limb", answer="yes", limb="left_ankle", **_SAID))
    ]
    reports: list[Report] = []
    for at in range(_BEGIN + _EVERY, _BEGIN + _MOST + 1, _EVERY):
        since = at - _BEGIN
        read = body.reading(at)
        sample = Sample(at, read.skin_c, read.ambient_c, read.motion_mg, read.proximity, read.strap)
        reports.append(Report(at, 1, 1, 10.0, -60.0, read.strap, sample))
        if since == _LIFT_AT:
            body.lift(at)
            acts.append((at, MarkFitting(type="fitting_mark", what="lifted", **_SAID)))
        elif since == _LOWER_AT:
            body.put_back(at)
            acts += [(at, MarkFitting(type="fitting_mark", what=what, **_SAID)) for what in ("lowered", "moved")]
        elif since > _LOWER_AT and limb_check(_seen(reports, acts, at, policy)).state == PASSED:
            return since / SECOND
    return None


_SAID: dict[str, Any] = {"session": "FS-1", "tag": _TAG, "by": "A. Fitter"}
_VISIT = Visit(
    session="FS-1", order_id=OrderId("O-1"), wearer_id=WearerId("W-1"), address_id=AddressId("A-1"), tag=_TAG,
    unit=UnitId("BU-0001"), by="A. Fitter", opened_at=_BEGIN - MINUTE, until=_BEGIN + 60 * MINUTE,
)  # fmt: skip


def _seen(reports: Sequence[Report], acts: list[tuple[Ms, object]], at: Ms, policy: Policy) -> Seen:
    heard = Heard({_TAG: tuple(reports)}, {_TAG: at}, (), (), (), 0, len(reports))
    return Seen(_VISIT, acts, heard, policy, at, None)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("places", nargs="*", help="which places; all where none is named")
    arguments.add_argument("--fittings", type=int, default=100, help="so many of each")
    said = arguments.parse_args()
    policy = parse_policy((shipped_config() / "policy" / "england-wales.toml").read_text())
    print(f"{'place':<24}{'passed':>10}{'of':>7}{'median s':>10}")
    for place in said.places or PLACES:
        after = [fitted_after_s(place, seed, policy) for seed in range(said.fittings)]
        done = [seconds for seconds in after if seconds is not None]
        print(f"{place:<24}{len(done):>10}{len(after):>7}{f'{median(done):.0f}' if done else '-':>10}", flush=True)


if __name__ == "__main__":
    main()
