"""One drawn letter: a font's outline as a distance field, bent, weighted, filled, and cut to pixels.

Every letter starts as a signed distance (positive inside the ink, in units of the letter's height), so
that weight is an addition, an outline is a band, and roughness is noise added before the threshold.

This file imports nothing of latentspace: the workers of `glyphs.render` run it as a script, and start in
the time that numpy, Pillow and scipy.ndimage take to load.
"""

import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Field: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]

MARGIN = 0.3  # of the letter's height: as far as the distance field reaches beyond the ink


class Alphabet(NamedTuple):
    """Ten characters of one face: a font file ("" is the font inside Pillow) and the face's number in it."""

    path: str
    face: int
    letters: str


@lru_cache(maxsize=64)
def load(path: str, face: int, pixels: int) -> ImageFont.FreeTypeFont:
    """The face at `pixels` per em.

    Raises:
        OSError: not a font, no such face in it, or not scalable.
    """
    if path:
        return ImageFont.truetype(path, pixels, index=face, layout_engine=ImageFont.Layout.BASIC)
    font = ImageFont.load_default(pixels)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("Pillow was built without FreeType")
    return font


def ink(font: ImageFont.FreeTypeFont, letter: str, pixels: int) -> tuple[Bytes, int]:
    """The letter cut to its ink (0 x 0 where there is none), and how high its top is above the baseline."""
    canvas = Image.new("L", (4 * pixels, 3 * pixels))
    ImageDraw.Draw(canvas).text((pixels, 2 * pixels), letter, fill=255, font=font, anchor="ls")
    box = canvas.getbbox()
    if box is None:
        return np.zeros((0, 0), np.uint8), 0
    return np.asarray(canvas.crop(box)), 2 * pixels - box[1]


@dataclass(frozen=True)
class Master:
    """A letter's distance field, and its usual half width of stroke and of the gaps between strokes.

    All lengths are in heights of the letter, except `scale`: field pixels to a height.
    """

    field: Field
    scale: float
    width: float
    half_stroke: float
    half_gap: float


@lru_cache(maxsize=64)
def master(alphabet: Alphabet, label: int, pixels: int) -> Master:
    shape, _ = ink(load(alphabet.path, alphabet.face, pixels), alphabet.letters[label], pixels)
    height, width = shape.shape
    margin = round(MARGIN * height)
    solid_ink = shape > shape.max() // 2
    inside = np.pad(solid_ink, margin)
    field = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    field = ndimage.gaussian_filter(field - 0.5 * np.sign(field), 0.7)  # else the mask's stairs show
    field = (field / height).astype(np.float32)
    gaps = -field[margin:-margin, margin:-margin][~solid_ink]
    half_gap = 2 * float(gaps.mean()) if len(gaps) else 0.0
    return Master(field, float(height), width / height, 2 * float(field[inside].mean()), half_gap)


@dataclass(frozen=True)
class Inked:
    """A letter laid in the frame: its distance, 1 / |its slope a pixel|, and x and y from -0.5 to 0.5."""

    distance: Field
    sharpness: Field
    x: Field
    y: Field
    half_stroke: float

    def cover(self, distance: Field) -> Field:
        """How much of each pixel lies where `distance` is positive."""
        return between(distance * self.sharpness + 0.5)


def between(values: Field) -> Field:
    """Cut to what ink can be: from 0, none, to 1, full."""
    cut: Field = np.minimum(np.maximum(values, 0), 1)
    return cut


Fill: TypeAlias = Callable[[Inked, np.random.Generator], Field]


def solid(letter: Inked, _: np.random.Generator) -> Field:
    return letter.cover(letter.distance)


def hollow(letter: Inked, rng: np.random.Generator) -> Field:
    """An outline, its line inside the letter or around it."""
    line = rng.uniform(0.035, 0.075)
    outer = letter.distance + rng.uniform(0.3, 1) * line
    return between(letter.cover(outer) - letter.cover(outer - line))


def haloed(letter: Inked, rng: np.random.Generator) -> Field:
    """The letter, and an outline at a distance from it."""
    gap, line = rng.uniform(0.03, 0.06), rng.uniform(0.03, 0.06)
    halo = letter.cover(letter.distance + gap + line) - letter.cover(letter.distance + gap)
    return between(halo + letter.cover(letter.distance))


def shadowed(letter: Inked, rng: np.random.Generator) -> Field:
    """The letter, dark or bright, before its own shadow."""
    reach = rng.uniform(0.05, 0.1) * len(letter.x)
    down, right = round(reach), round(reach * rng.uniform(0.5, 1.2))
    shadow = np.full_like(letter.distance, -1)
    shadow[down:, right:] = letter.distance[:-down, :-right]
    behind = between(letter.cover(shadow) * (1 - letter.cover(letter.distance + 0.03)))
    if rng.random() < 0.5:
        return behind
    return between(behind * rng.uniform(0.4, 1) + letter.cover(letter.distance))


