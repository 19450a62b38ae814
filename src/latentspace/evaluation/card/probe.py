"""A linear probe: what a linear rule reads off features."""

import warnings
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Float32

from ...core.types import Int64Array

PASSES: Final = 200  # of the solver, at most

Features: TypeAlias = Float32[np.ndarray, "_images features"]


class Probe:
    """Logistic regression on standardised features."""

    def __init__(self, features: Features, labels: Int64Array) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.only = int(labels[0]) if len(np.unique(labels)) == 1 else None
        if self.only is None:
            self._rule = make_pipeline(StandardScaler(), LogisticRegression(max_iter=PASSES))
            with warnings.catch_warnings():  # one that is not at its very end serves too
                warnings.simplefilter("ignore", ConvergenceWarning)
                self._rule.fit(features, labels)

    def says(self, features: Features) -> Int64Array:
        """The most probable label of each."""
        if self.only is not None:
            return np.full(len(features), self.only, dtype=np.int64)
        return np.asarray(self._rule.predict(features), dtype=np.int64)

    def probabilities(self, features: Features, classes: int) -> np.ndarray:
        """Of each class, images x classes."""
        found = np.zeros((len(features), classes))
        if self.only is not None:
            found[:, self.only] = 1
        else:
            found[:, self._rule.classes_] = self._rule.predict_proba(features)
        return found
