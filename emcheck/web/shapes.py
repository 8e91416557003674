"""What all bodies of the REST API have in common."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A body: unknown keys are errors, and what stands beside a field describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
