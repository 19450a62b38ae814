"""Which values become black and white, for a set at a time."""

import logging
import pickle

import numpy as np
import pytest

from latentspace.core.errors import ConfigurationError, DataError
from latentspace.data.levels import Levels, Tally, kept_levels, to_bytes

AUTO = Levels()


def converted(values: object, levels: str = "auto", dtype: str = "uint16") -> list[int]:
    array = np.array(values, dtype=dtype).reshape(1, -1)
    return to_bytes(array, Levels.parse(levels), "x")[0].reshape(-1).tolist()


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([0, 7, 255], "uint8", [0, 7, 255]),
        ([0, 1, 1], "uint8", [0, 255, 255]),
        ([False, True], "bool", [0, 255]),
        ([0, 1], "int64", [0, 255]),
        ([0.0, 1.0], "float32", [0, 255]),
        ([5, 100, 255], "int32", [5, 100, 255]),
        ([0.0, 16.0, 200.0], "float64", [0, 16, 200]),
        ([0, 4095], "uint16", [0, 255]),
        ([0, 2048, 3000], "uint16", [0, 128, 187]),  # the 12 bits, not the largest value
        ([0, 1023], "int16", [0, 255]),
        ([0, 32768, 65535], "uint16", [0, 128, 255]),
        ([0, 32768, 65535], "int32", [0, 128, 255]),
        ([31768, 32768, 33768], "uint16", [0, 128, 255]),  # a CT around 32,768
        ([-1000, 0, 1000], "int16", [0, 128, 255]),
        ([-32768, 0, 32767], "int16", [0, 128, 255]),
        ([0.0, 0.5, 1.0], "float16", [0, 128, 255]),
        ([-1.0, 0.1, 1.0], "float32", [0, 140, 255]),
        ([0.0, 99.5, 200.0], "float32", [0, 100, 200]),
        ([0.0, 0.01, 0.02], "float32", [0, 128, 255]),
        ([-3.5, 0.0, 3.5], "float64", [0, 128, 255]),
        ([-0.0005, 0.4, 1.0005], "float32", [0, 102, 255]),  # as interpolation leaves them
        ([900, 900], "uint16", [224, 224]),
        ([0, 0], "float32", [0, 0]),
    ],
)
def test_auto_takes_the_range_that_the_set_uses(values: list, dtype: str, expected: list[int]) -> None:
    found = converted(values, dtype=dtype)
    assert np.abs(np.array(found) - expected).max() <= 1


def test_a_set_is_stretched_as_a_whole_never_image_by_image() -> None:
    array = np.array([[100, 1000], [100, 4000]], dtype=np.uint16)
    found, _ = to_bytes(array, AUTO, "x")
    assert found[0, 0] == found[1, 0]
    assert found[0, 1] < 70 < 240 < found[1, 1]


def test_full_is_the_range_of_the_type() -> None:
    assert converted([0, 4095, 65535], "full") == [0, 16, 255]
    assert converted([0, 1], "full", "uint8") == [0, 1]
    assert converted([0, 0.02], "full", "float32") == [0, 5]
    assert converted([-128, 127], "full", "int8") == [0, 255]


def test_two_values_and_percentiles_hold_for_bytes_too() -> None:
    assert converted([0, 16, 20], "0,16", "uint8") == [0, 255, 255]
    assert converted([-2000, -1000, 0, 1000, 9000], "-1000,1000", "int16") == [0, 0, 128, 255, 255]
    values = np.arange(10_000) % 5000
    values[0] = 65_000  # one hot pixel
    assert max(converted(values[1:], "percentile")) == 255
    assert np.count_nonzero(np.array(converted(values, "percentile")) == 255) < 60


@pytest.mark.parametrize("text", ["", "high", "5", "9,3", "1,2,3", "nan,1", "0,inf", "3,3"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="LOW,HIGH"):
        Levels.parse(text)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused_with_its_image(bad: float) -> None:
    array = np.zeros((3, 4), dtype=np.float32)
    array[2, 1] = bad
    with pytest.raises(DataError, match="image 2"):
        to_bytes(array, AUTO, "x")
    with pytest.raises(DataError, match="complex64"):
        to_bytes(array.astype(np.complex64), AUTO, "x")
    with pytest.raises(DataError, match="levels="):
        to_bytes(np.array([[0.0, 2.0]]), Levels.parse("full"), "x")


def test_a_stretched_set_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="latentspace"):
        _, record = to_bytes(np.array([[0, 9], [5, 4000]], dtype=np.uint16), AUTO, "x")
    notes = record.conversions
    assert notes == ("2 images brought from uint16 in 0..4095 to 8 bits, as they use 12 bits",)
    assert notes[0] in caplog.text


