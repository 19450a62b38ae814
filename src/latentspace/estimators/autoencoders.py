"""Autoencoders as scikit-learn transformers: samples -> codes -> samples.

Parameters are looked at in `fit`, as scikit-learn asks, so they are typed `Any`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..core.errors import DataError
from ..core.randomness import generator
from ..core.tensor_types import Images, PerImage
from ..core.wording import counted
from ..data.given import as_codes
from ..evaluation.likelihood import required_prior
from ..experiment.config import Experiment
from ..inference.mixtures import CodeMixture, fitted_mixture
from ..inference.sampling import drawn_from
from ..models.autoencoder import SMALLEST_SIDE, Autoencoder, EncoderDecoderConfig, Latent
from ..models.posteriors import Gaussian
from ..runs.tensors import below, fill
from .files import Saved
from .fitting import parts_of, plan_of, seed_of, trained
from .layout import FeatureLayout, checked_rows, layout_of, restored_layout
from .passes import decoded, encoded, passed

SAMPLES = 16  # codes that an image's ELBO is a mean over


class _Autoencoder(Saved, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What the three have."""

    _kind: ClassVar[str]
    _dense: ClassVar[dict[str, Any]] = {"name": "dense"}

    def __init__(
        self,
        code_size: Any = None,
        *,
        image_shape: Any = None,
        preset: Any = None,
        epochs: Any = None,
        batch_size: Any = None,
        learning_rate: Any = None,
        settings: Any = None,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        n_iter_no_change: Any = 10,
        density: Any = False,
        random_state: Any = None,
        device: Any = "auto",
        verbose: Any = False,
    ) -> None:
        self.code_size = code_size
        self.image_shape = image_shape
        self.preset = preset
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.settings = settings
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.density = density
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Any:  # noqa: ARG002 - scikit-learn passes it
        """Train on samples: images (N x H x W, N x C x H x W, N x H x W x C) or rows (N x features).

        Images are bytes, or floats in [0, 1], which become bytes. Rows without an `image_shape` are scaled
        to [0, 1], feature by feature, and learned by dense layers.

        Raises:
            ValueError: no samples, NaN, sparse data.
            LatentspaceError: images or parameters that cannot be used, or a loss that is not finite.
        """
        rows, given = checked_rows(self, X, reset=True, image_shape=self.image_shape)
        layout = layout_of(rows, given, self.image_shape)
        seed, params = seed_of(self.random_state), self.get_params(deep=False)
        plan = plan_of(self._kind, params, seed, self._usual(layout))
        inputs = layout.inputs(rows)
        fitted = trained(plan, inputs, parts_of(len(rows), params, seed), bool(self.verbose))
        assert isinstance(fitted.network, Autoencoder)
        self.layout_, self.experiment_, self.network_ = layout, fitted.experiment, fitted.network
        self.history_, self.n_iter_ = fitted.history, len(fitted.history)
        if self.density:
            self.density_ = fitted_mixture(encoded(self.network_, inputs, self.device))
        elif hasattr(self, "density_"):
            del self.density_
        return self

    def transform(self, X: Any) -> Any:
        """Samples -> codes, samples x code: the posterior's mean. Float64 of float64 rows, else float32."""
        check_is_fitted(self)
        return encoded(self.network_, self._inputs(X), self.device)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Codes, samples x code -> samples in the shape, type and range that `fit` was given.

        Raises:
            DataError: codes of another size, or numbers that no code has.
        """
        check_is_fitted(self)
        codes = check_array(X, dtype=[np.float64, np.float32], input_name="codes")
        if codes.shape[1] != self._n_features_out:
            raise DataError(
                f"codes must have {counted(self._n_features_out, 'number')}", found=f"{codes.shape[1]}",
                do="give what transform returned",
            )  # fmt: skip
        as_codes(codes)  # refuses numbers that no code has
        return self.layout_.outputs(decoded(self.network_, codes, self.device))

    def score_samples(self, X: Any) -> np.ndarray:
        """Minus the mean squared error of each sample's reconstruction; features and pixels in [0, 1]."""
        check_is_fitted(self)
        return passed(self.network_, self._inputs(X), self.device, self._scores)

    def score(self, X: Any, y: Any = None) -> float:  # noqa: ARG002
        """The mean of `score_samples`: higher is better, so that a grid search can choose by it."""
        return float(self.score_samples(X).mean())

    def _can_sample(self) -> bool:
        return self._kind == "vae" or bool(self.density)

    @available_if(_can_sample)
    def sample(self, n_samples: int = 1, random_state: Any = None) -> np.ndarray:
        """New samples, decoded from codes of the fitted density, else of the prior."""
        check_is_fitted(self)
        seed = seed_of(random_state)
        if hasattr(self, "density_"):
            codes = self.density_.draw(n_samples, seed)
        else:
            codes = drawn_from(required_prior(self.network_), n_samples, seed)
        return self.inverse_transform(codes)

    @property
    def _n_features_out(self) -> int:
        plan = self.experiment_.model
        assert isinstance(plan, EncoderDecoderConfig)
        return plan.code_size

    def _usual(self, layout: Any) -> dict[str, Any]:
        if isinstance(layout, FeatureLayout):
            return {"model": self._dense, "training": {"augment": "none"}, "precision": "32"}
        return {"model": {"name": self._dense["name"]}} if min(layout.shape[1:]) < SMALLEST_SIDE else {}

    def _inputs(self, X: Any) -> np.ndarray:
        one = getattr(self.layout_, "given", None)  # the shape of an image
        rows, given = checked_rows(self, X, reset=False, image_shape=one)
        if given is not None and given != one:
            raise DataError(
                "samples must have the shape of those given to fit", found=f"{given}", do="reshape them"
            )
        inputs: np.ndarray = self.layout_.inputs(rows)
        return inputs

    def _scores(self, network: Autoencoder, images: Images) -> PerImage:
        error = network.decode(network.encode(images).mean) - images
        return -error.square().flatten(1).mean(dim=1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _content(self) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
        """What was fitted, as JSON and tensors."""
        about, arrays = self.layout_.content()
        if hasattr(self, "density_"):
            arrays |= {f"density.{name}": one for name, one in vars(self.density_).items()}
        tensors = {name: torch.from_numpy(np.ascontiguousarray(one)) for name, one in arrays.items()}
        weights = {f"network.{name}": one for name, one in self.network_.state_dict().items()}
        plan = self.experiment_.model_dump(mode="json")
        return {"experiment": plan, "layout": about, "history": self.history_}, tensors | weights

    def _fill(self, content: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], path: Path) -> None:
        """Take in what `_content` returned, read from `path`."""
        arrays = {name: one.numpy() for name, one in tensors.items() if not name.startswith("network.")}
        self.layout_ = restored_layout(content["layout"], arrays)
        self.experiment_ = Experiment.restored(content["experiment"], str(path))
        self.history_, self.n_iter_ = content["history"], len(content["history"])
        self.network_ = self.experiment_.build(self.layout_.shape).eval()
        fill(self.network_, below("network.", tensors), path)
        density = {name: one.numpy() for name, one in below("density.", tensors).items()}
        if density:
            self.density_ = CodeMixture(**density)


