"""Processes that need not load PyTorch first: each is forked from one that has, and that does nothing else.

A start of `python -m latentspace` spends two or three seconds on imports. That it starts is shown by tests
that begin a process of Python's own; the others take one from here.
"""

import fcntl
import gc
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, suppress
from functools import cache
from importlib import import_module
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import pytest

from latentspace.search.executors import worker
from latentspace.search.executors.local import LocalExecutor
from latentspace.search.executors.memory import ENVIRONMENT
from latentspace.search.executors.protocol import WorkerTask
from latentspace.training.together import process
from latentspace.training.together.processes import LocalRanks

LONGEST = 100  # characters of a socket's path
SERVER = "FORK_SERVER_OF_TESTS"  # the variable with the file that says where it is
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    [
        "jinja2",
        "kept",
        "latentspace.cli.main",
        "latentspace.data.readers.apart",
        "latentspace.data.readers.array_files",
        "latentspace.data.readers.column_files",
        "latentspace.experiment.recipe",
        "latentspace.models.dense",
        "latentspace.models.stacks.family",
        "latentspace.report.run.write",
        "latentspace.report.search.page",
        "latentspace.search.executors.worker",
        "latentspace.search.run",
        "latentspace.studies.foscarin2021.recipes",
        "latentspace.training.tracking",
        "latentspace.training.together.process",
        "latentspace.training.train",
        "preloaded",
        "rich.progress",
        "sklearn.decomposition",
        "sklearn.manifold",
    ]
)


def _begin() -> None:
    """Begin the server where it finds the modules of the tests; what it does not find it leaves out."""
    with chdir(Path(__file__).parent):
        forkserver.ensure_running()


@cache
def _share() -> None:
    """Processes of pytest-xdist fork from one server: the first that needs it begins it, and has it told."""
    server, place = forkserver._forkserver, os.environ.get(SERVER)  # type: ignore[attr-defined]
    if place is None or hasattr(server, "_forkserver_authkey"):  # Python 3.14: a server of its own for each
        _begin()
        return
    with Path(place).open("a+") as told:
        fcntl.flock(told, fcntl.LOCK_EX)
        told.seek(0)
        try:
            address, alive = told.read().splitlines()
            descriptor = os.open(alive, os.O_WRONLY)  # it lives until the last one closes it
        except (ValueError, OSError):  # none was begun, or all that had it have ended
            _begin()
            told.truncate(0)
            kept = f"/proc/{os.getpid()}/fd/{server._forkserver_alive_fd}"
            listens = f"{place}-{os.getpid()}"  # the other name goes with this process
            if len(os.fsencode(listens)) < LONGEST:
                with suppress(OSError):  # it is on another file system: the others do without
                    os.rename(server._forkserver_address, listens)  # noqa: PTH104
                    server._forkserver_address = listens
                    told.write(f"{listens}\n{kept}\n")
            return
    server._forkserver_address, server._forkserver_alive_fd = address, descriptor
    server.ensure_running = resource_tracker.ensure_running  # it is another's child


