"""A cluster of Ray with several nodes on this machine: each has a raylet and an object store of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from latentspace.core.connection import _lean

ATTEMPTS = 3
NODE: dict[str, Any] = {"object_store_memory": 80 << 20, "include_dashboard": False}


class Nodes:
    """The head, which computes nothing, and nodes that are added and killed."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._cluster = Cluster()
        self._begin(num_cpus=0)
        self.there: list[Any] = []

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self, cpus: int = 1) -> Any:
        node = self._begin(num_cpus=cpus)
        self.there.append(node)
        return node

    def _begin(self, **sizes: int) -> Any:
        """As our own clusters begin. Ray gives a node 30 seconds, and a busy machine may need more."""
        for _ in range(ATTEMPTS):
            try:
                with _lean(alone=True):
                    return self._cluster.add_node(**sizes, **NODE)
            except Exception as error:  # Ray's own is of no other class
                if "timed out" not in str(error).lower():
                    raise
        pytest.skip("this machine is too busy: a node of Ray did not begin in 30 seconds")

    def kill(self, node: Any) -> None:
        """As when its power fails."""
        self.there.remove(node)
        self._cluster.remove_node(node, allow_graceful=False)

    def end(self) -> None:
        self._cluster.shutdown()


class Beginner:
    """A process that dies as it begins on one node; it imports no more than this file."""

    def __init__(self, unable: str) -> None:
        import ray

        self.node = ray.get_runtime_context().get_node_id()
        if self.node == unable:
            os._exit(1)

    def where(self) -> str:
        return self.node


@contextmanager
def nodes() -> Iterator[Nodes]:
    """A cluster that this process is connected to within the block."""
    import ray

    cluster = Nodes()
    try:
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
    finally:
        ray.shutdown()
        cluster.end()
