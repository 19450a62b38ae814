"""Whether two sets of images are alike: a two-sample test on codes, and tests of simple numbers.

The test on codes is that of Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests" (2017): a
classifier learns to tell the sets apart, and is evaluated on images that it has not seen.
"""

from dataclasses import fields
from typing import Final

import numpy as np

from ...core.types import Int64Array
from ...core.wording import option
from .classification import cross_validated
from .codes import FEWEST
from .finding import Finder, Finding, Numbers, skipped
from .statistics import Statistics, statistics_of
from .subject import Subject

MOST: Final = 5_000  # images of each set that are told apart
LEVEL: Final = 0.01  # of significance, shared out over all tests (Bonferroni)
APART: Final = 0.55  # area under the curve, from which a difference matters
SHOWN: Final = 60
NAMES: Final = {
    "mean": "brightness",
    "contrast": "contrast (standard deviation)",
    "low": "darkest level (1st percentile)",
    "high": "brightest level (99th percentile)",
    "sharpness": "largest step between pixels (share of the range)",
    "mobility": "second differences (ratio to first ones)",
    "border_mean": "brightness of the border",
    "border_contrast": "contrast of the border",
    "colour": "colourfulness (difference of channels)",
}


class Drift:
    """Tests whether this set and another one are alike."""

    title = "differences from the other set"

    def find(self, subject: Subject) -> Finding:
        other = subject.other
        if other is None:
            return skipped(f"no other set was named: {option('against', 'OTHER')}")
        if subject.why_no_codes or len(other) < FEWEST:
            return skipped(f"two sets are compared from {FEWEST} images each")
        one, two = _some(len(subject.images)), _some(len(other))
        codes = np.concatenate(
            [subject.codes[one], subject.coder.codes(other.subset(two), subject.computed)[0]]
        )
        of_other = np.arange(len(codes)) >= len(one)
        hashes = np.concatenate([subject.images.image_hashes[one], other.image_hashes[two]])
        area, chance, likely = _told_apart(codes, of_other.astype(np.int64), hashes)
        lines = _simple(subject.statistics, statistics_of(other.pixels, subject.computed))
        tests = 1 + len(lines)
        differs = chance < LEVEL / tests and area >= APART
        moved = [line for line in lines if line[2] < LEVEL / tests and line[1] > 0.1]
        table = Numbers(
            "Simple numbers of the two sets",
            ("median of", "this set", "the other", "distance", "p"),
            tuple((name, f"{a:.4g}", f"{b:.4g}", f"{far:.3f}", f"{p:.2g}") for name, far, p, a, b in lines),
        )
        evidence = (
            f"A classifier on {subject.coder.words} tells the sets apart with an area under the curve of "
            f"{area:.3f} (0.5: not at all), p = {chance:.2g}. Below are medians of simple numbers, "
            "in levels of 0 to 255 where nothing else is said; the distance is Kolmogorov and Smirnov's, 0 "
            "to 1, and p the chance of so large a one between sets that are alike."
        )
        if not differs and not moved:
            return Finding("fine", "the two sets are alike", evidence, tables=(table,))
        order = np.argsort(-likely[of_other], kind="stable")[:SHOWN]
        return Finding(
            "bad" if area > 0.8 else "look",
            "the other set differs" + (f" in {', '.join(line[0] for line in moved[:3])}" if moved else ""),
            f"{evidence} Shown are images of the other set, the most unlike this one first.",
            "Bring the two to one source, or evaluate on images like those that will be met.",
            subject.command("latentspace data info DATA"),
            two[order],
            tuple(f"{likely[of_other][row]:.2f} of the other set" for row in order),
            other=True,
            tables=(table,),
            count=1,
        )


def _some(count: int) -> Int64Array:
    chosen = np.random.default_rng(0).permutation(count)[:MOST]
    return np.sort(chosen).astype(np.int64)


def _told_apart(codes: np.ndarray, sets: Int64Array, hashes: np.ndarray) -> tuple[float, float, np.ndarray]:
    """The area under the curve, its chance where the sets are one, and each image's probability."""
    from scipy.stats import mannwhitneyu

    units = np.unique(hashes, return_inverse=True)[1].astype(np.int64)
    found = cross_validated([codes], sets, units)
    if found is None:
        return 0.5, 1.0, np.full(len(sets), 0.5)
    likely = np.full(len(sets), 0.5)
    likely[found.rows] = found.probabilities[:, 1]
    test = mannwhitneyu(likely[sets == 1], likely[sets == 0], alternative="greater")
    area = float(test.statistic) / (int((sets == 1).sum()) * int((sets == 0).sum()))
    return area, float(test.pvalue), likely


def _simple(one: Statistics, other: Statistics) -> list[tuple[str, float, float, float, float]]:
    """Of each simple number: its name, the largest distance of the distributions, p, and both medians."""
    from scipy.stats import ks_2samp

    lines = []
    for field in fields(Statistics):
        a, b = getattr(one, field.name), getattr(other, field.name)
        test = ks_2samp(a, b, method="asymp")
        lines.append(
            (
                NAMES[field.name],
                float(test.statistic),
                float(test.pvalue),
                float(np.median(a)),
                float(np.median(b)),
            )
        )
    return sorted(lines, key=lambda line: -line[1])


DRIFT: Finder = Drift()
