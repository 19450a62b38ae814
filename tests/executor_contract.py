"""What every executor must do, as tests of the fixture `executor`."""

import os
import re
import signal
import socket
from contextlib import closing, suppress
from pathlib import Path

import pytest

from latentspace.core.errors import RunError
from latentspace.search.heartbeat import FOLDER, Heartbeat
from latentspace.search.replication import ReplicationPlan, replications_of
from latentspace.search.run import replicate, search
from latentspace.search.trials import Trials
from preloaded import quick_workers, until
from small_search import small_study
from stranger.in_process import InThisProcess

ENDLESS = 1_000_000  # epochs
UNNEEDED = {"matplotlib", "scipy", "sqlalchemy", "sklearn"}  # what a worker would wait for in vain


def process_of(trials: Trials, number: int) -> int:
    notes = trials.all()[number].notes
    return int((notes.computed_by or notes.worker).partition("@")[0])


def until_one_runs(trials: Trials, going, **wanted) -> int:
    """The number of a trial that has reported a score, and has such notes."""
    for _ in going:
        for one in trials.all():
            notes = one.notes.model_dump()
            if one.state == "running" and one.reports and all(notes[key] == wanted[key] for key in wanted):
                return one.number
    raise AssertionError("the search ended before")


def libraries_of(process: int) -> set[str]:
    """The folders of the compiled files that it has loaded, where that can be seen."""
    maps = Path(f"/proc/{process}/maps")
    files = re.findall(r"/.*\.so.*$", maps.read_text(), re.MULTILINE) if maps.exists() else []
    return {folder for file in files for folder in file.split("/")}


def is_gone(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return False
    return True


class ExecutorContract:
    @pytest.fixture
    def _quick(self):
        with quick_workers():
            yield

    quick = pytest.mark.usefixtures("_quick")  # a killed one is begun as a user's are

    @quick
    def test_all_trials_are_run_that_of_a_lost_worker_too_and_the_best_one_again(
        self, executor, archive, tmp_path
    ):
        trials = small_study(archive, tmp_path / "study", trials=3, epochs=1)
        (trials.directory / FOLDER).mkdir()
        (trials.directory / FOLDER / "left.lock").touch()
        trials.next(Heartbeat(f"1@{socket.gethostname()}", "left.lock"))
        last = list(search(trials, executor, workers=2))[-1]
        assert (last.asked, last.counted, last.count("failed"), executor.running) == (3, 3, 0, 0)
        lost, again = trials.all()[:2]
        assert (lost.state, lost.notes.reason) == ("lost", "its worker was killed")
        assert (again.state, again.notes.retry_of, again.params) == ("complete", 0, lost.params)
        replications = replications_of(trials, ReplicationPlan(trials=1, seeds=2))
        assert list(replicate(trials, replications, executor, workers=1))[-1] == 2
        assert all(one.file(trials.directory).exists() for one in replications)
        assert executor.running == 0

    def test_a_killed_worker_is_replaced_and_stop_leaves_none(self, executor, archive, tmp_path):
        if isinstance(executor, InThisProcess):
            pytest.skip("its worker is this process")
        trials = small_study(archive, tmp_path / "study", trials=1, epochs=ENDLESS)
        with closing(search(trials, executor, workers=1)) as going:
            first = until_one_runs(trials, going)
            loaded = libraries_of(process_of(trials, first))
            assert not loaded or "torch" in loaded
            assert not UNNEEDED & loaded
            os.kill(process_of(trials, first), signal.SIGKILL)
            second = until_one_runs(trials, going, retry_of=first)
            assert executor.running == 1
        assert executor.running == 0
        processes = [process_of(trials, number) for number in (first, second)]
        until(lambda: all(map(is_gone, processes)), seconds=20)  # Ray's ends a moment later
        reasons = [(one.state, one.notes.reason) for one in trials.all()]
        assert reasons == [("lost", "its worker was killed"), ("lost", "the search was interrupted")]

    @quick
    def test_an_error_in_a_worker_is_told(self, executor, archive, tmp_path):
        trials = small_study(archive, tmp_path / "study", trials=1, epochs=1)
        trials.plan.model_copy(update={"content_hash": "0" * 64}).save(trials.directory)
        with pytest.raises(RunError, match="a study goes on with the images that it began with"):
            list(search(trials, executor, workers=1))
        assert executor.running == 0
        assert trials.progress().counted == 0
