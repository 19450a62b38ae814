"""How images are dealt out to the parts of a split: units first, then single images class by class."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from ..core.randomness import numpy_generator
from ..core.types import Int64Array


@dataclass
class Dealing:
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
    def of(cls, labels: Int64Array | None, sizes: Int64[np.ndarray, "3"], seed: int) -> "Dealing":
        """Nothing is placed yet; the parts are to have `sizes` images, some of them perhaps none."""
        count = int(sizes.sum())
        given = np.zeros(count, dtype=np.int64) if labels is None else labels
        _, of_class = np.unique(given, return_inverse=True)
        missing = np.bincount(of_class)[:, None] * (sizes / count)
        part = np.full(count, -1, dtype=np.int64)
        return cls(part, of_class, sizes.copy(), missing, numpy_generator(seed, "split"))

    def dealt(self, units: Int64Array) -> Int64Array:
        """The part of each image; images of one unit are in one part."""
        self.place_units(units, np.bincount(units))
        self.place_singles()
        return self.part

    def place_units(self, units: Int64Array, sizes: Int64Array) -> None:
        """Place every unit of more than one image; large are those of a hundredth of the smallest part."""
        order = np.argsort(units, kind="stable")
        starts = np.cumsum(sizes) - sizes
        several = self.rng.permutation(np.flatnonzero(sizes > 1))
        several = several[np.argsort(-sizes[several], kind="stable")]
        large = float(self.places[self.places > 0].min()) / 100
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
