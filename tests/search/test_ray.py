"""The engine ray: the same trials as on this machine, whatever becomes of the nodes."""

from contextlib import closing

import numpy as np
import pytest

from latentspace.core.cluster import Engine
from latentspace.core.errors import ConfigurationError
from latentspace.search.run import search
from small_search import run_all, small_study

pytest.importorskip("ray", reason="pip install 'latentspace[ray]'")

from latentspace.search.executors.ray import RayExecutor

ON_RAY = Engine(name="ray")


@pytest.fixture
def executor(ray_nodes, monkeypatch):
    ray_nodes.keep(1)
    monkeypatch.setattr("latentspace.search.run.LOOKING", 0.05)
    with closing(RayExecutor(ON_RAY)) as executor:
        yield executor


def test_the_trials_are_those_of_this_machine_bit_for_bit(executor, archive, tmp_path):
    here, there = (small_study(archive, tmp_path / name) for name in ("here", "there"))
    run_all(here)
    list(search(there, executor, workers=1))
    for one, other in zip(here.all(), there.all(), strict=True):
        assert (one.state, one.params, one.reports, one.values) == (
            other.state,
            other.params,
            other.reports,
            other.values,
        )
        assert one.notes.seed == other.notes.seed
        assert other.notes.computed_by != one.notes.computed_by == ""
    pictures = [
        sorted(one.read_bytes() for one in (study.directory / "artifacts").iterdir())
        for study in (here, there)
    ]
    assert pictures[0] == pictures[1] != []


def test_a_killed_node_s_trial_is_run_again_and_a_node_that_comes_late_takes_part(
    executor, ray_nodes, archive, tmp_path
):
    trials = small_study(archive, tmp_path / "study", trials=4, epochs=60, startup_trials=9)
    killed = False
    with closing(search(trials, executor, workers=None)) as going:
        for _ in going:
            at_work = [one for one in trials.all() if one.state == "running" and one.reports]
            if at_work and not killed:
                assert executor.room == 1
                ray_nodes.kill(ray_nodes.there[0])
                ray_nodes.keep(2)
                killed = True
    assert killed
    assert (trials.progress().counted, trials.progress().count("complete")) == (4, 4)
    lost = [one for one in trials.all() if one.state == "lost"]
    assert [one.notes.reason for one in lost] == ["its node was lost"]
    again = next(one for one in trials.all() if one.notes.retry_of == lost[0].number)
    assert (again.params, again.notes.seed) == (lost[0].params, lost[0].notes.seed)
    np.testing.assert_array_equal(again.reports[: len(lost[0].reports)], lost[0].reports)
    assert executor.room == 2


def test_more_than_a_node_has_is_refused_at_once(ray_nodes):
    ray_nodes.keep(1)
    with pytest.raises(ConfigurationError, match="one node must have 64 CPUs and 0 GPUs") as refused:
        RayExecutor(Engine(name="ray", cpus=64))
    assert "nodes with 0 CPUs and 0 GPUs, 1 CPUs and 0 GPUs" in refused.value.found
