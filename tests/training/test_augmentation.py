"""Augmentation: what it does to pixels, when, and what `auto` becomes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from latentspace.core.errors import ConfigurationError
from latentspace.data.imageset import ImageSet
from latentspace.experiment.config import Experiment
from latentspace.training.augmentation import AFFINE, MOVES, Moves, augmentation_of, moved
from latentspace.training.augmentation_choice import can_be_mirrored, settle_augmentation
from latentspace.training.train import resume, start, train
from materials import make_images


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth(count: int, channels: int, height: int, width: int) -> torch.Tensor:
    """A blob in the middle that is longer across than down."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    blob = torch.exp(-(x**2) / 0.2 - y**2 / 0.05)
    return blob.expand(count, channels, height, width).contiguous()


@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (3, 3, 45, 37), (2, 12, 8, 20)])
def test_no_move_changes_nothing(shape):
    images = torch.rand(shape, generator=draw())
    torch.testing.assert_close(moved(images, Moves(), draw()), images)


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (3, 3, 45, 37), (2, 12, 8, 20)])
def test_pixels_stay_in_range_and_images_differ(name, shape):
    images = torch.rand(shape, generator=draw())
    found = moved(images, MOVES[name], draw(1))
    assert found.shape == images.shape
    assert images.min() <= found.min() <= found.max() <= images.max() + 1e-6
    differ = [not torch.allclose(one, other) for one, other in zip(found, images, strict=True)]
    assert all(differ) or (name == "shift" and any(differ))  # some are shifted by no pixel
    assert torch.equal(found, moved(images, MOVES[name], draw(1)))


def test_a_mirrored_image_is_flipped_in_about_every_other_image():
    images = torch.rand((200, 2, 8, 8), generator=draw())
    found = moved(images, Moves(mirror=True), draw())
    flipped = [
        torch.allclose(one, other.flip(-1), atol=1e-5) for one, other in zip(found, images, strict=True)
    ]
    same = [torch.allclose(one, other, atol=1e-5) for one, other in zip(found, images, strict=True)]
    assert all(one != other for one, other in zip(flipped, same, strict=True))
    assert 70 < sum(flipped) < 130


def test_a_turn_is_a_turn_whatever_the_shape():
    """Pixels move as on a sheet: the blob stays as long, on images that are not square too."""
    images = smooth(64, 1, 40, 80)
    found = moved(images, Moves(rotation=0.1), draw())
    y, x = torch.meshgrid(torch.arange(40) - 19.5, torch.arange(80) - 39.5, indexing="ij")
    angles = []
    for one in found[:, 0]:
        xx, yy, xy = (float((one * part).sum() / one.sum()) for part in (x * x, y * y, x * y))
        angles.append(0.5 * np.arctan2(2 * xy, xx - yy))
        assert xx + yy == pytest.approx(
            float((images[0, 0] * (x * x + y * y)).sum() / images[0].sum()), rel=0.02
        )
    assert 0.08 < np.abs(angles).max() <= 0.101
    assert np.abs(np.mean(angles)) < 0.03


def test_a_shift_is_a_share_of_each_side():
    images = smooth(64, 1, 40, 80)
    found = moved(images, Moves(shift=0.1), draw())[:, 0]
    weight = found.sum(dim=(1, 2))
    x = (found.sum(dim=1) * torch.arange(80)).sum(dim=1) / weight - 39.5
    y = (found.sum(dim=2) * torch.arange(40)).sum(dim=1) / weight - 19.5
    assert 6 < x.abs().max() <= 8.1
    assert 3 < y.abs().max() <= 4.1


@pytest.mark.parametrize(("shape", "most"), [((900, 3, 20, 40), (2, 4)), ((900, 1, 8, 9), (1, 1))])
def test_a_shift_is_by_whole_pixels(shape, most):
    """By every number of pixels up to the most, which is one at least; no pixel is mixed from two."""
    count, _, height, width = shape
    images = torch.rand(shape, generator=draw())
    found = moved(images, Moves(shift=0.1), draw(1))
    where = {
        (down, across): images[:, :, torch.arange(height).add(down).clamp(0, height - 1)][
            ..., torch.arange(width).add(across).clamp(0, width - 1)
        ]
        for down in range(-most[0], most[0] + 1)
        for across in range(-most[1], most[1] + 1)
    }
    seen = {by: int((one == found).flatten(1).all(dim=1).sum()) for by, one in where.items()}
    assert sum(seen.values()) == count
    assert min(seen.values()) > 0


def test_what_comes_in_is_the_images_own_border():
    images = torch.full((8, 3, 16, 16), 0.75)
    torch.testing.assert_close(moved(images, replace(AFFINE, shift=0.5), draw()), images)


