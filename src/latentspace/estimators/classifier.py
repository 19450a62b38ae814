"""A classifier of codes: a transformer, by default an autoencoder, and a network on what it returns."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ..core.errors import ConfigurationError
from ..experiment.config import Experiment
from ..runs.tensors import fill
from .autoencoders import AUTOENCODERS, ConvAutoencoder
from .files import Saved
from .fitting import parts_of, plan_of, seed_of, trained_head
from .layout import checked_rows
from .passes import passed


class LatentClassifier(Saved, ClassifierMixin, BaseEstimator):
    """An autoencoder learns codes of the samples, and a small network learns the classes from the codes.

    Args:
        autoencoder: an estimator with `fit` and `transform`; None: `ConvAutoencoder()`. It is cloned; one
            that is fitted already is given as `sklearn.frozen.FrozenEstimator(autoencoder)`. Where it has no
            `random_state` of its own, it gets this one's.
        preset, epochs, batch_size, learning_rate, settings, early_stopping, validation_fraction,
            n_iter_no_change, random_state, device, verbose: of the classifier's training, as those of
            `ConvAutoencoder`.

    Attributes:
        autoencoder_: fitted; network_: the classifier on its codes.
        classes_: the labels, in the order of `predict_proba`.
        experiment_, history_, n_iter_, n_features_in_, feature_names_in_: as those of `ConvAutoencoder`.
    """

    def __init__(
        self,
        autoencoder: Any = None,
        *,
        preset: Any = None,
        epochs: Any = None,
        batch_size: Any = None,
        learning_rate: Any = None,
        settings: Any = None,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        n_iter_no_change: Any = 10,
        random_state: Any = None,
        device: Any = "auto",
        verbose: Any = False,
    ) -> None:
        self.autoencoder = autoencoder
        self.preset = preset
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.settings = settings
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> Any:
        """Train on samples, as `ConvAutoencoder.fit` takes them, and a label for each.

        Raises:
            ValueError: no samples, NaN, sparse data, labels that are no classes, one class alone.
            LatentspaceError: images or parameters that cannot be used, or a loss that is not finite.
        """
        (_, labels), _ = checked_rows(self, X, reset=True, y=y)
        check_classification_targets(labels)
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError("LatentClassifier needs two classes or more: found one class")
        seed, params = seed_of(self.random_state), self.get_params(deep=False)
        plan = plan_of("classifier", params, seed, {})
        parts = parts_of(len(labels), params, seed, labels)
        self.autoencoder_ = self._unfitted(seed).fit(X, labels)
        codes = self.autoencoder_.transform(X)
        fitted = trained_head(plan, codes, numbers, len(classes), parts, bool(self.verbose))
        self.classes_, self.experiment_, self.network_ = classes, fitted.experiment, fitted.network
        self.history_, self.n_iter_ = fitted.history, len(fitted.history)
        return self

    def _unfitted(self, seed: int) -> Any:
        if self.autoencoder is None:
            return ConvAutoencoder(random_state=seed, device=self.device, verbose=self.verbose)
        found = clone(self.autoencoder)
        if found.get_params(deep=False).get("random_state", seed) is None:
            found.set_params(random_state=seed)
        return found

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, samples x classes, each row adding up to one."""
        check_is_fitted(self)
        checked_rows(self, X, reset=False)
        codes = np.asarray(self.autoencoder_.transform(X))
        return passed(
            self.network_, codes, self.device, lambda there, batch: torch.softmax(there(batch), dim=1)
        )

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each sample."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: np.ndarray = self.classes_[best]
        return labels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _params(self) -> dict[str, Any]:
        return {**super()._params(), "autoencoder": None}

    def _write(self, folder: Path) -> None:
        if not isinstance(self.autoencoder_, Saved):
            raise ConfigurationError(
                "an autoencoder of latentspace is saved with its classifier",
                found=type(self.autoencoder_).__name__,
                do="keep this classifier with joblib",
            )
        super()._write(folder)
        (folder / "autoencoder").mkdir()
        self.autoencoder_._write(folder / "autoencoder")

    def _content(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        plan = self.experiment_.model_dump(mode="json")
        about = {
            "experiment": plan,
            "history": self.history_,
            "classes": self.classes_.tolist(),
            "dtype": self.classes_.dtype.str,
            "autoencoder": type(self.autoencoder_).__name__,
        }
        return about, dict(self.network_.state_dict())

    def _fill(self, content: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], folder: Path) -> None:
        self.autoencoder_ = AUTOENCODERS[content["autoencoder"]].load(folder / "autoencoder")
        self.autoencoder = clone(self.autoencoder_)
        self.classes_ = np.array(content["classes"], dtype=content["dtype"])
        self.experiment_ = Experiment.restored(content["experiment"], str(folder))
        self.history_, self.n_iter_ = content["history"], len(content["history"])
        head = self.experiment_.build_classifier(self.autoencoder_._n_features_out, len(self.classes_))
        fill(head, dict(tensors), folder)
        self.network_ = head.eval()
