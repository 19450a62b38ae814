"""Lightning Fabric without what it does not need.

It finds the version of torchmetrics by importing it, and with it `scipy.signal` and Matplotlib: a quarter of
the start of a process that trains, for a check of Fabric's that nothing here uses.
"""

import sys

_UNUSED = "torchmetrics"
_left_out = _UNUSED not in sys.modules
if _left_out:
    sys.modules[_UNUSED] = None  # type: ignore[assignment] # to import it is now an ImportError
try:
    from lightning_fabric import Fabric
finally:
    if _left_out:
        del sys.modules[_UNUSED]

__all__ = ["Fabric"]
