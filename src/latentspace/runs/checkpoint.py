"""state/ of a run directory: where a training stands between two epochs; `directory.py` alone opens it."""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from ..core.atomic_files import refusals, remove
from ..core.errors import RunError
from ..core.record import Record
from .records import damage
from .tensors import Tensors, below, read_tensors, write_tensors

logger = logging.getLogger(__name__)

NAMES = ("last", "next", "previous")  # in the order they are trusted; "next" is there for an instant only


class State(Record):
    """A training between two epochs: what the next one needs to go on as if nothing had happened."""

    epoch: Annotated[int, Field(ge=0)]
    best_epoch: Annotated[int, Field(ge=0)]
    best_score: float
    model: Tensors
    optimizer: Tensors
    average: Tensors = Field(default_factory=dict)  # of the weights, where it is what is kept

    @model_validator(mode="after")
    def _the_best_is_past(self) -> "State":
        if self.best_epoch > self.epoch:
            raise ValueError(f"epoch {self.epoch}, the best of them {self.best_epoch}")
        return self


class States:
    """The last state and the one before it, and the best weights so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def there(self) -> bool:
        """Whether a training can go on from one, if it is whole."""
        return any(self._file(name).is_file() for name in NAMES)

    def read(self) -> State | None:
        """Where an interrupted training stands, or None if no epoch was finished.

        A damaged state is named in a warning, and the one before it is used.

        Raises:
            RunError: every state that is there is damaged.
        """
        errors = []
        for name in NAMES:
            if not self._file(name).is_file():
                continue
            try:
                return _read(self._file(name))
            except RunError as error:
                logger.warning("%s is damaged (%s): the state before it is used", name, error.found)
                errors.append(error)
        if errors:
            raise errors[0]
        return None

    def save(self, state: State) -> None:
        """Keep this state and the one before it; at every moment one of them is whole."""
        tensors = {f"model.{name}": tensor for name, tensor in state.model.items()}
        tensors |= {f"optimizer.{name}": tensor for name, tensor in state.optimizer.items()}
        tensors |= {f"average.{name}": tensor for name, tensor in state.average.items()}
        numbers = state.model_dump(exclude={"model", "optimizer", "average"})
        notes = {name: str(value) for name, value in numbers.items()}
        last, following, previous = map(self._file, NAMES)
        write_tensors(following, tensors, notes)
        with refusals(self.folder):
            if last.is_file():
                last.replace(previous)
            following.replace(last)

    @property
    def best(self) -> Tensors:
        return read_tensors(self._file("best"))[0]

    def save_best(self, weights: Tensors) -> None:
        write_tensors(self._file("best"), weights, {})

    def clear(self) -> None:
        """Remove all of it: the training has ended, or begins anew."""
        for name in (*NAMES, "best"):
            remove(self._file(name))
        with suppress(OSError):  # what could not be removed, or is not ours, stays in it
            self.folder.rmdir()

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"


def _read(path: Path) -> State:
    tensors, notes = read_tensors(path)
    with damage(path):
        parts = {part: below(f"{part}.", tensors) for part in ("model", "optimizer", "average")}
        return State.from_json({**notes, **parts})
