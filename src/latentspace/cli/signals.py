"""A signal that is to end the process, and does, whatever runs when it arrives."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

AGAIN: Final = 0.2  # seconds from one look whether the exception was lost to the next


@contextmanager
def insistent(number: signal.Signals, kind: type[BaseException]) -> Iterator[None]:
    """Inside the block, the signal raises an exception of this kind.

    A library may swallow it: in a bare `except`, or in a destructor or a callback, where Python can only say
    that it was ignored. So it is raised again, unless it is being dealt with. A signal that is ignored stays
    so: a shell starts its background programs deaf to Ctrl-C.
    """
    before = signal.getsignal(number)
    if before is signal.SIG_IGN:
        yield
        return
    watched = False

    def came(*_: object) -> None:
        nonlocal watched
        if not watched and hasattr(signal, "setitimer"):  # not on Windows
            watched = True
            signal.signal(signal.SIGALRM, look)
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        raise kind

    def look(*_: object) -> None:
        error = sys.exc_info()[1]
        while error is not None:
            if isinstance(error, kind):
                return
            error = error.__context__
        raise kind

    signal.signal(number, came)
    try:
        yield
    finally:
        if watched:
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(number, before)
