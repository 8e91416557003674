"""Whom an alert is about, in words."""

import pytest

from emcheck.domain.bursts import EVERYBODY, Group
from emcheck.present.whom import whom


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("W-1", "W-1"),
        (str(EVERYBODY), "all base units"),
        (str(Group("uplink", "mobile north")), "base units on uplink mobile north"),
        ("incident of another kind", "incident of another kind"),
        ("strap batch S-24-11", "strap batch S-24-11"),
        ("audit", "this service"),
    ],
)
def test_an_incident_is_about_units_and_everything_else_is_named(subject: str, said: str) -> None:
    assert whom(subject) == said
