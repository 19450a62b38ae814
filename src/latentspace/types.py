"""Shapes as types: the aliases that every signature uses (checked by the tests, through jaxtyping)."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int64, UInt8, UInt64
from torch import Tensor

# On the device: float pixels in [0, 1], codes, logits of pixels.
Images: TypeAlias = Float[Tensor, "batch channels height width"]
Logits: TypeAlias = Float[Tensor, "batch channels height width"]
Codes: TypeAlias = Float[Tensor, "batch code"]
Labels: TypeAlias = Int64[Tensor, " batch"]
Order: TypeAlias = Int64[Tensor, " _rows"]
Scalar: TypeAlias = Float[Tensor, ""]
PerImage: TypeAlias = Float[Tensor, " batch"]
Resident: TypeAlias = UInt8[Tensor, "_images channels height width"]

# In memory or on disk: bytes, whole numbers, and what is computed of them.
Pixels: TypeAlias = UInt8[np.ndarray, "_images channels height width"]
Whole: TypeAlias = Int64[np.ndarray, " _any"]  # an underscore: two of them need not be as long
Hashes: TypeAlias = UInt64[np.ndarray, " _any"]
CodeArray: TypeAlias = Float[np.ndarray, "_images code"]
Probabilities: TypeAlias = Float[np.ndarray, "_images classes"]
ImageArray: TypeAlias = Float[np.ndarray, "_images channels height width"]
