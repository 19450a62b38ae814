import numpy as np
import pytest

import latentspace
from latentspace.core.environment import has_native_bf16
from latentspace.core.errors import ConfigurationError, DataError
from latentspace.inference.sampling import around_codes
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.training.train import train
from materials import make_images


@pytest.fixture(scope="module")
def trained(plan, tmp_path_factory) -> TrainedAutoencoder:
    path = tmp_path_factory.mktemp("runs") / "run"
    train(plan, path)
    return latentspace.load(path)


def test_batched_or_one_by_one_gives_the_same_codes(trained, images):
    together = trained.encode(images)
    alone = np.concatenate(
        [trained.encode(images.pixels[number : number + 1]) for number in range(len(images))]
    )
    assert together.shape == (120, 3)
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)


def test_bfloat16_codes_are_close_to_float32(trained, images):
    exact, fast = trained.encode(images), trained.encode(images, precision="bf16")
    assert fast.dtype == np.float32
    apart = np.linalg.norm(fast - exact) / np.linalg.norm(exact)
    assert 0 < apart < 0.02
    chosen = trained.encode(images, precision="auto")
    assert np.array_equal(chosen, fast if has_native_bf16("cpu") else exact)


def test_an_unknown_precision_is_refused(trained, images):
    with pytest.raises(ConfigurationError, match="auto, 32, bf16"):
        trained.encode(images, precision="16")


def test_chosen_images_are_encoded_in_their_order(trained, images):
    every = trained.encode(images)
    np.testing.assert_allclose(trained.encode(images, chosen=[3, 1, 3]), every[[3, 1, 3]], atol=1e-6)
    assert trained.encode(images, chosen=[]).shape == (0, 3)
    for wrong in ([0.5], [-1], [len(images)], np.arange(len(images)) < 3, [[1]]):
        with pytest.raises(DataError, match="chosen by their numbers"):
            trained.encode(images, chosen=wrong)
    with pytest.raises(DataError, match="must be an image in what was given"):
        trained.encode(images.pixels[:0])


def test_more_images_than_a_batch(trained):
    many = make_images(1100)
    np.testing.assert_allclose(
        trained.encode(many)[1050:], trained.encode(many.pixels[1050:]), rtol=1e-4, atol=1e-6
    )


def test_reconstruct_is_decode_of_encode(trained, images):
    assert np.array_equal(trained.reconstruct(images), trained.decode(trained.encode(images)))


def test_grey_images_may_leave_the_channels_out(trained, images):
    assert np.array_equal(trained.encode(images.pixels[:, 0]), trained.encode(images))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 1, 16, 17), np.uint8),
        np.arange(3, dtype=np.uint8).reshape(1, 3, 1, 1).repeat(16, axis=2).repeat(16, axis=3),
        np.full((2, 1, 16, 16), 300),
        np.zeros((0, 1, 16, 16), np.uint8),
    ],
    ids=["size", "channels", "type", "none"],
)
def test_images_unlike_the_runs_are_refused(trained, wrong):
    with pytest.raises(
        Exception, match=r"(as the run's: 1x16x16|type|int64 from 300|of shape \(0, 1, 16, 16\))"
    ):
        trained.encode(wrong)


@pytest.mark.parametrize("shape", [(2, 4), (3,), (0, 3)])
def test_codes_of_another_size_are_refused(trained, shape):
    with pytest.raises(Exception, match=r"(images x 3|type)"):
        trained.decode(np.zeros(shape, np.float32))


@pytest.mark.parametrize("value", [np.nan, -np.inf, 1e30, -1e300])
def test_codes_that_no_network_has_are_refused(trained, value):
    with pytest.raises(DataError, match=r"finite numbers|numbers in -1e\+09\.\.1e\+09"):
        trained.decode(np.full((2, 3), value))
    assert np.isfinite(trained.decode(np.full((2, 3), 1e9))).all()


def test_random_codes_follow_the_stated_distribution():
    codes = (np.random.default_rng(0).standard_normal((4000, 2)) * [3, 0.5] + [10, -1]).astype(np.float32)
    drawn = around_codes(codes, 4000, seed=1)
    assert drawn.codes.mean(axis=0) == pytest.approx([10, -1], abs=0.2)
    assert drawn.codes.std(axis=0) == pytest.approx([3, 0.5], rel=0.1)
    assert "mean and standard deviation" in drawn.distribution
    assert np.array_equal(around_codes(codes, 5, 1).codes, around_codes(codes, 5, 1).codes)


def test_a_run_that_has_not_ended_cannot_be_loaded(plan, tmp_path):
    from latentspace.training.train import start

    start(plan, tmp_path / "run")
    with pytest.raises(latentspace.LatentspaceError, match="must have ended"):
        latentspace.load(tmp_path / "run")


def test_data_error_is_exported_through_its_root():
    assert issubclass(DataError, latentspace.LatentspaceError)


def test_arrays_that_cannot_be_written_to_are_taken_as_well(trained, images):
    """Pillow gives such arrays; torch would warn of them."""
    pixels, codes = images.pixels.copy(), trained.encode(images)
    pixels.flags.writeable = codes.flags.writeable = False
    assert np.array_equal(trained.encode(pixels), codes)
    assert np.array_equal(trained.decode(codes), trained.reconstruct(images))
