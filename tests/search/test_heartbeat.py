"""Heartbeats: a held lock is life, a free one is death, and elsewhere silence is."""

import os
import socket
import time

import optuna
import pytest
from optuna.trial import FrozenTrial

from latentspace.search.heartbeat import FOLDER, HeartbeatWatch, beating, own_heartbeat
from latentspace.search.notes import trial_of


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study()


def running(study: optuna.Study, **attributes: object) -> FrozenTrial:
    trial = study.ask()
    for name, value in attributes.items():
        trial.set_user_attr(name, value)
    return study.trials[trial.number]


def test_a_worker_is_alive_while_it_holds_its_file(tmp_path, study):
    watch = HeartbeatWatch(tmp_path, silence=0.0)
    with own_heartbeat(tmp_path) as heartbeat:
        assert heartbeat.worker == f"{os.getpid()}@{socket.gethostname()}"
        trial = running(study, heartbeat=heartbeat.file, worker=heartbeat.worker)
        assert not watch.lost(trial_of(trial))
        assert not watch.lost(trial_of(trial))
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_file_that_nobody_holds_is_a_dead_worker(tmp_path, study):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "left.lock").touch()
    trial = running(study, heartbeat="left.lock", worker=f"1@{socket.gethostname()}")
    assert HeartbeatWatch(tmp_path).lost(trial_of(trial))


HERE = f"1@{socket.gethostname()}"


@pytest.mark.parametrize(
    "attributes", [{}, {"heartbeat": "gone.lock"}, {"heartbeat": "gone.lock", "worker": HERE}]
)
def test_where_all_hold_their_files_a_missing_one_is_a_dead_worker(tmp_path, study, attributes):
    """As a journal has it that was cut short: it says that the trial runs, and its worker has long ended."""
    trial = running(study, **attributes)
    assert HeartbeatWatch(tmp_path, closed=True).lost(trial_of(trial))
    assert not HeartbeatWatch(tmp_path).lost(trial_of(trial))


def test_a_worker_of_another_machine_is_not_looked_for_here(tmp_path, study):
    trial = running(study, heartbeat="theirs.lock", worker="1@elsewhere")
    assert not HeartbeatWatch(tmp_path, closed=True).lost(trial_of(trial))


@pytest.mark.parametrize("worker", ["1@elsewhere", None])
def test_a_worker_elsewhere_is_lost_after_silence_alone(tmp_path, study, monkeypatch, worker):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = HeartbeatWatch(tmp_path, silence=10.0)
    attributes = {} if worker is None else {"worker": worker, "heartbeat": "theirs.lock"}
    trial = running(study, **attributes)
    assert not watch.lost(trial_of(trial))
    now[0] += 9
    assert not watch.lost(trial_of(trial))
    study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    beaten = FrozenTrial(**{**_parts(trial), "user_attrs": {**trial.user_attrs, "beat": 1}})
    assert not watch.lost(trial_of(beaten))
    now[0] += 9
    assert not watch.lost(trial_of(beaten))
    now[0] += 2
    assert watch.lost(trial_of(beaten))


def _parts(trial: FrozenTrial) -> dict[str, object]:
    return {
        "number": trial.number,
        "state": trial.state,
        "value": None,
        "datetime_start": trial.datetime_start,
        "datetime_complete": None,
        "params": {},
        "distributions": {},
        "user_attrs": {},
        "system_attrs": {},
        "intermediate_values": {},
        "trial_id": trial._trial_id,
    }


def test_beats_are_counted_until_the_block_ends_or_nobody_listens():
    heard: list[int] = []

    def listen(number: int) -> bool:
        heard.append(number)
        return number < 3

    with beating(listen, every=0.01):
        until = time.monotonic() + 5
        while len(heard) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.05)
    assert heard == [1, 2, 3]
