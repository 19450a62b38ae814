"""What is kept of the images when they themselves are not there."""

from dataclasses import dataclass
from typing import Any

from .cleaning import CleaningRecord
from .imageset import ImageSet


@dataclass(frozen=True)
class DataRecord:
    """What is kept of the images: enough to build the network and to name what was seen."""

    source: str
    images: int
    channels: int
    height: int
    width: int
    class_names: tuple[str, ...]
    labelled: bool
    content_hash: str
    duplicate_groups: int
    duplicate_images: int
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
            labelled=images.labels is not None,
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
        cleaning = CleaningRecord.from_json(values["cleaning"])
        return cls(**{**values, "class_names": tuple(values["class_names"]), "cleaning": cleaning})
