"""Image files read by several processes at a time, in order, and the same to the bit as by one.

The processes are plain ones that run worker.py. Those of multiprocessing would import the caller's main
program again, and torch with it; a fork would copy the locks of torch's threads. They begin once reading has
taken a while, and end with the reading, however that ends. Threads were measured slower than none for small
images: Pillow holds the lock throughout.
"""

import os
import pickle
import subprocess
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue
from typing import Final

from PIL import Image

from ...core.child_processes import child_environment, module_command
from ...core.errors import DataError
from .reading import Answer, File, Task, in_portions, read

PATIENCE: Final = 0.5  # seconds that one process reads alone: as long as it takes to begin another
COUNT: Final = 128  # files of a task, at most
BYTES: Final = 2**22  # of the files of a task, about
MOST: Final = 8  # processes

Planned = Callable[[tuple[File, ...]], Task]


def answers(files: Iterable[File], planned: Planned) -> Generator[tuple[Task, Answer], None, None]:
    """What comes of all files, in their order; to be called within `decoding()`.

    Args:
        planned: makes a task of some files, when it is their turn to be read.

    Raises:
        DataError: a process ended before its time.
    """
    portions = in_portions(files, COUNT, BYTES)
    began = time.monotonic()
    workers = min(cores(), MOST)
    for portion in portions:
        task = planned(portion)
        yield task, read(task)
        if workers > 1 and time.monotonic() - began > PATIENCE:
            break
    else:
        return
    with _workers(workers) as ask:
        waiting: deque[tuple[Task, Future[Answer]]] = deque()
        for portion in portions:
            task = planned(portion)
            waiting.append((task, ask(task)))
            if len(waiting) > 2 * workers:
                task, future = waiting.popleft()
                yield task, future.result()
        while waiting:
            task, future = waiting.popleft()
            yield task, future.result()


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _workers(count: int) -> Iterator[Callable[[Task], "Future[Answer]"]]:
    """Processes that are there within the block: what is asked is answered by the first that is free."""
    free: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
    with ExitStack() as stack:
        for _ in range(count):
            process = _begun()
            stack.callback(_end, process)
            free.put(process)
        pool = ThreadPoolExecutor(count)
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)

        def answered(task: Task) -> Answer:
            process = free.get()
            try:
                return _asked(process, task)
            finally:
                free.put(process)

        yield lambda task: pool.submit(answered, task)


def _begun() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603
        module_command(f"{__package__}.worker", str(Image.MAX_IMAGE_PIXELS or "")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(threads=1),
        start_new_session=True,  # Ctrl-C is for the process that asks
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError, ValueError):  # what was left to be written to a process that has ended
                pipe.close()


def _asked(process: "subprocess.Popen[bytes]", task: Task) -> Answer:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        pickle.dump(task, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()
        answer: Answer = pickle.load(process.stdout)  # noqa: S301 - from a process that this one began
    except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise DataError(
            "every process that reads images must finish",
            found=f"one ended while it read {task.files[0].name} and those after it",
            do="free some memory, and try again; on one processor images are read by one process",
        ) from error
    return answer
