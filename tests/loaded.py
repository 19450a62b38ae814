"""A process that loads the libraries, the package and the tests once; those that run tests are its forks.

Each would spend 15 seconds of its own on that. `python loaded.py SOCKET SOCKET TESTS` is begun by `conftest`
and ends with its standard input. There are three kinds of forks: of the libraries alone, by the first socket;
of the package as users run it, `preloaded`; of all, with shapes checked, by the second. `forked_python` asks.
"""

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from multiprocessing import forkserver, resource_tracker, util
from pathlib import Path
from types import ModuleType

import pytest

# What one of our modules is the first to import is compiled anew under the hook, not read from its cache.
LIBRARIES = """
    beartype latentspace.training.fabric matplotlib.pyplot optuna pandas pyarrow pydantic rich scipy.stats
    sklearn.decomposition sklearn.manifold sklearn.neighbors torch typer
"""
# What a command needs.
COMMANDS = """
    jinja2 kept latentspace.cli.main latentspace.experiment.recipe latentspace.models.dense
    latentspace.models.stacks.family latentspace.report.run.write latentspace.report.search.page
    latentspace.search.executors.worker latentspace.search.run latentspace.studies.foscarin2021.recipes
    latentspace.training.tracking latentspace.training.together.process latentspace.training.train
"""


def load(names: str) -> None:
    for name in names.split():
        with contextlib.suppress(ImportError):  # what another library brings along may be gone one day
            import_module(name)


def serve(listening: socket.socket) -> bytes:
    """What is asked for at this socket, in a child with the files of who asked; this process serves on."""
    with listening, selectors.DefaultSelector() as ready:
        ready.register(0, selectors.EVENT_READ)
        ready.register(listening, selectors.EVENT_READ)
        while True:
            key = ready.select()[0][0]
            if key.fd == 0:
                sys.exit()  # with who began it
            if key.fileobj is not listening:
                _end(ready, *key.data)
                continue
            asking = listening.accept()[0]
            length, files, _, _ = socket.recv_fds(asking, 4, 3)
            asked = asking.makefile("rb").read(int.from_bytes(length, "big"))
            child = os.fork()
            if not child:
                for other in {key.data for key in ready.get_map().values()} - {None}:
                    os.close(other[1])
                    other[2].close()
                asking.close()
                _take(files)
                return asked
            for file in files:
                os.close(file)
            ended = os.pidfd_open(child)
            for one in (ended, asking):
                ready.register(one, selectors.EVENT_READ, (child, ended, asking))


def _end(ready: selectors.BaseSelector, child: int, ended: int, asking: socket.socket) -> None:
    """Say how it ended; where who asked is gone, let it end."""
    if asking in {key.fileobj for key, _ in ready.select(0)}:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for one in (ended, asking):
        ready.unregister(one)
    os.close(ended)
    with contextlib.suppress(OSError), asking:
        asking.sendall(str(code).encode())


def _take(files: Sequence[int]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, how, closefd=False) for n, how in enumerate("rww"))
    signal.signal(signal.SIGINT, signal.default_int_handler)


def become(asked: bytes) -> None:
    """Do what a new Python with such arguments, such an environment and such a place would do."""
    words, environment, place = json.loads(asked)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(place)
    given = iter(words)
    for word in given:
        if word == "-W":
            warnings.simplefilter(next(given))
        elif word not in ("-P", "-u"):
            break
    searched = [] if word == "-m" else [str(Path(word).parent)] if word.endswith(".py") else [""]
    sys.path[:0] = [*searched, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    what = word if word.endswith(".py") else next(given)
    sys.argv = [what if word != "-c" else "-c", *given]
    if word == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    elif word != "-c":
        runpy.run_path(what, run_name="__main__")
    else:
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), vars(main))


def fork_server() -> None:
    """Begin `multiprocessing`'s own, for this process and its forks, without loading the libraries anew."""

    def begun(path: str, words: Sequence[str], files: Sequence[int]) -> int:
        if child := os.fork():
            return child
        held = {int(one.name) for one in Path("/proc/self/fd").iterdir()} - {0, 1, 2, *files}
        for one in held:
            with contextlib.suppress(OSError):  # that of the folder itself
                os.close(one)
        try:
            exec(words[-1], {})
        finally:
            os._exit(0)

    resource_tracker.ensure_running()  # a small one, begun as usual
    forkserver.set_forkserver_preload(COMMANDS.split())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(util, "spawnv_passfds", begun)
        forkserver.ensure_running()
    forkserver._forkserver.ensure_running = lambda: None  # it is no child of the forks


class _NoTests:
    """A plug-in of pytest's: the files of the tests are loaded, and nothing is made of what is in them."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self) -> list[object]:
        return []


def main(python: socket.socket, tests: socket.socket, chosen: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    load(LIBRARIES)
    gc.freeze()
    fork_server()
    if not os.fork():
        tests.close()
        become(serve(python))
        return
    python.close()
    with Path(os.devnull).open("w") as nothing, contextlib.redirect_stdout(nothing):
        pytest.main(["--collect-only", "-qq", *chosen], plugins=[_NoTests()])
    gc.freeze()
    become(serve(tests))


if __name__ == "__main__":
    main(*(socket.socket(fileno=int(one)) for one in sys.argv[1:3]), sys.argv[3:])
