"""How every figure looks, and how it leaves matplotlib: sizes, colours, markers, fonts; PNG, SVG, PDF.

Figures are made through the object-oriented interface; the settings hold only inside `styled()`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..core.atomic_files import make_folder
from ..core.errors import ConfigurationError
from ..core.output_files import write_file
from .text import families

# A column of print, and twice the pixels that a page's column has on a screen.
WIDTH = 4.6  # inches
DPI = 270
BODY = 9.0  # points
SMALL = 7.5

# Ten colours that stay apart under colour vision deficiency, most apart first: M. A. Petroff, "Accessible
# Color Sequences for Data Visualization", 2021, https://arxiv.org/abs/2107.02270 (the set of ten).
PALETTE = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
MARKERS = ("o", "^", "s", "v", "D", "P", "X", "<", ">", "*")
INK = "#1f2328"
QUIET = "#6b7178"
HAIRLINE = "#c9cdd2"

_LOOK: dict[str, Any] = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "font.size": BODY,
    "axes.labelsize": BODY,
    "axes.titlesize": BODY,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "text.color": INK,
    "text.parse_math": False,  # a class may be named "$5"
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.4,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.borderaxespad": 0.0,
    "lines.linewidth": 1.5,
    "svg.hashsalt": "latentspace",
}
_FORMATS: dict[str, dict[str, str | None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


@contextmanager
def styled() -> Iterator[None]:
    """The look of our figures, for drawing and for saving; afterwards matplotlib is as it was.

    It starts from matplotlib's defaults, so a user's own matplotlibrc changes nothing.
    """
    with mpl.style.context(["default", {**_LOOK, "font.family": list(families())}]):
        yield


def blank(width: float, height: float, *, constrained: bool = False) -> Figure:
    """An empty figure, in inches, on an Agg canvas."""
    figure = Figure(figsize=(width, height), layout="constrained" if constrained else None)
    FigureCanvasAgg(figure)
    return figure


def class_style(number: int) -> tuple[str, str]:
    """Colour and marker of a class: the first 100 differ in at least one, the first 10 in both."""
    return PALETTE[number % 10], MARKERS[(number + number // 10) % 10]


def _rendered(figure: Figure, suffix: str) -> bytes:
    file = BytesIO()
    with styled():
        figure.savefig(file, format=suffix[1:], metadata=_FORMATS[suffix])
    return file.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as a PNG; equal figures give equal bytes."""
    return _rendered(figure, ".png")


def save(figure: Figure, path: Path, *, force: bool = True) -> None:
    """Write `path` whole, or not at all; its suffix (.png, .svg, .pdf) is the format.

    Args:
        force: replace a file that is there.

    Raises:
        ConfigurationError: another suffix.
        OutputError: the file cannot be written, or is there.
    """
    require_format(path)
    make_folder(path.parent)
    write_file(path, _rendered(figure, path.suffix.lower()), force=force)


def require_format(path: Path) -> None:
    """Refuse a file name with a suffix that no figure is saved as: raises ConfigurationError."""
    if path.suffix.lower() not in _FORMATS:
        raise ConfigurationError(
            f"a figure is saved as one of {', '.join(_FORMATS)}",
            found=str(path),
            do=f"name it {path.stem or 'picture'}.png",
        )
