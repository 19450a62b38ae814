"""Options that several commands share, alone or in groups, and what they stand for."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, TypeAlias

import typer

from ..core.errors import ConfigurationError
from . import console

if TYPE_CHECKING:
    from ..core.cluster import Engine as EngineChoice
    from ..data.config import DataConfig
    from ..data.imageset import ImageSet
    from ..runs.directory import Run

LEARNED = ("train", "train+validation")


class Pair(NamedTuple):
    """Two values of one option."""

    first: Any
    second: Any


def pair(example: str, read: Callable[[str], Any]) -> Callable[[str], Pair]:
    """A parser of two values with a comma between, each as `read` reads it; in its error stands `example`."""
    kind = "whole numbers" if read is int else "numbers"

    def parse(text: str) -> Pair:
        try:
            return Pair(*(read(part.strip()) for part in text.split(",") if part.strip()))
        except (ValueError, TypeError) as error:  # TypeError: not two
            raise ConfigurationError(
                f"{example.partition('=')[0]} takes two {kind} with a comma between",
                found=repr(text),
                do=f"write for example {example}",
            ) from error

    return parse


def size(text: str) -> Pair:
    """`28x28` -> (28, 28), height and width. Raises: ConfigurationError: another form."""
    from ..core.config import two_numbers

    found = two_numbers(text)
    if found is None:
        raise ConfigurationError(
            "--resize takes HEIGHTxWIDTH, in pixels", found=repr(text), do="write for example --resize 28x28"
        )
    return Pair(*found)


def _verbose(chosen: bool) -> bool:
    if chosen:
        console.set_verbosity(logging.DEBUG)
    return chosen


def _quiet(chosen: bool) -> bool:
    if chosen:
        console.set_verbosity(logging.WARNING)
    return chosen


Task: TypeAlias = Annotated[str | None, typer.Argument(metavar="TASK", help="What to train: {tasks}.")]
RunPath: TypeAlias = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]
Json: TypeAlias = Annotated[bool, "One JSON value on standard output, nothing else."]
MovedData: TypeAlias = Annotated[
    str | None,
    "The new place of the run's own images, if they were moved; they are checked by their hash.",
    "SPEC",
]
Resize: TypeAlias = Annotated[Pair | None, "Convert every image to this size.", "HxW", {"parser": size}]
Strict: TypeAlias = Annotated[bool | None, "Stop at an unreadable image; with a run, also at another shape."]
Fonts: TypeAlias = Annotated[str | None, "The fonts for glyphs.", "bundled|system|DIR"]
Recipe: TypeAlias = Annotated[str | None, "A TOML recipe: a file, or {recipes}.", "FILE"]
Preset: TypeAlias = Annotated[
    str | None, "Networks and settings: {presets}. \\[default: the recipe's, else default]", "NAME"
]
Precision: TypeAlias = Annotated[
    str | None,
    "Precision of the training. auto: bf16 if the hardware supports it natively, else 32.",
    "auto|32|bf16",
]
Engine: TypeAlias = Annotated[
    str,
    "Where to compute: {engines}. ray: this machine's cluster, or that of RAY_ADDRESS; "
    "ray://HOST:PORT: another.",
    "local|ray|ray://HOST:PORT",
]
_COMPUTES = "The device to compute on. auto: a GPU if there is one, else the CPU."
Device: TypeAlias = Annotated[str, _COMPUTES, "auto|cpu|cuda|mps"]
PlannedDevice: TypeAlias = Annotated[str | None, _COMPUTES, "auto|cpu|cuda|mps"]  # None: the plan's


@dataclass(frozen=True, kw_only=True)
class Messages:
    """How much is said; every command has it."""

    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", callback=_verbose, expose_value=False, help="Show more messages."),
    ] = False
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", callback=_quiet, expose_value=False, help="Show warnings and errors only."
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How images are read, whatever they are."""

    panel: ClassVar = "Data"

    resize: Resize = None
    fit: Annotated[str | None, "How to fit an image of another shape.", "crop|pad|stretch"] = None
    levels: Annotated[
        str | None,
        "Which values become black and white in images of more than 8 bits.",
        "auto|full|LOW,HIGH|percentile",
    ] = None
    channels: Annotated[str | None, "Make all images grey, or colour.", "auto|1|3"] = None
    tiles: Annotated[str | None, "Cut each image into tiles of this size.", "HxW[/STRIDE]"] = None
    group_by: Annotated[
        str | None,
        "Which images stay together in a split: a pattern over names, their folder, or a CSV file.",
        "PATTERN|folder|FILE",
    ] = None
    label: Annotated[
        str | None, "Column or array with the labels, if there are several; or no labels.", "COLUMN|none"
    ] = None
    label_by: Annotated[
        str | None,
        "Labels from the names of images: a pattern, the folder, or a CSV file.",
        "PATTERN|folder|FILE",
    ] = None
    deduplicate: Annotated[bool | None, "Keep one of each set of exact copies."] = None
    conflicts: Annotated[
        str | None, "With --deduplicate: which of copies with different labels to keep.", "none|first"
    ] = None
    limit: Annotated[int | None, "A random sample of N images, if there are more.", "N", {"min": 1}] = None
    strict: Strict = None
    fonts: Fonts = None

    def settings(self, spec: str | None) -> dict[str, Any]:
        """The settings of `data` that were given; paths are made absolute."""
        from ..core.config import without_unset

        by_name = {
            name: said if said in (None, "folder") else _absolute(str(said))
            for name, said in (("group_by", self.group_by), ("label_by", self.label_by))
        }
        return without_unset({**data_changes(spec), **vars(self), **by_name})

    def config(self, spec: str | None) -> "DataConfig":
        from ..data.config import DataConfig

        return DataConfig.parse(self.settings(spec), "the data options")


