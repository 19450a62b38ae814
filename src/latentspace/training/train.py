"""experiment -> loop -> run: the one place where a training is put together."""

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..core.child_processes import refuse_too_many
from ..core.environment import describe
from ..core.errors import DataError, RunError, TrainingError
from ..core.logs import collected
from ..core.malloc import within_memory
from ..core.wording import counted, option
from ..data.config import DataConfig
from ..data.given import Given
from ..data.memmap import require_unchanged
from ..data.sources import load_images
from ..experiment.config import Experiment, against_preset
from ..inference import kept_codes
from ..inference.run_images import own_or_other
from ..inference.trained import TrainedAutoencoder
from ..runs.directory import Run, refuse_existing
from ..runs.tensors import Tensors, fill
from .components import Components, held_out, learned_from, make_fabric, require_classes, threads_of
from .context import TrainingContext, prepare
from .extra import extra_of, require_same
from .lineage import begin_from, lineage, parent_of, require_same_data
from .loop import EpochRecord, learn
from .pretrained import pretrained_encoder_of
from .selection import Selection
from .state import restore, state_of, weights_of
from .together.learn import Start, learn_together, require_divisible
from .together.processes import LocalRanks, devices_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """A training about to start or to go on: iterate over `records()` and it is done.

    Args:
        together: begins the processes that compute it; None: this one does.
    """

    run: Run
    context: TrainingContext
    together: Start | None = None

    @property
    def experiment(self) -> Experiment:
        return self.context.experiment

    @cached_property
    def components(self) -> Components:
        """What it works on; let go when it ends."""
        context = self.context if self.together is None else self.context.on("cpu")
        return context.components()

    def records(self) -> Iterator[EpochRecord]:
        """Train; yield each epoch's record after it is on disk. Breaking off loses the epoch at work alone.

        Raises:
            TrainingError: a loss that is not finite, or no memory left; the last good state stays.
            RunError: another process writes to the run, or it was moved or deleted meanwhile.
            DataError: the images were changed on disk meanwhile; of that epoch nothing is kept.
        """
        with self.run.writing():
            if self.run.finished:
                return
            with within_memory(
                TrainingError,
                "a training must fit in memory",
                "make something smaller, in a new run: training.batch_size, model.neurons, the channels, or "
                f"the images ({option('resize')})",
            ):
                try:
                    yield from self._train()
                finally:
                    self.__dict__.pop("components", None)

    def _train(self) -> Iterator[EpochRecord]:
        plan, components = self.experiment.training, self.components
        state, before = self.run.state, len(self.run.metrics)
        self.run.keep_metrics_until(state.epoch if state else 0)
        best = Selection(self.experiment)
        if state:
            best = Selection(self.experiment, state.best_epoch, state.best_score)
            restore(components, state, self.run.path / "state")
            logger.info("going on after epoch %d of %d", state.epoch, plan.epochs)
        elif parent := parent_of(self.run):
            begin_from(parent, components)
        if before and not state:
            logger.info("no state is left of %s: the training begins anew", counted(before, "epoch"))
        first = state.epoch + 1 if state else 1
        stop = best.ends_after(first - 1)
        with closing(self._learn(components, first)) as records:
            for record in () if stop else records:
                require_unchanged(self.context.images.pixels)
                weights = weights_of(components)
                if best.improved_by(record) and plan.keep == "best":
                    self.run.save_best(weights)
                self.run.append(record.model_dump(exclude_none=True))
                self.run.save_state(state_of(components, record.epoch, best.best_epoch, best.best_score))
                yield record
                if best.ends_after(record.epoch):
                    break
        self._require_own_images()
        kept = self.run.best_weights if plan.keep == "best" else weights_of(components)
        self.run.save_weights(kept, self._codes(kept))

    def _codes(self, weights: Tensors) -> dict[str, bytes]:
        """The file of some codes, where the network has no prior that others are drawn from."""
        plan, images = self.experiment, self.context.images
        if plan.task.needs_encoder:
            return {}
        model = plan.build(images.shape)
        if model.prior is not None:
            return {}
        fill(model, weights, self.run.path / "weights.safetensors")
        with threads_of(plan):
            trained = TrainedAutoencoder(model, plan, self.run.data, self.context.fabric.device)
            return {
                kept_codes.FILE: kept_codes.KeptCodes.of(trained, images, self.context.split.train).content
            }

    def _learn(self, components: Components, first: int) -> Generator[EpochRecord, None, None]:
        if self.together is None:
            return learn(self.experiment, components, first)
        return learn_together(self.context, components, first, self.together)

    def _require_own_images(self) -> None:
        """Hold images that were read from disk all the time to their hash, as size and time can be set back.

        Raises:
            DataError: they are others now. Nothing is kept: since when is not known.
        """
        images = self.context.images
        if images.on_disk and images.hashed() != self.run.data.content_hash:
            self.run.begin_anew()
            raise DataError(
                f"{images.source} must stay as they are while they are learned from",
                found="other images at the end than at the beginning (the content hash differs)",
                do=f"bring them back; latentspace train --resume {self.run.path} begins anew",
            )


def start(
    experiment: Experiment,
    out: Path,
    *,
    images: Given | None = None,
    for_classifier: bool = False,
    parent: Run | None = None,
    together: Start | None = None,
) -> Training:
    """Load the data, split them, and make the run directory at `out`.

    Args:
        images: an ImageSet, an array, pictures ... (see `data.given`); None: those that the plan names.
        for_classifier: whether a classifier will learn from its codes, so that images must have classes.
        parent: the run that it begins from, of the same network, images and split.
        together: as `Training`; None: by the plan's devices, on this machine.

    Raises:
        LatentspaceError: data that cannot be read, a split that leaves a part empty, images too small
            for the network, a device that is not there, more threads or processes than this machine's cores
            can serve, or an `out` that is taken.
    """
    refuse_existing(out)
    together = together or together_of(experiment, new=True)
    with collected() as said:
        for difference in against_preset(experiment):
            logger.info("%s", difference)
        training = _begun(prepare(experiment, images), out, for_classifier, parent, together)
    training.run.log(said)
    return training


