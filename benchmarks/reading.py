"""How long a folder of small JPEGs takes: the first time, the second time, and in a plain loop over Pillow.

    python benchmarks/reading.py [COUNT] [--out benchmarks/results] [--datasets PYTHON]

PYTHON is an interpreter that has Hugging Face's `datasets`: its imagefolder is then measured beside ours,
twice, in processes of its own. There `load` is load_dataset, and `pixels` are all images as one array, which
ours has at the end of each load. Seconds of the clock and of the processors, of all processes; `listed` is
the list of the files alone. Writes reading-DATE.md and .json, with the hardware and the load.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from latentspace.core.wording import counted
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


# Hugging Face's datasets: FOLDER CACHE -> the seconds of each step, as JSON.
PEER = """
import json, os, sys, time
def now():
    used = os.times()
    return time.perf_counter(), used.user + used.system + used.children_user + used.children_system
began = now()
import numpy as np
from datasets import load_dataset, disable_progress_bars
disable_progress_bars()
steps = {"import": now()}
found = load_dataset("imagefolder", data_dir=sys.argv[1], cache_dir=sys.argv[2], split="train")
steps["load"] = now()
pixels = np.stack([np.asarray(row["image"]) for row in found])
steps["pixels"] = now()
took = {}
for name, (clock, used) in steps.items():
    took[name] = {"clock": clock - began[0], "processor": used - began[1]}
    began = clock, used
print(json.dumps({"images": len(pixels), "seconds": took}))
"""


def peer(python: str, folder: Path, place: str) -> dict[str, dict[str, float]]:
    """The seconds of `datasets`, the first and the second time."""
    seconds = {}
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": f"{place}/hf"}
    for time_ in ("first", "second"):
        command = [python, "-c", PEER, str(folder), f"{place}/hf-cache"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=quiet, timeout=3600)
        found = json.loads(done.stdout.splitlines()[-1])
        for name, took in found["seconds"].items():
            seconds[f"datasets, {time_}: {name}"] = took
    return seconds


def processor() -> float:
    """Seconds of the processors, of this process and of those that it began and that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def measure(count: int, python: str | None = None) -> dict[str, dict[str, float]]:
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
        if python:
            seconds |= peer(python, folder, place)
    return seconds


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# Reading, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"{counted(found['count'], 'JPEG')} of 32x32 in ten class folders. "
        f"Load: {found['load']:.1f} processes.",
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
    ask.add_argument("--datasets", metavar="PYTHON", help="an interpreter that has Hugging Face's datasets")
    given = ask.parse_args(words)
    found = {
        "date": today(),
        "count": given.count,
        "seconds": measure(given.count, given.datasets),
        "load": os.getloadavg()[0],
        "hardware": hardware(),
    }
    keep("reading", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
