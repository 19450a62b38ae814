"""Which images, and what is done to them first: the table `data` of a plan."""

from typing import Annotated, Final, TypeAlias

from pydantic import Field

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
    deduplicate: bool = Field(
        default=False, description="keep the first of each set of equal images; `--deduplicate`"
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
    seed: int = Field(default=0, description="of the rendering of glyphs")
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
