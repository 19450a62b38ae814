"""Draw the README's picture from a finished run: `python docs/images/make.py RUN [DATA]`.

Left: one test image of each class over its reconstruction, and images decoded from random codes.
Right: the codes of all images in two dimensions. DATA says where the run's images are now, if not where
they were. Everything is drawn by `latentspace.figures`; here the three are put on one sheet.
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

import latentspace
from latentspace.core.randomness import numpy_generator
from latentspace.figures import code_map, draw_codes, draw_grid, draw_rows, image_grid, image_rows, png
from latentspace.inference.maps import project
from latentspace.inference.sampling import around_codes
from latentspace.runs.directory import Run

OUT = Path(__file__).with_name("letters.png")
WIDTH = 1400  # pixels of the sheet: about twice what a page gives it
COLOURS = 64
POINTS = 2500  # of the map: more make the file large, not the map clearer
GAP = 30


def sheets(run: Run, images: latentspace.ImageSet) -> list[Image.Image]:
    """The three figures: rows of images, a grid of images, a map."""
    trained = latentspace.load(run.path)
    codes = trained.encode(images)
    shown = images.pixels[one_of_each(images, run.split.test)]
    rows = image_rows({"original": shown, "decoded": trained.reconstruct(shown)}, columns=len(shown))
    drawn = around_codes(codes[run.split.train], 40, seed=0)
    grid = image_grid(
        trained.decode(drawn.codes),
        columns=10,
        drawn_from="Decoded from random codes: Gaussians fitted to the codes.",
    )
    plane = project(codes)
    points = code_map(
        plane.points,
        explained=plane.explained,
        labels=images.labels,
        class_names=images.class_names,
        most=POINTS,
    )
    figures = draw_rows(rows), draw_grid(grid), draw_codes(points)
    return [Image.open(BytesIO(png(figure))).convert("RGB") for figure in figures]


def one_of_each(images: latentspace.ImageSet, test: np.ndarray) -> np.ndarray:
    """A test image of each class, chosen at random; ten of any where there are no labels."""
    order = numpy_generator(0, "figure").permutation(test)
    if images.labels is None:
        return order[:10]
    return order[np.unique(images.labels[order], return_index=True)[1]]


def composed(rows: Image.Image, grid: Image.Image, points: Image.Image) -> Image.Image:
    """Rows over grid on the left, the map on the right, on white."""
    left = max(rows.width, grid.width)
    height = max(rows.height + 2 * GAP + grid.height, points.height)
    sheet = Image.new("RGB", (left + GAP + points.width, height), "white")
    space = (height - rows.height - grid.height) // 3
    sheet.paste(rows, (0, space))
    sheet.paste(grid, (left - grid.width, 2 * space + rows.height))
    sheet.paste(points, (left + GAP, (height - points.height) // 2))
    scaled = (WIDTH, round(sheet.height * WIDTH / sheet.width))
    small = sheet.resize(scaled, Image.Resampling.LANCZOS)
    return small.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=8, dither=Image.Dither.NONE)


def main(run: str, data: str | None = None) -> None:
    opened = Run.open(Path(run))
    images = latentspace.load_data(data or opened.experiment.data.spec)
    if images.content_hash != opened.data.content_hash:
        sys.exit(f"{data} holds other images than {run} was trained on")
    composed(*sheets(opened, images)).save(OUT, optimize=True)
    print(f"{OUT}: {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
