"""What a measurement was made on, and where it is kept."""

import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from latentspace.core.wording import counted

SIDE = 2048  # of the matrices whose product is timed


def hardware(threads: int | None = None, precision: str = "32") -> dict[str, Any]:
    """The processor, and the GFLOP/s of a matrix product in `precision`, the best of ten."""
    if threads is not None:
        torch.set_num_threads(threads)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    one, other = torch.randn(SIDE, SIDE).to(dtype), torch.randn(SIDE, SIDE).to(dtype)
    best = float("inf")
    for _ in range(10):
        began = time.perf_counter()
        one @ other
        best = min(best, time.perf_counter() - began)
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "precision": precision,
        "matmul_gflops": 2 * SIDE**3 / best / 1e9,
    }


def sentence(where: dict[str, Any]) -> str:
    name = "bfloat16" if where["precision"] == "bf16" else "float32"
    return (
        f"{where['processor']}, {counted(where['cores'], 'core')}, PyTorch {where['torch']}; a {name} matrix "
        f"product of {SIDE}^3 reaches {where['matmul_gflops']:.0f} GFLOP/s with "
        f"{counted(where['threads'], 'thread')}."
    )


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def keep(name: str, found: dict[str, Any], table: Callable[[dict[str, Any]], str], folder: Path) -> None:
    """Write NAME-DATE.json, and the same as a table in NAME-DATE.md; say where."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".json", json.dumps(found, indent=1) + "\n"), (".md", table(found))):
        path = folder / f"{name}-{found['date']}{suffix}"
        path.write_text(text, encoding="utf-8")
        print(path)
