"""latentspace classify"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..core.errors import ConfigurationError
from . import console
from .options import AskedImages, Device, Json, RunPath

if TYPE_CHECKING:
    import numpy as np

    from ..data.imageset import ImageSet
    from ..evaluation.calibration import Calibration

UNKNOWN = "unknown"
SHOWN = 40  # rows in the terminal
FORMATS = (".csv", ".parquet", ".npz")


def classify(
    *,
    run: RunPath,
    out: Annotated[Path | None, "Write a table: .csv, .parquet or .npz.", "FILE"] = None,
    reject: Annotated[
        float,
        "Call an image unknown whose class is less probable than this share of the validation images'.",
        "SHARE",
    ] = 0.0,
    all_classes: Annotated[bool, "Give the probability of every class."] = False,
    force: Annotated[bool, "Replace what is there."] = False,
    json: Json = False,
    device: Device = "auto",
    asked: AskedImages,
) -> None:
    """Name the class of images, with its probability: a row an image.

    Probabilities are calibrated on the run's validation images, by temperature, where these are at hand.

    [bold]Examples[/bold]

      latentspace classify runs/classifier new/

      latentspace classify runs/classifier new/ --out classes.csv --reject 0.05
    """
    from ..evaluation.calibration import calibrate
    from ..inference.tables import refuse_table, write_table
    from ..inference.trained import TrainedClassifier
    from ..runs.directory import Run

    if not 0 <= reject < 1:
        raise ConfigurationError(
            "--reject takes a share from 0, below 1", found=str(reject), do="write for example --reject 0.05"
        )
    if out is not None:
        refuse_table(out, force=force, formats=FORMATS)
    opened = Run.open(run)
    trained = TrainedClassifier.load(opened, device)
    with console.following():
        images, own = asked.read(opened)
        calibration = calibrate(opened, trained, images if own else None)
        least = _least(calibration, reject)
        temperature = 1.0 if calibration is None else calibration.temperature
        probabilities = trained.probabilities(images, temperature=temperature)
    columns = _columns(images, probabilities, trained.class_names, least, all_classes=all_classes)
    facts = _facts(run, len(images), calibration)
    if out is not None:
        write_table(out, [columns])
        facts["out"] = str(out)
    _show(facts, columns, json=json)
    if out is not None and not json:
        console.made(out)


def _least(calibration: "Calibration | None", reject: float) -> float:
    """The lowest probability of a class that is named."""
    if not reject:
        return 0.0
    if calibration is None:
        raise ConfigurationError(
            "--reject needs the run's validation images",
            found="none at hand",
            do="bring the run's images back to their place, or leave --reject out",
        )
    return calibration.rejecting(reject)


def _facts(run: Path, images: int, calibration: "Calibration | None") -> dict[str, Any]:
    facts: dict[str, Any] = {"run": str(run), "images": images}
    if calibration is not None:
        facts |= {
            "temperature": calibration.temperature,
            "calibration_error_before": calibration.error_before,
            "calibration_error": calibration.error_after,
        }
    return facts


def _columns(
    images: "ImageSet",
    probabilities: "np.ndarray",
    names: tuple[str, ...],
    least: float,
    *,
    all_classes: bool,
) -> dict[str, Any]:
    import numpy as np

    best, highest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    columns: dict[str, Any] = {"name": list(images.names)}
    if images.labels is not None:
        columns["label"] = [images.class_names[label] for label in images.labels.tolist()]
    columns["class"] = [
        UNKNOWN if one < least else names[place]
        for one, place in zip(highest.tolist(), best.tolist(), strict=True)
    ]
    columns["probability"] = highest.astype(np.float32)
    if all_classes:
        columns |= {f"p({name})": probabilities[:, place] for place, name in enumerate(names)}
    return columns


def _plain(column: Any) -> list[Any]:
    return list(column) if isinstance(column, list) else column.tolist()


def _show(facts: dict[str, Any], columns: dict[str, Any], *, json: bool) -> None:
    if json:
        every = zip(*(_plain(column) for column in columns.values()), strict=True)
        console.show_json({**facts, "classes": [dict(zip(columns, row, strict=True)) for row in every]})
        return
    rows = [
        [one if isinstance(one, str) else console.number(one) for one in row]
        for row in list(zip(*(_plain(column) for column in columns.values()), strict=True))[:SHOWN]
    ]
    console.show_table(facts["run"], list(columns), rows)
    if facts["images"] > SHOWN:
        console.say(f"{facts['images'] - SHOWN:,} more: --out FILE.csv or --json has all of them")
    if "calibration_error" in facts:
        console.say(
            f"expected calibration error on validation {facts['calibration_error']:.4f} "
            f"(before: {facts['calibration_error_before']:.4f}), temperature {facts['temperature']:.3f}"
        )
