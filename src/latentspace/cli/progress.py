"""The progress of a search: a live table on a terminal, else a line for each trial that ends."""

from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..core.wording import counted
from . import console

if TYPE_CHECKING:
    from ..runs.directory import Run
    from ..search.executors.protocol import Executor
    from ..search.plan import StudyPlan
    from ..search.results import SearchProgress, State, Trial
    from ..search.trials import Trials


def run(
    study: "Trials",
    executor: "Executor",
    workers: int | None,
    *,
    url: str | None = None,
    timeout: float | None = None,
) -> "SearchProgress":
    """Run a search to its end and show it; returns where it ended."""
    from ..search.run import places, search

    now = places(workers, executor)
    introduce(study.plan, now)
    with closing(search(study, executor, workers=workers, url=url, timeout=timeout)) as going:
        return follow(going, study.plan, now)


def introduce(plan: "StudyPlan", workers: int) -> None:
    """What is about to be searched, and what is not."""
    experiment = plan.experiment
    objectives = ", ".join(f"{way} {one}" for one, way in zip(plan.objectives, plan.directions, strict=True))
    console.say(
        f"{plan.name}: {counted(plan.search.trials, 'trial')} of "
        f"{counted(experiment.training.epochs, 'epoch')}, {objectives} on the validation "
        f"part; {counted(workers, 'worker')} of {counted(experiment.threads, 'thread')}"
    )
    console.say(f"searched: {', '.join(plan.space)}")
    _introduce_batches(plan)
    combinations = plan.combinations
    if combinations is not None and combinations.count < plan.search.trials:
        console.say(
            f"the space has {counted(combinations.count, 'combination')}: each is tried once, no more"
        )
    if not plan.single:
        console.say("several objectives: no trial is pruned, and there is no one best trial to train in full")


def _introduce_batches(plan: "StudyPlan") -> None:
    """Whether the training set is smaller than batches that were asked for."""
    from ..search.positions import described
    from ..search.space import BATCHES

    images, largest = plan.training_images, plan.experiment.training.batch_size
    if plan.space != plan.search.space:
        console.say(
            f"{BATCHES} is searched over {described(plan.space[BATCHES])} instead of "
            f"{described(plan.search.space[BATCHES])}: there are {counted(images)} to learn from"
        )
    elif BATCHES not in plan.space and 0 < images < largest:
        console.say(
            f"a batch of {largest:,} is more than the {counted(images)} to learn from: it holds them all"
        )


def follow(progress: "Iterable[SearchProgress]", plan: "StudyPlan", workers: int) -> "SearchProgress":
    """Show how a search goes; returns where it ended."""
    if console.err.is_terminal and not console.quiet():
        return _live(progress, plan, workers)
    last: SearchProgress | None = None
    for now in progress:
        ended = {one.number for one in last.trials if one.ended} if last else None
        for one in now.trials:
            if one.ended and ended is not None and one.number not in ended:
                console.say(f"{_line(one, plan)}; {_summary(now, workers)}")
        last = now
    return _ended(last)


def _live(progress: "Iterable[SearchProgress]", plan: "StudyPlan", workers: int) -> "SearchProgress":
    from rich.live import Live

    last: SearchProgress | None = None
    with Live(console=console.err, transient=False, auto_refresh=False) as screen:
        for last in progress:
            screen.update(_table(last, plan, workers), refresh=True)
    return _ended(last)


def _ended(last: "SearchProgress | None") -> "SearchProgress":
    if last is None:
        raise RuntimeError("a search yields its progress at least once")
    return last


def _table(now: "SearchProgress", plan: "StudyPlan", workers: int) -> Group:
    counts = Table(box=None, header_style="bold", pad_edge=False)
    names: tuple[State, ...] = ("complete", "pruned", "failed", "lost", "running")
    left = now.seconds_left(workers)
    for name in ("done", *names, "time left"):
        counts.add_column(name, justify="right")
    counts.add_row(
        f"{now.counted}/{now.asked}",
        *(str(now.count(name)) for name in names),
        "" if left is None else str(timedelta(seconds=round(left))),
    )
    lines = [Text(_line(one, plan), style="dim") for one in now.trials if one.state == "running"]
    if now.best is not None:
        lines.append(Text(f"best: {_line(now.best, plan)}", style="bold"))
        lines.append(Text(f"      {_parameters(now.best)}"))
    return Group(counts, *lines)


def _line(one: "Trial", plan: "StudyPlan") -> str:
    score = "" if one.score is None else f" {plan.objectives[0]} {one.score:.5g}"
    why = f": {one.notes.reason}" if one.notes.reason else ""
    return f"trial {one.number} {one.state}{score} after {counted(one.epochs, 'epoch')}{why}"


def _summary(now: "SearchProgress", workers: int) -> str:
    best = "" if now.best is None else f"best {now.best.score:.5g} (trial {now.best.number}); "
    left = now.seconds_left(workers)
    clock = "" if left is None else f", {timedelta(seconds=round(left))} left"
    return f"{best}{now.counted}/{now.asked}{clock}"


def _parameters(one: "Trial") -> str:
    return ", ".join(f"{name} {console.number(value)}" for name, value in one.params.items())


def conclude(last: "SearchProgress", plan: "StudyPlan", run: "Run | None") -> None:
    """The best trial's parameters, its score, and its result on the test part."""
    if last.best is None:
        return
    task = plan.experiment.task
    rows = [[name, console.number(value)] for name, value in last.best.params.items()]
    rows.append([f"validation {plan.objectives[0]}", f"{last.best.score:.5f}"])
    if run is not None:
        if task.score in (test := run.result("test") or {}):
            rows.append([f"test {task.score}", f"{test[task.score]:.5f}"])
        rows.append(["learned from", run.experiment.training.fit])
    console.show_table(
        f"trial {last.best.number}, the best of {last.counted}", ["", ""], rows, to=console.err
    )
