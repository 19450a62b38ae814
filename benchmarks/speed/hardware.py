"""What a measurement was made on."""

import os
import platform
import time
from pathlib import Path
from typing import Any

import torch


def hardware(threads: int | None = None) -> dict[str, Any]:
    """The processor, and the GFLOP/s of a float32 matrix product of 2048^3, the best of ten."""
    if threads is not None:
        torch.set_num_threads(threads)
    one, other = torch.randn(2048, 2048), torch.randn(2048, 2048)
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
        "matmul_gflops": 2 * 2048**3 / best / 1e9,
    }


def sentence(where: dict[str, Any]) -> str:
    return (
        f"{where['processor']}, {where['cores']} cores, PyTorch {where['torch']}; a float32 matrix "
        f"product of 2048^3 reaches {where['matmul_gflops']:.0f} GFLOP/s with {where['threads']} threads."
    )


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
