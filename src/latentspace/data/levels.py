"""Levels: which values of images become black and white, where they are not bytes yet.

`auto` looks at all images of a set together, never at one alone:

- bytes stay as they are, but those of a set of 0 and 1 alone, which become 0 and 255;
- whole numbers of any type within 0..255 are bytes;
- larger ones have the range of the bits that they use (0..4095 for 12 bits), or of their type;
- floats in 0..1 and in -1..1 have that range; others from 0 on that reach more than 127 have 0..255;
- where the set uses a small part of that range, it is stretched from its smallest value to its largest.

A run keeps the values that its own set gave (`KeptLevels`); other images of such numbers are read by them,
not by their own.

`full` takes the range of the type: 0..65535 for 16 bits, 0..1 for floats. `LOW,HIGH` are two values,
`percentile` the 0.1th and the 99.9th percentile of the set; both hold for bytes too. What lies outside is
cut there.
"""

import json
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import UInt8

from ..core.errors import ConfigurationError, DataError
from ..core.wording import counted, option
from .cleaning import CleaningRecord, KeptLevels
from .memmap import allocate, blocks, require_unchanged
from .value_counts import Values

logger = logging.getLogger(__name__)

LARGE: Final = 1 / 2  # the share of its range that a set of whole or signed numbers uses, or it is stretched
LARGE_UNIT: Final = 1 / 8  # the same of floats in 0..1
SLACK: Final = 1e-3  # by which floats may miss 0..1 and -1..1: interpolation does that
PERCENTILES: Final = (0.1, 99.9)


