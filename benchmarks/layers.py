"""oneDNN against matrix products, map by map: `python benchmarks/layers.py [THREADS] [float32|bfloat16]`.

The table in `latentspace.models.layers.im2col.choose` was read off here. Milliseconds, medians of nine.
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import torch

from latentspace.models.layers.im2col import Choice, Geometry, choose, correlate, gather, scatter

LAYERS = {  # batch, large channels, small channels, kernel, padding, side of the large map
    "ae 28 -> 14": (266, 1, 64, 3, 1, 28),
    "ae 14 -> 7": (266, 64, 128, 3, 1, 14),
    "ae 7 -> 3": (266, 128, 128, 3, 0, 7),
    "ae 14 -> 7, 32 to 64": (266, 32, 64, 3, 1, 14),
    "ae 14 -> 7, 64 to 32": (266, 64, 32, 3, 1, 14),
    "vae 28 -> 14": (256, 1, 200, 4, 1, 28),
    "vae 14 -> 7": (256, 200, 400, 4, 1, 14),
}


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    work()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e3


def main(threads: int = 2, name: str = "float32", rounds: int = 9, share: int = 1) -> None:
    """`share`: of the images of a batch, one in so many."""
    torch.set_num_threads(threads)
    dtype = getattr(torch, name)
    print(f"{'':22} {'gather':>18} {'scatter':>18} {'correlate':>18}   ms: oneDNN, product (* chosen)")
    for layer, (images, inputs, outputs, kernel, padding, side) in LAYERS.items():
        batch = images // share
        geometry = Geometry.of_large(kernel, 2, (padding, padding), (side, side))
        last = torch.channels_last
        large = torch.randn(batch, inputs, side, side).to(dtype).contiguous(memory_format=last)
        small = torch.randn(batch, outputs, *geometry.small).to(dtype).contiguous(memory_format=last)
        weight = torch.randn(outputs, inputs, kernel, kernel).to(dtype)
        chosen = choose("cpu", dtype, inputs, outputs, geometry)
        maps: list[tuple[bool, Callable[[Choice], object]]] = [
            (chosen.gather, partial(gather, large, weight, None, geometry)),
            (chosen.scatter, partial(scatter, small, weight, None, geometry)),
            (chosen.correlate, partial(correlate, large, small, geometry)),
        ]
        cells = []
        for is_product, work in maps:
            taken = [milliseconds(partial(work, Choice(*[product] * 3)), rounds) for product in (False, True)]
            marks = [" ", "*"] if is_product else ["*", " "]
            cells.append("".join(f"{one:8.1f}{mark}" for one, mark in zip(taken, marks, strict=True)))
        print(f"{layer:22} {cells[0]:>18} {cells[1]:>18} {cells[2]:>18}", flush=True)


if __name__ == "__main__":
    main(*[int(one) if one.isdigit() else one for one in sys.argv[1:]])
