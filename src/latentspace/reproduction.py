"""The report's studies in order, from one recipe: skip what is done, go on with what was interrupted.

Below the place of a reproduction lie the runs ae, dae, classifier, classifier-report (the same, trained
through the Softmax as the report did), vae, and ae-code-2 and ae-code-32, which are the plain autoencoder
with other code sizes; the studies search-ae, search-dae, search-classifier and search-vae, as far as the
recipe has a search for them; then report.html and its figures/. The trainings have the recipe's
parameters, not the searches' winners.
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
from .evaluation.evaluate import evaluate
from .exhibits import (
    Exhibits,
    Subject,
    gather_autoencoder,
    gather_classifier,
    gather_denoiser,
    gather_growth,
    gather_variational,
)
from .experiment import Experiment, Kind
from .ranges import Settings
from .recipe import Recipe
from .report.page import Section
from .report.search import search_section, write_study
from .report.study import run_page
from .report.whole import Studies, whole_page
from .report.write import write_page, write_run_page
from .runs import Run
from .search.draft import Wishes, anew, draft
from .search.plan import FILE, StudyPlan, differences
from .search.space import experiment_of
from .search.study import Trials, begin, is_begun, join
from .search.winner import final_training, is_judged, write_recipes
from .training.loop import EpochRecord
from .training.speed import images_per_second
from .training.train import Training, is_run_of, resume, start

logger = logging.getLogger(__name__)

CODE_SIZES = (2, 32)  # of the plain autoencoders beside the report's own


@dataclass(frozen=True)
class Step(ABC):
    """One piece of work at one place: a training, or a search.

    Args:
        code_size: of the encoder that a classifier stands on.
    """

    name: str
    place: Path
    code_size: int

    @property
    @abstractmethod
    def unit(self) -> str:
        """What `size` and `done` count."""

    @property
    @abstractmethod
    def size(self) -> int: ...

    @property
    @abstractmethod
    def done(self) -> int: ...

    @property
    @abstractmethod
    def is_done(self) -> bool: ...

    @abstractmethod
    def seconds_left(self, images: ImageSet) -> float:
        """About how long what is left would take on this machine, found by training a little on noise."""

    def _seconds_an_epoch(self, plan: Experiment, images: ImageSet) -> float:
        """A pass over validation images is taken as a third of a training pass."""
        rate = images_per_second(plan, images.shape, self.code_size, max(2, len(images.class_names)))
        train, validation, _ = map(int, Shares.parse(plan.split.shares).sizes(len(images)))
        return (train + validation / 3) / rate


@final
@dataclass(frozen=True)
class TrainingStep(Step):
    """A training, whose run directory is its place.

    Args:
        plan: what is trained, as far as it is known beforehand.
    """

    plan: Callable[[], Experiment]

    @property
    def is_done(self) -> bool:
        return self._begun and Run.open(self.place).finished

    @property
    def unit(self) -> str:
        return "epochs"

    @property
    def size(self) -> int:
        return self.plan().training.epochs

    @property
    def done(self) -> int:
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
        if not is_run_of(Run.open(self.place), plan):
            raise RunError(
                f"{self.place} must be a run of this recipe",
                found="a run with other settings",
                do="name another place with --out, or move that run away",
            )
        return resume(self.place).records()

    def seconds_left(self, images: ImageSet) -> float:
        return (self.size - self.done) * self._seconds_an_epoch(self.plan(), images)

    @property
    def _begun(self) -> bool:
        return (self.place / "config.json").exists()


@final
@dataclass(frozen=True)
class SearchStep(Step):
    """A search, whose study directory is its place. At the end its winner is trained and judged, once.

    Args:
        wishes: what is searched, as far as it is known beforehand.
    """

    wishes: Callable[[], Wishes]

    @property
    def unit(self) -> str:
        return "trials"

    @property
    def size(self) -> int:
        return anew(self.wishes())[1].trials

    @property
    def done(self) -> int:
        if not is_begun(self.place):
            return 0
        with join(self.place, None) as study:
            return study.standing().counted

    @property
    def is_done(self) -> bool:
        if self.done < self.size:
            return False
        with join(self.place, None) as study:
            return study.best() is None or is_judged(study)

    def refuse_another(self) -> None:
        """Raises: RunError: there is a study that was begun with another plan."""
        if not (self.place / FILE).exists():
            return
        there, (experiment, search) = StudyPlan.load(self.place), anew(self.wishes())
        encoder = None if experiment.encoder is None else Run.open(Path(experiment.encoder)).weights_hash
        changes = {"experiment": experiment, "search": search, "encoder_hash": encoder}
        found = differences(there.model_copy(update=changes).attributes(), there.attributes())
        if found:
            raise RunError(
                f"{self.place} must be the study of this recipe",
                found=f"a search with another plan: {found}",
                do="name another place with --out, or move that study away",
            )

    def open(self) -> tuple[Trials, int]:
        """The study, new or as far as it has come, and how many workers are to run it; close the study.

        Raises:
            LatentspaceError: as `refuse_another`, `search.draft.draft` and `search.study.begin`.
        """
        self.refuse_another()
        here = (self.place / FILE).exists()
        plan, workers = draft(self.wishes(), self.place, resume=here)
        return begin(plan, self.place, None, resume=here), workers

    def winner(self, study: Trials) -> Training | None:
        """The best trial's training, new or as far as it has come; None where no trial ran to its end."""
        if study.best() is None:
            return None
        write_recipes(study)
        return final_training(study)

    def judge(self, run: Run) -> None:
        """Open the test part for the winner, once."""
        if "test" not in run.results():
            evaluate(run)

    def seconds_left(self, images: ImageSet) -> float:
        """At most, roughly: as if each trial had the largest network and none was pruned; with the winner."""
        experiment, search = anew(self.wishes())
        largest: Settings = {}
        for name, one in search.space.items():
            numbers = [value for value in one.extremes if isinstance(value, int | float)]
            if name.startswith("model.") and numbers:
                largest[name] = max(numbers)
        plan = experiment_of(largest, experiment, experiment.seed)
        trials = max(0, search.trials - self.done) + 1
        return trials * search.epochs * self._seconds_an_epoch(plan, images)


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
    def steps(self) -> tuple[TrainingStep | SearchStep, ...]:
        """In the order in which they must be done: the classifiers stand on the autoencoder."""
        others = tuple(size for size in CODE_SIZES if size != self._code_size)
        return (
            self._training("ae", "ae", {}),
            *self._search("ae"),
            self._training("dae", "dae", {}),
            *self._search("dae"),
            self._training("classifier", "classifier", self._on_the_autoencoder("cross-entropy")),
            self._training("classifier-report", "classifier", self._on_the_autoencoder("report")),
            *self._search("classifier", {"encoder": self._encoder}),
            self._training("vae", "vae", {}),
            *self._search("vae"),
            *(self._training(f"ae-code-{size}", "ae", {"model": {"code_size": size}}) for size in others),
        )

    def page(self) -> Path:
        """Judge every run, write its own page, and the one page that shows all of them; return its path.

        Raises:
            RunError: a step is not done.
        """
        images = load_images(Run.open(self.out / "ae").experiment.data)
        opened, searches = {}, []
        for step in self.steps:
            self._require(step, images)
            if isinstance(step, SearchStep):
                searches.append(self._searched(step))
            else:
                logger.info("judging %s", step.place)
                opened[step.place.name] = Subject.of(Run.open(step.place), images)
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
            searches=tuple(searches),
        )
        return write_page(whole_page(studies), self.out)

    def images(self) -> ImageSet:
        """What the studies learn from; reading them may fetch or render them."""
        return load_images(self.recipe.experiment("ae", self.changes).data)

    def _training(self, name: str, kind: Kind, more: Mapping[str, Any]) -> TrainingStep:
        return TrainingStep(name, self.out / name, self._code_size, partial(self._plan, kind, more))

    def _search(self, kind: Kind, more: Mapping[str, Any] | None = None) -> Iterator[SearchStep]:
        """The kind's search, if the recipe has one."""
        if getattr(self.recipe, kind).search is not None:
            name = f"search-{kind}"
            yield SearchStep(name, self.out / name, self._code_size, partial(self._wishes, kind, more or {}))

    def _wishes(self, kind: Kind, more: Mapping[str, Any]) -> Wishes:
        settled = {"data": {"spec": self._plan(kind, {}).data.spec}}
        return Wishes(kind, self.recipe, merged(merged(self.changes, settled), more))

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

    @property
    def _encoder(self) -> str:
        return str((self.out / "ae").resolve())

    def _on_the_autoencoder(self, loss: str) -> dict[str, Any]:
        return {"encoder": self._encoder, "objective": {"loss": loss}}

    def _require(self, step: Step, images: ImageSet) -> None:
        if step.is_done:
            study = isinstance(step, SearchStep)
            made_of = StudyPlan.load(step.place) if study else Run.open(step.place).data
            if made_of.content_hash == images.content_hash:
                return
        raise RunError(
            f"every study of {self.out} must be done, on the same images",
            found=f"{step.place} is not",
            do="run latentspace reproduce again: it goes on where it was",
        )

    def _searched(self, step: SearchStep) -> Section:
        """Write the study's own page, and take from it what the page of all shows."""
        logger.info("drawing the search %s", step.place)
        record, page = write_study(step.place)
        return search_section(record, page, f"{step.place.name}/report.html")
