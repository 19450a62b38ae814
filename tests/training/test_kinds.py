"""What sets the four kinds apart in training: fresh noise, warm-up, an encoder that stands still."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from latentspace.core.errors import ConfigurationError, DataError, RunError
from latentspace.data.corruption import Corruption, gaussian
from latentspace.data.imageset import ImageSet
from latentspace.data.splits import Shares, split
from latentspace.experiment.config import Experiment
from latentspace.experiment.tasks import TASKS
from latentspace.models.classifier import FrozenEncoderClassifier
from latentspace.objectives.denoising import denoising, denoising_and_clean
from latentspace.runs.directory import Run
from latentspace.training.components import Components, make_fabric
from latentspace.training.context import TrainingContext, context_of
from latentspace.training.loop import learn
from latentspace.training.pretrained import pretrained_encoder_of
from latentspace.training.train import resume, start, train
from materials import make_images
from runner import call
from studies import small, timeless, trained


@pytest.fixture(scope="module")
def encoders(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    place = tmp_path_factory.mktemp("encoders")
    return {kind: trained(kind, archive, place / kind) for kind in ("ae", "dae", "vae")}


def classifier(encoder: Run, **changes) -> Experiment:
    return small("classifier", changes={"encoder": str(encoder.path), **changes})


def gathered(plan: Experiment, images: ImageSet) -> Components:
    parts = split(images, Shares.parse("60/20/20"), 0)
    return TrainingContext(plan, images, parts, make_fabric(plan)).components()


@pytest.mark.parametrize(
    ("kind", "stop_after"), [("dae", 2), ("vae", 1), ("classifier", 2), ("frozen-encoder", 1)]
)
def test_an_interrupted_training_ends_as_one_that_never_stopped(
    encoders, archive, tmp_path, kind, stop_after
):
    plan = {
        "dae": small("dae", archive, {"objective": {"noise": "salt-and-pepper", "strength": 0.2}}),
        "vae": small("vae", archive, {"objective": {"warm_up": 3, "free_bits": 0.1}}),
        "classifier": classifier(encoders["vae"], training={"keep": "best"}),
        "frozen-encoder": classifier(encoders["vae"], objective={"method": "frozen-encoder"}),
    }[kind]
    whole = train(plan, tmp_path / "whole")
    broken = start(plan, tmp_path / "broken")
    records = broken.records()
    list(islice(records, stop_after))
    records.close()
    again = resume(tmp_path / "broken")
    assert [one.epoch for one in again.records()] == list(range(stop_after + 1, 4))
    assert timeless(whole) == timeless(again.run)
    assert whole.weights.keys() == again.run.weights.keys()
    for name, tensor in whole.weights.items():
        assert torch.equal(tensor, again.run.weights[name]), name


@pytest.mark.parametrize("kind", tuple(TASKS))
def test_the_records_name_each_term(encoders, tmp_path, kind):
    run = train(classifier(encoders["ae"]), tmp_path / "run") if kind == "classifier" else encoders[kind]
    parts = {
        "ae": {"mse"},
        "dae": {"mse_from_noisy"},
        "vae": {"bce", "kl", "elbo_loss"},
        "classifier": {"cross_entropy", "report_cross_entropy", "accuracy"},
    }[kind]
    evaluated = {"mse"} if kind == "dae" else set()
    for record in run.metrics:
        assert record["train"].keys() == {"loss"} | parts
        assert record["validation"].keys() == {"loss"} | parts | evaluated
    assert run.experiment.task.score in run.metrics[-1]["validation"]


class Watched:
    """A corruption that keeps the noise that it made."""

    def __init__(self) -> None:
        self.noise: list[torch.Tensor] = []
        self.corrupt: Corruption = gaussian(0.1)

    def __call__(self, batch, generator):
        noisy = self.corrupt(batch, generator)
        self.noise.append(noisy - batch)
        return noisy


def watched(images: ImageSet, first: int = 1) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The noise of the training batches, and that of the validation, of epochs `first` to 3."""
    plan, train_noise, validation_noise = small("dae"), Watched(), Watched()
    components = replace(
        gathered(plan, images),
        objective=denoising(train_noise),
        validation_objective=denoising_and_clean(validation_noise),
    )
    list(learn(plan, components, first))
    return train_noise.noise, validation_noise.noise