class ConvAutoencoder(_Autoencoder):
    """An autoencoder: images, or other rows of numbers, to codes of a few numbers, and back.

    Images go through residual convolutions, other rows through dense layers.

    Args:
        code_size: numbers in a code; None: in proportion to the side of the images.
        image_shape: of rows that are images: (height, width), (channels, height, width) or (height, width,
            channels). None: rows are no images; arrays of three or four axes are, and need no shape.
        preset: settings where none are named: `default`, `fast`, `best`, `report`.
        epochs, batch_size, learning_rate: of the training; None: the preset's.
        settings: any other setting of a plan by its dotted name: `{"model.width": 16}`.
        early_stopping: hold out `validation_fraction` of the samples, stop after `n_iter_no_change` epochs
            without a better score there, and keep the best epoch's weights.
        density: fit a mixture of Gaussians to the codes, which `sample` then draws from.
        random_state: of weights, order, noise and density.
        device: `auto`, `cpu`, `cuda`, `mps`.
        verbose: print a line an epoch.

    Attributes:
        network_: the trained network, on the CPU.
        experiment_: the plan with everything settled.
        layout_: how samples become inputs of the network.
        density_: the mixture, where `density` is set.
        history_: the record of each epoch; n_iter_: how many there were.
        n_features_in_: the numbers of a sample; feature_names_in_: of a data frame.
    """

    _kind = "ae"


class DenoisingAutoencoder(_Autoencoder):
    """An autoencoder that learns to undo noise: what is decoded is the sample without it.

    The noise is set by `settings`: `{"objective.noise": "masking", "objective.strength": 0.3}`.

    Parameters and attributes are those of `ConvAutoencoder`.
    """

    _kind = "dae"


class VariationalAutoencoder(_Autoencoder):
    """A variational autoencoder: codes are near a prior, from which `sample` draws new ones.

    Pixels are Bernoulli; features of rows that are no images are Gaussian, of one learned spread.

    Parameters and attributes are those of `ConvAutoencoder`.
    """

    _kind = "vae"
    _dense: ClassVar = {"name": "dense-variational", "likelihood": "gaussian"}

    def score_samples(self, X: Any) -> np.ndarray:
        """The ELBO of each sample, in nats; features and pixels in [0, 1].

        A lower bound of its log likelihood: the mean over 16 codes drawn from its posterior, with the same
        noise for every sample, so that a score does not depend on what else is scored.
        """
        return super().score_samples(X)

    def _scores(self, network: Autoencoder, images: Images) -> PerImage:
        posterior = network.encode(images)
        draws = torch.randn(SAMPLES, posterior.mean.shape[1], generator=generator(0, "sample"))
        total = torch.zeros_like(images[:, 0, 0, 0])
        for noise in draws.to(images):
            codes = posterior.mean
            if isinstance(posterior, Gaussian):
                codes = codes + torch.exp(0.5 * posterior.log_variance) * noise
            kl = Latent(posterior, codes, network.prior).kl_terms().sum(dim=1)
            total += network.likelihood.log_prob(network.decoder(codes), images) - kl
        return total / SAMPLES


AUTOENCODERS: dict[str, type[_Autoencoder]] = {
    one.__name__: one for one in (ConvAutoencoder, DenoisingAutoencoder, VariationalAutoencoder)
}
