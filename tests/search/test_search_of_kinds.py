"""One search for every kind of network: its own score, its own direction, its own way to the images."""

import pytest
from optuna.trial import TrialState

from latentspace.evaluation.evaluate import evaluate
from latentspace.experiment.tasks import TASKS
from latentspace.inference.trained import encode_all
from latentspace.search.best import final_training
from latentspace.search.executors.protocol import WorkerTask
from latentspace.search.executors.worker import work
from latentspace.search.replication import ReplicationPlan, replications_of
from latentspace.search.request import SearchRequest, draft
from latentspace.search.trials import begin
from latentspace.training.train import train
from small_search import run_all

RECIPE = """
[dae.model]
conv1_channels = 4
conv2_channels = 4
conv3_channels = 4
neurons = 8

[vae.model]
conv1_channels = 4
conv2_channels = 8

[{kind}.search]
trials = 3
epochs = 2

[{kind}.search.space]
"training.learning_rate" = {{ low = 1e-4, high = 1e-2, log = true }}
"training.batch_size" = {{ low = 20, high = 70 }}
"{setting}" = {{ low = {low}, high = {high} }}
"""
SETTINGS = {
    "dae": ("objective.strength", 0.1, 0.3),
    "vae": ("objective.beta", 0.5, 2.0),
    "classifier": ("model.linear1_neurons", 4, 8),
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_search_of_each_kind(kind, plan, archive, tmp_path):
    recipe = tmp_path / "small.toml"
    setting, low, high = SETTINGS[kind]
    recipe.write_text(RECIPE.format(kind=kind, setting=setting, low=low, high=high))
    changes = {"data": {"spec": str(archive)}, "threads": 1}
    if kind == "classifier":
        changes["encoder"] = str(train(plan, tmp_path / "encoder").path)
    request = SearchRequest(kind=kind, recipe=str(recipe), changes=changes, workers=1)
    out = tmp_path / "study"
    made, _ = draft(request, out, resume=False)
    trials = begin(made, out, None, resume=False)
    ended = run_all(trials)
    assert [one.state for one in ended] == [TrialState.COMPLETE] * 3
    direction = TASKS[kind].direction
    assert trials.study.direction.name.lower() == direction
    best = {"minimize": min, "maximize": max}[direction](one.value for one in ended)
    assert trials.best().values == (best,)
    training = final_training(trials)
    records = list(training.records())
    assert records[-1].validation[TASKS[kind].score] == best
    assert TASKS[kind].score in evaluate(training.run).metrics


def test_a_search_over_classifiers_encodes_the_set_once_for_all_workers(
    plan, archive, images, tmp_path, monkeypatch
):
    """Each pass of `work` is what a worker process does: its own images, its own encoder, its own trials."""
    monkeypatch.setattr("latentspace.search.executors.worker.LIFE", 1)
    encoded = []

    def counted(model, pixels, *rest):
        encoded.append(len(pixels))
        return encode_all(model, pixels, *rest)

    monkeypatch.setattr("latentspace.training.codes.encode_all", counted)
    recipe = tmp_path / "small.toml"
    setting, low, high = SETTINGS["classifier"]
    recipe.write_text(RECIPE.format(kind="classifier", setting=setting, low=low, high=high))
    changes = {
        "data": {"spec": str(archive)},
        "threads": 1,
        "encoder": str(train(plan, tmp_path / "encoder").path),
    }
    out = tmp_path / "study"
    made, _ = draft(
        SearchRequest(kind="classifier", recipe=str(recipe), changes=changes, workers=1), out, resume=False
    )
    trials = begin(made, out, None, resume=False)
    for _ in range(3):
        run_all(trials)
    replications = tuple(replications_of(trials, ReplicationPlan(1, 2)))
    work(
        WorkerTask(directory=out, replications=replications),
        lambda: False,
    )
    assert trials.progress().counted == 3
    assert encoded == [len(images)]
    best = trials.best()
    again = list(final_training(trials).records())  # encodes for itself: the same codes, to the bit
    assert [one.validation["accuracy"] for one in again] == [score for _, score in best.reports]
