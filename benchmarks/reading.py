"""How long a folder of small JPEGs takes: the first time, the second time, and in a plain loop over Pillow.

    python benchmarks/reading.py [COUNT] [--out benchmarks/results]

Seconds of the clock and of the processors, of all processes; `listed` is the list of the files alone. Writes
reading-DATE.md and .json, with the hardware and how many processes were waiting for it.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from latentspace.data.config import DataConfig
from latentspace.data.readers.folders import list_folder
from latentspace.data.sources import load_images
from speed.hardware import hardware, keep, sentence, today


def write(folder: Path, count: int, side: int = 32) -> None:
    """Random colours, ten class folders."""
    rng = np.random.default_rng(0)
    for number in range(count):
        place = folder / f"class{number % 10}"
        place.mkdir(exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        small.resize((side, side)).save(place / f"{number}.jpg")


def plain(folder: Path) -> int:
    """The loop that everybody writes."""
    return len(np.stack([np.asarray(Image.open(path)) for path in sorted(folder.rglob("*.jpg"))]))


def processor() -> float:
    """Seconds of the processors, of this process and of those that it began and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def measure(count: int) -> dict[str, dict[str, float]]:
    """Seconds of each way, of as many images; with a cache of its own."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "images"
        folder.mkdir()
        os.environ["LATENTSPACE_CACHE"] = f"{place}/cache"
        write(folder, count)

        def load() -> int:
            return len(load_images(DataConfig(spec=str(folder))))

        ways: dict[str, Callable[[], int]] = {
            "listed": lambda: len(list_folder(folder)),
            "first": load,
            "second": load,
            "plain": lambda: plain(folder),
        }
        seconds = {}
        for name, way in ways.items():
            began, used = time.perf_counter(), processor()
            got = way()
            seconds[name] = {"clock": time.perf_counter() - began, "processor": processor() - used}
            assert got == count
    return seconds


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# Reading, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"{found['count']:,} JPEGs of 32x32 in ten class folders. Load: {found['load']:.1f} processes.",
        "`python benchmarks/reading.py` makes this file.",
        "",
        "| | clock, s | processors, s |",
        "|---|---:|---:|",
    ]
    for name, took in found["seconds"].items():
        lines.append(f"| {name} | {took['clock']:.2f} | {took['processor']:.2f} |")
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="How long a folder of small JPEGs takes.")
    ask.add_argument("count", type=int, nargs="?", default=50_000)
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = ask.parse_args(words)
    found = {
        "date": today(),
        "count": given.count,
        "seconds": measure(given.count),
        "load": os.getloadavg()[0],
        "hardware": hardware(),
    }
    keep("reading", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
