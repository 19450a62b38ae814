"""What the engine ray costs on one node: python benchmarks/ray_overhead.py [--images 200000] [--trials 24]

`--only scaling --images 100000` measures how much sooner two processes of one CPU each encode than one, with
the reconstruction error: 2 to 3 minutes on two cores that nothing else uses.

`--only reading --images 20000` measures what this machine spends on each image of a folder, a tar, a zip and
Parquet, small PNGs, while processes of a cluster read and decode them.

The same pieces of a table and the same short trials, once by this machine's engine and once by a cluster of
one node that is started here, which has loaded everything before: beginning it, and a process on it, is
measured apart. CPU seconds are of all processes. Also measured: reading, hashing, encoding and writing, in
seconds an image, for the model of docs/scale.md. Writes ray-overhead-DATE.md and .json.
"""

import argparse
import io
import os
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from pyarrow import parquet

from latentspace.core.cluster import Cluster, Engine
from latentspace.core.wording import counted
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.readers import on_nodes, processes
from latentspace.data.sources import load_images
from latentspace.experiment.config import Experiment
from latentspace.inference.computing import columns_of, cut, here
from latentspace.inference.encoding import Computing, EncodingPlan, encode_to
from latentspace.inference.encoding_ray import OnCluster
from latentspace.inference.image_files import png
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.runs.directory import Run
from latentspace.search.executors.local import LocalExecutor
from latentspace.search.executors.protocol import Executor
from latentspace.search.executors.ray import RayExecutor
from latentspace.search.request import SearchRequest, draft
from latentspace.search.run import search
from latentspace.search.trials import begin
from latentspace.training.train import train
from speed.hardware import hardware, keep, sentence, today

ON_RAY: Final = Engine(name="ray")
PIECES: Final = 16  # of the images that scaling is measured with
FEW: Final = 600  # images that a trial learns from, and more
TICKS: Final = os.sysconf("SC_CLK_TCK")
RECIPE: Final = """
[ae.search]
startup_trials = 99
[ae.search.space]
"training.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
"""


class Few(Cluster):
    """A cluster on which so many processes compute at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        super().__init__(ON_RAY)

    @property
    def room(self) -> int:
        return min(self._most, super().room)


class Spent:
    """Seconds, and seconds of CPU of this process and all that descend from it, within a block."""

    def __enter__(self) -> "Spent":
        self._last: dict[int, float] = {}
        self._ended = threading.Event()
        self._first = self._look()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.monotonic() - self._began
        self._look()
        self._ended.set()
        self.cpu = sum(spent - self._first.get(one, 0) for one, spent in self._last.items())

    def _watch(self) -> None:
        while not self._ended.wait(0.5):  # what ends in between is missed
            self._look()

    def _look(self) -> dict[int, float]:
        parents: dict[int, int] = {}
        spent: dict[int, float] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    words = (entry / "stat").read_text().rpartition(")")[2].split()
                    parents[int(entry.name)] = int(words[1])
                    spent[int(entry.name)] = (int(words[11]) + int(words[12])) / TICKS
        mine = {os.getpid()}
        for _ in range(4):  # the generations of Ray's processes
            mine |= {one for one, parent in parents.items() if parent in mine}
        self._last |= {one: spent[one] for one in mine if one in spent}
        return dict(self._last)

    @property
    def seconds(self) -> dict[str, float]:
        return {"wall": self.wall, "cpu": self.cpu}


@contextmanager
def spent(into: dict[str, Any], name: str) -> Iterator[None]:
    with Spent() as found:
        yield
    into[name] = found.seconds
    print(f"{name}: {found.wall:.1f} s, {found.cpu:.1f} s of CPU", flush=True)


def made(folder: Path, count: int) -> Path:
    """Images of 28x28, no two alike."""
    path = folder / f"images-{count}.npy"
    draw = np.random.default_rng(0)
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (count, 28, 28))
    for start in range(0, count, 10_000):
        coarse = draw.integers(0, 256, (min(10_000, count - start), 7, 7), np.uint8)
        images[start : start + len(coarse)] = np.kron(coarse, np.ones((1, 4, 4), np.uint8))
    images.flush()
    return path


def trained(folder: Path) -> tuple[Run, TrainedAutoencoder]:
    plan = Experiment.parse(
        {
            **{"kind": "ae", "preset": "report", "threads": 1, "training": {"epochs": 1}},
            "data": {"spec": str(made(folder, FEW))},
        },
        "the plan of a benchmark",
    )
    run = train(plan, folder / "run")
    return run, TrainedAutoencoder.load(run, "cpu")


def encoding(folder: Path, count: int, found: dict[str, Any]) -> None:
    run, network = trained(folder)
    few, many = made(folder, FEW), made(folder, count)
    with spent(found, "read"):
        images = load_images(DataConfig(spec=str(many)))
    with spent(found, "hash"):
        _ = images.image_hashes, images.content_hash
    with spent(found, "encode, local"):
        encode_to(_plan(run, network, images), folder / "local.parquet", computed=here)
    found["bytes a row"] = (folder / "local.parquet").stat().st_size / count
    with closing(Cluster(ON_RAY)) as cluster, closing(OnCluster(cluster)) as computed:
        small = load_images(DataConfig(spec=str(few)))
        with spent(found, "encode, ray: a process begins"):
            encode_to(_plan(run, network, small), folder / "few.parquet", computed=computed)
        with spent(found, "encode, ray"):
            encode_to(_plan(run, network, images), folder / "ray.parquet", computed=computed)


def scaling(folder: Path, count: int, found: dict[str, Any]) -> None:
    """The same pieces by one process and by two, which have begun."""
    computing = Computing(trained(folder)[1], "32", errors=True)
    pixels = load_images(DataConfig(spec=str(made(folder, count)))).pixels
    pieces = cut(np.arange(count), max(1, count // PIECES))
    for most in (1, 2):
        with closing(Few(most)) as cluster, closing(OnCluster(cluster)) as computed:
            first = [one[: len(one) // 8 + 1] for one in pieces]  # so long that both have begun
            columns_of(computing, pixels, first, computed, "parts of images encoded")
            with spent(found, f"scaling, {counted(most, 'process')}"):
                columns_of(computing, pixels, pieces, computed, "parts of images encoded")
    alone, together = (found[f"scaling, {counted(most, 'process')}"]["wall"] for most in (1, 2))
    found["times as fast by two"] = alone / together


def reading(folder: Path, count: int, found: dict[str, Any]) -> None:
    """The command's own seconds of CPU, with the images in files of several kinds."""
    os.environ["LATENTSPACE_CACHE"] = "off"
    processes.PATIENCE = 0
    paths = list(_files(load_images(DataConfig(spec=str(made(folder, count)))), folder))
    for path in (paths[0], *paths):  # the first of all imports and begins things
        with closing(Cluster(ON_RAY)) as cluster, on_nodes.of_cluster(cluster) as readers:
            while not all(one.begun() for one in readers):
                time.sleep(0.1)
            began, cpu = time.monotonic(), time.process_time()
            with processes.read_by(partial(nullcontext, readers)):
                load_images(DataConfig(spec=str(path)))
            seconds = {"wall": time.monotonic() - began, "cpu": time.process_time() - cpu}
        found[f"reading, {path.name}: this machine"] = seconds
        print(f"{path.name}: {1e6 * seconds['cpu'] / count:.0f} us of CPU an image", flush=True)


