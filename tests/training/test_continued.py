"""More epochs of a finished run: from its weights, on its images and its split; it is known as the parent."""

import json
import shutil

import numpy as np
import pytest

from latentspace.core.errors import RunError
from latentspace.runs.directory import Run
from latentspace.runs.table import compare
from latentspace.training.continued import start_continued
from latentspace.training.train import resume
from materials import make_images
from runner import call


def continued(parent, out, *more, epochs=2):
    code, stdout, stderr = call(
        ["continue", str(parent.path), "--epochs", str(epochs), "--out", str(out), *more]
    )
    assert code == 0, stderr
    assert stdout == f"{out}\n"
    return Run.open(out)


@pytest.mark.parametrize("kind", ["ae", "dae", "vae", "classifier"])
def test_a_run_of_every_kind_goes_on_from_its_weights(small_runs, tmp_path, kind):
    parent = small_runs[kind]
    run = continued(parent, tmp_path / "next")
    assert len(run.metrics) == 2
    assert run.metrics[0]["train"]["loss"] < parent.metrics[0]["train"]["loss"]
    assert np.array_equal(run.split.train, parent.split.train)
    assert run.environment["parent"] == str(parent.path.resolve())
    assert run.environment["parent_hash"] == parent.weights_hash
    assert run.experiment.seed == parent.experiment.seed + 1
    row = {one["run"]: one for one in compare([parent, run])}[str(run.path)]
    assert row["parent"] == str(parent.path.resolve())


def test_json_says_what_came_of_it(small_runs, tmp_path):
    parent, out = str(small_runs["ae"].path), str(tmp_path / "next")
    code, stdout, stderr = call(["continue", parent, "--epochs", "1", "--out", out, "--json"])
    assert code == 0, stderr
    facts = json.loads(stdout)
    (last,) = Run.open(out).metrics
    assert facts == {
        "run": out,
        "parent": parent,
        "kind": "ae",
        "epochs": 1,
        "train": last["train"],
        "validation": last["validation"],
    }


def test_it_begins_where_the_parent_ended(small_runs, tmp_path):
    """A step of almost no size leaves the weights as they were."""
    training = start_continued(small_runs["ae"], tmp_path / "next", 1)
    still = training.experiment.training.model_copy(update={"learning_rate": 1e-12, "schedule": "constant"})
    context = training.context
    object.__setattr__(context, "experiment", training.experiment.model_copy(update={"training": still}))
    for _ in training.records():
        pass
    for name, tensor in training.run.weights.items():
        np.testing.assert_allclose(tensor.numpy(), small_runs["ae"].weights[name].numpy(), atol=1e-6)


@pytest.mark.parametrize("after", [0, 1])
def test_an_interrupted_one_goes_on_to_the_same_bits(small_runs, tmp_path, after):
    whole = continued(small_runs["vae"], tmp_path / "whole", epochs=3)
    cut = start_continued(small_runs["vae"], tmp_path / "cut", 3)
    records = cut.records()
    for _ in range(after):
        next(records)
    records.close()
    for _ in resume(tmp_path / "cut").records():
        pass
    assert Run.open(tmp_path / "cut").weights_hash == whole.weights_hash


def test_more_images_are_learned_from_and_never_evaluated(small_runs, tmp_path):
    more = make_images(30, seed=9)
    np.savez(tmp_path / "more.npz", images=more.pixels)
    parent = small_runs["ae"]
    run = continued(parent, tmp_path / "next", "--data", str(tmp_path / "more.npz"))
    assert run.environment["extra_images"] == 30
    assert set(parent.learned_from) | set(more.image_hashes) == set(run.learned_from)
    assert np.array_equal(run.split.test, parent.split.test)


def test_a_parent_that_is_gone_is_missed_only_before_the_first_epoch(small_runs, tmp_path):
    parent = Run.open(shutil.copytree(small_runs["ae"].path, tmp_path / "deep" / "er" / "parent"))
    start_continued(parent, tmp_path / "next", 2)
    shutil.rmtree(parent.path)
    with pytest.raises(RunError, match="no run with these weights"):
        next(resume(tmp_path / "next").records())
    assert Run.open(tmp_path / "next").metrics == []


def test_a_mistake_is_explained_and_leaves_nothing(small_runs, tmp_path):
    parent = Run.open(shutil.copytree(small_runs["ae"].path, tmp_path / "parent"))
    (parent.path / "weights.safetensors").unlink()
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    for run, out, words in (
        (parent.path, tmp_path / "next", "must have ended"),
        (small_runs["ae"].path, taken, "must be new"),
        (tmp_path / "none", tmp_path / "next", "must be a run directory"),
    ):
        code, stdout, stderr = call(["continue", str(run), "--epochs", "2", "--out", str(out)])
        assert (code, stdout) == (2, "")
        assert words in " ".join(stderr.split())
    changed = Run.open(shutil.copytree(small_runs["ae"].path, tmp_path / "changed"))
    record = json.loads((changed.path / "data.json").read_text())
    (changed.path / "data.json").write_text(json.dumps({**record, "content_hash": "0" * 64}))
    with pytest.raises(RunError, match="the images and the split"):
        start_continued(changed, tmp_path / "next", 2)
    assert not (tmp_path / "next").exists()
