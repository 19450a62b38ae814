"""Survey: what must be known of all images of a set before one of them becomes bytes of the set's size.

That is the sizes, the values that become black and white, and what transparent images are laid over. A
survey can be pickled and merged with others, so that parts of a set can be looked at in processes of their
own; so can the conversion that it leads to.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from ...core.wording import counted
from ..cleaning import CleaningRecord
from ..config import DataConfig
from ..fitting import Fit, Size, common_size, fit_words, fitted, resize_words
from ..levels import Levels, Tally, Window
from ..transparency import Opacity, flattened
from .decode import DecodedImage


@dataclass(frozen=True)
class Conversion:
    """What is done to each image of a set; `size` is None where each keeps its own."""

    size: Size | None
    fit: Fit = "crop"
    enlarge: bool = True
    windows: Mapping[str, Window] = field(default_factory=dict)
    ground: int = 0

    def apply(self, image: DecodedImage) -> UInt8[np.ndarray, "height width channels"]:
        """The image as bytes, opaque, at the size of the set."""
        window = self.windows.get(image.pixels.dtype.str)
        pixels = image.pixels if window is None else window.apply(image.pixels)
        if image.alpha is not None:
            pixels = flattened(pixels, image.alpha, self.ground)
        return pixels if self.size is None else fitted(pixels, self.size, self.fit, enlarge=self.enlarge)


class Survey:
    """What is known of the images that were added."""

    def __init__(self, config: DataConfig) -> None:
        self.config = config
        self.tally = Tally(Levels.parse(config.levels))
        self.opacity = Opacity()
        self.sizes: Counter[Size] = Counter()
        self.deep = False  # whether there are values that are no bytes

    def add(self, image: DecodedImage) -> None:
        """Count a decoded image."""
        self.sizes[image.size] += 1
        self.tally.add(image.pixels)
        self.deep = self.deep or image.pixels.dtype != np.uint8
        if image.alpha is not None and image.pixels.dtype == np.uint8:
            self.opacity.add(image.pixels, image.alpha)
        elif image.alpha is not None:
            self.opacity.images += 1

    def add_size(self, size: Size) -> None:
        """Count an image that is known to be opaque bytes, and none of 0 and 1 alone."""
        self.sizes[size] += 1

    def merge(self, other: "Survey") -> None:
        self.tally.merge(other.tally)
        self.opacity.merge(other.opacity)
        self.sizes.update(other.sizes)
        self.deep = self.deep or other.deep

    @property
    def plain(self) -> bool:
        """Whether each image so far can be converted by itself, but for sets of 0 and 1 alone."""
        own_size = len(self.sizes) <= 1 or bool(self.config.resize or self.config.tiles)
        bytes_alone = not self.deep and self.tally.levels.bytes_stay
        return own_size and bytes_alone and not self.opacity.images

    @property
    def sizes_suffice(self) -> bool:
        """Whether of an image that is opaque bytes nothing but its size is still to be known."""
        return self.tally.levels.rule in ("full", "given") or self.tally.beyond_binary

    def conversion(self) -> Conversion:
        """What is done to each image, by all that were added: one at least."""
        chosen = self.config.resize
        return Conversion(
            size=None if self.config.tiles else chosen or common_size(self.sizes),
            fit=self.config.fit,
            enlarge=chosen is not None,
            windows=self.tally.windows(),
            ground=self.opacity.ground,
        )

    def record(self) -> CleaningRecord:
        """What the conversion does to how many images; stretched levels go to the log as a warning."""
        notes, levels = [], self.tally.record()
        if self.opacity.images:
            notes.append(f"{counted(self.opacity.images)} {self.opacity.words}")
        if self.config.tiles:
            return levels.then(*notes)
        size = self.config.resize or common_size(self.sizes)
        others = {one: many for one, many in self.sizes.items() if one != size}
        if others and self.config.resize:
            notes.append(f"{counted(sum(others.values()))} {resize_words(size, self.config.fit, others)}")
        elif others:
            words = fit_words(self.sizes, size, self.config.fit)
            notes.append(f"{counted(sum(others.values()))} {words}")
        return levels.then(*notes)
