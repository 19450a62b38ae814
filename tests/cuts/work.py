"""What is cut: a training, an evaluation, a page and a search, all small, each with what must come out."""

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from chaos.searching import check, trained_again
from chaos.training import RECIPE
from latentspace.analysis import RunContext, analyse
from latentspace.report.page import Page
from latentspace.report.run import write as writing
from latentspace.report.run.page import run_page
from latentspace.runs.directory import Run
from latentspace.search import run as searching
from latentspace.search.executors.local import LocalExecutor
from latentspace.search.executors.worker import work
from latentspace.search.results import Trial
from latentspace.search.trials import join
from latentspace.studies import published
from latentspace.training.train import train
from small_search import write_recipe
from studies import timeless

OUT = "out"
MAY_DIFFER = {f"{OUT}/run.log", f"{OUT}/best/run.log"}  # a log that could not be written costs its lines
HERE = ("--threads", "1", "--device", "cpu", "--precision", "32")
TRIALS = 2
ENDED = ("complete", "pruned")


@dataclass(frozen=True)
class Work(ABC):
    """One command below a folder of its own, and how it is gone on with.

    Args:
        ready: the folder that it begins with, or None: an empty one.
    """

    ready: Path | None
    name: ClassVar[str]

    @abstractmethod
    def begin(self, folder: Path) -> list[str]:
        """The arguments."""

    def again(self, folder: Path) -> list[str]:
        """Those that go on with what lies there."""
        return self.begin(folder)

    @abstractmethod
    def result(self, folder: Path) -> tuple[Any, ...]:
        """What must be the same with and without cuts; files that were left over are part of it."""

    def prepare(self) -> None:
        """What is done in the process that is cut, before it begins; mostly nothing."""
        return

    def difference(self, folder: Path, expected: tuple[Any, ...]) -> str:
        """In words, where the result differs from that without cuts; empty where it does not."""
        return difference(self.result(folder), expected)


@dataclass(frozen=True)
class Training(Work):
    data: Path
    name = "training"

    def begin(self, folder: Path) -> list[str]:
        recipe = self.data.with_name("recipe.toml")
        recipe.write_text(RECIPE)
        return [
            *("train", "ae", "--data", str(self.data), "--recipe", str(recipe), "--keep", "best"),
            *("--epochs", "2", "--set", "training.batch_size=25", *HERE, "--out", str(folder / OUT)),
        ]

    def again(self, folder: Path) -> list[str]:
        there = (folder / OUT / "config.json").exists()
        return ["train", "--resume", str(folder / OUT)] if there else self.begin(folder)

    def result(self, folder: Path) -> tuple[Any, ...]:
        run = Run.open(folder / OUT)
        return run.weights_hash, timeless(run), names(folder)


@dataclass(frozen=True)
class Evaluation(Work):
    name = "evaluation"

    def begin(self, folder: Path) -> list[str]:
        return ["evaluate", str(folder / OUT), "--device", "cpu"]

    def result(self, folder: Path) -> tuple[Any, ...]:
        return Run.open(folder / OUT).results(), names(folder)


@dataclass(frozen=True)
class Report(Work):
    """Of a run that is evaluated and measured already, as a page holds times.

    Args:
        page: what is written; drawn once, as that takes far longer than to write it.
    """

    page: Page
    name = "report"

    @staticmethod
    def drawn(ready: Path) -> Page:
        run = Run.open(ready / OUT)
        context = RunContext.open(run, device="cpu")
        return run_page(
            analyse(context), published(run.experiment.kind, run.data.comparable), agreement=context.agreement
        )

    def prepare(self) -> None:
        writing.analyse = lambda _: None  # type: ignore[assignment]
        writing.run_page = lambda *_, **__: self.page

    def begin(self, folder: Path) -> list[str]:
        return ["report", str(folder / OUT), "--device", "cpu"]

    def result(self, folder: Path) -> tuple[Any, ...]:
        drawn = {one.name: one.read_bytes() for one in (folder / OUT / "figures").iterdir()}
        page = (folder / OUT / "report.html").read_bytes()
        return drawn, page, Run.open(folder / OUT).results(), names(folder)


@dataclass(frozen=True)
class Search(Work):
    """Down to the final training and its evaluation."""

    data: Path
    name = "search"

    def prepare(self) -> None:
        """The worker runs in the process of the search, so that there is one order of operations."""
        searching.LOOKING = 0.0  # type: ignore[misc]
        LocalExecutor.submit = lambda _, task: work(task, lambda: False)  # type: ignore[method-assign]

    def begin(self, folder: Path) -> list[str]:
        recipe = write_recipe(self.data.parent, epochs=1, startup_trials=1, warmup_steps=0)
        return [
            *("search", "ae", "--data", str(self.data), "--recipe", str(recipe), "--trials", str(TRIALS)),
            *("--workers", "1", *HERE, "--out", str(folder / OUT)),
        ]

    def again(self, folder: Path) -> list[str]:
        there = (folder / OUT / "study.json").exists()
        more = ["search", "--out", str(folder / OUT), "--resume", "--workers", "1"]
        return more if there else self.begin(folder)

    def result(self, folder: Path) -> tuple[Any, ...]:
        """What lies there, the trials, and the winner's run. A picture whose trial was lost stays."""
        check(folder / OUT, TRIALS)
        ended = {
            json.dumps(one.params): (one.notes.seed, one.values, one.reports)
            for one in _trials(folder)
            if one.state in ENDED
        }
        best = Run.open(folder / OUT / "best")
        lying = {one for one in names(folder) if not one.startswith(f"{OUT}/artifacts/")}
        return lying, ended, best.weights_hash, best.results()

    def difference(self, folder: Path, expected: tuple[Any, ...]) -> str:
        """Where a trial was lost, those after it have other numbers, and so other parameters: they, and the
        best of them, are then what the same training gives again.
        """
        found = self.result(folder)
        if all(one.state in ENDED for one in _trials(folder)):
            return difference(found, expected)
        trained_again(folder / OUT, 0)
        best = Run.open(folder / OUT / "best")
        again = train(best.experiment, folder / "again")
        if again.weights_hash != best.weights_hash:
            return "the final training gives other weights when it is done again"
        return difference(found[:1], expected[:1])


def _trials(folder: Path) -> tuple[Trial, ...]:
    with join(folder / OUT, None) as study:
        return study.all()


def names(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*")} - MAY_DIFFER


def prepared(work: Work, folder: Path) -> Path:
    """`folder`, new, as the work begins with it."""
    shutil.rmtree(folder, ignore_errors=True)
    if work.ready is None:
        folder.mkdir()
    else:
        shutil.copytree(work.ready, folder)
    return folder


def difference(found: Any, expected: Any) -> str:
    """In words, where the two results differ; empty where they do not."""
    for one, other in zip(found, expected, strict=True):
        if isinstance(one, set) and one != other:
            return f"left over: {sorted(one - other)}, missing: {sorted(other - one)}"
        if isinstance(one, Mapping) and one != other:
            keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
            return f"other values of {keys}"
        if one != other:
            return f"{str(one)[:200]} where {str(other)[:200]} was expected"
    return ""
