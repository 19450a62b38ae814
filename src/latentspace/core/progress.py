"""How far something long has come: told where it is computed, heard where it is shown.

A context variable: nothing is passed down to what computes, and where nobody listens a step costs nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TypeAlias, TypeVar

T = TypeVar("T")
# Called with what is counted ("training", "validation"), how many are done, and of how many (0: unknown).
Listener: TypeAlias = Callable[[str, int, int], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Inside the block, `listener` is told of every step; it decides how often it shows one."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(what: str, done: int, total: int) -> None:
    listener = _listener.get()
    if listener is not None:
        listener(what, done, total)


def told(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """The items; each is told of once it is done with.

    Args:
        total: how many there are; None: their length, where they have one.
    """
    many = (len(items) if isinstance(items, Sized) else 0) if total is None else total
    for number, item in enumerate(items, start=1):
        yield item
        tell(what, number, many)


@contextmanager
def counted_from(done: Callable[[], int], total: int) -> Iterator[None]:
    """Inside the block, what is told is a part of something larger, of which `done` were done before."""
    listener = _listener.get()
    if listener is None:
        yield
        return
    with heard_by(lambda what, more, _: listener(what, done() + more, total)):
        yield


def unheard() -> AbstractContextManager[None]:
    """Inside the block nobody is told: what goes on there is a step of something larger."""
    return heard_by(lambda *_: None)
