"""One drawn letter: a font's capital, warped, made bolder or thinner, filled and cut to pixels.

Weight and outline are levels of the blurred letter: a low level lies outside its edge, a high one inside.
Roughness is noise that is added before the level is taken.

This file imports nothing of latentspace: the workers of `glyphs.render` run it as a script, and start in
the time that NumPy and Pillow take to load.
"""

import json
import math
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Grey: TypeAlias = NDArray[np.float32]
Bytes: TypeAlias = NDArray[np.uint8]


class Face(NamedTuple):
    """Ten characters of a font file ("" is the font inside Pillow), and the number of the face in it."""

    path: str
    number: int
    letters: str


@lru_cache(maxsize=64)
def load(path: str, number: int, pixels: int) -> ImageFont.FreeTypeFont:
    """The face at `pixels` per em.

    Raises:
        OSError: not a font, no such face in it, or not scalable.
    """
    if path:
        return ImageFont.truetype(path, pixels, index=number, layout_engine=ImageFont.Layout.BASIC)
    font = ImageFont.load_default(pixels)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("Pillow was built without FreeType")
    return font


@lru_cache(maxsize=64)
def ink(font: ImageFont.FreeTypeFont, letter: str) -> Image.Image | None:
    """The letter in white on black, cut to its ink; None where there is none."""
    pixels = round(font.size)
    canvas = Image.new("L", (4 * pixels, 3 * pixels))
    ImageDraw.Draw(canvas).text((pixels, 2 * pixels), letter, fill=255, font=font, anchor="ls")
    box = canvas.getbbox()
    return canvas.crop(box) if box else None


def draw(face: Face, label: int, size: int, seed: list[int]) -> Bytes:
    """One image, `size` x `size`: a pure function of its arguments.

    What comes out nearly empty or nearly full is drawn again, from the same stream, up to 20 times.
    """
    rng = np.random.default_rng(seed)
    font = load(face.path, face.number, max(96, 3 * size))
    capital = ink(font, face.letters[label]) or Image.new("L", (1, 1))
    for _ in range(20):
        fine = _filled(capital, 2 * size, rng)
        image: Grey = np.float32(0.25) * (
            fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]
        )
        if rng.random() < 0.05:
            image = 1 - image
        if 0.05 < image.mean() < 0.92 and image.max() - image.min() > 0.4:
            break
    pixels: Bytes = np.rint(image * 255).astype(np.uint8)
    return pixels


def _filled(capital: Image.Image, side: int, rng: np.random.Generator) -> Grey:
    """`side` x `side` values from 0, no ink, to 1: solid, torn, outlined, striped or shaded, or a shadow."""
    radius = rng.uniform(0.01, 0.08) * side
    corners = _corners(*capital.size, rng)
    warped = capital.transform((side, side), Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)
    blurred = np.asarray(warped.filter(ImageFilter.GaussianBlur(radius)), np.float32) / np.float32(255)
    level = rng.uniform(0.08, 0.5 - 2.8 * radius / side)  # where much is blurred, thin strokes are faint
    steep = max(0.5 / level, 2 * radius)
    kind = rng.random()
    if kind < 0.06:
        cells = rng.standard_normal((int(rng.integers(6, 16)),) * 2, dtype=np.float32)
        noise = Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC)
        blurred = blurred + np.float32(rng.uniform(0.1, 0.3)) * np.asarray(noise)

    def cover(at: float) -> Grey:
        values: Grey = (blurred - np.float32(at)) * np.float32(steep) + np.float32(0.5)
        return np.minimum(np.maximum(values, 0, out=values), 1, out=values)

    letter = cover(level)
    if 0.7 <= kind < 0.78:
        letter = np.maximum(letter - cover(level + rng.uniform(0.25, 0.5)), 0)
    elif 0.78 <= kind < 0.84:
        down, right = rng.integers(side // 20, side // 8, size=2)
        behind = np.pad(letter, ((down, 0), (right, 0)))[:side, :side]
        letter = np.maximum(behind - letter, 0) + letter * np.float32(rng.choice([0, 0.6]))
    elif kind >= 0.84:
        striped = kind < 0.9
        periods = rng.uniform(4, 9) if striped else rng.uniform(0.3, 0.7)
        light = rng.uniform(0, 2) if striped else 1.2
        angle, along = rng.uniform(0, math.pi), np.linspace(0, 2 * math.pi * periods, side, dtype=np.float32)
        across = math.cos(angle) * along[None] + math.sin(angle) * along[:, None]
        bands = np.sin(across + rng.uniform(0, 2 * math.pi)) * np.float32(4 / periods) + np.float32(light)
        letter = letter * np.clip(bands, 0, 1)
    return letter


def _corners(width: int, height: int, rng: np.random.Generator) -> list[float]:
    """The corners of the frame within the picture of a letter: from top left, counter-clockwise."""
    angle = math.radians(rng.uniform(-20, 20) if rng.random() < 0.05 else rng.normal(0, 2))
    shear = rng.normal(0, 0.2 if rng.random() < 0.05 else 0.06)
    narrowest = rng.uniform(0.2, 0.8) if rng.random() < 0.9 else 1  # the least ratio of the letter's sides
    half = np.array([max(width, narrowest * height), max(height, narrowest * width)]) / 2
    turn = np.array([[math.cos(angle), math.sin(angle)], [shear - math.sin(angle), math.cos(angle)]])
    square = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)]) + rng.normal(0, 0.09, size=(4, 2))
    wide = rng.uniform(0.95, 1.1) * (abs(math.cos(angle)) + abs(math.sin(angle)))
    corners: list[float] = (wide * half * (square @ turn) + [width / 2, height / 2]).ravel().tolist()
    return corners


def draw_many(faces: Sequence[Face], plan: Sequence[tuple[int, int, int]], size: int, seed: int) -> Bytes:
    """Images x size x size, one for each (number of the image, face, label) of the plan."""
    pixels = np.empty((len(plan), size, size), np.uint8)
    for place in sorted(range(len(plan)), key=lambda one: plan[one][1:]):  # each capital is drawn once
        image, face, label = plan[place]
        pixels[place] = draw(faces[face], label, size, [seed, image])
    return pixels


if __name__ == "__main__":  # a worker: a job as JSON on standard input, the pixels on standard output
    job = json.load(sys.stdin)
    chosen = [Face(*one) for one in job["faces"]]
    sys.stdout.buffer.write(draw_many(chosen, job["plan"], job["size"], job["seed"]).tobytes())