@dataclass(frozen=True)
class Levels:
    """A rule for what becomes black and white; `low` and `high` are those of the rule `given`."""

    rule: Literal["auto", "full", "percentile", "given"] = "auto"
    low: int | float = 0
    high: int | float = 0
    kept: tuple[KeptLevels, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Levels":
        """`auto`, `full`, `percentile` or `LOW,HIGH`.

        Raises:
            ConfigurationError: another text, or a LOW that is not below HIGH.
        """
        if text in ("auto", "full", "percentile"):
            return cls(text)  # type: ignore[arg-type]
        if text.startswith(KEPT):
            kept = (KeptLevels.from_json(one) for one in json.loads(text.removeprefix(KEPT)))
            return cls(kept=tuple(kept))
        try:
            low, high = (float(one) for one in text.split(","))
        except ValueError:
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ConfigurationError(
                f"{option('levels')} takes auto, full, percentile, or two numbers LOW,HIGH, the lower first",
                found=repr(text),
                do=f"write for example {option('levels', '0,4095')}",
            )
        return cls("given", low, high)

    @property
    def bytes_stay(self) -> bool:
        """Whether bytes stay as they are, but for 0 and 1 alone."""
        return self.rule in ("auto", "full") and all(one.dtype != "|u1" for one in self.kept)

    def of(self, values: Values) -> KeptLevels | None:
        """What was kept for such values: of their type, or of another with whole numbers, or real ones.

        Levels of a common range, such as 0..1, are for values within it alone.
        """
        dtype = values.dtype
        alike = [one for one in self.kept if one.dtype == dtype.str]
        if not alike and dtype != np.uint8:
            alike = [one for one in self.kept if (np.dtype(one.dtype).kind == "f") == (dtype.kind == "f")]
        for one in alike:
            inside = one.low - SLACK <= values.low and values.high <= one.high + SLACK
            if inside or (one.low, one.high) not in _COMMON:
                return one
        return None


KEPT: Final = "kept:"  # how the levels that a run kept are written in the settings of reading
_COMMON: Final = ((0, 1), (-1, 1), (0, 255))


def kept_levels(levels: str, kept: Sequence[KeptLevels]) -> str:
    """How other images are read than those that `levels` was for, and that kept these."""
    return f"{KEPT}{json.dumps([one.to_json() for one in kept])}" if kept else levels


@dataclass(frozen=True)
class Window:
    """The values that become 0 and 255, and what is done, in words; none where bytes stay as they are.

    `stretched` where less than the range of the type is used.
    """

    low: int | float
    high: int | float
    words: str = ""
    stretched: bool = False

    @property
    def of_the_set(self) -> bool:
        """Whether the set said it, and 0 and 1 alone, or bytes in another type, did not."""
        return "taken as" not in self.words

    def apply(self, values: np.ndarray) -> UInt8[np.ndarray, "..."]:
        """`round(255 (value - low) / (high - low))`, cut at 0 and 255."""
        if values.dtype == np.uint8 and not self.words:
            return values
        scaled = (values.astype(np.float64) - self.low) * 255 / (self.high - self.low)
        return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


_BYTES: Final = Window(0, 255)


class Tally:
    """All values of a set, counted as they come: every image is added, then each is brought to bytes.

    Images of different types are counted apart. A tally can be pickled, and merged with others.
    """

    def __init__(self, levels: Levels) -> None:
        self.levels = levels
        self._types: dict[str, Values] = {}

    def add(self, values: np.ndarray, images: int = 1) -> None:
        """Count the values of so many images, of any whole or real type.

        Raises:
            ValueError: NaN, infinite values, or a type that is no number's.
        """
        if values.dtype.kind not in "biuf":
            raise ValueError(f"values of type {values.dtype}")
        if values.dtype == np.bool_:
            values = values.view(np.uint8)
        name = values.dtype.newbyteorder("=").str
        known = self._types.setdefault(name, Values(np.dtype(name)))
        if name == "|u1" and self.levels.rule != "percentile" and known.high > 1:
            known.images += images  # bytes that are not 0 and 1 alone: nothing else is asked of them
        else:
            known.add(values, images, exact=self.levels.rule == "percentile")

    def merge(self, other: "Tally") -> None:
        """Add what another tally has counted."""
        for name, values in other._types.items():
            self._types.setdefault(name, Values(values.dtype)).merge(values)

    def window(self, dtype: np.dtype) -> Window:
        """What becomes black and white in images of a type, by all that were added."""
        name = "|u1" if dtype == np.bool_ else dtype.newbyteorder("=").str
        return _window(self.levels, self._types[name])

    def windows(self) -> dict[str, Window]:
        """`window` of every type that was added, by the type's text; none of bytes that stay as they are."""
        found = {name: _window(self.levels, one) for name, one in self._types.items()}
        return {name: window for name, window in found.items() if name != "|u1" or window.words}

    @property
    def beyond_binary(self) -> bool:
        """Whether there are bytes, and not 0 and 1 alone."""
        return "|u1" in self._types and self._types["|u1"].high > 1

    @property
    def settled(self) -> bool:
        """Whether all are bytes that stay as they are."""
        return all(not _window(self.levels, one).words for one in self._types.values())

    def record(self) -> CleaningRecord:
        """What is done to how many images, and the levels of it; what is stretched is warned of."""
        notes, kept = [], []
        for name, one in self._types.items():
            window = _window(self.levels, one)
            if not window.words:
                continue
            notes.append(f"{counted(one.images)} {window.words}")
            if window.stretched:
                logger.warning("%s; %s chooses other levels", notes[-1], option("levels", "LOW,HIGH"))
            if self.levels.rule == "percentile" or (self.levels.rule == "auto" and window.of_the_set):
                kept.append(KeptLevels(dtype=name, low=window.low, high=window.high))
        return CleaningRecord(conversions=tuple(notes), levels=tuple(kept))


def to_bytes(
    array: np.ndarray, levels: Levels, origin: str
) -> tuple[UInt8[np.ndarray, "..."], CleaningRecord]:
    """Any array of numbers, images along its first axis, as bytes; and what was done to it, in sentences.

    An array that is mapped from a file is read in blocks, and its bytes are on disk too.

    Raises:
        DataError: no numbers, NaN, infinite values, or with `full` values outside the range of the type.
    """
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"the images of {origin} must be whole or real numbers",
            found=f"{array.dtype}",
            do='convert them, for example images.astype("float32")',
        )
    if array.ndim == 0 or not array.size:
        return array.astype(np.uint8), CleaningRecord()
    tally = Tally(levels)
    for here in blocks(array):
        try:
            tally.add(array[here], here.stop - here.start)
        except ValueError as error:
            raise _not_finite(array[here], here.start, origin) from error
        if array.dtype == np.uint8 and levels.rule in ("full", "auto") and tally.settled:
            return array, CleaningRecord()
    _require_inside(tally, array.dtype, origin)
    window = tally.window(array.dtype)
    record = tally.record()
    if array.dtype == np.uint8 and not window.words:
        return array, record
    result = allocate(array.shape, array)
    for here in blocks(array):
        result[here] = window.apply(array[here])
    require_unchanged(array)
    return result, record


