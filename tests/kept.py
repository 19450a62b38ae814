"""What a user computes now and then, and the tests hundreds of times: kept in a process and its forks."""

from collections.abc import Callable
from functools import cache
from importlib import import_module

from latentspace.data import imageset, kept_pairs
from latentspace.data.near_copies import Pairs
from latentspace.data.readers.registry import READERS
from latentspace.objectives.families import OBJECTIVES
from latentspace.training import fabric  # noqa: F401  # before any part of Fabric: without what it does not need

# nearly every command imports them: a second of the processor in each fork that finds them missing
for name in ("sklearn.decomposition", "sklearn.linear_model", "latentspace.training.tracking"):
    import_module(name)

# a Fabric looks for callbacks through every installed package, at each training
fabric_registry = import_module("lightning_fabric.utilities.registry")
fabric_registry.entry_points = cache(fabric_registry.entry_points)

_pairs: dict[str, Pairs] = {}


def _found_once(content_hash: str, count: int, find: Callable[[], Pairs]) -> Pairs:
    """Those of small sets are kept too, in memory: the tests read the same few sets hundreds of times."""
    if count >= kept_pairs.WORTH:
        return kept_pairs.kept_near_copies(content_hash, count, find)
    if content_hash not in _pairs:
        _pairs[content_hash] = find()
    return _pairs[content_hash]


imageset.kept_near_copies = _found_once
_loaded = [*READERS.values(), *OBJECTIVES.values()]