def test_a_tally_of_many_files_says_what_one_array_says() -> None:
    array = np.random.default_rng(0).integers(300, 4000, (6, 5, 5)).astype(">u2")
    first, second = Tally(AUTO), Tally(AUTO)
    for one in array[:3]:
        first.add(one)
    for one in array[3:]:
        second.add(one)
    first.merge(pickle.loads(pickle.dumps(second)))
    window = first.window(array.dtype)
    assert first.record() == to_bytes(array, AUTO, "x")[1]
    assert np.array_equal(np.stack([window.apply(one) for one in array]), to_bytes(array, AUTO, "x")[0])


@pytest.mark.parametrize(
    ("first", "other", "rule"),
    [
        (np.array([[0, 3000]], np.uint16), np.array([[0, 300]], np.uint16), "auto"),
        (np.array([[700, 900]], np.uint16), np.array([[800, 1000]], np.int32), "auto"),
        (np.array([[-5.0, 20.0]]), np.array([[0.0, 3.0]], np.float32), "auto"),
        (np.array([[0.0, 0.4, 1.0]]), np.array([[0.0, 0.05]]), "auto"),
        (np.arange(2000, dtype=np.uint16)[None], np.array([[0, 100]], np.uint16), "percentile"),
    ],
)
def test_other_images_are_brought_to_bytes_as_those_of_a_run_were(first, other, rule) -> None:
    _, record = to_bytes(first, Levels.parse(rule), "x")
    (kept,) = record.levels
    text = kept_levels(rule, record.levels)
    found = to_bytes(other, Levels.parse(text), "y")[0]
    expected = np.rint(np.clip((other - kept.low) * 255 / (kept.high - kept.low), 0, 255))
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, to_bytes(other, Levels.parse("auto"), "y")[0])
    assert np.array_equal(
        to_bytes(first, Levels.parse(text), "x")[0], to_bytes(first, Levels.parse(rule), "x")[0]
    )


@pytest.mark.parametrize(
    "first",
    [np.array([[0, 7, 255]], np.uint8), np.array([[0, 1]], np.uint16), np.array([[0, 9, 200]], np.int32)],
)
def test_levels_that_mean_the_same_in_every_set_are_not_kept(first) -> None:
    assert to_bytes(first, AUTO, "x")[1].levels == ()


def test_kept_levels_leave_bytes_and_other_kinds_of_numbers_alone() -> None:
    text = kept_levels("auto", to_bytes(np.array([[0, 3000]], np.uint16), AUTO, "x")[1].levels)
    assert converted([0, 7, 255], text, "uint8") == [0, 7, 255]
    assert converted([0.0, 0.5, 1.0], text, "float32") == [0, 128, 255]
    unit = kept_levels("auto", to_bytes(np.array([[0.0, 0.4, 1.0]]), AUTO, "x")[1].levels)
    assert converted([0.0, 100.0, 200.0], unit, "float32") == [0, 100, 200]


def test_bytes_and_deeper_images_of_one_set_are_counted_apart() -> None:
    tally = Tally(AUTO)
    tally.add(np.array([0, 200], dtype=np.uint8))
    tally.add(np.array([0, 4000], dtype=np.uint16))
    assert tally.window(np.dtype(np.uint8)).words == ""
    assert tally.window(np.dtype(np.uint16)).high == 4095
    assert not tally.settled


def test_mapped_bytes_stay_where_they_are(tmp_path) -> None:  # type: ignore[no-untyped-def]
    np.save(tmp_path / "a.npy", np.full((4, 2), 7, dtype=np.uint8))
    array = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert to_bytes(array, AUTO, "x")[0] is array
    np.save(tmp_path / "b.npy", np.full((4, 2), 3000, dtype=np.uint16))
    assert isinstance(to_bytes(np.load(tmp_path / "b.npy", mmap_mode="r"), AUTO, "x")[0], np.memmap)
