"""Splits: the publisher's, or seeded, stratified, exact in size, and no image in two parts."""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Int64
from pydantic import BeforeValidator, PlainSerializer, model_validator

from ..core.errors import ConfigurationError, DataError
from ..core.record import Record
from ..core.types import Int64Array
from ..core.wording import counted, option
from .dealing import Dealing
from .imageset import ImageSet
from .near_copies import MOST, Pairs
from .together import units

logger = logging.getLogger(__name__)

AUTO: Final = "auto"
PUBLISHED: Final = "published"
USUAL: Final = "60/20/20"
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
    """The indices of each part, in ascending order, and the hash of the images they index.

    Args:
        shares: percent of each part, or `published`: the publisher's own parts.
        kept_together: images of units of several, which are in one part as far as no publisher parted them.
        drawn: of a published split, the parts that the publisher did not give, and that were drawn.
        copies_parted: validation and test images with an exact copy in an earlier part.
        groups_parted: validation and test images with an image of their group in an earlier part.
        near_train: validation and test images with a near copy in the training part; None: not looked for.
        near_validation: test images with a near copy in the validation part.
    """

    content_hash: str
    seed: int
    shares: str
    kept_together: int
    drawn: tuple[Part, ...] = ()
    copies_parted: int = 0
    groups_parted: int = 0
    near_train: Indices | None = None
    near_validation: Indices | None = None
    train: Indices
    validation: Indices
    test: Indices

    def part(self, name: Part) -> Int64Array:
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]

    def near_to(self, learned: str) -> Int64Array | None:
        """The evaluated images with a near copy among those learned from; None: unknown.

        Args:
            learned: `train`, `train+validation`, or `any`: in an earlier part.
        """
        if self.near_train is None or self.near_validation is None:
            return None
        if learned == "train":
            return self.near_train
        near = np.union1d(self.near_train, self.near_validation)
        return near if learned == "any" else np.intersect1d(near, self.test)

    @property
    def published(self) -> bool:
        return self.shares == PUBLISHED

    @property
    def note(self) -> str:
        """The sizes, for a person, whose split it is, and how far groups pushed it from the shares asked."""
        sizes = [len(self.part(name)) for name in PARTS]
        text = f"{sizes[0]:,} train, {sizes[1]:,} validation, {sizes[2]:,} test"
        if self.published:
            drawn = f"; {' and '.join(self.drawn)} drawn from its training images" if self.drawn else ""
            return f"{text}: the publisher's parts{drawn}"
        got = "/".join(f"{100 * size / sum(sizes):.1f}" for size in sizes)
        exact = Shares.parse(self.shares).sizes(sum(sizes)).tolist() == sizes
        return text if exact else f"{text}: {got} where {self.shares} was asked, as groups stay together"

    @property
    def parted(self) -> str:
        """What is in two parts and should be in one, for a person; empty where nothing is."""
        near = self.near_to("any")
        counts = {
            "an exact copy": self.copies_parted,
            "a near copy": 0 if near is None else len(near),
            "an image of their group": self.groups_parted,
        }
        found = [f"{count:,} with {what}" for what, count in counts.items() if count]
        return ", ".join(found)

    @model_validator(mode="after")
    def _each_image_once(self) -> "Split":
        together = np.sort(np.concatenate([self.part(name) for name in PARTS]))
        if not np.array_equal(together, np.arange(len(together))):
            raise ValueError("the parts do not hold each image once")
        return self


def shares_of(text: str) -> Shares:
    """The percentages that `text` names; the usual ones where it leaves that to the images."""
    return Shares.parse(USUAL if text in (AUTO, PUBLISHED) else text)


def split_as(images: ImageSet, shares: str, seed: int, *, near_copies: bool = False) -> Split:
    """The split that `shares` asks for: percentages, `published`, or `auto`: published, else 60/20/20.

    Args:
        near_copies: whether near copies are looked for and stay together.

    Raises:
        ConfigurationError: published parts of images that have none, or a part would hold no image.
    """
    has_parts = images.parts is not None and bool((images.parts > 0).any() and (images.parts <= 0).any())
    if shares == PUBLISHED and not has_parts:
        raise ConfigurationError(
            "a published split needs images with parts: training images, and others",
            found=f"{images.source}, which has none",
            do=f"write for example {option('split', USUAL)}",
        )
    pairs = images.near_copies if near_copies and len(images) <= MOST else None
    if near_copies and pairs is None:
        logger.warning("near copies are not looked for among more than %s images", f"{MOST:,}")
    if shares == PUBLISHED or (shares == AUTO and has_parts):
        return _published(images, seed, pairs)
    return split(images, shares_of(shares), seed, pairs)


