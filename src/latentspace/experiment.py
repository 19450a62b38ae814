"""The plan of one training: frozen, validated, and the one mapping from names to what they stand for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from pydantic import Field, field_validator, model_validator
from torch import nn

from .configuration import Config, merged, read_toml
from .data.sources import DataConfig
from .data.splits import Shares
from .errors import ConfigurationError
from .models.autoencoder import Autoencoder, AutoencoderConfig
from .objectives.loss import Objective
from .objectives.reconstruction import reconstruction
from .randomness import generator

Kind: TypeAlias = Literal["ae"]
KINDS: tuple[Kind, ...] = ("ae",)


class SplitConfig(Config):
    """`seed` is the split's own, so that trainings with other seeds are judged on the same images."""

    shares: str = "60/20/20"
    seed: int = Field(default=0, ge=0)

    @field_validator("shares")
    @classmethod
    def _parses(cls, text: str) -> str:
        try:
            return str(Shares.parse(text))
        except ConfigurationError as error:
            raise ValueError(f"{error.must} ({error.do})") from error


class TrainingConfig(Config):
    """How a network is trained. The defaults are the report's best autoencoder; weight decay is our choice.

    `fit` names the images that are learned from: with train+validation there is no validation curve.
    `keep` names the weights that stay: of the last epoch, or of the best validation score.
    `early_stopping` ends a training after that many epochs without a better validation score (0: never).
    """

    optimizer: Literal["adam", "rmsprop"] = "adam"
    learning_rate: float = Field(default=0.0033638691442384257, gt=0)
    weight_decay: float = Field(default=1e-5, ge=0)
    batch_size: int = Field(default=266, ge=1)
    epochs: int = Field(default=50, ge=1)
    schedule: Literal["constant", "cosine", "one-cycle"] = "constant"
    clip_norm: float = Field(default=0, ge=0, description="largest norm of the gradient; 0: not clipped")
    early_stopping: int = Field(default=0, ge=0)
    keep: Literal["last", "best"] = "last"
    fit: Literal["train", "train+validation"] = "train"

    @field_validator("optimizer", mode="before")
    @classmethod
    def _any_case(cls, name: Any) -> Any:
        return name.lower() if isinstance(name, str) else name

    @model_validator(mode="after")
    def _validation_is_there(self) -> "TrainingConfig":
        if self.fit == "train+validation" and (self.keep == "best" or self.early_stopping):
            raise ValueError(
                "fit = 'train+validation' leaves no validation images to choose by: "
                "use keep = 'last' and early_stopping = 0, or fit = 'train'"
            )
        return self


class Experiment(Config):
    """Everything that a training is a function of, but for the machine it runs on."""

    kind: Kind = "ae"
    seed: int = Field(default=0, ge=0)
    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    model: AutoencoderConfig = AutoencoderConfig()
    training: TrainingConfig = TrainingConfig()
    device: str = "auto"
    precision: Literal["32", "bf16"] = "32"
    threads: int = Field(default=0, ge=0, description="of the CPU; 0: PyTorch's own choice")

    @property
    def purpose(self) -> "Purpose":
        return PURPOSES[self.kind]

    def build(self, shape: tuple[int, int, int]) -> Autoencoder:
        """The network, its weights a function of the seed.

        Args:
            shape: channels, height and width of an image.

        Raises:
            ConfigurationError: images that are too small for the network.
        """
        return Autoencoder.build(self.model, shape, generator(self.seed, "weights"))

    def optimizer(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        chosen = OPTIMIZERS[self.training.optimizer]
        return chosen(parameters, lr=self.training.learning_rate, weight_decay=self.training.weight_decay)


@dataclass(frozen=True)
class Purpose:
    """What a kind of study is for: the objective, the score that selects, and what the report published.

    `published` maps a metric of `evaluate` to the report's own figure.
    """

    name: str
    objective: Objective
    score: str
    direction: Literal["minimize", "maximize"]
    published: Mapping[str, float]

    def better(self, one: float, other: float) -> bool:
        return one < other if self.direction == "minimize" else one > other


PURPOSES: Mapping[Kind, Purpose] = {
    "ae": Purpose("autoencoder", reconstruction, "mse", "minimize", {"mse": 0.0272}),
}

OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "rmsprop": torch.optim.RMSprop,
}


class Study(Config):
    """One table of a recipe: how a kind of network is built and trained."""

    model: AutoencoderConfig = AutoencoderConfig()
    training: TrainingConfig = TrainingConfig()


class Recipe(Config):
    """A whole plan in one TOML file: the data, the split, and a table for each kind of study."""

    description: str = ""
    seed: int = Field(default=0, ge=0)
    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    ae: Study = Study()

    @classmethod
    def load(cls, name: str) -> "Recipe":
        """A built-in recipe by its name, or a file by its path.

        Raises:
            ConfigurationError: no such recipe, or one with unknown keys or values out of range.
        """
        path = Path(name)
        builtin = {file.name.removesuffix(".toml"): file for file in _builtin()}
        if name in builtin:
            with resources.as_file(builtin[name]) as file:
                return cls.parse(read_toml(file), f"the recipe {name}")
        if path.suffix != ".toml" and not path.exists():
            raise ConfigurationError(
                "a recipe is a TOML file or a built-in name",
                found=repr(name),
                do=f"name a file, or one of: {', '.join(sorted(builtin))}",
            )
        return cls.parse(read_toml(path), f"the recipe {path}")

    def experiment(self, kind: Kind, changes: Mapping[str, Any] | None = None) -> Experiment:
        """The plan of one study, with `changes` (nested, as in config.json) laid over it.

        Raises:
            ConfigurationError: a change that names an unknown key or a value out of range.
        """
        study: Study = getattr(self, kind)
        base = {
            "kind": kind,
            "seed": self.seed,
            "data": self.data.model_dump(),
            "split": self.split.model_dump(),
            "model": study.model.model_dump(),
            "training": study.training.model_dump(),
        }
        return Experiment.parse(merged(base, changes or {}), "the experiment")


def kind_named(name: str) -> Kind:
    """Raises: ConfigurationError: there is no such kind of network."""
    for kind in KINDS:
        if kind == name:
            return kind
    raise ConfigurationError(
        "the model must be a known kind", found=repr(name), do=f"name one of: {', '.join(KINDS)}"
    )


def _builtin() -> list[Any]:
    folder = resources.files("latentspace.recipes")
    return [file for file in folder.iterdir() if file.name.endswith(".toml")]
