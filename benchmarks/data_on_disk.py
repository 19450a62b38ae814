"""Memory and time of reading, splitting and batching images, resident and from disk; no network.

    python benchmarks/data_on_disk.py [--counts 10000 1000000] [--folder /tmp]

Each case is a process of its own. The file, random bytes of 28x28, is written in pieces and removed again.
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from processes import apart

SIZE = (28, 28)
BATCH = 266  # the report's autoencoder
PASSES = 2  # the second is timed


def write(path: Path, count: int) -> None:
    """A .npy of `count` images."""
    draw = np.random.default_rng(0)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (count, *SIZE)}
        )
        for start in range(0, count, 50_000):
            file.write(draw.bytes((min(count, start + 50_000) - start) * SIZE[0] * SIZE[1]))


def anonymous() -> int:
    """MiB of this process that are no file's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) >> 10


class Peak(threading.Thread):
    """The highest `anonymous` until `stop`, looked at a hundred times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest, self.over = anonymous(), threading.Event()
        self.start()

    def run(self) -> None:
        while not self.over.wait(0.01):
            self.highest = max(self.highest, anonymous())

    def stop(self) -> int:
        self.over.set()
        self.join()
        return max(self.highest, anonymous())


def measure(path: Path, resident: str) -> dict[str, float]:
    """One case, in this process."""
    import torch

    from latentspace.core.randomness import generator
    from latentspace.data.batches import laid_out, order
    from latentspace.data.config import DataConfig
    from latentspace.data.sources import load_images
    from latentspace.data.splits import Shares, split

    torch.set_num_threads(1)
    before, peak = anonymous(), Peak()
    began = time.perf_counter()
    images = load_images(DataConfig.parse({"spec": str(path), "resident": resident}, "the benchmark"))
    loaded = time.perf_counter()
    parts = split(images, Shares.parse("60/20/20"), seed=0)
    after = time.perf_counter()
    train = laid_out(images.pixels, parts.train, torch.device("cpu"))
    seconds = processor = 0.0
    for epoch in range(PASSES):
        start, spent = time.perf_counter(), time.process_time()
        for batch in train.batches(BATCH, order(train.images, generator(0, "order", epoch))):
            batch.inputs[0, 0, 0, 0].item()
        seconds, processor = time.perf_counter() - start, time.process_time() - spent
    return {
        "before": before,
        "peak": peak.stop(),
        "load": loaded - began,
        "split": after - loaded,
        "microseconds": 1e6 * seconds / train.images,
        "processor": 1e6 * processor / train.images,
    }


def main(*words: str) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args(words)
    print(
        "| images | pixels | anonymous before | peak | read | split | a batched pass, an image | processor |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        for count in given.counts:
            path = Path(place) / "images.npy"
            write(path, count)
            for resident in ("always", "never"):
                found = apart(measure, path, resident)
                print(
                    f"| {count:,} | {'resident' if resident == 'always' else 'on disk'} "
                    f"| {found['before']} MiB | {found['peak']} MiB | {found['load']:.2f} s "
                    f"| {found['split']:.2f} s | {found['microseconds']:.2f} us | {found['processor']:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main(*sys.argv[1:])
