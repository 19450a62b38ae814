"""JSON of a run directory, read back: strict, as files may be damaged. `runs/directory.py` alone opens it."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import RunError


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


def epoch_record(record: Any) -> dict[str, Any]:
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


def damaged(path: Path, why: str) -> RunError:
    return RunError(
        f"{path} must be whole", found=why, do="restore the file from a copy, or train the run again"
    )


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn what content of another form raises inside the block into an error that names `path`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, OSError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error
