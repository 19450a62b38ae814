"""PyTorch's optimisers without its compiler, which they import for compiled code: seconds of a start.

Nothing here is compiled. A step is the same to the bit.
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer


def _plain(method: Callable[..., Any]) -> Any:
    """A method of PyTorch's, without what it is wrapped in for the compiler."""
    return inspect.unwrap(method)


class Uncompiled(Optimizer):
    """An optimiser whose methods load no compiler."""

    add_param_group = _plain(Optimizer.add_param_group)
    load_state_dict = _plain(Optimizer.load_state_dict)
    state_dict = _plain(Optimizer.state_dict)
    zero_grad = _plain(Optimizer.zero_grad)


class Adam(Uncompiled, torch.optim.Adam):
    step = torch.no_grad()(_plain(torch.optim.Adam.step))


class AdamW(Uncompiled, torch.optim.AdamW):
    step = torch.no_grad()(_plain(torch.optim.AdamW.step))


class RMSprop(Uncompiled, torch.optim.RMSprop):
    step = torch.no_grad()(_plain(torch.optim.RMSprop.step))
