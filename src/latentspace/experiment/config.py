"""The plan of one training: frozen, validated, and complete but for the machine that it runs on."""

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import Field, SerializeAsAny, ValidationError, field_validator, model_validator
from torch import nn

from ..core.config import Config, describe, names_of
from ..core.errors import ConfigurationError
from ..core.malloc import within_memory
from ..core.randomness import generator
from ..core.registry import Registry, known, near
from ..core.wording import brief, counted, option
from ..data.config import DataConfig
from ..models.autoencoder import Autoencoder, AutoencoderConfig, EncoderDecoderConfig, NetworkConfig
from ..models.classifier import HeadConfig
from ..models.families import MODELS
from ..models.layers.init import build_seeded
from ..objectives.families import OBJECTIVES
from ..objectives.loss import ObjectiveConfig
from ..objectives.reconstruction import ReconstructionConfig
from .presets import PRESETS, settings_of_preset
from .tasks import TASKS, Task
from .training import SplitConfig, TrainingConfig

Precision: TypeAlias = Literal["auto", "32", "bf16"]
Members: TypeAlias = tuple[type[NetworkConfig], type[ObjectiveConfig]]
FAMILIES: Mapping[str, Registry[Any]] = {"model": MODELS, "objective": OBJECTIVES}
Member = TypeVar("Member", bound=NetworkConfig | ObjectiveConfig)


