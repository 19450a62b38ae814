"""What a run is worth, in plain words, before any table: each finding with its numbers and what to try."""

import math
from functools import singledispatch

import numpy as np
from scipy.stats import binomtest

from ..analysis import (
    Analysis,
    AutoencoderAnalysis,
    ClassifierAnalysis,
    DenoiserAnalysis,
    VariationalAnalysis,
)
from ..core.types import ImageArray
from ..core.wording import counted
from ..evaluation.agreement import Agreement
from ..runs.directory import Run
from .page import Finding
from .trend import trend

MARGIN = 0.02  # share by which an error must be smaller to be called better
ALIKE = 0.05  # share of the images' variance under which reconstructions are all one picture
ONE_ANSWER = 0.95  # share of the answers
LUCK = 0.01  # probability of as many right answers by the commonest class alone


def findings(shown: Analysis, agreement: Agreement | None) -> tuple[Finding, ...]:
    """The most important first: the comparison, then what may be wrong with it.

    Args:
        agreement: of the validation and the test part; None where the validation part was learned from.
    """
    found = [*_worth(shown, agreement), *_training(shown.context.run)]
    if agreement is not None and agreement.differ:
        found.append(Finding("Validation and test disagree", agreement.words, good=False))
    return tuple(found)


@singledispatch
def _worth(shown: Analysis, agreement: Agreement | None) -> list[Finding]:  # noqa: ARG001
    """What it can do, beside what simpler means can."""
    raise TypeError(f"no findings are known for {type(shown).__name__}")


@_worth.register
def _autoencoder(shown: AutoencoderAnalysis, agreement: Agreement | None) -> list[Finding]:
    metrics = shown.context.result.metrics
    error = metrics.get("mse", None if agreement is None else agreement.test)
    against = [] if error is None else [_against_pca(float(np.mean(error)), shown.pca, shown.code_size)]
    return [*against, _variety(shown)]


@_worth.register
def _denoiser(shown: DenoiserAnalysis, agreement: Agreement | None) -> list[Finding]:
    before, after = (float(np.mean(one)) for one in (shown.noisy_errors, shown.errors))
    text = (
        f"Of the noise in {counted(len(shown.errors), 'test image')} it takes {1 - after / before:.0%} away: "
        f"the mean squared error a pixel is {before:.4g} before and {after:.4g} after."
    )
    better = after < before
    headline = "It takes noise away" if better else "It takes no noise away"
    advice = "" if better else "Train longer (--epochs), or with a larger code (--set model.code_size=32)."
    return [Finding(headline, text, better, advice), *_autoencoder(shown.plain, agreement)]


@_worth.register
def _variational(shown: VariationalAnalysis, agreement: Agreement | None) -> list[Finding]:
    found = _autoencoder(shown.plain, agreement)
    used, size = shown.context.result.metrics["active_units"], shown.plain.code_size
    if used == 0:
        text = f"None of its {counted(size, 'dimension')} follows the images: every image has the same code."
        advice = "Try --set objective.warm_up=10, a smaller --set objective.beta=0.5, or more epochs."
        found.append(Finding("The code is not used", text, good=False, advice=advice))
    return found


@_worth.register
def _classifier(shown: ClassifierAnalysis, agreement: Agreement | None) -> list[Finding]:  # noqa: ARG001
    accuracy, chance = float(np.mean(shown.context.result.metrics["accuracy"])), shown.baselines.chance
    right = f"{accuracy:.1%} of the test images are named rightly"
    tested = int(shown.confusion.counts.sum())
    by_luck = binomtest(round(accuracy * tested), tested, min(1.0, chance), alternative="greater").pvalue
    if by_luck > LUCK:
        text = f"{right}; naming the commonest class always would be right for {chance:.1%}."
        advice = "Train longer, on more labels, or on an encoder with a larger code."
        return [Finding("No better than always giving one answer", text, False, advice)]
    found = [
        Finding("Better than guessing", f"{right}; the commonest class alone would be {chance:.1%}.", True)
    ]
    name, other = next((one for one in shown.baselines.heads.items() if "principal" in one[0]), ("", 0.0))
    if name:
        noise = 2 * math.sqrt((accuracy * (1 - accuracy) + other * (1 - other)) / tested)
        better = _compared(1 - accuracy, 1 - other, noise)
        text = f"The same network on {name} is right for {other:.1%}."
        advice = "" if better is not False else "The encoder may need more epochs or a larger code."
        headline = {True: "Better than", False: "Worse than", None: "As good as"}[better]
        found.append(Finding(f"{headline} PCA with as many numbers", text, better, advice))
    answers = shown.confusion.counts.sum(axis=0)
    if answers.max() > ONE_ANSWER * answers.sum():
        text = f"{answers.max() / answers.sum():.0%} of the images are taken for one class."
        found.append(Finding("Nearly all answers are one class", text, False, "Try a smaller learning rate."))
    return found