def together(specs: Sequence[str]) -> str | None:
    """One SPEC that joins several; None of none."""
    from ..data.joined import BETWEEN

    return BETWEEN.join(specs) if specs else None


def data_changes(spec: str | None) -> dict[str, str]:
    """The setting of `data` that names the images: paths are made absolute, words stay."""
    from ..data.joined import BETWEEN, specs_of
    from ..data.sources import names_a_path

    if spec is None:
        return {}
    if not spec:  # refused where it is parsed
        return {"spec": spec}
    return {"spec": BETWEEN.join(_located(one) if names_a_path(one) else one for one in specs_of(spec))}


def _absolute(path: str) -> str:
    """`path` in full where it names something, else as it is."""
    from ..core.atomic_files import exists

    return str(Path(path).resolve()) if path and exists(Path(path)) else path


def _located(spec: str) -> str:
    """As `_absolute`, also of a pattern that stands for several files."""
    from ..data.readers.filenames import BRACES
    from ..data.remote import is_address

    several = BRACES.search(spec) and not is_address(spec) and not spec.startswith("~")
    return str(Path(spec).resolve()) if several else _absolute(spec)


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Which images, and how they are read."""

    panel: ClassVar = "Data"

    data: Annotated[
        list[str] | None,
        "notmnist, notmnist:large, glyphs, glyphs:COUNT, auto, or a path: {formats}. "
        "May be repeated to join several sets. \\[default: the recipe's, else auto]",
        "SPEC",
    ] = None
    reading: Reading

    @property
    def spec(self) -> str | None:
        """The SPEC of all sets together."""
        return together(self.data or [])

    def settings(self) -> dict[str, Any]:
        return self.reading.settings(self.spec)


@dataclass(frozen=True, kw_only=True)
class OtherData(DataOptions):
    """Other images than the run's."""

    data: Annotated[
        list[str] | None,
        "Other images to evaluate, or the new place of the run's own, which are recognised by their hash.",
        "SPEC",
    ] = None


