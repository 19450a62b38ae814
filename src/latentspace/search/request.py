"""What a user asked for -> the plan of a search, tried against the images before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.atomic_files import exists
from ..core.child_processes import cores, refuse_too_many
from ..core.config import merged
from ..core.devices import named_device
from ..core.errors import ConfigurationError
from ..core.wording import document, option
from ..experiment.config import Experiment
from ..experiment.presets import settings_of_preset
from ..experiment.recipe import Recipe
from ..experiment.search_space import SearchConfig
from ..experiment.tasks import TASKS
from ..experiment.usual import usual_preset
from ..training.context import prepare
from .plan import FILE, StudyPlan, directions_of
from .space import check_names, check_space, published, without
from .storage import refuse_unreachable, without_password
from .trials import refuse_place


@dataclass(frozen=True)
class SearchRequest:
    """What was named on the command line; None: not named.

    Args:
        kind: of network.
        recipe: a file or a built-in name, or what one held; None: the task's default space.
        changes: settings (nested, as in config.json); those that are searched are searched no more.
        published: whether the default settings are to be a trial.
        elsewhere: whether trials are computed by other machines than this one.
    """

    kind: str | None = None
    recipe: str | Recipe | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    trials: int | None = None
    epochs: int | None = None
    objectives: tuple[str, ...] | None = None
    storage: str | None = None
    workers: int | None = None
    published: bool = False
    elsewhere: bool = False


def draft(request: SearchRequest, directory: Path, *, resume: bool) -> tuple[StudyPlan, int]:
    """The plan, and the number of workers: the study's own with the request laid over it, or a new one.

    Raises:
        LatentspaceError: settings that cannot be meant, a space that cannot work, images that cannot be
            read, a device that is not there.
    """
    refuse_place(directory, request.storage, resume=resume)  # what can be refused is, before images are read
    if request.storage is not None:
        refuse_unreachable(request.storage)
    old = StudyPlan.load(directory) if resume and exists(directory / FILE) else None
    experiment, search = anew(request) if old is None or request.recipe else _again(request, old)
    if old is not None:
        search = _not_fewer(search, old.search.trials, named=request.trials is not None)
    if experiment.devices > 1:
        raise ConfigurationError(
            "each trial of a search is trained by one process",
            found=option("devices", experiment.devices),
            do=f"leave it out; {option('workers')} says how many trials are trained side by side",
        )
    workers, threads = shared_out(experiment, request.workers)
    if not request.elsewhere:
        refuse_too_many("threads", threads)
        refuse_too_many("workers", workers)
    experiment = experiment.model_copy(update={"threads": threads})
    objectives = request.objectives or (old.objectives if old else (experiment.task.score,))
    directions = directions_of(objectives, experiment)
    settled = old.encoder_hash if old and experiment.encoder == old.experiment.encoder else None
    check_space(search.space, experiment)
    context = prepare(experiment, encoder_hash=settled, beside=directory)
    check_space(search.space, context.experiment, context.images.shape)
    plan = StudyPlan(
        name=old.name if old else directory.resolve().name,
        experiment=context.experiment,
        search=search,
        objectives=objectives,
        directions=directions,
        storage=without_password(request.storage) or (old.storage if old else None),
        source=context.images.source,
        content_hash=context.images.content_hash,
        encoder_hash=context.encoder_hash,
        encoder_fit=context.encoder_fit,
        training_images=context.learned,
    )
    if request.published:
        published(plan.space, context.experiment)
    return plan, workers


def shared_out(experiment: Experiment, workers: int | None) -> tuple[int, int]:
    """Workers and threads of each: by default a worker of one thread for each core.

    A training of these small networks gains little from a second thread, so two trainings side by side
    finish sooner than one after the other (benchmarks/search_workers.py). A GPU has one worker.

    Args:
        experiment: its `threads`, where they are not 0, stay.
        workers: as asked for; None: as many as the cores allow.
    """
    on_gpu = named_device(experiment.device).type != "cpu"
    threads = experiment.threads
    if workers is None:
        workers = 1 if on_gpu else max(1, cores() // max(1, threads))
    return workers, threads or max(1, cores() // workers)


def anew(request: SearchRequest) -> tuple[Experiment, SearchConfig]:
    """What a new study would search, before any image has been read.

    Raises:
        ConfigurationError: settings that cannot be meant, or nothing to search.
    """
    if request.kind is None:
        raise ConfigurationError(
            "search needs a task",
            found="no TASK",
            do="write for example: latentspace search ae --data notmnist --out studies/letters",
        )
    kind = TASKS.require(request.kind)
    named = request.recipe or Recipe(
        preset=request.changes.get("preset") or usual_preset(kind, request.changes)
    )
    recipe = Recipe.load(named) if isinstance(named, str) else named
    preset = str(request.changes.get("preset", recipe.preset))
    search = _laid_over(_searched(recipe, kind, preset), request)
    experiment = recipe.experiment(kind, merged(request.changes, _its_own(search.epochs, request.changes)))
    check_names(search.space, experiment)
    space = without(search.space, request.changes)
    if not space:
        raise ConfigurationError(
            "a search needs a setting to search",
            found="each setting of the space is fixed with --set",
            do="leave at least one of them out",
        )
    return experiment, search.model_copy(update={"space": space})


def _again(request: SearchRequest, old: StudyPlan) -> tuple[Experiment, SearchConfig]:
    search = _laid_over(old.search, request)
    changes = _its_own(search.epochs, request.changes)
    if request.kind is not None and TASKS.require(request.kind) != old.experiment.kind:
        raise ConfigurationError(
            "a study goes on with the task that it began with",
            found=f"{request.kind} here, {old.experiment.kind} there",
            do="leave the task out, or search at another place (--out)",
        )
    preset = request.changes.get("preset", old.experiment.preset)
    if preset != old.experiment.preset:
        raise ConfigurationError(
            "a study goes on with the preset that it began with",
            found=f"{preset} here, {old.experiment.preset} there",
            do="leave the preset out, or search at another place (--out)",
        )
    base = merged(old.experiment.model_dump(), merged(request.changes, changes))
    space = without(search.space, request.changes)  # should it now be another, the study will be refused
    return Experiment.parse(base, "the study's experiment"), search.model_copy(update={"space": space})


def _its_own(epochs: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The epochs of a whole trial as changes of a plan, whose own and whose minutes do not count here.

    Raises:
        ConfigurationError: the search was asked for minutes of training.
    """
    if changes.get("training", {}).get("minutes") is not None:
        raise ConfigurationError(
            "the trials of a search have one number of epochs",
            found="training.minutes",
            do="use --epochs for it, or --timeout for the search as a whole",
        )
    return {"training": {"epochs": epochs, "minutes": None}}


