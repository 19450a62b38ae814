"""The plan of one training: frozen, validated, and the one mapping from names to what they stand for."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import torch
from pydantic import Field, ValidationError, model_validator
from torch import nn

from ..core.config import Config, describe, names_of
from ..core.errors import ConfigurationError
from ..core.malloc import within_memory
from ..core.randomness import generator
from ..core.wording import brief, option
from ..data.corruption import CorruptionConfig
from ..data.sources import DataConfig
from ..models.autoencoder import Autoencoder, AutoencoderConfig, VariationalConfig
from ..models.classifier import Classifier, ClassifierConfig
from ..objectives.classification import (
    Gradient,
    classification,
    classification_as_reported,
    cross_entropy_gradient,
    report_cross_entropy_gradient,
)
from ..objectives.denoising import denoising, denoising_and_clean
from ..objectives.elbo import elbo, warmed_up
from ..objectives.loss import Objective
from ..objectives.reconstruction import reconstruction
from .training import SplitConfig, TrainingConfig

Kind: TypeAlias = Literal["ae", "dae", "vae", "classifier"]
KINDS: tuple[Kind, ...] = ("ae", "dae", "vae", "classifier")
Direction: TypeAlias = Literal["minimize", "maximize"]
Precision: TypeAlias = Literal["auto", "32", "bf16"]


class ReconstructionConfig(Config):
    """Mean squared error against the image itself: nothing to set."""

    def training(self, epoch: int) -> Objective:  # noqa: ARG002 - the same in every epoch
        return reconstruction

    @property
    def validation(self) -> Objective:
        return reconstruction


class DenoisingConfig(CorruptionConfig):
    """Mean squared error against the clean image, from a corrupted one."""

    def training(self, epoch: int) -> Objective:  # noqa: ARG002 - the same in every epoch
        return denoising(self.corruption())

    @property
    def validation(self) -> Objective:
        return denoising_and_clean(self.corruption())


class ElboConfig(Config):
    """The negative ELBO. The defaults are the report's: a plain sum of the two terms."""

    beta: float = Field(default=1.0, ge=0, description="weight of the divergence")
    warm_up: int = Field(
        default=0, ge=0, description="epochs over which that weight rises from 0 in equal steps"
    )
    free_bits: float = Field(
        default=0.0, ge=0, description="nats a dimension under which the divergence is not pressed"
    )

    def training(self, epoch: int) -> Objective:
        return elbo(warmed_up(self.beta, self.warm_up, epoch), self.free_bits)

    @property
    def validation(self) -> Objective:
        return elbo()


class ClassificationConfig(Config):
    """Cross-entropy."""

    loss: Literal["cross-entropy", "report"] = Field(
        default="cross-entropy",
        description="of the logits, or `report`: of the Softmax's outputs, as the report did",
    )
    method: Literal["codes", "frozen-encoder"] = Field(
        default="codes",
        description="encode the set once, or `frozen-encoder`: each batch anew in every epoch",
    )

    def training(self, epoch: int) -> Objective:  # noqa: ARG002 - the same in every epoch
        return self.validation

    @property
    def validation(self) -> Objective:
        return classification if self.loss == "cross-entropy" else classification_as_reported

    @property
    def minimised(self) -> str:
        """The name of what is minimised, among the objective's parts."""
        return "cross_entropy" if self.loss == "cross-entropy" else "report_cross_entropy"

    @property
    def gradient(self) -> Gradient:
        """Of what is minimised, with respect to the logits."""
        return cross_entropy_gradient if self.loss == "cross-entropy" else report_cross_entropy_gradient


NetworkConfig: TypeAlias = AutoencoderConfig | VariationalConfig | ClassifierConfig
ObjectiveConfig: TypeAlias = ReconstructionConfig | DenoisingConfig | ElboConfig | ClassificationConfig


