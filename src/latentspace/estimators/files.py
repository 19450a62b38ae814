"""A fitted estimator as a folder: estimator.json and weights.safetensors, without pickle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from ..core.atomic_files import as_path, new_folder, write_json
from ..core.errors import RunError
from ..core.versions import said_version_of
from ..runs.records import damage, parsed
from ..runs.tensors import read_tensors, write_tensors

CONTENT, WEIGHTS = "estimator.json", "weights.safetensors"

Kept = TypeVar("Kept", bound="Saved")


class Saved:
    """An estimator that is kept in a folder. It has `_content` and `_fill`, and scikit-learn's parameters."""

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to a new folder, which `load` reads. Nothing is overwritten.

        Raises:
            OutputError: there is something at `path` already, or it cannot be written.
        """
        check_is_fitted(self)
        with new_folder(as_path(path, "an estimator")) as folder:
            self._write(folder)

    @classmethod
    def load(cls: type[Kept], path: str | Path) -> Kept:
        """The estimator that `save` wrote.

        Raises:
            RunError: there is none, it is another class's, or a file of it is damaged.
        """
        folder = as_path(path, "an estimator")
        file = folder / CONTENT
        with damage(file):
            content = parsed(file.read_bytes())
            if content["estimator"] != cls.__name__:
                raise RunError(
                    f"{folder} must hold a {cls.__name__}",
                    found=f"a {content['estimator']}",
                    do=f"load it with {content['estimator']}.load",
                )
            estimator = cls(**{name: _tuples(value) for name, value in content["params"].items()})
            vars(estimator).update(n_features_in_=content["n_features_in_"])
            if content["feature_names_in_"] is not None:
                vars(estimator).update(feature_names_in_=np.array(content["feature_names_in_"], dtype=object))
            estimator._fill(content["fitted"], read_tensors(folder / WEIGHTS)[0], folder)
        return estimator

    def _write(self, folder: Path) -> None:
        fitted, tensors = self._content()
        names = getattr(self, "feature_names_in_", None)
        content = {
            "latentspace": said_version_of(),
            "estimator": type(self).__name__,
            "params": {name: _plain(value) for name, value in self._params().items()},
            "n_features_in_": self.n_features_in_,  # type: ignore[attr-defined]
            "feature_names_in_": None if names is None else names.tolist(),
            "fitted": fitted,
        }
        write_json(folder / CONTENT, content)
        write_tensors(folder / WEIGHTS, tensors, {})

    def _params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        return params

    def _content(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        """What was fitted, as JSON and tensors."""
        raise NotImplementedError

    def _fill(self, content: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], folder: Path) -> None:
        """Take in what `_content` returned, read from `folder`."""
        raise NotImplementedError


def _plain(value: Any) -> Any:
    """As JSON has it; the state of a generator is not kept."""
    if isinstance(value, np.random.RandomState):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def _tuples(value: Any) -> Any:
    """Lists of JSON as tuples: an image shape is one."""
    return tuple(value) if isinstance(value, list) else value
