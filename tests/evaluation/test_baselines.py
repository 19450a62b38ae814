"""What is measured beside the metrics: noise, baselines, times, likeness; the values are what they say."""

import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from latentspace.core.errors import RunError
from latentspace.evaluation.baselines import (
    NEIGHBOURS,
    BaselineRecord,
    baseline_record,
    by_neighbours,
    head_of,
    inputs_of,
)
from latentspace.evaluation.bce_bounds import bce_of_copy, bce_of_mean
from latentspace.evaluation.cache import kept
from latentspace.evaluation.confusion import Mistake, Pair, confusion, surest_mistakes, worst_pairs
from latentspace.evaluation.denoising import (
    FILTER,
    NOISY,
    DenoisingRecord,
    best_filter,
    denoising_record,
    with_noise,
)
from latentspace.evaluation.frechet import FrechetRecord, Likeness, frechet_distance, frechet_record
from latentspace.evaluation.timing import MethodTimes, machine_of, method_times
from latentspace.inference.trained import TrainedAutoencoder


@pytest.fixture(scope="module")
def noise(small_runs, images) -> DenoisingRecord:
    run = small_runs["dae"]
    return denoising_record(run, images, {"it": TrainedAutoencoder.load(run)}, (0.0, 0.1, 0.5))


def test_without_noise_nothing_is_done_and_nothing_is_lost(noise):
    assert noise.filters[0] == "none"
    assert noise.errors[FILTER][0] == 0
    assert noise.errors[NOISY] == pytest.approx((0, 0.01, 0.25), rel=0.05)


def test_a_filter_is_no_worse_than_the_noise_where_there_is_much(noise):
    assert noise.errors[FILTER][2] < 0.5 * noise.errors[NOISY][2]


def test_the_networks_error_without_noise_is_the_runs_own(noise, small_runs):
    from latentspace.evaluation.evaluate import evaluate

    mse = evaluate(small_runs["dae"]).metrics["mse"]
    assert noise.errors["it"][0] == pytest.approx(mse, rel=1e-5)


def test_the_noise_record_survives_json_and_makes_a_table(noise):
    assert DenoisingRecord.from_json(json.loads(json.dumps(noise.to_json()))) == noise
    columns, rows = noise.table()
    assert columns == ("noise", "it", "PCA, 3 components", FILTER, NOISY, "filter")
    assert [row[0] for row in rows] == ["0", "0.1", "0.5"]


def test_noise_is_drawn_by_seed_and_number():
    images = np.zeros((2, 1, 8, 8), dtype=np.float32)
    assert np.array_equal(with_noise(images, 0.3, 1, 2), with_noise(images, 0.3, 1, 2))
    assert not np.array_equal(with_noise(images, 0.3, 1, 2), with_noise(images, 0.3, 1, 3))


def test_flat_images_are_best_smoothed_most():
    clean = np.full((20, 1, 16, 16), 0.5, dtype=np.float32)
    assert best_filter(with_noise(clean, 0.2, 0, 0), clean, 0.2) in {"Gaussian, 1.5 pixels", "Wiener, 7x7"}


def test_the_confusion_matrix_counts_by_row_and_column():
    labels = np.array([0, 0, 1, 2])
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 1, 0], [0.6, 0, 0.4]])
    found = confusion(labels, probabilities, ("A", "B", "C"))
    assert found.counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert found.recall.tolist() == [0.5, 1, 0]
    mistakes = surest_mistakes(labels, probabilities)
    assert mistakes.places.tolist() == [1, 3]
    assert mistakes.taken_for.tolist() == [1, 0]
    assert mistakes.probabilities.tolist() == [0.8, 0.6]
    assert mistakes.of == 2
    assert mistakes.named(("A", "B", "C")) == (Mistake("A", "B", 0.8), Mistake("C", "A", 0.6))
    assert worst_pairs(found, most=1) == (Pair("A", "B", 1, 0.5),)
    assert worst_pairs(found) == (Pair("A", "B", 1, 0.5), Pair("C", "A", 1, 1.0))
    assert worst_pairs(confusion(labels, np.eye(3)[labels], ("A", "B", "C"))) == ()


