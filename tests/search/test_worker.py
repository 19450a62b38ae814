"""Workers as processes: killed ones are known and their trials run again; ended ones end in good order."""

import io
import json
import logging
import os
import signal
import subprocess
from functools import partial

import pytest
import torch

from latentspace.core.errors import DataError, RunError
from latentspace.search.executors.local import LocalExecutor, parse_worker_error
from latentspace.search.executors.protocol import WorkerEnd, WorkerTask
from latentspace.search.executors.worker import main, work
from latentspace.search.heartbeat import HeartbeatWatch
from latentspace.search.notes import trial_of
from latentspace.search.plan import StudyPlan
from latentspace.search.request import shared_out
from latentspace.search.run import _Workers, search
from latentspace.search.trials import Trials
from preloaded import quick_workers, start_worker, until
from small_search import run_all, small_study


def reports(trials: Trials) -> int:
    return max((len(one.intermediate_values) for one in trials.study.trials), default=0)


def assert_run_again(trials: Trials, number: int) -> None:
    """The trial is lost, and another with its parameters and its seed went on where it had to end."""
    ended = trials.study.get_trials()
    lost = ended[number]
    assert trial_of(lost).state == "lost"
    assert lost.user_attrs["reason"] == "its worker was killed"
    (again,) = [one for one in ended if one.user_attrs.get("retry_of") == number]
    assert again.params == lost.params
    assert again.user_attrs["seed"] == lost.user_attrs["seed"]
    for epoch, score in lost.intermediate_values.items():
        assert again.intermediate_values[epoch] == score
    assert trials.progress().counted == trials.plan.search.trials
    assert trials.progress().count("lost") == 1


@pytest.fixture
def never_silent(monkeypatch) -> None:
    """A dead worker is known by its lock alone, at once; not by its silence, after a time."""
    monkeypatch.setattr(HeartbeatWatch, "_silent", lambda self, trial: False)


@pytest.mark.usefixtures("never_silent")
def test_the_trial_of_a_killed_worker_is_run_again_from_a_database(archive, tmp_path):
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    with small_study(archive, tmp_path / "study", url, trials=2, epochs=12, startup_trials=9) as trials:
        worker = start_worker(trials.directory, url)
        until(lambda: reports(trials) >= 2 or worker.poll() is not None)
        worker.kill()
        worker.wait()
        (killed,) = [one for one in trials.study.trials if trial_of(one).state == "running"]
        run_all(trials, url)
        assert_run_again(trials, killed.number)


@pytest.mark.usefixtures("never_silent")
def test_two_workers_share_a_journal_and_a_killed_one_is_replaced(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", trials=3, epochs=40, startup_trials=9)
    killed: list[int] = []
    seen = []
    with quick_workers():
        for progress in search(trials, LocalExecutor(), workers=2):
            seen.append(progress)
            for one in map(trial_of, trials.study.get_trials()):
                if not killed and one.state == "running" and 1 <= len(one.reports) <= 25:
                    killed.append(one.number)
                    os.kill(int(one.notes.worker.partition("@")[0]), signal.SIGKILL)
    assert_run_again(trials, killed[0])
    assert len({one.user_attrs["worker"] for one in trials.study.trials}) >= 2
    assert seen[-1].seconds_left(2) == 0


def test_a_worker_says_why_it_cannot_go_on_and_the_search_repeats_it(
    archive, tmp_path, monkeypatch, capsys, request
):
    trials = small_study(archive, tmp_path / "study")
    trials.plan.model_copy(update={"content_hash": "0" * 64}).save(trials.directory)
    task = WorkerTask(directory=trials.directory).model_dump_json()
    monkeypatch.setattr("sys.stdin", io.StringIO(task))
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    request.addfinalizer(partial(logging.getLogger("latentspace").setLevel, logging.NOTSET))
    with pytest.raises(SystemExit, match="2"):
        main()
    said = capsys.readouterr().out
    error = parse_worker_error(said, 2)
    assert isinstance(error, RunError)
    assert error.must == "a study goes on with the images that it began with"
    assert "now holds other images" in error.found


def test_words_that_are_none_are_an_error_too():
    assert "exit code 1" in str(parse_worker_error("", 1))


def test_workers_that_are_all_killed_are_not_replaced_for_ever(archive, tmp_path, monkeypatch):
    workers = _Workers(LocalExecutor())
    workers.killed = 5
    with pytest.raises(RunError, match="5 were killed"):
        workers.poll()


def test_a_worker_killed_before_it_reads_its_task_is_one_killed_like_others(tmp_path, monkeypatch):
    begin = subprocess.Popen

    def killed_at_once(*arguments, **settings):
        process = begin(*arguments, **settings)
        process.kill()
        process.wait()
        return process

    monkeypatch.setattr(subprocess, "Popen", killed_at_once)
    executor = LocalExecutor()
    executor.submit(WorkerTask(directory=tmp_path))
    assert executor.poll() == [WorkerEnd(killed=True)]
    assert executor.running == 0


WORDS = json.dumps({"kind": "DataError", "must": "a", "found": "b", "do": "c"})
CHATTY = f"import sys; print('x' * 200_000); print('{WORDS}'); sys.exit(2)"


def test_a_worker_in_which_a_library_prints_does_not_wait_for_a_reader(tmp_path, monkeypatch):
    """More than a pipe holds; what the worker itself says is the last line."""
    begin = subprocess.Popen

    def chatty(command, **settings):
        return begin([command[0], "-c", CHATTY], **settings)

    monkeypatch.setattr(subprocess, "Popen", chatty)
    executor, ended = LocalExecutor(), []
    executor.submit(WorkerTask(directory=tmp_path))
    until(lambda: ended.extend(executor.poll()) or not executor.running, seconds=60)
    (end,) = ended
    assert isinstance(end.error, DataError)
    assert end.error.found == "b"


def test_a_deadline_ends_a_search_early(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study")
    progress = list(search(trials, LocalExecutor(), workers=1, timeout=0.0))[-1]
    assert progress.counted == 0


def test_a_second_invocation_may_ask_for_more_trials(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", trials=1)
    run_all(trials)
    plan = StudyPlan.load(trials.directory)
    more = plan.model_copy(update={"search": plan.search.model_copy(update={"trials": 2})})
    more.save(trials.directory)
    work(WorkerTask(directory=trials.directory), lambda: False)
    assert trials.progress().counted == 2


def test_a_worker_retires_so_that_it_does_not_grow_for_ever(archive, tmp_path, monkeypatch):
    monkeypatch.setattr("latentspace.search.executors.worker.LIFE", 2)
    trials = small_study(archive, tmp_path / "study", trials=3, epochs=1)
    run_all(trials)
    assert trials.progress().counted == 2
    run_all(trials)
    assert trials.progress().counted == 3


def test_the_cores_are_shared_out(plan, monkeypatch):
    monkeypatch.setattr("latentspace.search.request.cores", lambda: 8)
    free = plan.model_copy(update={"threads": 0, "device": "cpu"})
    assert shared_out(free, None) == (8, 1)
    assert shared_out(free, 2) == (2, 4)
    assert shared_out(free, 16) == (16, 1)
    assert shared_out(free.model_copy(update={"threads": 4}), None) == (2, 4)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert shared_out(free.model_copy(update={"device": "cuda"}), None) == (1, 8)
