"""What is set up before anything is loaded: where temporary files lie, and who needs the fixtures."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # bytes; in a container there are often 64 MB

os.environ.pop("COLUMNS", None)  # pytest-xdist sets it, and Rich would keep it as every console's width
# Each sync of a file waits milliseconds for a disk, and there are thousands.
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ray's tests wait more than they compute: they come first, while there is other work beside them."""
    items.sort(key=lambda item: item.path.name != "test_ray.py")


def pytest_configure(config: pytest.Config) -> None:
    """The processes of pytest-xdist are forked from one that has loaded all (`loaded`)."""
    if not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("shared")
    elif sys.platform == "linux" and not Path("/dev/nvidiactl").exists():  # what CUDA began cannot be forked
        folder, tests = Path(tempfile.mkdtemp()), Path(__file__).parent
        forked = [sys.executable, "-IS", str(tests / "forked_python.py")]
        os.environ["FORKED_PYTHON"] = shlex.join([*forked, str(folder / "python")])  # for `preloaded`
        with _listening(folder / "python") as one, _listening(folder / "tests") as other:
            sockets = one.fileno(), other.fileno()
            begun = [sys.executable, tests / "loaded.py", *map(str, sockets), *config.args]
            process = subprocess.Popen(begun, stdin=subprocess.PIPE, pass_fds=sockets)
        config.add_cleanup(lambda: _end(process, folder))
        worker = shlex.join([*forked, str(folder / "tests")])
        config.option.tx = [f"popen//python={worker}"] * len(config.option.tx)


def _listening(place: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(place))
    made.listen()
    return made


def _end(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    shutil.rmtree(folder)
