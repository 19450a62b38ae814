"""Letters A-J rendered from font files: the default data where notMNIST cannot be had.

Like notMNIST: white on black, cut to the frame, some of it decorated beyond reading. Not notMNIST: a few
dozen faces bent in many ways, where notMNIST has a face for every image. Ten principal components leave
as much error of it as of notMNIST or more (0.0689), so it is no easier to reconstruct.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from ....core.child_processes import child_environment, cores, refuse_too_many
from ....core.errors import ConfigurationError, DataError
from ....core.randomness import derive
from ....core.types import Int64Array
from ....core.wording import counted
from ...cleaning import CleaningRecord, sentence
from ...imageset import ImageSet
from . import letter as lettering
from .fonts import LETTERS, files_hash, typefaces

COUNT = 18_724  # as many as the small notMNIST
RENDERING = 3  # raised when the same arguments would draw other pixels or groups
ENOUGH = 50  # families that a split can spread evenly
PER_WORKER = 1000  # images at least: for fewer, starting a worker costs more than it saves


def render(
    count: int = COUNT, *, seed: int = 0, fonts: str = "bundled", size: int = 28, workers: int | None = None
) -> ImageSet:
    """`count` letters of `size` x `size` pixels, as many of each as of any other to within one.

    Args:
        count: how many; the first of a larger set are those of a smaller one.
        seed: chooses letters, faces and how each is drawn.
        fonts: "bundled" (what matplotlib and Pillow bring: the same everywhere), "system", or a directory.
        size: the side in pixels, from 16.
        workers: processes, by default one for each processor; they change the time, never an image.

    The set's `groups` are the faces, or the font families where there are `ENOUGH` of them: of a dozen, two
    or three would be a whole test part, and chance would decide whether they are odd ones. Each group draws
    the same share of every letter.

    Raises:
        ConfigurationError: a count or workers below 1, more workers than the cores can serve, or a
            size below 16.
        DataError: no usable font, or a worker that did not finish.
    """
    workers = cores() if workers is None else workers
    _at_least("the number of images", count, 1)
    _at_least("the side of an image, in pixels,", size, 16)
    _at_least("the number of workers", workers, 1)
    refuse_too_many("workers", workers)
    found = typefaces(fonts)
    names, families = np.unique(found.families, return_inverse=True)
    groups = families if len(names) >= ENOUGH else np.arange(len(families))
    labels, faces = _plan(count, seed, groups)
    jobs = list(zip(range(count), faces.tolist(), labels.tolist(), strict=True))
    stream, workers = derive(seed, "glyphs"), min(workers, count // PER_WORKER)
    if workers < 2:
        pixels = lettering.draw_many(found.faces, jobs, size, stream)
    else:
        pixels = _in_parallel(found.faces, jobs, size, stream, workers)
    left_out = f"{counted(len(found.left_out), 'font file')} without letters A-J left out: "
    notes = (left_out + sentence(found.left_out),) if found.left_out else ()
    return ImageSet(
        pixels=pixels[:, None],
        source=f"glyphs (rendered letters A-J from {counted(len(names), 'font family')}; not notMNIST)",
        labels=labels,
        class_names=tuple(LETTERS),
        groups=groups[faces],
        record=CleaningRecord(conversions=notes),
    )


def fingerprint(fonts: str) -> str:
    """SHA-256 that changes when the font files, the drawing or the library that draws would change pixels.

    Raises:
        DataError: no such fonts.
    """
    return f"{RENDERING}-{files_hash(fonts)}"


def _at_least(what: str, found: int, least: int) -> None:
    if found < least:
        raise ConfigurationError(
            f"{what} must be at least {least}", found=str(found), do=f"ask for {least} or more"
        )


def _plan(count: int, seed: int, groups: Int64Array) -> tuple[Int64Array, Int64Array]:
    """The label and the face of each image; `groups[i]` is the group of face i.

    Every ten images hold the ten letters, shuffled. In a round of as many tens as there are groups, each
    letter meets each group once, so that even a small set has every letter of every group.
    """
    sizes = np.bincount(groups)
    tens = np.arange(-(-count // 10))
    round_of, step = np.divmod(tens, len(sizes))
    rounds = int(round_of[-1]) + 1
    draws = [np.random.default_rng([derive(seed, "glyphs", epoch=1), part]) for part in range(4)]
    labels = np.argsort(draws[0].random((len(tens), 10)), axis=1)
    order = np.argsort(draws[1].random((rounds, len(sizes))), axis=1)
    ahead = np.argsort(draws[2].random((rounds, max(10, len(sizes)))), axis=1)
    turn = (step[:, None] + ahead[round_of[:, None], labels]) % len(sizes)
    group = order[round_of[:, None], turn]
    member = (draws[3].random(group.shape) * sizes[group]).astype(np.int64)
    faces = np.argsort(groups, kind="stable")[(np.cumsum(sizes) - sizes)[group] + member]
    return labels.ravel()[:count], faces.ravel()[:count]


def _in_parallel(
    faces: Sequence[lettering.Face], jobs: list[tuple[int, int, int]], size: int, stream: int, workers: int
) -> lettering.Bytes:
    """Images x size x size, a run of neighbouring images to each worker.

    The workers are plain processes that run letter.py. Those of multiprocessing would import the
    caller's main program again, and torch with it; a fork would copy torch's threads' locks.
    """
    bounds = np.linspace(0, len(jobs), workers + 1).astype(int).tolist()
    texts = [
        json.dumps({"faces": faces, "plan": jobs[start:stop], "size": size, "seed": stream})
        for start, stop in pairwise(bounds)
    ]
    with ThreadPoolExecutor(len(texts)) as pool:
        parts = list(pool.map(_worker, texts))
    return np.concatenate([np.frombuffer(part, np.uint8).reshape(-1, size, size) for part in parts])


def _worker(job: str) -> bytes:
    command = [sys.executable, "-P", lettering.__file__]
    done = subprocess.run(  # noqa: S603
        command, input=job.encode(), capture_output=True, check=False, env=child_environment()
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing said"]
        raise DataError(
            "every process that draws letters must finish",
            found=f"one ended with status {done.returncode}: {said[-1]}",
            do="free some memory, or draw in this process with workers=1",
        )
    return done.stdout