@dataclass(frozen=True, kw_only=True)
class AskedImages:
    """The images that a run is applied to: its own where none are named."""

    panel: ClassVar = "Data"

    images: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="An image, a folder, or any SPEC. \\[default: the run's own images]"
        ),
    ] = None
    data: Annotated[str | None, "The same as DATA.", "SPEC"] = None
    reading: Reading

    def read(self, run: "Run") -> "tuple[ImageSet, bool]":
        """The images, read as the run's were but for what was given, and whether they are the run's own."""
        from ..inference.run_images import asked_images

        if self.images and self.data:
            raise ConfigurationError(
                "the images are named once",
                found=f"{self.images} and --data {self.data}",
                do="leave out one of the two",
            )
        spec = self.images or self.data
        return asked_images(run, spec, self.reading.settings(spec))


@dataclass(frozen=True, kw_only=True)
class ExperimentOptions:
    """Settings of an experiment that train and search have options for."""

    recipe: Recipe = None
    preset: Preset = None
    set_: Annotated[
        list[str] | None,
        "Any setting by its name, such as training.schedule=cosine; may be repeated. "
        "`latentspace settings` lists them.",
        "KEY=VALUE",
    ] = None
    encoder: Annotated[Path | None, "Classifier: the run that encodes its images.", "RUN"] = None
    split: Annotated[
        str | None,
        "Percent of training/validation/test images, such as 60/20/20; published: the set's own parts. "
        "\\[default: published if the set has parts, else 60/20/20]",
        "T/V/E|published",
    ] = None
    near_copies: Annotated[str | None, "Keep near copies in one part of the split.", "on|off"] = None
    seed: Annotated[
        int | None, "Seed of weights, order and noise; the split has its own seed, split.seed."
    ] = None
    device: PlannedDevice = None
    precision: Precision = None
    threads: Annotated[int | None, "Threads of the CPU. \\[default: PyTorch's choice]", {"min": 1}] = None
    data: DataOptions

    @property
    def learn_from(self) -> str | None:
        """The parts of the split that `--fit` names, where it names these and not how images are fitted."""
        return self.data.reading.fit if self.data.reading.fit in LEARNED else None

    def changes(self, more: dict[str, Any] | None = None) -> dict[str, Any]:
        """The settings that were given, nested as in config.json; those of --set are laid over the others."""
        from ..core.config import laid_over, overrides, without_unset

        data = self.data.settings()
        if self.learn_from:
            del data["fit"]
        settings = {
            "preset": self.preset,
            "seed": self.seed,
            "device": self.device,
            "precision": self.precision,
            "threads": self.threads,
            "data": data,
            "split": {"shares": self.split, "near_copies": self.near_copies},
            "encoder": None if self.encoder is None else str(self.encoder),
        }
        return laid_over(without_unset({**settings, **(more or {})}), overrides(self.set_ or []))


def parsed_engine(text: str, cpus: float | None = None, gpus: float | None = None) -> "EngineChoice":
    """The engine that `--engine` names. Raises: ConfigurationError: none of that name, or no address."""
    from ..core.cluster import Engine as EngineChoice
    from ..search.executors import EXECUTORS

    EXECUTORS.require(text.partition("://")[0])
    return EngineChoice.named(text, cpus=cpus, gpus=gpus)


def moved(run: "Run", spec: str | None) -> "DataConfig | None":
    """The run's own data settings, with the place where its images are now."""
    from ..data.config import DataConfig

    settings = {**run.experiment.data.model_dump(), **data_changes(spec)}
    return None if spec is None else DataConfig.parse(settings, "the data options")


def refuse_beside(context: Any, option: str, why: str, *allowed: str) -> None:
    """Refuse what was given beside `option` and those `allowed`: raises ConfigurationError."""
    free = {option, *allowed, "--verbose", "--quiet"}
    found = [
        one.opts[0] if one.param_type_name == "option" else str(one.metavar)
        for one in context.command.params
        if not free.intersection(one.opts)
        and (source := context.get_parameter_source(str(one.name)))
        and source.name == "COMMANDLINE"
    ]
    if found:
        do = f"leave {'it' if len(found) == 1 else 'them'} out"
        raise ConfigurationError(f"{option} stands alone: {why}", found=", ".join(found), do=do)
