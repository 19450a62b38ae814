"""JSON of a run directory, read back: strict, as files may be damaged."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..core.errors import RunError

_ENVIRONMENT: Final = {
    "python": str,
    "versions": dict,
    "processor": str,
    "threads": int,
    "device": str,
    "revision": str | None,
    "precision": str,
}


def parsed(content: bytes) -> Any:
    """JSON as it is written here: without NaN and infinities, and with text that can be printed.

    Raises:
        ValueError, RecursionError: it is not.
    """
    found = json.loads(content, parse_constant=_finite, parse_float=_finite)
    if b"\\u" in content:
        json.dumps(found, ensure_ascii=False).encode()  # half a character in it is a ValueError
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def json_object(path: Path) -> dict[str, Any]:
    """The object in a file. Raises RunError: there is none, or another value."""
    with damage(path):
        content = parsed(path.read_bytes())
        if not isinstance(content, dict):
            raise TypeError(f"a {type(content).__name__}, not an object")
        return content


def epoch_records(path: Path) -> list[dict[str, Any]]:
    """The records of whole epochs in a metrics.jsonl, in order; a last line that was cut short is left out.

    Raises:
        RunError: another line is no record of an epoch.
    """
    records = []
    with damage(path):
        lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            records.append(_epoch_record(parsed(line)))
        except (ValueError, RecursionError) as error:
            raise damaged(path, f"line {number}: {error}") from error
    return records


def _epoch_record(record: Any) -> dict[str, Any]:
    """The record of an epoch, from a line of metrics.jsonl.

    Raises:
        ValueError: not the record of an epoch.
    """
    epoch = record.get("epoch") if isinstance(record, dict) else None
    if not isinstance(epoch, int) or isinstance(epoch, bool) or epoch < 1:
        raise ValueError("no epoch is named")
    for part in ("train", "validation"):
        scores = record.get(part, {})
        if not isinstance(scores, dict) or not all(isinstance(one, int | float) for one in scores.values()):
            raise ValueError(f"{part} must hold numbers")
    return dict(record)


def require_environment(values: dict[str, Any]) -> dict[str, Any]:
    """What environment.json must tell of every run. Raises: KeyError, TypeError: it does not."""
    for name, kind in _ENVIRONMENT.items():
        if not isinstance(values[name], kind):
            raise TypeError(f"{name} is a {type(values[name]).__name__}")
    return values


def damaged(path: Path, why: str) -> RunError:
    measured = path.parent.name == "results"
    do = "delete it: it is measured again" if measured else "restore it from a copy, or train the run again"
    return RunError(f"{path} must be whole", found=why, do=do)


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn what content of another form raises inside the block into an error that names `path`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, OSError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error
