"""Classes of codes: what a linear classifier learns, and which images are labelled next."""

import numpy as np

from latentspace.inference.code_classes import fitted, of_labels, suggested

NAMES = ("left", "right", "up")


def groups(count: int = 60, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Codes around three centres, and the centre of each."""
    centres = np.array([[-3, 0, 0], [3, 0, 0], [0, 3, 9]], dtype=np.float64)
    labels = np.arange(count) % 3
    return centres[labels] + np.random.default_rng(0).normal(0, spread, (count, 3)), labels


def test_the_classes_of_separate_groups_are_told():
    codes, labels = groups()
    given = np.where(np.arange(len(codes)) < 30, labels, -1)
    found = fitted(codes, given, NAMES)
    assert found.images == 30
    assert found.accuracy == 1.0
    chances = found.probabilities(codes)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    assert (chances.argmax(axis=1) == labels).all()


def test_two_classes_are_told_as_many_are():
    codes, labels = groups()
    found = fitted(codes, np.where(labels == 2, -1, labels), NAMES)
    assert found.names == ("left", "right")
    assert (found.probabilities(codes[labels < 2]).argmax(axis=1) == labels[labels < 2]).all()


def test_one_class_is_nothing_to_learn():
    codes, labels = groups()
    assert fitted(codes, np.zeros_like(labels), NAMES) is None
    assert fitted(codes, np.full_like(labels, -1), NAMES) is None


def test_labels_by_name_may_be_of_images_that_are_not_here():
    codes, _ = groups()
    names = [str(one) for one in range(len(codes))]
    found = of_labels(codes, names, {"0": "a", "3": "a", "1": "b", "gone": "c"})
    assert found.names == ("a", "b")
    assert found.accuracy is None


def test_the_first_suggestions_are_of_every_group():
    codes, labels = groups(600, 0.1)
    found = suggested(codes, np.arange(600), 12, None)
    assert len(set(found.tolist())) == 12
    assert set(labels[found]) == {0, 1, 2}


def test_later_suggestions_are_of_images_that_are_hard_to_tell():
    codes, labels = groups(600, 1.5)
    known = np.where(np.arange(600) < 60, labels, -1)
    classifier = fitted(codes, known, NAMES)
    unlabelled = np.arange(60, 600)
    found = suggested(codes, unlabelled, 10, classifier)
    assert found.min() >= 60
    certain = classifier.probabilities(codes).max(axis=1)
    assert certain[found].mean() < certain[unlabelled].mean() - 0.1


def test_fewer_than_were_asked_for_are_all_suggested():
    codes, _ = groups()
    assert suggested(codes, np.array([3, 5]), 10, None).tolist() == [3, 5]
