"""Columns as Arrow has them."""

import numpy as np
import pyarrow as pa
import pytest

from latentspace.inference.tables import parquet, read_table

NUMBERS = np.arange(-5, 6)


@pytest.mark.parametrize("kind", ["bool", "int64", "uint8", "uint64", "float32", "float64"])
@pytest.mark.parametrize("count", [0, 1, 11])
def test_numbers_are_those_that_pyarrow_makes_of_an_array(tmp_path, monkeypatch, kind, count):
    numbers = np.stack([NUMBERS, NUMBERS])[:, :count].astype(kind)[0, ::-1]
    wanted = pa.array(np.ascontiguousarray(numbers))
    codes = np.stack([NUMBERS[:count], NUMBERS[:count]], axis=1).astype("float32")
    texts = ["a", None, "ü", ""][: max(0, count - 1)] + [""] * (count - min(4, max(0, count - 1)))
    monkeypatch.delattr(pa, "array")  # it would import pandas, where that is installed
    block = {"name": texts, "number": numbers, "code": codes}
    (tmp_path / "table.parquet").write_bytes(parquet(block))
    table = pa.parquet.read_table(tmp_path / "table.parquet")
    assert table.column("number").combine_chunks().equals(wanted)
    assert table.column("name").to_pylist() == texts
    assert table.schema.field("code").type == pa.list_(pa.float32(), 2)
    np.testing.assert_array_equal(read_table(tmp_path / "table.parquet")[0]["code"], codes)
