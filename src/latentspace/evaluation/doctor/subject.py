"""What the finders look at: the images, and what is worked out of them once."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32

from ...core.types import CodeArray, Int64Array
from ...core.wording import counted
from ...data.cleaning import blank, sets_of_copies
from ...data.imageset import ImageSet
from ...data.near_copies import MOST, Pairs
from ...data.together import units
from ...inference.computing import Computed, here
from .classification import CrossValidated, cross_validated
from .codes import FEWEST, Coder, principal_codes
from .files import FileFacts
from .statistics import Statistics, empty, statistics_of


@dataclass(eq=False)
class Subject:
    """A set of images under examination.

    Args:
        spec: what names them on a command line.
        make_coder: what gives their codes; called where the first finder asks for codes.
        files: what their files say of themselves.
        other: the set that they are compared with.
        computed: what computes statistics and codes.
        reading: how the images are read, as options of a command line.
        examining: what `doctor --fix` is to be given beside DATA, as options of a command line.
    """

    images: ImageSet
    spec: str
    make_coder: Callable[[], Coder]
    files: FileFacts | None = None
    other: ImageSet | None = None
    computed: Computed = here
    reading: str = ""
    examining: str = ""

    def command(self, words: str) -> str:
        """A command with these images in the place of DATA, read as they were."""
        return words.replace("DATA", self._data(self.reading))

    @property
    def cleaned(self) -> str:
        """The command that writes what to leave out as a table."""
        return "latentspace doctor DATA --fix cleaned.csv".replace("DATA", self._data(self.examining))

    def _data(self, options: str) -> str:
        return f"{shlex.quote(self.spec)} {options}".rstrip()

    @cached_property
    def statistics(self) -> Statistics:
        return statistics_of(self.images.pixels, self.computed)

    @cached_property
    def blank(self) -> Int64Array:
        return blank(self.images.pixels)

    @cached_property
    def empty(self) -> Int64Array:
        """The blank images and those with nothing but noise on them."""
        return empty(self.images.pixels, self.statistics)

    @cached_property
    def copies(self) -> list[Int64Array]:
        return sets_of_copies(self.images.image_hashes)

    @cached_property
    def near(self) -> Pairs | None:
        """Near copies; None where there are too many images to look."""
        return self.images.near_copies if len(self.images) <= MOST else None

    @cached_property
    def units(self) -> Int64Array:
        """A number for each image, the same for copies, near copies and images of one group."""
        return units(self.images, self.near)

    @property
    def why_no_codes(self) -> str:
        """Why there are no codes; empty where there are."""
        if len(self.images) < FEWEST:
            return f"codes take at least {FEWEST} images, and here are {counted(len(self.images))}"
        return ""

    @cached_property
    def coder(self) -> Coder:
        return self.make_coder()

    @cached_property
    def _coded(self) -> tuple[CodeArray, Float32[np.ndarray, " images"]]:
        return self.coder.codes(self.images, self.computed)

    @property
    def codes(self) -> CodeArray:
        return self._coded[0]

    @property
    def errors(self) -> Float32[np.ndarray, " images"]:
        """The mean squared error a pixel of each reconstruction."""
        return self._coded[1]

    @cached_property
    def cross_validated(self) -> CrossValidated | None:
        """The probability of each class for each image, from the others; None where that cannot be had."""
        labels = self.images.labels
        if labels is None:
            return None
        views = [self.codes, principal_codes(self.images, self.codes.shape[1])]
        return cross_validated(views, labels, self.units)

    @property
    def validated_by(self) -> str:
        """What these probabilities come from."""
        return f"{self.coder.words}, and as many principal components"
