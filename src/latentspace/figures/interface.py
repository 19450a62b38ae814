"""The names that other packages use of the figures; `from ..figures import ...` finds them here."""

from .captions import (
    Caption,
    codes_caption,
    confusion_caption,
    curves_caption,
    denoising_caption,
    grid_caption,
    labels_caption,
    mistakes_caption,
    noise_caption,
    plane_caption,
    rows_caption,
    samples_caption,
    walks_caption,
)
from .codes import CodeMap, code_map, draw_codes
from .confusion import draw_confusion
from .curves import (
    Curve,
    LossCurves,
    Panel,
    Term,
    draw_curves,
    loss_curves,
)
from .grid import ImageGrid, Steps, draw_grid, image_grid
from .mosaic import shown as shown_images
from .rows import ImageRows, draw_rows, image_rows
from .samples import Samples, draw_samples, sample_images
from .search.front import Front, draw_front, search_front
from .search.history import Points, SearchHistory, draw_history, search_history
from .search.importances import ImportanceBars, draw_importances, importance_bars
from .search.intermediate import ReportedValues, draw_reported, reported_values
from .search.parallel import Coordinate, ParallelCoordinates, draw_parallel, parallel_coordinates
from .search.slices import Slice, Slices, draw_slices, search_slices
from .search.values import ValueAxis
from .series import Series, SeriesPlot, draw_series, labels_plot, noise_plot
from .style import png, save

__all__ = [
    "Caption",
    "CodeMap",
    "Coordinate",
    "Curve",
    "Front",
    "ImageGrid",
    "ImageRows",
    "ImportanceBars",
    "LossCurves",
    "Panel",
    "ParallelCoordinates",
    "Points",
    "ReportedValues",
    "Samples",
    "SearchHistory",
    "Series",
    "SeriesPlot",
    "Slice",
    "Slices",
    "Steps",
    "Term",
    "ValueAxis",
    "code_map",
    "codes_caption",
    "confusion_caption",
    "curves_caption",
    "denoising_caption",
    "draw_codes",
    "draw_confusion",
    "draw_curves",
    "draw_front",
    "draw_grid",
    "draw_history",
    "draw_importances",
    "draw_parallel",
    "draw_reported",
    "draw_rows",
    "draw_samples",
    "draw_series",
    "draw_slices",
    "grid_caption",
    "image_grid",
    "image_rows",
    "importance_bars",
    "labels_caption",
    "labels_plot",
    "loss_curves",
    "mistakes_caption",
    "noise_caption",
    "noise_plot",
    "parallel_coordinates",
    "plane_caption",
    "png",
    "reported_values",
    "rows_caption",
    "sample_images",
    "samples_caption",
    "save",
    "search_front",
    "search_history",
    "search_slices",
    "shown_images",
    "walks_caption",
]
