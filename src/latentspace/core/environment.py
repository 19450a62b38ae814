"""Where a run is made: versions, hardware, revision."""

import os
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch

from .credentials import masked
from .devices import named_device
from .versions import version_of

PACKAGES = ("latentspace", "torch", "lightning-fabric", "numpy", "scikit-learn", "pillow", "safetensors")


def describe(device: torch.device) -> dict[str, Any]:
    """What a reader needs to repeat a run: plain values, ready for JSON."""
    return {
        "python": platform.python_version(),
        "versions": {name: version_of(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": str(device),
        "accelerator": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "revision": _revision(),
        "command": [Path(sys.argv[0]).name, *map(masked, sys.argv[1:])],
    }


def has_native_bf16(device: str) -> bool:
    """Whether the device multiplies bfloat16 in hardware; where it must emulate, float32 is faster.

    Args:
        device: as `--device` takes it.

    Raises:
        DeviceError: this machine has no such device.
    """
    kind = named_device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind == "mps":
        return False
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


@cache
def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


@cache
def _revision() -> str | None:
    """The git commit of the source tree, `-dirty` where it was changed; None when installed from a wheel.

    As it is when a process asks first: what it has loaded stays.
    """
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
