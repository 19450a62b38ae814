"""What is known of all values of one type of numbers in a set: their ends, and how many there are of each."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

BINS: Final = 2**20  # of a histogram; one is 0.05 % of its value wide


@dataclass(eq=False)
class Values:
    """What is known of all values of one type."""

    dtype: np.dtype
    images: int = 0
    low: float = math.inf
    high: float = -math.inf
    whole: bool = True
    histogram: np.ndarray | None = None

    def add(self, values: np.ndarray, images: int, *, exact: bool) -> None:
        self.images += images
        low, high = values.min(), values.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError("NaN or infinite values")
        self.low, self.high = min(self.low, float(low)), max(self.high, float(high))
        if self.whole and values.dtype.kind == "f":
            self.whole = bool((values == np.rint(values)).all())
        if exact:
            counts = np.unique(_bins(values), return_counts=True)
            self._counted(*counts)

    def merge(self, other: "Values") -> None:
        self.images += other.images
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.whole = self.whole and other.whole
        if other.histogram is not None:
            self._counted(np.arange(BINS), other.histogram)

    def _counted(self, bins: np.ndarray, counts: np.ndarray) -> None:
        if self.histogram is None:
            self.histogram = np.zeros(BINS, dtype=np.int64)
        self.histogram[bins] += counts

    def percentile(self, percent: float) -> float:
        """The smallest value that as many percent of the values do not exceed."""
        if self.histogram is None:
            return self.low
        reached = np.cumsum(self.histogram)
        number = int(np.searchsorted(reached, max(1, math.ceil(reached[-1] * percent / 100))))
        return min(max(_value(number), self.low), self.high)


def _bins(values: np.ndarray) -> np.ndarray:
    """The number of the bin of each value: the first 20 bits of a float32, in the order of the values."""
    bits = np.ascontiguousarray(values, dtype=np.float32).reshape(-1).view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (ordered >> 12).astype(np.int64)


def _value(number: int) -> float:
    """The middle of a bin, or its only whole number."""
    ends = []
    for ordered in (number << 12, (number << 12) | 0xFFF):
        bits = ordered & 0x7FFFFFFF if ordered >> 31 else ~ordered & 0xFFFFFFFF
        ends.append(float(np.array([bits], dtype=np.uint32).view(np.float32)[0]))
    low, high = sorted(ends)
    return float(math.ceil(low)) if math.ceil(low) <= high else (low + high) / 2
