"""TIFF files with values that Pillow does not read, or cuts to 8 bits."""

import struct
import zlib
from typing import Literal

import numpy as np
import pytest

from latentspace.core.errors import DataError
from latentspace.data.readers.decode import decode, decoding


def written(values: np.ndarray, order: Literal["<", ">"] = "<", compression: int = 1, **tags: int) -> bytes:
    """A TIFF of one strip: height x width x channels."""
    height, width, samples = values.shape
    predictor = tags.get("p317", 1)
    stored = np.diff(values, axis=1, prepend=values[:, :1] * 0) if predictor == 2 else values
    data = stored.astype(values.dtype.newbyteorder(order)).tobytes()
    data = zlib.compress(data) if compression == 8 else data
    bits, kind = values.dtype.itemsize * 8, {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    entries = {
        256: [width],
        257: [height],
        258: [bits] * samples,
        259: [compression],
        262: [2 if samples == 3 else 1],
        273: [0],
        277: [samples],
        278: [height],
        279: [len(data)],
        339: [kind] * samples,
        **{int(tag[1:]): [value] for tag, value in tags.items()},
    }
    after = 8 + 2 + 12 * len(entries) + 4
    entry, long = b"", b""
    for tag in sorted(entries):
        found = entries[tag]
        size = 2 * len(found)
        if tag == 273:
            entry += struct.pack(f"{order}HHII", tag, 4, 1, after + 4 * samples)
        elif tag == 279:
            entry += struct.pack(f"{order}HHII", tag, 4, 1, len(data))
        elif size <= 4:
            entry += struct.pack(f"{order}HHI{len(found)}H", tag, 3, len(found), *found).ljust(12, b"\0")
        else:
            entry += struct.pack(f"{order}HHII", tag, 3, len(found), after + len(long))
            long += struct.pack(f"{order}{len(found)}H", *found)
    start = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    count = struct.pack(f"{order}H", len(entries))
    return start + count + entry + struct.pack(f"{order}I", 0) + long.ljust(4 * samples, b"\0") + data


def values_of(dtype: str, channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 120, (6, 5, channels)).astype(dtype)


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("dtype", "channels"),
    [("int64", 1), ("uint64", 1), ("float64", 1), ("float16", 1), ("int8", 1), ("uint16", 3), ("uint16", 8)],
)
def test_values_are_those_of_the_file(
    dtype: str, channels: int, order: Literal["<", ">"], compression: int, capsys: pytest.CaptureFixture[str]
) -> None:
    values = values_of(dtype, channels)
    with decoding():
        decoded = decode(written(values, order, compression))
    np.testing.assert_array_equal(decoded.pixels, values)
    assert decoded.pixels.dtype == dtype
    assert not capsys.readouterr().err


def test_differences_are_summed() -> None:
    values = values_of("uint16", 3) * 100
    with decoding():
        decoded = decode(written(values, compression=8, p317=2))
    np.testing.assert_array_equal(decoded.pixels, values)


def test_it_is_turned_as_it_says() -> None:
    values = values_of("int64", 1)
    with decoding():
        decoded = decode(written(values, p274=6))
    np.testing.assert_array_equal(decoded.pixels[:, :, 0], np.rot90(values[:, :, 0], -1))
    assert decoded.conversions == ("turned as their EXIF data say",)


def test_the_reason_names_what_is_not_read() -> None:
    with decoding(), pytest.raises(DataError) as error:
        decode(written(values_of("int64", 1), p259=34712))
    assert "compression 34712" in str(error.value)


@pytest.mark.parametrize("length", [9, 60, 200, -40])
def test_one_cut_short_is_an_error(length: int) -> None:
    with decoding(), pytest.raises(DataError):
        decode(written(values_of("float64", 1))[:length])
