"""One trial: reported, pruned, failed for its own reasons, repeated bit for bit."""

import errno
import io
import os

import numpy as np
import optuna
import pytest
import torch
from optuna.trial import TrialState
from PIL import Image

from latentspace.core.errors import OutputError
from latentspace.data.config import DataConfig
from latentspace.inference.preview import COUNT, ENLARGED, reconstructions
from latentspace.search import trainings as trainings_module
from latentspace.search.heartbeat import Heartbeat
from latentspace.search.space import experiment_of
from latentspace.search.trainings import TrainerHere, pictured
from latentspace.search.trial import is_failure, run_trial
from latentspace.training.context import TrainingContext, prepare
from latentspace.training.loop import EpochRecord, learn
from materials import make_images
from small_search import run_all, small_study

HERE = Heartbeat("1@elsewhere", "none")


def never() -> bool:
    return False


def scores(trial: optuna.trial.FrozenTrial) -> list[float]:
    return [trial.intermediate_values[epoch] for epoch in sorted(trial.intermediate_values)]


def curves(monkeypatch, *given: list[float]) -> list[int]:
    """Let the trainings have these validation scores, one list a trial; returns the epochs that were run."""
    left, ran = list(given), []

    def learn_as_told(experiment, components):
        course = left.pop(0)
        for epoch, score in enumerate(course, start=1):
            ran.append(epoch)
            yield EpochRecord(
                epoch=epoch,
                train={"loss": score},
                validation={"mse": score},
                seconds=0.1,
                images_per_second=100.0 * epoch,
                learning_rate=0.001,
            )

    monkeypatch.setattr(trainings_module, "learn", learn_as_told)
    return ran


