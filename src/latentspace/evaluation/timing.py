"""How long the two ways of classification take: codes made once, or the frozen encoder in every epoch."""

import time

from pydantic import computed_field

from ..core.environment import describe
from ..core.errors import RunError
from ..core.wording import counted
from ..data.imageset import ImageSet
from ..experiment.config import Experiment
from ..runs.directory import Run
from ..training.components import make_fabric, threads_of
from ..training.context import TrainingContext
from ..training.loop import learn
from ..training.pretrained import pretrained_encoder_of
from .cache import Measurement

TIMED = 3  # epochs of each


class MethodTimes(Measurement):
    """Seconds, measured one way after the other on one machine.

    Args:
        encoding: to make the codes of all `images`, once.
        codes_epoch, frozen_epoch: of an epoch, its validation included; the mean of `timed` epochs.
        epochs: of the run's whole training.
        where: the processor, the device and the threads.
    """

    encoding: float
    codes_epoch: float
    frozen_epoch: float
    timed: int
    epochs: int
    images: int
    where: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def measured_ratio(self) -> float:
        """Frozen encoder over codes, for the epochs that were timed."""
        return self.timed * self.frozen_epoch / (self.encoding + self.timed * self.codes_epoch)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def whole_ratio(self) -> float:
        """The same for the run's whole training, as the measured epochs would add up to it."""
        return self.epochs * self.frozen_epoch / (self.encoding + self.epochs * self.codes_epoch)


def machine_of(plan: Experiment) -> str:
    """Where the plan is trained on this machine: the processor, the device and the threads."""
    with threads_of(plan):
        about = describe(make_fabric(plan).device)
    return f"{about['processor']}, {about['device']}, {counted(about['threads'], 'thread')}"


def method_times(run: Run, images: ImageSet, device: str, where: str, timed: int = TIMED) -> MethodTimes:
    """Train both ways for `timed` epochs, from the same weights on the same images, and throw both away.

    Args:
        device: what computes, as `--device` names it.
        where: this machine, as `machine_of` says.
    """
    plan = run.experiment.on(device)
    preparing, codes = _train(run, plan, images, "codes", timed)
    _, frozen = _train(run, plan, images, "frozen-encoder", timed)
    return MethodTimes(
        encoding=preparing,
        codes_epoch=codes,
        frozen_epoch=frozen,
        timed=timed,
        epochs=plan.training.epochs,
        images=len(images),
        where=where,
    )


def _train(run: Run, plan: Experiment, images: ImageSet, method: str, timed: int) -> tuple[float, float]:
    """Seconds to prepare, and seconds an epoch."""
    plan = plan.model_copy(
        update={
            "objective": plan.objective.model_copy(update={"method": method}),
            "training": plan.training.model_copy(update={"epochs": timed}),
        }
    )
    pretrained = pretrained_encoder_of(plan, run.encoder_hash, beside=run.path)
    if pretrained is None:
        raise RunError(
            "two ways to classify are timed of a classifier",
            found=f"{run.path}, of kind {plan.kind}",
            do="name the run of a classifier",
        )
    context = TrainingContext(plan, images, run.split, make_fabric(plan), pretrained)
    began = time.perf_counter()
    components = context.components()
    prepared = time.perf_counter() - began
    seconds = [record.seconds for record in learn(plan, components)]
    return prepared, sum(seconds) / len(seconds)
