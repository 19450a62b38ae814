"""A process of a training on this machine: calls of a `Rank` come on standard input, answers go out.

A call is (method, arguments), an answer (kind, value): `done`, `error`, or how far an epoch has come: `told`.
It ends when its input ends, whatever it is at work on.
"""

import mmap
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, Final

from latentspace.core.progress import heard_by
from latentspace.training.context import TrainingContext
from latentspace.training.together.rank import Rank

TELLING: Final = 0.1  # seconds from one word on how far an epoch has come to the next


def kept(context: TrainingContext, path: Path) -> None:
    """Write a context to a file that processes map: they share its images."""
    buffers: list[pickle.PickleBuffer] = []
    about = pickle.dumps(context, protocol=5, buffer_callback=buffers.append)
    with path.open("wb") as file:
        raws = [one.raw() for one in buffers]
        pickle.dump((about, [len(one) for one in raws]), file)
        for one in raws:
            file.write(one)


def read_kept(path: Path) -> TrainingContext:
    """The context of such a file; its arrays stay there."""
    with path.open("rb") as file:
        about, sizes = pickle.load(file)  # noqa: S301 - written by the process that began this one
        start = file.tell()
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    buffers = []
    for size in sizes:
        buffers.append(whole[start : start + size])
        start += size
    context: TrainingContext = pickle.loads(about, buffers=buffers)  # noqa: S301
    return context


def main(rank: str, count: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks ends this process
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    calls: SimpleQueue[tuple[str, tuple[Any, ...]]] = SimpleQueue()
    threading.Thread(target=_heard, args=(sys.stdin.buffer, calls), daemon=True).start()
    process = Rank(int(rank), int(count))
    while True:
        name, arguments = calls.get()
        try:
            if name == "open":
                path, *others = arguments
                arguments = read_kept(path), *others
            with heard_by(_teller(answers)):
                said = "done", getattr(process, name)(*arguments)
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked from
            said = "error", error
        _say(answers, said)


def _heard(stream: BinaryIO, calls: "SimpleQueue[tuple[str, tuple[Any, ...]]]") -> None:
    try:
        while True:
            calls.put(pickle.load(stream))  # noqa: S301 - from the process that began this one
    except (EOFError, OSError, pickle.UnpicklingError):
        os._exit(1)


def _teller(answers: BinaryIO) -> Callable[[str, int, int], None]:
    last = 0.0

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > TELLING:
            last = time.monotonic()
            _say(answers, ("told", (what, done, total)))

    return tell


def _say(answers: BinaryIO, said: tuple[str, Any]) -> None:
    try:
        content = pickle.dumps(said)
    except Exception as error:  # noqa: BLE001 - an error of a library that cannot be sent
        content = pickle.dumps(("error", RuntimeError(f"{said[1]!r} ({error})")))
    answers.write(content)
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
