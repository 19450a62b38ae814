"""Splits: seeded, stratified, exact in size, and no image on two sides."""

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
    """What part of the images goes where, in percent; the three add up to 100."""

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
            numbers = [float(part) for part in text.split("/")]
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
        parts = (self.train, self.validation, self.test)
        return "/".join(np.format_float_positional(one, trim="-") for one in parts)

    def sizes(self, count: int) -> Int64[np.ndarray, "3"]:
        """Int64Array sizes that add up to `count`, by largest remainder: 18,724 -> 11,234, 3,745, 3,745.

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
    """Divide `images` so that equal images, and images of one group, share a side.

    Classes are spread evenly as far as that allows. The sizes are exact unless a group is too large to
    fit, as when whole font families stay together.

    Raises:
        ConfigurationError: a part would hold no image.
    """
    draw = numpy_generator(seed, "split")
    room = shares.sizes(len(images))
    labels = np.zeros(len(images), dtype=np.int64) if images.labels is None else images.labels
    _, labels = np.unique(labels, return_inverse=True)
    units = _units(images)
    sizes = np.bincount(units)
    side = np.full(len(images), -1, dtype=np.int64)
    counts = np.bincount(labels)
    quota = counts[:, None] * (room / len(images))

    _place_large_units(side, units, sizes, labels, room, quota, draw)
    singles = np.flatnonzero(side < 0)
    if len(singles):
        _place_singles(side, singles, labels, room, quota, draw)
    parts = [np.flatnonzero(side == number).astype(np.int64) for number in range(3)]
    if not all(len(part) for part in parts):
        raise DataError(
            "every part of a split must hold an image",
            found=f"{counted(len(sizes), 'group')} of images that must stay together",
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
        kept_together=int(sizes[sizes > 1].sum()),
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


def _place_large_units(
    side: Int64Array,
    units: Int64Array,
    sizes: Int64Array,
    labels: Int64Array,
    room: Int64[np.ndarray, "3"],
    quota: Float[np.ndarray, "classes 3"],
    draw: np.random.Generator,
) -> None:
    """Place every unit of more than one image; `side`, `room` and `quota` are updated in place.

    One that would fill a hundredth of the smallest part goes where there is most room for it; the
    smaller ones are drawn in proportion to the room, as single images are.
    """
    order = np.argsort(units, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    several = np.flatnonzero(sizes > 1)
    several = draw.permutation(several)
    several = several[np.argsort(-sizes[several], kind="stable")]
    large = room.min() / 100
    for unit in several:
        members = order[starts[unit] : starts[unit + 1]]
        of_class = np.bincount(labels[members], minlength=len(quota))
        wanted = np.clip(of_class @ np.clip(quota, 0, None) / len(members), 1e-9, None)
        fits = room >= len(members)
        if not fits.any():
            chosen = int(np.argmax(room))
        elif len(members) > large:
            chosen = int(np.argmax(np.where(fits, wanted, -1)))
        else:
            chance = np.where(fits, wanted, 0)
            chosen = int(draw.choice(3, p=chance / chance.sum()))
        side[members] = chosen
        room[chosen] -= len(members)
        quota[:, chosen] -= of_class


def _place_singles(
    side: Int64Array,
    singles: Int64Array,
    labels: Int64Array,
    room: Int64[np.ndarray, "3"],
    quota: Float[np.ndarray, "classes 3"],
    draw: np.random.Generator,
) -> None:
    room = np.clip(room, 0, None)
    while room.sum() > len(singles):  # a unit that did not fit took room that was promised to others
        room[int(np.argmax(room))] -= 1
    per_class = np.bincount(labels[singles], minlength=len(quota))
    table = _whole_table(quota, per_class, room)
    for number, row in enumerate(table):
        members = draw.permutation(singles[labels[singles] == number])
        side[members] = np.repeat(np.arange(3), row)


def _whole_table(
    target: Float[np.ndarray, "classes 3"],
    rows: Int64[np.ndarray, " classes"],
    columns: Int64[np.ndarray, "3"],
) -> Int64[np.ndarray, "classes 3"]:
    """Int64Array numbers near `target` with exactly these row and column sums (which agree in total)."""
    fitted = np.clip(target, 1e-6, None)
    for _ in range(50):  # iterative proportional fitting; the rounding below makes the sums exact
        fitted *= (rows / np.clip(fitted.sum(axis=1), 1e-12, None))[:, None]
        fitted *= columns / np.clip(fitted.sum(axis=0), 1e-12, None)
    table: Int64[np.ndarray, "classes 3"] = np.minimum(np.floor(fitted).astype(np.int64), rows[:, None])
    while (over := table.sum(axis=0) - columns).max() > 0:
        column = int(np.argmax(over))
        table[int(np.argmax(table[:, column])), column] -= 1
    while (over := table.sum(axis=1) - rows).max() > 0:
        row = int(np.argmax(over))
        table[row, int(np.argmax(table[row]))] -= 1
    while (missing := rows - table.sum(axis=1)).any():
        short = columns - table.sum(axis=0)
        gain = np.where((missing[:, None] > 0) & (short > 0), fitted - table, -np.inf)
        table[np.unravel_index(int(np.argmax(gain)), gain.shape)] += 1
    return table