def _not_finite(block: np.ndarray, start: int, origin: str) -> DataError:
    first = np.argwhere(~np.isfinite(block))[0]
    what = "NaN" if np.isnan(block[tuple(first)]) else "an infinite value"
    return DataError(
        f"the pixels of {origin} must be finite numbers",
        found=f"{what} in image {start + int(first[0]):,}",
        do="replace such values, or leave such images out",
    )


def _require_inside(tally: Tally, dtype: np.dtype, origin: str) -> None:
    """Raises: DataError: floats that `full` would cut at 0 or 1."""
    if tally.levels.rule == "full" and dtype.kind == "f":
        (values,) = tally._types.values()
        if values.low < -SLACK or values.high > 1 + SLACK:
            raise DataError(
                f"floats must lie in 0..1 with {option('levels', 'full')}, in {origin}",
                found=f"values from {values.low:g} to {values.high:g}",
                do=f"name black and white: {option('levels', f'{values.low:g},{values.high:g}')}",
            )


def _window(levels: Levels, values: Values) -> Window:
    kind = values.dtype.name
    if levels.rule == "given":
        return Window(levels.low, levels.high, f"brought from {levels.low:g}..{levels.high:g} to 8 bits")
    if levels.rule == "percentile":
        low, high = (values.percentile(one) for one in PERCENTILES)
        if low < high:
            ends = f"the {PERCENTILES[0]}th and {PERCENTILES[1]}th percentiles of the set"
            return Window(low, high, f"brought from {low:g}..{high:g}, {ends}, to 8 bits")
    if levels.rule == "full":
        return _of_type(values)
    if (kept := levels.of(values)) is not None:
        return Window(
            kept.low,
            kept.high,
            f"brought from {kind} in {kept.low:g}..{kept.high:g} to 8 bits, as the run's were",
        )
    return _whole(values, kind) if values.whole else _real(values, kind)


def _of_type(values: Values) -> Window:
    dtype = values.dtype
    if dtype == np.uint8:
        return _BYTES
    if dtype.kind == "f":
        return Window(0, 1, f"brought from {dtype.name} in 0..1 to 8 bits")
    low, high = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    if dtype.itemsize > 2 and values.low >= 0 and values.high < 2**16:
        low, high = 0, 65535  # as Pillow and others write 16 bits
    return Window(low, high, f"brought from {dtype.name} in {low:.0f}..{high:.0f} to 8 bits")


def _whole(values: Values, kind: str) -> Window:
    low, high = values.low, values.high
    if low == 0 and high == 1:
        return Window(0, 1, "of 0 and 1 alone, taken as black and white")
    if low >= 0 and high <= 255:
        words = "" if kind == "uint8" else f"of {kind} within 0..255, taken as bytes"
        return Window(0, 255, words)
    if low >= 0:
        bits = int(high).bit_length()
        top = float(2**bits - 1)
        if high == low or high - low >= LARGE * top:
            partly = bits % 8 != 0
            words = f"brought from {kind} in 0..{top:.0f} to 8 bits"
            return Window(0, top, words + f", as they use {bits} bits" * partly, stretched=partly)
    elif values.dtype.kind == "i":
        ends = np.iinfo(values.dtype)
        if high - low >= LARGE * (float(ends.max) - float(ends.min)):
            return Window(float(ends.min), float(ends.max), f"brought from {kind} of any value to 8 bits")
    return _stretched(values, kind)


def _real(values: Values, kind: str) -> Window:
    low, high = values.low, values.high
    known: Iterable[tuple[float, float, float]] = ((0, 1, LARGE_UNIT), (-1, 1, LARGE))
    for least, most, large in known:
        if least - SLACK <= low and high <= most + SLACK:
            if low < high < low + large * (most - least):
                return _stretched(values, kind)
            return Window(least, most, f"rounded from {kind} in {least}..{most} to 8 bits")
    if low >= 0 and 127 < high <= 255.5:
        return Window(0, 255, f"of {kind} within 0..255, rounded to bytes")
    return _stretched(values, kind)


def _stretched(values: Values, kind: str) -> Window:
    """From the smallest value of the set to the largest; a set of one value becomes black."""
    low, high = values.low, values.high
    words = (
        f"stretched from {kind} in {low:g}..{high:g}, the smallest and largest value of the set, to 8 bits"
    )
    return Window(low, high if high > low else low + 1, words, stretched=True)