def _files(images: ImageSet, folder: Path) -> Iterator[Path]:
    """The images as PNGs in each kind of file."""
    names = [f"{number:07d}.png" for number in range(len(images))]
    contents = [png(Image.fromarray(one[0])) for one in images.pixels]
    (folder / "folder").mkdir()
    with tarfile.open(folder / "set.tar", "w") as tar, zipfile.ZipFile(folder / "set.zip", "w") as zipped:
        for name, content in zip(names, contents, strict=True):
            (folder / "folder" / name).write_bytes(content)
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
            zipped.writestr(name, content)
    parquet.write_table(
        pa.table({"image": contents, "path": names}), folder / "set.parquet", row_group_size=1000
    )
    yield from (folder / name for name in ("folder", "set.tar", "set.zip", "set.parquet"))


def _plan(run: Run, trained: TrainedAutoencoder, images: Any) -> EncodingPlan:
    return EncodingPlan(run, trained, images, False, precision="32", errors=False)


def searching(folder: Path, trials: int, found: dict[str, Any]) -> None:
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE)
    data = str(made(folder, FEW))
    engines: dict[str, Callable[[Engine], Executor]] = {"local": LocalExecutor, "ray": RayExecutor}
    for name, executor_of in engines.items():
        request = SearchRequest(
            kind="ae",
            recipe=str(recipe),
            changes={"preset": "report", "data": {"spec": data}, "threads": 1, "precision": "32"},
            workers=1,
            trials=trials,
            epochs=3,
        )
        drafted = draft(request, folder / "drafted", resume=False)[0]
        study = begin(drafted, folder / f"study-{name}", None, resume=False)
        engine = ON_RAY if name == "ray" else Engine()
        with spent(found, f"search, {name}: all"), closing(executor_of(engine)) as executor:
            list(search(study, executor, workers=1))
        done = study.study.get_trials()
        times = [one.datetime_start for one in done] + [one.datetime_complete for one in done]
        known = [one for one in times if one is not None]
        found[f"search, {name}: first trial to last"] = {"wall": (max(known) - min(known)).total_seconds()}


def _cpu(one: dict[str, float]) -> str:
    return f"{one['cpu']:.1f}" if "cpu" in one else "–"


def table(found: dict[str, Any]) -> str:
    rows = [(name, one) for name, one in found["measured"].items() if isinstance(one, dict)]
    measured = found["measured"]
    lines = [
        "# What the engine ray costs on one node",
        "",
        f"`python benchmarks/ray_overhead.py`: {sentence(found['hardware'])}",
        f"{counted(found['images'])} of 28x28 encoded by the network of the `report` preset without their",
        "reconstruction error (scaling: with it); "
        f"{counted(found['trials'], 'trial')} of 3 epochs on 600 images, one worker.",
        "",
        "| what | seconds | seconds of CPU |",
        "|---|---:|---:|",
        *(f"| {name} | {one['wall']:.1f} | {_cpu(one)} |" for name, one in rows),
        "",
    ]
    if "bytes a row" in measured:
        lines += [f"A row of the table takes {measured['bytes a row']:.0f} bytes.", ""]
    if "times as fast by two" in measured:
        lines += [f"Two processes encode {measured['times as fast by two']:.2f} times as fast as one.", ""]
    return "\n".join(lines)


def main(*words: str) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--only", nargs="*", default=["encode", "search"])  # or scaling, or reading
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args(words)
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        if "encode" in asked.only:
            encoding(Path(folder), asked.images, found)
        if "reading" in asked.only:
            reading(Path(folder), asked.images, found)
        if "scaling" in asked.only:
            scaling(Path(folder), asked.images, found)
        if "search" in asked.only:
            searching(Path(folder), asked.trials, found)
    kept = {"date": today(), "hardware": hardware(1), "images": asked.images, "trials": asked.trials}
    name = f"ray-{asked.only[0]}" if asked.only in (["scaling"], ["reading"]) else "ray-overhead"
    keep(name, {**kept, "measured": found}, table, asked.out)


if __name__ == "__main__":
    main(*sys.argv[1:])