def _against_pca(error: float, pca: float, size: int) -> Finding:
    better = _compared(error, pca)
    ways = {True: ("Better", "less"), False: ("Worse", "more"), None: ("As good", "about as much")}
    headline, how = ways[better]
    text = (
        f"From {counted(size, 'number')} an image, its pictures miss the test images by {error:.4g} (mean "
        f"squared error a pixel), {how} {'as' if better is None else 'than'} PCA with as many numbers: "
        f"{pca:.4g}."
    )
    advice = (
        ""
        if better
        else "Train longer (--epochs), in smaller batches, or on more images: PCA is hard to beat on few."
    )
    return Finding(f"{headline} {'as' if better is None else 'than'} PCA", text, better, advice)


def _variety(shown: AutoencoderAnalysis) -> Finding:
    """Whether the reconstructions differ from each other as the images do."""
    original = _variance(shown.originals / np.float32(255))
    share = _variance(shown.reconstructions) / original if original else 1.0
    some = f"Between {counted(len(shown.originals), 'reconstruction')} there is"
    text = f"{some} {share:.0%} of the variance that there is between their images."
    if share < ALIKE:
        advice = "Try more epochs, another learning rate (--set training.learning_rate=0.001) or seed."
        return Finding("All reconstructions are alike", text, False, advice)
    return Finding("Reconstructions differ as their images do", text, True)


def _variance(images: ImageArray) -> float:
    """Between images, a pixel."""
    return float(images.var(axis=0).mean())


def _compared(error: float, other: float, noise: float = 0.0) -> bool | None:
    """Whether the error is the smaller one; None where the two are about equal, or `noise` is as large."""
    if abs(error - other) <= max(MARGIN * other, noise):
        return None
    return error < other


def _training(run: Run) -> list[Finding]:
    """Whether it was trained long enough, by its validation curve."""
    task, plan = run.experiment.task, run.experiment.training
    seen = trend(run.metrics, task.score, task.direction)
    after = f"after {counted(seen.epochs, 'epoch')}"
    match seen.course:
        case "unknown":
            text = (
                "It was fitted to the validation images too, so no curve says whether it was trained enough."
            )
            return [Finding("Trained enough? Unknown", text)]
        case "short":
            text = f"It was trained for {counted(seen.epochs, 'epoch')}, which says little."
            return [Finding("Hardly trained", text, False, f"Train longer: --epochs {TRY}.")]
        case "better":
            text = (
                f"Its validation score still got better at the end, by {seen.change:.1%} in the last tenth."
            )
            advice = f"Train longer: --epochs {2 * plan.epochs}."
            return [Finding("Not trained to the end", text, False, advice)]
        case "worse" if plan.keep == "last":
            text = f"Its validation score was best {_at(seen.best)} and is {seen.change:.1%} worse {after}."
            advice = "Keep the best weights (--keep best), stop earlier, or use more images."
            return [Finding("Trained too long", text, False, advice)]
        case _:
            text = f"Its validation score no longer got better {after}; it was best {_at(seen.best)}."
            return [Finding("Trained long enough", text, True)]


def _at(epoch: int) -> str:
    return f"in epoch {epoch}"


TRY = 50  # epochs, where there were hardly any
