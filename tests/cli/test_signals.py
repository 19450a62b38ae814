"""Signals end the process also where a library swallows the exception that they raise."""

import os
import signal
import subprocess
import sys
import time

import pytest

from latentspace.cli.signals import insistent


class Ended(BaseException):
    pass


def wait(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _no_other_alarm():
    """The tests' own time limit uses the same clock."""
    left, again = signal.setitimer(signal.ITIMER_REAL, 0)
    handler = signal.getsignal(signal.SIGALRM)
    yield
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, left, again)


def test_it_is_raised_again_where_it_was_swallowed():
    steps = []

    def library() -> None:
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
            wait(10)
        except Ended:
            steps.append("swallowed")
        wait(10)
        steps.append("went on")

    before = signal.getsignal(signal.SIGUSR1)
    with pytest.raises(Ended), insistent(signal.SIGUSR1, Ended):
        library()
    assert steps == ["swallowed"]
    assert signal.getsignal(signal.SIGUSR1) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_it_is_left_alone_while_it_is_dealt_with():
    steps = []

    def tidy() -> None:
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
            wait(10)
        finally:
            wait(0.7)
            steps.append("tidied up")

    def say() -> None:
        try:
            tidy()
        except Ended:
            try:
                raise ValueError("said of it")  # noqa: TRY301
            except ValueError:
                wait(0.5)
            steps.append("said")
            raise

    with pytest.raises(Ended), insistent(signal.SIGUSR1, Ended):
        say()
    assert steps == ["tidied up", "said"]


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with insistent(signal.SIGUSR1, Ended):
            os.kill(os.getpid(), signal.SIGUSR1)
            wait(0.1)
    finally:
        signal.signal(signal.SIGUSR1, before)


PROGRAM = """
import atexit, os, sys
from latentspace.cli import main as door
def work():
    print("begun", flush=True)
    atexit.register(print, "what was asked for at the exit")
    class Slow:
        def __del__(self, write=os.write):
            write(1, b"taken apart")
    sys.kept = Slow()
    {does}
door.main = work
door.command()
"""


@pytest.mark.parametrize(
    ("does", "code"),
    [("sys.exit(3)", 3), ("sys.exit()", 0), ("pass", 0), ("sys.exit('a reason')", 1), ("1 / 0", 1)],
)
def test_a_command_ends_with_its_code_and_is_not_taken_apart(does, code):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(does=does)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert done.stdout.splitlines()[:2] == ["begun", "what was asked for at the exit"]
    assert ("taken apart" in done.stdout) == (does == "1 / 0")
    assert ("ZeroDivisionError" in done.stderr) == (does == "1 / 0")
    assert ("a reason" in done.stderr) == ("reason" in does)
