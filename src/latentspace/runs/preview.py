"""What a notebook shows of a run."""

from ..core.errors import LatentspaceError
from ..core.html import table
from .directory import Run


def as_html(run: Run) -> str:
    """What was trained, on what, and the last epoch's validation scores; of a damaged run, that it is."""
    try:
        rows = {
            "kind": run.experiment.kind,
            "images": run.data.source,
            "epochs": f"{len(run.metrics)}{'' if run.finished else ', not ended'}",
        }
        last = run.metrics[-1].get("validation", {}) if run.metrics else {}
        rows |= {f"validation {name}": f"{score:.5g}" for name, score in last.items()}
    except LatentspaceError as error:
        rows = {"damaged": error.found}
    return table(f"Run {run.path}", rows)
