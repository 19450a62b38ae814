"""How varied and how fast the rendered letters are: `python benchmarks/glyphs.py [COUNT]`.

Prints a table, with one process and with two: the error left by ten principal components
(the mean square a pixel, pixels in [0, 1]), mean, accuracy of the nearest neighbour, seconds.
A folder of notMNIST in IDX files, given as a second argument, is measured beside it.
"""

import gzip
import sys
import time
from pathlib import Path

import numpy as np

from latentspace.data.catalog.glyphs import render as glyphs

COMPONENTS = 10
NEIGHBOURS = 6000  # images at most: half are asked, half answer


def measures(pixels: np.ndarray, labels: np.ndarray) -> tuple[float, float, float]:
    """Error left by the components, mean, accuracy of the nearest neighbour, of images x pixels in [0, 1]."""
    centred = pixels - pixels.mean(0)
    variances = np.linalg.eigvalsh(centred.T @ centred / len(pixels))
    left = float(variances[:-COMPONENTS].sum() / pixels.shape[1])
    half = min(len(pixels), NEIGHBOURS) // 2
    known, asked = pixels[:half], pixels[half : 2 * half]
    nearest = ((known**2).sum(1) - 2 * asked @ known.T).argmin(1)
    return left, float(pixels.mean()), float((labels[:half][nearest] == labels[half : 2 * half]).mean())


def row(name: str, pixels: np.ndarray, labels: np.ndarray, seconds: str) -> None:
    left, mean, accuracy = measures(pixels.reshape(len(pixels), -1) / np.float32(255), labels)
    print(f"{name:28} {len(pixels):>7,} {left:>9.4f} {mean:>6.3f} {accuracy:>6.3f} {seconds:>8}")


def notmnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    images = gzip.decompress((folder / "images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / "labels-idx1-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784)
    return pixels, np.frombuffer(labels, np.uint8, offset=8)


def main(count: int = glyphs.COUNT, folder: str = "") -> None:
    print(f"{'':28} {'images':>7} {'left':>9} {'mean':>6} {'1-NN':>6} {'seconds':>8}")
    for workers in (1, 2):
        start = time.perf_counter()
        images = glyphs.render(count, workers=workers)
        seconds = f"{time.perf_counter() - start:.1f}"
        row(f"glyphs, {workers} process{'es'[: 2 * workers - 2]}", images.pixels, images.labels, seconds)
    if folder:
        row("notMNIST", *notmnist(Path(folder)), "-")


if __name__ == "__main__":
    main(*(kind(value) for kind, value in zip((int, str), sys.argv[1:], strict=False)))
