"""New codes: what they are drawn from, how a grid lies, where a path runs."""

import shutil
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from PIL import Image

from latentspace.core.errors import ConfigurationError, DataError, RunError
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.inference.code_paths import linear, spherical, walk
from latentspace.inference.sampling import (
    CodeDistribution,
    around_codes,
    distribution_of,
    draw,
    fitted,
    grid,
    images_named,
    prior,
)
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.runs.directory import Run
from studies import trained

SKEWED = CodeDistribution(
    np.array([1.0, -2.0, 5.0, 0.0], np.float32), np.array([0.5, 3.0, 0.1, 1.0], np.float32), "a test"
)


def test_codes_drawn_from_the_prior_are_standard_normal():
    codes = draw(prior(3), 50_000, seed=0).codes
    assert codes.dtype == np.float32
    assert codes.mean(axis=0) == pytest.approx([0, 0, 0], abs=0.02)
    assert np.cov(codes, rowvar=False) == pytest.approx(np.eye(3), abs=0.03)
    assert (np.abs(codes) < 1).mean() == pytest.approx(0.6827, abs=0.005)


def test_codes_drawn_follow_the_distribution_and_say_so():
    drawn = draw(SKEWED, 50_000, seed=0)
    assert drawn.codes.mean(axis=0) == pytest.approx(SKEWED.mean, abs=0.05)
    assert drawn.codes.std(axis=0) == pytest.approx(SKEWED.std, rel=0.02)
    assert drawn.distribution == "a test"


def test_a_seed_gives_its_codes_and_few_are_the_first_of_many():
    assert np.array_equal(draw(prior(3), 5, seed=1).codes, draw(prior(3), 9, seed=1).codes[:5])
    assert not np.array_equal(draw(prior(3), 5, seed=1).codes, draw(prior(3), 5, seed=2).codes)


def test_what_is_fitted_has_the_codes_mean_and_spread_in_each_dimension():
    codes = (np.random.default_rng(0).standard_normal((500, 2)) * [3, 0.5] + [10, -1]).astype(np.float32)
    distribution = fitted(codes)
    assert distribution.mean == pytest.approx(codes.mean(axis=0))
    assert distribution.std == pytest.approx(codes.std(axis=0))
    assert np.array_equal(around_codes(codes, 4, 7).codes, draw(distribution, 4, 7).codes)


class TestGrid:
    def test_two_dimensions_vary_and_the_others_stay(self):
        plane = grid(SKEWED, (2, 0), side=5)
        assert plane.codes.shape == (25, 4)
        assert (plane.codes[:, 1] == -2).all()
        assert (plane.codes[:, 3] == 0).all()
        table = plane.codes.reshape(5, 5, 4)
        assert np.array_equal(table[:, :, 2], np.tile(np.float32(plane.across), (5, 1)))
        assert np.array_equal(table[:, :, 0], np.tile(np.float32(plane.down)[:, None], (1, 5)))
        assert list(plane.across) == sorted(plane.across)
        assert list(plane.down) == sorted(plane.down, reverse=True), "values grow upwards, as on an axis"
        assert plane.dimensions == (2, 0)
        assert "dimensions 2 and 0 vary, in quantiles" in plane.words

    def test_quantiles_share_the_distribution_out_evenly(self):
        plane = grid(SKEWED, (1, 2), side=4)
        shares = [NormalDist(-2, 3).cdf(value) for value in plane.across]
        assert shares == pytest.approx([1 / 8, 3 / 8, 5 / 8, 7 / 8])
        shares = [NormalDist(5, 0.1).cdf(value) for value in plane.down]
        assert shares == pytest.approx([7 / 8, 5 / 8, 3 / 8, 1 / 8], abs=1e-5)

    def test_a_range_is_walked_in_equal_steps(self):
        plane = grid(prior(2), (0, 1), side=5, span=(-1.0, 3.0))
        assert plane.across == (-1, 0, 1, 2, 3)
        assert plane.down == (3, 2, 1, 0, -1)
        assert "equal steps" in plane.words

    @pytest.mark.parametrize("dimensions", [(0, 4), (-1, 2), (1, 1)])
    def test_dimensions_that_are_not_there_are_refused(self, dimensions):
        with pytest.raises(ConfigurationError, match=r"must differ, and lie in 0\.\.3"):
            grid(SKEWED, dimensions, side=3)

    def test_codes_of_one_dimension_have_no_plane(self):
        with pytest.raises(ConfigurationError) as caught:
            grid(prior(1), side=3)
        assert "--what walk" in caught.value.do

    def test_a_range_far_from_all_codes_is_warned_of(self):
        codes = fitted(np.array([[1, 10], [3, 50]], np.float32))  # means 2 and 30, deviations 1 and 20
        assert grid(codes, span=(-150.0, 150.0)).warning == ""
        warning = grid(codes, span=(-199.0, 0.0)).warning
        assert "dimension 0 has mean 2 and standard deviation 1;" in warning
        assert "--range=-1,5" in warning

    @pytest.mark.parametrize(
        "span",
        [(2.0, 2.0), (1.0, -1.0), (0.0, float("inf")), (float("nan"), 1.0), (0.0, 1e30), (-1e38, 1e38)],
    )
    def test_a_range_without_extent_is_refused(self, span):
        with pytest.raises(ConfigurationError, match="two finite numbers"):
            grid(prior(2), span=span)

    def test_no_image_is_no_grid(self):
        with pytest.raises(ConfigurationError, match="at least one image a side"):
            grid(prior(2), side=0)


