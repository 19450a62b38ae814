"""python -m fuzz [--count N] [--reader NAME] [--seed S]: damaged inputs for every reader (`make fuzz`)."""

import argparse
import faulthandler
import logging
import os
import random
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
import warnings
from functools import cache
from pathlib import Path
from types import FrameType

import torch
from lightning_fabric.utilities import registry as fabric_registry

from fuzz.readers import READERS, Reader, emptied
from latentspace.core.errors import LatentspaceError
from latentspace.data import sources

PATIENCE = 30  # seconds of the processor that an input may take
HANGING = 3600  # seconds without news after which a call that cannot be interrupted ends the whole process
NEWS = 10  # seconds
ROOM = 2 * 2**30  # bytes of address space beyond what is in use at the start
GROWTH = 2**30  # bytes that the process may have grown at its largest


class TooLongError(BaseException):
    """An input took longer than `PATIENCE`; nothing but the fuzzer catches it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="inputs for each reader")
    parser.add_argument("--reader", choices=READERS, action="append", help="this one alone; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input, to see one again")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="where failing inputs go")
    chosen = parser.parse_args()
    _prepare()
    failures = 0
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="fuzz-") as folder:
        os.environ["LATENTSPACE_CACHE"] = str(Path(folder) / "cache")
        for name in chosen.reader or READERS:
            base = emptied(Path(folder) / name)
            reader = READERS[name](emptied(base / "good"))
            failures += _fuzz(name, reader, base / "input", chosen)
    return 1 if failures else 0


def _prepare() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.getLogger("latentspace").setLevel(logging.CRITICAL)
    fabric_registry.entry_points = cache(fabric_registry.entry_points)  # a seventh of the time of a run
    sources.GLYPHS = 30  # type: ignore[misc]  # what a damaged run's `auto` renders; all would take minutes
    signal.signal(signal.SIGPROF, _alarm)
    socket.socket.connect = _no_network  # type: ignore[method-assign,assignment]
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + ROOM, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _alarm(number: int, frame: FrameType | None) -> None:
    raise TooLongError(f"more than {PATIENCE} seconds of the processor")


def _no_network(*_: object) -> None:
    raise OSError("a fuzzed input may not reach the network")


def _fuzz(name: str, reader: Reader, place: Path, chosen: argparse.Namespace) -> int:
    began = shown = time.monotonic()
    loaded = refused = failed = 0
    faulthandler.dump_traceback_later(HANGING, exit=True)
    for number in range(chosen.first, chosen.first + chosen.count):
        reader.write(random.Random(f"{chosen.seed}/{name}/{number}"), emptied(place))
        why = _read(reader, place)
        loaded += why is None
        refused += why == ""
        if why:
            failed += 1
            kept = chosen.keep / f"{name}-{chosen.seed}-{number}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(place, kept)
            (kept / "traceback.txt").write_text(why, errors="replace")
            last = why.strip().splitlines()[-1]
            print(f"{name} {number}: {last[:200]}\n  the input lies in {kept}", flush=True)
        if time.monotonic() - shown > NEWS:
            shown = time.monotonic()
            faulthandler.dump_traceback_later(HANGING, exit=True)  # begins a thread: not for each input
            print(f"{name}: {number + 1 - chosen.first:,} of {chosen.count:,}", flush=True)
    faulthandler.cancel_dump_traceback_later()
    print(
        f"{name}: {chosen.count:,} inputs: {loaded:,} loaded, {refused:,} refused in our own words, "
        f"{failed:,} failed; {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return failed


def _read(reader: Reader, place: Path) -> str | None:
    """None: all of it loads; nothing: an error of our own; else what went wrong."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)  # a busy machine fails no input
    try:
        reader.read(place)
    except LatentspaceError:
        result: str | None = ""
    except (Exception, TooLongError):  # noqa: BLE001 - any other one is what is looked for
        result = traceback.format_exc()
    else:
        result = None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return f"it took {grown:,} bytes of memory" if grown > GROWTH and not result else result


if __name__ == "__main__":
    sys.exit(main())
