"""latentspace evaluate"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ..core.errors import ConfigurationError
from . import console
from .card import CardOptions, make_card
from .engines import computed_by
from .options import Device, Engine, Json, OtherData, Reading, RunPath

if TYPE_CHECKING:
    from ..evaluation.evaluate import Evaluation
    from ..runs.directory import Run


def evaluate(
    *,
    run: RunPath,
    split: Annotated[
        str | None,
        "The part to evaluate on: train, validation, test or all. \\[default: test; for other data all]",
        "PART",
    ] = None,
    json: Json = False,
    iwae_samples: Annotated[int, "vae: sampled codes per image for the importance-weighted bound.", "K"] = 16,
    device: Device = "auto",
    engine: Engine = "local",
    card: CardOptions,
    data: OtherData,
) -> None:
    """Evaluate a finished run on images that it did not learn from: all metrics, in float32.

    With --card: reconstruction, codes, samples, robustness and calibration, each number with its
    baselines and an interval; as a page, and with --json as JSON.

    [bold]Examples[/bold]

      latentspace evaluate runs/letters

      latentspace evaluate runs/letters --card

      latentspace evaluate runs/letters --data more-letters/ --json
    """
    from ..evaluation.evaluate import evaluate as evaluate_run
    from ..evaluation.evaluate import require_scope
    from ..runs.directory import Run

    if card.card:
        make_card(run, split, data, card, device, engine, json=json)
        return
    card.refuse_alone()
    require_scope(split)
    if data.spec is None and data.reading != Reading():
        raise ConfigurationError(
            "--resize, --deduplicate, --strict and --fonts say how to read --data",
            found="no --data",
            do="add --data SPEC, or leave them out: the run's own settings are used for its own data",
        )
    other = None if data.spec is None else data.reading.config(data.spec)
    opened = Run.open(run)
    with console.following(), computed_by(engine, device) as computed:
        result = evaluate_run(opened, other, split, iwae_samples, device, computed)  # type: ignore[arg-type]
    if json:
        console.show_json({"run": str(run), **result.to_json()})
        return
    _show(run, opened, result)


def _show(run: Path, opened: "Run", result: "Evaluation") -> None:
    """The metrics, beside those that were published of the same images, if any were."""
    from ..studies import published

    rows = [
        ["images", console.number(result.images)],
        ["exact copies of training images", console.number(result.seen_in_training)],
        *_beside(result, opened.experiment.task.score),
        *([name, _shown(value)] for name, value in result.metrics.items()),
        *_enough(result),
    ]
    columns = ["", "value"]
    own = result.content_hash == opened.data.content_hash
    beside = published(result.kind, opened.data.comparable and own)
    if beside is not None:
        columns = [*columns, beside.name]
        rows = [[*row, beside.result(result.kind, row[0]) or ""] for row in rows]
    console.show_table(f"{run}: {result.split} of {result.data}", columns, rows)


def _beside(result: "Evaluation", score: str) -> Iterator[list[str]]:
    """Rows of near copies, of the score without any copy, and of PCA; where each is known."""
    if result.near_copies_of_training is not None:
        yield ["near copies of training images", console.number(result.near_copies_of_training)]
    if result.score_without_copies is not None:
        yield [f"{score} without copies", _shown(result.score_without_copies)]
    if result.mse_of_mean_codes is not None and result.mse_of_pca is not None:
        yield ["mean squared error per pixel, mean codes", _shown(result.mse_of_mean_codes)]
        yield ["the same of PCA with as many numbers", _shown(result.mse_of_pca)]


def _enough(result: "Evaluation") -> Iterator[list[str]]:
    """A row of the shorter code that does nearly as well, where codes are ordered."""
    from ..evaluation.code_sizes import numbers_enough
    from ..evaluation.metrics import BY_CODE_SIZE

    sizes, errors = (result.metrics.get(name) for name in BY_CODE_SIZE)
    if isinstance(sizes, list) and isinstance(errors, list):
        yield ["numbers within a tenth of the error of all", console.number(numbers_enough(sizes, errors))]


def _shown(value: float | int | list[float]) -> str:
    if isinstance(value, list):
        return " ".join(f"{one:.4g}" for one in value)
    return str(value) if isinstance(value, int) else f"{value:.5f}"
