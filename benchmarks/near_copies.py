"""Near copies found and missed, and the time: python benchmarks/near_copies.py [--held-out] [LETTERS]

Copies are made of 8,000 real letters (IDX files; by default those beside the checkout) and of 5,000 tiles of
the photographs that scikit-learn and matplotlib bring (24x24, every 12 pixels): moved by one or two pixels,
saved as a JPEG of quality 30 to 95, scaled to 50 to 90 % and back, or made lighter or darker by up to 10 %
and 12 levels. Exact copies are left out. A pair of different originals is counted as false; `alike` are those
of them whose originals differ by less than 12 levels (root mean square) once one is moved by up to 2 pixels.

`--held-out`: the two thresholds are chosen on one half, and measured on the other, also with the BOX filter.
The halves are letters by chance, and tiles of different photographs.
"""

import io
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from latentspace.data import near_copies as rules
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.near_copies import near_copies
from latentspace.data.sources import load_images

KINDS = ("moved", "jpeg", "scaled", "brightened")
SIDE, STRIDE, MARGIN, TILES = 24, 12, 2, 5000
DETAIL = 8.0  # levels of contrast of what counts as with detail
NEAR, UNEXPLAINED = (0.1, 0.12, 0.14, 0.16), (0.0008, 0.0016, 0.0032)  # what the thresholds are chosen from
PRECISE = 0.99  # and how: the best recall of images with detail at this precision
FILTERS = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
)


def letters(path: str) -> np.ndarray:
    """Different letters, with a border of two repeated pixels."""
    images = load_images(DataConfig(spec=path)).deduplicated("first")
    return np.pad(images.pixels, ((0, 0), (0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)), mode="edge")


def photographs() -> list[Path]:
    import matplotlib as mpl
    import sklearn

    folder = Path(sklearn.__file__).parent / "datasets" / "images"
    hopper = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return [folder / "china.jpg", folder / "flower.jpg", hopper]


def tiles(paths: list[Path]) -> np.ndarray:
    found = []
    for path in paths:
        picture = np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)
        whole = SIDE + 2 * MARGIN
        for y in range(0, picture.shape[1] - whole, STRIDE):
            found += [
                picture[:, y : y + whole, x : x + whole] for x in range(0, picture.shape[2] - whole, STRIDE)
            ]
    chosen = np.random.default_rng(0).permutation(len(found))[:TILES]
    return np.stack([found[number] for number in sorted(chosen)])


def picture_of(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


def array_of(picture: Image.Image) -> np.ndarray:
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def cut(large: np.ndarray, y: int = 0, x: int = 0) -> np.ndarray:
    height, width = large.shape[-2] - 2 * MARGIN, large.shape[-1] - 2 * MARGIN
    return large[..., MARGIN + y : MARGIN + y + height, MARGIN + x : MARGIN + x + width]


def copy(large: np.ndarray, kind: str, draw: np.random.Generator, filters: int) -> np.ndarray:
    plain = cut(large)
    if kind == "moved":
        moves = [(y, x) for y in range(-2, 3) for x in range(-2, 3) if (y, x) != (0, 0)]
        return cut(large, *moves[draw.integers(len(moves))])
    if kind == "jpeg":
        file = io.BytesIO()
        picture_of(plain).save(file, "JPEG", quality=int(draw.integers(30, 96)))
        return array_of(Image.open(file))
    if kind == "scaled":
        share, how = draw.uniform(0.5, 0.9), FILTERS[draw.integers(filters)]
        height, width = plain.shape[1:]
        small = picture_of(plain).resize((round(width * share), round(height * share)), how)
        return array_of(small.resize((width, height), how))
    gain, offset = draw.uniform(0.9, 1.1), draw.uniform(-12, 12)
    return np.clip(np.rint(plain * gain + offset), 0, 255).astype(np.uint8)


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    height, width = one.shape[1:]
    middle = one[:, 2 : height - 2, 2 : width - 2].astype(float)
    moved = (other[:, y : y + height - 4, x : x + width - 4] for y in range(5) for x in range(5))
    return min(float(np.sqrt(np.square(middle - part).mean())) for part in moved) < 12


def measured(large: np.ndarray, filters: int = 3) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    kinds = draw.integers(0, len(KINDS), len(large))
    originals = np.ascontiguousarray(cut(large))
    copies = np.stack([copy(one, KINDS[kind], draw, filters) for one, kind in zip(large, kinds, strict=True)])
    images = ImageSet(np.concatenate([originals, copies]), "a benchmark")
    count = len(large)
    hashes = images.image_hashes
    _, which, many = np.unique(hashes, return_inverse=True, return_counts=True)
    counted = (many[which][:count] == 1) & (many[which][count:] == 1)
    detailed = originals.astype(float).mean(axis=1).std(axis=(1, 2)) >= DETAIL
    begin, begin_cpu = time.perf_counter(), time.process_time()
    pairs = near_copies(images.pixels, hashes)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    right = pairs.second - pairs.first == count
    hit = np.zeros(count, dtype=bool)
    hit[pairs.first[right]] = True
    others = np.flatnonzero(~right)
    by_kind = {
        f"recall {kind}, with detail": float(hit[counted & detailed & (kinds == number)].mean())
        for number, kind in enumerate(KINDS)
    }
    same = sum(alike(originals[pairs.first[n] % count], originals[pairs.second[n] % count]) for n in others)
    return {
        "images": len(images),
        "copies": int(counted.sum()),
        "with detail": int((counted & detailed).sum()),
        "recall": float(hit[counted].mean()),
        "recall with detail": float(hit[counted & detailed].mean()),
        **by_kind,
        "pairs": len(pairs),
        "pairs of different originals": len(others),
        "of them alike": int(same),
        "precision, all of these false": float(right.mean()),
        "precision, but those alike": float(right.sum() / max(1, len(pairs) - same)),
        "seconds": seconds,
        "seconds of all cores": cpu,
    }


def held_out(tuned: np.ndarray, held: np.ndarray) -> dict[str, Any]:
    tried = []
    for rules.NEAR, rules.UNEXPLAINED in itertools.product(NEAR, UNEXPLAINED):
        found = measured(tuned)
        wanted = ("recall with detail", "precision, but those alike")
        tried.append(
            {"near": rules.NEAR, "unexplained": rules.UNEXPLAINED} | {one: found[one] for one in wanted}
        )
    precise = [one for one in tried if one["precision, but those alike"] >= PRECISE]
    best = max(precise or tried, key=lambda one: one["recall with detail"])
    rules.NEAR, rules.UNEXPLAINED = best["near"], best["unexplained"]
    return {
        "tried": tried,
        "chosen": best,
        "held out": measured(held),
        "with BOX": measured(held, len(FILTERS)),
    }


def main() -> None:
    path = str(Path(__file__).parents[2] / "shared" / "data" / "notmnist")
    path = next((one for one in sys.argv[1:] if one != "--held-out"), path)
    result: dict[str, Any] = {"cores": os.cpu_count()}
    if "--held-out" in sys.argv:
        every = letters(path)
        some = np.random.default_rng(1).permutation(len(every))
        half = len(every) // 2
        result["letters"] = held_out(every[np.sort(some[:half])], every[np.sort(some[half:])])
        one, *others = photographs()
        result["tiles"] = held_out(tiles([one]), tiles(others))
    else:
        result |= {"letters": measured(letters(path)), "tiles": measured(tiles(photographs()))}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