def test_the_share_of_batches_halves_in_the_last_tenth():
    plan = Experiment(training={"augment": "shift", "augment_share": 0.8})
    images = torch.rand((2, 1, 8, 8), generator=draw())
    augment = augmentation_of(plan, 1, 1000)
    touched = [augment(images, step) is not images for step in [*range(0, 900, 2)] + [950] * 450]
    assert 0.74 < np.mean(touched[:450]) < 0.86
    assert 0.33 < np.mean(touched[450:]) < 0.47


def test_it_is_a_function_of_seed_and_epoch():
    images = torch.rand((4, 1, 8, 8), generator=draw())

    def found(seed, epoch):
        plan = Experiment(seed=seed, training={"augment": "affine", "augment_share": 1})
        augment = augmentation_of(plan, epoch, 10)
        return torch.stack([augment(images, step) for step in range(2)])

    assert torch.equal(found(0, 1), found(0, 1))
    assert not torch.equal(found(0, 1), found(0, 2))
    assert not torch.equal(found(0, 1), found(1, 1))
    assert not torch.equal(*found(0, 1))


@pytest.mark.parametrize("kind", ["ae", "dae", "vae"])
def test_an_interrupted_training_goes_on_to_the_same_bits(plan, tmp_path, kind):
    model = (
        plan.model.model_dump()
        if kind != "vae"
        else {"code_size": 3, "conv1_channels": 4, "conv2_channels": 4}
    )
    training = {"epochs": 3, "batch_size": 25, "augment": "affine"}
    values = {**plan.model_dump(), "kind": kind, "model": model, "objective": {}, "training": training}
    moving = Experiment.parse(values, "the plan")
    whole = train(moving, tmp_path / "whole")
    records = start(moving, tmp_path / "broken").records()
    next(records)
    records.close()
    again = resume(tmp_path / "broken")
    list(again.records())
    assert all(torch.equal(one, again.run.weights[name]) for name, one in whole.weights.items())
    values["training"] = {**training, "augment": "none"}
    still = train(Experiment.parse(values, "the plan"), tmp_path / "still")
    assert whole.metrics[0]["train"] != still.metrics[0]["train"]


def photographs(names: tuple[str, ...] = (), channels: int = 3) -> ImageSet:
    noise = np.random.default_rng(0).integers(0, 256, (40, channels, 16, 16), dtype=np.uint8)
    return ImageSet(noise, "noise", (np.arange(40) % len(names)).astype(np.int64) if names else None, names)


def test_colour_photographs_alone_are_mirrored_and_no_letters():
    assert can_be_mirrored(photographs())
    assert can_be_mirrored(photographs(("cat", "dog")))
    assert not can_be_mirrored(photographs(("A", "B")))
    assert not can_be_mirrored(photographs(("cat", "7")))
    assert not can_be_mirrored(photographs(channels=1))
    assert not can_be_mirrored(photographs(channels=12))
    drawn = np.zeros((20, 3, 16, 16), dtype=np.uint8)
    drawn[:, :, 4:9, 3:12] = 200
    assert not can_be_mirrored(ImageSet(drawn, "drawings"))


@pytest.mark.parametrize(
    ("epochs", "images", "expected"),
    [
        (9, photographs(), "none"),
        (10, photographs(), "mirror"),
        (10, photographs(("A", "B")), "affine"),
        (50, make_images(), "affine"),
    ],
)
def test_what_auto_becomes(epochs, images, expected, caplog):
    caplog.set_level("INFO", logger="latentspace")
    plan = Experiment(training={"augment": "auto", "epochs": epochs})
    settled = settle_augmentation(plan, images)
    assert settled.training.augment == expected
    assert f"augmentation {expected}" in caplog.text


def test_a_classifier_of_codes_cannot_have_it():
    plan = {"kind": "classifier", "training": {"augment": "affine"}}
    with pytest.raises(ConfigurationError, match="made once"):
        settle_augmentation(Experiment(**plan), make_images())
    plan["training"] = {"augment": "auto"}
    assert settle_augmentation(Experiment(**plan), make_images()).training.augment == "none"
    plan = {
        "kind": "classifier",
        "training": {"augment": "affine"},
        "objective": {"method": "frozen-encoder"},
    }
    assert settle_augmentation(Experiment(**plan), make_images()).training.augment == "affine"


def test_auto_is_recorded_as_what_it_became(plan, tmp_path):
    settings = {**plan.training.model_dump(), "augment": "auto", "epochs": 1}
    run = train(Experiment.parse({**plan.model_dump(), "training": settings}, "plan"), tmp_path / "run")
    assert run.experiment.training.augment == "none"
    assert "augmentation none" in (run.path / "run.log").read_text(encoding="utf-8")


def test_bad_settings():
    for wrong in ({"augment": "rotate"}, {"augment_share": 1.5}, {"augment_share": -1}):
        with pytest.raises(ConfigurationError):
            Experiment(training=wrong)
