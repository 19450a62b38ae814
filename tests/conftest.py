"""What is set up before anything is loaded: where temporary files lie, and who needs the fixtures."""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # bytes; in a container there are often 64 MB

os.environ.pop("COLUMNS", None)  # pytest-xdist sets it, and Rich would keep it as every console's width
# Each sync of a file waits milliseconds for a disk, and there are thousands.
if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport]:
    """Each process of pytest-xdist begins with another part: what one has compiled, the others find."""
    report = yield
    number, count = (os.environ.get(f"PYTEST_XDIST_WORKER{one}") for one in ("", "_COUNT"))
    if number and count and isinstance(collector, pytest.Dir) and collector.path == Path(__file__).parent:
        found = list(report.result)
        first = len(found) * int(number.removeprefix("gw")) // int(count)
        report.result = found[first:] + found[:first]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ray's tests wait more than they compute: they come first, while there is other work beside them."""
    items.sort(key=lambda item: (item.path.name != "test_ray.py", item.path))


def pytest_configure(config: pytest.Config) -> None:
    """A process of pytest-xdist that runs no test need not load PyTorch."""
    if hasattr(config, "workerinput"):
        os.environ["FORK_SERVER_OF_TESTS"] = str(Path(config.option.basetemp).parent / "forkserver")
    if not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("shared")
