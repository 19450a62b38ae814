"""The report's studies in order, from one recipe: skip what is done, go on with what was interrupted.

Below the place of a reproduction lie the runs ae, dae, classifier, classifier-report (the same, trained
through the Softmax as the report did), vae, and ae-code-2 and ae-code-32, which are the plain autoencoder
with other code sizes; then report.html and its figures/.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

from .configuration import merged
from .data.imageset import ImageSet
from .data.sources import load_images
from .data.splits import Shares
from .errors import RunError
from .exhibits import (
    Exhibits,
    Subject,
    gather_autoencoder,
    gather_classifier,
    gather_denoiser,
    gather_growth,
    gather_variational,
)
from .experiment import Experiment, Kind, Recipe
from .report.study import run_page
from .report.whole import Studies, whole_page
from .report.write import write_page, write_run_page
from .runs import Run
from .training.loop import EpochRecord
from .training.speed import images_per_second
from .training.train import resume, start

logger = logging.getLogger(__name__)

CODE_SIZES = (2, 32)  # of the plain autoencoders beside the report's own


@dataclass(frozen=True)
class Step(ABC):
    """One piece of work at one place: a training, and whatever else a recipe may ask for."""

    name: str
    place: Path

    @property
    @abstractmethod
    def is_done(self) -> bool: ...

    @property
    @abstractmethod
    def epochs(self) -> int: ...

    @property
    @abstractmethod
    def epochs_done(self) -> int: ...

    @abstractmethod
    def records(self) -> Iterator[EpochRecord]:
        """Do the work, or what is left of it; yield a record an epoch."""

    @abstractmethod
    def seconds_left(self, images: ImageSet) -> float:
        """About how long what is left would take on this machine."""


@final
@dataclass(frozen=True)
class TrainingStep(Step):
    """A training, whose run directory is its place.

    Args:
        plan: what is trained, as far as it is known beforehand.
        code_size: of the encoder that a classifier stands on.
    """

    plan: Callable[[], Experiment]
    code_size: int

    @property
    def is_done(self) -> bool:
        return self._begun and Run.open(self.place).finished

    @property
    def epochs(self) -> int:
        return self.plan().training.epochs

    @property
    def epochs_done(self) -> int:
        records = Run.open(self.place).metrics if self._begun else []
        return int(records[-1]["epoch"]) if records else 0

    def records(self) -> Iterator[EpochRecord]:
        """Train, anew or as far as it is still to be done.

        Raises:
            RunError: there is a run of another plan.
            LatentspaceError: as `start` and `resume`.
        """
        plan = self.plan()
        if not self._begun:
            return start(plan, self.place).records()
        if Run.open(self.place).experiment != plan:
            raise RunError(
                f"{self.place} must be a run of this recipe",
                found="a run with other settings",
                do="name another place with --out, or move that run away",
            )
        return resume(self.place).records()

    def seconds_left(self, images: ImageSet) -> float:
        """Found by training a little on noise; a pass over validation images is taken as a third of one."""
        plan = self.plan()
        rate = images_per_second(plan, images.shape, self.code_size, max(2, len(images.class_names)))
        train, validation, _ = map(int, Shares.parse(plan.split.shares).sizes(len(images)))
        return (plan.training.epochs - self.epochs_done) * (train + validation / 3) / rate

    @property
    def _begun(self) -> bool:
        return (self.place / "config.json").exists()


class Reproduction:
    """One recipe at one place.

    Args:
        recipe: what to train.
        out: a folder; each study's run lies below it under its name.
        changes: laid over every study's plan, as in config.json.
    """

    def __init__(self, recipe: Recipe, out: Path, changes: Mapping[str, Any]) -> None:
        self.recipe = recipe
        self.out = out
        self.changes = changes

    @property
    def steps(self) -> tuple[Step, ...]:
        """In the order in which they must be done: the classifiers stand on the autoencoder."""
        others = tuple(size for size in CODE_SIZES if size != self._code_size)
        return (
            self._training("ae", "ae", {}),
            self._training("dae", "dae", {}),
            self._training("classifier", "classifier", self._on_the_autoencoder("cross-entropy")),
            self._training("classifier-report", "classifier", self._on_the_autoencoder("report")),
            self._training("vae", "vae", {}),
            *(self._training(f"ae-code-{size}", "ae", {"model": {"code_size": size}}) for size in others),
        )

    def page(self) -> Path:
        """Judge every run, write its own page, and the one page that shows all of them; return its path.

        Raises:
            RunError: a step is not done.
        """
        images = load_images(Run.open(self.out / "ae").experiment.data)
        opened = {}
        for step in self.steps:
            opened[step.place.name] = self._opened(step, images)
        ae = opened.pop("ae")
        plain, denoiser = gather_autoencoder(ae), gather_denoiser(opened.pop("dae"), ae.run)
        classifier = gather_classifier(opened.pop("classifier"))
        variational = gather_variational(opened.pop("vae"))
        every: tuple[Exhibits, ...] = (plain, denoiser, classifier, variational)
        pages = [run_page(shown) for shown in every]
        for page, shown in zip(pages, every, strict=True):
            write_run_page(page, shown.subject.run)
        if not ae.run.data.comparable:
            logger.warning("made from %s: no figure can be compared with the report's", ae.run.data.source)
        studies = Studies(
            description=self.recipe.description,
            ae=plain,
            dae=denoiser,
            classifier=classifier,
            vae=variational,
            reported=opened.pop("classifier-report"),
            growth=gather_growth((ae, *opened.values())),
            data=pages[0].sections[1],
            sections=tuple(page.sections[0] for page in pages),
        )
        return write_page(whole_page(studies), self.out)

    def images(self) -> ImageSet:
        """What the studies learn from; reading them may fetch or render them."""
        return load_images(self.recipe.experiment("ae", self.changes).data)

    def _training(self, name: str, kind: Kind, more: Mapping[str, Any]) -> Step:
        return TrainingStep(name, self.out / name, partial(self._plan, kind, more), self._code_size)

    @property
    def _code_size(self) -> int:
        """Of the autoencoder that the classifiers stand on."""
        return int(self.recipe.experiment("ae", self.changes).model_dump()["model"]["code_size"])

    def _plan(self, kind: Kind, more: Mapping[str, Any]) -> Experiment:
        """On the images that the first study settled for, whatever `auto` would find now."""
        plan = self.recipe.experiment(kind, merged(self.changes, more))
        first = self.out / "ae"
        if plan.data.spec != "auto" or not (first / "config.json").exists():
            return plan
        settled = Run.open(first).experiment.data.spec
        return plan.model_copy(update={"data": plan.data.model_copy(update={"spec": settled})})

    def _on_the_autoencoder(self, loss: str) -> dict[str, Any]:
        return {"encoder": str((self.out / "ae").resolve()), "objective": {"loss": loss}}

    def _opened(self, step: Step, images: ImageSet) -> Subject:
        run = Run.open(step.place)
        if not run.finished or run.data.content_hash != images.content_hash:
            raise RunError(
                f"every study of {self.out} must be done, on the same images",
                found=f"{step.place} is not",
                do="run latentspace reproduce again: it goes on where it was",
            )
        logger.info("judging %s", run.path)
        return Subject.of(run, images)