class Process(subprocess.Popen[str]):
    """A call of `function` in a process and a session of its own, handled as its base is.

    Args:
        out, err: files that its standard output and its messages are appended to.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        out: str = os.devnull,
        err: str = os.devnull,
        context: BaseContext = FORKED,
        session: bool = True,
    ) -> None:
        if context is FORKED:
            _share()
        self._process = context.Process(target=_run, args=(function, arguments, out, err, session))
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        return self.returncode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _run(function: Callable[..., Any], arguments: tuple[Any, ...], out: str, err: str, session: bool) -> None:
    gc.freeze()  # what was loaded stays: collecting garbage need not look at it
    if session:
        os.setsid()
    for descriptor, place in ((0, os.devnull), (1, out), (2, err)):
        opened = os.open(place, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    function(*arguments)


def command(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """`latentspace` with these arguments, in `folder`; a warning is an error."""
    from latentspace.cli import main

    os.environ.update(environment)
    tempfile.tempdir = None  # as the environment says
    os.chdir(folder)
    warnings.simplefilter("error")
    sys.argv = ["latentspace", *arguments]
    main.main()


def module(name: str, arguments: list[str], folder: str) -> None:
    """`python -m NAME` with these arguments in `folder`, which is where its temporary files lie too."""
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    os.chdir(folder)
    sys.argv = [name, *arguments]
    sys.exit(import_module(f"{name}.__main__").main())


def run_module(name: str, *arguments: str, folder: Path, logs: Path, timeout: float = 280) -> tuple[int, str]:
    """Its exit code, and what it printed, by way of the folder `logs`."""
    log = logs / "printed"
    process = Process(module, name, list(arguments), str(folder), out=str(log), err=str(log))
    process.wait(timeout)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() or 0, log.read_text()


def command_with_forked_workers(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """`command`, whose search forks its workers from itself: they need not load PyTorch anew."""
    forked_workers()
    command(arguments, folder, environment)


def forked_workers() -> None:
    """From now on, a search of this process forks its workers, which stay in its session."""
    context = multiprocessing.get_context("fork")
    LocalExecutor.submit = lambda own, task: submit(own, task, context)  # type: ignore[method-assign]


def begun(
    arguments: list[object], folder: Path, function: Callable[..., Any] = command, **environment: str
) -> tuple[Process, Path, Path]:
    """The process of a command, and the files with its output and its messages."""
    place = Path(tempfile.mkdtemp(dir=folder))
    out, err = place / "out", place / "err"
    out.touch()
    err.touch()
    words = list(map(str, arguments))
    return Process(function, words, str(folder), environment, out=str(out), err=str(err)), out, err


def latentspace(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """The command, run to its end in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        process, out, err = begun(list(arguments), Path(folder))
        process.wait(timeout)
        process.kill()  # where it did not end
        code = process.wait()
        return subprocess.CompletedProcess(list(arguments), code or 0, out.read_text(), err.read_text())


def start_worker(directory: Path, url: str | None = None) -> Process:
    """A worker of a search, begun as the search begins it but for the imports."""
    return Process(work, WorkerTask(directory=directory, storage=url).model_dump_json())


def work(task: str) -> None:
    os.environ.update(ENVIRONMENT)  # read at the first convolution
    sys.stdin = io.StringIO(task)
    worker.main()


def submit(executor: LocalExecutor, task: WorkerTask, context: BaseContext = FORKED) -> None:
    """`LocalExecutor.submit`, with a worker from here; one forked from the caller stays in its session."""
    said = tempfile.NamedTemporaryFile("w+")  # noqa: SIM115 - closed when the worker is gone
    words, own_session = task.model_dump_json(), context is FORKED
    process = Process(work, words, out=said.name, context=context, session=own_session)
    executor._processes[process] = said  # type: ignore[index, assignment]


def rank(number: int, count: int, calls: Connection, answers: Connection) -> None:
    os.dup2(calls.fileno(), 0)
    os.dup2(answers.fileno(), 1)
    calls.close()
    answers.close()
    sys.stdin = os.fdopen(0, "r", closefd=False)
    process.main(str(number), str(count))


def quick_ranks(ranks: LocalRanks, number: int) -> Process:
    """`LocalRanks._begun`, with a process from here."""
    calls, to = multiprocessing.Pipe(duplex=False)
    of, answers = multiprocessing.Pipe(duplex=False)
    begun = Process(rank, number, len(ranks._devices), calls, answers)
    calls.close()
    answers.close()
    begun.stdin, begun.stdout = (
        os.fdopen(os.dup(one.fileno()), how) for one, how in ((to, "wb"), (of, "rb"))
    )
    to.close()
    of.close()
    ranks._listening.append(threading.Thread(target=ranks._listen, args=(number, begun), daemon=True))
    ranks._listening[-1].start()
    return begun


@contextmanager
def quick_workers() -> Iterator[None]:
    """In this block the workers of a search are begun here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalExecutor, "submit", submit)
        patch.setattr("latentspace.search.run.LOOKING", 0.05)
        yield


def until(condition: Callable[[], object], seconds: float = 200) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)