A, B = np.array([3.0, 0.0, 4.0], np.float32), np.array([0.0, 5.0, 0.0], np.float32)


class TestPaths:
    @pytest.mark.parametrize("path", [linear, spherical])
    def test_it_begins_at_one_and_ends_at_the_other(self, path):
        codes = path(A, B, 7)
        assert codes.shape == (7, 3)
        assert codes.dtype == np.float32
        np.testing.assert_allclose(codes[[0, -1]], [A, B], atol=1e-6)

    def test_a_line_is_straight_and_even(self):
        np.testing.assert_allclose(np.diff(linear(A, B, 6), axis=0), np.tile((B - A) / 5, (5, 1)), atol=1e-6)

    def test_a_great_circle_keeps_its_distance_from_0_and_turns_evenly(self):
        codes = spherical(A, B, 9)
        np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 5, rtol=1e-6)
        cosines = (codes[1:] * codes[:-1]).sum(axis=1) / 25
        np.testing.assert_allclose(np.arccos(cosines), np.pi / 2 / 8, rtol=1e-5)
        assert np.linalg.norm(linear(A, B, 9), axis=1).min() < 3.6, "the straight one passes nearer"

    def test_codes_in_one_direction_are_joined_by_a_line(self):
        np.testing.assert_allclose(spherical(A, 2 * A, 5), linear(A, 2 * A, 5), rtol=1e-6)

    @pytest.mark.parametrize("end", [-A, 0 * A], ids=["opposite", "0"])
    def test_where_no_one_circle_leads_it_says_so(self, end):
        with pytest.raises(ConfigurationError) as caught:
            spherical(A, end, 5)
        assert caught.value.do == "take a straight one"

    @pytest.mark.parametrize("path", [linear, spherical])
    def test_one_frame_is_no_path(self, path):
        with pytest.raises(ConfigurationError, match="at least two frames"):
            path(A, B, 1)


class TestWalk:
    def test_each_frame_follows_the_distribution(self):
        """Over many seeds, any frame of the walk is an independent draw."""
        frames = np.stack([walk(SKEWED, 8, seed).codes for seed in range(3000)])
        for number in range(8):
            assert frames[:, number].mean(axis=0) == pytest.approx(SKEWED.mean, abs=0.2)
            assert frames[:, number].std(axis=0) == pytest.approx(SKEWED.std, rel=0.06)

    def test_it_is_smooth_and_comes_back(self):
        codes = walk(prior(10), 120, seed=0).codes
        steps = np.linalg.norm(codes - np.roll(codes, 1, axis=0), axis=1)
        assert steps.max() < 0.25 * np.sqrt(20), "far less than from one random code to another"
        assert steps[0] < 2 * np.median(steps), "from the last frame to the first as anywhere"
        assert steps.min() > 0

    def test_a_seed_gives_its_walk(self):
        assert np.array_equal(walk(SKEWED, 9, 1).codes, walk(SKEWED, 9, 1).codes)
        assert not np.array_equal(walk(SKEWED, 9, 1).codes, walk(SKEWED, 9, 2).codes)

    def test_one_frame_is_no_walk(self):
        with pytest.raises(ConfigurationError, match="at least two frames"):
            walk(prior(2), 1, seed=0)