def split(images: ImageSet, shares: Shares, seed: int, pairs: Pairs | None = None) -> Split:
    """Divide `images` so that equal images, near copies, and images of one group, are in one part.

    1. Images that may not be parted make a unit; `units` finds them. Most units are single images.
    2. The units of several images are put into parts, the largest first: large ones into the part that misses
       most images of their classes, small ones by chance, in proportion to what each part misses.
    3. A table says how many of the single images of each class each part takes. Its rows sum to the images
       of a class, its columns to the places that are left in a part.
    4. The single images of each class are shuffled, and dealt out by the table.

    Classes are spread evenly as far as that allows. The sizes are exact unless a unit is too large to fit, as
    when whole font families stay together.

    Args:
        pairs: of near copies; None: they were not looked for, and may be parted.

    Raises:
        ConfigurationError: a part would hold no image.
        DataError: all images are copies of one, or too few units.
    """
    sizes = shares.sizes(len(images))
    together = units(images, pairs)
    dealing = Dealing.of(images.labels, sizes, seed)
    return _made(images, dealing.dealt(together), together, pairs, shares=str(shares), seed=seed)


def _published(images: ImageSet, seed: int, pairs: Pairs | None) -> Split:
    """The publisher's parts; a fifth of the training images for each that there is not.

    Images of no part join the training images.
    """
    assert images.parts is not None
    part = np.clip(images.parts, 0, None)
    together = units(images, pairs)
    drawn = [number for number in (1, 2) if not (part == number).any()]
    for number in drawn:
        rest = np.flatnonzero(part == 0)
        fifth = max(1, round(len(rest) / 5))
        sizes = np.zeros(3, dtype=np.int64)
        sizes[number], sizes[0] = fifth, len(rest) - fifth
        labels = None if images.labels is None else images.labels[rest]
        own = np.unique(together[rest], return_inverse=True)[1].astype(np.int64)
        part[rest] = Dealing.of(labels, sizes, seed).dealt(own)
    names = tuple(PARTS[number] for number in drawn)
    return _made(images, part, together, pairs, shares=PUBLISHED, seed=seed, drawn=names)


def _made(
    images: ImageSet, part: Int64Array, together: Int64Array, pairs: Pairs | None, **others: Any
) -> Split:
    """The record of a split, and of what is in several parts.

    Raises:
        DataError: a part without images.
    """
    parts = [np.flatnonzero(part == number).astype(np.int64) for number in range(len(PARTS))]
    sizes = np.bincount(together)
    if not all(len(one) for one in parts):
        alike = len(np.unique(images.image_hashes)) == 1
        raise DataError(
            "every part of a split must hold an image",
            found=f"{counted(len(images))} that are all copies of one"
            if alike
            else f"{counted(len(sizes), 'group')} of images that must stay together",
            do="use images that differ"
            if alike
            else "use data with more groups, or give the empty part a larger share",
        )
    _, copies = np.unique(images.image_hashes, return_inverse=True)
    near_train, near_validation = (None, None) if pairs is None else _near(part, copies, pairs)
    return Split(
        **others,
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        content_hash=images.content_hash,
        kept_together=int(sizes[sizes > 1].sum()),
        copies_parted=_parted(part, copies),
        groups_parted=0 if images.groups is None else _parted(part, images.groups),
        near_train=near_train,
        near_validation=near_validation,
    )


def _parted(part: Int64Array, numbers: Int64Array) -> int:
    """How many images have another with the same number in an earlier part."""
    _, unit = np.unique(numbers, return_inverse=True)
    earliest = np.full(int(unit.max()) + 1, len(PARTS))
    np.minimum.at(earliest, unit, part)
    return int((part > earliest[unit]).sum())


def _near(part: Int64Array, copies: Int64Array, pairs: Pairs) -> tuple[Int64Array, Int64Array]:
    """The images of later parts with a near copy in the training part; those of the test in validation."""
    found = []
    for number in (0, 1):
        holds = np.zeros(int(copies.max()) + 1, dtype=bool)
        holds[copies[part == number]] = True
        near = np.zeros_like(holds)
        one, other = copies[pairs.first], copies[pairs.second]
        near[one[holds[other]]] = True
        near[other[holds[one]]] = True
        found.append(np.flatnonzero(near[copies] & (part > number)).astype(np.int64))
    return found[0], found[1]