def test_the_baselines_are_learned_from_training_images_and_evaluated_on_test_images(small_runs, images):
    record = baseline_record(small_runs["classifier"], images, counts=(9,), draws=2)
    names = ["the encoder's 3 codes", "3 principal components", "256 raw pixels"]
    assert list(record.heads) == list(record.neighbours) == names
    assert [one.labels for one in record.fewer] == [9, 72]
    assert all(len(row) == 2 for row in record.fewer[0].accuracies.values())
    assert record.chance == pytest.approx(8 / 24)
    assert record.neighbours["256 raw pixels"] > 0.9
    assert record.heads["256 raw pixels"] > record.chance
    assert BaselineRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
    test = set(small_runs["classifier"].split.test.tolist())
    assert all(round(value * len(test), 6).is_integer() for value in record.heads.values())


def test_one_search_for_neighbours_gives_what_scikit_learn_gives_for_each_k(images):
    inputs = images.pixels.reshape(len(images), -1).astype(np.float32)
    labels = np.random.default_rng(2).permutation(images.labels)  # so that each k gives other answers
    known, asked = np.arange(0, 90), np.arange(90, 120)
    answers = by_neighbours(inputs, labels, known, asked, NEIGHBOURS)
    for k in NEIGHBOURS:
        rule = KNeighborsClassifier(n_neighbors=k).fit(inputs[known], labels[known])
        assert answers[k].tolist() == rule.predict(inputs[asked]).tolist()
    assert len({tuple(one.tolist()) for one in answers.values()}) > 1


def test_a_head_trained_on_the_codes_again_is_the_runs_own(small_runs, images):
    run = small_runs["classifier"]
    codes = TrainedAutoencoder.load(small_runs["ae"]).encode(images)
    train = run.split.train
    plan = run.experiment
    steps = plan.training.epochs * -(-len(train) // plan.training.batch_size)
    assert images.labels is not None
    head = head_of(plan, codes[train], images.labels[train], 3, steps)
    for name, weights in head.state_dict().items():
        assert np.allclose(weights.numpy(), run.weights[name].numpy(), atol=1e-6)


def test_pca_is_fitted_to_what_is_learned_from(images):
    codes = np.zeros((len(images), 2), dtype=np.float32)
    learned = np.arange(60)
    inputs = inputs_of(codes, images.pixels, learned)["2 principal components"]
    assert inputs[learned].mean(axis=0) == pytest.approx(0, abs=1e-4)


def test_times_add_up(small_runs, images):
    where = machine_of(small_runs["classifier"].experiment)
    times = method_times(small_runs["classifier"], images, "cpu", where, timed=1)
    assert times.epochs == small_runs["classifier"].experiment.training.epochs
    assert times.measured_ratio == pytest.approx(times.frozen_epoch / (times.encoding + times.codes_epoch))
    assert MethodTimes.from_json(json.loads(json.dumps(times.to_json()))) == times
    assert "cpu" in times.where
    with pytest.raises(RunError, match="of a classifier"):
        method_times(small_runs["ae"], images, "cpu", where, timed=1)


def test_the_frechet_distance_of_gaussians_in_one_dimension():
    draw = np.random.default_rng(0)
    one, other = draw.normal(0, 1, (200_000, 1)), draw.normal(3, 2, (200_000, 1))
    assert frechet_distance(one, other) == pytest.approx(3**2 + (2 - 1) ** 2, rel=0.02)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)


def test_likeness_is_least_for_the_images_themselves(images):
    real = (images.pixels / 255).astype(np.float32)
    likeness = Likeness(real)
    assert likeness.distance(real) == pytest.approx(0, abs=1e-3)
    blurred = np.broadcast_to(real.mean(axis=0), real.shape).astype(np.float32)
    assert likeness.distance(blurred) == pytest.approx(real.var(axis=0).sum(), rel=0.1)


def test_samples_are_compared_with_as_many_training_images(images):
    real = (images.pixels / 255).astype(np.float32)
    record = frechet_record(np.zeros_like(real[40:]), real[40:], real[:40])
    assert (record.count, record.test_images, record.components) == (80, 40, 40)
    assert record.training == pytest.approx(Likeness(real[:40]).distance(real[40:]))
    assert record.decoded > record.training > 0
    assert FrechetRecord.from_json(record.to_json()) == record
    with pytest.raises(ValueError, match="10 decoded images cannot be compared with 80"):
        frechet_record(np.zeros_like(real[:10]), real[40:], real[:40])


