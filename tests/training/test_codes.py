"""Codes of a whole set: encoded once, kept under a key of all that moves them, made again where damaged."""

import pickle
import threading

import numpy as np
import pytest
import torch

from latentspace.core.progress import heard_by
from latentspace.core.randomness import generator
from latentspace.data.batches import to_images
from latentspace.experiment.config import Experiment
from latentspace.inference.trained import encode_all
from latentspace.training import codes as module
from latentspace.training.augmentation import MOVES, moved
from latentspace.training.codes import Copies, codes_of, codes_of_copies
from latentspace.training.context import prepare
from latentspace.training.train import train
from studies import must_go_on_to_the_same_bits, small

CPU = torch.device("cpu")


@pytest.fixture
def encoded(monkeypatch):
    """How many images each encoding took, one entry a call."""
    calls: list[int] = []

    def counted(model, pixels, device):
        calls.append(len(pixels))
        return encode_all(model, pixels, device)

    monkeypatch.setattr(module, "encode_all", counted)
    return calls


@pytest.fixture
def autoencoder(plan, images):
    return plan.build(images.shape)


def test_codes_are_made_once_and_read_from_then_on(autoencoder, images, tmp_path, encoded):
    first, second = (codes_of(autoencoder, "a" * 64, images, CPU, tmp_path / "codes") for _ in range(2))
    assert encoded == [len(images)]
    assert torch.equal(first, second)
    assert torch.equal(first, codes_of(autoencoder, "a" * 64, images, CPU))


FOUR = Copies(4, "affine", "train", 0)
SOME = np.arange(3, 60)


def test_copies_are_moved_anew_and_encoded_without_refinement(images, monkeypatch):
    model = {"name": "residual", "code_size": 3, "width": 8, "refine": 1}
    autoencoder = Experiment.parse({"preset": "default", "model": model}, "a plan").build(images.shape)
    monkeypatch.setattr(module, "BATCH", 20)  # of 57: the last is of 17
    steps = []
    with heard_by(lambda *step: steps.append(step)):
        found = codes_of_copies(autoencoder, "a" * 64, images, CPU, FOUR, SOME)
    assert found.shape == (4 * 57, 3)
    assert steps[0] == ("moved copies encoded", 20, 4 * 57)
    assert steps[-1] == ("moved copies encoded", 4 * 57, 4 * 57)
    draw = generator(0, "augmentation")
    for copy in found.split(57):
        for first in (0, 20, 40):
            still = to_images(torch.from_numpy(images.pixels[SOME[first : first + 20]]))
            with torch.no_grad():
                expected = autoencoder.encode(moved(still, MOVES["affine"], draw), refine=0).mean
            assert torch.equal(copy[first : first + 20], expected)


@pytest.mark.parametrize("other", [None, "rows", "number", "augment", "seed"])
def test_copies_are_kept_by_all_that_they_depend_on(autoencoder, images, tmp_path, other):
    first = codes_of_copies(autoencoder, "a" * 64, images, CPU, FOUR, SOME, tmp_path)
    changed = {"number": FOUR._replace(number=2), "augment": FOUR._replace(augment="shift")}
    about = {**changed, "seed": FOUR._replace(seed=1)}.get(other, FOUR)
    rows = SOME[:-1] if other == "rows" else SOME
    second = codes_of_copies(autoencoder, "a" * 64, images, CPU, about, rows, tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) == (1 if other is None else 2)
    assert torch.equal(first, second) == (other is None)
    assert torch.equal(second, codes_of_copies(autoencoder, "a" * 64, images, CPU, about, rows))


@pytest.fixture(scope="module")
def classifier(plan, tmp_path_factory):
    """A plan that learns from copies."""
    encoder = train(plan, tmp_path_factory.mktemp("encoder") / "ae")
    changes = {"encoder": str(encoder.path), "training": {"augment": "affine"}, "seed": 2}
    return small("classifier", changes=changes)


def test_a_classifier_learns_from_copies_of_its_training_images_alone(classifier, images):
    context = prepare(classifier)
    components, parts = context.components(), context.split
    learned, count = components.train, len(parts.train)
    assert (learned.images, components.copies) == (count, 4)
    own = codes_of(context.pretrained.autoencoder, "", images, CPU)
    copies = codes_of_copies(context.pretrained.autoencoder, "", images, CPU, FOUR, parts.train)
    assert torch.equal(learned.inputs, torch.cat([own[parts.train], copies]))
    labels = torch.from_numpy(images.labels)
    assert torch.equal(learned.labels, labels[parts.train].repeat(5))
    assert torch.equal(components.validation.inputs, own[parts.validation])
    still = context.components(classifier.with_training(augment="none"))
    assert torch.equal(still.train.inputs, own[parts.train])
    elsewhere = pickle.loads(pickle.dumps(context)).components()
    assert torch.equal(elsewhere.train.inputs, learned.inputs)
    assert torch.equal(context.on("cpu").components().train.inputs, learned.inputs)


def test_a_training_of_copies_goes_on_to_the_same_bits(classifier, tmp_path):
    whole = train(classifier, tmp_path / "whole")
    must_go_on_to_the_same_bits(classifier, whole, tmp_path / "broken")
    still = train(classifier.with_training(augment="none"), tmp_path / "still")
    assert still.weights_hash != whole.weights_hash


@pytest.mark.parametrize("other", ["weights", "images", "threads"])
def test_codes_of_something_else_are_others(autoencoder, images, tmp_path, encoded, other):
    codes_of(autoencoder, "a" * 64, images, CPU, tmp_path)
    threads = torch.get_num_threads()
    try:
        if other == "threads":
            torch.set_num_threads(threads + 1)
        these = images.subset(np.arange(10)) if other == "images" else images
        weights_hash = ("b" if other == "weights" else "a") * 64
        assert len(codes_of(autoencoder, weights_hash, these, CPU, tmp_path)) == len(these)
    finally:
        torch.set_num_threads(threads)
    assert encoded == [len(images), len(these)]


def test_damaged_codes_are_made_again_and_that_is_said(autoencoder, images, tmp_path, encoded, caplog):
    whole = codes_of(autoencoder, "a" * 64, images, CPU, tmp_path)
    (path,) = tmp_path.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert torch.equal(codes_of(autoencoder, "a" * 64, images, CPU, tmp_path), whole)
    assert "is made again: its checksum does not match" in caplog.text
    codes_of(autoencoder, "a" * 64, images, CPU, tmp_path)
    assert len(encoded) == 2


def test_one_makes_them_while_the_others_wait(autoencoder, images, tmp_path, encoded):
    found = []

    def worker():
        found.append(codes_of(autoencoder, "a" * 64, images, CPU, tmp_path))

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert encoded == [len(images)]
    assert all(torch.equal(one, found[0]) for one in found)
    assert len(found) == 3
