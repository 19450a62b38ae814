"""What a worker does so that it does not grow from trial to trial.

Each trial works with tensors of other sizes. What it frees lies in pieces between what stays, and the C
library keeps it: a worker grew by 30 MiB a trial. Asked to, glibc gives it back.
oneDNN, behind PyTorch's convolutions, keeps up to 1,024 compiled kernels for shapes that do not come again:
another 2 MiB a trial, until that many are reached. What is left, 1 MiB for each new shape, is bounded by
retirement: after `LIFE` trials a worker ends, and another takes its place. (benchmarks/search_memory.py)
"""

from collections.abc import Mapping
from typing import Final

LIFE: Final = 50  # trials
KERNELS: Final = 128  # kept compiled: a training needs a few dozen

# To be set before the process begins. https://uxlfoundation.github.io/oneDNN/dev_guide_primitive_cache.html
ENVIRONMENT: Final[Mapping[str, str]] = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": str(KERNELS)}
