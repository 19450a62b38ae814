"""Threads that compute at once, each with its share of PyTorch's own threads.

PyTorch divides each operator between its threads, and they wait for each other behind each one: the operators
of a small network are short, so that two threads take little less time than one. Parts of a batch that are
computed by threads of their own wait only at the end.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Self, TypeVar

import torch

T = TypeVar("T")


def can_divide(device: torch.device) -> bool:
    """Whether threads that compute at once are each given threads of PyTorch's: on the CPU, by OpenMP."""
    return device.type == "cpu" and torch.backends.openmp.is_available()  # type: ignore[no-untyped-call]


class Threads:
    """So many threads, as a context; behind it PyTorch has the threads that it had before.

    Args:
        count: of those that compute at once; each has an equal share of PyTorch's, but one at least.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._whole = torch.get_num_threads()
        share = max(1, self._whole // count)
        self._pool = ThreadPoolExecutor(count, "part", torch.set_num_threads, (share,))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        torch.set_num_threads(self._whole)  # threads that begin later have as many as the last that was set

    def results(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What each returns, in their order; each sees the context variables of the caller."""
        waited_for = [self._pool.submit(copy_context().run, call) for call in calls]
        return [one.result() for one in waited_for]
