"""Columns as the page reads them: Arrow's stream format, no column as JSON."""

from collections.abc import Mapping

import numpy as np

from ..core.types import CodeArray
from .subject import Category, Quantity


def arrow(columns: Mapping[str, object]) -> bytes:
    """Named columns of one length -> an Arrow stream, in one batch.

    Args:
        columns: arrays of numbers, or lists of text.
    """
    import pyarrow as pa

    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return bytes(sink.getvalue())


def code_columns(codes: CodeArray) -> dict[str, np.ndarray]:
    """A column a dimension: c0, c1, ..."""
    return {f"c{at}": np.ascontiguousarray(codes[:, at], dtype=np.float32) for at in range(codes.shape[1])}


def shown_columns(columns: tuple[Category | Quantity, ...]) -> dict[str, np.ndarray]:
    """Categories as the numbers of their names, quantities as they are."""
    return {
        one.name: one.numbers.astype(np.int32) if isinstance(one, Category) else one.values for one in columns
    }