@pytest.fixture(scope="module")
def place(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("generation")
    shutil.copy(archive, place / "bars.npz")
    for kind in ("ae", "vae"):
        trained(kind, place / "bars.npz", place / kind, {"training": {"epochs": 1}})
    return place


def test_a_plain_autoencoder_draws_around_its_training_codes(place, images):
    run = Run.open(place / "ae")
    loaded = TrainedAutoencoder.load(run)
    found = distribution_of(run, loaded)
    codes = loaded.encode(images.pixels[run.split.train])
    assert np.array_equal(found.mean, fitted(codes).mean)
    assert not np.array_equal(found.mean, fitted(loaded.encode(images)).mean)
    assert "mean and standard deviation" in found.words


def test_a_variational_one_draws_from_its_prior_without_its_data(place, tmp_path):
    run = Run.open(shutil.copytree(place / "vae", tmp_path / "vae"))
    nowhere = DataConfig(spec=str(tmp_path / "nowhere"))
    found = distribution_of(run, TrainedAutoencoder.load(run), nowhere)
    assert (found.mean == 0).all()
    assert (found.std == 1).all()
    assert found.words == "the prior N(0, I)"


def test_a_plain_autoencoder_needs_its_own_images(place, images, tmp_path):
    run = Run.open(place / "ae")
    loaded = TrainedAutoencoder.load(run)
    np.save(tmp_path / "others.npy", images.pixels[:9])
    with pytest.raises(ConfigurationError, match="itself are needed here"):
        distribution_of(run, loaded, DataConfig(spec=str(tmp_path / "others.npy")))
    (place / "bars.npz").rename(place / "moved.npz")
    (place / "ae" / "density.safetensors").unlink(missing_ok=True)
    try:
        with pytest.raises(RunError, match="where they were"):
            distribution_of(run, loaded)
        moved = distribution_of(run, loaded, DataConfig(spec=str(place / "moved.npz")))
        assert np.isfinite(moved.mean).all()
        assert np.array_equal(distribution_of(run, loaded).mean, moved.mean)  # it is kept
    finally:
        (place / "moved.npz").rename(place / "bars.npz")


class TestImagesNamed:
    def test_by_their_place_in_the_test_part(self, place, images):
        run = Run.open(place / "vae")
        found = images_named(run, ("3", "0"))
        assert np.array_equal(found, images.pixels[run.split.test[[3, 0]]])

    def test_by_their_path_without_the_data(self, place, images: ImageSet, tmp_path):
        Image.fromarray(images.pixels[5, 0]).save(tmp_path / "five.png")
        Image.fromarray(images.pixels[6, 0]).resize((40, 40), Image.Resampling.NEAREST).save(
            tmp_path / "6.bmp"
        )
        run = Run.open(place / "vae")
        found = images_named(
            run,
            (str(tmp_path / "five.png"), str(tmp_path / "6.bmp")),
            DataConfig(spec=str(tmp_path / "nowhere")),
            resize=(16, 16),
        )
        assert np.array_equal(found[0], images.pixels[5])
        assert np.abs(found[1].astype(int) - images.pixels[6]).mean() < 20
        assert images_named(run, (str(tmp_path / "6.bmp"),)).shape == (1, 1, 16, 16)  # brought to its size

    def test_a_place_that_is_not_there(self, place):
        with pytest.raises(ConfigurationError, match=r"lies in 0\.\.23") as caught:
            images_named(Run.open(place / "vae"), ("0", "24"))
        assert caught.value.found == "24"

    def test_a_path_to_many_images(self, place):
        with pytest.raises(DataError, match="lead to one image"):
            images_named(Run.open(place / "vae"), (str(place / "bars.npz"), "0"))
