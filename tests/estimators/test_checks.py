"""scikit-learn's own checks of an estimator, all of them; none is expected to fail."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import (
    check_set_output_transform,
    check_transformer_get_feature_names_out,
    parametrize_with_checks,
)

from latentspace import ConvAutoencoder, DenoisingAutoencoder, LatentClassifier, VariationalAutoencoder

SMALL: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 0.03,
    "settings": {"model.neurons": 16, "model.hidden_layers": 1, "training.optimizer": "adamw"},
    "random_state": 0,
}
ONCE = {**SMALL, "epochs": 1}  # no check asks how well an autoencoder has learned
AUTOENCODERS = [ConvAutoencoder(**ONCE), DenoisingAutoencoder(**ONCE), VariationalAutoencoder(**ONCE)]
CLASSIFIER = LatentClassifier(
    ConvAutoencoder(**{**SMALL, "random_state": None}),
    epochs=10,
    batch_size=64,
    learning_rate=0.02,
    random_state=0,
)


@parametrize_with_checks([*AUTOENCODERS, CLASSIFIER])
def test_what_scikit_learn_asks_of_an_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("estimator", AUTOENCODERS, ids=lambda one: type(one).__name__)
def test_what_scikit_learn_asks_of_names_and_output(estimator: Any) -> None:
    name = type(estimator).__name__
    check_transformer_get_feature_names_out(name, estimator)
    check_set_output_transform(name, estimator)
