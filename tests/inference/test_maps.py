"""Maps of codes: exact by PCA, and for other methods by the rule that their module states."""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from latentspace.core.errors import ConfigurationError, DataError
from latentspace.inference import maps
from latentspace.inference.maps import project


def clusters(count=60, size=5, seed=0):
    """Codes of three groups, count images in all, one after the other in turns."""
    draw = np.random.default_rng(seed)
    middles = np.eye(3, size) * 10
    return (middles[np.arange(count) % 3] + draw.standard_normal((count, size))).astype(np.float32)


def test_pca_is_exact_both_ways():
    codes = clusters()
    made = project(codes)
    centred = codes - codes.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    np.testing.assert_allclose(np.abs(made.points), np.abs(centred @ axes.T), atol=1e-4)
    new = clusters(7, seed=1)
    np.testing.assert_allclose(made.place(new[:3]), made.place(new)[:3], atol=1e-6)
    np.testing.assert_allclose(made.place(codes), made.points, atol=1e-6)
    corners = np.array([[0.0, 0.0], [3.0, -2.0]], dtype=np.float32)
    np.testing.assert_allclose(made.codes_at(corners)[0], codes.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(made.place(made.codes_at(corners)), corners, atol=1e-5)


def test_the_variance_that_is_shown_is_stated():
    draw = np.random.default_rng(0)
    codes = (draw.standard_normal((500, 3)) * [5, 2, 1]).astype(np.float32)
    assert project(codes).explained == pytest.approx((25 / 30, 4 / 30), abs=0.05)
    line = project(codes[:, :1])
    assert line.explained == (1.0, 0.0)
    assert (line.points[:, 1] == 0).all()
    np.testing.assert_allclose(line.codes_at(line.points), codes[:, :1], atol=1e-5)
    np.testing.assert_array_equal(line.points[:, 0], codes[:, 0])


@pytest.mark.parametrize("codes", [np.ones((1, 3), np.float32), np.full((4, 3), 2, np.float32)])
def test_codes_that_do_not_differ_stand_at_one_place(codes):
    made = project(codes)
    assert (made.points == 0).all()
    np.testing.assert_array_equal(made.codes_at(made.points), codes)


def test_tsne_of_many_places_some_first_and_keeps_groups_together(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(maps, "FIRST", 60)
    points = project(clusters(150), "tsne", seed=3).points
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) % 3 == np.arange(150) % 3).all()


def test_tsne_keeps_groups_together_and_is_the_same_again():
    codes = clusters()
    made = project(codes, "tsne", seed=3)
    assert np.array_equal(made.points, project(codes, "tsne", seed=3).points)
    assert made.explained is None
    gaps = np.linalg.norm(made.points[:, None] - made.points[None], axis=2) + np.eye(60) * 1e9
    assert (gaps.argmin(axis=1) % 3 == np.arange(60) % 3).all()


def test_a_new_code_stands_between_the_nearest_and_a_place_decodes_to_the_codes_around_it():
    codes = clusters()
    made = project(codes, "tsne")
    np.testing.assert_allclose(made.place(codes[4:9]), made.points[4:9], atol=1e-3)
    np.testing.assert_allclose(made.codes_at(made.points[4:9]), codes[4:9], atol=1e-3)
    new = clusters(9, seed=5)
    gaps = np.linalg.norm(codes[None] - new[:, None], axis=2)
    near = np.argsort(gaps, axis=1)[:, : maps.NEAREST]
    weights = 1 / np.take_along_axis(gaps, near, 1)
    expected = (made.points[near] * weights[..., None]).sum(1) / weights.sum(1)[:, None]
    np.testing.assert_allclose(made.place(new), expected, rtol=1e-3, atol=1e-3)


def test_of_many_codes_some_make_the_map_and_the_others_are_placed_on_it(monkeypatch):
    monkeypatch.setattr(maps, "MOST", 30)
    codes = clusters()
    made = project(codes, "tsne", seed=1)
    assert made.points.shape == (60, 2)
    gaps = np.linalg.norm(made.points[:, None] - made.points[None], axis=2) + np.eye(60) * 1e9
    assert (gaps.argmin(axis=1) % 3 == np.arange(60) % 3).mean() > 0.9


def test_a_code_of_one_number_has_a_map_too():
    assert project(clusters(20)[:, :1], "tsne").points.shape == (20, 2)


SEEDED = """
import sys, warnings
warnings.simplefilter("error")
import numpy as np
from latentspace.inference.maps import project
codes = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)
for method in sys.argv[1:]:
    one, other = (project(codes, method, seed=2).points for _ in range(2))
    assert one.shape == (9, 2) and np.array_equal(one, other) and np.ptp(one, axis=0).all(), method
"""


def test_maps_by_the_extras_are_the_same_again_and_nothing_warns():
    """Uncompiled, which is quicker for a few images."""
    methods = [one for one in ("umap", "pacmap") if find_spec(one) is not None]
    if not methods:
        pytest.skip("neither of the extras umap and pacmap is installed")
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SEEDED, *methods], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("method", ["umap", "pacmap"])
def test_a_library_that_is_missing_is_named(method, monkeypatch):
    monkeypatch.setattr("latentspace.core.extras.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=rf"pip install 'latentspace\[{method}\]'"):
        project(clusters(), method)


def test_what_is_no_map_is_refused():
    with pytest.raises(ConfigurationError, match="pca, tsne, umap, pacmap"):
        project(clusters(), "isomap")
    with pytest.raises(DataError, match="at least 8 images"):
        project(clusters(5), "tsne")
    with pytest.raises(DataError, match="all of them finite"):
        project(np.full((9, 2), np.nan, np.float32))
    with pytest.raises(DataError, match="as long as those of the map"):
        project(clusters()).place(clusters(4, size=6))
    for value in (np.nan, 1e30):
        with pytest.raises(DataError, match="codes must be"):
            project(clusters()).place(np.full((2, 5), value))
        with pytest.raises(DataError, match="places must be"):
            project(clusters()).codes_at(np.full((2, 2), value))
    with pytest.raises(DataError, match="points x 2"):
        project(clusters()).codes_at(clusters())
