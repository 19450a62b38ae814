"""Groups of codes: those that are there are found, the largest first, the same again."""

from dataclasses import astuple

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from latentspace.core.errors import DataError
from latentspace.evaluation.clustering import GroupAgreement, agreements
from latentspace.inference import clusters
from latentspace.inference.clusters import find_clusters
from materials import make_images

SIZES = (60, 40, 25)


def codes(seed=0, size=4):
    """Three groups, mixed; and which is which."""
    draw = np.random.default_rng(seed)
    truth = draw.permutation(np.repeat(np.arange(3), SIZES))
    rows = np.eye(3, size)[truth] * 12 + draw.standard_normal((len(truth), size))
    return rows.astype(np.float32), truth


def rings(seed=0):
    """Two rings, one in the other: no two means tell them apart."""
    draw = np.random.default_rng(seed)
    truth = np.arange(240) % 2
    angle = draw.uniform(0, 2 * np.pi, 240)
    radius = 1 + 4 * truth + draw.normal(0, 0.1, 240)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32), truth


@pytest.mark.parametrize("count", [3, None])
def test_groups_that_are_there_are_found(count):
    rows, truth = codes()
    found = find_clusters(rows, count, seed=1)
    assert found.count == 3
    assert astuple(GroupAgreement.of(found.groups, truth)) == pytest.approx((1, 1, 1))
    assert found.sizes.tolist() == sorted(SIZES, reverse=True)
    assert bool(found.silhouettes) == (count is None)
    again = find_clusters(rows, count, seed=1)
    assert np.array_equal(found.groups, again.groups)


def test_a_group_may_have_any_shape():
    rows, truth = rings()
    assert GroupAgreement.of(find_clusters(rows, 2).groups, truth).ari == 1


@pytest.mark.parametrize(
    ("classes", "groups", "count"), [(2, 2, 2), (1, 1, 9), (1, 4, 24), (4, 1, 24), (5, 7, 300)]
)
def test_agreement_is_what_scikit_learn_finds(classes, groups, count):
    draw = np.random.default_rng(0)
    labels, found = draw.integers(-1, classes - 1, count), draw.integers(0, groups, count)
    agreement = GroupAgreement.of(found, labels)
    assert agreement.nmi == pytest.approx(normalized_mutual_info_score(labels, found))
    assert agreement.ari == pytest.approx(adjusted_rand_score(labels, found))


def test_the_most_typical_come_first():
    rows, _ = codes()
    found = find_clusters(rows, 3)
    members = found.members(1)
    mean = rows[members].mean(axis=0)
    gaps = np.linalg.norm(rows[members] - mean, axis=1)
    assert (np.diff(gaps) >= 0).all()
    np.testing.assert_allclose(found.distances[members], gaps, rtol=1e-5)


def test_of_many_codes_some_make_the_groups_and_the_others_join_them(monkeypatch):
    monkeypatch.setattr(clusters, "MOST", 50)
    rows, truth = codes()
    assert GroupAgreement.of(find_clusters(rows, 3).groups, truth).ari == 1


def test_codes_that_are_all_the_same_do_not_stop_it():
    found = find_clusters(np.ones((12, 3), np.float32))
    assert len(found.groups) == 12


def test_agreement_stands_beside_that_of_pixels_and_of_pca():
    """Bars at places of their own are told apart by their pixels."""
    images = make_images(90)
    codes = (np.eye(3, 4)[images.labels] * 10 + np.random.default_rng(0).random((90, 4))).astype(np.float32)
    found = agreements(images, find_clusters(codes, 3), code_size=2)
    assert list(found) == ["codes", "pixels", "pca"]
    assert astuple(found["codes"]) == pytest.approx((1, 1, 1))
    assert found["pixels"].nmi > 0.9
    shuffled = find_clusters(np.random.default_rng(1).permutation(codes), 3)
    assert agreements(images, shuffled, code_size=2)["codes"].nmi < 0.2


@pytest.mark.parametrize(("count", "images"), [(1, 20), (0, 20), (9, 12), (None, 3)])
def test_a_number_of_groups_that_cannot_be_is_refused(count, images):
    with pytest.raises(DataError, match="at least two clusters"):
        find_clusters(np.zeros((images, 2), np.float32), count)


def test_codes_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="must be finite"):
        find_clusters(np.full((9, 2), np.nan, np.float32), 2)
