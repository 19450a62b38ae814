"""What a user asked for -> the plan of a search, tried against the images before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..configuration import merged
from ..errors import ConfigurationError
from ..experiment import Experiment, Kind, kind_named
from ..files import exists
from ..ranges import SearchConfig
from ..recipe import Recipe
from ..training.ground import prepare
from ..wording import document
from .plan import FILE, StudyPlan, directions_of
from .space import check_space, published, without
from .storage import refuse_unreachable, without_password
from .study import refuse_place
from .workers import shared_out

REPORT = "homework"  # the built-in recipe with the report's own spaces


@dataclass(frozen=True)
class Wishes:
    """What was named on the command line; None: not named.

    Args:
        kind: of network.
        recipe: a file or a built-in name, or what one held; None: the report's space.
        changes: settings (nested, as in config.json); those that are searched are searched no more.
        published: whether the report's own parameters are to be a trial.
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


def draft(wishes: Wishes, directory: Path, *, resume: bool) -> tuple[StudyPlan, int]:
    """The plan, and the number of workers: the study's own with the wishes laid over it, or a new one.

    Raises:
        LatentspaceError: settings that cannot be meant, a space that cannot work, images that cannot be
            read, a device that is not there.
    """
    refuse_place(directory, wishes.storage, resume=resume)  # what can be refused is, before images are read
    if wishes.storage is not None:
        refuse_unreachable(wishes.storage)
    old = StudyPlan.load(directory) if resume and exists(directory / FILE) else None
    experiment, search = anew(wishes) if old is None or wishes.recipe else _again(wishes, old)
    if old is not None:
        search = _not_fewer(search, old.search.trials, named=wishes.trials is not None)
    workers, threads = shared_out(experiment, wishes.workers)
    experiment = experiment.model_copy(update={"threads": threads})
    objectives = wishes.objectives or (old.objectives if old else (experiment.purpose.score,))
    directions = directions_of(objectives, experiment)
    settled = old.encoder_hash if old and experiment.encoder == old.experiment.encoder else None
    check_space(search.space, experiment)
    ground = prepare(experiment, settled, beside=directory)
    plan = StudyPlan(
        name=old.name if old else directory.resolve().name,
        experiment=ground.experiment,
        search=search,
        objectives=objectives,
        directions=directions,
        storage=without_password(wishes.storage) or (old.storage if old else None),
        source=ground.images.source,
        content_hash=ground.images.content_hash,
        encoder_hash=ground.encoder_hash,
        encoder_fit=ground.encoder_fit,
        training_images=ground.learned,
    )
    if wishes.published:
        published(plan.space, ground.experiment)
    return plan, workers


def anew(wishes: Wishes) -> tuple[Experiment, SearchConfig]:
    """What a new study would search, before any image has been read.

    Raises:
        ConfigurationError: settings that cannot be meant, or nothing to search.
    """
    if wishes.kind is None:
        raise ConfigurationError(
            "search needs a model",
            found="no MODEL",
            do="write for example: latentspace search ae --data notmnist --out studies/letters",
        )
    kind = kind_named(wishes.kind)
    recipe = Recipe.load(wishes.recipe) if isinstance(wishes.recipe, str) else wishes.recipe or Recipe()
    search = _laid_over(_searched(recipe, kind), wishes)
    space = without(search.space, wishes.changes)
    if not space:
        raise ConfigurationError(
            "a search needs a setting to search",
            found="each setting of the space is fixed with --set",
            do="leave at least one of them out",
        )
    changes = merged(wishes.changes, {"training": {"epochs": search.epochs}})
    return recipe.experiment(kind, changes), search.model_copy(update={"space": space})


def _again(wishes: Wishes, old: StudyPlan) -> tuple[Experiment, SearchConfig]:
    search = _laid_over(old.search, wishes)
    changes: dict[str, Any] = {"training": {"epochs": search.epochs}}
    if wishes.kind is not None and kind_named(wishes.kind) != old.experiment.kind:
        raise ConfigurationError(
            "a study goes on with the model that it began with",
            found=f"{wishes.kind} here, {old.experiment.kind} there",
            do="leave the model out, or search at another place (--out)",
        )
    base = merged(old.experiment.model_dump(), merged(wishes.changes, changes))
    space = without(search.space, wishes.changes)  # should it now be another, the study will be refused
    return Experiment.parse(base, "the study's experiment"), search.model_copy(update={"space": space})


def _not_fewer(search: SearchConfig, trials: int, *, named: bool) -> SearchConfig:
    """A study's number of trials only grows; where a recipe has fewer, those that were asked for stay."""
    if search.trials < trials and named:
        raise ConfigurationError(
            "the number of a study's trials may only grow",
            found=f"--trials {search.trials}, and the study was asked for {trials}",
            do="leave --trials out; to end a search before that, press Ctrl-C or use --timeout",
        )
    return search.model_copy(update={"trials": max(search.trials, trials)})


def _laid_over(search: SearchConfig, wishes: Wishes) -> SearchConfig:
    named = {"trials": wishes.trials, "epochs": wishes.epochs}
    values = {**search.model_dump(), **{key: one for key, one in named.items() if one is not None}}
    return SearchConfig.parse(values, "the search")


def _searched(recipe: Recipe, kind: Kind) -> SearchConfig:
    """The recipe's own search, else the report's."""
    for one in (recipe, Recipe.load(REPORT)):
        search: SearchConfig | None = getattr(one, kind).search
        if search is not None:
            return search
    raise ConfigurationError(
        f"the recipe must say what to search for {kind}: the report searched nothing there",
        found=f"no [{kind}.search.space]",
        do=f"write one ({document('guide/search.md')} shows how) and name the file with --recipe",
    )
