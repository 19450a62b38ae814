"""The base of what is kept on disk as JSON."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

Kept = TypeVar("Kept", bound="Record")


class Record(BaseModel):
    """Fields that do not change once they are set; each is a key in the file."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls: type[Kept], values: Mapping[str, Any]) -> Kept:
        """What `to_json` made; other keys are let be.

        Raises:
            ValueError: a field is missing, or of another kind or size than it can have.
        """
        return cls.model_validate(values)
