"""What a training shows while it goes on: lines, or a bar on a terminal; also within an epoch."""

import io
import itertools
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from latentspace.cli import console
from latentspace.cli import train as command
from latentspace.cli.bar import FREE, Bar
from latentspace.core.progress import heard_by, tell, told, unheard
from latentspace.report.run.write import report_run
from latentspace.runs.directory import Run
from latentspace.training.loop import EpochRecord
from latentspace.training.train import train
from makers import undrawn
from runner import call

SCORES = {"loss": 0.5123, "cross_entropy": 0.5123, "accuracy": 0.8312}
EVALUATED = {"loss": 0.5504, "cross_entropy": 0.5504, "accuracy": 0.81}


def record(epoch: int) -> EpochRecord:
    return EpochRecord(
        epoch=epoch,
        train=SCORES,
        validation=EVALUATED,
        seconds=1.0,
        images_per_second=123_456.0,
        learning_rate=1e-3,
    )


def records() -> Iterator[EpochRecord]:
    for epoch in (1, 2):
        for step in range(1, 5):
            tell("training", step, 4)
        tell("validation", 1, 1)
        yield record(epoch)


def test_a_classifier_says_its_accuracy():
    assert console.facts(record(1)) == (
        "loss 0.5123, accuracy 0.831  validation 0.5504, accuracy 0.810  123,456 images/s"
    )


@pytest.mark.parametrize(("minutes", "state", "told"), [(None, None, 1), (5.0, None, 0), (None, "begun", 0)])
def test_a_long_training_says_how_to_make_it_shorter(monkeypatch, caplog, minutes, state, told):
    """Once, behind the first epoch; not where the time was given, and not in a run that goes on."""
    plan = SimpleNamespace(training=SimpleNamespace(epochs=30, minutes=minutes))
    training = SimpleNamespace(experiment=plan, run=SimpleNamespace(state=state))
    clock = itertools.count(0, 60)
    monkeypatch.setattr(command.time, "monotonic", lambda: float(next(clock)))
    with caplog.at_level(logging.INFO, "latentspace"):
        assert len(list(command._with_hint(training, records()))) == 2
    assert len(caplog.messages) == told
    assert all(one.startswith("about 29:00 more at this speed; shorter,") for one in caplog.messages)


def test_a_long_epoch_says_how_far_it_is(monkeypatch, caplog):
    clock = itertools.count(0, 12)  # seconds: each look at the clock is 12 later
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(clock)))
    with caplog.at_level(logging.INFO, "latentspace"):
        console.follow(records(), 2, 0, "ae")
    lines = [line for line in caplog.messages if "step" in line]
    assert lines[0] == "ae epoch 1/2: step 3 of 4 of the training"
    assert sum("of the validation" in line for line in lines) <= 1
    assert [line.split("  ")[0] for line in caplog.messages if "loss" in line] == [
        "ae epoch 1/2",
        "ae epoch 2/2",
    ]


def test_a_short_epoch_says_nothing_within(caplog):
    with caplog.at_level(logging.INFO, "latentspace"):
        console.follow(records(), 2, 0, "ae")
    assert len(caplog.messages) == 2


def terminal(monkeypatch) -> io.StringIO:
    file = io.StringIO()
    screen = Console(file=file, force_terminal=True, width=80, highlight=False, legacy_windows=False)
    monkeypatch.setattr(console, "err", screen)
    monkeypatch.setattr(console, "quiet", lambda: False)
    return file


def drawn(file: io.StringIO) -> list[str]:
    """The lines in their order, without the terminal's commands."""
    return [
        line for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())) if line
    ]


