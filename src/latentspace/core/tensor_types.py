"""Shapes of tensors as types, checked as those of `core/types.py`, which does without PyTorch."""

from typing import TypeAlias

from jaxtyping import Float, Int64, UInt8
from torch import Tensor

# On the device: float pixels in [0, 1], codes, logits of pixels.
Images: TypeAlias = Float[Tensor, "batch channels height width"]
Logits: TypeAlias = Float[Tensor, "batch channels height width"]
Codes: TypeAlias = Float[Tensor, "batch code"]
Labels: TypeAlias = Int64[Tensor, " batch"]
Order: TypeAlias = Int64[Tensor, " _rows"]
Scalar: TypeAlias = Float[Tensor, ""]
KLTerms: TypeAlias = Float[Tensor, "batch _terms"]
PerImage: TypeAlias = Float[Tensor, " batch"]
Resident: TypeAlias = UInt8[Tensor, "_images channels height width"]
