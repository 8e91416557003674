"""What a help text lists is all that there is."""

import re

from emcheck.cli import attending
from emcheck.domain.alerts import Disposition


def test_every_disposition_stands_in_the_help() -> None:
    parameter = attending.alerts_act.__annotations__["disposition"]
    help_text = parameter.__metadata__[0].help
    assert set(re.findall(r"[a-z_]+", help_text.partition("why; ")[2])) - {"or"} == set(Disposition)
