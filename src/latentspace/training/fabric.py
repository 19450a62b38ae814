"""Lightning Fabric without what it does not need: two thirds of the start of a process that trains.

It finds the version of torchmetrics by importing it, and with it `scipy.signal` and Matplotlib, for a check
that nothing here uses. It imports PyTorch's compiler for the class of compiled modules.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from torch import Tensor, nn

METRICS: Final = "torchmetrics"
COMPILER: Final = "torch._dynamo"


class _OfCompiler(type):
    def __instancecheck__(cls, one: object) -> bool:
        loaded: Any = sys.modules.get(COMPILER)
        return loaded is not None and isinstance(one, loaded.OptimizedModule)


class _Compiled(metaclass=_OfCompiler):
    """Whatever is a compiled module: nothing, while the compiler is not loaded."""


@contextmanager
def _instead(modules: dict[str, ModuleType | None]) -> Iterator[None]:
    """In this block the import of one that is not loaded finds that one; None: an ImportError."""
    left_out = {name: one for name, one in modules.items() if name not in sys.modules}
    sys.modules |= left_out  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in left_out:
            del sys.modules[name]


_compiler = ModuleType(COMPILER)
_compiler.OptimizedModule = _Compiled  # type: ignore[attr-defined]
with _instead({METRICS: None, COMPILER: _compiler}):
    from lightning_fabric import Fabric
    from lightning_fabric.wrappers import _FabricModule

__all__ = ["Fabric", "without_hooks"]


class _Unhooked(_FabricModule):
    """The same network, with the plan's precision; its gradient need not be `Fabric.backward`'s."""

    def _register_backward_hook(self, tensor: Tensor) -> Tensor:
        return tensor


def without_hooks(model: nn.Module) -> nn.Module:
    """What Fabric has set up, for gradients of several threads at once, of which it allows one."""
    if not isinstance(model, _FabricModule):
        raise TypeError(f"a module that Fabric has set up, not a {type(model).__name__}")
    return _Unhooked(model._forward_module, model._strategy)