@dataclass(frozen=True)
class Purpose:
    """What a kind of study is for, and the report's own settings and results.

    Args:
        network, objective: the configurations that `model` and `objective` are read as.
        training: where the report's training differs from `TrainingConfig`.
        model: where its network differs from the default.
        score: the metric that selects, and the way in which it is better.
        published: what the report found, by the name of the metric.
    """

    name: str
    network: type[AutoencoderConfig] | type[VariationalConfig] | type[ClassifierConfig]
    objective: (
        type[ReconstructionConfig] | type[DenoisingConfig] | type[ElboConfig] | type[ClassificationConfig]
    )
    score: str
    direction: Direction
    published: Mapping[str, float]
    model: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def better(self, one: float, other: float) -> bool:
        return one < other if self.direction == "minimize" else one > other


PURPOSES: Mapping[Kind, Purpose] = {
    "ae": Purpose("autoencoder", AutoencoderConfig, ReconstructionConfig, "mse", "minimize", {"mse": 0.0272}),
    "dae": Purpose(
        "denoising autoencoder",
        AutoencoderConfig,
        DenoisingConfig,
        "mse_from_noisy",
        "minimize",
        {"mse": 0.0283},
        model={"conv2_channels": 64},
        training={"batch_size": 505, "learning_rate": 0.003301244567030449},
    ),
    "vae": Purpose(
        "variational autoencoder",
        VariationalConfig,
        ElboConfig,
        "elbo_loss",
        "minimize",
        {"mean_code_loss": 183.59},
        training={"batch_size": 256, "learning_rate": 1e-3, "epochs": 100},
    ),
    "classifier": Purpose(
        "classifier",
        ClassifierConfig,
        ClassificationConfig,
        "accuracy",
        "maximize",
        {"accuracy": 0.8958, "report_cross_entropy": 1.5658},
        training={"batch_size": 411, "learning_rate": 0.0018263185631044734, "epochs": 30},
    ),
}


