"""latentspace classify"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from . import console
from .options import AskedImages, Device, Json, RunPath

if TYPE_CHECKING:
    from ..inference.classes import Classes

FORMATS = (".csv", ".parquet", ".npz")


def classify(
    *,
    run: RunPath,
    out: Annotated[Path | None, "Write a table: .csv, .parquet or .npz.", "FILE"] = None,
    reject: Annotated[
        float,
        "Call an image unknown if its class is less probable than for this share of validation images.",
        "SHARE",
    ] = 0.0,
    all_classes: Annotated[bool, "Print the probability of every class."] = False,
    force: Annotated[bool, "Replace an existing file."] = False,
    json: Json = False,
    device: Device = "auto",
    asked: AskedImages,
) -> None:
    """Classify images: the class of each and its probability.

    Probabilities are calibrated on the run's validation images, if these are available.

    [bold]Examples[/bold]

      latentspace classify runs/classifier new/

      latentspace classify runs/classifier new/ --out classes.csv --reject 0.05
    """
    from ..inference.classes import find_classes, refuse_share
    from ..inference.tables import refuse_table, write_table
    from ..inference.trained import TrainedClassifier
    from ..runs.directory import Run

    refuse_share(reject)
    if out is not None:
        refuse_table(out, force=force, formats=FORMATS)
    opened = Run.open(run)
    trained = TrainedClassifier.load(opened, device)
    with console.following():
        images, own = asked.read(opened)
        found = find_classes(trained, None if own else images, own=images if own else None, reject=reject)
    columns = found.columns(all_classes=all_classes)
    if out is not None:
        write_table(out, [columns], force=force)
    console.show_rows(_facts(run, found, out), columns, "classes", json=json)
    if json:
        return
    if found.calibration is not None:
        console.say(
            f"expected calibration error on validation {found.calibration.error_after:.4f} "
            f"(before: {found.calibration.error_before:.4f}; by chance alone: "
            f"{found.calibration.error_by_chance:.4f}), "
            f"temperature {found.calibration.temperature.typical:.3f}"
        )
    if out is not None:
        console.made(out)


def _facts(run: Path, found: "Classes", out: Path | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"run": str(run), "images": len(found.images)}
    if found.calibration is not None:
        temperature = found.calibration.temperature
        facts |= {
            "temperature": temperature.typical,
            "temperature_slope": temperature.slope,
            "calibration_error_before": found.calibration.error_before,
            "calibration_error": found.calibration.error_after,
            "calibration_error_by_chance": found.calibration.error_by_chance,
        }
    return facts if out is None else {**facts, "out": str(out)}