def test_noise_is_fresh_in_every_batch_and_epoch_and_fixed_in_validation(images):
    made, evaluated = watched(images)
    assert [len(one) for one in made] == [25, 25, 22] * 3
    flat = torch.cat([one.flatten(1) for one in made])
    assert len(flat.unique(dim=0)) == len(flat) == 216, "no image got the same noise twice"
    cosines = torch.nn.functional.normalize(flat, dim=1) @ torch.nn.functional.normalize(flat, dim=1).T
    assert (cosines - torch.eye(216)).abs().max() < 0.4, "nor a part of it"
    assert len(evaluated) == 3
    assert all(torch.equal(one, evaluated[0]) for one in evaluated)
    assert not any(torch.equal(one[0], other[0]) for one in made for other in evaluated)


def test_the_noise_of_an_epoch_is_a_function_of_its_number(images):
    """So a training that is resumed draws what it would have drawn."""
    all_epochs, _ = watched(images)
    from_the_third, _ = watched(images, first=3)
    assert all(torch.equal(one, other) for one, other in zip(all_epochs[6:], from_the_third, strict=True))


def test_another_corruption_trains_another_network(archive, tmp_path):
    plans = ({"noise": "masking", "strength": 0.5}, {"noise": "blur", "strength": 2.0}, {"strength": 0.5})
    runs = [
        trained("dae", archive, tmp_path / f"{number}", {"objective": one})
        for number, one in enumerate(plans)
    ]
    found = [run.metrics[-1]["train"]["mse_from_noisy"] for run in runs]
    assert len(set(found)) == 3
    assert all(np.isfinite(found))


def test_warm_up_begins_with_little_of_the_divergence(images):
    """In the first of four epochs a quarter of it counts: loss = bce + kl / 4."""
    plan = small("vae", changes={"objective": {"warm_up": 4}, "training": {"epochs": 5}})
    records = list(learn(plan, gathered(plan, images)))
    shares = [(one.train["loss"] - one.train["bce"]) / one.train["kl"] for one in records]
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0], rel=1e-2)
    for one in records:
        assert one.validation["loss"] == one.validation["elbo_loss"]


@pytest.mark.parametrize("kind", ["ae", "vae"])
def test_both_ways_to_classify_give_the_same_losses(encoders, tmp_path, kind):
    ways = [
        train(classifier(encoders[kind], objective={"method": method}), tmp_path / method)
        for method in ("codes", "frozen-encoder")
    ]
    for one, other in zip(*(timeless(run) for run in ways), strict=True):
        for part in ("train", "validation"):
            assert one[part] == pytest.approx(other[part], rel=1e-4)
    codes, frozen = (run.weights for run in ways)
    assert codes.keys() == frozen.keys(), "the head alone is kept"
    for name in codes:
        torch.testing.assert_close(codes[name], frozen[name], rtol=1e-3, atol=1e-5)


def test_a_frozen_encoder_refines_codes_in_training_and_validation_which_is_said(
    encoders, images, caplog, monkeypatch
):
    plan = classifier(encoders["vae"], objective={"method": "frozen-encoder"}).with_training(epochs=1)
    pretrained = pretrained_encoder_of(plan)
    monkeypatch.setattr(pretrained.autoencoder, "refine", 1)
    parts, found = pretrained.run.split, []

    def counted(codes, *_, **__):
        found.append(len(codes))
        return codes

    components = context_of(plan, images, parts, make_fabric(plan), pretrained).components()
    assert "every epoch encodes the images anew and refines their codes" in caplog.text
    monkeypatch.setattr("latentspace.models.autoencoder.refined", counted)
    list(learn(plan, components))
    assert sum(found) == len(parts.train) + len(parts.validation)


