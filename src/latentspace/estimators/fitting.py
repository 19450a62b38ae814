"""Parameters of an estimator -> a plan; a plan and arrays -> weights, by the loop that trains every run."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from torch import nn

from ..core.child_processes import refuse_too_many
from ..core.config import merged, nested
from ..core.errors import ConfigurationError
from ..core.types import Int64Array
from ..core.wording import brief
from ..data.batches import ResidentSet
from ..data.imageset import ImageSet
from ..data.splits import Split
from ..experiment.config import Experiment
from ..experiment.usual import settings_named, usual_preset
from ..training.code_size import settle_code_size
from ..training.components import Components, make_fabric, set_up
from ..training.context import context_of
from ..training.in_memory import InMemory
from ..training.length import settle_steps
from ..training.precision import settle_precision


@dataclass(frozen=True)
class Parts:
    """The rows that are learned from, and those that are held out to choose the best epoch by."""

    train: Int64Array
    held_out: Int64Array


@dataclass(frozen=True)
class Fitted:
    """A trained network on the CPU, its plan with everything settled, and the record of each epoch."""

    network: nn.Module
    experiment: Experiment
    history: list[dict[str, Any]]


def seed_of(random_state: Any) -> int:
    """A seed: the whole number itself, or one that is drawn from what `check_random_state` makes of it."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def plan_of(kind: str, params: Mapping[str, Any], seed: int, usual: Mapping[str, Any]) -> Experiment:
    """The plan of an estimator's parameters.

    Args:
        usual: settings that hold where `settings` names no others.

    Raises:
        ConfigurationError: a parameter or a setting that cannot be meant.
    """
    settings = params["settings"]
    if not isinstance(settings, Mapping | None):
        raise ConfigurationError(
            "settings must be a dictionary",
            found=brief(settings),
            do='write for example settings={"model.width": 16}',
        )
    stop = {"fit": "train", "keep": "best", "early_stopping": params["n_iter_no_change"]}
    if not params["early_stopping"]:
        stop = {"fit": "train+validation", "keep": "last", "early_stopping": 0}
    named = {
        name: _plain(params.get(name)) for name in ("code_size", "epochs", "batch_size", "learning_rate")
    }
    changes = merged(merged(usual, nested(settings or {})), settings_named(named))
    changes = merged(changes, {"training": stop})
    preset = params["preset"] or usual_preset(kind, changes)
    own = {"kind": kind, "preset": preset, "seed": seed, "device": params["device"]}
    plan = Experiment.parse({**own, **changes}, "the estimator")
    refuse_too_many("threads", plan.threads)
    return plan


def _plain(value: Any) -> Any:
    """A number of NumPy's as Python's: a search hands over such."""
    return value.item() if isinstance(value, np.generic) else value


def parts_of(count: int, params: Mapping[str, Any], seed: int, labels: np.ndarray | None = None) -> Parts:
    """All rows to learn from; with early stopping, the share `validation_fraction` of them held out.

    Raises:
        ValueError: what `train_test_split` refuses: too few rows, or a share that is none.
    """
    rows = np.arange(count)
    if not params["early_stopping"]:
        return Parts(rows, rows[:0])
    train, held_out = train_test_split(
        rows, test_size=params["validation_fraction"], random_state=seed, stratify=labels
    )
    return Parts(np.sort(train), np.sort(held_out))


def trained(plan: Experiment, inputs: np.ndarray, parts: Parts, verbose: bool) -> Fitted:
    """An autoencoder trained on inputs, samples x channels x height x width: bytes, or floats in [0, 1].

    Raises:
        LatentspaceError: a network that these inputs are too small for, or a loss that is not finite.
    """
    plan = settle_precision(plan, quietly=True)
    fabric = make_fabric(plan)
    if inputs.dtype == np.uint8:
        nobody = np.arange(0)
        split = Split(
            content_hash="", seed=plan.seed, shares="60/20/20", kept_together=0,
            train=parts.train, validation=parts.held_out, test=nobody,
        )  # fmt: skip
        context = context_of(plan, ImageSet(inputs, "the images given to fit"), split, fabric)
        return _learned(context.experiment, context.components(), verbose)
    _, channels, height, width = inputs.shape
    shape = channels, height, width
    plan = settle_steps(settle_code_size(plan, shape), len(parts.train))
    network = plan.build(shape)
    values = torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float32))
    return _learned(plan, _resident(plan, fabric, network, values, None, parts), verbose)


def trained_head(
    plan: Experiment, codes: np.ndarray, labels: np.ndarray, classes: int, parts: Parts, verbose: bool
) -> Fitted:
    """A classifier's head trained on codes, samples x code, and whole numbers below `classes`.

    Raises:
        TrainingError: a loss that is not finite.
    """
    plan = settle_steps(settle_precision(plan, quietly=True), len(parts.train))
    head = plan.build_classifier(codes.shape[1], classes)
    values = torch.from_numpy(np.ascontiguousarray(codes, dtype=np.float32))
    numbers = torch.from_numpy(labels.astype(np.int64))
    return _learned(plan, _resident(plan, make_fabric(plan), head, values, numbers, parts), verbose)


def _resident(
    plan: Experiment,
    fabric: Any,
    network: nn.Module,
    values: torch.Tensor,
    labels: torch.Tensor | None,
    parts: Parts,
) -> Components:
    def part(rows: Int64Array) -> ResidentSet:
        chosen = torch.from_numpy(rows)
        own = None if labels is None else labels[chosen].to(fabric.device)
        return ResidentSet(values[chosen].to(fabric.device), own)

    held_out = part(parts.held_out) if len(parts.held_out) else None
    return set_up(plan, fabric, network, part(parts.train), held_out)


def _learned(plan: Experiment, components: Components, verbose: bool) -> Fitted:
    training, history, began = InMemory(plan, components), [], time.perf_counter()
    for record in training.records():
        history.append(record.model_dump())
        if verbose:
            print(_line(plan, history[-1], time.perf_counter() - began))
    network = components.learned.cpu()
    network.load_state_dict(training.weights)
    return Fitted(network.eval(), plan, history)


def _line(plan: Experiment, record: Mapping[str, Any], seconds: float) -> str:
    """One epoch, for a person: `epoch 3 of 10: mse 0.0124, validation 0.0131, 2.4 s`."""
    score = plan.task.score if plan.task.score in record["train"] else "loss"
    words = f"epoch {record['epoch']} of {plan.training.epochs}: {score} {record['train'][score]:.4g}"
    if record["validation"] is not None:
        words += f", validation {plan.task.score} {record['validation'][plan.task.score]:.4g}"
    return f"{words}, {seconds:.1f} s"
