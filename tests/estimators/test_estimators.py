"""The estimators on images: what scikit-learn's checks, which have rows alone, do not ask."""

import copy
import json
import pickle
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator

from latentspace import (
    ConvAutoencoder,
    DenoisingAutoencoder,
    LatentClassifier,
    LatentspaceError,
    VariationalAutoencoder,
)
from latentspace.core.errors import ConfigurationError, DataError, OutputError, RunError
from latentspace.training.train import train
from materials import make_images

SMALL: dict[str, Any] = {
    "code_size": 3,
    "epochs": 2,
    "batch_size": 30,
    "settings": {"model.width": 2, "model.refine": 0},
    "random_state": 0,
}
KINDS = [ConvAutoencoder, DenoisingAutoencoder, VariationalAutoencoder]
BARS = make_images(60)
GREY = BARS.pixels[:, 0]
COLOUR = make_images(40, channels=3).pixels
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    """The denoiser refines its codes, as all do where nothing else is asked for."""
    refined = {DenoisingAutoencoder: {"settings": {"model.width": 2}}}
    return {
        kind.__name__: kind(**{**SMALL, **refined.get(kind, {})}, density=True).fit(GREY) for kind in KINDS
    }


@pytest.fixture(scope="module")
def colour_codes() -> np.ndarray:
    return ConvAutoencoder(**SMALL).fit_transform(COLOUR)


@pytest.fixture(scope="module")
def classifier() -> LatentClassifier:
    names = np.array(BARS.class_names)[BARS.labels]
    return LatentClassifier(ConvAutoencoder(**SMALL), epochs=3, random_state=0).fit(GREY, names)


@every_kind
def test_images_come_back_as_they_were_given(kind, fitted):
    estimator = fitted[kind.__name__]
    codes = estimator.transform(GREY)
    assert codes.shape == (60, 3)
    assert codes.dtype == np.float32
    assert estimator.n_features_in_ == 256
    decoded = estimator.inverse_transform(codes)
    assert (decoded.shape, decoded.dtype) == (GREY.shape, np.uint8)
    drawn = estimator.sample(4, random_state=1)
    assert (drawn.shape, drawn.dtype) == ((4, 16, 16), np.uint8)
    assert np.array_equal(drawn, estimator.sample(4, random_state=1))
    assert not np.array_equal(drawn, estimator.sample(4, random_state=2))
    assert estimator.score(GREY) == pytest.approx(estimator.score_samples(GREY).mean())


@every_kind
def test_codes_come_as_a_table_of_pandas(kind, fitted):
    pandas = pytest.importorskip("pandas")
    estimator = copy.deepcopy(fitted[kind.__name__])
    codes, names = estimator.transform(GREY), list(estimator.get_feature_names_out())
    estimator.set_output(transform="pandas")
    rows = pandas.DataFrame(GREY.reshape(60, -1), index=[f"letter {number}" for number in range(60)])
    for given, index in ((GREY, list(range(60))), (rows, list(rows.index))):
        table = estimator.transform(given)
        assert isinstance(table, pandas.DataFrame)
        assert list(table.columns) == names
        assert list(table.index) == index
        assert np.array_equal(table.to_numpy(), codes)


@pytest.mark.parametrize("layout", ["channels first", "channels last", "rows"])
def test_the_axes_of_images_do_not_change_what_is_learned(layout: str, colour_codes: np.ndarray):
    given = {
        "channels first": COLOUR,
        "channels last": COLOUR.transpose(0, 2, 3, 1),
        "rows": COLOUR.reshape(40, -1),
    }[layout]
    shape = (3, 16, 16) if layout == "rows" else None
    estimator = ConvAutoencoder(**SMALL, image_shape=shape)
    codes = estimator.fit_transform(given)
    assert estimator.inverse_transform(codes).shape == given.shape
    np.testing.assert_array_equal(codes, colour_codes)


def test_floats_and_bytes_are_the_same_images(fitted):
    estimator = fitted["ConvAutoencoder"]
    floats = GREY.astype(np.float64) / 255
    np.testing.assert_array_equal(estimator.transform(floats), estimator.transform(GREY))
    np.testing.assert_array_equal(estimator.transform(GREY.reshape(60, -1)), estimator.transform(GREY))
    again = ConvAutoencoder(**SMALL).fit(floats)
    decoded = again.inverse_transform(again.transform(floats))
    assert decoded.dtype == np.float64
    assert 0 <= decoded.min() <= decoded.max() <= 1


