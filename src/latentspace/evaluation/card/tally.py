"""Rows and curves from measures of single images, with intervals by the bootstrap over images.

Percentile intervals: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
All measures of a card are resampled by the same draws, so differences are paired.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ...core.randomness import numpy_generator
from ...core.types import Int64Array
from .values import Better, Curve, Row, Value, verdict_of

FEW: Final = 100  # resamples of what must be computed anew for each


class Draws:
    """Resamples of so many images, with replacement.

    Args:
        count: how many resamples.
    """

    def __init__(self, images: int, count: int, seed: int) -> None:
        self.images = images
        draw = numpy_generator(seed, "sample")
        self.counts = draw.multinomial(images, np.full(images, 1 / images), size=count).astype(np.float32)

    def means(self, values: np.ndarray) -> np.ndarray:
        """The mean of the values in each resample: count, or count x columns."""
        return np.asarray(self.counts @ values.astype(np.float64) / self.images)

    def each(self, statistic: Callable[[Int64Array], object], most: int = FEW) -> np.ndarray:
        """A statistic of the rows of each resample, of the first `most`; or a row of several."""
        every = np.arange(self.images)
        return np.array([statistic(np.repeat(every, one.astype(np.int64))) for one in self.counts[:most]])


@dataclass
class Tally:
    """The measures of a card, taken one after the other.

    Args:
        images: how many are evaluated.
        values: what each evaluated image was found to have, by measure; NaN where it was left out.
    """

    images: int
    draws: int
    seed: int
    values: dict[str, np.ndarray] = field(default_factory=dict)
    _drawn: dict[int, Draws] = field(default_factory=dict)

    def resamples(self, images: int) -> Draws:
        """Of so many images; the same each time."""
        if images not in self._drawn:
            self._drawn[images] = Draws(images, self.draws, self.seed)
        return self._drawn[images]

    def mean(
        self,
        name: str,
        title: str,
        measured: Mapping[str, np.ndarray],
        better: Better | None,
        *,
        unit: str = "",
        of: str = "",
        rows: Int64Array | None = None,
    ) -> Row:
        """The mean over images of what each has.

        Args:
            measured: by name, `run` among them.
            rows: the places of these images among those evaluated, where the values are to be kept.
        """
        if rows is not None:
            kept = np.full(self.images, np.nan)
            kept[rows] = measured["run"]
            self.values[name] = kept
        resamples = self.resamples(len(measured["run"]))
        drawn = {key: resamples.means(one) for key, one in measured.items()}
        values = {key: float(np.mean(one, dtype=np.float64)) for key, one in measured.items()}
        return _row(Row(name=name, title=title, of=of, unit=unit, better=better, run=_NONE), values, drawn)

    def statistic(
        self,
        name: str,
        title: str,
        statistics: Mapping[str, Callable[[Int64Array], float]],
        better: Better | None,
        *,
        images: int | None = None,
        unit: str = "",
        centred: bool = False,
    ) -> Row:
        """A number of all images together, computed anew for each resample of their places.

        Args:
            images: how many there are; None: those evaluated.
            centred: as `Value.of`.
        """
        count = images or self.images
        every, resamples = np.arange(count), self.resamples(count)
        values = {key: float(one(every)) for key, one in statistics.items()}
        drawn = {key: resamples.each(one) for key, one in statistics.items()}
        row = Row(name=name, title=title, unit=unit, better=better, run=_NONE)
        return _row(row, values, drawn, centred=centred)

    def several(
        self,
        titles: Mapping[str, str],
        statistics: Mapping[str, Callable[[Int64Array], tuple[float, ...]]],
        better: Better | None,
    ) -> list[Row]:
        """A row for each of several numbers that come together; as `statistic`, centred."""
        every, resamples = np.arange(self.images), self.resamples(self.images)
        values = {key: one(every) for key, one in statistics.items()}
        drawn = {key: resamples.each(one) for key, one in statistics.items()}
        return [
            _row(
                Row(name=name, title=title, better=better, run=_NONE),
                {key: one[place] for key, one in values.items()},
                {key: one[:, place] for key, one in drawn.items()},
                centred=True,
            )
            for place, (name, title) in enumerate(titles.items())
        ]

    def point(self, values: np.ndarray) -> Value:
        """The mean of what each image has, as a point of a curve."""
        return Value.of(float(values.mean(dtype=np.float64)), self.resamples(len(values)).means(values))

    def curve(
        self,
        name: str,
        title: str,
        across: str,
        points: tuple[float, ...],
        measured: Mapping[str, list[np.ndarray]],
        better: Better | None,
        *,
        logarithmic: bool = False,
    ) -> Curve:
        """The mean over images at each point."""
        lines = {key: tuple(self.point(one) for one in values) for key, values in measured.items()}
        return Curve(
            name=name,
            title=title,
            across=across,
            points=points,
            lines=lines,
            better=better,
            logarithmic=logarithmic,
        )


_NONE: Final = Value(value=0.0)


def _row(
    row: Row, values: Mapping[str, float], drawn: Mapping[str, np.ndarray], *, centred: bool = False
) -> Row:
    """The row with the run's value, those beside it, and what they differ by."""
    found = {key: Value.of(values[key], drawn[key], centred=centred) for key in values}
    differences = {
        key: Value.of(values["run"] - values[key], drawn["run"] - drawn[key], centred=centred)
        for key in values
        if key != "run"
    }
    better = row.better
    verdicts = {} if better is None else {key: verdict_of(one, better) for key, one in differences.items()}
    return row.model_copy(
        update={
            "run": found.pop("run"),
            "beside": found,
            "differences": differences,
            "verdicts": verdicts,
        }
    )
