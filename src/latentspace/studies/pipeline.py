"""One piece of work of a reproduction: a training or a search, skipped when done, else gone on with."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from ..core.errors import RunError
from ..data.imageset import ImageSet
from ..data.splits import shares_of
from ..evaluation.evaluate import evaluate
from ..experiment.config import Experiment
from ..experiment.search_space import Settings
from ..runs.directory import Run
from ..search.best import evaluated_run, final_training, write_recipes
from ..search.plan import FILE, StudyPlan, differences
from ..search.request import SearchRequest, anew, draft
from ..search.space import experiment_of
from ..search.trials import Trials, begin, is_begun, join
from ..training.estimate import images_per_second
from ..training.loop import EpochRecord
from ..training.train import Training, is_run_of, resume, start


@dataclass(frozen=True)
class Step(ABC):
    """One piece of work at one place: a training, or a search.

    Args:
        code_size: of a classifier's encoder.
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

    @property
    @abstractmethod
    def content_hash(self) -> str | None:
        """The hash of the images that a step which has ended was made from."""

    @abstractmethod
    def seconds_left(self, images: ImageSet) -> float:
        """About how long what is left would take on this machine, found by training a little on noise."""

    def _seconds_an_epoch(self, plan: Experiment, images: ImageSet) -> float:
        """A pass over validation images is taken as a third of a training pass."""
        train, validation, _ = map(int, shares_of(plan.split.shares).sizes(len(images)))
        plan = plan.model_copy(update={"training": plan.training.fitted(train)})
        rate = images_per_second(plan, images.shape, self.code_size, max(2, len(images.class_names)))
        return (train + validation / 3) / rate


@final
@dataclass(frozen=True)
class TrainingStep(Step):
    """A training, whose run directory is its place.

    Args:
        plan: what is trained, as far as it is known beforehand.
        for_classifier: whether a classifier will learn from its codes.
    """

    plan: Callable[[], Experiment]
    for_classifier: bool = False

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

    @property
    def content_hash(self) -> str | None:
        return Run.open(self.place).data.content_hash

    def records(self) -> Iterator[EpochRecord]:
        """Train, anew or as far as it is still to be done.

        Raises:
            RunError: there is a run of another plan.
            LatentspaceError: as `start` and `resume`.
        """
        plan = self.plan()
        if not self._begun:
            return start(plan, self.place, for_classifier=self.for_classifier).records()
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
        return Run.exists(self.place)


@final
@dataclass(frozen=True)
class SearchStep(Step):
    """A search, whose study directory is its place; at the end the best parameters are trained and evaluated.

    Args:
        request: what is searched, as far as it is known beforehand.
    """

    request: Callable[[], SearchRequest]

    @property
    def unit(self) -> str:
        return "trials"

    @property
    def size(self) -> int:
        return anew(self.request())[1].trials

    @property
    def done(self) -> int:
        if not is_begun(self.place):
            return 0
        with join(self.place, None) as study:
            return study.progress().counted

    @property
    def is_done(self) -> bool:
        if not is_begun(self.place):
            return False
        with join(self.place, None) as study:
            progress = study.progress(self.size)
            if progress.counted < progress.asked:
                return False
            return study.best() is None or evaluated_run(study) is not None

    @property
    def content_hash(self) -> str | None:
        return StudyPlan.load(self.place).content_hash

    def refuse_another(self) -> None:
        """Refuse a place with a study of another plan: raises RunError."""
        if not (self.place / FILE).exists():
            return
        there, (experiment, search) = StudyPlan.load(self.place), anew(self.request())
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
            LatentspaceError: as `refuse_another`, `search.request.draft` and `search.trials.begin`.
        """
        self.refuse_another()
        here = (self.place / FILE).exists()
        plan, workers = draft(self.request(), self.place, resume=here)
        return begin(plan, self.place, None, resume=here), workers

    def final_training(self, study: Trials) -> Training | None:
        """The best trial's training, new or as far as it has come; None where no trial ran to its end."""
        if study.best() is None:
            return None
        write_recipes(study)
        return final_training(study)

    def evaluate_once(self, run: Run) -> None:
        """Open the test part for the best parameters, once."""
        if run.result("test") is None:
            evaluate(run, device=run.experiment.device)

    def seconds_left(self, images: ImageSet) -> float:
        """At most, roughly: as if each trial and the final training had the largest network, none pruned."""
        experiment, search = anew(self.request())
        largest: Settings = {}
        for name, one in search.space.items():
            numbers = [value for value in one.extremes if isinstance(value, int | float)]
            if name.startswith("model.") and numbers:
                largest[name] = max(numbers)
        plan = experiment_of(largest, experiment, experiment.seed)
        trials = max(0, search.trials - self.done) + 1
        return trials * search.epochs * self._seconds_an_epoch(plan, images)
