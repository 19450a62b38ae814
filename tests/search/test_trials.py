"""The trials: counted, refused where the study is another, lost and run again."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from latentspace.core.errors import OutputError, RunError
from latentspace.search.heartbeat import FOLDER, Heartbeat, own_heartbeat
from latentspace.search.notes import trial_of
from latentspace.search.plan import StudyPlan
from latentspace.search.sampler import seed_of
from latentspace.search.trials import LOSSES, begin, join
from small_search import small_plan, small_study

HERE = f"1@{socket.gethostname()}"


@pytest.fixture
def trials(archive, tmp_path):
    return small_study(archive, tmp_path / "study")


def dead(trials, name: str) -> Heartbeat:
    """The heartbeat of a worker that is no more."""
    folder = trials.directory / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / name).touch()
    return Heartbeat(HERE, name)


def test_complete_pruned_and_failed_trials_count_and_no_more_are_given_out(trials):
    living = Heartbeat("1@elsewhere", "none")
    for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL):
        trial = trials.next(living)
        trials.study.tell(trial, 0.5 if state == TrialState.COMPLETE else None, state=state)
    assert trials.progress().counted == 3
    assert trials.next(living) is not None
    assert trials.next(living) is None  # the fourth is running
    assert trials.progress().count("running") == 1


def test_a_trial_carries_what_repeats_it(trials):
    trial = trials.next(Heartbeat("1@elsewhere", "none"))
    assert trial.user_attrs["seed"] == seed_of(3, "training", 0)
    assert trial.user_attrs["threads"] == 1
    assert trial.user_attrs["worker"] == "1@elsewhere"
    assert set(trial.params) == set(trials.plan.search.space)


def test_no_trial_begins_after_the_deadline(trials):
    assert trials.next(Heartbeat("1@elsewhere", "none"), deadline=0.0) is None
    assert trials.study.trials == []


def test_a_lost_trial_is_marked_not_counted_and_run_again_with_its_seed(trials):
    lost = trials.next(dead(trials, "a.lock"))
    lost.report(0.4, 1)
    again = trials.next(dead(trials, "b.lock"))
    first = trials.study.trials[0]
    assert trial_of(first).state == "lost"
    assert first.state == TrialState.FAIL
    assert first.user_attrs["reason"] == "its worker was killed"
    assert first.user_attrs["epochs"] == 1
    assert again.number == 1
    assert again.params == lost.params
    assert again.user_attrs["retry_of"] == 0
    assert again.user_attrs["seed"] == lost.user_attrs["seed"]
    assert trials.progress().counted == 0
    trials.give_up_lost()
    third = trials.next(Heartbeat("1@elsewhere", "none"))
    assert third.params == lost.params
    assert third.user_attrs["seed"] == lost.user_attrs["seed"]
    assert third.user_attrs["retry_of"] == 1


def test_parameters_that_kill_every_worker_are_a_failed_trial_at_last(trials):
    for number in range(LOSSES):
        assert trials.next(dead(trials, f"{number}.lock")).number == number
    trials.give_up_lost()
    states = [trial_of(one).state for one in trials.study.trials]
    assert states == ["lost"] * (LOSSES - 1) + ["failed"]
    assert f"attempt number {LOSSES}" in trials.study.trials[-1].user_attrs["reason"]
    assert trials.progress().counted == 1


def test_a_crash_between_the_mark_and_the_queue_loses_nothing(trials):
    """The lost trial's parameters are put back by whoever comes next."""
    lost = trials.next(Heartbeat("1@elsewhere", "none"))
    trials.lose(0, "its worker was killed")
    assert [one.state for one in trials.study.trials] == [TrialState.FAIL]
    again = join(trials.directory, None).next(Heartbeat("1@elsewhere", "none"))
    assert again.params == lost.params


def test_the_published_parameters_are_the_first_trial_and_stay_known_when_lost(
    archive, tmp_path, monkeypatch
):
    trials = small_study(archive, tmp_path / "study")
    parameters = {
        "model.code_size": 3,
        "training.learning_rate": 1e-3,
        "training.optimizer": "adam",
        "training.batch_size": 30,
    }
    monkeypatch.setattr("latentspace.search.trials.published", lambda space, base: parameters)
    trials.enqueue_published()
    trials.enqueue_published()
    assert trials.next(dead(trials, "a.lock")).params == parameters
    assert trials.study.user_attrs["published"] == 0
    assert trials.next(Heartbeat("1@elsewhere", "none")).params == parameters
    assert trials.study.user_attrs["published"] == 1
    assert len(trials.study.trials) == 2


def test_the_best_the_top_and_ties(trials):
    for value in (0.3, 0.1, 0.1):
        trials.study.tell(trials.next(Heartbeat("1@elsewhere", "none")), value)
    assert trials.best().number == 1
    assert [one.number for one in trials.top(2)] == [1, 2]
    assert trials.progress().best.score == 0.1


def test_the_attributes_that_a_report_needs(trials):
    attributes = trials.study.user_attrs
    assert attributes["kind"] == "ae"
    assert attributes["score"] == "mse"
    assert attributes["objectives"] == ["mse"]
    assert attributes["directions"] == ["minimize"]
    assert (attributes["epochs"], attributes["seed"]) == (3, 3)
    assert attributes["space"]["model.code_size"] == {"low": 2, "high": 4, "log": False}
    assert attributes["split"] == {"shares": "auto", "seed": 0, "near_copies": "on"}
    assert len(attributes["content_hash"]) == 64
    assert "published" not in attributes