class Experiment(Config):
    """Everything that a training is a function of, but for the machine it runs on.

    `model`, `objective` and `training` begin from the report's settings for the kind. `encoder` is the
    run whose codes a classifier learns from; the other kinds have none.
    """

    kind: Kind = Field(
        default="ae",
        description="what is trained: autoencoder, denoising or variational autoencoder, classifier",
    )
    seed: int = Field(
        default=0,
        ge=0,
        description="of weights, order, noise and dropout; the split and the glyphs have their own; `--seed`",
    )
    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    model: NetworkConfig = AutoencoderConfig()
    objective: ObjectiveConfig = ReconstructionConfig()
    training: TrainingConfig = TrainingConfig()
    encoder: str | None = Field(
        default=None, description="classifier: the run whose codes it learns from; `--encoder`"
    )
    device: str = Field(
        default="auto",
        description="`cpu`, `cuda`, `cuda:1`, `mps`, or `auto`: a GPU where there is one, else the CPU; "
        "one that is not there is an error. Of training; every other command that computes takes "
        "`--device` too, whatever the run was trained on",
    )
    precision: Precision = Field(
        default="auto",
        description="of training: `bf16` where the machine computes it natively and the network is "
        "large enough to gain, else `32`; the run holds which it was. Evaluation is "
        "always in float32; `--precision`",
    )
    threads: int = Field(
        default=0, ge=0, le=4096, description="of the CPU; 0: PyTorch's own choice; `--threads`"
    )

    @classmethod
    def names(cls, values: Mapping[str, Any]) -> list[str]:
        """Of the kind that the values name."""
        kind = values.get("kind", "ae") if isinstance(values, Mapping) else "ae"
        return _names(PURPOSES[kind if isinstance(kind, str) and kind in KINDS else "ae"])

    @model_validator(mode="before")
    @classmethod
    def _as_the_kind_has_it(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        kind = values.get("kind", "ae")
        if not isinstance(kind, str) or kind not in KINDS:
            return values
        purpose = PURPOSES[kind]
        return {
            **values,
            "model": _read_as(purpose.network, values.get("model", {}), purpose, "model"),
            "objective": _read_as(purpose.objective, values.get("objective", {}), purpose, "objective"),
            "training": _read_as(TrainingConfig, values.get("training", {}), purpose, "training"),
        }

    @model_validator(mode="after")
    def _encoder_where_it_belongs(self) -> "Experiment":
        if self.encoder is not None and self.kind != "classifier":
            raise ValueError(f"a classifier alone learns from an encoder's codes: {self.kind} has no encoder")
        return self

    def on(self, device: str) -> "Experiment":
        """The same, computed on another device."""
        return self.model_copy(update={"device": device})

    @property
    def purpose(self) -> Purpose:
        return PURPOSES[self.kind]

    def build(self, shape: tuple[int, int, int]) -> Autoencoder:
        """The autoencoder, its weights a function of the seed.

        Args:
            shape: channels, height and width of an image.

        Raises:
            ConfigurationError: images that are too small for the network, a network that is too large for
                this machine, or a classifier's plan.
        """
        if isinstance(self.model, ClassifierConfig):
            raise ConfigurationError(
                "this needs an autoencoder: ae, dae or vae", found="a classifier", do="name another run"
            )
        with _sizes():
            return self.model.build(shape, generator(self.seed, "weights"))

    def build_classifier(self, code_size: int, classes: int) -> Classifier:
        """The classifier's head, its weights a function of the seed.

        Raises:
            ConfigurationError: not a classifier's plan.
        """
        if not isinstance(self.model, ClassifierConfig):
            raise ConfigurationError(
                "this needs a classifier", found=f"a run of {self.kind}", do="name another run"
            )
        with _sizes():
            return self.model.build(code_size, classes, generator(self.seed, "weights"))

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return self.training.made(parameters)


def _sizes() -> AbstractContextManager[None]:
    return within_memory(
        ConfigurationError,
        "the network must be one that this machine can hold",
        "choose smaller sizes: code_size, the channels and the neurons, or smaller images "
        f"({option('resize')})",
    )


def _names(purpose: Purpose) -> list[str]:
    """The dotted names of all settings of a kind."""
    own = {"model": purpose.network, "objective": purpose.objective}
    shared = [name for name in names_of(Experiment) if name.partition(".")[0] not in own]
    return [*shared, *own, *(name for table, one in own.items() for name in names_of(one, f"{table}."))]


def _read_as(config: type[Config], values: Any, purpose: Purpose, where: str) -> Any:
    """`values` over the kind's defaults, with the errors' keys as the user wrote them."""
    if isinstance(values, config):
        return values
    if isinstance(values, Config):
        raise ValueError(f"{where} is a {type(values).__name__} where a {config.__name__} belongs")  # noqa: TRY004
    if not isinstance(values, dict):
        raise ValueError(f"{where} must be a table of settings")  # noqa: TRY004
    defaults = {"model": purpose.model, "training": purpose.training}.get(where, {})
    try:
        read = config.model_validate({**defaults, **values})
        return config.model_construct(set(values), **dict(read))  # what was named, apart from the defaults
    except ValidationError as error:
        raise ValueError(
            "; ".join(_described(dict(part), where, purpose) for part in error.errors()[:5])
        ) from error


def _described(part: Mapping[str, Any], where: str, purpose: Purpose) -> str:
    if not part["loc"]:  # of several keys
        return describe(part, f"{where}.")
    return describe({**part, "loc": (where, *part["loc"])}, known=_names(purpose))


def kind_named(name: str) -> Kind:
    """Raises: ConfigurationError: there is no such kind of network."""
    for kind in KINDS:
        if isinstance(name, str) and kind == name:
            return kind
    raise ConfigurationError(
        "the model must be a known kind", found=brief(name), do=f"name one of: {', '.join(KINDS)}"
    )
