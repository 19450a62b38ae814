"""latentspace anomalies"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..core.wording import counted
from . import console
from .engines import computed_by
from .options import AskedImages, Device, Engine, Json, RunPath

if TYPE_CHECKING:
    from ..inference.anomalies import Anomalies
    from ..inference.trained import TrainedAutoencoder

TABLE, PAGE = "anomalies.csv", "anomalies.html"
FILES = {TABLE: (".csv", ".parquet", ".npz"), PAGE: (".html",)}


def anomalies(
    *,
    run: RunPath,
    out: Annotated[
        Path | None,
        "A table (.csv, .parquet, .npz), a page of the hundred most unusual (.html), or a folder for both.",
        "PATH",
    ] = None,
    by: Annotated[str, "The score to rank by.", "combined|error|distance|appearance"] = "combined",
    false_alarms: Annotated[
        float | None,
        "The share of normal images that may be flagged. \\[default: 0.01, or the lowest possible]",
        "RATE",
    ] = None,
    force: Annotated[bool, "Replace an existing file or folder."] = False,
    json: Json = False,
    device: Device = "auto",
    engine: Engine = "local",
    asked: AskedImages,
) -> None:
    """Rank images by how unusual they are for a run: by reconstruction, code and appearance.

    Each score has its percentile among the run's validation images. The run's own images must be available.

    [bold]Examples[/bold]

      latentspace anomalies runs/letters

      latentspace anomalies runs/letters scans/ --out strange --false-alarms 0.005
    """
    from ..core.output_files import write_file
    from ..inference.anomalies import find_anomalies
    from ..inference.kept_refined import refined_kept
    from ..inference.run_images import own_or_other
    from ..inference.tables import write_table
    from ..inference.trained import encoder_run
    from ..report.anomalies import anomalies_page
    from ..report.page import render
    from ..runs.directory import Run
    from .outputs import outputs

    files = {} if out is None else outputs(out, FILES, force=force)
    opened = encoder_run(Run.open(run))
    with console.following(), computed_by(engine, device) as computed:
        trained = _checked(opened, device, by, false_alarms)
        images, own = asked.read(opened)
        with refined_kept(trained):
            found = find_anomalies(
                trained,
                None if own else images,
                own=images if own else own_or_other(opened, None)[0],
                by=by,  # type: ignore[arg-type]
                false_alarms=false_alarms,
                computed=computed,
            )
            if PAGE in files:
                write_file(files[PAGE], render(anomalies_page(trained, found)), force=force)
        if TABLE in files:
            write_table(files[TABLE], [found.columns()], force=force)
    _show(run, found, files, json=json)


def _checked(opened: Any, device: str, by: str, false_alarms: float | None) -> "TrainedAutoencoder":
    """The network; what cannot be ranked is refused before images are read."""
    from ..inference.anomalies import check
    from ..inference.trained import TrainedAutoencoder

    check(opened, by, false_alarms)
    return TrainedAutoencoder.load(opened, device)


def _show(run: Path, found: "Anomalies", files: dict[str, Path], *, json: bool) -> None:
    facts: dict[str, Any] = {
        "run": str(run),
        "images": len(found.images),
        "by": found.by,
        "false_alarms": found.false_alarms,
        "threshold": found.threshold,
        "flagged": int(found.flagged.sum()),
        "out": [str(path) for path in files.values()],
    }
    columns = found.columns()
    front = ("rank", "name", "label", found.by, f"{found.by}_percentile", "flagged")  # where few have room
    ordered = {name: columns[name] for name in (*front, *columns) if name in columns}
    console.show_rows(facts, ordered, "anomalies", json=json)
    if json:
        return
    console.say(
        f"{facts['flagged']:,} of {counted(facts['images'])} lie over the threshold ({found.threshold:.4g}, "
        f"by {found.by}), which {found.false_alarms:.2g} of usual images may pass"
    )
    for path in files.values():
        console.made(path)
