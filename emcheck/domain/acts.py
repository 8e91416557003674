"""What all instructions have in common, and how one says that it cannot be carried out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

By = Annotated[str, Field(pattern=r"\S", description="Who said so.")]


class InstructionError(ValueError):
    """An instruction that cannot be carried out: `path` in it, what is wrong and what would be right."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


class Act(BaseModel):
    """One instruction; each kind has a `type` of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    warnings: tuple[str, ...] = ()
    """What the service remarked when it was carried out. Whoever gives it leaves this out; it is written over."""
