"""What a card holds, as it is written: numbers with intervals, beside what they must beat.

The JSON schema of `evaluate --card --json` is that of `Card`; `docs/guide/schemas/card.json` is a copy of it.
"""

from typing import Final, Literal, TypeAlias

import numpy as np
from pydantic import ConfigDict, Field

from ...core.record import Record

LEVEL: Final = 0.95  # of the intervals

Better: TypeAlias = Literal["lower", "higher"]
Verdict: TypeAlias = Literal["better", "worse", "even"]

# What stands beside a run, by its name in the JSON.
BESIDE: Final = {
    "run": "this run",
    "probe": "linear probe of its codes",
    "pca": "PCA with as many numbers",
    "pixels": "raw pixels",
    "random": "untrained network",
    "mean": "mean image",
    "input": "the noisy image itself",
    "real": "real images",
    "chance": "most frequent class",
}


class CardPart(Record):
    """A part of a card; no other key is allowed in it."""

    model_config = ConfigDict(extra="forbid")


class Value(CardPart):
    """A number, and the ends of its interval."""

    value: float
    low: float | None = Field(default=None, description="lower end of the interval of 95 %")
    high: float | None = Field(default=None, description="upper end")
    deviation: float | None = Field(default=None, description="standard deviation of the bootstrap's values")

    @classmethod
    def of(cls, value: float, drawn: np.ndarray, *, centred: bool = False) -> "Value":
        """A value, and the quantiles of what a bootstrap drew.

        Args:
            centred: move the quantiles so that the median of what was drawn lies on the value. For what is
                larger or smaller only because a resample holds some images twice.
        """
        if not len(drawn):
            return cls(value=value)
        drawn = drawn + (value - np.median(drawn) if centred else 0.0)
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return cls(value=value, low=float(low), high=float(high), deviation=float(drawn.std()))

    @property
    def apart_from_zero(self) -> bool:
        """Whether the interval does not hold zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def verdict_of(difference: Value, better: Better) -> Verdict:
    """Of a difference from something else: better or worse, where zero lies outside its interval."""
    if not difference.apart_from_zero:
        return "even"
    return "better" if (difference.value < 0) == (better == "lower") else "worse"


class Row(CardPart):
    """One measure of the run, and of what it must beat on the same images."""

    name: str = Field(description='the measure: "mse", "knn_accuracy"')
    title: str
    of: str = Field(default="", description="the class that it is about; empty: all images")
    unit: str = ""
    better: Better | None = Field(default=None, description="which way is better; null: neither")
    run: Value
    beside: dict[str, Value] = Field(
        default={}, description="by name: probe, pca, pixels, random, mean, input, real, chance"
    )
    differences: dict[str, Value] = Field(
        default={}, description="the run's value minus that of each beside, by the same resamples"
    )
    verdicts: dict[str, Verdict] = Field(
        default={}, description="whether the run is significantly better than each baseline"
    )


class Curve(CardPart):
    """A measure at several points."""

    name: str
    title: str
    across: str = Field(description="what the points are, with their unit")
    better: Better | None = None
    logarithmic: bool = False
    points: tuple[float, ...]
    lines: dict[str, tuple[Value, ...]] = Field(description="by name: run, pca, pixels, random")


class Section(CardPart):
    """One side of a run."""

    title: str
    rows: tuple[Row, ...] = ()
    curves: tuple[Curve, ...] = ()
    alarms: tuple[str, ...] = Field(default=(), description="what is wrong, in sentences")
    absent: tuple[str, ...] = Field(default=(), description="what was not measured, and why")
    notes: tuple[str, ...] = Field(default=(), description="how it was measured")


class Card(CardPart):
    """The report card of a run."""

    version: Literal[1] = 1
    run: str
    kind: str
    weights: str = Field(description="SHA-256 of the weights")
    data: str = Field(description="the images that are evaluated")
    content_hash: str = Field(description="of these")
    part: Literal["validation", "test", "other"] = Field(
        description="the part of the split that is evaluated; other: images that are not the run's own"
    )
    evaluated: int = Field(description="images that are evaluated")
    learned: int = Field(description="training images that probes, neighbours and PCA are fitted to")
    code_size: int
    classes: tuple[str, ...] = Field(description="empty: no labels")
    seed: int = Field(description="of the samples and of the bootstrap")
    draws: int = Field(description="resamples of a bootstrap")
    sections: dict[str, Section] = Field(
        description="by name: reconstruction, codes, classification, samples, robustness"
    )

    def rows(self) -> list[tuple[str, Row]]:
        """Every row, with the name of its section."""
        return [(name, row) for name, section in self.sections.items() for row in section.rows]
