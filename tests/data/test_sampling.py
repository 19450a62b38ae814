"""Samples: of the part alone, seeded, and spread over the classes however the images lie."""

import numpy as np
import pytest

from latentspace.data.sampling import balanced_sample, stratified_sample

BY_CLASS = np.repeat([0, 1, 2], [700, 200, 100])
PART = np.arange(0, 1000, 2)
SAMPLERS = (balanced_sample, stratified_sample)


def draw(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def counts(chosen: np.ndarray) -> list[int]:
    return np.bincount(BY_CLASS[chosen], minlength=3).tolist()


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("labels", [BY_CLASS, None])
def test_a_sample_is_of_the_part_seeded_and_without_an_image_twice(sampler, labels):
    chosen = sampler(PART, 60, labels, draw())
    assert len(set(chosen.tolist())) == 60
    assert set(chosen.tolist()) <= set(PART.tolist())
    assert chosen.tolist() == sampler(PART, 60, labels, draw()).tolist()
    assert chosen.tolist() != sampler(PART, 60, labels, draw(1)).tolist()
    assert sorted(sampler(PART, 5000, labels, draw()).tolist()) == PART.tolist()


@pytest.mark.parametrize("count", [10, 100, 250])
def test_a_stratified_sample_has_each_class_in_proportion_and_ascends(count):
    chosen = stratified_sample(PART, count, BY_CLASS, draw())
    assert counts(chosen) == [count * 7 // 10, count * 2 // 10, count // 10]
    assert (np.diff(chosen) > 0).all()


def test_in_a_balanced_sample_the_classes_take_turns():
    chosen = balanced_sample(PART, 9, BY_CLASS, draw())
    assert BY_CLASS[chosen].tolist() == [0, 1, 2] * 3


def test_a_class_that_runs_out_leaves_its_turns_to_the_others():
    chosen = balanced_sample(np.arange(695, 1000), 205, BY_CLASS, draw())
    assert counts(chosen) == [5, 100, 100]
    labels = np.array([0] * 10 + [7])
    assert labels[balanced_sample(np.arange(11), 5, labels, draw())].tolist() == [0, 7, 0, 0, 0]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_within_a_class_each_image_is_as_likely(sampler):
    drawn = [sampler(PART, 50, BY_CLASS, draw(seed)) for seed in range(400)]
    first = np.concatenate([one[BY_CLASS[one] == 0] for one in drawn])
    early = (first < 350).mean()
    assert early == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sample_of_nothing_is_empty(sampler):
    assert len(sampler(np.arange(0), 5, BY_CLASS, draw())) == 0
    assert len(sampler(PART, 0, BY_CLASS, draw())) == 0
