"""A map of codes: the codes of all images in two dimensions."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from ..core.errors import DataError
from ..core.randomness import numpy_generator
from ..core.types import Int64Array
from ..core.wording import counted
from .mosaic import check_count
from .one_number import CodesOfClass, draw_histograms
from .style import BODY, SMALL, WIDTH, blank, class_style, styled
from .text import legible, text_width, wrapped

_ROUNDS = 6  # the classes are drawn in turns, so that the last one does not cover the others
_NAMED = 20  # classes in the legend and on the map
_MAP = np.array([3.6, 3.0])  # inches of the map that the points take, about
_AREA = {"*": 2.2, "<": 1.3, ">": 1.3, "v": 1.3, "^": 1.3, "P": 1.3, "X": 1.3}  # so that markers weigh alike


@dataclass(frozen=True, eq=False)
class CodeMap:
    """Points to draw, and what is known of all of them.

    Args:
        points: what is drawn, at random order; perhaps fewer than there are codes.
        labels: of the drawn points, or None.
        class_names: in the order of the labels.
        medians: the median of all points of each class, not-a-number for an empty class.
        explained: the share of the codes' variance along each of the two axes, or None where the axes are
            the code itself.
        codes: how many there are.
        method: what made the map, where its axes have no meaning of their own; else None.
        behind: points that are drawn in grey below the others.
        size: how many numbers a code has; None: it is not said. Of one, x is that number.
    """

    points: Float[np.ndarray, "points 2"]
    labels: Int64Array | None
    class_names: tuple[str, ...]
    medians: Float[np.ndarray, "classes 2"]
    explained: tuple[float, float] | None
    codes: int
    method: str | None = None
    behind: Float[np.ndarray, "others 2"] | None = None
    size: int | None = None

    @property
    def one_number(self) -> bool:
        """Whether a code is one number, so that there is no second axis."""
        return self.size == 1 and self.method is None


def code_map(
    points: Float[np.ndarray, "points 2"],
    *,
    explained: tuple[float, float] | None,
    labels: Int64Array | None = None,
    class_names: tuple[str, ...] = (),
    method: str | None = None,
    behind: Float[np.ndarray, "_others 2"] | None = None,
    size: int | None = None,
    most: int = 20_000,
) -> CodeMap:
    """At most `most` of the points, chosen at random, and the medians over all of them; so of those behind.

    The arguments are as in `CodeMap`.

    Raises:
        DataError: no point, a point that is not a number, or labels that do not match.
    """
    if len(points) == 0 or not np.isfinite(points).all():
        raise DataError(
            "a map of codes needs at least one code, all of them finite",
            found=f"{counted(len(points), 'code')}, "
            f"{int((~np.isfinite(points)).any(axis=1).sum())} of them not finite",
            do="look at the training's loss: the model may have diverged",
        )
    if labels is not None:
        check_count("label", len(labels), len(points), "code")
        check_count("name", len(class_names), max(len(class_names), int(labels.max()) + 1), "class")
    order = numpy_generator(0, "figure").permutation(len(points))[:most]
    medians = np.full((0 if labels is None else len(class_names), 2), np.nan)
    if labels is not None:
        for number in np.unique(labels):
            medians[number] = np.median(points[labels == number], axis=0)
    return CodeMap(
        points=points[order].astype(np.float64),
        labels=None if labels is None else labels[order],
        class_names=class_names if labels is not None else (),
        medians=medians,
        explained=explained,
        codes=len(points),
        method=method,
        behind=None
        if behind is None
        else behind[numpy_generator(0, "figure").permutation(len(behind))[:most]].astype(np.float64),
        size=size,
    )


def _scatter(axes: Axes, codes: CodeMap) -> None:
    """Small and transparent where there are many; kept as pixels in a vector file."""
    count = len(codes.points)
    size = float(np.clip(12_000 / count, 3.5, 18))
    if codes.behind is not None:
        axes.scatter(codes.behind[:, 0], codes.behind[:, 1], s=3.5, color="#cccccc", linewidths=0)
    alpha = float(np.clip(4000 / count, 0.45, 0.9))
    labels = np.zeros(count, dtype=np.int64) if codes.labels is None else codes.labels
    for turn in np.array_split(np.arange(count), _ROUNDS):
        for number in np.unique(labels[turn]):
            points = codes.points[turn][labels[turn] == number]
            colour, marker = class_style(int(number))
            axes.scatter(
                points[:, 0],
                points[:, 1],
                s=size * _AREA.get(marker, 1.0),
                color=colour,
                marker=marker,
                alpha=alpha,
                linewidths=0,
                rasterized=True,
            )


def spread(
    places: Float[np.ndarray, "names 2"], sizes: Float[np.ndarray, "names 2"]
) -> Float[np.ndarray, "names 2"]:
    """Where to print names so that they do not cover each other: moved up and down until they are apart.

    Args:
        places: where each name belongs, its middle.
        sizes: width and height of each name, in the same units.
    """
    moved = places.copy()
    for _ in range(200):
        apart = True
        for one, other in combinations(range(len(moved)), 2):
            need = (sizes[one] + sizes[other]) / 2
            gap = moved[other] - moved[one]
            if abs(gap[0]) < need[0] and abs(gap[1]) < 0.999 * need[1]:
                apart = False
                push = (need[1] - abs(gap[1])) / 2 * (1 if gap[1] >= 0 else -1)
                moved[one, 1] -= push
                moved[other, 1] += push
        if apart:
            break
    return moved


def _there(codes: CodeMap) -> list[int]:
    """The classes that have a code."""
    return np.flatnonzero(np.isfinite(codes.medians[:, 0])).tolist()


def _name_classes(axes: Axes, codes: CodeMap) -> None:
    """The name of each class at its median, or near it with a line to it."""
    there = _there(codes)[:_NAMED]
    names = [legible(codes.class_names[number], limit=12) for number in there]
    points = BODY + 2 if max(map(len, names)) <= 2 else SMALL
    # the map is drawn to one scale, which follows from its extent: what an inch of it is in its own units
    inch = float((np.ptp(codes.points, axis=0) / _MAP).max()) or 1.0
    sizes = np.array([[text_width(name, points) * 1.15, points * 1.1 / 72] for name in names]) * inch
    halo = [withStroke(linewidth=2.5, foreground="white")]
    medians = codes.medians[there]
    for name, median, place in zip(names, medians, spread(medians, sizes), strict=True):
        if abs(place[1] - median[1]) > sizes[0, 1] / 2:
            axes.plot(*np.stack([median, place]).T, color="black", linewidth=0.7, zorder=4)
        text = axes.text(float(place[0]), float(place[1]), name, size=points, weight="bold", zorder=5)
        text.set(ha="center", va="center", path_effects=halo)


def _legend(figure: Figure, codes: CodeMap) -> None:
    few = len(codes.class_names) <= _NAMED
    listed = list(range(len(codes.class_names))) if few else _there(codes)
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="", markersize=4.5, markeredgewidth=0)
        for colour, marker in map(class_style, listed[:_NAMED])
    ]
    texts = [legible(codes.class_names[number], limit=20) for number in listed[:_NAMED]]
    more = len(listed) - len(handles)
    if more > 0:
        handles.append(Line2D([], [], linestyle=""))
        texts.append(f"and {counted(more, 'more class')}")
    across = int(WIDTH / (0.32 + max(text_width(text, SMALL) for text in texts)))
    # matplotlib leaves a label out that begins with "_", so the names are set afterwards
    legend = figure.legend(
        handles,
        [str(number) for number in range(len(handles))],
        loc="outside lower center",
        ncols=max(1, min(10, across)),
        handletextpad=0.1,
        columnspacing=1.0,
    )
    for place, text in zip(legend.get_texts(), texts, strict=True):
        place.set_text(text)


def _drawn(codes: CodeMap) -> str:
    if len(codes.points) == codes.codes:
        return counted(codes.codes, "code")
    return f"{len(codes.points):,} of {counted(codes.codes, 'code')}, chosen at random"


def _axis_names(codes: CodeMap) -> tuple[str, str, str]:
    """The labels of the two axes, and the line over the map."""
    drawn = _drawn(codes)
    if codes.method is not None:
        return (
            f"x of the map by {codes.method}",
            "y",
            f"{drawn}; by {codes.method}, only nearness means something",
        )
    if codes.explained is None:
        return "first dimension of the code", "second dimension of the code", drawn
    first, second = codes.explained
    return (
        f"first principal component ({first:.1%} of the variance)",
        f"second principal component ({second:.1%})",
        f"{drawn}; the two axes hold {first + second:.1%} of the variance",
    )


def _of_one_number(codes: CodeMap) -> Figure:
    """A histogram for each class; without classes, one of all codes."""
    values, there = codes.points[:, 0], _there(codes)
    shown = there[:_NAMED] if codes.labels is not None else []
    rows = [
        CodesOfClass(
            codes.class_names[one], values[codes.labels == one], float(codes.medians[one, 0]), colour
        )
        for one, (colour, _) in ((number, class_style(number)) for number in shown)
    ] or [CodesOfClass("these images", values, float(np.median(values)), class_style(0)[0])]
    if codes.behind is not None:
        behind = codes.behind[:, 0]
        rows.append(CodesOfClass("images of the map", behind, float(np.median(behind)), "#aaaaaa"))
    line = _drawn(codes)
    if len(shown) < len(there):
        line += f"; {len(shown)} of {counted(len(there), 'class')}"
    return draw_histograms(rows, line)


def draw_codes(codes: CodeMap) -> Figure:
    """A scatter plot: colour and marker by class, the class's name at its median.

    Of codes of one number a histogram for each class.
    """
    if codes.one_number:
        return _of_one_number(codes)
    with styled():
        figure = blank(WIDTH, 4.4, constrained=True)
        axes = figure.add_subplot()
        _scatter(axes, codes)
        axes.set_aspect("equal", adjustable="datalim")
        across, up, line = _axis_names(codes)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.set_title(wrapped(line, _MAP[0], BODY), loc="left")
        if codes.class_names:
            _name_classes(axes, codes)
            _legend(figure, codes)
    return figure
