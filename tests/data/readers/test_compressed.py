"""Arrays, IDX files and tables that are compressed: read as they are when they are not."""

import bz2
import gzip
import lzma
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.io import savemat

import latentspace
from latentspace.core.errors import DataError
from latentspace.data.readers import compressed
from makers import bytes_of, random_pixels

IMAGES = random_pixels(12, 16, 16)
LABELS = (np.arange(12) % 3).astype(np.uint8)
ENDINGS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pa.compress(content, codec="zstd", asbytes=True),
}
every_ending = pytest.mark.parametrize("ending", ENDINGS)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def table() -> bytes:
    head = ",".join(["label", *(f"pixel{number}" for number in range(256))])
    rows = (",".join(map(str, [label, *one.ravel()])) for label, one in zip(LABELS, IMAGES, strict=True))
    return "\n".join([head, *rows]).encode()


CONTENTS = {
    "x.npy": bytes_of(np.save, IMAGES),
    "x.npz": bytes_of(np.savez, x=IMAGES, y=LABELS),
    "x.mat": bytes_of(savemat, {"X": IMAGES.transpose(1, 2, 0), "y": LABELS}),
    "images-idx3-ubyte": idx(IMAGES),
    "pixels.csv": table(),
}


@every_ending
@pytest.mark.parametrize("name", CONTENTS)
def test_a_compressed_file_is_read(tmp_path: Path, name: str, ending: str):
    path = tmp_path / f"{name}{ending}"
    path.write_bytes(ENDINGS[ending](CONTENTS[name]))
    images = latentspace.load_data(str(path))
    np.testing.assert_array_equal(images.pixels[:, 0], IMAGES)
    assert images.labelled == (name in ("x.npz", "x.mat", "pixels.csv"))


@every_ending
def test_labels_lie_beside_it_and_parts_in_a_folder(tmp_path: Path, ending: str):
    pack = ENDINGS[ending]
    for folder, files in (
        ("idx", {"train-images-idx3-ubyte": idx(IMAGES), "train-labels-idx1-ubyte": idx(LABELS)}),
        ("npy", {"X_train.npy": CONTENTS["x.npy"], "y_train.npy": bytes_of(np.save, LABELS)}),
    ):
        (tmp_path / folder).mkdir()
        for name, content in files.items():
            (tmp_path / folder / f"{name}{ending}").write_bytes(pack(content))
        for spec in (tmp_path / folder, tmp_path / folder / f"{next(iter(files))}{ending}"):
            images = latentspace.load_data(str(spec))
            np.testing.assert_array_equal(images.pixels[:, 0], IMAGES)
            np.testing.assert_array_equal(images.labels, LABELS)


@every_ending
def test_a_damaged_one_is_refused_by_its_name(tmp_path: Path, ending: str):
    for name, content in CONTENTS.items():
        path = tmp_path / f"{name}{ending}"
        path.write_bytes(ENDINGS[ending](content)[:-20])
        with pytest.raises(DataError) as error:
            latentspace.load_data(str(path))
        assert name in str(error.value)


def test_one_that_would_become_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compressed, "INFLATED", 1000)
    (tmp_path / "x.npy.xz").write_bytes(lzma.compress(CONTENTS["x.npy"]))
    with pytest.raises(DataError, match="at most"):
        latentspace.load_data(str(tmp_path / "x.npy.xz"))


def test_dates_beside_images_are_classes_and_other_things_no_hindrance(tmp_path: Path):
    days = np.array(["2026-01-01", "2026-02-01", "NaT"] * 4, dtype="datetime64[D]")
    np.savez(tmp_path / "days.npz", images=IMAGES, labels=days)
    images = latentspace.load_data(str(tmp_path / "days.npz"))
    assert (len(images), set(images.class_names)) == (8, {"2026-01-01", "2026-02-01"})  # none is no class
    np.savez(tmp_path / "odd.npz", images=IMAGES, labels=LABELS.astype(complex))
    images = latentspace.load_data(str(tmp_path / "odd.npz"))
    assert (len(images), images.labels) == (12, None)
    assert "complex128" in images.record.warnings[0]