class Experiment(Config):
    """Everything that a training is a function of, but for the machine it runs on.

    `model`, `objective` and `training` begin from the preset's settings for the task. `encoder` is the
    run whose codes a classifier learns from; the other kinds have none.
    """

    kind: str = Field(default="ae", description="the task: what is trained, and for what")
    preset: str = Field(
        default="report", description="the settings that are used where none is named; `--preset`"
    )
    seed: int = Field(
        default=0,
        ge=0,
        description="of weights, order, noise and dropout; the split and the glyphs have their own; `--seed`",
    )
    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    model: SerializeAsAny[NetworkConfig] = AutoencoderConfig()
    objective: SerializeAsAny[ObjectiveConfig] = ReconstructionConfig()
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
    devices: int = Field(
        default=1,
        ge=1,
        le=4096,
        description="processes that divide each batch between them, each on a GPU of its own, or on some of "
        "the CPU's cores; `--devices`",
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=4096,
        description="of the CPU; 0: PyTorch's own choice; at most 64, or four for each core where that is "
        "more; `--threads`",
    )

    @classmethod
    def names(cls, values: Mapping[str, Any]) -> list[str]:
        """Of the kind that the values name."""
        given = values if isinstance(values, Mapping) else {}
        kind = given.get("kind", "ae") if given.get("kind", "ae") in TASKS else "ae"
        preset = given.get("preset", _preset())
        return _names(
            _member(MODELS, given.get("model", {}), suited_models(kind, preset)),
            _member(OBJECTIVES, given.get("objective", {}), suited_objectives(kind, preset)),
        )

    @field_validator("kind")
    @classmethod
    def _kind_is_known(cls, name: str) -> str:
        return known(TASKS, name)

    @field_validator("preset")
    @classmethod
    def _preset_is_known(cls, name: str) -> str:
        return known(PRESETS, name)

    @model_validator(mode="before")
    @classmethod
    def _as_the_preset_has_it(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        kind, preset = values.get("kind", "ae"), values.get("preset", _preset())
        if kind not in TASKS or preset not in PRESETS:  # the one error to tell: no other is of known settings
            return {
                name: one for name, one in values.items() if name not in ("model", "objective", "training")
            }
        usual = tables_of(preset, kind)
        suited = {"model": suited_models(kind, preset), "objective": suited_objectives(kind, preset)}
        names = {
            table: _named(FAMILIES[table], values.get(table, {}), members, table)
            for table, members in suited.items()
        }
        members = MODELS[names["model"]], OBJECTIVES[names["objective"]]

        def read(table: str, config: type[Config]) -> Any:
            own = usual[table] if table not in names or names[table] == suited[table][0] else {}
            return _read_as(config, values.get(table, {}), own, table, members)

        model, objective = members
        return {
            **values,
            "model": read("model", model),
            "objective": read("objective", objective),
            "training": read("training", TrainingConfig),
        }

    @model_validator(mode="after")
    def _encoder_where_it_belongs(self) -> "Experiment":
        if self.encoder is not None and not self.task.needs_encoder:
            raise ValueError(f"a classifier alone learns from an encoder's codes: {self.kind} has no encoder")
        if self.devices > 1 and self.training.minutes is not None:
            raise ValueError("training.minutes is measured with one process: name epochs where devices > 1")
        if self.training.extra is not None and self.task.needs_encoder:
            raise ValueError("training.extra: a classifier learns from its encoder's images alone")
        return self

    def with_training(self, **settings: Any) -> "Experiment":
        """The same plan with other settings of `training`."""
        return self.model_copy(update={"training": self.training.model_copy(update=settings)})

    def on(self, device: str) -> "Experiment":
        """The same plan, computed on another device."""
        return self.model_copy(update={"device": device})

    @property
    def task(self) -> Task:
        return TASKS[self.kind]

    def build(self, shape: tuple[int, int, int]) -> Autoencoder:
        """The autoencoder, its weights a function of the seed.

        Args:
            shape: channels, height and width of an image.

        Raises:
            ConfigurationError: images that are too small for the network, a network that is too large for
                this machine, or a classifier's plan.
        """
        if not isinstance(self.model, EncoderDecoderConfig):
            raise ConfigurationError(
                "this needs an autoencoder: ae, dae or vae", found="a classifier", do="name another run"
            )
        self.refuse_large_code(shape)
        with _sizes():
            network = self.model.build(shape, generator(self.seed, "weights"))
        network.divisible = self.model.divisible
        return network

    def refuse_large_code(self, shape: tuple[int, int, int]) -> None:
        """Refuse codes with more numbers than an image of this shape: raises ConfigurationError."""
        if isinstance(self.model, EncoderDecoderConfig) and self.model.code_size > math.prod(shape):
            raise ConfigurationError(
                "a code must be smaller than an image",
                found=f"{counted(self.model.code_size, 'number')} for an image of {math.prod(shape):,}",
                do=f"choose a smaller one with {option('code_size')}, or larger images",
            )

    def build_classifier(self, code_size: int, classes: int) -> nn.Module:
        """The classifier's head, its weights a function of the seed.

        Raises:
            ConfigurationError: not a classifier's plan.
        """
        if not isinstance(self.model, HeadConfig):
            raise ConfigurationError(
                "this needs a classifier", found=f"a run of {self.kind}", do="name another run"
            )
        with _sizes():
            return self.model.build(code_size, classes, generator(self.seed, "weights"))

    def build_auxiliary(self) -> dict[str, nn.Module]:
        """The objective's own networks by name, their weights a function of the seed."""
        if not isinstance(self.model, EncoderDecoderConfig):
            return {}
        size, draw = self.model.code_size, generator(self.seed, "weights")
        with _sizes():
            networks = build_seeded(lambda: nn.ModuleDict(self.objective.auxiliary(size)), draw)
        return dict(networks.items())


def _sizes() -> AbstractContextManager[None]:
    return within_memory(
        ConfigurationError,
        "the network must be one that this machine can hold",
        "choose smaller sizes: code_size, the channels and the neurons, or smaller images "
        f"({option('resize')})",
    )


def models_of(kind: str) -> tuple[str, ...]:
    """The names of the networks that a task may train: those it names, and those that name it."""
    return _suited(MODELS, TASKS[kind].models, kind)


def objectives_of(kind: str) -> tuple[str, ...]:
    """The names of the objectives that a task may have: those it names, and those that name it."""
    return _suited(OBJECTIVES, TASKS[kind].objectives, kind)


def suited_models(kind: str, preset: object) -> tuple[str, ...]:
    """As `models_of`, the one that the preset names first."""
    return _first_of(models_of(kind), tables_of(preset, kind)["model"])


def suited_objectives(kind: str, preset: object) -> tuple[str, ...]:
    """As `objectives_of`, the one that the preset names first."""
    return _first_of(objectives_of(kind), tables_of(preset, kind)["objective"])


def _first_of(suited: tuple[str, ...], settings: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([settings.get("name", suited[0]), *suited]))


def tables_of(preset: object, kind: str) -> Mapping[str, Mapping[str, Any]]:
    """What a preset has for a task's model, objective and training, else what the task itself has."""
    task = TASKS[kind]
    own = {"model": task.model, "objective": task.objective, "training": task.training}
    found = settings_of_preset(preset, kind) if isinstance(preset, str) and preset in PRESETS else {}
    return {table: found.get(table, {}) if found else values for table, values in own.items()}


def against_preset(experiment: Experiment) -> Iterator[str]:
    """In words, what differs from a preset that was named: what was named beside it, or what that chose."""
    if "preset" not in experiment.model_fields_set:
        return
    kind, preset = experiment.kind, experiment.preset
    first = {"model": suited_models(kind, preset)[0], "objective": suited_objectives(kind, preset)[0]}
    for table, own in tables_of(preset, kind).items():
        named = getattr(experiment, table)
        if named.model_fields_set >= type(named).model_fields.keys():  # a whole plan, as a search has it
            continue
        usual = {**own, "name": first[table]} if table in first else own
        for name in sorted(usual.keys() & {*named.model_fields_set, "name"}):  # others may choose the name
            if getattr(named, name) != usual[name]:
                yield f"{table}.{name} = {getattr(named, name)}, where the preset has {usual[name]}"


def _preset() -> str:
    return str(Experiment.model_fields["preset"].default)


def _suited(registry: Registry[type[Member]], named: tuple[str, ...], kind: str) -> tuple[str, ...]:
    own = [name for name, member in registry.items() if kind in member.tasks]
    return tuple(dict.fromkeys([*named, *own]))


def _named(registry: Registry[Any], values: Any, suited: tuple[str, ...], table: str) -> str:
    """The member that `values` name; where they name none, the first that has their settings, or the first.

    Raises:
        ValueError: they name one that the task does not have.
    """
    given = values if isinstance(values, Mapping) else {"name": getattr(values, "name", suited[0])}
    having = (one for one in suited if given.keys() <= registry[one].model_fields.keys())
    name = given["name"] if "name" in given else next(having, suited[0])
    if not isinstance(name, str) or name not in suited:
        raise ValueError(
            f"{table}.name = {brief(name)}: {near(name, suited)}name one of: {', '.join(suited)}"
        )
    return name


def _member(registry: Registry[type[Member]], values: Any, suited: tuple[str, ...]) -> type[Member]:
    """As `_named`, the first where they name none that there is."""
    try:
        return registry[_named(registry, values, suited, "")]
    except ValueError:
        return registry[suited[0]]


def _names(model: type[NetworkConfig], objective: type[ObjectiveConfig]) -> list[str]:
    """The dotted names of all settings."""
    own = {"model": model, "objective": objective}
    shared = [name for name in names_of(Experiment) if name.partition(".")[0] not in own]
    return [*shared, *own, *(name for table, one in own.items() for name in names_of(one, f"{table}."))]


def _read_as(
    config: type[Config], values: Any, defaults: Mapping[str, Any], where: str, members: Members
) -> Any:
    """`values` over the task's defaults, with the errors' keys as the user wrote them."""
    if isinstance(values, config):
        return values
    if isinstance(values, Config):
        raise ValueError(f"{where} is a {type(values).__name__} where a {config.__name__} belongs")  # noqa: TRY004
    if not isinstance(values, dict):
        raise ValueError(f"{where} must be a table of settings")  # noqa: TRY004
    try:
        read = config.model_validate({**defaults, **values})
        return config.model_construct(set(values), **dict(read))  # what was named, apart from the defaults
    except ValidationError as error:
        raise ValueError(
            "; ".join(_described(dict(part), where, _names(*members)) for part in error.errors()[:5])
        ) from error


def _described(part: Mapping[str, Any], where: str, names: Collection[str]) -> str:
    if not part["loc"]:  # of several keys
        return describe(part, f"{where}.")
    return describe({**part, "loc": (where, *part["loc"])}, known=names)
