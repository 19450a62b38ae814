"""What is kept of the images when they themselves are not there."""

from typing import Annotated, TypeAlias

from pydantic import Field

from ..core.record import Record
from .channels import MOST_CHANNELS
from .cleaning import CleaningRecord
from .imageset import ImageSet

Count: TypeAlias = Annotated[int, Field(ge=0)]
Channels: TypeAlias = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
Side: TypeAlias = Annotated[int, Field(ge=1, le=2**15)]  # pixels


class DataRecord(Record):
    """What is kept of the images: enough to build the network and to name what was seen."""

    source: str
    images: Count
    channels: Channels
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
