"""Refined codes that a run keeps: found once by what explores it, unknown to what is trained or evaluated."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from latentspace.core.atomic_files import locked
from latentspace.inference import encoding, kept_refined, trained
from latentspace.inference.encoding import codes_and_errors
from latentspace.inference.kept_refined import FILE, LOCK, encoded_once, refined_kept
from latentspace.inference.refine import refined_codes
from latentspace.inference.tables import read_table
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.models import remembered
from latentspace.models.refinement import refined
from latentspace.runs.directory import Run
from latentspace.runs.sharing import packed
from latentspace.runs.tensors import read_tensors, write_tensors
from latentspace.training.train import train
from runner import call, done
from studies import small

MODEL = {"name": "residual", "width": 4, "code_size": 3, "refine": 1}


@pytest.fixture(scope="module")
def learned(archive, tmp_path_factory) -> Run:
    """A run that refines codes, and keeps none yet."""
    values = small("ae", archive).model_dump()
    plan = small("ae", archive).parse(
        {**values, "model": MODEL, "training": {"epochs": 1, "batch_size": 25}, "precision": "32"}, "a plan"
    )
    return train(plan, tmp_path_factory.mktemp("refined") / "run")


@pytest.fixture
def run(learned, tmp_path) -> Run:
    return Run.open(shutil.copytree(learned.path, tmp_path / "run"))


@pytest.fixture
def count(monkeypatch) -> Callable[[], int]:
    """How many codes were refined since it was last asked."""
    counted = Mock(side_effect=refined)
    monkeypatch.setattr("latentspace.models.autoencoder.refined", counted)

    def found() -> int:
        rows = sum(len(one.args[0]) for one in counted.call_args_list)
        counted.reset_mock()
        return rows

    return found


def kept(run: Run) -> int:
    return len(read_tensors(run.path / FILE)[0]["codes"])


def test_what_one_command_has_refined_no_other_refines_again(run, images, archive, count, tmp_path):
    first, again = tmp_path / "first.npz", tmp_path / "again.npz"
    done("map", run.path, "--out", first)
    assert (count(), kept(run)) == (len(images), len(images))
    tables = [
        ["map", run.path, "--out", again],
        ["encode", run.path, "--precision", "32", "--out", tmp_path / "encoded.npz"],
        ["encode", run.path, "--no-error", "--precision", "32", "--out", tmp_path / "plain.npz"],
    ]
    others = [
        ["clusters", run.path, "--count", "3"],
        ["anomalies", run.path, "--out", tmp_path / "strange"],
        ["neighbours", run.path, archive],
        ["index", run.path, "--out", tmp_path / "index"],
        ["generate", run.path, "--count", "2", "--out", tmp_path / "drawn"],
        ["reconstruct", run.path, "--out", tmp_path / "seen"],
    ]
    for words in (*tables, *others):
        done(*words)
    assert count() == 0
    codes = read_table(first)[0]["code"]
    for words in tables:
        np.testing.assert_array_equal(read_table(words[-1])[0]["code"], codes)
    opened = TrainedAutoencoder.load(run)
    opened.map(), opened.clusters(images, 3)
    assert count() == 0
    done("encode", run.path, "--refine", "2", "--out", tmp_path / "two.npz")  # other codes
    assert (count(), kept(run)) == (len(images), 2 * len(images))
    assert FILE not in packed(run, "", {})


def test_what_is_trained_or_evaluated_does_not_depend_on_it(run, images, count, tmp_path):
    def outcome() -> tuple[str, str]:
        out = tmp_path / "classifier"
        plan = small("classifier", None, {"encoder": str(run.path), "training": {"epochs": 1}})
        plan = plan.model_copy(update={"data": run.experiment.data})
        weights = train(plan, out).weights_hash
        shutil.rmtree(out)
        return done("evaluate", run.path, "--json"), weights

    before = outcome()
    assert not (run.path / FILE).exists()
    encoded_once(TrainedAutoencoder.load(run), images)
    tensors, notes = read_tensors(run.path / FILE)
    write_tensors(run.path / FILE, {**tensors, "codes": tensors["codes"] + 1}, notes)  # of no image
    content = (run.path / FILE).read_bytes()
    (run.path / "results" / "test.json").unlink()
    count()
    assert outcome() == before
    assert count() > 0
    assert (run.path / FILE).read_bytes() == content


def test_a_code_is_of_one_network_one_image_and_one_way_to_compute_it(run, images, count):
    opened, rows = TrainedAutoencoder.load(run), np.arange(30)
    with refined_kept(opened):
        opened.encode(images, chosen=rows)
        opened.encode(images, chosen=rows[::-1])
        assert count() == 30
        opened.encode(images, "bf16", chosen=rows)
        assert count() == 30
        refined_codes(opened, images.pixels, rows, 1, "bf16")
        refined_codes(opened, images.pixels, rows, 1)
        assert count() == 0
        codes_and_errors(opened, images.pixels, rows, refine=3)
        assert count() == 30
        with torch.no_grad():
            next(opened.model.decoder.parameters()).mul_(1.5)
        opened.encode(images, chosen=rows)
        assert count() == 30
    other = run.path.with_name("other")
    shutil.copytree(run.path, other)
    weights = {name: 1.1 * one for name, one in run.weights.items()}
    write_tensors(other / "weights.safetensors", weights, {})
    encoded_once(TrainedAutoencoder.load(other), images, rows)
    assert (count(), kept(Run.open(other)), kept(run)) == (30, 30, 4 * 30)


def test_codes_of_another_version_are_not_taken_for_those_of_this_one(run, images, count, monkeypatch):
    encoded_once(TrainedAutoencoder.load(run), images)
    for name, other in (("VERSION", "next"), ("version_of", lambda _: "9.9.9")):
        count()
        monkeypatch.setattr(remembered, name, other)
        encoded_once(TrainedAutoencoder.load(run), images)
        assert count() == len(images)


def test_weights_are_hashed_once_a_command(run, images, monkeypatch):
    monkeypatch.setattr(trained, "BATCH", 30)
    monkeypatch.setattr(remembered, "_bytes", counted := Mock(side_effect=remembered._bytes))
    opened = TrainedAutoencoder.load(run)
    encoded_once(opened, images)
    assert counted.call_count == len(opened.model.state_dict()) + len(images) // 30


@pytest.mark.parametrize("damage", ["cut", "sizes", "types", "other"])
def test_a_damaged_file_is_said_and_made_again(run, images, count, caplog, damage):
    opened, path = TrainedAutoencoder.load(run), run.path / FILE
    codes = encoded_once(opened, images)
    tensors, notes = read_tensors(path)
    changed = {
        "sizes": {**tensors, "codes": tensors["codes"][:, :2].contiguous()},
        "types": {**tensors, "codes": tensors["codes"].double()},
        "other": {"codes": tensors["codes"]},
    }
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        write_tensors(path, changed[damage], notes)
    count()
    np.testing.assert_array_equal(encoded_once(opened, images), codes)
    assert (count(), caplog.text.count("is damaged")) == (len(images), 1)
    np.testing.assert_array_equal(encoded_once(opened, images), codes)
    assert (count(), caplog.text.count("is damaged"), kept(run)) == (0, 1, len(images))


def test_a_run_that_cannot_be_written_is_explored_and_that_is_said_once(run, images, count, tmp_path):
    (run.path / LOCK).mkdir()
    code, out, said = call(["anomalies", str(run.path), "--json", "--out", str(tmp_path / "strange")])
    assert (code, json.loads(out)["images"]) == (0, len(images)), said
    assert count() == len(images)  # once in the command, nevertheless
    assert said.count("refined codes cannot be kept in") == 1
    assert not (run.path / FILE).exists()


def test_codes_of_two_at_once_are_all_kept(run, images, count, caplog, monkeypatch):
    monkeypatch.setattr(kept_refined, "WAIT", 0.05)
    opened, other = TrainedAutoencoder.load(run), TrainedAutoencoder.load(run)
    with refined_kept(opened):
        opened.encode(images, chosen=np.arange(70))
        thread = Thread(target=encoded_once, args=(other, images, np.arange(50, 100)))
        thread.start()
        thread.join()
        assert kept(run) == 50
    assert (count(), kept(run)) == (120, 100)
    with locked(run.path / LOCK):  # by one that does not end
        thread = Thread(target=encoded_once, args=(other, images))
        thread.start()
        thread.join()
    assert "cannot be kept" in caplog.text
    assert (count(), kept(run)) == (20, 100)
    encoded_once(opened, images)
    assert (count(), kept(run)) == (20, 120)


def test_what_was_found_before_an_interruption_is_kept(run, images, count, monkeypatch, tmp_path):
    monkeypatch.setattr(encoding, "PIECE", 150)
    real, calls = encoding.refined_codes, []

    def stops(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(encoding, "refined_codes", stops)
    assert (
        call(["encode", str(run.path), "--precision", "32", "--out", str(tmp_path / "codes.npz")])[0] == 130
    )
    assert (count(), kept(run)) == (50, 50)
    encoded_once(TrainedAutoencoder.load(run), images)
    assert (count(), kept(run)) == (len(images) - 50, len(images))


def test_the_newest_codes_are_kept_and_many_are_written_before_the_end(run, images, count, monkeypatch):
    monkeypatch.setattr(kept_refined, "ROOM", 100 * (16 + 4 * 3))
    monkeypatch.setattr(kept_refined, "AT_ONCE", 40)
    monkeypatch.setattr(trained, "BATCH", 20)
    opened = TrainedAutoencoder.load(run)
    with refined_kept(opened):
        opened.encode(images, chosen=np.arange(60))
        assert kept(run) == 40
        opened.encode(images, chosen=np.arange(60))
        assert count() == 60
    encoded_once(opened, images, np.arange(60, 120))
    assert (count(), kept(run)) == (60, 100)
    encoded_once(opened, images, np.arange(20, 120))
    assert count() == 0


def test_a_network_without_its_run_remembers_for_a_while_only(run, images, count):
    opened = TrainedAutoencoder.load(run)
    opened.run = None
    with refined_kept(opened):
        opened.encode(images)
        opened.encode(images)
    assert count() == len(images)
    assert not Path(run.path / FILE).exists()
