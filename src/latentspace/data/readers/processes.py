"""Image files read by several processes at a time, in order, and the same to the bit as by one.

Within `read_by` they are read by what that names. The usual processes are plain ones that run worker.py.
Those of multiprocessing would import the caller's main program again, and torch with it; a fork would copy
the locks of torch's threads. They begin at once where there are many files, else once reading has taken a
while, and end with the reading, however that ends. Threads were measured slower than none for small images:
Pillow holds the lock throughout.
"""

import pickle
import subprocess
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import chain
from queue import SimpleQueue
from typing import Final, TypeAlias

from PIL import Image

from ...core.child_processes import begin_piped, cores, end_piped
from ...core.errors import DataError
from .reading import Answer, File, Task, in_portions, read
from .rows import forget

PATIENCE: Final = 0.5  # seconds that one process reads alone: as long as it takes to begin another
COUNT: Final = 128  # files of a task, at most
BYTES: Final = 2**22  # of the files of a task, about
MOST: Final = 8  # processes
MANY: Final = 10_000  # files that are worth the other processes, however small they are

Planned = Callable[[tuple[File, ...]], Task]
Reader: TypeAlias = Callable[[Task], Answer]
Readers: TypeAlias = Callable[[], AbstractContextManager[Sequence[Reader]]]
_readers: ContextVar[Readers | None] = ContextVar("readers", default=None)


@contextmanager
def read_by(readers: Readers) -> Iterator[None]:
    """Inside the block files are read by these at a time, and not by processes of this machine.

    Args:
        readers: are there within its block; each does a task at a time, as `reading.read` does.
    """
    token = _readers.set(readers)
    try:
        yield
    finally:
        _readers.reset(token)


def answers(files: Iterable[File], planned: Planned) -> Generator[tuple[Task, Answer], None, None]:
    """What comes of all files, in their order; to be called within `decoding()`.

    Args:
        planned: makes a task of some files, when it is their turn to be read.

    Raises:
        DataError: a process ended before its time.
    """
    portions = in_portions(files, COUNT, BYTES)
    alone = 0.0 if isinstance(files, Sized) and len(files) >= MANY else PATIENCE
    began = time.monotonic()
    many = min(cores(), MOST)
    readers = _readers.get() or (partial(_workers, many) if many > 1 else None)
    try:
        for portion in portions:
            task = planned(portion)
            yield task, read(task)
            if readers is not None and time.monotonic() - began > alone:
                break
    finally:
        forget()
    following = next(portions, None)
    if readers is None or following is None:
        return
    with readers() as several, _shared_out(several) as ask:
        waiting: deque[tuple[Task, Future[Answer]]] = deque()
        for portion in chain([following], portions):
            task = planned(portion)
            waiting.append((task, ask(task)))
            if len(waiting) > 2 * len(several):
                task, future = waiting.popleft()
                yield task, future.result()
        while waiting:
            task, future = waiting.popleft()
            yield task, future.result()


@contextmanager
def _shared_out(readers: Sequence[Reader]) -> Iterator[Callable[[Task], "Future[Answer]"]]:
    """What is asked within the block is answered by the first reader that is free."""
    free: SimpleQueue[Reader] = SimpleQueue()
    for one in readers:
        free.put(one)
    pool = ThreadPoolExecutor(len(readers))

    def answered(task: Task) -> Answer:
        reader = free.get()
        try:
            return reader(task)
        finally:
            free.put(reader)

    try:
        yield lambda task: pool.submit(answered, task)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _workers(count: int) -> Iterator[Sequence[Reader]]:
    """Processes of this machine, which are there within the block."""
    with ExitStack() as stack:
        processes = []
        for _ in range(count):
            processes.append(begin_piped(f"{__package__}.worker", str(Image.MAX_IMAGE_PIXELS or "")))
            stack.callback(end_piped, processes[-1])
        yield [partial(_asked, one) for one in processes]


def _asked(process: "subprocess.Popen[bytes]", task: Task) -> Answer:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        pickle.dump(task, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()
        answer: Answer | None = pickle.load(process.stdout)  # noqa: S301 - from a process that this one began
    except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise DataError(
            "every process that reads images must finish",
            found=f"one ended while it read {task.files[0].name} and those after it",
            do="free some memory, and try again; on one processor images are read by one process",
        ) from error
    return read(task) if answer is None else answer