def mean_for(learned_from: np.ndarray, evaluated: np.ndarray) -> float:
    places = np.arange(len(learned_from) + len(evaluated))
    return bce_of_mean(np.concatenate([learned_from, evaluated]), *np.split(places, [len(learned_from)]))


def test_cross_entropy_lies_between_a_copy_and_the_mean():
    pixels = np.array([0, 255, 128], dtype=np.uint8).reshape(1, 1, 1, 3)
    half = 128 / 255
    assert bce_of_copy(pixels, np.arange(1)) == pytest.approx(
        -half * np.log(half) - (1 - half) * np.log(1 - half), rel=1e-4
    )
    two = np.array([[0], [255]], dtype=np.uint8).reshape(2, 1, 1, 1)
    assert bce_of_mean(two, np.arange(2), np.arange(2)) == pytest.approx(np.log(2), rel=1e-4)


def test_the_mean_image_is_bernoullis_by_hand_and_finite_where_it_is_black_or_white():
    draw = np.random.default_rng(0)
    learned, evaluated = (draw.integers(0, 256, (count, 1, 4, 4), dtype=np.uint8) for count in (50, 30))
    mean, given = (one.reshape(len(one), -1) / 255 for one in (learned, evaluated))
    by_hand = -(given * np.log(mean.mean(0)) + (1 - given) * np.log(1 - mean.mean(0))).sum(1).mean()
    assert mean_for(learned, evaluated) == pytest.approx(by_hand, rel=1e-12)
    blank = np.zeros_like(learned)
    assert mean_for(blank, blank[:30]) == pytest.approx(16 * 0.5 / 255 / 50, rel=1e-3)
    surprised = 16 * np.log(255 * 50 / 0.5)  # 162 nats; 1,600 where the logarithm is cut off at -100
    assert mean_for(blank, 255 - blank[:30]) == pytest.approx(surprised, rel=1e-6)
    assert mean_for(255 - blank, blank[:30]) == pytest.approx(surprised, rel=1e-6)


def frechet(count: int, test_images: int) -> FrechetRecord:
    return FrechetRecord(decoded=1.0, training=2.0, count=count, test_images=test_images, components=5)


def counted(calls: list[int]) -> Callable[..., FrechetRecord]:
    def measure(evaluated: int = 3, levels: tuple[float, ...] = (0.0, 0.5)) -> FrechetRecord:
        calls.append(evaluated)
        return frechet(evaluated, len(levels))

    return measure


def test_what_was_measured_is_measured_once(small_runs):
    calls: list[int] = []
    run = small_runs["ae-code-2"]
    first = kept(run, "once", FrechetRecord, counted(calls))
    assert kept(run, "once", FrechetRecord, counted(calls)) == first == frechet(3, 2)
    assert calls == [3]


def test_with_other_arguments_or_another_version_it_is_measured_anew(small_runs, monkeypatch):
    calls: list[int] = []
    run = small_runs["ae-code-2"]
    kept(run, "anew", FrechetRecord, counted(calls))
    assert kept(run, "anew", FrechetRecord, partial(counted(calls), evaluated=4)).count == 4
    assert (
        kept(run, "anew", FrechetRecord, partial(counted(calls), evaluated=4, levels=(1.0,))).test_images == 1
    )
    assert calls == [3, 4, 4]
    monkeypatch.setattr(FrechetRecord, "VERSION", FrechetRecord.VERSION + 1)
    kept(run, "anew", FrechetRecord, partial(counted(calls), evaluated=4, levels=(1.0,)))
    assert len(calls) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"measured": None},  # as files were before they said how they came about
        {"measured": ["?"]},
        {"decoded": "near"},
        {"decoded": None},
    ],
)
def test_a_record_that_does_not_say_how_it_was_made_or_is_damaged_is_measured_anew(small_runs, change):
    calls: list[int] = []
    run = small_runs["ae-code-2"]
    first = kept(run, "damaged", FrechetRecord, counted([]))
    run.save_result("damaged", {**run.results()["damaged"], **change})
    assert kept(run, "damaged", FrechetRecord, counted(calls)) == first
    assert kept(run, "damaged", FrechetRecord, counted(calls)) == first
    (run.path / "results" / "damaged.json").write_text("{x}")
    assert kept(run, "damaged", FrechetRecord, counted(calls)) == first
    assert calls == [3, 3]
