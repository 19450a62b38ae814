"""Which settings the score depends on: bars, one panel an objective."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from ...core.errors import RunError
from ...core.wording import counted
from ...search.positions import labels
from ...search.results import Importances, StudyRecord
from ..style import BODY, PALETTE, SMALL, WIDTH, blank, styled
from ..text import legible, wrapped
from .values import objective_label

_MOST = 16  # bars; the others share one


@dataclass(frozen=True)
class ImportanceBars:
    """One panel: names and shares, largest first, and of how many trials."""

    title: str
    names: tuple[str, ...]
    shares: tuple[float, ...]
    trials: int


def importance_bars(record: StudyRecord) -> tuple[ImportanceBars, ...]:
    """A panel for each objective of which something can be said.

    Raises:
        RunError: there is none.
    """
    panels = tuple(_bars(one) for one in record.importances if one.shares)
    if not panels:
        raise RunError(
            "importances need enough complete trials that differ",
            found="; ".join(f"{one.objective}: {one.why_not}" for one in record.importances)
            or "no objective",
            do="let the search run on",
        )
    return panels


def _bars(importances: Importances) -> ImportanceBars:
    names = labels(importances.shares)
    pairs = [(names[setting], share) for setting, share in importances.shares.items()]
    if len(pairs) > _MOST:
        rest = pairs[_MOST - 1 :]
        pairs = [*pairs[: _MOST - 1], (f"{counted(len(rest), 'other')}", sum(share for _, share in rest))]
    return ImportanceBars(
        title=f"share of the variance of the {objective_label(importances.objective)}",
        names=tuple(name for name, _ in pairs),
        shares=tuple(share for _, share in pairs),
        trials=importances.trials,
    )


def draw_importances(panels: tuple[ImportanceBars, ...]) -> Figure:
    """Bars that lie, so that their names stand upright; each ends in its share."""
    heights = [0.6 + 0.21 * len(panel.names) for panel in panels]
    with styled():
        figure = blank(WIDTH, sum(heights) + 0.1, constrained=True)
        grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
        for axes, panel in zip(grid[:, 0], panels, strict=True):
            places = range(len(panel.names))
            bars = axes.barh(places, panel.shares, color=PALETTE[0], height=0.62)
            axes.bar_label(bars, [f"{share:.1%}" for share in panel.shares], padding=3, fontsize=SMALL)
            axes.set_yticks(places, [legible(name) for name in panel.names], fontsize=SMALL)
            axes.invert_yaxis()
            axes.set_title(wrapped(panel.title, 3.3, BODY), loc="left")
            axes.set_xlim(0, max(panel.shares) * 1.15 or 1)
            axes.set_xticks([])
            axes.grid(visible=False)
            axes.spines["bottom"].set_visible(False)
            axes.tick_params(axis="y", length=0)
    return figure