def test_it_learns_what_the_command_line_learns(plan, images, tmp_path):
    """Of the same plan, images and seed, to the bit: there is one loop."""
    run = train(plan, tmp_path / "run")
    own = images.pixels[run.split.train, 0]
    settings = {"model": plan.model.model_dump(), "precision": "32", "threads": 1}
    estimator = ConvAutoencoder(
        settings=settings, preset="report", epochs=3, batch_size=25, random_state=0
    ).fit(own)
    weights = run.weights
    assert all(weights[name].equal(one) for name, one in estimator.network_.state_dict().items())


def test_images_under_8_pixels_go_through_dense_layers():
    estimator = VariationalAutoencoder(2, epochs=1, random_state=0).fit(GREY[:, :5, :5])
    assert estimator.experiment_.model.name == "dense-variational"
    assert estimator.sample(2).shape == (2, 5, 5)


def test_an_elbo_does_not_depend_on_what_else_is_scored(fitted):
    estimator = fitted["VariationalAutoencoder"]
    alone = np.concatenate([estimator.score_samples(one[None]) for one in GREY[:5]])
    np.testing.assert_allclose(estimator.score_samples(GREY)[:5], alone, rtol=1e-5)


def test_a_denoiser_has_the_noise_that_is_asked_for():
    noisy = {"settings": {"model.width": 2, "objective.noise": "masking", "objective.strength": 0.3}}
    estimator = DenoisingAutoencoder(**{**SMALL, **noisy}).fit(GREY)
    assert estimator.experiment_.objective.noise == "masking"


def test_early_stopping_keeps_the_best_epoch(capsys):
    plain = {"epochs": 25, "settings": {**SMALL["settings"], "training.optimizer": "adam"}}
    estimator = ConvAutoencoder(
        **{**SMALL, **plain}, early_stopping=True, n_iter_no_change=2, learning_rate=0.3, verbose=True
    ).fit(GREY)
    scores = [record["validation"]["mse"] for record in estimator.history_]
    best = int(np.argmin(scores)) + 1
    assert estimator.n_iter_ == len(scores) == best + 2 < 25
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == estimator.n_iter_
    assert lines[0].startswith("epoch 1 of 25: mse ")
    assert "validation mse" in lines[0]


def test_a_density_is_drawn_from_only_where_there_is_one():
    assert not hasattr(ConvAutoencoder(), "sample")
    assert hasattr(ConvAutoencoder(density=True), "sample")
    assert hasattr(VariationalAutoencoder(), "sample")
    estimator = ConvAutoencoder(**SMALL, density=True).fit(GREY)
    estimator.set_params(density=False).fit(GREY)
    assert not hasattr(estimator, "density_")


def test_a_classifier_names_classes(classifier):
    names = np.array(BARS.class_names)[BARS.labels]
    assert classifier.classes_.tolist() == list(BARS.class_names)
    assert set(classifier.predict(GREY)) <= set(names)
    assert classifier.predict_proba(GREY).shape == (60, 3)


def test_a_classifier_takes_a_fitted_autoencoder_or_any_transformer(fitted):
    estimator = fitted["ConvAutoencoder"]
    one = LatentClassifier(FrozenEstimator(estimator), epochs=2, random_state=0).fit(GREY, BARS.labels)
    np.testing.assert_array_equal(one.autoencoder_.transform(GREY), estimator.transform(GREY))
    rows = GREY.reshape(60, -1) / 255
    other = LatentClassifier(PCA(3), epochs=2, random_state=0, early_stopping=True).fit(rows, BARS.labels)
    assert other.predict(rows).shape == (60,)


@every_kind
def test_saved_and_loaded_it_is_the_same(kind, fitted, tmp_path):
    estimator = fitted[kind.__name__]
    estimator.save(tmp_path / "kept")
    assert sorted(one.name for one in (tmp_path / "kept").iterdir()) == [
        "estimator.json",
        "weights.safetensors",
    ]
    with pytest.raises(OutputError, match="nothing is overwritten"):
        estimator.save(tmp_path / "kept")
    again = kind.load(tmp_path / "kept")
    assert repr(again) == repr(estimator)
    np.testing.assert_array_equal(again.transform(GREY), estimator.transform(GREY))
    np.testing.assert_array_equal(again.sample(3, random_state=1), estimator.sample(3, random_state=1))
    assert again.history_ == estimator.history_


