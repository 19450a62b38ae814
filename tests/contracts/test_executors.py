"""One contract, every executor: those that are registered, and one from outside; Ray's is in test_ray.py."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from executor_contract import ExecutorContract
from latentspace.core.cluster import Engine
from latentspace.search.executors import EXECUTORS
from latentspace.search.executors.protocol import Executor
from stranger.in_process import InThisProcess

STARTS = [*dict.fromkeys([*EXECUTORS, "stranger"])]


@pytest.fixture(params=[name for name in STARTS if name != "ray"])
def executor(request, monkeypatch) -> Iterator[Executor]:
    monkeypatch.setattr("latentspace.search.run.LOOKING", 0.02)
    start = InThisProcess if request.param == "stranger" else EXECUTORS[request.param]
    with closing(start(Engine(name=request.param))) as executor:
        yield executor


class TestExecutor(ExecutorContract):
    pass
