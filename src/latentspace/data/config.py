"""Which images, and what is done to them first: the table `data` of a plan."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from ..core.config import Config
from .memmap import Residence

GIVEN: Final = "given:"  # the SPEC of images that Python had in memory, before their content hash
Side: TypeAlias = Annotated[int, Field(ge=1, le=4096)]


class DataConfig(Config):
    """Which images, and what is done to them before anything else sees them."""

    spec: str = Field(
        default="auto",
        min_length=1,
        description="which images: `notmnist`, `notmnist:large`, `glyphs`, `glyphs:COUNT`, `auto`, or a path "
        "(the guide to your own images lists what it can be); `--data`. A run of images that were given to "
        "Python has `given:` and their content hash here",
    )
    resize: tuple[Side, Side] | None = Field(
        default=None, description="height and width to bring every image to; `--resize`"
    )
    fit: Literal["crop", "pad", "stretch"] = Field(
        default="crop",
        description="how an image of another shape is brought to one size: `crop` to its middle, `pad` "
        "it with the colour of its border, `stretch` it; `--fit`",
    )
    levels: str = Field(
        default="auto",
        description="which values become black and white: `auto` stretches images of more than 8 bits "
        "that use a small part of their range, by the whole set; `full` the range of their type; "
        "`LOW,HIGH` these two; `percentile` the 0.1th and the 99.9th of the set; `--levels`",
    )
    channels: Annotated[Literal["auto", "1", "3"], BeforeValidator(str)] = Field(
        default="auto",
        description="`1`: grey, `3`: colour, `auto`: colour where an image of the set has any; `--channels`",
    )
    tiles: str | None = Field(
        default=None,
        description="cut each image into tiles of HEIGHTxWIDTH, or HEIGHTxWIDTH/STRIDE; the tiles of one "
        "image are one group; `--tiles`",
    )
    group_by: str | None = Field(
        default=None,
        description="what stays together in a split: a regular expression over names whose first group "
        "says it, `folder`, or a CSV file of names and groups; `--group-by`",
    )
    label: str | None = Field(
        default=None,
        description="which column of a table, or which array of a file, has the labels, where there are "
        "several: `coarse_label`; by its name where this is not given (CIFAR-100's fine ones). `none`: no "
        "labels, so that no image is left out for want of one; `--label`",
    )
    label_by: str | None = Field(
        default=None,
        description="what the names of images say of their classes: a regular expression over names whose "
        r"first group is the label (`^([a-z]+)\.` takes cat from cat.12.jpg), `folder`, or a CSV file of "
        "names and labels; images without one are left out; `--label-by`",
    )
    deduplicate: bool = Field(
        default=False,
        description="keep the first of each set of equal images, and none where they have different labels; "
        "of a published split the test image stays, and training images go that are copies or near copies "
        "of others; `--deduplicate`",
    )
    conflicts: Literal["none", "first"] = Field(
        default="none",
        description="which of equal images with different labels `deduplicate` keeps; `--conflicts`",
    )
    limit: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="a sample of so many images where there are more, drawn by `data.seed`; classes and the "
        "publisher's parts keep their shares; `--limit`",
    )
    strict: bool = Field(
        default=False,
        description="the first unreadable image is an error, else such images are counted and "
        "skipped; `--strict`",
    )
    fonts: str = Field(
        default="bundled",
        description="what glyphs are rendered from: `bundled`, `system`, or a directory; `--fonts`",
    )
    seed: int = Field(default=0, description="of the rendering of glyphs, and of what `limit` draws")
    resident: Residence = Field(
        default="auto",
        description="where pixels are while a network trains: `always` in memory, `never`: they stay "
        "on disk and are read batch by batch, `auto`: on disk where they are more than a "
        "quarter of the free memory (Linux: MemAvailable, or what a control group "
        "leaves). `.npy`, uncompressed `.npz` and IDX files of bytes, and what is in the "
        "cache, can stay on disk. Results are the same to the bit",
    )

    @property
    def given(self) -> bool:
        """Whether the images were given to Python, and so lie nowhere that a SPEC could name."""
        return self.spec.startswith(GIVEN)
