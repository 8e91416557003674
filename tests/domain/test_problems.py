"""What is wrong with a value is said in words, never as a pattern."""

import pytest
from pydantic import BaseModel, Field, ValidationError

from emcheck.domain.problems import first_problem


class _Told(BaseModel):
    boot: str = Field(default="", pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")
    by: str = Field(default="", pattern=r"\S")
    tag: str = Field(default="", pattern=r"^T-[0-9]+$")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("boot", "x", "'x' is no ULID: 26 digits and capitals, as in 01JD0000000000000000000000"),
        ("by", " ", "' ' says nothing; write some text"),
        ("tag", "*", "'*' has characters that are not allowed here"),
    ],
)
def test_a_pattern_is_told_in_words(field: str, value: str, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        _Told.model_validate({field: value})
    assert first_problem(raised.value) == (field, said)
