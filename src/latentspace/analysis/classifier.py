"""What is shown of a classifier: what it takes for what, its surest mistakes, what its codes are worth."""

from dataclasses import dataclass
from functools import partial

from ..core.types import Pixels
from ..evaluation.baselines import BaselineRecord, baseline_record
from ..evaluation.cache import kept
from ..evaluation.confusion import Confusion, Mistakes, confusion, surest_mistakes
from ..evaluation.timing import MethodTimes, machine_of, method_times
from ..inference.trained import TrainedClassifier
from ..training.components import required_labels
from .run_context import RunContext


@dataclass(frozen=True)
class ClassifierAnalysis:
    """What a classifier makes of the test images, and what its codes are worth.

    Args:
        mistaken: the pictures of `mistakes`.
        times: of the two methods; None where codes are refined, which would take minutes in every epoch.
        seen_by_encoder: whether the encoder has learned from the validation images.
    """

    context: RunContext
    confusion: Confusion
    mistakes: Mistakes
    mistaken: Pixels
    baselines: BaselineRecord
    times: MethodTimes | None
    seen_by_encoder: bool

    @property
    def accuracy(self) -> float:
        """The share of the test images that are classified correctly."""
        measured = self.context.result.metrics.get("accuracy")
        counts = self.confusion.counts
        return measured if isinstance(measured, float) else float(counts.trace() / counts.sum())


def analyse_classifier(context: RunContext) -> ClassifierAnalysis:
    """Classify the test images, and measure the same head on other inputs and the time of both methods.

    Raises:
        RunError: no classifier's run, or its encoder is gone.
    """
    run = context.run
    images, test = context.images, run.split.test
    trained = TrainedClassifier.load(run, context.device)
    probabilities, labels = trained.probabilities(images, test), required_labels(images)[test]
    mistakes = surest_mistakes(labels, probabilities)
    given = run, images, context.device
    baselines = kept(run, "baselines", BaselineRecord, partial(baseline_record, *given))
    times = None
    if not trained.autoencoder.model.refine:
        where = machine_of(run.experiment.on(context.device))
        times = kept(run, "times", MethodTimes, partial(method_times, *given, where=where))
    return ClassifierAnalysis(
        context=context,
        confusion=confusion(labels, probabilities, trained.class_names),
        mistakes=mistakes,
        mistaken=images.pixels[test[mistakes.places]],
        baselines=baselines,
        times=times,
        seen_by_encoder=trained.autoencoder.experiment.training.fit == "train+validation",
    )
