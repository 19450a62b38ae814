"""Images far from all others of their class."""

import numpy as np

from latentspace.evaluation.doctor.outliers import FENCE, beyond, distances


def test_an_image_among_those_of_another_class_is_far_from_its_own():
    draw = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 60, 6])
    codes = (draw.normal(size=(126, 4)) + 20 * labels[:, None]).astype(np.float32)
    codes[0] = codes[60:120].mean(axis=0)  # its label says 0, it lies in the midst of class 1
    distance = distances(codes)
    assert np.flatnonzero(beyond(distance, codes, labels) > 3 * FENCE)[0] == 0
    assert beyond(distance, codes, None)[0] < FENCE, "it is near to some"
    few = beyond(distance, codes, labels)[labels == 2]
    np.testing.assert_array_equal(few, beyond(distance, codes, None)[labels == 2])


def test_equaldistances_are_no_reason():
    assert beyond(np.ones(50, np.float32), np.ones((50, 2), np.float32), None).max() <= FENCE
