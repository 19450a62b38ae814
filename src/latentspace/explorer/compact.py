"""An ONNX network with its weights as 8-bit integers: a quarter of the size, nearly the same results."""

from typing import Final, NamedTuple

import numpy as np

FEW: Final = 1024  # weights that stay as they are


class Pieces(NamedTuple):
    """A file as the bytes that another does not have, and where the others stand in that one.

    Args:
        own: what it alone has, one piece after another.
        places: of each piece its length, and the start and length of what follows it in the other file.
    """

    own: bytes
    places: list[tuple[int, int, int]]


def without_shared(content: bytes, other: bytes) -> Pieces:
    """A network without the weights that another holds too, as an encoder has those of its decoder."""
    import onnx

    found: list[tuple[int, int, int]] = []
    for tensor in onnx.load_from_string(other).graph.initializer:
        if len(tensor.raw_data) >= FEW and (start := content.find(tensor.raw_data)) >= 0:
            found.append((start, other.find(tensor.raw_data), len(tensor.raw_data)))
    own, places, end = [], [], 0
    for start, elsewhere, length in sorted(found):
        if start >= end:  # equal weights are found once
            own.append(content[end:start])
            places.append((start - end, elsewhere, length))
            end = start + length
    own.append(content[end:])
    return Pieces(b"".join(own), [*places, (len(content) - end, 0, 0)])


def compact(content: bytes) -> bytes:
    """The network with each matrix and kernel as int8, and a scale for each of its rows.

    The runtime multiplies them back when it loads the network, so that it computes in float32 as before.
    B. Jacob and others, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference" (https://arxiv.org/abs/1712.05877), of weights alone.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load_from_string(content)
    graph = model.graph
    before = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < FEW:
            continue
        scale = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True) / 127
        scale = np.maximum(scale, np.finfo(np.float32).tiny).astype(np.float32)
        whole = np.rint(values / scale).astype(np.int8)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(whole, f"{tensor.name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale.ravel(), f"{tensor.name}.scale"))
        inputs = [f"{tensor.name}.int8", f"{tensor.name}.scale"]
        before.append(helper.make_node("DequantizeLinear", inputs, [tensor.name], axis=0))
    nodes = [*before, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(model.SerializeToString())
