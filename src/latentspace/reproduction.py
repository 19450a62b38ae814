"""The report's studies in order, from one recipe: skip what is done, go on with what was interrupted."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import RunError
from .exhibits import gather
from .experiment import KINDS, Kind, Recipe
from .files import write_text
from .report.page import Page, render
from .report.study import autoencoder_section, data_section, footer, notices
from .report.write import report_run
from .runs import Run
from .training.train import Training, resume, start

logger = logging.getLogger(__name__)


class Reproduction:
    """One recipe at one place.

    Args:
        recipe: what to train.
        out: a folder; each study's run lies below it under the name of its kind.
        changes: laid over every study's plan, as in config.json.
    """

    kinds: tuple[Kind, ...] = KINDS

    def __init__(self, recipe: Recipe, out: Path, changes: Mapping[str, Any]) -> None:
        self.recipe = recipe
        self.out = out
        self.changes = changes

    def training(self, kind: Kind) -> Training:
        """The study's training: new, or as far as it has come.

        Raises:
            RunError: there is a run of another plan at its place.
            LatentspaceError: as `start` and `resume`.
        """
        path, plan = self.out / kind, self.recipe.experiment(kind, self.changes)
        if not (path / "config.json").exists():
            return start(plan, path)
        made = Run.open(path).experiment
        chosen = made.data.spec if plan.data.spec == "auto" else plan.data.spec
        if made != plan.model_copy(update={"data": plan.data.model_copy(update={"spec": chosen})}):
            raise RunError(
                f"{path} must be a run of this recipe",
                found="a run with other settings",
                do="name another place with --out, or move that run away",
            )
        return resume(path)

    def page(self) -> Path:
        """Write every run's own page, and the one page that shows all of them; return its path."""
        run = Run.open(self.out / "ae")
        shown = gather(run)
        report_run(run)
        page = Page(
            title="Unsupervised models on letters A-J",
            lead=(
                f"{self.recipe.description or 'A reproduction'}. Trained on {run.data.source}; on "
                f"{shown.result.images:,} test images the autoencoder's mean squared error a pixel is "
                f"{shown.result.metrics['mse']:.4f}."
            ),
            notices=notices(run),
            sections=(data_section(run, shown), autoencoder_section(run, shown)),
            footer=footer(run),
        )
        path = self.out / "report.html"
        write_text(path, render(page))
        return path
