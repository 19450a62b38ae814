"""Letters A-J rendered from font files: the default data where notMNIST cannot be had.

Like notMNIST: white on black, cut to the frame, some of it decorated beyond reading. Not notMNIST: a few
dozen faces bent in many ways, where notMNIST has a face for every image. Ten principal components leave
as much error of it as of notMNIST or more (0.0685), so it is no easier to reconstruct.

Image number i is a function of (seed, i, fonts, size) alone: more images or other workers do not change it.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from ....core.errors import ConfigurationError, DataError
from ....core.randomness import derive
from ....core.types import Int64Array
from ....core.wording import counted
from ...cleaning import CleaningRecord, sentence
from ...imageset import ImageSet
from . import letter as lettering
from .fonts import Typefaces, files_hash, typefaces

CLASS_NAMES = tuple("ABCDEFGHIJ")
COUNT = 18_724  # as many as the small notMNIST
SMALLEST = 16
RENDERING = 2  # raised when the same arguments would draw other pixels or groups
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

    Each font family draws the same share of every letter, but for the ornate mathematical letters, whose
    share is half: they are rare in notMNIST. The set's `groups` are the families, or the faces where there
    are fewer than `ENOUGH` families: of a dozen, two or three would be a whole test part, and chance would
    decide whether they are odd ones.

    Raises:
        ConfigurationError: a count or workers below 1, or a size below 16.
        DataError: no usable font, or a worker that did not finish.
    """
    _at_least("the number of images", count, 1)
    _at_least("the side of an image, in pixels,", size, SMALLEST)
    workers = workers if workers is not None else os.cpu_count() or 1
    _at_least("the number of workers", workers, 1)
    faces = typefaces(fonts)
    labels, chosen = _plan(count, seed, faces)
    jobs = list(zip(range(count), chosen.tolist(), labels.tolist(), strict=True))
    stream = derive(seed, "glyphs")
    workers = min(workers, count // PER_WORKER)
    if workers < 2:
        pixels = lettering.draw_many(faces.alphabets, jobs, size, stream)
    else:
        pixels = _in_parallel(faces, jobs, size, stream, workers)
    families = len(faces.names)
    return ImageSet(
        pixels=pixels[:, None],
        source=f"glyphs (rendered letters A-J from {counted(families, 'font family')}; not notMNIST)",
        labels=labels,
        class_names=CLASS_NAMES,
        groups=chosen if families < ENOUGH else np.asarray(faces.family, dtype=np.int64)[chosen],
        record=CleaningRecord(conversions=_said(faces)),
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


def _said(faces: Typefaces) -> tuple[str, ...]:
    if not faces.left_out:
        return ()
    files = counted(len(faces.left_out), "font file")
    return (f"{files} without letters A-J left out: {sentence(faces.left_out)}",)


def _plan(count: int, seed: int, faces: Typefaces) -> tuple[Int64Array, Int64Array]:
    """The label of each image, and the number of its alphabet.

    Every ten images hold the ten letters, shuffled. In a round of as many tens as there are turns (one for
    an ornate family, two for another), each letter meets each turn once, so that even a small set has
    every letter of every family.
    """
    stream = derive(seed, "glyphs", epoch=1)
    turns = [number for number, ornate in enumerate(faces.ornate) for _ in range(1 if ornate else 2)]
    members = [np.flatnonzero(np.equal(faces.family, number)) for number in range(len(faces.names))]
    labels = np.empty((-(-count // 10), 10), dtype=np.int64)
    chosen = np.empty_like(labels)
    for ten in range(len(labels)):
        round_number, step = divmod(ten, len(turns))
        if step == 0:
            rng = np.random.default_rng([stream, 0, round_number])
            order, ahead = rng.permutation(turns), rng.permutation(max(10, len(turns)))
        rng = np.random.default_rng([stream, 1, ten])
        labels[ten] = rng.permutation(10)
        families = order[(step + ahead[labels[ten]]) % len(turns)]
        chosen[ten] = [rng.choice(members[family]) for family in families]
    return labels.ravel()[:count], chosen.ravel()[:count]


def _in_parallel(
    faces: Typefaces, jobs: list[tuple[int, int, int]], size: int, stream: int, workers: int
) -> lettering.Bytes:
    """Images x size x size, a run of neighbouring images to each worker.

    The workers are plain processes that run lettering.py. Those of multiprocessing would import the
    caller's main program again, and torch with it; a fork would copy torch's threads' locks.
    """
    bounds = np.linspace(0, len(jobs), workers + 1).astype(int).tolist()
    texts = [
        json.dumps({"alphabets": faces.alphabets, "plan": jobs[start:stop], "size": size, "seed": stream})
        for start, stop in pairwise(bounds)
    ]
    with ThreadPoolExecutor(len(texts)) as pool:
        parts = list(pool.map(_worker, texts))
    return np.concatenate([np.frombuffer(part, np.uint8).reshape(-1, size, size) for part in parts])


def _worker(job: str) -> bytes:
    search = os.pathsep.join(place for place in sys.path if place)
    done = subprocess.run(  # noqa: S603  (our own file, and no shell)
        [sys.executable, "-P", lettering.__file__],
        input=job.encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": search},
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing said"]
        raise DataError(
            "every process that draws letters must finish",
            found=f"one ended with status {done.returncode}: {said[-1]}",
            do="free some memory, or draw in this process with workers=1",
        )
    return done.stdout
