"""latentspace evaluate"""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import ConfigurationError
from . import console
from .options import (
    Deduplicate,
    Device,
    Fonts,
    OtherData,
    Quiet,
    Resize,
    RunPath,
    Strict,
    Verbose,
    data_config,
)


def evaluate(
    run: RunPath,
    data: OtherData = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="PART",
            help="The part to judge on: train, validation, test or all. \\[default: test; all of other data]",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")
    ] = False,
    iwae_samples: Annotated[
        int, typer.Option(metavar="K", help="A vae: codes for each image in the importance-weighted bound.")
    ] = 16,
    resize: Resize = None,
    deduplicate: Deduplicate = None,
    strict: Strict = None,
    fonts: Fonts = None,
    device: Device = "auto",
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Judge a finished run on images that it did not learn from; every metric in float32.

    [bold]Examples[/bold]

      latentspace evaluate runs/letters

      latentspace evaluate runs/letters --data more-letters/ --json
    """
    from ..evaluation.evaluate import evaluate as judge
    from ..evaluation.evaluate import require_scope
    from ..runs.directory import Run
    from ..studies import published

    require_scope(split)
    if data is None and any(one is not None for one in (resize, deduplicate, strict, fonts)):
        raise ConfigurationError(
            "--resize, --deduplicate, --strict and --fonts say how to read --data",
            found="no --data",
            do="add --data SPEC, or leave them out: the run's own settings are used for its own data",
        )
    other = None if data is None else data_config(data, resize, deduplicate, strict, fonts)
    opened = Run.open(Path(run))
    with console.following():
        result = judge(opened, other, split, iwae_samples, device)  # type: ignore[arg-type]
    if json:
        console.out.print(
            json_module.dumps({"run": str(run), **result.to_json()}), soft_wrap=True, markup=False
        )
        return
    rows = [
        ["images", console.number(result.images)],
        ["exact copies of training images", console.number(result.seen_in_training)],
        *([name, _shown(value)] for name, value in result.metrics.items()),
    ]
    columns = ["", "value"]
    own = result.content_hash == opened.data.content_hash
    beside = published(result.kind, opened.data.comparable and own)
    if beside is not None:
        columns = [*columns, beside.name]
        rows = [[*row, beside.result(result.kind, row[0]) or ""] for row in rows]
    console.show_table(f"{run}: {result.split} of {result.data}", columns, rows)


def _shown(value: float | int | list[float]) -> str:
    if isinstance(value, list):
        return " ".join(f"{one:.3f}" for one in value)
    return str(value) if isinstance(value, int) else f"{value:.5f}"