@pytest.mark.parametrize("title", ["ae", "search-classifier, the best trial,"])
def test_the_bar_leaves_room_for_the_terminals_own_sign_of_an_interrupt(monkeypatch, title):
    file = terminal(monkeypatch)

    def interrupted() -> Iterator[EpochRecord]:
        yield record(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        console.follow(interrupted(), 30, 0, title)
    lines = drawn(file)
    assert "loss 0.5123, accuracy 0.831" in lines[-1]
    assert max(map(len, lines)) <= 80 - FREE


def test_the_bar_moves_within_an_epoch(monkeypatch):
    terminal(monkeypatch)
    moves = []
    update = Bar.update
    monkeypatch.setattr(console, "BETWEEN", 0.0)
    monkeypatch.setattr(Bar, "update", lambda *a, **k: (moves.append(k["completed"]), update(*a, **k)))
    console.follow(records(), 2, 0, "ae")
    assert moves == [0.25, 0.5, 0.75, 1.0, 1, 1.25, 1.5, 1.75, 2.0, 2]


def test_every_step_of_a_training_and_of_its_validation_is_told(plan, tmp_path):
    told: list[tuple[str, int, int]] = []
    with heard_by(lambda *step: told.append(step) if step[0] in ("training", "validation") else None):
        train(
            plan.model_copy(update={"training": plan.training.model_copy(update={"epochs": 1})}),
            tmp_path / "run",
        )
    steps = -(-72 // 25)
    assert told[:steps] == [("training", step, steps) for step in range(1, steps + 1)]
    assert told[steps:] == [("validation", 1, 1)]
    tell("training", 1, 1)  # nobody listens any more
    assert len(told) == steps + 1


def test_items_are_told_of_once_they_are_done_with():
    heard: list[tuple[str, int, int]] = []
    with heard_by(lambda *step: heard.append(step)):
        for item in told("ab", "letters"):
            assert len(heard) == "ab".index(item)
        assert list(told(iter("ab"), "letters")) == ["a", "b"]
        assert list(told(iter("a"), "letters", 5)) == ["a"]
        with unheard():
            list(told("ab", "others"))
    assert heard == [("letters", n, total) for n, total in ((1, 2), (2, 2), (1, 0), (2, 0), (1, 5))]


def long_work() -> None:
    for _ in told(range(3), "images evaluated"):
        pass
    tell("images read", 7, 0)


def test_long_work_is_a_line_now_and_then(monkeypatch, caplog):
    clock = itertools.count(0, 20)
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(clock)))
    with caplog.at_level(logging.INFO, "latentspace"), console.following():
        long_work()
    assert caplog.messages == ["images evaluated: 2 of 3", "images read: 7"]
    caplog.clear()
    monkeypatch.setattr(console.time, "monotonic", lambda: 0.0)
    with caplog.at_level(logging.INFO, "latentspace"), console.following():
        long_work()
    assert not caplog.messages


def test_long_work_is_a_bar_on_a_terminal(monkeypatch):
    file = terminal(monkeypatch)
    monkeypatch.setattr(console, "BETWEEN", 0.0)
    with console.following():
        long_work()
    shown = "\n".join(drawn(file))
    assert "images read" in shown
    assert re.search(r"\b7\b", shown)


COUNTED = {
    "ae": {"images encoded", "batches of codes decoded", "batches evaluated", "images given back by PCA"},
    "dae": {"images encoded", "batches evaluated", "levels of noise"},
    "vae": {"mean codes decoded", "images with an importance-weighted bound", "posteriors", "images copied"},
    "classifier": {"batches evaluated", "heads trained", "searches for neighbours", "training"},
}


@pytest.mark.parametrize("kind", COUNTED)
def test_every_step_of_a_page_is_told_of_to_its_end(small_runs: dict[str, Run], kind: str, tmp_path: Path):
    run = Run.open(shutil.copytree(small_runs[kind].path, tmp_path / kind))
    shutil.rmtree(run.path / "results", ignore_errors=True)
    last: dict[str, tuple[int, int]] = {}
    with undrawn(), heard_by(lambda what, done, total: last.update({what: (done, total)})):
        report_run(run)
    assert last.keys() >= COUNTED[kind]
    assert all(done == total for done, total in last.values() if total)


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_the_commands_show_it(small_runs: dict[str, Run], command: str, monkeypatch):
    monkeypatch.setattr(console, "SILENT", 0.0)
    with undrawn():
        code, _, err = call([command, str(small_runs["ae"].path)])
    assert code == 0
    assert re.search(r"parts hashed: 1$", err, re.MULTILINE)
