"""What a run is worth, in plain words, before any table: each finding with its numbers and what to try."""

import math

import numpy as np
from scipy.stats import binomtest

from ..analysis import (
    Analysis,
    AutoencoderAnalysis,
    ClassifierAnalysis,
    DenoiserAnalysis,
    RunContext,
)
from ..core.wording import counted, option
from ..evaluation.agreement import Agreement
from ..evaluation.beside_pca import MARGIN
from ..runs.directory import Run
from ..training.selection import more_epochs, stopped_by, train_longer
from .page import Finding
from .trend import trend

NOTHING = 0.05  # share of what differs between images: whoever keeps less could draw their mean
MOST = 0.5  # likewise, under which most is lost
ONE_ANSWER = 0.95  # share of the answers
CHANCE = 0.01  # probability of as many right answers by always answering the most frequent class
# What presses less on the code, by the setting of the objective that does it.
LIGHTER = {
    "warm_up": "--set objective.warm_up=10",
    "beta": "a smaller --set objective.beta=0.5",
}


def findings(shown: Analysis, agreement: Agreement | None) -> tuple[Finding, ...]:
    """What a reader must know first: the comparison with simpler methods, then what may be wrong.

    Args:
        agreement: of the validation and the test part; None where the validation part was learned from.
    """
    found = [*_worth(shown), *_training(shown.context.run)]
    if agreement is not None and agreement.differ:
        found.append(Finding("Validation and test disagree", agreement.words, good=False))
    return tuple(found)


def _worth(shown: Analysis) -> list[Finding]:
    """What it can do, beside what simpler methods can: of each part that there is."""
    found = [] if shown.denoiser is None else [_noise(shown.denoiser, shown.context)]
    if shown.autoencoder is not None:
        found += _reconstruction(shown.autoencoder)
    if shown.variational is not None:
        found += _use_of_the_code(shown.context)
    if shown.classifier is not None:
        found += _classification(shown.classifier)
    return found


def _noise(shown: DenoiserAnalysis, context: RunContext) -> Finding:
    before, after = (float(np.mean(one)) for one in (shown.noisy_errors, shown.errors))
    images, errors = counted(len(shown.errors), "test image"), f"{before:.4g} before and {after:.4g} after"
    text = f"The mean squared error per pixel of {images} is {errors}"
    if after < before:
        return Finding("It removes noise", f"{text}: {1 - after / before:.0%} less.", True)
    larger, longer = option("code_size", 2 * context.trained.code_size), train_longer(stopped_by(context.run))
    advice = f"{longer}, or with a larger code ({larger})."
    return Finding("It removes no noise", f"{text}.", False, advice)


def _reconstruction(shown: AutoencoderAnalysis) -> list[Finding]:
    better = shown.beside.better
    headline = {True: "Better than PCA", False: "Worse than PCA", None: "As good as PCA"}[better]
    return [Finding(headline, shown.beside.words, better, shown.beside.advice), *_kept(shown)]


def _use_of_the_code(context: RunContext) -> list[Finding]:
    if context.result.metrics.get("active_units") != 0:
        return []
    size = context.trained.code_size
    text = f"None of its {counted(size, 'dimension')} follows the images: every image has the same code."
    settings = type(context.run.experiment.objective).model_fields
    tries = [words for name, words in LIGHTER.items() if name in settings]
    advice = f"Try {', '.join([*tries, more_epochs(stopped_by(context.run))])}."
    return [Finding("The code is not used", text, False, advice)]


def _classification(shown: ClassifierAnalysis) -> list[Finding]:
    accuracy, chance = shown.accuracy, shown.baselines.chance
    right = f"{accuracy:.1%} of the test images are classified correctly"
    tested = int(shown.confusion.counts.sum())
    by_chance = binomtest(round(accuracy * tested), tested, min(1.0, chance), alternative="greater").pvalue
    if by_chance > CHANCE:
        text = f"{right}; always answering the most frequent class would be right for {chance:.1%}."
        longer = train_longer(stopped_by(shown.context.run))
        advice = f"{longer}, on more labels, or on an encoder with a larger code."
        return [Finding("No better than always giving one answer", text, False, advice)]
    found = [
        Finding(
            "Better than guessing", f"{right}; always answering the most frequent class: {chance:.1%}.", True
        )
    ]
    name, other = next((one for one in shown.baselines.heads.items() if "principal" in one[0]), ("", 0.0))
    if name:
        noise = 2 * math.sqrt((accuracy * (1 - accuracy) + other * (1 - other)) / tested)
        better = _compared(1 - accuracy, 1 - other, noise)
        text = f"The same network on {name} is right for {other:.1%}."
        advice = "" if better is not False else "The encoder may need a longer training or a larger code."
        headline = {True: "Better than", False: "Worse than", None: "As good as"}[better]
        found.append(Finding(f"{headline} PCA with as many numbers", text, better, advice))
    answers = shown.confusion.counts.sum(axis=0)
    if answers.max() > ONE_ANSWER * answers.sum():
        text = f"{answers.max() / answers.sum():.0%} of the images get the same answer."
        found.append(Finding("Nearly all answers are one class", text, False, "Try a smaller learning rate."))
    return found


