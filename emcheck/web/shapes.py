"""What the bodies of the REST API have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """A body: unknown members are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Password = Annotated[str, Field(max_length=1000)]
"""As it was typed."""
