"""Figures: for each a data function that chooses what is drawn, and a function that draws it."""

from .captions import (
    Caption,
    codes_caption,
    curves_caption,
    grid_caption,
    rows_caption,
    samples_caption,
)
from .codes import CodeMap, code_map, draw_codes
from .curves import (
    ACCURACY,
    BCE,
    CROSS_ENTROPY,
    ELBO,
    KL,
    MSE,
    Curve,
    LossCurves,
    Panel,
    Term,
    draw_curves,
    loss_curves,
)
from .grid import ImageGrid, Steps, draw_grid, image_grid
from .rows import ImageRows, draw_rows, image_rows
from .samples import Samples, choose, draw_samples, sample_images
from .style import png, save

__all__ = [
    "ACCURACY",
    "BCE",
    "CROSS_ENTROPY",
    "ELBO",
    "KL",
    "MSE",
    "Caption",
    "CodeMap",
    "Curve",
    "ImageGrid",
    "ImageRows",
    "LossCurves",
    "Panel",
    "Samples",
    "Steps",
    "Term",
    "choose",
    "code_map",
    "codes_caption",
    "curves_caption",
    "draw_codes",
    "draw_curves",
    "draw_grid",
    "draw_rows",
    "draw_samples",
    "grid_caption",
    "image_grid",
    "image_rows",
    "loss_curves",
    "png",
    "rows_caption",
    "sample_images",
    "samples_caption",
    "save",
]
