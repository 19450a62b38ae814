"""Lightning Fabric without what it does not need: two thirds of the start of a process that trains.

It finds the version of torchmetrics by importing it, and with it `scipy.signal` and Matplotlib, for a check
that nothing here uses. It imports PyTorch's compiler for the class of compiled modules.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

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

__all__ = ["Fabric"]