def _begun(
    context: TrainingContext, out: Path, for_classifier: bool, parent: Run | None, together: Start | None
) -> Training:
    if for_classifier:
        require_classes(context.images)
    if parent is not None:
        require_same_data(parent, context)
    experiment, parts = context.experiment, context.split
    require_divisible(context)
    logger.info("split %s: %s", parts.shares, parts.note)
    if parts.parted:
        logger.log(
            logging.WARNING if parts.published else logging.INFO,
            "of the validation and test images, %s in an earlier part, so scores may be too good%s",
            parts.parted,
            f": {option('deduplicate', True)} leaves out such training images; "
            f"{option('split', '60/20/20')} draws another split"
            if parts.published
            else "",
        )
    learned = learned_from(experiment, parts)
    if experiment.training.batch_size > len(learned):
        logger.warning(
            "a batch of %d is larger than the %d training images: one batch holds them all",
            experiment.training.batch_size,
            len(learned),
        )
    with threads_of(experiment):
        made_on = describe(context.fabric.device)
    environment = {
        **made_on,
        "precision": experiment.precision,
        "batch_size_in_use": min(experiment.training.batch_size, len(learned)),
        "encoder_hash": context.encoder_hash,
        **lineage(parent),
    }
    hashes = context.images.image_hashes[learned]
    if context.extra is not None:
        hashes = np.concatenate([hashes, context.extra.hashes])
        count, content = len(context.extra.pixels), context.extra.content_hash
        environment |= {"extra_images": count, "extra_hash": content}
    if parent is not None:
        hashes = np.concatenate([hashes, parent.learned_from])
    run = Run.create(out, experiment, context.images, parts, hashes, environment)
    return Training(run, context, together)


def together_of(experiment: Experiment, *, new: bool) -> Start | None:
    """What begins the processes of a training on this machine; None: one computes it, which is this one.

    Args:
        new: whether the training begins; one that goes on keeps its number of processes.

    Raises:
        ConfigurationError: more threads, or more new processes on the CPU, than its cores can serve.
        DeviceError: there are more processes than GPUs.
    """
    refuse_too_many("threads", experiment.threads)
    if new:
        refuse_too_many("devices", experiment.devices)
    if experiment.devices == 1:
        return None
    devices_of(experiment)
    return LocalRanks


def resume(
    path: Path,
    images: Given | DataConfig | None = None,
    *,
    threads: int | None = None,
    together: Start | None = None,
) -> Training:
    """Open the run at `path` to go on with it.

    Args:
        images: the run's own, or where they are now; None: where they were.
        threads: of the CPU, from now on; None: as many as the run's plan has.
        together: as in `start`.

    Raises:
        ConfigurationError: more threads than this machine's cores can serve.
        RunError: there is no run, a file of it is damaged, another process writes there, or its data are
            gone or others.
    """
    run = Run.open(path)
    experiment = run.experiment
    if threads is not None and threads != experiment.threads:
        experiment = Experiment.parse({**experiment.model_dump(), "threads": threads}, "the run's plan")
        logger.info(
            "%s, where the run began with %d: its numbers may be rounded otherwise",
            option("threads", threads),
            run.experiment.threads,
        )
    run.refuse_unreadable()  # what can be refused is refused before images are read
    together = together or together_of(experiment, new=False)
    fabric = make_fabric(experiment)
    pretrained = pretrained_encoder_of(experiment, run.encoder_hash, beside=path)
    if images is not None and not isinstance(images, DataConfig):
        images = load_images(experiment.data, images)
    found, own = own_or_other(run, images)
    if not own:
        raise RunError(
            f"{path} must be resumed on the images it began with",
            found=f"{found.source}: other images (the content hash differs)",
            do=f"name the run's own with {option('data')}, or train a new run",
        )
    extra = extra_of(experiment, found, held_out(experiment, run.split))
    require_same(extra, run)
    context = TrainingContext(experiment, found, run.split, fabric, pretrained, extra=extra)
    return Training(run, context, together)


def is_run_of(run: Run, plan: Experiment) -> bool:
    """Whether the run is of this plan, on whatever device.

    An encoder is known by its weights: whole folders can be moved.
    """
    there = run.experiment
    plan = plan.model_copy(update={"device": there.device})
    if plan.precision == "auto":  # what it settled for there
        plan = plan.model_copy(update={"precision": there.precision})
    model = plan.model.fitted(run.data.shape)
    if getattr(model, "linear_path", None) == "auto":
        model = model.model_copy(update={"linear_path": getattr(there.model, "linear_path", "auto")})
    plan = plan.model_copy(update={"model": model})
    training = plan.training.fitted(len(learned_from(there, run.split)))
    if training.augment == "auto":
        training = training.model_copy(update={"augment": there.training.augment})
    if training.minutes is not None:
        training = training.model_copy(update={"epochs": there.training.epochs})
    plan = plan.model_copy(update={"training": training})
    if plan.encoder is not None and there.encoder is not None:
        path = Path(plan.encoder)
        if Run(path).finished and Run(path).weights_hash == run.encoder_hash:
            there = there.model_copy(update={"encoder": plan.encoder})
    return there == plan


def train(experiment: Experiment, out: Path, images: Given | None = None) -> Run:
    """Train from start to end without looking; arguments as `start`."""
    training = start(experiment, out, images=images)
    for _ in training.records():
        pass
    return training.run
