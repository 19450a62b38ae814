"""One contract, every storage: the journal, SQLite, and PostgreSQL where a server can be started."""

import socket

import optuna
import pytest
from optuna.trial import TrialState

from latentspace.search.heartbeat import FOLDER, Heartbeat
from latentspace.search.notes import trial_of
from latentspace.search.sampler import NumberedSampler
from latentspace.search.space import distributions
from latentspace.search.storage import close_storage, open_storage
from latentspace.search.trials import begin, join
from small_search import small_plan

HERE = f"1@{socket.gethostname()}"
ELSEWHERE = Heartbeat("1@elsewhere", "none")


@pytest.fixture(params=["journal", "sqlite", "postgresql"])
def url(request, tmp_path) -> str | None:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql"))
    return None if request.param == "journal" else f"sqlite:///{tmp_path / 'trials.db'}"


@pytest.fixture
def trials(url, archive, tmp_path, request):
    out = tmp_path / f"study-{abs(hash(request.node.nodeid)):x}"  # the server is one for all tests
    with begin(small_plan(archive, out, trials=3), out, url, resume=False) as opened:
        yield opened


@pytest.fixture
def other(trials, url):
    """The same study, opened a second time."""
    with join(trials.directory, url) as opened:
        yield opened


def test_two_openers_see_one_study(trials, other):
    one, two = trials.next(ELSEWHERE), other.next(ELSEWHERE)
    assert (one.number, two.number) == (0, 1)
    for epoch, score in ((1, 0.5), (2, 0.25)):
        two.report(score, epoch)
    other.study.tell(two, 0.25)
    seen = trials.study.trials[1]
    assert seen.value == 0.25
    assert seen.intermediate_values == {1: 0.5, 2: 0.25}
    assert seen.params == two.params
    assert seen.user_attrs["seed"] == two.user_attrs["seed"]
    assert trials.progress() == other.progress()


def test_values_come_back_to_the_bit(trials, other):
    value = 0.1 + 0.2
    trial = trials.next(ELSEWHERE)
    trial.report(value, 1)
    trials.study.tell(trial, value)
    (again,) = other.study.trials
    assert again.value == again.intermediate_values[1] == value
    assert again.params == trial.params
    assert type(again.params["model.code_size"]) is int


def test_suggestions_do_not_depend_on_the_storage(trials):
    first = trials.next(ELSEWHERE).params
    memory = optuna.create_study(sampler=NumberedSampler(3, 1))
    assert memory.ask(distributions(trials.plan.search.space)).params == first


def test_a_dead_worker_is_known_its_trial_marked_and_run_again(trials, other):
    (trials.directory / FOLDER).mkdir()
    (trials.directory / FOLDER / "left.lock").touch()
    lost = trials.next(Heartbeat(HERE, "left.lock"))
    other.give_up_lost()
    other.give_up_lost()
    assert [trial_of(one).state for one in trials.study.trials] == ["lost", "waiting"]
    assert trials.study.trials[0].state == TrialState.FAIL
    again = other.next(ELSEWHERE)
    assert again.params == lost.params
    assert other.progress().counted == 0


def test_no_more_than_asked(trials, other):
    given = [opener.next(ELSEWHERE) for _ in range(2) for opener in (trials, other)]
    assert [None if one is None else one.number for one in given] == [0, 1, 2, None]


def test_a_finished_trial_cannot_be_changed(trials, other):
    trial = trials.next(ELSEWHERE)
    other.lose(0, "its worker was killed")
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        trial.report(0.1, 1)


def test_the_study_is_where_the_url_says(trials, url):
    storage = open_storage(trials.directory, url)
    assert trials.plan.name in optuna.get_all_study_names(storage)
    close_storage(storage)
    assert (trials.directory / "journal.log").exists() == (url is None)
