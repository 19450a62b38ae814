"""Parquet files and shards, as Hugging Face's datasets and others write them."""

import base64
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import latentspace
from latentspace.core.errors import DataError
from latentspace.data.readers import column_files
from makers import encoded, npy, random_pixels

PIXELS = random_pixels(7, 8, 8)
FILES = [encoded(one) for one in PIXELS]
LABELS = [0, 2, 2, 0, 0, 2, 2]


def write(path: Path, metadata: dict | None = None, /, **columns) -> Path:
    table = pa.table(columns)
    if metadata is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps(metadata)})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


HUGGING_FACE = {
    "info": {
        "features": {
            "image": {"_type": "Image"},
            "label": {"names": ["cat", "cow", "dog"], "_type": "ClassLabel"},
        }
    }
}


def structs(files=FILES, names=None):
    return [{"bytes": one, "path": names and names[k]} for k, one in enumerate(files)]


def test_as_hugging_face_writes_it(tmp_path: Path):
    names = [f"{9 - k}.png" for k in range(7)]
    path = write(tmp_path / "a.parquet", HUGGING_FACE, image=structs(names=names), label=LABELS)
    images = latentspace.load_data(path)
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)
    assert images.class_names == ("cat", "cow", "dog")
    assert images.labels.tolist() == LABELS
    assert images.names == tuple(names)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(FILES),
        pa.array(FILES, pa.large_binary()),
        pa.array([one.ravel().tolist() for one in PIXELS]),
        pa.array([one.tolist() for one in PIXELS], pa.list_(pa.list_(pa.uint8()))),
        pa.array([one.tolist() for one in PIXELS], pa.list_(pa.list_(pa.int64(), 8), 8)),
        pa.array([(one / 255).tolist() for one in PIXELS]),
        pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(PIXELS)),
    ],
    ids=["bytes", "large bytes", "flat list", "lists", "fixed lists", "floats", "tensor"],
)
def test_columns_of_images(column: pa.Array, tmp_path: Path):
    labels = [["x", "y", "z"][one] for one in LABELS]
    path = write(
        tmp_path / "a.parquet",
        img=column,
        category=labels,
        patient=list("aabbccc"),
        split=["train"] * 6 + ["test"],
    )
    images = latentspace.load_data(path)
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)
    assert [images.class_names[label] for label in images.labels] == labels
    assert images.groups.tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert images.parts.tolist() == [0] * 6 + [2]
    assert images.names[6] == "6"


def test_shards_are_parts(tmp_path: Path):
    for number, name in enumerate(("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001")):
        part = slice(2 * number, 2 * number + 2)
        write(
            tmp_path / "data" / f"{name}.parquet",
            HUGGING_FACE,
            image=structs(FILES[part]),
            label=LABELS[part],
        )
    (tmp_path / "README.md").write_text("a card")
    images = latentspace.load_data(tmp_path)
    assert images.parts.tolist() == [2, 2, 0, 0, 0, 0]
    assert images.names[0] == "test-00000-of-00001.parquet:0"
    assert images.labels.tolist() == [LABELS[k] for k in (4, 5, 0, 1, 2, 3)]
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS[[4, 5, 0, 1, 2, 3]])


def test_paths(tmp_path: Path):
    for number, one in enumerate(FILES):
        (tmp_path / f"{number}.png").write_bytes(one)
    names = [f"{number}.png" for number in range(7)]
    for columns in ({"path": names}, {"image": structs([None] * 7, names)}):
        images = latentspace.load_data(write(tmp_path / "sub.pq", None, label=LABELS, **columns))
        np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)
        assert images.names == tuple(names)


def test_paths_may_be_bytes(tmp_path: Path):
    rows = [{"bytes": one, "path": f"{k}.png".encode()} for k, one in enumerate(FILES)]
    images = latentspace.load_data(write(tmp_path / "set.parquet", image=rows))
    assert images.names[:2] == ("0.png", "1.png")


def test_nulls_are_named_by_row(tmp_path: Path):
    files = [None, *FILES[1:5], b"no image", FILES[6]]
    labels = ["a", "b", None, "a", "a", "b", "b"]
    images = latentspace.load_data(write(tmp_path / "a.parquet", image=files, label=labels))
    assert [f"{one.name}: {one.reason}" for one in images.record.unreadable] == [
        "0: no image in this row (null)",
        "5: not an image that can be read",
    ]
    assert "1 image left out" in images.record.warnings[-1]
    assert images.names == ("1", "3", "4", "6")
    lists = [None, *(one.tolist() for one in PIXELS[1:])]
    images = latentspace.load_data(write(tmp_path / "b.parquet", image=lists))
    assert images.names == tuple("123456")


@pytest.mark.parametrize("limit", [column_files.GROUP, 0])
def test_groups_with_and_without_missing_images(tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(column_files, "GROUP", limit)
    (tmp_path / "6.png").write_bytes(FILES[6])
    rows = structs([*FILES[:4], None, FILES[5], b""], [f"{one}.png" for one in range(7)])
    pq.write_table(pa.table({"image": rows}), tmp_path / "a.parquet", row_group_size=2)
    images = latentspace.load_data(tmp_path / "a.parquet")
    assert images.names == tuple(f"{one}.png" for one in (0, 1, 2, 3, 5, 6))
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS[[0, 1, 2, 3, 5, 6]])
    assert [one.name for one in images.record.unreadable] == ["4.png"]


@pytest.mark.parametrize("missing", [float("nan"), "nan", None])
def test_what_is_missing_among_labels_is_no_class(missing: object, tmp_path: Path):
    labels = [*("ab" if isinstance(missing, str) else (0.0, 1.0)), missing]
    path = write(tmp_path / "x.parquet", None, image=FILES[:6], label=labels * 2)
    assert latentspace.load_data(path).names == ("0", "1", "3", "4")