def test_a_trial_trained_again_gives_its_values_bit_for_bit(searched):
    trials, plan = searched.study.get_trials(), searched.plan
    context = prepare(plan.experiment)
    assert {one.state for one in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert TrialState.COMPLETE in {one.state for one in trials}
    for one in trials:
        experiment = experiment_of(one.params, plan.experiment, one.user_attrs["seed"])
        records = learn(experiment, context.components(experiment))
        again = [record.validation["mse"] for record in records]
        assert again[: len(scores(one))] == scores(one)
        if one.state == TrialState.COMPLETE:
            assert one.value == again[-1]


def test_two_searches_of_one_seed_are_one(searched, archive, tmp_path):
    one, other = searched.study.get_trials(), run_all(small_study(archive, tmp_path / "other"))
    assert [(t.params, t.values, t.state) for t in one] == [(t.params, t.values, t.state) for t in other]


def test_what_a_trial_leaves_for_a_reader(searched):
    for one in searched.study.get_trials():
        notes = one.user_attrs
        assert notes["epochs"] == len(one.intermediate_values) > 0
        assert min(one.intermediate_values) == 1
        assert notes["images_per_second"] > 0
        assert notes["threads"] == 1
        assert "reason" not in notes
        network = experiment_of(one.params, searched.plan.experiment, notes["seed"]).build((1, 16, 16))
        assert notes["weights"] == sum(weights.numel() for weights in network.parameters())


def test_a_pruned_trial_stops_at_once(archive, tmp_path, monkeypatch):
    good, bad = [0.1, 0.1, 0.1], [0.9, 0.9, 0.9]
    ran = curves(monkeypatch, good, good, bad, good)
    trials = run_all(small_study(archive, tmp_path / "study"))
    assert [one.state.name for one in trials] == ["COMPLETE", "COMPLETE", "PRUNED", "COMPLETE"]
    assert ran == [1, 2, 3, 1, 2, 3, 1, 2, 1, 2, 3]  # one epoch is spared, the second is the end
    assert trials[2].user_attrs["epochs"] == 2
    assert trials[2].value == 0.9
    assert trials[0].user_attrs["images_per_second"] == 200.0  # the median


@pytest.mark.parametrize(("keep", "value"), [("last", 0.3), ("best", 0.2)])
def test_the_value_is_the_score_of_the_weights_that_are_kept(archive, tmp_path, monkeypatch, keep, value):
    trials = small_study(archive, tmp_path / "study", trials=1)
    training = trials.plan.experiment.training.model_copy(update={"keep": keep})
    experiment = trials.plan.experiment.model_copy(update={"training": training})
    context = prepare(experiment)
    curves(monkeypatch, [0.4, 0.2, 0.3])
    run_trial(trials.next(HERE), trials, TrainerHere(context), never)
    assert trials.study.trials[0].value == value


def test_early_stopping_ends_a_trial_as_it_ends_a_training(archive, tmp_path, monkeypatch):
    trials = small_study(archive, tmp_path / "study", trials=1, epochs=9)
    training = trials.plan.experiment.training.model_copy(update={"early_stopping": 2})
    context = prepare(trials.plan.experiment.model_copy(update={"training": training}))
    curves(monkeypatch, [0.4, 0.3, 0.5, 0.5, 0.5, 0.5])
    run_trial(trials.next(HERE), trials, TrainerHere(context), never)
    assert trials.study.trials[0].user_attrs["epochs"] == 4
    assert trials.study.trials[0].state == TrialState.COMPLETE


def test_a_loss_that_is_not_finite_is_a_failed_trial_with_its_reason_and_the_study_goes_on(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", trials=3, lowest=1e24, highest=1e25)
    ended = run_all(trials)
    assert [one.state for one in ended] == [TrialState.FAIL] * 3
    for one in ended:
        assert "every loss must be a finite number" in one.user_attrs["reason"]
        assert "lost" not in one.user_attrs
    assert trials.progress().counted == 3
    assert trials.progress().count("failed") == 3


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no more"),
        torch.OutOfMemoryError("no more"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: no more"),
        RuntimeError("[enforce fail] not enough memory: no more"),
    ],
)
def test_no_memory_is_a_failed_trial_too(archive, tmp_path, monkeypatch, error):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(TrainingContext, "components", fail)
    (only,) = run_all(small_study(archive, tmp_path / "study", trials=1))
    assert only.state == TrialState.FAIL
    assert "no more" in only.user_attrs["reason"]
    assert type(error).__name__ in only.user_attrs["reason"]
    assert only.user_attrs["epochs"] == 0


@pytest.mark.parametrize("error", [RuntimeError, ValueError, TypeError])
def test_a_mistake_in_the_program_is_no_failed_trial(error):
    """Whatever its type: a search that fails trial by trial at a mistake would end without a word of it."""
    assert not is_failure(error("mat1 and mat2 shapes cannot be multiplied"))


def test_a_mistake_in_the_program_ends_the_worker(archive, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    trials = small_study(archive, tmp_path / "study", trials=1)
    monkeypatch.setattr(TrainingContext, "components", fail)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        run_all(trials)
    monkeypatch.undo()
    (ended,) = [one for one in run_all(trials) if one.state == TrialState.COMPLETE]
    assert ended.user_attrs["retry_of"] == 0
    assert (trials.progress().counted, trials.progress().count("lost")) == (1, 1)


def test_an_interrupted_trial_is_run_again_from_the_start(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", trials=1)
    context = prepare(trials.plan.experiment)
    run_trial(trials.next(HERE), trials, TrainerHere(context), lambda: True)
    assert trials.progress().count("lost") == 1
    assert trials.progress().counted == 0
    run_trial(trials.next(HERE), trials, TrainerHere(context), never)
    first, second = trials.study.trials
    assert first.user_attrs["reason"] == "the search was interrupted"
    assert scores(second)[:1] == scores(first)
    assert second.state == TrialState.COMPLETE


def test_a_trial_that_others_gave_up_is_left_alone(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", trials=1)
    trial = trials.next(HERE)
    trials.lose(0, "its worker was killed")
    run_trial(trial, trials, TrainerHere(prepare(trials.plan.experiment)), never)
    assert trials.progress().count("lost") == 1


def test_several_objectives(archive, tmp_path):
    trials = small_study(archive, tmp_path / "study", objectives=("mse", "code_size", "weights"))
    for one in run_all(trials):
        assert one.state == TrialState.COMPLETE
        assert one.values[1:] == [one.params["model.code_size"], one.user_attrs["weights"]]
        assert one.user_attrs["epochs"] == 3
    assert trials.front()
    assert trials.best() is None


def test_the_best_trials_leave_a_picture(archive, tmp_path, monkeypatch):
    values = [0.5, 0.4, 0.3, 0.2, 0.6]
    curves(monkeypatch, *([value] * 3 for value in values))
    trials = small_study(archive, tmp_path / "study", trials=5, startup_trials=9)
    ended = run_all(trials)
    kept = [bool(optuna.artifacts.get_all_artifact_meta(one, storage=trials.study._storage)) for one in ended]
    assert kept == [True, True, True, True, False]
    pictures = list((tmp_path / "study" / "artifacts").iterdir())
    assert len(pictures) == 4
    assert all(one.read_bytes().startswith(b"\x89PNG") for one in pictures)


def test_the_pictures_of_a_study_show_every_class(tmp_path, plan):
    images = make_images(120, classes=3, by_class=True)
    np.savez(tmp_path / "ordered.npz", images=images.pixels, labels=images.labels)
    context = prepare(plan.model_copy(update={"data": DataConfig(spec=str(tmp_path / "ordered.npz"))}))
    known = {one.tobytes(): label for one, label in zip(images.pixels, images.labels, strict=True)}
    held = {images.pixels[number].tobytes() for number in context.split.validation}
    shown = pictured(context)
    assert [known[one.tobytes()] for one in shown] == [0, 1, 2] * 3 + [0]
    assert all(one.tobytes() in held for one in shown)
    np.testing.assert_array_equal(shown, pictured(context))


def test_a_picture_shows_the_originals_above_their_reconstructions(plan, images):
    model = plan.build(images.shape)
    pixels = torch.from_numpy(images.pixels[:COUNT])
    raster = np.asarray(Image.open(io.BytesIO(reconstructions(model, pixels))))
    assert raster.shape == (2 * 16 * ENLARGED, COUNT * 16 * ENLARGED)
    small = raster[::ENLARGED, ::ENLARGED]
    np.testing.assert_array_equal(small[:16], np.concatenate(list(images.pixels[:COUNT, 0]), axis=1))
    with torch.no_grad():
        decoded = model.decode(model.encode(pixels[3:4].float() / 255).mean)[0, 0].numpy()
    assert np.abs(small[16:, 48:64] - decoded * 255).max() <= 1


def test_a_storage_that_cannot_be_written_is_not_the_fault_of_the_parameters(archive, tmp_path, monkeypatch):
    trials = small_study(archive, tmp_path / "study")
    trial = trials.next(HERE)
    real, left = os.fsync, [3]

    def fsync(descriptor: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OutputError, match=r"journal\.log must be writable"):
        run_trial(trial, trials, TrainerHere(prepare(trials.plan.experiment)), never)
    assert trials.study.trials[0].state == TrialState.RUNNING  # until its worker is known to be gone
