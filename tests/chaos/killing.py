"""Processes that are begun, watched for a while, and killed."""

import gc
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from latentspace.cli import main

SILENCE = 300.0  # seconds in which something must have happened
FORKING = multiprocessing.get_context("fork")


class ChaosError(Exception):
    """Something was lost, doubled or changed by the kills."""


class Victim:
    """`latentspace` with these arguments, in a process and a session of its own.

    It is forked from this process, which has loaded the libraries and computes nothing itself: so the kills
    fall into the work, and not into seconds of imports.

    Args:
        before: what is done in the process before that.
    """

    def __init__(
        self, arguments: Sequence[str], log: Path, before: Callable[[], None] = lambda: None
    ) -> None:
        self._log = log
        log.write_bytes(b"")
        self._process = FORKING.Process(target=_run, args=(list(arguments), log, before))
        self._process.start()
        self.pid = self._process.pid or 0

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for_words(self) -> None:
        """Until it has said something: its data are read then."""
        until = time.monotonic() + SILENCE
        while not self._log.stat().st_size and self.alive:
            if time.monotonic() > until:
                self.kill()
                raise ChaosError(f"nothing said in {SILENCE:.0f} seconds")
            time.sleep(0.005)

    def sleep(self, seconds: float) -> bool:
        """Whether it still lives after so long."""
        self._process.join(seconds)
        return self.alive

    def kill(self) -> None:
        """SIGKILL to all of its session: nothing in it can do anything any more."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join()

    def end(self) -> int:
        """Wait for its own end; the exit code."""
        self._process.join(SILENCE)
        if self.alive:
            self.kill()
            raise ChaosError(f"it hangs; its last words: {self.last_words}")
        return self._process.exitcode or 0

    @property
    def last_words(self) -> str:
        return " | ".join(self.said.splitlines()[-6:])

    def children(self) -> list[int]:
        """The processes that it has begun and that still run."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, ValueError):
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
                if int(parent) == self.pid and state != "Z":
                    found.append(int(stat.parent.name))
        return sorted(found)


def _run(arguments: list[str], log: Path, before: Callable[[], None]) -> None:
    gc.freeze()  # as a worker's main does
    os.setsid()
    for descriptor, place in ((0, os.devnull), (1, os.devnull), (2, str(log))):
        opened = os.open(place, os.O_RDWR | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["latentspace", *arguments]
    before()
    main.main()


def elsewhere(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function in a process of its own, so that this one computes nothing."""
    with FORKING.Pool(1) as pool:
        return pool.apply(function, arguments)


def clock() -> Callable[[str], None]:
    """A way to print lines, each with the seconds since this call."""
    began = time.monotonic()
    return lambda text: print(f"[{time.monotonic() - began:6.0f} s] {text}", flush=True)


def moment(draw: random.Random, most: float) -> float:
    """Seconds until the next kill: mostly anywhere up to `most`, at times at once."""
    return draw.choice([0.0, 0.02, 0.1]) if draw.random() < 0.15 else draw.uniform(0, most)
