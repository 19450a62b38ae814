"""A cluster of Ray with several nodes on this machine: each has a raylet and an object store of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NODE: dict[str, Any] = {"object_store_memory": 80 << 20, "include_dashboard": False}


class Nodes:
    """The head, which computes nothing, and nodes that are added and killed."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **NODE})
        self.there: list[Any] = []

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def add(self, cpus: int = 1) -> Any:
        node = self._cluster.add_node(num_cpus=cpus, **NODE)
        self.there.append(node)
        return node

    def kill(self, node: Any) -> None:
        """As when its power fails."""
        self.there.remove(node)
        self._cluster.remove_node(node, allow_graceful=False)

    def keep(self, count: int) -> None:
        """So many nodes of one CPU, no more and no fewer."""
        while len(self.there) > count:
            self.kill(self.there[-1])
        while len(self.there) < count:
            self.add()

    def end(self) -> None:
        self._cluster.shutdown()


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
