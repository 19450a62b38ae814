"""What is shown of a classifier: what it takes for what, its surest mistakes, what its codes are worth."""

from dataclasses import dataclass
from functools import partial

from ..encoding import TrainedClassifier
from ..evaluation.baselines import BaselineRecord, baseline_record
from ..evaluation.classes import Confusion, Mistakes, confusion, surest_mistakes
from ..evaluation.records import kept
from ..evaluation.timing import MethodTimes, machine_of, method_times
from ..training.materials import required_labels
from ..types import Pixels
from .subject import Subject


@dataclass(frozen=True)
class ClassifierExhibits:
    """All of the test images; `mistaken` are the pictures of `mistakes`.

    `seen_by_encoder`: whether the encoder has learned from the validation images.
    """

    subject: Subject
    confusion: Confusion
    mistakes: Mistakes
    mistaken: Pixels
    baselines: BaselineRecord
    times: MethodTimes
    seen_by_encoder: bool


def gather_classifier(subject: Subject) -> ClassifierExhibits:
    """Classify the test images, and measure the same head on other inputs and the time of both methods.

    Raises:
        RunError: no classifier's run, or its encoder is gone.
    """
    run = subject.run
    images, test = subject.images, run.split.test
    trained = TrainedClassifier.load(run, subject.device)
    probabilities, labels = trained.probabilities(images, test), required_labels(images)[test]
    mistakes = surest_mistakes(labels, probabilities)
    given = run, images, subject.device
    where = machine_of(run.experiment.on(subject.device))
    return ClassifierExhibits(
        subject=subject,
        confusion=confusion(labels, probabilities, trained.class_names),
        mistakes=mistakes,
        mistaken=images.pixels[test[mistakes.places]],
        baselines=kept(run, "baselines", BaselineRecord, partial(baseline_record, *given)),
        times=kept(run, "times", MethodTimes, partial(method_times, *given, where=where)),
        seen_by_encoder=trained.autoencoder.experiment.training.fit == "train+validation",
    )
