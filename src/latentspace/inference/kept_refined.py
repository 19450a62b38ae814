"""Refined codes that a run keeps from one command to the next: each image is refined once.

Of what explores images: what is trained or evaluated never depends on them.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import filelock
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from ..core.atomic_files import locked
from ..core.errors import OutputError, RunError
from ..core.types import CodeArray, Int64Array
from ..data.given import Given
from ..models.remembered import KEY, MOST, forget, refined_once, remembering
from ..runs.directory import Run
from ..runs.records import damage
from ..runs.tensors import read_tensors, write_tensors

if TYPE_CHECKING:
    from .trained import TrainedAutoencoder

logger = logging.getLogger(__name__)

FILE: Final = "refined.safetensors"
LOCK: Final = ".refined.lock"
VERSION: Final = "1"  # of the file
ROOM: Final = 64 << 20  # bytes of codes and their keys; the oldest make room
AT_ONCE: Final = 50_000  # codes that are found before they are written, and then the next
WAIT: Final = 10.0  # seconds for another command that is writing


@contextmanager
def refined_kept(trained: "TrainedAutoencoder") -> Iterator[None]:
    """Within it, refined codes that its run keeps are not found again, and new ones are kept at the end.

    Also where it ends by an error or Ctrl-C. Within another one, or `refined_once`, that one counts.
    """
    if trained.run is None:
        with refined_once():
            yield
        return
    kept = _Kept(trained.run, trained.code_size)
    with remembering(kept):
        try:
            yield
        finally:
            kept.write()


def encoded_once(trained: "TrainedAutoencoder", images: Given, chosen: Int64Array | None = None) -> CodeArray:
    """`trained.encode`, within `refined_kept`."""
    with refined_kept(trained):
        return trained.encode(images, chosen=chosen)


@dataclass(frozen=True, eq=False)
class _Table:
    """Codes by their keys, the oldest first."""

    keys: UInt8[np.ndarray, "_codes key"]
    codes: Float32[np.ndarray, "_codes code"]

    @classmethod
    def empty(cls, size: int) -> "_Table":
        return cls(np.zeros((0, KEY), np.uint8), np.zeros((0, size), np.float32))

    @cached_property
    def _sorted(self) -> tuple[Int64Array, np.ndarray]:
        """The places of the keys in the order of their first halves, and these halves."""
        first = _halves(self.keys.tobytes())[:, 0]
        order = np.argsort(first, kind="stable")
        return order, first[order]

    def known(self, keys: Sequence[bytes]) -> dict[bytes, torch.Tensor]:
        if not len(self.keys) or not keys:
            return {}
        order, first = self._sorted
        place = np.searchsorted(first, _halves(b"".join(keys))[:, 0])
        rows = order[np.minimum(place, len(order) - 1)].tolist()
        there = self.keys
        return {
            key: torch.from_numpy(self.codes[row])
            for key, row in zip(keys, rows, strict=True)
            if there[row].tobytes() == key
        }

    def joined(self, found: Mapping[bytes, torch.Tensor]) -> "_Table":
        """With those of `found` that it has not, and without the oldest ones for which there is no room."""
        known = self.known(list(found))
        new = {key: code for key, code in found.items() if key not in known}
        if not new:
            return self
        most = max(1, ROOM // (KEY + self.codes[:0].itemsize * self.codes.shape[1]))
        keys = np.frombuffer(b"".join(new), np.uint8).reshape(-1, KEY)
        codes = torch.stack(list(new.values())).numpy()
        return _Table(np.concatenate([self.keys, keys])[-most:], np.concatenate([self.codes, codes])[-most:])


def _halves(keys: bytes) -> np.ndarray:
    """Keys as two whole numbers each."""
    return np.frombuffer(keys, np.uint64).reshape(-1, 2)


class _Kept:
    """The memory of a run; its file is read when the first code is asked for."""

    def __init__(self, run: Run, size: int) -> None:
        self._run = run
        self._size = size
        self._new: dict[bytes, torch.Tensor] = {}
        self._given_up = False

    @cached_property
    def _notes(self) -> dict[str, str]:
        """What the file must say; nothing where the run has lost its weights since they were read."""
        try:
            return {"version": VERSION, "weights": self._run.weights_hash}
        except (RunError, OSError):
            return {}

    @cached_property
    def _table(self) -> _Table:
        return self._read(said=True)

    def known(self, keys: Sequence[bytes]) -> dict[bytes, torch.Tensor]:
        """As a `Memory`."""
        return self._table.known(keys) | {key: self._new[key] for key in keys if key in self._new}

    def add(self, found: Mapping[bytes, torch.Tensor]) -> None:
        """As a `Memory`."""
        self._new |= found
        if len(self._new) >= AT_ONCE:
            self.write()
            forget(self._new, MOST)

    def write(self) -> None:
        """Add what is new to the file; where that is not possible, this is said, once."""
        if not self._new or not self._notes or self._given_up:
            return
        try:
            with locked(self._run.path / LOCK, timeout=WAIT):
                before = self._read(said=False)
                table = before.joined(self._new)
                if table is not before:
                    tensors = {"keys": torch.from_numpy(table.keys), "codes": torch.from_numpy(table.codes)}
                    write_tensors(self._run.path / FILE, tensors, self._notes)
        except (OutputError, filelock.Timeout) as error:
            self._given_up = True
            logger.warning(
                "refined codes cannot be kept in %s (%s): they are computed again each time",
                self._run.path,
                error.found if isinstance(error, OutputError) else "other commands are writing them now",
            )
        else:
            self._table, self._new = table, {}

    def _read(self, *, said: bool) -> _Table:
        """What the file has; nothing where it is missing, damaged, or of other weights or versions."""
        path, none = self._run.path / FILE, _Table.empty(self._size)
        if not self._notes or not path.exists():
            return none
        try:
            found, notes = read_tensors(path)
            if {**notes, **self._notes} != notes:
                return none
            with damage(path):
                keys, codes = found["keys"].numpy(), found["codes"].numpy()
                if keys.dtype != np.uint8 or codes.dtype != np.float32:
                    raise TypeError(f"keys of {keys.dtype}, codes of {codes.dtype}")
                if (keys.shape, codes.shape) != ((len(keys), KEY), (len(keys), self._size)):
                    raise ValueError(f"keys of shape {keys.shape}, codes of shape {codes.shape}")
                return _Table(keys, codes)
        except RunError as error:
            if said:
                logger.warning("%s is damaged (%s): it is made again", path, error.found)
            return none
