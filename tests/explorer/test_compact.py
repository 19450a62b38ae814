"""Networks in the exported page: weights that two of them hold are written once."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from latentspace.explorer.compact import FEW, without_shared


def network(**weights: np.ndarray) -> bytes:
    held = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    codes = helper.make_tensor_value_info("codes", TensorProto.FLOAT, [1])
    node = helper.make_node("Identity", ["codes"], ["same"])
    graph = helper.make_graph(
        [node], "network", [codes], [helper.make_tensor_value_info("same", 1, [1])], held
    )
    return bytes(helper.make_model(graph).SerializeToString())


def weights(seed: int, count: int = 2 * FEW) -> np.ndarray:
    return np.random.default_rng(seed).integers(-127, 128, count).astype(np.int8)


@pytest.mark.parametrize(
    ("encoder", "kept"),
    [
        ({"own": weights(1), "first": weights(2), "second": weights(3)}, 2 * FEW),
        ({"second": weights(3), "twice": weights(3), "first": weights(2)}, 2 * FEW),
        ({"own": weights(1), "few": weights(4, 9)}, 2 * FEW + 9),
    ],
    ids=["shared", "one of two equal ones", "nothing shared"],
)
def test_a_network_without_what_another_holds_is_put_together_again(encoder, kept):
    other = network(first=weights(2), few=weights(4, 9), second=weights(3))
    content = network(**encoder)
    own, places = without_shared(content, other)
    whole, read = b"", 0
    for before, start, length in places:
        whole += own[read : read + before] + other[start : start + length]
        read += before
    assert whole == content
    assert kept <= len(own) < kept + 300