def waves(letter: Inked, rng: np.random.Generator, periods: tuple[float, float]) -> Field:
    """Parallel bands in [-1, 1] across the frame, level, upright or slanted."""
    angle = rng.choice([0.0, 0.5, 0.25, 0.75]) * np.pi + rng.normal(0, 0.05)
    along = np.float32(np.cos(angle)) * letter.x + np.float32(np.sin(angle)) * letter.y
    bands: Field = np.sin(along * (2 * np.pi * rng.uniform(*periods)) + rng.uniform(0, 6.3))
    return bands


def striped(letter: Inked, rng: np.random.Generator) -> Field:
    bands = between(waves(letter, rng, (4.0, 9.0)) * 3 + rng.uniform(0.2, 2.2))
    return letter.cover(letter.distance) * bands


def shaded(letter: Inked, rng: np.random.Generator) -> Field:
    """A fill that runs from bright to dark."""
    ramp = 0.5 + 0.5 * waves(letter, rng, (0.3, 0.7))
    return letter.cover(letter.distance) * (1 - rng.uniform(0.4, 0.8) * ramp)


def cut(letter: Inked, rng: np.random.Generator) -> Field:
    """A stencil: one or two straight gaps through the letter."""
    angle = rng.choice([0.0, 0.5]) * np.pi + rng.normal(0, 0.3)
    along = np.float32(np.cos(angle)) * letter.x + np.float32(np.sin(angle)) * letter.y
    gap = rng.uniform(0.02, 0.05)
    pixel = 1 / len(letter.x)
    kept = letter.cover(letter.distance)
    for place in rng.uniform(-0.3, 0.3, size=rng.integers(1, 3)).tolist():
        kept = between((np.abs(along - place) - gap) / pixel + 0.5) * kept
    return kept


def clouds(letter: Inked, rng: np.random.Generator, cells: int) -> Field:
    """Smooth noise of deviation 1, about `cells` bumps across the frame."""
    grain = Image.fromarray(rng.standard_normal((cells, cells), dtype=np.float32))
    return np.asarray(grain.resize(letter.distance.shape[::-1], Image.Resampling.BICUBIC))


def worn(letter: Inked, rng: np.random.Generator) -> Field:
    """A print with holes where the ink did not hold."""
    holes = clouds(letter, rng, int(rng.integers(8, 20)))
    return letter.cover(letter.distance) * between(holes * 3 + rng.uniform(1.5, 3.5))


def torn(letter: Inked, rng: np.random.Generator) -> Field:
    """An outline that wanders, as brushed, chalked or burnt."""
    wander = clouds(letter, rng, int(rng.integers(5, 16)))
    depth = np.float32(rng.uniform(0.25, 0.6) * min(letter.half_stroke, 0.08))
    return letter.cover(letter.distance + depth * wander)


FILLS: tuple[tuple[float, Fill], ...] = (
    (0.75, solid),
    (0.05, torn),
    (0.045, hollow),
    (0.035, shadowed),
    (0.03, striped),
    (0.03, shaded),
    (0.025, haloed),
    (0.02, worn),
    (0.015, cut),
)
_SHARES = np.cumsum([share for share, _ in FILLS])


def plate(letter: Inked, rng: np.random.Generator) -> Field:
    """A filled shape for a letter to be cut from: the whole frame, a disc, a diamond or a squircle."""
    power = float(rng.choice([np.inf, 2.0, 1.0, 4.0], p=[0.4, 0.25, 0.1, 0.25]))
    if np.isinf(power):
        return np.ones_like(letter.x)
    radius = (np.abs(letter.x) ** power + np.abs(letter.y) ** power) ** (1 / power)
    return between(((rng.uniform(0.46, 0.52) - radius) * len(letter.x) + 0.5).astype(np.float32))


def fitted(rng: np.random.Generator, wide: float, high: float, room: float) -> tuple[float, ...]:
    """The map from frame to letter, a 2 x 2 matrix by rows, that undoes a stretch, a shear and a turn.

    They put a box of half sides `wide` and `high` into `room` (1: the whole frame, as notMNIST cuts it).
    """
    angle = math.radians(rng.uniform(-22, 22) if rng.random() < 0.04 else rng.normal(0, 1.5))
    shear = rng.uniform(-0.45, 0.25) if rng.random() < 0.04 else rng.normal(-0.02, 0.06)
    stretch = math.exp(rng.normal(0, 0.12))
    fill = rng.uniform(1.3, 2) if rng.random() < 0.9 else 1.0  # how far one side may outgrow the other
    cos, sin = math.cos(angle), math.sin(angle)
    a, b, c, d = cos * stretch, cos * shear - sin, sin * stretch, sin * shear + cos
    fit_x = 0.5 * room * rng.uniform(1.02, 1.12) / (abs(a) * wide + abs(b) * high)
    fit_y = 0.5 * room * rng.uniform(1.02, 1.12) / (abs(c) * wide + abs(d) * high)
    fit_x, fit_y = min(fit_x, fit_y * fill), min(fit_y, fit_x * fill)
    return d / (stretch * fit_x), -b / (stretch * fit_y), -c / (stretch * fit_x), a / (stretch * fit_y)


