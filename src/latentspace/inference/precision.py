"""The precision that a pass without gradients is computed in."""

from typing import Literal, get_args

import torch

from ..core.environment import has_native_bf16
from ..core.errors import ConfigurationError
from ..core.wording import brief
from ..experiment.config import Precision


def computed_in(precision: str, device: torch.device) -> Literal["32", "bf16"]:
    """What `precision` (32, bf16, auto) comes to on `device`. Raises: ConfigurationError: another one."""
    if str(precision) not in get_args(Precision):
        raise ConfigurationError(
            "the precision must be a known one",
            found=brief(precision),
            do=f"name one of: {', '.join(get_args(Precision))}",
        )
    fast = precision == "bf16" or (precision == "auto" and has_native_bf16(str(device)))
    return "bf16" if fast else "32"
