"""What a tag on this or that feels: heat, contact and motion as first-order physics, for whoever needs readings.

1. `places.py`: where a tag may be (on a limb, over cloth, on a prosthesis, on a table, in the sun) as physics.
2. `parameters.toml`: every number, with unit and source; what nobody has published is swept, and says so.
3. `tag_body.py`: one tag over time: `SimulatedBody(seed=, at=, place=)`, `move_to`, `lift`, `put_back`, `reading(at)`.
4. `situations.py`: stories by name, with the truth beside each reading: `play("taken-off", seed=1)`.

Nothing here knows the body check; the same seed gives the same readings.
"""

from firmware_sim.body.parameters import PARAMETERS, Parameter, Parameters, shaken
from firmware_sim.body.places import ON_LIMB, PLACES, Place, Truth, is_on_limb
from firmware_sim.body.situations import Act, Told, do, fitting, known, perform, play, removal
from firmware_sim.body.tag_body import BodyReading, SimulatedBody

__all__ = [
    "ON_LIMB",
    "PARAMETERS",
    "PLACES",
    "Act",
    "BodyReading",
    "Parameter",
    "Parameters",
    "Place",
    "SimulatedBody",
    "Told",
    "Truth",
    "do",
    "fitting",
    "is_on_limb",
    "known",
    "perform",
    "play",
    "removal",
    "shaken",
]