def _not_fewer(search: SearchConfig, trials: int, *, named: bool) -> SearchConfig:
    """A study's number of trials only grows; where a recipe has fewer, those that were asked for stay."""
    if search.trials < trials and named:
        raise ConfigurationError(
            "the number of a study's trials may only grow",
            found=f"--trials {search.trials}, and the study was asked for {trials}",
            do="leave --trials out; to end a search before that, press Ctrl-C or use --timeout",
        )
    return search.model_copy(update={"trials": max(search.trials, trials)})


def _laid_over(search: SearchConfig, request: SearchRequest) -> SearchConfig:
    named = {"trials": request.trials, "epochs": request.epochs}
    values = {**search.model_dump(), **{key: one for key, one in named.items() if one is not None}}
    return SearchConfig.parse(values, "the search")


def _searched(recipe: Recipe, kind: str, preset: str) -> SearchConfig:
    """The recipe's own search, else the preset's.

    Raises:
        ConfigurationError: neither has one for the task.
    """
    own, usual = recipe.study(kind).search, settings_of_preset(preset, kind)
    if own is not None:
        return own
    if "search" in usual:
        return SearchConfig.parse(usual["search"], f"the preset {preset}")
    raise ConfigurationError(
        f"the recipe must say what to search for {kind}: there is no default",
        found=f"no [{kind}.search.space]",
        do=f"write one ({document('guide/search.md')} shows how) and name the file with --recipe",
    )
