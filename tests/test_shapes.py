"""Arguments and results that are not as annotated are noticed, or the tests would check no shape."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float

from latentspace.inference.code_paths import linear
from shapes import checked


@checked
def product(one: Float[np.ndarray, "rows inner"], other: Float[np.ndarray, "inner columns"]) -> object:
    return one @ other


@checked
def halves(rows: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " n"]:
    return rows.ravel()


@checked
def names(count: int) -> Iterator[str]:
    yield from map(str, range(count))


@checked
@dataclass
class Pair:
    points: Float[np.ndarray, "_points 2"]
    count: int


def test_what_fits_passes() -> None:
    assert product(np.ones((2, 3)), np.ones((3, 4))).shape == (2, 4)
    assert list(names(2)) == ["0", "1"]
    assert Pair(np.ones((3, 2)), 3).count == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda: product(np.ones((2, 3)), np.ones((4, 3))),
        lambda: product(np.ones(3), np.ones((3, 3))),
        lambda: product(np.ones((2, 3), int), np.ones((3, 4))),
        lambda: halves(np.ones((3, 2))),
        lambda: list(names("2")),
        lambda: Pair(np.ones((3, 3)), 3),
        lambda: Pair(np.ones((3, 2)), "3"),
        lambda: linear(np.ones((2, 8)), np.ones(8), 2),
    ],
)
def test_what_does_not_is_refused(call) -> None:
    with pytest.raises(BeartypeCallHintViolation):
        call()
