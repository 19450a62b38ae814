"""Threads that compute at once, each with its share of PyTorch's own threads.

PyTorch divides each operator between its threads, and they wait for each other behind each one: the operators
of a small network are short, so that two threads take little less time than one. Parts of a batch that are
computed by threads of their own wait only at the end.
"""

import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self, TypeVar

import torch

T = TypeVar("T")


def can_divide(device: torch.device) -> bool:
    """Whether threads that compute at once are each given threads of PyTorch's: on the CPU, by OpenMP."""
    return device.type == "cpu" and torch.backends.openmp.is_available()  # type: ignore[no-untyped-call]


class Threads:
    """So many threads, as a context; behind it PyTorch has the threads that it had before.

    An exception that leaves the context, such as Ctrl-C, ends what they are at between two operators.

    Args:
        count: of those that compute at once; each has an equal share of PyTorch's, but one at least.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._whole = torch.get_num_threads()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(count)]

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if kind is not None:
            while not self._calls.empty():
                self._calls.get()
            for one in self._threads:
                raised = ctypes.py_object(_EndedError)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(one.ident or 0), raised)
        for _ in self._threads:
            self._calls.put(None)
        for one in self._threads:
            one.join()
        torch.set_num_threads(self._whole)  # threads that begin later have as many as the last that was set

    def results(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What each returns, in their order; each sees the context variables of the caller."""
        futures = [Future[T]() for _ in calls]
        for call, future in zip(calls, futures, strict=True):
            self._calls.put(partial(_run, partial(copy_context().run, call), future))
        return [one.result() for one in futures]

    def _work(self) -> None:
        try:
            torch.set_num_threads(max(1, self._whole // self.count))
            while (call := self._calls.get()) is not None:
                call()
        except _EndedError:
            pass


def _run(call: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
        future.set_exception(error)


class _EndedError(BaseException):
    """Raised in a thread that is to end."""
