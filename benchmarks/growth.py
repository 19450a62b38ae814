"""One epoch of the autoencoder over more and more images: time an image, and anonymous memory at the peak.

    python benchmarks/growth.py [--counts 10000 100000 1000000] [--resident auto always never] [--random]
                                [--threads 2] [--out benchmarks/results]

The images are letters, rendered into a cache of their own that is removed again (a million take some ten
minutes on two cores), or with --random bytes in a .npy. Each case is a process of its own. Its memory is
sampled a hundred times a second as RssAnon: what is the process's own, not a mapped file's.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from data_on_disk import Peak, write
from latentspace.core.wording import counted
from processes import apart
from speed.hardware import hardware, keep, sentence, today


def measure(spec: str, resident: str, threads: int) -> dict[str, Any]:
    """One case, in this process."""
    from latentspace.data.sources import load_images
    from latentspace.data.splits import shares_of, split
    from latentspace.experiment.config import Experiment
    from latentspace.training.components import make_fabric
    from latentspace.training.context import TrainingContext
    from latentspace.training.loop import learn
    from latentspace.training.precision import settle_precision

    peak = Peak()
    plan = settle_precision(
        Experiment(
            threads=threads,
            device="cpu",
            data={"spec": spec, "resident": resident},
            split={"shares": "98/1/1"},
            training={"epochs": 1},
        )
    )
    fabric = make_fabric(plan)
    began = time.perf_counter()
    images = replace(
        load_images(plan.data), groups=None
    )  # font families may be parted: this evaluates nothing
    loaded = time.perf_counter()
    parts = split(images, shares_of(plan.split.shares), 0)
    components = TrainingContext(plan, images, parts, fabric).components()
    ready = time.perf_counter()
    (record,) = learn(plan, components)
    return {
        "images": len(images),
        "precision": plan.precision,
        "load_s": loaded - began,
        "split_s": ready - loaded,
        "epoch_s": record.seconds,
        "us_per_image": 1e6 / record.images_per_second,
        "peak_mib": peak.stop(),
        "set": type(components.train).__name__,
    }


def render(spec: str) -> None:
    """Into the cache that the environment names."""
    from latentspace.data.config import DataConfig
    from latentspace.data.sources import load_images

    load_images(DataConfig(spec=spec))


def table(found: dict[str, Any]) -> str:
    lines = [
        f"# Growth, {found['date']}",
        "",
        sentence(found["hardware"]),
        f"One epoch of the report's autoencoder on {found['data']}, 98 % of them trained on, "
        f"{counted(found['threads'], 'thread')}. `python benchmarks/growth.py` makes this file.",
        "",
        "| images | asked | was | read, s | split, s | epoch, s | µs an image | against the fewest "
        "| peak RssAnon, MiB | beyond the fewest |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found["cases"]:
        first = next(other for other in found["cases"] if other["resident"] == one["resident"])
        lines.append(
            f"| {one['images']:,} | {one['resident']} | {one['set']} | {one['load_s']:.1f} "
            f"| {one['split_s']:.1f} | {one['epoch_s']:.1f} | {one['us_per_image']:.0f} "
            f"| {one['us_per_image'] / first['us_per_image']:.2f} | {one['peak_mib']:,.0f} "
            f"| {one['peak_mib'] - first['peak_mib']:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def main(*words: str) -> None:
    ask = argparse.ArgumentParser(description="Time and memory as the set grows.")
    ask.add_argument("--counts", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    ask.add_argument("--resident", nargs="+", default=["always", "never"])
    ask.add_argument("--random", action="store_true", help="random bytes instead of rendered letters")
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = ask.parse_args(words)
    cases = []
    for count in given.counts:
        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch.dict(os.environ, {"LATENTSPACE_CACHE": folder}),
        ):
            spec = f"glyphs:{count}"
            if given.random:
                spec = str(Path(folder) / f"{count}.npy")
                write(Path(spec), count)
            else:
                apart(render, spec)
            for resident in given.resident:
                cases.append({"resident": resident, **apart(measure, spec, resident, given.threads)})
                print(cases[-1], flush=True)
    found = {
        "date": today(),
        "hardware": hardware(),
        "data": "random bytes of 28x28" if given.random else "rendered letters",
        "threads": given.threads,
        "cases": cases,
    }
    keep("growth-random" if given.random else "growth", found, table, given.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
