"""ImageSet: the images as bytes, the labels apart, and a hash that says which images they are."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..core.errors import DataError
from ..core.html import table
from ..core.progress import told
from ..core.types import Hashes, Int64Array, Pixels
from ..core.wording import brief, colour_of, counted, option
from .cleaning import CleaningRecord, Duplicates, count_duplicates, kept_of_copies
from .kept_pairs import kept_near_copies
from .memmap import blocks, chosen, require_unchanged
from .near_copies import MOST, Pairs, near_copies
from .sampling import stratified_sample

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """Images of one size, 0-255; a model sees `pixels / 255`.

    Args:
        pixels: uint8, images x channels x height x width; a `numpy.memmap` stays on disk.
        source: what was recognised, for a person: "notMNIST (small)", "a folder of class folders".
        labels: whole numbers that index `class_names`, or None.
        class_names: the names of the labels, in their order.
        groups: images with the same number must stay in one part of a split (fonts of one family,
            pictures of one patient), or None.
        parts: the part of the publisher's own split that each image belongs to: 0 train, 1 validation,
            2 test, -1 none; None where the source has no parts.
        record: what was skipped or converted on the way.
        comparable: whether these are the images of notMNIST as published, so that results can be compared.
        files: what each image of the source is called, or None where its images have rows alone.
        rows: the place of each image in the source, where some of its images were left out or moved.

    Raises:
        DataError: no image, a side below one pixel, or labels or files that do not fit the images.
    """

    pixels: Pixels
    source: str
    labels: Int64Array | None = None
    class_names: tuple[str, ...] = ()
    groups: Int64Array | None = None
    record: CleaningRecord = field(default_factory=CleaningRecord)
    comparable: bool = False
    files: Sequence[str] | None = None
    rows: Int64Array | None = None
    parts: Int64Array | None = None

    def __post_init__(self) -> None:
        for name in ("labels", "groups", "rows", "parts"):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, _numbers(given, name))
        object.__setattr__(self, "class_names", tuple(map(str, self.class_names)))
        if not isinstance(self.pixels, np.ndarray):
            raise DataError(
                "the pixels of an image set are an array, images x channels x height x width",
                found=brief(self.pixels),
                do="give lists, tensors and pictures to latentspace.load_data, which makes a set of them",
            )
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 4 or 0 in self.pixels.shape:
            raise DataError(
                "an image set holds uint8 pixels, images x channels x height x width, none of them 0",
                found=f"{self.pixels.dtype} of shape {self.pixels.shape}",
                do="convert the array, or name a source that holds images",
            )
        for name in ("labels", "groups", "rows", "parts"):
            numbers = getattr(self, name)
            if numbers is not None and numbers.shape != (len(self.pixels),):
                raise DataError(
                    f"there must be one of the {name} for each image",
                    found=f"{counted(len(self.pixels))}, {name} of shape {numbers.shape}",
                    do=f"make the {name} as long as the images",
                )
        if self.files is not None and self.rows is None and len(self.files) != len(self.pixels):
            raise DataError(
                "there must be one of the files for each image",
                found=f"{counted(len(self.pixels))}, {counted(len(self.files), 'file')}",
                do="name as many files as there are images",
            )
        if self.labels is not None and (
            self.labels.min() < 0 or self.labels.max() >= max(len(self.class_names), 1)
        ):
            raise DataError(
                f"labels must lie in 0..{len(self.class_names) - 1}, one number for each class name",
                found=f"labels from {self.labels.min()} to {self.labels.max()}",
                do="number the classes from 0, and name all of them",
            )

    def __len__(self) -> int:
        return len(self.pixels)

    def __repr__(self) -> str:
        labels = "no labels" if self.labels is None else counted(len(self.class_names), "class")
        sides = "x".join(map(str, self.size))
        return f"<ImageSet: {counted(len(self))}, {sides}, {self.colour}, {labels}; {self.source}>"

    def _repr_html_(self) -> str:
        """Some of the images and what they are, in a notebook."""
        from .preview import as_html

        classes = ", ".join(self.class_names) or "no labels"
        rows = {"images": f"{len(self):,}", "size": "x".join(map(str, self.size)), "colour": self.colour}
        return table(self.source, {**rows, "classes": classes}) + as_html(self.pixels)

    @property
    def channels(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def colour(self) -> str:
        """`grey`, `colour`, or how many channels there are."""
        return colour_of(self.channels)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return int(self.pixels.shape[2]), int(self.pixels.shape[3])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.channels, *self.size

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each image is called: its file within the source, else its row there, counted from 0."""
        return self.names_of(np.arange(len(self)))

    def class_of(self, index: int) -> str:
        """The name of an image's class; nothing where images have no labels."""
        return "" if self.labels is None else self.class_names[self.labels[index]]

    def names_of(self, indices: Int64Array) -> tuple[str, ...]:
        """The names of some of the images, without making those of all."""
        rows = indices if self.rows is None else self.rows[indices]
        if self.files is None:
            return tuple(map(str, rows.tolist()))
        return tuple(self.files[row] for row in rows.tolist())

    def label_names(self, indices: Int64Array) -> list[str]:
        """The names of the classes of some of the images, which have labels."""
        assert self.labels is not None
        return [self.class_names[label] for label in self.labels[indices].tolist()]

    @property
    def labelled(self) -> bool:
        return self.labels is not None

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the shape, pixels, labels and class names: equal where the data are equal."""
        return self.hashed()

    def hashed(self) -> str:
        """`content_hash`, of what the pixels are now: a file that they are mapped from may have changed."""
        digest = hashlib.sha256(repr((self.pixels.shape, self.class_names)).encode())
        for here in told(blocks(self.pixels), "parts hashed"):
            digest.update(np.ascontiguousarray(self.pixels[here]).data)
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return digest.hexdigest()

    @cached_property
    def image_hashes(self) -> Hashes:
        """A 64-bit BLAKE2b of each image's shape and bytes; two equal hashes are taken as one image."""
        salt = repr(self.shape).encode()[:16]
        hashes = np.empty(len(self), dtype=np.uint64)
        for here in told(blocks(self.pixels), "parts of images hashed"):
            rows = np.ascontiguousarray(self.pixels[here]).reshape(here.stop - here.start, -1)
            digests = b"".join(hashlib.blake2b(row.data, digest_size=8, salt=salt).digest() for row in rows)
            hashes[here] = np.frombuffer(digests, dtype="<u8")
        return hashes

    def remember(self, content_hash: str, image_hashes: Hashes) -> None:
        """Take these for the hashes, which were worked out of the same images before.

        Raises:
            ValueError: not one 64-bit hash for each image.
        """
        if image_hashes.shape != (len(self),) or image_hashes.dtype != np.uint64:
            raise ValueError(f"{image_hashes.dtype} hashes of shape {image_hashes.shape}")
        vars(self).update(content_hash=content_hash, image_hashes=image_hashes)

    @cached_property
    def duplicates(self) -> Duplicates:
        return count_duplicates(self.image_hashes)

    @cached_property
    def near_copies(self) -> Pairs:
        """The pairs of images that are one picture, moved, saved anew, scaled or brightened a little."""
        return kept_near_copies(
            self.content_hash, len(self), lambda: near_copies(self.pixels, self.image_hashes)
        )

    @property
    def on_disk(self) -> bool:
        return isinstance(self.pixels, np.memmap)

    def subset(self, indices: Int64Array) -> "ImageSet":
        """The images at `indices`, in memory."""
        require_unchanged(self.pixels)
        return self._with(self.pixels[indices], indices)

    def _with(self, pixels: Pixels, indices: Int64Array) -> "ImageSet":
        return replace(
            self,
            pixels=pixels,
            labels=None if self.labels is None else self.labels[indices],
            groups=None if self.groups is None else self.groups[indices],
            parts=None if self.parts is None else self.parts[indices],
            rows=np.arange(len(self))[indices] if self.rows is None else self.rows[indices],
        )

    def deduplicated(self, conflicts: str = "none") -> "ImageSet":
        """One image of each set of equal ones, as `kept_of_copies` says; the record counts what went.

        Of a published split, training images go that are near copies of validation or test images.

        Raises:
            DataError: none is left.
        """
        kept = kept_of_copies(self.image_hashes, self.labels, self.parts, conflicts)
        if not len(kept):
            raise DataError(
                "an image must be left without its copies",
                found=f"{counted(len(self))}, each equal to one with another label",
                do=f"mend the labels, or keep the first of equal images: {option('conflicts', 'first')}",
            )
        if self.parts is not None and (self.parts > 0).any():
            kept = np.setdiff1d(kept, self._near_held_out())
        if len(kept) == len(self):
            return self
        dropped = self.record.duplicates_dropped + len(self) - len(kept)
        record = self.record.model_copy(update={"duplicates_dropped": dropped})
        return replace(self._with(chosen(self.pixels, kept), kept), record=record)

    def limited(self, count: int, seed: int) -> "ImageSet":
        """A seeded sample of `count` images, in their order, or all; classes and parts keep their shares."""
        if len(self) <= count:
            return self
        strata = np.zeros(len(self), dtype=np.int64) if self.labels is None else self.labels
        if self.parts is not None:
            strata = np.unique(np.stack([self.parts, strata]), axis=1, return_inverse=True)[1].reshape(-1)
        rows = stratified_sample(np.arange(len(self)), count, strata, np.random.default_rng(seed))
        logger.info("a sample of %s of %s", f"{count:,}", counted(len(self)))
        return self._with(chosen(self.pixels, rows), rows)

    def _near_held_out(self) -> Int64Array:
        """The images of the published training part that are near copies of validation or test images."""
        assert self.parts is not None
        if len(self) > MOST:
            return np.zeros(0, dtype=np.int64)
        _, copies = np.unique(self.image_hashes, return_inverse=True)
        held_out, near = np.zeros(len(self), dtype=bool), np.zeros(len(self), dtype=bool)
        held_out[copies[self.parts > 0]] = True
        for one, other in (
            (self.near_copies.first, self.near_copies.second),
            (self.near_copies.second, self.near_copies.first),
        ):
            near[copies[one[held_out[copies[other]]]]] = True
        return np.flatnonzero(near[copies] & (self.parts <= 0)).astype(np.int64)


def _numbers(given: object, name: str) -> Int64Array:
    """An array of whole numbers, from one or from a list of them."""
    if isinstance(given, list | tuple) and all(isinstance(one, int | np.integer) for one in given):
        given = np.array(given, dtype=np.int64)
    if not isinstance(given, np.ndarray) or given.dtype.kind not in "iu":
        raise DataError(
            f"{name} must be whole numbers, one for each image",
            found=brief(given),
            do="give a list of them, or an array of int64",
        )
    return given.astype(np.int64, copy=False)