def test_rows_saved_and_loaded(tmp_path):
    rows = np.random.default_rng(0).normal(size=(30, 4))
    estimator = VariationalAutoencoder(epochs=1, random_state=np.random.RandomState(0)).fit(rows)
    estimator.save(tmp_path / "rows")
    again = VariationalAutoencoder.load(tmp_path / "rows")
    np.testing.assert_array_equal(again.transform(rows), estimator.transform(rows))
    np.testing.assert_array_equal(again.score_samples(rows), estimator.score_samples(rows))


def test_a_saved_classifier_has_its_autoencoder_with_it(classifier, tmp_path):
    classifier.save(tmp_path / "kept")
    again = LatentClassifier.load(tmp_path / "kept")
    np.testing.assert_array_equal(again.predict_proba(GREY), classifier.predict_proba(GREY))
    assert again.classes_.dtype == classifier.classes_.dtype
    with pytest.raises(RunError, match="must hold a ConvAutoencoder"):
        ConvAutoencoder.load(tmp_path / "kept")
    held = json.loads((tmp_path / "kept" / "estimator.json").read_text())
    del held["fitted"]
    (tmp_path / "kept" / "estimator.json").write_text(json.dumps(held))
    with pytest.raises(RunError, match="must be whole"):
        LatentClassifier.load(tmp_path / "kept")
    with pytest.raises(RunError, match="must be whole"):
        LatentClassifier.load(tmp_path / "nowhere")


def test_pickle_joblib_and_clone(fitted, classifier, tmp_path):
    estimator = fitted["VariationalAutoencoder"]
    codes = estimator.transform(GREY)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(estimator)).transform(GREY), codes)
    joblib.dump(classifier, tmp_path / "classifier.joblib")
    kept = joblib.load(tmp_path / "classifier.joblib")
    np.testing.assert_array_equal(kept.predict(GREY), classifier.predict(GREY))
    assert not hasattr(clone(estimator), "network_")


BAD: list[tuple[dict[str, Any], Any, str]] = [
    ({"code_size": -1}, GREY, "code_size = -1"),
    ({"settings": {"model.widht": 2}}, GREY, "did you mean model.width"),
    ({"settings": [1]}, GREY, "settings must be a dictionary"),
    ({"preset": "fastest"}, GREY, "preset"),
    ({"image_shape": (16, 15)}, GREY, "image_shape"),
    ({"image_shape": "16x16"}, GREY.reshape(60, -1), "image_shape must be"),
    ({"image_shape": (16, 15)}, GREY.reshape(60, -1), "240 numbers"),
    ({}, GREY.astype(np.float64), "divide them by 255"),
    ({}, GREY / 255 - 0.5, "floats in 0..1"),
    ({}, GREY.reshape(60, 1, 1, 16, 16), "must be N x H x W"),
    ({"device": "cuda:99"}, GREY, "device"),
    ({"settings": {"threads": 4000}}, GREY, "threads"),
]


@pytest.mark.parametrize(("changes", "images", "said"), BAD, ids=lambda one: str(one)[:30])
def test_what_cannot_be_meant_is_refused(changes, images, said):
    with pytest.raises(LatentspaceError) as refused:
        ConvAutoencoder(**{**SMALL, **changes}).fit(images)
    assert said in str(refused.value)


def test_one_image_is_enough():
    assert ConvAutoencoder(preset="fast", epochs=1, code_size=2).fit(GREY[:1]).transform(GREY[:2]).shape == (
        2,
        2,
    )


def test_other_samples_than_those_of_fit_are_refused(fitted):
    estimator = fitted["ConvAutoencoder"]
    with pytest.raises(DataError, match="shape of those given to fit"):
        estimator.transform(GREY.reshape(60, 8, 32))
    with pytest.raises(ValueError, match="256 features"):
        estimator.transform(GREY[:, :15])
    with pytest.raises(DataError, match="codes must have 3 numbers"):
        estimator.inverse_transform(np.zeros((2, 4)))
    with pytest.raises(DataError, match="codes must be numbers in"):
        estimator.inverse_transform(np.full((2, 3), 1e30))
    with pytest.raises(ConfigurationError, match="saved with its classifier"):
        LatentClassifier(PCA(2), epochs=1).fit(GREY.reshape(60, -1) / 255, BARS.labels).save("nowhere")
