"""Many runs side by side: where each stands, its scores, and the settings in which they differ."""

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..core.errors import LatentspaceError, RunError
from ..experiment.tasks import TASKS
from .directory import Run
from .records import damage

logger = logging.getLogger(__name__)


def find_runs(folder: Path) -> Sequence[Run]:
    """Every run below `folder`, at most three directories deep, by name: run-10 follows run-9."""
    found = {file.parent for depth in range(4) for file in folder.glob("*/" * depth + "config.json")}
    runs = [path for path in found if (path / "data.json").is_file()]
    return [Run(path) for path in sorted(runs, key=lambda one: _natural(str(one)))]


def readable(runs: Sequence[Run]) -> Sequence[Run]:
    """Those whose records are whole; each of the others is named in a warning.

    Raises:
        RunError: none of them is.
    """
    found, errors = [], []
    for run in runs:
        try:
            compare([run])
            found.append(run)
        except RunError as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    for one in errors:
        logger.warning("a damaged run is left out: %s (%s)", one.must, one.found)
    return found


def compare(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """A row a run; the settings that all of them share are left out."""
    differing = differing_settings(runs)
    rows = [
        _row(run) | {key: values[place] for key, values in differing.items() if key != "kind"}
        for place, run in enumerate(runs)
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in columns} for row in rows]


def differing_settings(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The settings in which runs differ, by their dotted names: a value for each run, None without one."""
    plans = [_flat(run.settings) for run in runs]
    settings = dict.fromkeys(key for plan in plans for key in plan)
    return {
        key: [plan.get(key) for plan in plans]
        for key in settings
        if any(plan.get(key) != plans[0].get(key) for plan in plans)
    }


def brief(table: Sequence[Mapping[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """What `compare` found, for a person: runs by their names below `folder`, one column for all scores."""
    rows = []
    for row in table:
        kind: str = row["kind"]
        score = TASKS[kind].score
        path = Path(row["run"])
        shared = {
            "run": str(path.relative_to(folder)) if path != folder else str(path),
            "kind": kind,
            "state": row["state"],
            "score": score,
            "validation": row[f"validation {score}"],
            "test": row[f"test {score}"],
        }
        scores = [f"{part} {one.score}" for part in SCORED for one in TASKS.values()]
        shown = {"run", "kind", "state", *scores}
        rows.append(shared | {name: value for name, value in row.items() if name not in shown})
    return rows


SCORED = ("train", "validation", "test")


def _row(run: Run) -> dict[str, Any]:
    last = run.metrics[-1] if run.metrics else {}
    with damage(run.path / "config.json"):
        kind = run.settings["kind"]
        score = TASKS[kind].score
    epoch = last.get("epoch", 0)
    parent = None
    with suppress(LatentspaceError):
        parent = run.environment.get("parent")
    return {
        "run": str(run.path),
        "kind": kind,
        "state": "ended" if run.finished else f"epoch {epoch}",
        "epochs": epoch,
        f"train {score}": last.get("train", {}).get(score),
        f"validation {score}": last.get("validation", {}).get(score),
        f"test {score}": (run.result("test") or {}).get(score),
        **({} if parent is None else {"parent": parent}),
    }


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"training": {"epochs": 5}}` -> `{"training.epochs": 5}`"""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
