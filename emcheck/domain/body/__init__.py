"""The body check: whether a tag is on a living limb.

It weighs all that a tag tells, and says `uncertain` until that is enough. Five hypotheses: *skin*; *loose* (worn, but
nothing touches the sensor now); *covered* (sock, bandage); *moving*, but not on skin (prosthesis, bag); *off* and
still. They are held against each reading and those before it, never later ones, by a forward recursion over modes
(modes.py), with every number beside its source (model.py). docs/adr/0022 says why.

1. A closed strap proves nothing. One that is seen to close begins anew: what was said of another place is no evidence.
   One that opens makes off twenty times as likely, once.
2. Temperature. The gap, skin side minus ambient, against the tag's own bias and the wearer's usual gap (bias.py): a
   limb warms the skin side, a cool one little, and the less so the warmer its surroundings are, so that in
   surroundings as warm as a body the gap says nothing. The slope: a tag taken off cools as an exponential does, a worn
   one does not. The level, weakly: a limb may be as cool as a room.
3. Motion, against the tag's own history: none, faint or strong. A limb at rest is still for an hour; a table for a day.
4. Proximity (contact.py), corrected for drift, and believed as far as it has been seen to say no. A sensor that says
   contact while it is held off, or after all else has said off, is faulty and not listened to. What it says while it is
   held off is about the sensor, not about the limb.
5. It is a sequential test: evidence is weighed at most every 10 s, for as long as it is new (a reading that has not
   changed is mostly old evidence), and a state is decided once the other hypotheses together are less likely than the
   error rate of the model: 1 - `detached_from` and 1 - `attached_from`. A decision stands until it is less likely
   than not.
6. What cannot say no does not say yes. `attached` needs a gap, or a proximity that has been seen to say no, in the
   last 15 min, and no proximity that says no, and no open strap. Where proximity tells, it has to rule out cover, and
   the temperatures have to show by themselves that heat comes through (warmth.py): carbon fibre and metal touch as
   skin does. `detached` needs a skin side or a proximity: motion alone never accuses a sleeper; and without proximity
   what moves is accused of nothing, for a cool leg looks like a bag. Temperature cannot tell skin from a thin sleeve,
   so that without proximity nothing is surer than 98 %.
7. Bad input. A value that cannot be (skin 80 degC, proximity 7) and a reading from before the last are not used, and
   the judgement's remarks say so; a file with one is refused by `emcheck body assess`. A frozen channel (frozen.py)
   and a skin side too hot for a limb are no evidence; remarks say so.

One `BodyCheck` a tag: `take(sample)` gives a `Judgement` (`state`, `p_attached`, `hypotheses`, `words`, `remarks`);
`packed()` and `BodyCheck.unpacked(packed)` keep it between two readings, in some 500 bytes; `plain()` and
`BodyCheck.restored(plain)` carry it over a restart.
"""

from emcheck.domain.body.check import BodyCheck
from emcheck.domain.body.judgement import ATTACHED, DETACHED, UNCERTAIN, Judgement
from emcheck.domain.body.model import MODEL, Model
from emcheck.domain.body.sample import Sample, impossible

__all__ = ["ATTACHED", "DETACHED", "MODEL", "UNCERTAIN", "BodyCheck", "Judgement", "Model", "Sample", "impossible"]
