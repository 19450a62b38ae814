"""Splits: seeded, stratified, exact in size, and no image in two parts."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int64
from pydantic import BeforeValidator, PlainSerializer, model_validator

from ..core.errors import ConfigurationError, DataError
from ..core.randomness import numpy_generator
from ..core.record import Record
from ..core.types import Int64Array
from ..core.wording import counted
from .imageset import ImageSet

Part: TypeAlias = Literal["train", "validation", "test"]
PARTS: tuple[Part, Part, Part] = ("train", "validation", "test")
Indices: TypeAlias = Annotated[  # an array here, a list on disk
    Int64Array, BeforeValidator(partial(np.asarray, dtype=np.int64)), PlainSerializer(np.ndarray.tolist)
]


@dataclass(frozen=True)
class Shares:
    """What share of the images each part gets, in percent; the three add up to 100."""

    train: float
    validation: float
    test: float

    @classmethod
    def parse(cls, text: str) -> "Shares":
        """`60/20/20` -> Shares(60.0, 20.0, 20.0).

        Raises:
            ConfigurationError: not three positive numbers that add up to 100.
        """
        try:
            numbers = [float(share) for share in text.split("/")]
        except ValueError:
            numbers = []
        if len(numbers) != 3 or not all(0 < one < 100 for one in numbers) or abs(sum(numbers) - 100) > 1e-6:
            raise ConfigurationError(
                "a split is three positive percentages that add up to 100: train/validation/test",
                found=repr(text),
                do="write for example 60/20/20",
            )
        return cls(*numbers)

    def __str__(self) -> str:
        """What `parse` reads back as the same shares, to the last digit: `60/20/20`."""
        shares = (self.train, self.validation, self.test)
        return "/".join(np.format_float_positional(one, trim="-") for one in shares)

    def sizes(self, count: int) -> Int64[np.ndarray, "3"]:
        """Whole sizes that add up to `count`, by largest remainder: 18,724 -> 11,234, 3,745, 3,745.

        Raises:
            ConfigurationError: a part would hold no image.
        """
        exact = count * (np.array([self.train, self.validation, self.test]) / 100)
        sizes = np.floor(exact + 1e-9).astype(np.int64)
        order = np.argsort(-(exact - sizes), kind="stable")
        sizes[order[: count - int(sizes.sum())]] += 1
        if (sizes == 0).any():
            raise ConfigurationError(
                "every part of a split must hold an image",
                found=f"{self} of {counted(count)} leaves the {PARTS[int(np.argmin(sizes))]} part empty",
                do="use more images, or give that part a larger share",
            )
        return sizes


class Split(Record):
    """The indices of each part, in ascending order, and the hash of the images they index."""

    content_hash: str
    seed: int
    shares: str
    kept_together: int
    train: Indices
    validation: Indices
    test: Indices

    def part(self, name: Part) -> Int64Array:
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    @property
    def note(self) -> str:
        """The sizes, for a person, and how far groups pushed them from the shares asked for."""
        sizes = [len(self.part(name)) for name in PARTS]
        got = "/".join(f"{100 * size / sum(sizes):.1f}" for size in sizes)
        text = f"{sizes[0]:,} train, {sizes[1]:,} validation, {sizes[2]:,} test"
        exact = Shares.parse(self.shares).sizes(sum(sizes)).tolist() == sizes
        return text if exact else f"{text}: {got} where {self.shares} was asked, as groups stay together"

    @model_validator(mode="after")
    def _each_image_once(self) -> "Split":
        together = np.sort(np.concatenate([self.part(name) for name in PARTS]))
        if not np.array_equal(together, np.arange(len(together))):
            raise ValueError("the parts do not hold each image once")
        return self


def split(images: ImageSet, shares: Shares, seed: int) -> Split:
    """Divide `images` so that equal images, and images of one group, are in one part.

    1. Images that may not be parted make a unit; `_units` finds them. Most units are single images.
    2. The units of several images are put into parts, the largest first: large ones into the part that misses
       most images of their classes, small ones by chance, in proportion to what each part misses.
    3. A table says how many of the single images of each class each part takes. Its rows sum to the images
       of a class, its columns to the places that are left in a part.
    4. The single images of each class are shuffled, and dealt out by the table.

    Classes are spread evenly as far as that allows. The sizes are exact unless a unit is too large to fit, as
    when whole font families stay together.

    Raises:
        ConfigurationError: a part would hold no image.
    """
    units = _units(images)
    unit_sizes = np.bincount(units)
    dealing = _Dealing.of(images, shares.sizes(len(images)), seed)
    dealing.place_units(units, unit_sizes)
    dealing.place_singles()
    parts = [np.flatnonzero(dealing.part == number).astype(np.int64) for number in range(len(PARTS))]
    if not all(len(part) for part in parts):
        raise DataError(
            "every part of a split must hold an image",
            found=f"{counted(len(unit_sizes), 'group')} of images that must stay together",
            do="use data with more groups, or give the empty part a larger share",
        )
    train, validation, test = parts
    return Split(
        train=train,
        validation=validation,
        test=test,
        seed=seed,
        shares=str(shares),
        content_hash=images.content_hash,
        kept_together=int(unit_sizes[unit_sizes > 1].sum()),
    )


def _units(images: ImageSet) -> Int64Array:
    """A number for each image, the same for images that may not be parted."""
    _, copies = np.unique(images.image_hashes, return_inverse=True)
    if images.groups is None:
        return copies.astype(np.int64)
    from scipy.sparse import coo_array  # here, as what reads a run need not wait for it
    from scipy.sparse.csgraph import connected_components

    _, groups = np.unique(images.groups, return_inverse=True)
    copies_count = int(copies.max()) + 1
    nodes = copies_count + int(groups.max()) + 1
    ones = np.ones(len(images), dtype=np.int8)
    graph = coo_array((ones, (copies, copies_count + groups)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return np.unique(component[copies], return_inverse=True)[1].astype(np.int64)


@dataclass
class _Dealing:
    """A split while it is made.

    Args:
        part: the number of the part of each image; -1 while it has none.
        labels: of the images, from 0.
        places: how many images each part still takes; less than 0 where a unit was too large.
        missing: how many images of each class each part still misses of an even share.
        rng: what is left to chance is drawn from it.
    """

    part: Int64Array
    labels: Int64Array
    places: Int64[np.ndarray, "3"]
    missing: Float[np.ndarray, "classes 3"]
    rng: np.random.Generator

    @classmethod
    def of(cls, images: ImageSet, sizes: Int64[np.ndarray, "3"], seed: int) -> "_Dealing":
        """Nothing is placed yet; the parts are to have `sizes` images."""
        given = np.zeros(len(images), dtype=np.int64) if images.labels is None else images.labels
        _, labels = np.unique(given, return_inverse=True)
        missing = np.bincount(labels)[:, None] * (sizes / len(images))
        part = np.full(len(images), -1, dtype=np.int64)
        return cls(part, labels, sizes.copy(), missing, numpy_generator(seed, "split"))

    def place_units(self, units: Int64Array, sizes: Int64Array) -> None:
        """Place every unit of more than one image; large are those of a hundredth of the smallest part."""
        order = np.argsort(units, kind="stable")
        starts = np.cumsum(sizes) - sizes
        several = self.rng.permutation(np.flatnonzero(sizes > 1))
        several = several[np.argsort(-sizes[several], kind="stable")]
        large = float(self.places.min()) / 100
        for unit in several:
            members = order[starts[unit] : starts[unit] + sizes[unit]]
            of_class = np.bincount(self.labels[members], minlength=len(self.missing))
            chosen = self._part_for(of_class, len(members), at_random=len(members) <= large)
            self.part[members] = chosen
            self.places[chosen] -= len(members)
            self.missing[:, chosen] -= of_class

    def _part_for(self, of_class: Int64Array, size: int, *, at_random: bool) -> int:
        """The number of the part for a unit of `size` images, so many of each class."""
        fits = self.places >= size
        if not fits.any():
            return int(np.argmax(self.places))
        wanted = np.clip(of_class @ np.clip(self.missing, 0, None) / size, 1e-9, None)
        if not at_random:
            return int(np.argmax(np.where(fits, wanted, -1)))
        chance = np.where(fits, wanted, 0)
        return int(self.rng.choice(3, p=chance / chance.sum()))

    def place_singles(self) -> None:
        """Place all images that have no part yet."""
        singles = np.flatnonzero(self.part < 0)
        if not len(singles):
            return
        places = np.clip(self.places, 0, None)
        while places.sum() > len(singles):  # a unit that did not fit took places that were promised to others
            places[int(np.argmax(places))] -= 1
        per_class = np.bincount(self.labels[singles], minlength=len(self.missing))
        for number, row in enumerate(_whole_table(self.missing, per_class, places)):
            members = self.rng.permutation(singles[self.labels[singles] == number])
            self.part[members] = np.repeat(np.arange(3), row)


def _whole_table(
    target: Float[np.ndarray, "classes 3"],
    rows: Int64[np.ndarray, " classes"],
    columns: Int64[np.ndarray, "3"],
) -> Int64[np.ndarray, "classes 3"]:
    """Whole numbers near `target` with exactly these row and column sums (which agree in total).

    `target` is fitted to the sums by iterative proportional fitting and rounded down. What is then too much
    in a column or row is taken from its largest number; what is missing is added where rounding took most.
    """
    fitted = np.clip(target, 1e-6, None)
    for _ in range(50):
        fitted *= (rows / np.clip(fitted.sum(axis=1), 1e-12, None))[:, None]
        fitted *= columns / np.clip(fitted.sum(axis=0), 1e-12, None)
    table: Int64[np.ndarray, "classes 3"] = np.minimum(np.floor(fitted).astype(np.int64), rows[:, None])
    while (over := table.sum(axis=0) - columns).max() > 0:
        column = int(np.argmax(over))
        table[int(np.argmax(table[:, column])), column] -= 1
    while (over := table.sum(axis=1) - rows).max() > 0:
        row = int(np.argmax(over))
        table[row, int(np.argmax(table[row]))] -= 1
    while (under := rows - table.sum(axis=1)).any():
        short = columns - table.sum(axis=0)
        gain = np.where((under[:, None] > 0) & (short > 0), fitted - table, -np.inf)
        table[np.unravel_index(int(np.argmax(gain)), gain.shape)] += 1
    return table