def steepness(field: Field) -> Field:
    """The length of the gradient a sample, by central differences; the border has its neighbours'."""
    squares = np.empty_like(field)
    across, down = field[1:-1, 2:] - field[1:-1, :-2], field[2:, 1:-1] - field[:-2, 1:-1]
    squares[1:-1, 1:-1] = across**2 + down**2
    squares[0], squares[-1] = squares[1], squares[-2]
    squares[:, 0], squares[:, -1] = squares[:, 1], squares[:, -2]
    return np.sqrt(squares) * np.float32(0.5)


def lay(source: Master, rng: np.random.Generator, size: int, room: float, weight: float) -> Inked:
    """Sample the field, `weight` added, over a frame of `size` pixels, at two samples a pixel each way."""
    side = 2 * size
    across = np.linspace(-0.5, 0.5, side, endpoint=False, dtype=np.float32)[None] + np.float32(0.5 / side)
    down = across.T
    x, y = np.broadcast_to(across, (side, side)), np.broadcast_to(down, (side, side))
    a, b, c, d = fitted(rng, source.width / 2 + weight, 0.5 + weight, room)
    bends = (0.35, 0.3, 0.03) if rng.random() < 0.07 else (0.06, 0.04, 0.006)
    taper, bow, sway = rng.normal(0, bends).tolist()
    shift_x, shift_y = rng.uniform(-0.02, 0.02, size=2).tolist()
    bent_x = (across - shift_x) * (1 + taper * down) + sway * np.sin(9 * down)
    bent_y = down - shift_y + bow * (across**2 - 0.08)
    where = np.empty((2, side, side), np.float32)
    where[0] = (c * bent_x + d * bent_y) * source.scale + (source.field.shape[0] - 1) / 2
    where[1] = (a * bent_x + b * bent_y) * source.scale + (source.field.shape[1] - 1) / 2
    distance = ndimage.map_coordinates(source.field, where, order=1, mode="nearest")
    flattest = max(map(abs, (a, b, c, d))) / side / 3  # on a ridge, far from any edge, there is no slope
    sharpness: Field = np.reciprocal(np.maximum(steepness(distance), np.float32(flattest)))
    return Inked(distance + np.float32(weight), sharpness, x, y, source.half_stroke + weight)


def draw(alphabet: Alphabet, label: int, size: int, seed: list[int]) -> Bytes:
    """One image, `size` x `size`: a pure function of its arguments.

    What comes out nearly empty or nearly full is drawn again, from the same stream, up to 20 times.
    """
    rng = np.random.default_rng(seed)
    source = master(alphabet, label, max(96, 3 * size))
    picture = np.zeros((size, size), np.float32)
    for _ in range(20):
        fill = FILLS[int(np.searchsorted(_SHARES, rng.random() * _SHARES[-1]))][1]
        lightest = -0.3 * source.half_stroke if fill is solid else 0.02  # a thin letter torn is no letter
        weight = rng.uniform(lightest, min(rng.uniform(0.03, 0.15), max(0.7 * source.half_gap, 0.03)))
        inverted = rng.random() < 0.05
        room = rng.uniform(0.8, 0.95) if inverted else 1.0
        letter = lay(source, rng, size, room, weight)
        fine = fill(letter, rng)
        if inverted:
            fine = plate(letter, rng) * (1 - fine)
        picture = (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) * np.float32(0.25)
        if 0.05 < picture.mean() < 0.92 and picture.max() - picture.min() > 0.4:
            break
    return np.rint(picture * 255).astype(np.uint8)


def draw_many(
    alphabets: Sequence[Alphabet], plan: Sequence[tuple[int, int, int]], size: int, seed: int
) -> Bytes:
    """Images x size x size, one for each (number of the image, alphabet, label) of the plan."""
    pixels = np.empty((len(plan), size, size), np.uint8)
    for place in sorted(range(len(plan)), key=lambda one: plan[one][1:]):  # each field is made once
        image, alphabet, label = plan[place]
        pixels[place] = draw(alphabets[alphabet], label, size, [seed, image])
    return pixels


def main() -> None:
    """A worker: a job as JSON on standard input, the pixels on standard output."""
    job = json.load(sys.stdin)
    alphabets = [Alphabet(*one) for one in job["alphabets"]]
    sys.stdout.buffer.write(draw_many(alphabets, job["plan"], job["size"], job["seed"]).tobytes())


if __name__ == "__main__":
    main()