def test_the_frozen_encoder_stands_still_and_its_dropout_stays_off(encoders, images):
    plan = classifier(encoders["vae"], objective={"method": "frozen-encoder"})
    pretrained = pretrained_encoder_of(plan)
    before = {name: one.clone() for name, one in pretrained.autoencoder.state_dict().items()}
    context = TrainingContext(plan, images, pretrained.run.split, make_fabric(plan), pretrained)
    components = context.components()
    head_before = {name: one.clone() for name, one in components.learned.state_dict().items()}
    list(learn(plan, components))
    network = components.model.module
    assert isinstance(network, FrozenEncoderClassifier)
    components.model.train()
    assert network.head.training
    assert not any(one.training for one in network.autoencoder.modules())
    pixels = torch.from_numpy(images.pixels[:5]) / 255
    assert torch.equal(network(pixels), network(pixels))
    for name, tensor in network.autoencoder.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(one.grad is None for one in network.autoencoder.parameters())
    assert not any(torch.equal(one, head_before[name]) for name, one in network.head.state_dict().items())


def test_the_split_is_the_encoders_own(archive, tmp_path):
    encoder = trained("ae", archive, tmp_path / "ae", {"split": {"shares": "50/25/25", "seed": 7}})
    run = train(classifier(encoder), tmp_path / "classifier")
    assert run.split.to_json() == encoder.split.to_json()
    assert run.experiment.split == encoder.experiment.split
    assert run.learned_from.tolist() == encoder.learned_from.tolist()


def test_another_split_is_refused(encoders, tmp_path):
    with pytest.raises(RunError, match="has the split of its encoder") as caught:
        start(classifier(encoders["ae"], split={"shares": "80/10/10"}), tmp_path / "classifier")
    assert "80/10/10" in caught.value.found
    assert not list(tmp_path.iterdir())


def test_another_split_is_refused_also_where_it_is_the_default_by_name(archive, tmp_path):
    """Nobody who writes --split 60/20/20 wants another one; nobody who writes nothing asks for it."""
    encoder = trained("ae", archive, tmp_path / "ae", {"split": {"shares": "50/25/25", "seed": 7}})
    named = ["train", "classifier", "--encoder", str(encoder.path), "--out", str(tmp_path / "run")]
    for more in (["--split", "60/20/20"], ["--set", "split.seed=0"]):
        code, _, stderr = call([*named, *more])
        assert code == 2
        assert "has the split of its encoder" in stderr
        assert "50/25/25 with seed 7" in stderr
        assert not (tmp_path / "run").exists()
    same = classifier(encoder, split={"shares": "50/25/25"})
    assert start(same, tmp_path / "run").experiment.split == encoder.experiment.split


