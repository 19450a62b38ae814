"""The contract of every source: the same images come out, however they were stored."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.readers.idx import write_idx_folder
from latentspace.data.sources import load_images
from makers import files_of, write_folder, write_tar, write_zip
from materials import make_images


def as_folder(images: ImageSet, place: Path) -> Path:
    return write_folder(place / "images", files_of(images))


def as_tar(images: ImageSet, place: Path) -> Path:
    backwards = dict(reversed(files_of(images).items()))  # the order in an archive must not matter
    return write_tar(place / "images.tar.gz", backwards)


def as_zip(images: ImageSet, place: Path) -> Path:
    return write_zip(place / "images.zip", {f"outer/{name}": data for name, data in files_of(images).items()})


def as_idx(images: ImageSet, place: Path) -> Path:
    write_idx_folder(images, place / "idx")
    return place / "idx"


def as_npz(images: ImageSet, place: Path) -> Path:
    path = place / "images.npz"
    np.savez_compressed(path, images=images.pixels, labels=images.labels, class_names=images.class_names)
    return path


def as_npz_floats(images: ImageSet, place: Path) -> Path:
    path = place / "floats.npz"
    names = np.array(images.class_names)[images.labels]
    np.savez(path, x=np.asfortranarray(images.pixels.transpose(0, 2, 3, 1) / 255), y=names)
    return path


def as_pixel_table(images: ImageSet, place: Path) -> Path:
    assert images.labels is not None
    squares = images.pixels.reshape(len(images), -1)
    header = ",".join(["label", *(f"pixel{number}" for number in range(squares.shape[1]))])
    rows = [
        ",".join([images.class_names[label], *map(str, row)])
        for label, row in zip(images.labels, squares.tolist(), strict=True)
    ]
    path = place / "images.csv"
    path.write_text("\n".join([header, *rows]))
    return path


def as_file_table(images: ImageSet, place: Path) -> Path:
    files = files_of(images)
    write_folder(place / "some", files)
    path = place / "images.csv"
    path.write_text("path,label\n" + "".join(f"some/{name},{name.partition('/')[0]}\n" for name in files))
    return path


def as_sidecar(images: ImageSet, place: Path) -> Path:
    files = files_of(images)
    flat = {name.rpartition("/")[2]: content for name, content in files.items()}
    write_folder(place / "flat", flat)
    rows = "".join("{1};{0}\n".format(*name.split("/")) for name in files)
    (place / "flat" / "labels.csv").write_text("file;class\n" + rows)
    return place / "flat"


def as_parquet(images: ImageSet, place: Path) -> Path:
    names, contents = zip(*files_of(images).items(), strict=True)
    labels = [name.partition("/")[0] for name in names]
    pq.write_table(pa.table({"image": list(contents), "label": labels}), place / "images.parquet")
    return place / "images.parquet"


STORED = [
    as_folder,
    as_tar,
    as_zip,
    as_idx,
    as_npz,
    as_npz_floats,
    as_pixel_table,
    as_file_table,
    as_sidecar,
    as_parquet,
]


def by_class(images: ImageSet) -> ImageSet:
    """Files in class folders come class by class; the other sources keep the order."""
    assert images.labels is not None
    return images.subset(np.argsort(images.labels, kind="stable"))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("store", STORED)
def test_the_same_images_come_out(
    store: Callable[[ImageSet, Path], Path], channels: int, tmp_path: Path
) -> None:
    stored = by_class(make_images(33, side=17, channels=channels))
    loaded = load_images(DataConfig(spec=str(store(stored, tmp_path))))

    np.testing.assert_array_equal(loaded.pixels, stored.pixels)
    np.testing.assert_array_equal(loaded.labels, stored.labels)
    assert loaded.class_names == stored.class_names
    assert loaded.content_hash == stored.content_hash
    assert not loaded.comparable


@pytest.mark.parametrize("store", STORED)
def test_every_source_resizes_and_drops_copies(
    store: Callable[[ImageSet, Path], Path], tmp_path: Path
) -> None:
    stored = by_class(make_images(12, side=16))
    twice = stored.subset(np.sort(np.concatenate([np.arange(12), np.arange(12)])))
    path = store(twice, tmp_path)

    small = load_images(DataConfig(spec=str(path), resize=(8, 4), fit="stretch", deduplicate=True))

    assert small.record.duplicates_dropped == 12
    blocks = stored.pixels.reshape(12, 1, 8, 2, 4, 4).mean(axis=(3, 5))  # the area that falls on a pixel
    assert np.abs(small.pixels - blocks).max() <= 1
    assert any("resized" in text and "8x4" in text for text in small.record.conversions)


def test_an_npy_holds_the_images_alone(tmp_path: Path) -> None:
    stored = make_images(5)
    np.save(tmp_path / "images.npy", stored.pixels)
    loaded = load_images(DataConfig(spec=str(tmp_path / "images.npy")))

    np.testing.assert_array_equal(loaded.pixels, stored.pixels)
    assert loaded.labels is None
    assert loaded.class_names == ()