def test_labels_are_not_needed(tmp_path: Path):
    path = write(tmp_path / "a.parquet", HUGGING_FACE, image=structs(), label=[-1] * 7)
    assert not latentspace.load_data(path).labelled


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": [1, 2], "b": ["x", "y"]}, "columns a (int64), b (string)"),
        ({"image": [[1, 2, 3], [4, 5, 6]]}, "3 numbers in a row"),
        ({"image": [[1] * 64, [4] * 63]}, "(64,) in 0, (63,) in 1"),
        ({"image": FILES[:2], "split": ["train", "early"]}, "'early' in row 1 of a.parquet"),
        ({"image": pa.array([], pa.binary())}, "no image"),
        ({"image": pa.array([None, None], pa.list_(pa.uint8()))}, "none in 2 rows"),
        ({"path": ["x.png", "y.png"]}, "no file at this path"),
    ],
)
def test_bad_files(columns: dict, said: str, tmp_path: Path):
    with pytest.raises(DataError) as error:
        latentspace.load_data(write(tmp_path / "a.parquet", **columns))
    assert said in error.value.found


def test_numbers_are_levelled_as_those_of_an_array(tmp_path: Path):
    values = np.random.default_rng(0).integers(-1000, 1000, (6, 64))
    path = write(tmp_path / "a.parquet", image=values.tolist())
    np.save(tmp_path / "a.npy", values.reshape(6, 8, 8))
    one, other = (latentspace.load_data(tmp_path / name) for name in (path.name, "a.npy"))
    np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_label_beyond_the_names(tmp_path: Path):
    path = write(tmp_path / "a.parquet", HUGGING_FACE, image=structs(), label=[*LABELS[:6], 3])
    with pytest.raises(DataError, match="3 in row 6"):
        latentspace.load_data(path)


def test_a_file_cut_short(tmp_path: Path):
    path = write(tmp_path / "a.parquet", image=FILES)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="whole Parquet"):
        latentspace.load_data(path)


def test_a_column_for_each_pixel(tmp_path: Path):
    pixels = {f"pixel{place + 1}": column for place, column in enumerate(PIXELS.reshape(7, -1).T)}
    images = latentspace.load_data(write(tmp_path / "mnist.parquet", **pixels, **{"class": LABELS}))
    np.testing.assert_array_equal(images.pixels[:, 0], PIXELS)
    assert images.labels.tolist() == [0, 1, 1, 0, 0, 1, 1]


def test_folders_of_partitioned_data_are_labels(tmp_path: Path):
    for label, first in (("cat", 0), ("the%20dog", 3)):
        write(tmp_path / "set" / f"label={label}" / "0.parquet", image=FILES[first : first + 3])
    images = latentspace.load_data(tmp_path / "set")
    assert images.class_names == ("cat", "the dog")
    assert images.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_several_labels_an_image_are_left_out(tmp_path: Path, caplog):
    images = latentspace.load_data(write(tmp_path / "a.parquet", image=FILES, labels=[[0, 1]] * 7))
    assert (len(images), images.labels) == (7, None)
    assert "labels left out: several labels an image" in caplog.text


RAW = random_pixels(4, 9, 11, 3)
SIZES = {"height": [9] * 4, "width": [11] * 4, "channels": [3] * 4}
SPARK = {"origin": "a.png", "height": 9, "width": 11, "nChannels": 3, "mode": 16}


@pytest.mark.parametrize(
    "columns",
    [
        {"image": [one.tobytes() for one in RAW], **SIZES},
        {"image": [one.tobytes() for one in RAW], "shape": [[9, 11, 3]] * 4},
        {"image": [one.reshape(-1).tolist() for one in RAW], "h": [9] * 4, "w": [11] * 4, "c": [3] * 4},
        {"x": [{"data": one.tobytes(), "height": 9, "width": 11, "channels": 3} for one in RAW]},
        {"image": [{**SPARK, "data": one[..., ::-1].tobytes()} for one in RAW]},
        {"image": [npy(one) for one in RAW]},
        {"image": [base64.b64encode(encoded(one)).decode() for one in RAW]},
        {"image": ["data:image/png;base64," + base64.b64encode(encoded(one)).decode() for one in RAW]},
    ],
    ids=["sides", "shape", "list", "struct", "spark", "npy", "base64", "data"],
)
def test_images_that_are_no_encoded_files(columns: dict, tmp_path: Path):
    images = latentspace.load_data(write(tmp_path / "x.parquet", **columns, label=["a", "b", "a", "b"]))
    np.testing.assert_array_equal(images.pixels, RAW.transpose(0, 3, 1, 2))
    assert images.class_names == ("a", "b")


def test_raw_bytes_without_a_size_are_squares(tmp_path: Path):
    pixels = random_pixels(4, 8, 8)
    images = latentspace.load_data(write(tmp_path / "x.parquet", image=[one.tobytes() for one in pixels]))
    np.testing.assert_array_equal(images.pixels[:, 0], pixels)
    path = write(tmp_path / "y.parquet", image=[one.tobytes()[1:] for one in pixels])
    with pytest.raises(DataError, match="at least one image"):
        latentspace.load_data(path)


def test_numbers_of_several_sizes_are_brought_to_one(tmp_path: Path):
    pixels = random_pixels(12, 9, 9)
    rows = [*(one.tolist() for one in pixels[:11]), pixels[11, :8].tolist()]
    images = latentspace.load_data(write(tmp_path / "x.parquet", image=rows, label=list(range(12))))
    assert images.shape == (1, 9, 9)
    np.testing.assert_array_equal(images.pixels[:11, 0], pixels[:11])
    assert len(images.class_names) == 12
