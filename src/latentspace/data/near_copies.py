"""Near copies: images that are one picture, moved by a pixel or two, saved anew, scaled or brightened.

1. A perceptual hash: the lowest cosines of the picture's middle, at each offset of up to two pixels, by its
   contrast. Images whose hashes are within `NEAR`, at one of the offsets, are candidates; `candidates` finds
   them in sorted cells, with a bounded number of comparisons for each image.
2. The pixels: one picture must be explained by the other, blurred or sharpened, made lighter or darker, and
   moved by part of a pixel. What is left unexplained must be below `UNEXPLAINED` of its variance, and nowhere
   above `LARGEST` of its contrast. Letters of two fonts fail here, and so do neighbours of a film that moves.

benchmarks/near_copies.py measures what is found and missed. Images without detail (a contrast below `FLAT`;
of the lowest cosines too, but for images with `DETAIL`) and of fewer than 8 pixels a side are not compared.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from jaxtyping import Float16, Float32

from ..core.child_processes import cores
from ..core.progress import told
from ..core.types import Hashes, Int64Array, Pixels
from .cells import candidates
from .cleaning import first_of_each
from .memmap import blocks

RULES: Final = 2  # of what is a near copy; another number after each change of what is found
MOST: Final = 1_000_000  # images that are looked through
NEAR: Final = 0.14  # distance of two hashes, in parts of the contrast
UNEXPLAINED: Final = 0.0016  # share of the variance
LARGEST: Final = 0.3  # part of the contrast
NOISE: Final = 3.0  # levels of 255 that these may be exceeded by, of images that have DETAIL; else a tenth
DETAIL: Final = 5.0  # levels of contrast
FLAT: Final = 3.0  # levels of contrast
FAINTEST: Final = 1.0  # levels of contrast in the lowest cosines, of images with DETAIL
SIDE: Final = 32  # pixels; larger images are compared at this size
SMALLEST: Final = 8
SHIFT: Final = 2  # pixels
COSINES: Final = 5  # of the lowest frequencies, in each direction
FAINT: Final = 12.0  # levels; hashes of images of less contrast are by this
TINY: Final = np.float32(1e-6)
CHUNK: Final = 256  # pairs compared at a time
PIECE: Final = 50_000  # images that are looked through at once beside others, at least

Planes: TypeAlias = Float32[np.ndarray, "_images _planes _height _width"]
Rows: TypeAlias = Float32[np.ndarray, "_images _numbers"]


@dataclass(frozen=True)
class Pairs:
    """Near copies that are no exact ones, the closest first; of equal images the first stands for all."""

    first: Int64Array
    second: Int64Array

    def __len__(self) -> int:
        return len(self.first)


def near_copies(pixels: Pixels, hashes: Hashes) -> Pairs:
    """The pairs of near copies among `pixels`, whose exact copies have equal `hashes`."""
    distinct = first_of_each(hashes)
    none = np.zeros(0, dtype=np.int64)
    if min(pixels.shape[2:]) < SMALLEST or len(distinct) < 2:
        return Pairs(none, none)
    offsets = _offsets(pixels.shape[2:])
    rows, found = _hashes(pixels, distinct, offsets)
    first, second, offset = candidates(rows, NEAR)
    first, second = found[first], found[second]
    left = _left_of(lambda at: pixels[at], first, second, offset, offsets)
    kept = np.flatnonzero(np.isfinite(left))
    kept = kept[np.lexsort((second[kept], first[kept], left[kept]))]
    first, second = np.minimum(first, second)[kept], np.maximum(first, second)[kept]
    return Pairs(first, second)


def near_copies_of(others: Pixels, held_out: Int64Array, pixels: Pixels, rows: Int64Array) -> Int64Array:
    """Those of `rows` whose images among `pixels` are near copies of images of `others` at `held_out`.

    In pieces: beside the pixels, which may be on disk, memory is needed for the hashes of `held_out` and for
    as many again (`PIECE` at least), whatever the number of `rows`.

    Args:
        held_out: ascending, as `rows`; no two of either are equal images.
    """
    if min(pixels.shape[2:]) < SMALLEST or not len(held_out):
        return rows[:0]
    offsets = _offsets(pixels.shape[2:])
    known, of_others = _hashes(others, held_out, offsets)
    step, found = max(PIECE, len(held_out)), [rows[:0]]
    for start in range(0, len(rows), step):
        hashes, here = _hashes(pixels, rows[start : start + step], offsets)
        first, second, offset = candidates(np.concatenate([known, hashes], axis=1), NEAR)
        across = (first < len(of_others)) != (second < len(of_others))
        first, second, offset = first[across], second[across], offset[across]
        numbers = np.concatenate([of_others, here])

        def pictures(at: Int64Array, numbers: Int64Array = numbers) -> Pixels:
            mixed = np.empty((len(at), *pixels.shape[1:]), pixels.dtype)
            for one, source in ((at < len(of_others), others), (at >= len(of_others), pixels)):
                mixed[one] = source[numbers[at[one]]]
            return mixed

        left = _left_of(pictures, first, second, offset, offsets)
        found.append(numbers[np.maximum(first, second)[np.isfinite(left)]])
    return np.unique(np.concatenate(found))


def _left_of(
    pictures: Callable[[Int64Array], Pixels],
    first: Int64Array,
    second: Int64Array,
    offset: Int64Array,
    offsets: list[tuple[float, float]],
) -> Float32[np.ndarray, " _pairs"]:
    """What each pair leaves unexplained of its two pictures; infinite for no near copies."""
    left = np.full(len(first), np.inf, dtype=np.float32)
    order = np.argsort(offset, kind="stable")

    def compare(run: slice) -> None:
        here = order[run]
        shift = offsets[int(offset[here[0]])]
        left[here] = _unexplained(_planes(pictures(first[here])), _planes(pictures(second[here])), shift)

    with ThreadPoolExecutor(min(4, cores())) as pool:  # NumPy computes outside the lock
        runs = list(_runs(offset[order]))
        for _ in told(pool.map(compare, runs), "pairs of images compared", len(runs)):
            pass
    return left


def _offsets(sides: tuple[int, ...]) -> list[tuple[float, float]]:
    """Half of the offsets of up to two pixels, in those of the compared size; the first is none.

    The other half are the same pairs, the other way round.
    """
    scale = max(1.0, max(sides) / SIDE)
    steps = range(-SHIFT, SHIFT + 1)
    return [(y / scale, x / scale) for y in steps for x in steps if (y, x) >= (0, 0)]


def _hashes(
    pixels: Pixels, distinct: Int64Array, offsets: list[tuple[float, float]]
) -> tuple[Float16[np.ndarray, "_offsets _images _numbers"], Int64Array]:
    """The hash of each image that has detail at each offset, and which images these are."""
    height, width = _reduced(pixels.shape[2:])
    basis = np.concatenate([_cosines(height, width, one) for one in offsets], axis=1)
    size = basis.shape[1] // len(offsets)
    parts, found = [], []
    for here in told(list(blocks(pixels)), "parts of images looked through"):
        chosen = distinct[np.searchsorted(distinct, here.start) : np.searchsorted(distinct, here.stop)]
        if not len(chosen):
            continue
        seen = _brightness(pixels[chosen]).reshape(len(chosen), -1)
        rows = (seen @ basis).reshape(len(chosen), len(offsets), size)
        contrast = np.linalg.norm(rows, axis=2, keepdims=True)
        least = np.where(seen.std(axis=1) < DETAIL, FLAT, FAINTEST)
        detailed = contrast[:, 0, 0] >= least
        parts.append((rows / np.maximum(contrast, FAINT))[detailed].astype(np.float16))
        found.append(chosen[detailed])
    return np.concatenate(parts).transpose(1, 0, 2), np.concatenate(found)


def _cosines(height: int, width: int, offset: tuple[float, float]) -> Rows:
    """The lowest cosines of what lies `offset` beside the middle: pixels x numbers, without the mean."""
    inner = height - 2 * SHIFT, width - 2 * SHIFT
    rows, columns = (
        _moved(np.cos(np.pi * np.outer(np.arange(min(COSINES, side)), np.arange(side) + 0.5) / side), by)
        for side, by in zip(inner, offset, strict=True)
    )
    made = [
        np.outer(rows[u], columns[v]).reshape(-1) * (1 if u and v else np.sqrt(0.5))
        for u in range(len(rows))
        for v in range(len(columns))
        if 0 < u + v <= COSINES
    ]
    scale = 2 / (inner[0] * inner[1])  # the length of a row is then the contrast, in levels
    basis: Rows = (np.array(made).T * scale).astype(np.float32)
    return basis


def _moved(waves: np.ndarray, by: float) -> np.ndarray:
    """`waves` within two margins, moved by whole and parts of pixels."""
    whole = int(np.floor(by))
    part = by - whole
    padded = np.pad(waves, ((0, 0), (SHIFT + whole, SHIFT - whole)))
    return padded * (1 - part) + np.roll(padded, 1, axis=1) * part


def _reduced(sides: tuple[int, ...]) -> tuple[int, int]:
    """Height and width at which images are compared: their own up to 32 pixels."""
    scale = max(1.0, max(sides) / SIDE)
    height, width = (min(side, max(SMALLEST, round(side / scale))) for side in sides)
    return height, width


def _scaled(planes: Planes) -> Planes:
    """`planes` at the compared size, by the mean of areas."""
    for axis, (side, wanted) in enumerate(zip(planes.shape[2:], _reduced(planes.shape[2:]), strict=True)):
        if side != wanted:
            edges = np.arange(wanted + 1) * side / wanted
            low = np.clip(np.arange(side)[:, None], edges[:-1], edges[1:])
            weights = (np.clip(np.arange(side)[:, None] + 1, edges[:-1], edges[1:]) - low) * wanted / side
            weights = weights.astype(np.float32)
            planes = planes @ weights if axis else np.swapaxes(np.swapaxes(planes, 2, 3) @ weights, 2, 3)
    return planes


def _brightness(pixels: Pixels) -> Planes:
    return _scaled(_mixed(pixels)[:, :1])


def _mixed(pixels: Pixels) -> Planes:
    """Grey as it is; brightness and colour; of more channels the mean, then groups of channels."""
    values = pixels.astype(np.float32)
    channels = values.shape[1]
    if channels < 2:
        return values
    if channels == 3:
        mix = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)
    else:
        mix = np.full((1, channels), 1 / channels, dtype=np.float32)
        for group in np.array_split(np.arange(channels), min(channels, 4)):
            row = np.zeros((1, channels), dtype=np.float32)
            row[0, group] = 1 / len(group)
            mix = np.concatenate([mix, row - mix[:1]])
    flat = values.reshape(len(values), channels, -1)
    return (mix @ flat).reshape(len(values), len(mix), *values.shape[2:])


def _planes(pixels: Pixels) -> Planes:
    """What is compared: smoothed, so that grain and the blocks of a JPEG matter less; colour more so."""
    planes = _smooth(_scaled(_mixed(pixels)))
    if planes.shape[1] > 1:
        planes[:, 1:] = _smooth(planes[:, 1:])
    return planes


def _smooth(planes: Planes) -> Planes:
    """(1 2 1) / 4 in both directions, twice; the border is repeated."""
    height, width = planes.shape[2:]
    smooth: Planes = _blur(height) @ planes @ _blur(width).T
    return smooth


@cache
def _blur(side: int) -> Float32[np.ndarray, "_side _side"]:
    once = (2 * np.eye(side) + np.eye(side, k=1) + np.eye(side, k=-1)) / 4
    once[0, 0] = once[-1, -1] = 3 / 4
    twice: Float32[np.ndarray, "_side _side"] = (once @ once).astype(np.float32)
    return twice


def _runs(offset: Int64Array) -> Iterator[slice]:
    """Slices of at most `CHUNK` pairs of one offset."""
    edges = np.flatnonzero(np.diff(offset, prepend=-1, append=-1)) if len(offset) else np.zeros(0, np.int64)
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        for at in range(start, end, CHUNK):
            yield slice(at, min(at + CHUNK, end))


def _unexplained(one: Planes, other: Planes, shift: tuple[float, float]) -> Float32[np.ndarray, " _pairs"]:
    """The share of the variance that neither leaves unexplained of the other; infinite for no near copies."""
    moved = tuple(round(by) for by in shift)
    one, other = _window(one, moved), _window(other, (-moved[0], -moved[1]))
    (picture, curves), (picture2, curves2) = (
        (_centred(_inner(two)), _centred(_laplacian(two))) for two in (one, other)
    )
    sharper = (_power(curves) / (_power(picture) + TINY) < _power(curves2) / (_power(picture2) + TINY))[
        :, None
    ]
    slopes = _gradients(np.where(sharper[:, :, None, None], other, one))
    terms = np.stack(
        [np.where(sharper, picture2, picture), np.where(sharper, curves2, curves), *map(_centred, slopes)],
        axis=1,
    )
    wanted = np.where(sharper, picture, picture2)
    gram = terms @ terms.transpose(0, 2, 1)
    size = np.trace(gram, axis1=1, axis2=2)[:, None, None]
    gram += np.eye(len(gram[0]), dtype=np.float32) * (1e-4 * size + 1)
    weights = np.linalg.solve(gram, terms @ wanted[:, :, None])
    rest = wanted - (weights.transpose(0, 2, 1) @ terms)[:, 0]
    variance = _power(wanted) + TINY
    contrast = np.sqrt(variance)
    share = _power(rest) / variance
    noise = np.minimum(NOISE / contrast, np.where(contrast < DETAIL, 0.1, 1))
    mean, mean2 = (_inner(two).mean(axis=(2, 3)) for two in (one, other))
    means = np.where(sharper, mean - weights[:, 0] * mean2, mean2 - weights[:, 0] * mean)
    gain, blur, *moves = weights[:, :, 0].T
    most = noise + (0.1 if moved == shift else 0.6)
    near = (share < UNEXPLAINED + noise**2) & (np.abs(rest).max(axis=1) < (LARGEST + 4 * noise) * contrast)
    near &= (gain > 0.8) & (gain < 1.3) & (blur > -0.2 - noise) & (blur < 0.5 + 2 * noise)
    near &= (np.abs(moves) < most).all(axis=0) & (np.abs(means) < 25).all(axis=1)
    return np.where(near & (contrast >= FLAT), share, np.inf).astype(np.float32)


def _window(planes: Planes, by: tuple[int, ...]) -> Planes:
    """What is left of `planes` where another lies over it, moved by so many pixels."""
    height, width = planes.shape[2:]
    y, x = by
    return planes[:, :, max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]


def _inner(planes: Planes) -> Planes:
    return planes[:, :, 1:-1, 1:-1]


def _laplacian(planes: Planes) -> Planes:
    """What blurs a picture, or sharpens it."""
    curves: Planes = planes[:, :, :-2, 1:-1] + planes[:, :, 2:, 1:-1]
    curves += planes[:, :, 1:-1, :-2]
    curves += planes[:, :, 1:-1, 2:]
    curves -= 4 * _inner(planes)
    return curves


def _gradients(planes: Planes) -> tuple[Planes, Planes]:
    """What moves a picture by part of a pixel, down and to the right."""
    down = planes[:, :, 2:, 1:-1] - planes[:, :, :-2, 1:-1]
    right = planes[:, :, 1:-1, 2:] - planes[:, :, 1:-1, :-2]
    return down / 2, right / 2


def _centred(planes: Planes) -> Rows:
    """Each plane without its mean, in one row."""
    flat = planes.reshape(*planes.shape[:2], -1)
    rows: Rows = (flat - flat.mean(axis=2, keepdims=True)).reshape(len(planes), -1)
    return rows


def _power(rows: Rows) -> Float32[np.ndarray, " _images"]:
    """The mean square of each row."""
    mean: Float32[np.ndarray, " _images"] = np.einsum("ij,ij->i", rows, rows) / np.float32(rows.shape[1])
    return mean
