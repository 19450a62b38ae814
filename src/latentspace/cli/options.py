"""Options that several commands share, and what they stand for."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from ..core.errors import ConfigurationError
from . import console

if TYPE_CHECKING:
    from ..data.config import DataConfig
    from ..runs.directory import Run


def _verbose(chosen: bool) -> bool:
    if chosen:
        console.set_verbosity(logging.DEBUG)
    return chosen


def _quiet(chosen: bool) -> bool:
    if chosen:
        console.set_verbosity(logging.WARNING)
    return chosen


DATA_PANEL = "Data"

Data: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="SPEC",
        rich_help_panel=DATA_PANEL,
        help="notmnist, notmnist:large, glyphs, glyphs:COUNT, auto, or a path: a folder of images or of "
        "class folders, IDX files, .npz, .npy, a zip or tar archive. \\[default: the recipe's, else auto]",
    ),
]
OtherData: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="SPEC",
        rich_help_panel=DATA_PANEL,
        help="Other images to judge the run on, or where its own are now; these are known by their hash.",
    ),
]
MovedData: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="SPEC",
        rich_help_panel=DATA_PANEL,
        help="Where the run's own images are now, if they were moved; they are known by their hash.",
    ),
]
Resize: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="HxW", rich_help_panel=DATA_PANEL, help="Bring every image to this size."),
]
Deduplicate: TypeAlias = Annotated[
    bool | None,
    typer.Option("--deduplicate", rich_help_panel=DATA_PANEL, help="Keep one of each set of exact copies."),
]
Strict: TypeAlias = Annotated[
    bool | None,
    typer.Option("--strict", rich_help_panel=DATA_PANEL, help="Stop at the first unreadable image."),
]
Fonts: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="bundled|system|DIR",
        rich_help_panel=DATA_PANEL,
        help="The fonts that glyphs are rendered from.",
    ),
]
Precision: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="auto|32|bf16",
        help="Precision of the training. auto: bf16 where the hardware computes in it, else 32.",
    ),
]
_DEVICE = typer.Option(
    "--device",
    metavar="auto|cpu|cuda|mps",
    help="The device that computes. auto: a GPU where there is one, else the CPU.",
)
Device: TypeAlias = Annotated[str, _DEVICE]
PlannedDevice: TypeAlias = Annotated[str | None, _DEVICE]  # None: the plan's
SplitShares: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="T/V/E", help="Percentages for training/validation/test, such as 60/20/20."),
]
Verbose: TypeAlias = Annotated[
    bool,
    typer.Option("--verbose", "-v", callback=_verbose, expose_value=False, help="Show more messages."),
]
Quiet: TypeAlias = Annotated[
    bool,
    typer.Option("--quiet", "-q", callback=_quiet, expose_value=False, help="Show warnings and errors only."),
]
RunPath: TypeAlias = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]


def size(text: str | None) -> tuple[int, int] | None:
    """`28x28` -> (28, 28), height and width. Raises: ConfigurationError: another form."""
    if text is None:
        return None
    from ..core.config import two_numbers

    found = two_numbers(text)
    if found is None:
        raise ConfigurationError(
            "--resize takes HEIGHTxWIDTH, in pixels", found=repr(text), do="write for example --resize 28x28"
        )
    return found


def data_changes(
    spec: str | None,
    resize: str | None = None,
    deduplicate: bool | None = None,
    strict: bool | None = None,
    fonts: str | None = None,
) -> dict[str, Any]:
    """The data settings that were given on the command line; a path is made absolute."""
    from ..core.atomic_files import exists
    from ..data.sources import names_a_path

    if spec and names_a_path(spec) and exists(Path(spec)):
        spec = str(Path(spec).resolve())
    given = {
        "spec": spec,
        "resize": size(resize),
        "deduplicate": deduplicate,
        "strict": strict,
        "fonts": fonts,
    }
    return {key: value for key, value in given.items() if value is not None}


def data_config(*given: Any) -> "DataConfig":
    """`data_changes` as a configuration of its own."""
    from ..data.config import DataConfig

    return DataConfig.parse(data_changes(*given), "the data options")


def moved(run: "Run", spec: str | None) -> "DataConfig | None":
    """The run's own data settings, with the place where its images are now."""
    from ..data.config import DataConfig

    if spec is None:
        return None
    settings = {**run.experiment.data.model_dump(), **data_changes(spec)}
    return DataConfig.parse(settings, "the data options")


def refuse_beside(context: Any, option: str, why: str, *allowed: str) -> None:
    """Refuse what was given beside `option` and those `allowed`; how much is said may be chosen.

    Raises:
        ConfigurationError: something was, and is named.
    """
    free = {option, *allowed, "--verbose", "--quiet"}
    found = [
        one.opts[0] if one.param_type_name == "option" else str(one.metavar)
        for one in context.command.params
        if not free.intersection(one.opts)
        and (source := context.get_parameter_source(str(one.name)))
        and source.name == "COMMANDLINE"
    ]
    if found:
        raise ConfigurationError(
            f"{option} stands alone: {why}",
            found=", ".join(found),
            do=f"leave {'it' if len(found) == 1 else 'them'} out",
        )


def given(changes: dict[str, Any]) -> dict[str, Any]:
    """Without the options that were not given."""
    kept = {key: given(value) if isinstance(value, dict) else value for key, value in changes.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}
