"""Whether probabilities of classes are true: python benchmarks/calibration.py RUN ... [--halves 20]

RUN is a classifier's. Of the images that it has not learned from (validation and test part), random halves:
what calibrates is fitted to one and evaluated on the other; and, with the halves changed over as well, on all
of them together. Beside the expected calibration error stand what chance alone gives where all probabilities
are true (the less, the more images), the debiased root mean square error of Kumar, Liang and
Ma, "Verified Uncertainty Calibration" (2019), in the same bins, and the cross-entropy.
Writes calibration-DATE.md and .json.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from speed.hardware import hardware, keep, sentence, today

MEASURES = ("error", "chance", "debiased", "cross_entropy", "error_of_all", "chance_of_all")


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


def one_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """That of the lowest cross-entropy: temperature scaling as it was published."""
    found = minimize_scalar(
        lambda log: cross_entropy(logits / np.exp(log), labels), bounds=(-3, 3), method="bounded"
    )
    return float(np.exp(found.x))


def debiased(probabilities: np.ndarray, labels: np.ndarray, bins: int) -> float:
    """The root of the mean squared gap of confidence and accuracy, less what their own noise adds to it."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    total = 0.0
    for one in range(bins):
        here = place == one
        if (many := int(here.sum())) > 1:
            rate = right[here].mean()
            gap = (confidence[here].mean() - rate) ** 2 - rate * (1 - rate) / (many - 1)
            total += many / len(labels) * gap
    return float(np.sqrt(max(0.0, total)))


def evaluated(run: str, halves: int) -> dict[str, Any]:
    import latentspace
    from latentspace.inference.calibration import (
        BINS,
        Temperature,
        error_by_chance,
        expected_calibration_error,
    )
    from latentspace.inference.run_images import own_or_other

    opened = latentspace.Run.open(run)
    trained = latentspace.load(run, "cpu")
    images, _ = own_or_other(opened, None)
    rows = np.concatenate([opened.split.part("validation"), opened.split.part("test")])
    logits, labels = trained.logits(images, rows).astype(np.float64), images.labels[rows].astype(np.int64)
    draw = np.random.default_rng(0)
    found: dict[str, list[list[float]]] = {}
    for _ in range(halves):
        order = draw.permutation(len(rows))
        halves_of = (order[: len(order) // 2], order[len(order) // 2 :])
        ways = {
            "as the network gives them": lambda *_: Temperature(1.0),
            "one temperature": lambda *known: Temperature(one_temperature(*known)),
            "classify": Temperature.fitted,
        }
        for name, way in ways.items():
            given = np.empty_like(logits)
            for fitted, here in (halves_of, halves_of[::-1]):
                given[here] = way(logits[fitted], labels[fitted]).of(logits[here])
            every, here = softmax(given, axis=1), halves_of[1]
            sure, true = every[here], labels[here]
            values = [
                expected_calibration_error(sure, true),
                error_by_chance(sure),
                debiased(sure, true, BINS),
                cross_entropy(given[here], true),
                expected_calibration_error(every, labels),
                error_by_chance(every),
            ]
            found.setdefault(name, []).append(values)
    means = {
        name: dict(zip(MEASURES, np.mean(rows, axis=0).tolist(), strict=True)) for name, rows in found.items()
    }
    right = float((logits.argmax(axis=1) == labels).mean())
    return {"run": Path(run).name, "images": len(rows), "accuracy": right, "ways": means}


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# Calibration, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"Means of {found['halves']} random halves of the images that were not learned from, seed 0; 15 bins",
        "of equal width. `python benchmarks/calibration.py` makes this file.",
        "",
        "| run | probabilities | error | by chance | debiased, root mean square | cross-entropy "
        "| error, both halves | by chance |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for run in found["runs"]:
        about = f"{run['run']}: {run['accuracy']:.1%} of {run['images']:,} right"
        for name, one in run["ways"].items():
            numbers = " | ".join(f"{one[key]:.3f}" for key in MEASURES)
            lines.append(f"| {about} | {name} | {numbers} |")
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--halves", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args(words)
    runs = [evaluated(run, given.halves) for run in given.runs]
    found = {"date": today(), "hardware": hardware(threads=1), "halves": given.halves, "runs": runs}
    keep("calibration", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