def _kept(shown: AutoencoderAnalysis) -> list[Finding]:
    """How much of what differs between the images their reconstructions keep."""
    beside = shown.beside
    kept, linear = beside.kept(beside.mse), beside.kept(beside.pca)
    if kept is None or linear is None:
        return []
    text = (
        f"Reconstructions keep {max(0.0, kept):.0%} of the variance between {beside.part} images, and "
        f"{beside.linear} {max(0.0, linear):.0%}; one mean image for all of them keeps nothing."
    )
    if kept >= MOST:
        return [Finding("Reconstructions keep most of what differs between the images", text, True)]
    longer, code = train_longer(beside.patience), option("code_size", 2 * beside.code_size)
    if kept >= NOTHING:
        advice = f"{longer}." if beside.better is False else f"{longer}, or with a larger code ({code})."
        return [Finding("Reconstructions lose most of what differs between the images", text, None, advice)]
    rate = f"with another learning rate ({option('training.learning_rate', 0.001)}) or seed"
    tries = rate if linear >= NOTHING else f"with a larger code ({code}): so few numbers say little of them"
    advice = f"{longer}, or {tries}."
    return [Finding("Reconstructions are hardly better than one mean image", text, False, advice)]


def _compared(error: float, other: float, noise: float = 0.0) -> bool | None:
    """Whether the error is the smaller one; None where the two are about equal, or `noise` is as large."""
    if abs(error - other) <= max(MARGIN * other, noise):
        return None
    return error < other


def _training(run: Run) -> list[Finding]:
    """Whether it was trained long enough, by its validation curve."""
    task, plan = run.experiment.task, run.experiment.training
    seen = trend(run.metrics, task.score, task.direction)
    after, patience = f"after {counted(seen.epochs, 'epoch')}", stopped_by(run)
    match seen.course:
        case "unknown":
            text = (
                "It was fitted to the validation images too, so no curve says whether it was trained enough."
            )
            return [Finding("Trained enough? Unknown", text)]
        case "short":
            text = f"It was trained for {counted(seen.epochs, 'epoch')}, which says little."
            return [Finding("Hardly trained", text, False, f"{train_longer(patience, TRY)}.")]
        case "better":
            text = (
                f"Its validation score still got better at the end, by {seen.change:.1%} in the last tenth."
            )
            advice = f"{train_longer(patience, 2 * plan.epochs)}."
            return [Finding("Not trained to the end", text, False, advice)]
        case "worse" if plan.keep == "last":
            text = f"Its validation score was best {_at(seen.best)} and is {seen.change:.1%} worse {after}."
            advice = "Keep the best weights (--keep best), stop earlier, or use more images."
            return [Finding("Trained too long", text, False, advice)]
        case _:
            last = "the last" if seen.epochs < 20 else "the last tenth"
            hardly = f"hardly changed in {last} of {counted(seen.epochs, 'epoch')}"
            text = f"Its validation score {hardly}; it was best {_at(seen.best)}."
            return [_overfitted(run, text) or Finding("Trained long enough", text, True)]


def _overfitted(run: Run, course: str) -> Finding | None:
    """Of a run whose error is far smaller on the images that it has learned from; None: it is not."""
    task, last = run.experiment.task, run.metrics[-1]
    learned, held = ((last.get(part) or {}).get(task.score) for part in ("train", "validation"))
    if task.direction != "minimize" or learned is None or held is None or learned >= OVERFITTED * held:
        return None
    text = (
        f"{course} At the end it was {held:.4g}, and the score of the images that it learned from "
        f"{learned:.4g}."
    )
    advice = "Use more images, a smaller code, or more augmentation (--augment affine)."
    return Finding("It fits the training images far better than others", text, None, advice)


def _at(epoch: int) -> str:
    return f"in epoch {epoch}"


OVERFITTED = 0.5  # share of the validation error under which the training error is far smaller
TRY = 50  # epochs, where there were hardly any
