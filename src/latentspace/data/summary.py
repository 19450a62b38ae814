"""What is kept of the images when they themselves are not there."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import Field, TypeAdapter

from .cleaning import CleaningRecord
from .imageset import ImageSet

Count: TypeAlias = Annotated[int, Field(ge=0)]
Side: TypeAlias = Annotated[int, Field(ge=1, le=2**15)]  # pixels


@dataclass(frozen=True)
class DataRecord:
    """What is kept of the images: enough to build the network and to name what was seen."""

    source: str
    images: Count
    channels: Annotated[int, Field(ge=1, le=3)]
    height: Side
    width: Side
    class_names: tuple[str, ...]
    labelled: bool
    content_hash: str
    duplicate_groups: Count
    duplicate_images: Count
    comparable: bool
    cleaning: CleaningRecord

    @classmethod
    def of(cls, images: ImageSet) -> "DataRecord":
        height, width = images.size
        return cls(
            source=images.source,
            images=len(images),
            channels=images.channels,
            height=height,
            width=width,
            class_names=images.class_names,
            labelled=images.labelled,
            content_hash=images.content_hash,
            duplicate_groups=images.duplicates.groups,
            duplicate_images=images.duplicates.extra,
            comparable=images.comparable,
            cleaning=images.record,
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DataRecord":
        """Raises: ValueError: a value that is missing, or of another kind or size than it can have."""
        found = TypeAdapter(cls).validate_python(values)
        if found.channels not in (1, 3):
            raise ValueError(f"{found.channels} channels")
        return found
