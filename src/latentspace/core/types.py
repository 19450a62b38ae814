"""Shapes of arrays as types: in memory or on disk. The tests check them, through jaxtyping and beartype."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Float32, Int64, UInt8, UInt64

# Bytes, whole numbers, and what is computed of them.
Pixels: TypeAlias = UInt8[np.ndarray, "_images channels height width"]
Int64Array: TypeAlias = Int64[np.ndarray, " _any"]  # an underscore: two of them need not be as long
Float32Array: TypeAlias = Float32[np.ndarray, " _any"]
Hashes: TypeAlias = UInt64[np.ndarray, " _any"]
CodeArray: TypeAlias = Float[np.ndarray, "_images code"]
Logits: TypeAlias = Float[np.ndarray, "_images classes"]
Probabilities: TypeAlias = Float[np.ndarray, "_images classes"]
ImageArray: TypeAlias = Float[np.ndarray, "_images channels height width"]