def test_other_images_than_the_encoders_are_refused(encoders, tmp_path):
    others = make_images(120, seed=1)
    np.savez(tmp_path / "others.npz", images=others.pixels, labels=others.labels)
    with pytest.raises(RunError, match="the images of its encoder"):
        start(classifier(encoders["ae"], data={"spec": str(tmp_path / "others.npz")}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_encoders_images_are_known_wherever_they_lie(encoders, archive, tmp_path):
    copy = tmp_path / "copy.npz"
    copy.write_bytes(archive.read_bytes())
    run = train(classifier(encoders["ae"], data={"spec": str(copy)}), tmp_path / "run")
    assert run.experiment.data.spec == str(copy)
    assert run.data.content_hash == encoders["ae"].data.content_hash


def test_a_relative_path_to_the_encoder_is_kept_as_an_absolute_one(encoders, tmp_path, monkeypatch):
    monkeypatch.chdir(encoders["ae"].path.parent)
    run = train(small("classifier", changes={"encoder": "ae"}), tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    assert run.experiment.encoder == str(encoders["ae"].path.resolve())
    assert run.encoder_hash == encoders["ae"].weights_hash


@pytest.mark.parametrize(
    ("labels", "said"),
    [({}, "a label for each image"), ({"labels": np.full(120, "only")}, "at least two classes")],
    ids=["no labels", "one class"],
)
def test_a_classifier_needs_classes_and_says_so_before_images_are_read(
    images, tmp_path, monkeypatch, labels, said
):
    np.savez(tmp_path / "set.npz", images=images.pixels, **labels)
    encoder = trained("ae", tmp_path / "set.npz", tmp_path / "ae")
    monkeypatch.setattr(
        "latentspace.training.context.settled_images", lambda *_: pytest.fail("images are read")
    )
    with pytest.raises(DataError, match=said):
        start(classifier(encoder), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_a_classifier_cannot_stand_on(encoders, archive, tmp_path):
    with pytest.raises(RunError, match="needs the run of an encoder"):
        start(small("classifier"), tmp_path / "none")
    with pytest.raises(RunError, match="must be a run directory"):
        start(small("classifier", changes={"encoder": str(tmp_path)}), tmp_path / "nowhere")
    head = train(classifier(encoders["ae"]), tmp_path / "head")
    with pytest.raises(RunError, match="needs the run of an autoencoder"):
        start(classifier(head), tmp_path / "stacked")
    unfinished = start(small("ae", archive), tmp_path / "unfinished").run
    with pytest.raises(RunError, match="must have ended"):
        start(classifier(unfinished), tmp_path / "early")
    with pytest.raises(
        ConfigurationError, match="a classifier alone learns from an encoder's codes: ae has no encoder"
    ):
        small("ae", changes={"encoder": str(encoders["ae"].path)})


def test_an_encoder_that_was_trained_anew_is_no_longer_gone_on_with(archive, tmp_path):
    encoder = trained("ae", archive, tmp_path / "ae")
    training = start(classifier(encoder), tmp_path / "runs" / "classifier")
    records = training.records()
    next(records)
    records.close()
    (tmp_path / "away").mkdir()
    (tmp_path / "ae").rename(tmp_path / "away" / "ae")  # not where the classifier would look
    trained("ae", archive, tmp_path / "ae", {"seed": 1})
    with pytest.raises(RunError, match="as the classifier knew it"):
        resume(tmp_path / "runs" / "classifier")
    (tmp_path / "away" / "ae").rename(tmp_path / "runs" / "ae")  # beside the classifier it is found again
    list(resume(tmp_path / "runs" / "classifier").records())
    assert training.run.finished


def test_several_seeds_share_the_encoder_and_its_split(encoders, tmp_path):
    heads = [f"--set=model.linear{number}_neurons=8" for number in (1, 2, 3)]
    arguments = [
        "train",
        "classifier",
        "--encoder",
        str(encoders["vae"].path),
        "--out",
        str(tmp_path / "runs"),
    ]
    code, stdout, stderr = call([*arguments, "--epochs", "2", "--seeds", "2", "--threads", "1", *heads])
    assert code == 0, stderr
    runs = [Run.open(tmp_path / "runs" / f"seed-{seed}") for seed in (0, 1)]
    scores = [run.metrics[-1]["validation"]["accuracy"] for run in runs]
    assert f"{np.mean(scores):.5f}" in stdout
    assert timeless(runs[0]) != timeless(runs[1])
    assert {run.encoder_hash for run in runs} == {encoders["vae"].weights_hash}
    assert all(run.split.to_json() == encoders["vae"].split.to_json() for run in runs)


def test_the_reports_loss_is_what_is_trained_when_asked_for(encoders, tmp_path):
    plain, reported = (
        train(classifier(encoders["ae"], objective={"loss": loss}), tmp_path / loss)
        for loss in ("cross-entropy", "report")
    )
    for run, name in ((plain, "cross_entropy"), (reported, "report_cross_entropy")):
        for record in run.metrics:
            assert record["train"]["loss"] == pytest.approx(record["train"][name])
            assert record["validation"]["loss"] == pytest.approx(record["validation"][name])
    assert not all(torch.equal(one, reported.weights[name]) for name, one in plain.weights.items())
