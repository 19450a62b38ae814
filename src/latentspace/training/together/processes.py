"""The processes of a training on this machine: begun, asked all at once, ended however the training ends."""

import pickle
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final

import torch

from ...core.atomic_files import refusals
from ...core.child_processes import begin_piped, cores, end_piped
from ...core.devices import named_device
from ...core.errors import DeviceError, LatentspaceError, TrainingError
from ...core.progress import tell
from ...core.wording import option, reader
from ...data.paths import cache_directory
from ...experiment.config import Experiment
from ...runs.checkpoint import State
from ..context import TrainingContext
from ..loop import EpochRecord
from .process import kept
from .rank import HERE

PARTING: Final = 5.0  # seconds from an error of one to the end of another that may be its cause


class LocalRanks:
    """As many processes as the plan has devices.

    Raises:
        OutputError: the cache has no space for what they share.
    """

    def __init__(self, context: TrainingContext) -> None:
        plan = context.experiment
        folder = cache_directory()
        with refusals(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._folder = tempfile.TemporaryDirectory(prefix="training-", dir=folder)
        self._said: Queue[tuple[int, tuple[str, Any] | None]] = Queue()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._listening: list[threading.Thread] = []
        self._threads = plan.threads or max(1, cores() // plan.devices)
        self._devices = devices_of(plan)
        self._context = context.on("cpu")

    def begin(self, state: State) -> None:
        """Start the processes at `state`; once all have come, nothing of them is left on the disk."""
        shared, store = (Path(self._folder.name) / name for name in ("context", "store"))
        with refusals(shared):
            kept(self._context, shared)
        for rank in range(len(self._devices)):
            self._processes.append(self._begun(rank))
        self._asked("open", [(shared, device, self._threads, reader()) for device in self._devices])
        self._asked("join", [(store, HERE, state)] * len(self._devices))
        with suppress(OSError):  # Windows keeps files until who has them open ends
            self._folder.cleanup()

    def epoch(self) -> tuple[EpochRecord, State]:
        """The next epoch, by all of them."""
        found: tuple[EpochRecord, State] = self._asked("epoch", [()] * len(self._devices))[0]
        return found

    def close(self) -> None:
        for one in self._processes:
            one.kill()
        for thread in self._listening:
            thread.join(PARTING)
        for one in self._processes:
            end_piped(one)
        self._processes = []
        self._folder.cleanup()

    def _begun(self, rank: int) -> "subprocess.Popen[bytes]":
        module, numbers = f"{__package__}.process", (str(rank), str(len(self._devices)))
        process = begin_piped(module, *numbers, threads=self._threads)
        self._listening.append(threading.Thread(target=self._listen, args=(rank, process), daemon=True))
        self._listening[-1].start()
        return process

    def _listen(self, rank: int, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while True:
                self._said.put((rank, pickle.load(process.stdout)))  # noqa: S301 - from a process of ours
        self._said.put((rank, None))

    def _asked(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """What each answers.

        Raises:
            TrainingError: one of them ended.
            Exception: what one of them raised.
        """
        for process, own in zip(self._processes, arguments, strict=True):
            assert process.stdin is not None
            with suppress(OSError):  # it has ended: its last word says so
                pickle.dump((method, own), process.stdin)
                process.stdin.flush()
        answers: dict[int, Any] = {}
        while len(answers) < len(self._processes):
            rank, said = self._said.get()
            if said is None:
                raise self._lost(rank)
            kind, value = said
            if kind == "told":
                if rank == 0:
                    tell(*value)
            elif kind == "error":
                raise self._cause(value)
            else:
                answers[rank] = value
        return [answers[rank] for rank in range(len(self._processes))]

    def _cause(self, error: Exception) -> Exception:
        """The error, or what it came from: the end of another process, which is heard of a little later."""
        if isinstance(error, LatentspaceError):
            return error
        with suppress(Empty):
            while True:
                rank, said = self._said.get(timeout=PARTING)
                if said is None:
                    return self._lost(rank)
                if said[0] == "error" and isinstance(said[1], LatentspaceError):
                    return said[1]
        return error

    def _lost(self, rank: int) -> TrainingError:
        code = self._processes[rank].wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return TrainingError(
            "all processes of a training must live until its end",
            found=f"process {rank + 1} of {len(self._processes)} {how}",
            do=f"look whether memory ran out; the epochs that are done are kept: {option('resume', 'RUN')} "
            "goes on",
        )


def devices_of(experiment: Experiment) -> list[str]:
    """The device of each process on this machine.

    Raises:
        DeviceError: it has fewer GPUs.
    """
    device = named_device(experiment.device)
    if device.type == "cpu":
        return ["cpu"] * experiment.devices
    there = torch.cuda.device_count() if device.type == "cuda" and device.index is None else 1
    if experiment.devices > there:
        raise DeviceError(
            "each process of a training has a GPU of its own",
            found=f"{option('devices', experiment.devices)} with {option('device', str(device))}, which is "
            f"{there} here",
            do=f"name {option('devices', there)}, or {option('device', 'cpu')}",
        )
    return [f"{device.type}:{number}" for number in range(experiment.devices)]
