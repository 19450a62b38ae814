"""Extra images: learned from beside the others, fading out, and never evaluated."""

import numpy as np
import pytest
import torch

from latentspace.core.errors import ConfigurationError, DataError, RunError
from latentspace.core.randomness import generator
from latentspace.data.batches import order
from latentspace.data.imageset import ImageSet
from latentspace.evaluation.evaluate import evaluate
from latentspace.experiment.config import Experiment
from latentspace.experiment.training import TrainingConfig
from latentspace.training.context import prepare
from latentspace.training.extra import extra_of, mixed_order, share_in
from latentspace.training.train import resume, start, train
from materials import make_images


@pytest.fixture
def beside(tmp_path) -> str:
    path = tmp_path / "beside.npz"
    np.savez(path, images=make_images(50, seed=1).pixels)
    return str(path)


def with_extra(plan: Experiment, spec: str, **training) -> Experiment:
    settings = {**plan.training.model_dump(), "extra": spec, **training}
    return Experiment.parse({**plan.model_dump(), "training": settings}, "the plan")


def draw(epoch: int = 1) -> torch.Generator:
    return generator(0, "order", epoch)


@pytest.mark.parametrize(("own", "extra"), [(72, 50), (10, 95), (100, 3)])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.0])
def test_an_epoch_has_its_share_of_each(own, extra, share):
    rows = mixed_order(own, extra, share, draw())
    assert len(rows) == own + extra
    counts = torch.bincount(rows, minlength=own + extra)
    assert counts[own:].max() <= 1
    assert counts[own:].sum() == round(extra * share)
    assert counts[:own].max() - counts[:own].min() <= 1
    assert torch.equal(rows, mixed_order(own, extra, share, draw()))
    assert not torch.equal(rows, mixed_order(own, extra, share, draw(2)))


def test_without_extra_images_the_order_is_what_it_was():
    assert torch.equal(mixed_order(72, 0, 1.0, draw()), order(72, draw()))


def test_the_share_falls_to_nothing():
    plan = TrainingConfig(epochs=10, extra_until=0.5)
    assert [share_in(plan, epoch) for epoch in range(1, 11)] == pytest.approx(
        [1, 0.8, 0.6, 0.4, 0.2] + [0] * 5
    )


def test_they_are_learned_from_and_resume_is_exact(plan, tmp_path, beside, caplog):
    caplog.set_level("INFO", logger="latentspace")
    asked = with_extra(plan, beside)
    whole = train(asked, tmp_path / "whole")
    assert "50 extra images to learn from beside" in caplog.text
    assert whole.environment["extra_images"] == 50
    assert len(whole.learned_from) == 72 + 50
    records = start(asked, tmp_path / "broken").records()
    next(records)
    records.close()
    again = resume(tmp_path / "broken")
    list(again.records())
    assert all(torch.equal(one, again.run.weights[name]) for name, one in whole.weights.items())
    plain = train(plan, tmp_path / "plain")
    assert plain.metrics[0]["train"] != whole.metrics[0]["train"]
    assert evaluate(whole).images == evaluate(plain).images


def test_copies_of_evaluated_images_are_left_out_and_counted(plan, tmp_path, images, caplog):
    caplog.set_level("INFO", logger="latentspace")
    path = tmp_path / "all.npz"
    np.savez(path, images=images.pixels)
    context = prepare(with_extra(plan, str(path)))
    assert context.extra is not None
    assert len(context.extra.pixels) == 72
    assert "left out: 48 copies of evaluated images" in caplog.text
    evaluated = images.image_hashes[np.concatenate([context.split.validation, context.split.test])]
    assert not np.isin(context.extra.hashes, evaluated).any()
    both = prepare(with_extra(plan, str(path), fit="train+validation"))
    assert both.extra is not None
    assert len(both.extra.pixels) == 96
    np.savez(path, images=images.pixels[context.split.test])
    with pytest.raises(DataError, match="must not all be copies"):
        prepare(with_extra(plan, str(path)))


@pytest.mark.parametrize(("looked_for", "kept"), [("on", 20), ("off", 26)])
def test_near_copies_of_evaluated_images_are_left_out_where_a_split_looks_for_them(
    tmp_path, monkeypatch, looked_for, kept
):
    """In pieces of seven images, of which some have near copies and others none."""
    monkeypatch.setattr("latentspace.data.near_copies.PIECE", 7)
    own, other = (np.random.default_rng(seed).integers(0, 200, (20, 1, 7, 7)) for seed in (0, 1))
    own, other = (np.kron(one, np.ones((4, 4))).astype(np.uint8) for one in (own, other))
    lighter = own + np.uint8(20)
    np.savez(tmp_path / "extra.npz", images=np.concatenate([lighter, other[:5], lighter[:1], own[1:5]]))
    plan = Experiment(split={"near_copies": looked_for}, training={"extra": str(tmp_path / "extra.npz")})
    extra = extra_of(plan, ImageSet(own, "pictures"), np.arange(5))
    assert extra is not None
    assert len(extra.pixels) == kept  # of 30: 4 are copies, and 6 near copies, of which 2 are equal


def test_they_are_brought_to_the_size_of_the_others(plan, tmp_path):
    path = tmp_path / "large.npz"
    np.savez(path, images=make_images(20, side=24, seed=2).pixels)
    extra = prepare(with_extra(plan, str(path))).extra
    assert extra is not None
    assert extra.pixels.shape == (20, 1, 16, 16)


def test_a_limit_is_of_the_images_that_are_split(plan, tmp_path, beside):
    limited = Experiment.parse({**plan.model_dump(), "data": {**plan.data.model_dump(), "limit": 60}}, "plan")
    context = prepare(with_extra(limited, beside))
    assert (len(context.images), len(context.extra.pixels)) == (60, 50)


def test_that_extra_images_cannot_be_read_is_said_of_them(plan):
    with pytest.raises(DataError, match=r"nowhere.*for the extra images"):
        prepare(with_extra(plan, "nowhere"))


def test_other_channels_are_refused(plan, beside, monkeypatch):
    many = make_images(20, channels=5)
    monkeypatch.setattr("latentspace.training.extra.load_images", lambda _: many)
    with pytest.raises(DataError, match="channels"):
        prepare(with_extra(plan, beside))


def test_others_at_resume_are_refused(plan, tmp_path, beside):
    start(with_extra(plan, beside), tmp_path / "run")
    np.savez(beside, images=make_images(50, seed=9).pixels)
    with pytest.raises(RunError, match="extra images"):
        resume(tmp_path / "run")


def test_images_that_stay_on_disk_are_refused(plan, tmp_path, beside, images):
    np.save(tmp_path / "own.npy", images.pixels)
    on_disk = {"spec": str(tmp_path / "own.npy"), "resident": "never"}
    asked = with_extra(Experiment.parse({**plan.model_dump(), "data": on_disk}, "plan"), beside)
    with pytest.raises(ConfigurationError, match="must be in memory"):
        prepare(asked)


def test_a_classifier_has_none(beside):
    with pytest.raises(ConfigurationError, match="encoder's images alone"):
        Experiment(kind="classifier", training={"extra": beside})


def test_they_need_no_labels(plan, tmp_path, images):
    path = tmp_path / "unlabelled.npz"
    np.savez(path, images=make_images(20, seed=4).pixels)
    found = prepare(with_extra(plan, str(path)))
    assert isinstance(found.images, ImageSet)
    assert found.images.labels is not None
    assert found.components().extra == 20
