"""The run directory: the one file that reads and writes it.

config.json           the experiment
data.json             what the images were: source, counts, shape, classes, hash, what was skipped
split.json            the indices of each part, and the hashes of the images that were learned from
environment.json      versions, hardware, revision, seed
metrics.jsonl         a line an epoch
weights.safetensors   what was learned; it is there once the training has ended
state/                weights and optimiser of the last whole epoch, while a training runs
results/              one JSON file an evaluation
figures/, report.html
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError

from .data.cleaning import CleaningRecord
from .data.imageset import ImageSet
from .data.splits import Split
from .errors import RunError
from .experiment import Experiment
from .files import file_hash, refusals, replacing, write_bytes, write_json
from .types import Hashes

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class DataRecord:
    """What is kept of the images: enough to build the network and to name what was seen."""

    source: str
    images: int
    channels: int
    height: int
    width: int
    class_names: tuple[str, ...]
    labelled: bool
    content_hash: str
    duplicate_groups: int
    duplicate_images: int
    comparable: bool
    cleaning: CleaningRecord

    @classmethod
    def of(cls, images: ImageSet) -> "DataRecord":
        height, width = images.size
        return cls(
            source=images.source,
            images=len(images),
            channels=images.channels,
            height=height,
            width=width,
            class_names=images.class_names,
            labelled=images.labels is not None,
            content_hash=images.content_hash,
            duplicate_groups=images.duplicates.groups,
            duplicate_images=images.duplicates.extra,
            comparable=images.comparable,
            cleaning=images.record,
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.height, self.width

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DataRecord":
        cleaning = CleaningRecord.from_json(values["cleaning"])
        return cls(**{**values, "class_names": tuple(values["class_names"]), "cleaning": cleaning})


@dataclass(frozen=True)
class State:
    """A training between two epochs: what the next one needs to go on as if nothing had happened."""

    epoch: int
    best_epoch: int
    best_score: float
    model: Tensors
    optimizer: Tensors


class Run:
    """One run directory. Use `Run.create` for a new one, `Run.open` for one that is there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(
        cls,
        path: Path,
        experiment: Experiment,
        images: ImageSet,
        split: Split,
        seen: Hashes,
        environment: Mapping[str, Any],
    ) -> "Run":
        """Make the directory and write the plan into it; nothing half-made is ever at `path`.

        Args:
            seen: the hashes of the images that the training learns from.

        Raises:
            RunError: there is something at `path` already.
            OutputError: the place cannot be written.
        """
        refuse_existing(path)
        beside = path.with_name(f".{path.name}.part")
        with refusals(path):
            beside.mkdir(parents=True, exist_ok=True)
            (beside / "figures").mkdir(exist_ok=True)
        write_json(beside / "config.json", experiment.model_dump(mode="json"))
        write_json(beside / "data.json", asdict(DataRecord.of(images)))
        seen_hex = [f"{one:016x}" for one in np.unique(seen).tolist()]
        content = json.dumps({**split.to_json(), "learned_from": seen_hex}, allow_nan=False)
        write_bytes(beside / "split.json", content.encode())
        write_json(beside / "environment.json", {**environment, "seed": experiment.seed})
        with refusals(path):
            beside.replace(path)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Raises: RunError: there is no run at `path`."""
        if not (path / "config.json").is_file():
            raise RunError(
                f"{path} must be a run directory, with a config.json in it",
                found="no such directory" if not path.exists() else "no config.json there",
                do="name a directory that `latentspace train` made; `latentspace runs` lists them",
            )
        return cls(path)

    @property
    def experiment(self) -> Experiment:
        return Experiment.parse(self._json("config.json"), f"{self.path / 'config.json'}")

    @property
    def data(self) -> DataRecord:
        with self._damage("data.json"):
            return DataRecord.from_json(self._json("data.json"))

    @property
    def split(self) -> Split:
        with self._damage("split.json"):
            return Split.from_json(self._json("split.json"))

    @property
    def learned_from(self) -> Hashes:
        """The hashes of the images that the training learned from, in ascending order."""
        with self._damage("split.json"):
            return np.array(
                [int(one, 16) for one in self._json("split.json")["learned_from"]], dtype=np.uint64
            )

    @property
    def environment(self) -> dict[str, Any]:
        return self._json("environment.json")

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The records of the whole epochs, in order; a last line that was cut short is left out."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        records: list[dict[str, Any]] = []
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], start=1):
            try:
                records.append(json.loads(line))
            except ValueError as error:
                raise _damaged(path, f"line {number}: {error}") from error
        return records

    def append(self, record: Mapping[str, Any]) -> None:
        path = self.path / "metrics.jsonl"
        with refusals(path), path.open("ab") as file:
            file.write(json.dumps(record, allow_nan=False).encode() + b"\n")

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
    def weights(self) -> Tensors:
        """Raises: RunError: the training has not ended, or the file is damaged."""
        if not self.finished:
            raise RunError(
                f"the training of {self.path} must have ended",
                found=f"{len(self.metrics)} of {self.experiment.training.epochs} epochs and no weights",
                do=f"go on with: latentspace train --resume {self.path}",
            )
        return self._tensors("weights.safetensors")[0]

    def save_weights(self, weights: Tensors) -> None:
        """The end of a training: the weights that stay, and no more state."""
        self._save("weights.safetensors", weights, {})
        for name in ("last", "best"):
            (self.path / "state" / f"{name}.safetensors").unlink(missing_ok=True)

    @property
    def state(self) -> State | None:
        """Where an interrupted training stands, or None if no epoch was finished."""
        if not (self.path / "state" / "last.safetensors").is_file():
            return None
        tensors, notes = self._tensors("state/last.safetensors")
        with self._damage("state/last.safetensors"):
            return State(
                epoch=int(notes["epoch"]),
                best_epoch=int(notes["best_epoch"]),
                best_score=float(notes["best_score"]),
                model=_below("model.", tensors),
                optimizer=_below("optimizer.", tensors),
            )

    def save_state(self, state: State) -> None:
        tensors = {f"model.{name}": tensor for name, tensor in state.model.items()}
        tensors |= {f"optimizer.{name}": tensor for name, tensor in state.optimizer.items()}
        notes = {
            "epoch": str(state.epoch),
            "best_epoch": str(state.best_epoch),
            "best_score": repr(state.best_score),
        }
        self._save("state/last.safetensors", tensors, notes)

    @property
    def best_weights(self) -> Tensors:
        return self._tensors("state/best.safetensors")[0]

    def save_best(self, weights: Tensors) -> None:
        self._save("state/best.safetensors", weights, {})

    def results(self) -> dict[str, dict[str, Any]]:
        """What `evaluate` found, by the name it was saved under."""
        return {
            file.stem: self._json(f"results/{file.name}")
            for file in sorted((self.path / "results").glob("*.json"))
        }

    def save_result(self, name: str, result: Mapping[str, Any]) -> Path:
        path = self.path / "results" / f"{name}.json"
        write_json(path, result)
        return path

    def save_figure(self, name: str, png: bytes) -> Path:
        path = self.path / "figures" / f"{name}.png"
        write_bytes(path, png)
        return path

    def save_page(self, html: str) -> Path:
        path = self.path / "report.html"
        write_bytes(path, html.encode())
        return path

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the directory: one writer at a time; the lock of a process that died is free again.

        Raises:
            RunError: another process writes here.
        """
        lock = filelock.FileLock(self.path / ".lock", timeout=0)
        with refusals(self.path):
            try:
                lock.acquire()
            except filelock.Timeout as error:
                raise RunError(
                    f"only one process may write to {self.path}",
                    found="another one is writing there now",
                    do="wait for it, or name another directory with --out",
                ) from error
        try:
            yield
        finally:
            lock.release()

    def _json(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise _damaged(path, str(error)) from error
        if not isinstance(content, dict):
            raise _damaged(path, f"a {type(content).__name__}, not an object")
        return content

    def _tensors(self, name: str) -> tuple[Tensors, dict[str, str]]:
        path = self.path / name
        try:
            content = path.read_bytes()
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            return safetensors.torch.load(content), header.get("__metadata__", {})
        except (OSError, ValueError, SafetensorError) as error:
            raise _damaged(path, str(error)) from error

    def _save(self, name: str, tensors: Tensors, notes: dict[str, str]) -> None:
        held = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
        with replacing(self.path / name) as file:
            file.write(safetensors.torch.save(held, metadata=notes))

    @contextmanager
    def _damage(self, name: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(self.path / name, f"{type(error).__name__}: {error}") from error


def refuse_existing(path: Path) -> None:
    """Raises: RunError: `path` holds something already."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise RunError(
            f"the run directory {path} must be new: a run is never overwritten",
            found="something is there already",
            do=f"go on with it (latentspace train --resume {path}), or name another place with --out",
        )


def find_runs(folder: Path) -> Sequence[Run]:
    """Every run below `folder`, at most three directories deep, by name."""
    found = [
        file.parent for depth in ("", "*/", "*/*/", "*/*/*/") for file in folder.glob(f"{depth}config.json")
    ]
    return [
        Run(path)
        for path in sorted(found, key=lambda one: _natural(str(one)))
        if (path / "data.json").is_file()
    ]


def _natural(text: str) -> list[tuple[int, str]]:
    """Sort keys in which run-10 follows run-9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _below(prefix: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}


def _damaged(path: Path, why: str) -> RunError:
    return RunError(
        f"{path} must be whole", found=why, do="restore the file from a copy, or train the run again"
    )


def compare(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row a run: where it stands, its scores, and the settings in which the runs differ."""
    plans = [_flat(run.experiment.model_dump(mode="json")) for run in runs]
    differing = [
        key for key in (plans[0] if plans else {}) if any(p.get(key) != plans[0][key] for p in plans)
    ]
    rows = []
    for run, plan in zip(runs, plans, strict=True):
        last = run.metrics[-1] if run.metrics else {}
        score = run.experiment.purpose.score
        rows.append(
            {
                "run": str(run.path),
                "kind": run.experiment.kind,
                "state": "ended" if run.finished else f"epoch {last.get('epoch', 0)}",
                "epochs": last.get("epoch", 0),
                f"train {score}": last.get("train", {}).get(score),
                f"validation {score}": last.get("validation", {}).get(score),
                f"test {score}": run.results().get("test", {}).get(score),
                **{key: plan.get(key) for key in differing if key != "kind"},
            }
        )
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in columns} for row in rows]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"training": {"epochs": 5}}` -> `{"training.epochs": 5}`"""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