def test_a_study_is_refused_without_resume_and_opened_with_it(trials):
    with pytest.raises(RunError, match="--resume"):
        begin(trials.plan, trials.directory, None, resume=False)
    trials.study.tell(trials.next(Heartbeat("1@elsewhere", "none")), 0.1)
    search = trials.plan.search.model_copy(update={"trials": 9})
    more = trials.plan.model_copy(update={"search": search})
    again = begin(more, trials.directory, None, resume=True)
    assert again.progress().asked == 9
    assert again.progress().counted == 1
    assert StudyPlan.load(trials.directory).search.trials == 9


OTHERS = {
    "another space": {"highest": 1e-3},
    "other epochs": {"epochs": 4},
    "another objective": {"objectives": ("mse", "weights")},
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_study_at_the_same_place_is_refused(case, trials, archive, tmp_path):
    other = small_plan(archive, tmp_path / "study", **OTHERS[case])
    with pytest.raises(RunError, match="the same space, direction, data and settings"):
        begin(other, trials.directory, None, resume=True)
    assert StudyPlan.load(trials.directory) == trials.plan


def test_another_direction_is_refused(trials):
    other = trials.plan.model_copy(update={"directions": ("maximize",)})
    with pytest.raises(RunError, match="minimize"):
        begin(other, trials.directory, None, resume=True)


def test_other_images_are_refused(trials):
    other = trials.plan.model_copy(update={"content_hash": "0" * 64})
    with pytest.raises(RunError, match="content_hash"):
        begin(other, trials.directory, None, resume=True)


def test_a_foreign_folder_is_not_searched_in(archive, tmp_path):
    out = tmp_path / "study"
    plan = small_plan(archive, out)
    out.mkdir()
    (out / "mine").write_text("mine")
    with pytest.raises(RunError, match="must be new or empty"):
        begin(plan, out, None, resume=False)
    assert [one.name for one in out.iterdir()] == ["mine"]


def test_nothing_to_resume(archive, tmp_path):
    plan = small_plan(archive, tmp_path / "study")
    with pytest.raises(RunError, match="begin one without --resume"):
        begin(plan, tmp_path / "study", None, resume=True)
    assert not (tmp_path / "study").exists()


def test_one_database_serves_a_second_place_under_the_same_name(archive, tmp_path):
    url = f"sqlite:///{tmp_path / 'trials.db'}"
    (tmp_path / "here").mkdir()
    one = small_study(archive, tmp_path / "here" / "study", url)
    with pytest.raises(RunError, match="in the storage must be new"):
        begin(one.plan, tmp_path / "there" / "study", url, resume=False)
    other = begin(one.plan, tmp_path / "there" / "study", url, resume=True)
    with one, other:
        one.study.tell(one.next(Heartbeat("1@elsewhere", "none")), 0.1)
        assert other.progress().counted == 1


def test_a_kill_before_the_study_is_in_its_storage_is_made_good(trials):
    (trials.directory / "journal.log").unlink()
    again = begin(trials.plan, trials.directory, None, resume=True)
    assert again.study.user_attrs["kind"] == "ae"
    assert optuna.get_all_study_names(again.study._storage) == ["study"]


def test_what_a_search_left_that_was_killed_before_its_plan_is_no_obstacle(archive, tmp_path):
    left = tmp_path / "study"
    left.mkdir()
    for name in (".asking.lock", ".journal.log.lock", ".study.json.abc.part", "journal.log"):
        (left / name).touch()
    assert small_study(archive, left).progress().counted == 0


def test_of_two_searches_with_one_out_one_begins_and_the_other_is_told(archive, tmp_path):
    plan = small_plan(archive, tmp_path / "study")
    meeting = threading.Barrier(2, timeout=60)

    def one(place: Path, found: list[object]) -> None:
        meeting.wait()
        try:
            found.append(begin(plan, place, None, resume=False))
        except RunError as error:
            found.append(error)

    for number in range(5):
        found: list[object] = []
        place = tmp_path / f"place-{number}"
        both = [threading.Thread(target=one, args=(place, found)) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        refused = [error for error in found if isinstance(error, RunError)]
        assert len(found) == 2
        assert [error.found for error in refused] == ["a study is there already"]
        with join(place, None) as study:
            assert study.study.user_attrs["content_hash"] == plan.content_hash


def test_a_study_that_is_moved_while_it_is_searched_is_not_made_anew(trials, tmp_path):
    trial = trials.next(dead(trials, "a.lock"))
    trials.directory.rename(tmp_path / "elsewhere")
    for step in (
        trials.give_up_lost,
        lambda: trials.next(Heartbeat(HERE, "none")),
        lambda: trial.report(0.5, 1),
    ):
        with pytest.raises(RunError, match="must stay where it is while it is searched"):
            step()
    with pytest.raises(OutputError), own_heartbeat(trials.directory):
        pass
    assert not trials.directory.exists()


def test_the_heartbeats_of_killed_workers_do_not_stay(trials):
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    name = f"{int(gone.stdout)}@{socket.gethostname()}"
    lost = trials.next(dead(trials, f"{name}-0001.lock"))
    dead(trials, f"{name}-0002.lock")
    dead(trials, "1@elsewhere-0003.lock")
    with own_heartbeat(trials.directory) as mine:
        trials.give_up_lost()
        left = {one.name for one in (trials.directory / FOLDER).iterdir()}
        assert trial_of(trials.study.trials[lost.number]).state == "lost"
        assert left == {"1@elsewhere-0003.lock", mine.file}
