"""A stand-in for an Apple GPU: the CPU computes, but refuses what MPS refuses: 64-bit floats and draws."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_any, tree_map

MPS = torch.device("mps")


class OnApple(Tensor):
    """A tensor that lies there. Operations are intercepted by the mode, which marks what they return."""

    __torch_function__ = torch._C._disabled_torch_function_impl


def lies_there(value: Any) -> bool:
    return isinstance(value, OnApple) or (isinstance(value, torch.device | str) and str(value) == "mps")


def to_cpu(value: Any) -> Any:
    return "cpu" if isinstance(value, torch.device | str) and str(value) == "mps" else value


def mark(value: Any) -> Any:
    if not isinstance(value, Tensor) or isinstance(value, OnApple | torch.nn.Parameter):
        return value
    return value.as_subclass(OnApple)


class AnyGenerator(type(torch.Generator)):
    def __instancecheck__(cls, one: Any, whole: type = torch.Generator) -> bool:
        return isinstance(one, whole)


class Generator(torch.Generator, metaclass=AnyGenerator):
    """torch.Generator, also for that device."""

    def __new__(cls, device: Any = "cpu") -> "Generator":
        made = super().__new__(cls, to_cpu(device))
        made.there = MPS if lies_there(device) else None
        return made

    @property
    def device(self) -> torch.device:
        return self.there or super().device


class Apple(TorchFunctionMode):
    """What is computed from tensors that lie there, or made there, lies there."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if not tree_any(lies_there, (args, kwargs)):
            return func(*args, **kwargs)
        if name == "__get__" and getattr(func, "__self__", None) is Tensor.device:
            return MPS
        if name == "numpy":
            raise TypeError("can't convert mps:0 device type tensor to numpy. Use Tensor.cpu() first")
        if name == "random_" and args[0].dtype == torch.int64 and (len(args) < 3 or args[2] is None):
            raise RuntimeError("random_mps_ currently does not handle the lowest() -> max() range")
        if name == "cpu" or (name == "to" and torch.device("cpu") in map(_device, args[1:])):
            return func(*args, **kwargs).as_subclass(Tensor)
        result = func(*tree_map(to_cpu, args), **tree_map(to_cpu, kwargs))
        self.operations += 1
        if tree_any(lambda one: isinstance(one, Tensor) and one.dtype == torch.float64, result):
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return tree_map(mark, result)


def _device(value: Any) -> torch.device | None:
    return torch.device(value) if isinstance(value, torch.device | str) else None


@contextmanager
def apple(monkeypatch: pytest.MonkeyPatch) -> Iterator[Apple]:
    """Within it, torch.device("mps") is a place to compute."""
    monkeypatch.setattr(torch, "Generator", Generator)
    with Apple() as mode:
        yield mode
