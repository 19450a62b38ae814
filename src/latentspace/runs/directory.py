"""The run directory: the one file that reads and writes it.

config.json           the experiment
data.json             what the images were: source, counts, shape, classes, hash, what was skipped
split.json            the indices of each part, and the hashes of the images that were learned from
environment.json      versions, hardware, revision, seed
metrics.jsonl         a line an epoch
weights.safetensors   what was learned; it is there once the training has ended
state/                weights and optimiser of the last whole epoch, while a training runs
results/              one JSON file an evaluation
codes.safetensors     of some images, where the network has no prior (inference/kept_codes.py)
density.safetensors   what `generate` fitted to codes (inference/kept_density.py)
refined.safetensors   refined codes, for the next command (inference/kept_refined.py)
figures/, report.html, card.html, and tracking.json: where else the training is logged
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.atomic_files import (
    as_path,
    exists,
    file_hash,
    new_folder,
    refusals,
    refuse_taken,
    sweep,
    watched,
    write_bytes,
    write_json,
)
from ..core.errors import LatentspaceError, OutputError, RunError
from ..core.logs import began_with, logged_to
from ..core.output_files import alone_at
from ..core.types import Hashes
from ..core.wording import counted, option
from ..data.imageset import ImageSet
from ..data.readers.filenames import readable
from ..data.splits import PARTS, Split
from ..data.summary import DataRecord
from .records import damage, damaged, epoch_records, json_object, require_environment

if TYPE_CHECKING:  # to list runs takes no PyTorch
    from ..experiment.config import Experiment
    from .checkpoint import State, States
    from .tensors import Tensors


class Run:
    """One run directory. Use `Run.create` for a new one, `Run.open` for one that is there."""

    def __init__(self, path: str | Path) -> None:
        self.path = as_path(path, "a run")
        self._in_its_place: Callable[[], bool] | None = None  # while it is written to
        self._known: tuple[dict[str, Any], Experiment] | None = None

    def __repr__(self) -> str:
        try:
            about = f"{self.experiment.kind}, {counted(len(self.metrics), 'epoch')}"
        except (LatentspaceError, OSError):
            about = "damaged"
        return f"<Run {self.path}: {about}{'' if self.finished else ', not ended'}>"

    def _repr_html_(self) -> str:
        from .preview import as_html

        return as_html(self)

    @classmethod
    def create(
        cls,
        path: Path,
        experiment: "Experiment",
        images: ImageSet,
        split: Split,
        seen: Hashes,
        environment: Mapping[str, Any],
    ) -> "Run":
        """Make the directory and write the plan into it; nothing half-made is ever at `path`.

        Of two that make it at the same moment, one does, and the other finds that it is there.

        Args:
            seen: the hashes of the images that the training learns from.

        Raises:
            RunError: there is something at `path` already.
            OutputError: the place cannot be written.
        """
        hashes = [f"{one:016x}" for one in np.unique(seen).tolist()]
        contents = {
            "config.json": experiment.model_dump(mode="json"),
            "data.json": DataRecord.of(images).to_json(),
            "split.json": {**split.to_json(), "learned_from": hashes},
            "environment.json": {**environment, "seed": experiment.seed},
        }
        with new_folder(path, refuse_existing) as folder:
            (folder / "figures").mkdir()
            for name, content in contents.items():
                write_json(folder / name, content, indent=None if name == "split.json" else 2)
        return cls(path)

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """The run at a path; raises RunError where there is none."""
        path = as_path(path, "a run")
        with readable(path):
            if not (path / "config.json").is_file():
                raise RunError(
                    f"{path} must be a run directory, with a config.json in it",
                    found="no such directory" if not path.exists() else "no config.json there",
                    do="name a directory that `latentspace train` made; `latentspace runs` lists them",
                )
        return cls(path)

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether there is a run at `path`."""
        return exists(path / "config.json")

    @property
    def experiment(self) -> "Experiment":
        from ..experiment.config import Experiment

        settings = self.settings
        if self._known is None or self._known[0] != settings:  # it is asked for many times
            self._known = settings, Experiment.restored(settings, f"{self.path / 'config.json'}")
        return self._known[1]

    @property
    def settings(self) -> dict[str, Any]:
        """config.json as it is; `experiment` holds it to what a plan must be."""
        return json_object(self.path / "config.json")

    @property
    def data(self) -> DataRecord:
        with damage(self.path / "data.json"):
            return DataRecord.from_json(json_object(self.path / "data.json"))

    @property
    def split(self) -> Split:
        with damage(self.path / "split.json"):
            split = Split.from_json(json_object(self.path / "split.json"))
            count = sum(len(split.part(name)) for name in PARTS)
            if count != self.data.images:
                raise ValueError(f"parts of {counted(count)}, where data.json has {self.data.images}")
            return split

    @property
    def learned_from(self) -> Hashes:
        """The hashes of the images that the training learned from, in ascending order."""
        with damage(self.path / "split.json"):
            hashes = json_object(self.path / "split.json")["learned_from"]
            return np.array([int(one, 16) for one in hashes], dtype=np.uint64)

    @property
    def environment(self) -> dict[str, Any]:
        with damage(self.path / "environment.json"):
            return require_environment(json_object(self.path / "environment.json"))

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The records of the whole epochs, in order; a last line that was cut short is left out."""
        return epoch_records(self.path / "metrics.jsonl")

    def append(self, record: Mapping[str, Any]) -> None:
        path = self.path / "metrics.jsonl"
        with self._in_place(), refusals(path), path.open("ab") as file:
            file.write(json.dumps(record, allow_nan=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())  # the state that follows says that this epoch is recorded

    def keep_metrics_until(self, epoch: int) -> None:
        """Drop the records of epochs after `epoch`: they will be made again."""
        kept = [json.dumps(one, allow_nan=False) + "\n" for one in self.metrics if one["epoch"] <= epoch]
        write_bytes(self.path / "metrics.jsonl", "".join(kept).encode())

    @property
    def weights_hash(self) -> str:
        """SHA-256 of weights.safetensors."""
        _ = self.weights  # refuses a run that has not ended, or is damaged
        return file_hash(self.path / "weights.safetensors")

    @property
    def encoder_hash(self) -> str | None:
        """The hash of the encoder's weights that a classifier learned from; None for other kinds."""
        found = self.environment.get("encoder_hash")
        return None if found is None else str(found)

    @property
    def finished(self) -> bool:
        return (self.path / "weights.safetensors").is_file()

    @property
    def weights(self) -> "Tensors":
        """The weights of a finished run; raises RunError where they are not there, or damaged."""
        if not self.finished:
            done, gone = counted(len(self.metrics), "epoch"), self.metrics and not self._states.there
            raise RunError(
                f"the training of {self.path} must have ended",
                found=f"{done}, but weights.safetensors is missing, and there is no state to go on from"
                if gone
                else f"{done} of {self.experiment.training.epochs}",
                do=f"{'bring the file back, or train anew' if gone else 'go on'} with: "
                f"latentspace train --resume {self.path}",
            )
        from .tensors import read_tensors

        return read_tensors(self.path / "weights.safetensors")[0]

    def save_weights(self, weights: "Tensors", beside: Mapping[str, bytes]) -> None:
        """The end of a training: the weights that stay with the files beside them, and no more state."""
        from .tensors import write_tensors

        with self._in_place():
            for name, content in beside.items():
                write_bytes(self.path / name, content)
            write_tensors(self.path / "weights.safetensors", weights, {})
        self._states.clear()

    @property
    def state(self) -> "State | None":
        return self._states.read()

    def save_state(self, state: "State") -> None:
        with self._in_place():
            self._states.save(state)

    @property
    def best_weights(self) -> "Tensors":
        return self._states.best

    def save_best(self, weights: "Tensors") -> None:
        with self._in_place():
            self._states.save_best(weights)

    def begin_anew(self) -> None:
        """Forget all epochs: what they learned from is not what it was taken for."""
        self._states.clear()
        self.keep_metrics_until(0)

    @property
    def _states(self) -> "States":
        from .checkpoint import States

        return States(self.path / "state")

    def result(self, name: str) -> dict[str, Any] | None:
        """What `evaluate` found and saved under a name; None: nothing."""
        file = f"results/{name}.json"
        return json_object(self.path / file) if (self.path / file).exists() else None

    def results(self) -> dict[str, dict[str, Any]]:
        """All of that, by the names."""
        files = sorted((self.path / "results").glob("*.json"))
        return {file.stem: json_object(file) for file in files}

    def save_result(self, name: str, result: Mapping[str, Any]) -> Path:
        path = self.path / "results" / f"{name}.json"
        write_json(path, result)
        sweep(path.parent)
        return path

    def save_figure(self, file_name: str, content: bytes) -> None:
        """A figure as PNG, or its numbers as CSV."""
        write_bytes(self.path / "figures" / file_name, content)

    def save_page(self, html: str) -> Path:
        path = self.path / "report.html"
        write_bytes(path, html.encode())
        self._sweep()
        return path

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the directory: one writer at a time; the lock of a process that died is free again.

        Raises:
            RunError: another process writes here, or there is no run here any more.
        """
        with self._locked():
            try:
                with watched(self.path) as self._in_its_place, logged_to(self.path / "run.log"):
                    self._sweep()
                    yield
            finally:
                self._in_its_place = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        Run.open(self.path)
        with alone_at(self.path, self.path / ".lock", RunError):
            yield

    def refuse_damaged_split(self) -> None:
        """Read which images were learned from, before images are read. Raises RunError: it is damaged."""
        _ = self.split, self.learned_from

    def refuse_damaged(self) -> None:
        """Read all records: a damaged one is named before images are read. Raises RunError."""
        self.refuse_damaged_split()
        _ = self.experiment, self.environment
        if not self.metrics and self.finished:
            raise damaged(self.path / "metrics.jsonl", "no epoch, where the training has ended")

    def refuse_unreadable(self) -> None:
        """Whether a training can go on here without images. Raises RunError: damaged, or written to now."""
        with self._locked():
            self.refuse_damaged()

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        """Refuse to write where the run is no longer: raises RunError."""
        self._require_in_place()
        try:
            yield
        except OutputError:
            self._require_in_place()  # it went away just now
            raise

    def _require_in_place(self) -> None:
        if self._in_its_place is not None and not self._in_its_place():
            raise RunError(
                f"{self.path} must stay where it is while it is trained",
                found="the directory was moved, replaced or deleted meanwhile",
                do="if it was moved, go on with it there: latentspace train --resume RUN",
            )

    def _sweep(self) -> None:
        """Remove what killed writers left: half-written files, and the states of an ended training."""
        for folder in (self.path, self.path / "state", self.path / "results", self.path / "figures"):
            sweep(folder)
        if self.finished:
            self._states.clear()

    def log(self, lines: Sequence[str]) -> None:
        """Begin run.log with what was said before there was a run."""
        began_with(self.path / "run.log", lines)


def refuse_existing(path: Path) -> None:
    """Refuse a path that holds something already: raises RunError."""
    do = f"go on with it (latentspace train --resume {path}), or name another place with {option('out')}"
    refuse_taken(path, RunError, "the run directory {} must be new: a run is never overwritten", do)
