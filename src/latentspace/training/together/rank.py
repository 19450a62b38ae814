"""One process of a training that several compute: it holds a network of its own, and moves it as all do."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import torch
from torch._C._distributed_c10d import FileStore, Store, TCPStore

from ...core.wording import write_for
from ...runs.checkpoint import State
from ..components import Components
from ..context import TrainingContext
from ..loop import EpochRecord, learn
from ..state import restore, state_of
from .peers import joined

JOINING: Final = timedelta(minutes=2)  # that a process waits until all have come
HERE: Final = "127.0.0.1"


class Rank:
    """Process `rank`, counted from 0, of `count`."""

    def __init__(self, rank: int, count: int) -> None:
        self.rank, self.count = rank, count
        self._context: TrainingContext | None = None
        self._components: Components | None = None
        self._records: Generator[EpochRecord, None, None] | None = None
        self._store: Store | None = None

    def open(self, context: TrainingContext, device: str, threads: int, whom: str) -> None:
        """What the training is of, to compute on `device`; messages are for `whom`."""
        write_for(whom)
        torch.set_num_threads(threads)
        self._context = context.on(device)

    def listen(self, host: str) -> int:
        """Begin what the others find each other by; its port."""
        store = TCPStore(host, 0, self.count, is_master=True, timeout=JOINING, wait_for_workers=False)
        self._store = store
        return int(store.port)

    def join(self, place: Path | tuple[str, int], host: str, state: State) -> None:
        """Wait for the others, and take up `state`.

        Args:
            place: a file that all see, or the address where the first one listens.
            host: as `peers.joined`.
        """
        if self._context is None:
            raise RuntimeError("open comes first")
        components = self._context.components()
        if self.count > 1:
            store = self._store or self._found(place)
            components = replace(components, peers=joined(store, self.rank, self.count, host))
        if self.rank:
            components = replace(components, validation=None)
        own = {name: one.clone() for name, one in state.optimizer.items()}  # an optimiser keeps what it gets
        restore(components, state.model_copy(update={"optimizer": own}), Path("state"))
        self._components = components
        self._records = learn(self._context.experiment, components, state.epoch + 1)

    def _found(self, place: Path | tuple[str, int]) -> Store:
        if isinstance(place, Path):
            return FileStore(str(place), self.count)
        return TCPStore(*place, self.count, is_master=False, timeout=JOINING)

    def epoch(self) -> tuple[EpochRecord, State] | None:
        """The next epoch; the first process says what all have come to."""
        if self._records is None or self._components is None:
            raise RuntimeError("join comes first")
        record = next(self._records)
        return None if self.rank else (record, state_of(self._components, record.epoch, 0, 0.0))
