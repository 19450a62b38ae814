"""The name of a device, as in `--device` -> the device, where this machine has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

from .errors import DeviceError
from .wording import brief, option

AUTO: Final = "auto"  # a GPU where there is one, else the CPU


def named_device(name: str | torch.device = AUTO) -> torch.device:
    """The device of that name: auto, cpu, cuda, cuda:1, mps; or one of PyTorch's.

    Raises:
        DeviceError: this machine has no such device.
    """
    if not isinstance(name, str):
        name = str(name) if isinstance(name, torch.device) else brief(name)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    found = [kind for kind, is_there in there.items() if is_there]
    kind, colon, number = (found[0] if name == AUTO else name).partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    numbered = number.isascii() and number.isdecimal() and len(number) < 5 and int(number) < count
    if kind not in found or (colon and not numbered):
        raise DeviceError(
            "the device must be one that this machine has",
            found=repr(name),
            do=f"use {option('device')} with one of: {', '.join([AUTO, *reversed(found)])}",
        )
    return torch.device(kind, int(number)) if number and kind == "cuda" else torch.device(kind)


@contextmanager
def exact() -> Iterator[None]:
    """NVIDIA's convolutions give the same bits again, and in whole float32; other devices do so anyway.

    Within the block. By default cuDNN rounds the factors of a float32 convolution to 10 bits (TF32), and may
    sum a gradient in another order each time.
    """
    here = torch.backends.cudnn
    with here.flags(enabled=here.enabled, benchmark=False, deterministic=True, allow_tf32=False):
        yield
