"""The contract of every source: the same images come out, however they were stored."""

import bz2
import gzip
import json
import lzma
import pickle
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import scipy.io
from PIL import Image

from latentspace.core.errors import DataError
from latentspace.data.config import DataConfig
from latentspace.data.convert import convert
from latentspace.data.imageset import ImageSet
from latentspace.data.readers.cleaned import write_cleaned
from latentspace.data.readers.idx import write_idx_folder
from latentspace.data.readers.registry import READERS, reader_of
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


def as_feather(images: ImageSet, place: Path) -> Path:
    """Encoded files with paths, as a struct; labels as pandas' categories are."""
    files = files_of(images)
    cells = [{"bytes": content, "path": name} for name, content in files.items()]
    labels = pa.array([name.partition("/")[0] for name in files]).dictionary_encode()
    feather.write_feather(pa.table({"image": cells, "label": labels}), place / "images.feather")
    return place / "images.feather"


def as_feather_of_pixels(images: ImageSet, place: Path) -> Path:
    assert images.labels is not None
    labels = [images.class_names[number] for number in images.labels]
    table = pa.table({"pixels": images.pixels.transpose(0, 2, 3, 1).tolist(), "label": labels})
    feather.write_feather(table, place / "pixels.arrow", compression="uncompressed")
    return place / "pixels.arrow"


def as_saved_dataset(images: ImageSet, place: Path) -> Path:
    """A folder of streams, as Hugging Face's `save_to_disk` leaves it."""
    half = len(images) // 2
    for number, some in enumerate((np.arange(half), np.arange(half, len(images)))):
        table = pq.read_table(as_parquet(images.subset(some), place))
        (place / "saved").mkdir(exist_ok=True)
        with pa.ipc.new_stream(place / "saved" / f"data-{number:05}-of-00002.arrow", table.schema) as stream:
            stream.write_table(table)
    (place / "images.parquet").unlink()
    (place / "saved" / "dataset_info.json").write_text("{}")
    return place / "saved"


def as_json_lines(images: ImageSet, place: Path) -> Path:
    files = files_of(images)
    write_folder(place / "some", files)
    rows = [{"file_name": f"some/{name}", "label": name.partition("/")[0]} for name in files]
    path = place / "images.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return path


def as_json_lines_beside(images: ImageSet, place: Path) -> Path:
    """`metadata.jsonl` in the folder of the images, as Hugging Face's imagefolder has it."""
    files = files_of(images)
    write_folder(place / "flat", {name.rpartition("/")[2]: content for name, content in files.items()})
    rows = [{"file_name": name.rpartition("/")[2], "label": name.partition("/")[0]} for name in files]
    (place / "flat" / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return place / "flat"


def as_json_lines_of_pixels(images: ImageSet, place: Path) -> Path:
    assert images.labels is not None
    squares = images.pixels.reshape(len(images), -1).tolist()
    rows = [
        {"pixels": row, "label": images.class_names[label]}
        for row, label in zip(squares, images.labels, strict=True)
    ]
    (place / "images.ndjson").write_text("\n".join(map(json.dumps, rows)))
    return place / "images.ndjson"


def as_npy_folder(images: ImageSet, place: Path) -> Path:
    folder = place / "arrays"
    folder.mkdir()
    np.save(folder / "X.npy", images.pixels)
    np.save(folder / "Y.npy", np.array(images.class_names)[images.labels])
    return folder


def as_class_arrays(images: ImageSet, place: Path) -> Path:
    folder = place / "classes"
    folder.mkdir()
    for number, name in enumerate(images.class_names):
        np.save(folder / f"{name}.npy", images.pixels[images.labels == number])
    return folder


def as_npz_of_parts(images: ImageSet, place: Path) -> Path:
    names, half = np.array(images.class_names)[images.labels], len(images) // 2
    arrays = {"x_train": images.pixels[:half], "y_train": names[:half]}
    arrays |= {"x_test": images.pixels[half:], "y_test": names[half:]}
    np.savez(place / "parts.npz", **arrays)
    return place / "parts.npz"


def as_compressed(images: ImageSet, place: Path) -> Path:
    content = as_npz(images, place).read_bytes()
    (place / "images.npz").unlink()
    (place / "images.npz.xz").write_bytes(lzma.compress(content))
    return place / "images.npz.xz"


def as_hdf5(images: ImageSet, place: Path) -> Path:
    with h5py.File(place / "images.h5", "w") as file:
        file["images"], file["labels"] = images.pixels, images.labels
        file["class_names"] = list(images.class_names)
    return place / "images.h5"


def as_matlab(images: ImageSet, place: Path) -> Path:
    names = np.array(images.class_names, dtype=object)
    columns = {"labels": images.labels, "class_names": names}
    scipy.io.savemat(place / "images.mat", {"images": images.pixels.transpose(2, 3, 1, 0), **columns})
    return place / "images.mat"


def as_webdataset(images: ImageSet, place: Path) -> Path:
    files = {}
    for name, content in files_of(images).items():
        files[f"{name.replace('/', '-')}"] = content
        files[f"{name.replace('/', '-').removesuffix('.png')}.cls"] = name.partition("/")[0].encode()
    return write_tar(place / "shard-0.tar", files)


def as_shards(images: ImageSet, place: Path) -> Path:
    (place / "shards").mkdir()
    half = len(images) // 2
    for number, some in enumerate((np.arange(half), np.arange(half, len(images)))):
        as_webdataset(images.subset(some), place / "shards").rename(place / "shards" / f"{number:06}.tar")
    return place / "shards" / "{000000..000001}.tar"


def as_parquet_folder(images: ImageSet, place: Path) -> Path:
    (place / "shards").mkdir()
    half = len(images) // 2
    for number, some in enumerate((np.arange(half), np.arange(half, len(images)))):
        as_parquet(images.subset(some), place / "shards").rename(place / "shards" / f"{number}.parquet")
    return place / "shards"


def as_joined(images: ImageSet, place: Path) -> Path:
    half = len(images) // 2
    for name, some in (("1", np.arange(half)), ("2", np.arange(half, len(images)))):
        (place / name).mkdir()
        as_npz(images.subset(some), place / name)
    return place / "1" / f"images.npz + {place}" / "2" / "images.npz"


def as_converted(images: ImageSet, place: Path) -> Path:
    convert(images, place / "made.npz")
    return place / "made.npz"


def zipped(store: Callable[[ImageSet, Path], Path]) -> Callable[[ImageSet, Path], Path]:
    """What `store` writes, all of it in a zip."""

    def as_zipped(images: ImageSet, place: Path) -> Path:
        (place / "inside").mkdir()
        store(images, place / "inside")
        files = {
            one.relative_to(place).as_posix(): one.read_bytes()
            for one in (place / "inside").rglob("*")
            if one.is_file()
        }
        return write_zip(place / "all.zip", files)

    as_zipped.__name__ = f"{store.__name__}_in_a_zip"
    return as_zipped


INSIDE = [
    *(as_idx, as_npz, as_npy_folder, as_class_arrays, as_hdf5, as_matlab),
    *(as_pixel_table, as_parquet, as_sidecar, as_feather, as_json_lines_beside),
]


def as_cleaned(images: ImageSet, place: Path) -> Path:
    """The table that `doctor --fix` writes, of which every image is kept."""
    source = as_folder(images, place)
    read = load_images(DataConfig(spec=str(source)))
    write_cleaned(place / "cleaned.csv", read, np.zeros(len(read), bool), [""] * len(read), str(source))
    return place / "cleaned.csv"


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
    as_parquet_folder,
    as_feather,
    as_feather_of_pixels,
    as_saved_dataset,
    as_json_lines,
    as_json_lines_beside,
    as_json_lines_of_pixels,
    as_npy_folder,
    as_class_arrays,
    as_npz_of_parts,
    as_compressed,
    as_hdf5,
    as_matlab,
    as_webdataset,
    as_shards,
    as_joined,
    as_converted,
    as_cleaned,
    *map(zipped, INSIDE),
]
# Readers whose images have a size of their own, or that read none.
OTHERS = {
    "binary": "test_cifar_is_32_by_32_in_colour",
    "libsvm": "test_libsvm_numbers_its_classes",
    "npy": "test_an_npy_holds_the_images_alone",
    "pages": "test_the_pages_of_a_file_have_no_labels",
    "pickle": "test_a_pickle_is_refused",
}


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


@pytest.mark.parametrize("kind", ["tif", "png", "gif", "webp"])
def test_the_pages_of_a_file_have_no_labels(kind: str, tmp_path: Path) -> None:
    stored = make_images(5, channels=3 if kind == "webp" else 1)
    frames = [Image.fromarray(one.transpose(1, 2, 0).squeeze()) for one in stored.pixels]
    options = {"lossless": True} if kind == "webp" else {}
    path = tmp_path / f"stack.{kind}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    loaded = load_images(DataConfig(spec=str(path)))

    np.testing.assert_array_equal(loaded.pixels, stored.pixels)
    assert loaded.labels is None
    assert loaded.names[0] == f"stack.{kind}#0"


@pytest.mark.parametrize("channels", [1, 3])
def test_libsvm_numbers_its_classes(channels: int, tmp_path: Path) -> None:
    stored = make_images(33, side=17, channels=channels)
    assert stored.labels is not None
    lines = [
        " ".join([str(label), *(f"{index}:{value}" for index, value in enumerate(row, start=1))])
        for label, row in zip(stored.labels, stored.pixels.reshape(33, -1).tolist(), strict=True)
    ]
    (tmp_path / "images.scale.bz2").write_bytes(bz2.compress("\n".join(lines).encode()))
    loaded = load_images(DataConfig(spec=str(tmp_path / "images.scale.bz2")))
    np.testing.assert_array_equal(loaded.pixels, stored.pixels)
    np.testing.assert_array_equal(loaded.labels, stored.labels)
    assert loaded.class_names == ("0", "1", "2")


@pytest.mark.parametrize("name", READERS)
def test_no_reader_is_left_out(name: str, tmp_path: Path) -> None:
    if name in OTHERS:
        assert OTHERS[name] in globals()
        return
    images = by_class(make_images(12, side=16))
    for number, store in enumerate(STORED):
        (tmp_path / str(number)).mkdir()
        path = store(images, tmp_path / str(number))
        if path.exists() and reader_of(path) is READERS[name]:
            return
    pytest.fail(f"no line in STORED for the reader {name}")


@pytest.mark.parametrize("archived", [False, True])
def test_cifar_is_32_by_32_in_colour(archived: bool, tmp_path: Path) -> None:
    stored = by_class(make_images(30, side=32, channels=3))
    assert stored.labels is not None
    records = np.concatenate([stored.labels[:, None], stored.pixels.reshape(30, -1)], axis=1)
    files = {"data_batch_1.bin": records[:20], "test_batch.bin": records[20:]}
    contents = {
        f"cifar-10-batches-bin/{name}": rows.astype(np.uint8).tobytes() for name, rows in files.items()
    }
    names = "\n".join(stored.class_names).encode()
    contents["cifar-10-batches-bin/batches.meta.txt"] = names
    if archived:
        path = write_tar(tmp_path / "cifar.tar.gz", contents)
    else:
        path = write_folder(tmp_path / "cifar", contents)
    loaded = load_images(DataConfig(spec=str(path)))
    assert archived or reader_of(path) is READERS["binary"]
    assert loaded.content_hash == stored.content_hash
    assert loaded.parts is not None
    assert loaded.parts.tolist() == [0] * 20 + [2] * 10


@pytest.mark.parametrize("named", [False, True])
def test_cifar_100_is_known_without_its_names_too(named: bool, tmp_path: Path) -> None:
    stored = by_class(make_images(30, side=32, channels=3))
    assert stored.labels is not None
    coarse = np.zeros((30, 1))
    records = np.concatenate([coarse, stored.labels[:, None], stored.pixels.reshape(30, -1)], axis=1)
    files = {"train.bin": records[:20], "test.bin": records[20:]}
    contents = {name: rows.astype(np.uint8).tobytes() for name, rows in files.items()}
    if named:
        contents["fine_label_names.txt"] = "\n".join(stored.class_names).encode()
    loaded = load_images(DataConfig(spec=str(write_folder(tmp_path / "cifar-100-binary", contents))))
    numbers = tuple(str(number) for number in range(len(stored.class_names)))
    assert loaded.class_names == (stored.class_names if named else numbers)
    np.testing.assert_array_equal(loaded.labels, stored.labels)
    np.testing.assert_array_equal(np.sort(loaded.parts), [0] * 20 + [2] * 10)
    order = np.concatenate([np.arange(10), 10 + np.arange(20)]) if loaded.parts[0] == 2 else np.arange(30)
    np.testing.assert_array_equal(loaded.pixels, stored.pixels[order])


@pytest.mark.parametrize("archived", [False, True])
def test_stl10_is_96_by_96_in_colour_and_upright(archived: bool, tmp_path: Path) -> None:
    stored = by_class(make_images(9, side=96, channels=3))
    assert stored.labels is not None
    columns, labels = stored.pixels.transpose(0, 1, 3, 2), (stored.labels + 1).astype(np.uint8)
    contents = {
        **{"train_X.bin": columns[:6].tobytes(), "train_y.bin": labels[:6].tobytes()},
        **{"test_X.bin": columns[6:].tobytes(), "test_y.bin": labels[6:].tobytes()},
        **{"unlabeled_X.bin": columns[:4].tobytes(), "fold_indices.txt": b"0 1 2\n"},
        "class_names.txt": "\n".join(stored.class_names).encode(),
    }
    contents = {f"stl10_binary/{name}": content for name, content in contents.items()}
    if archived:
        path = write_tar(tmp_path / "stl10_binary.tar.gz", contents)
    else:
        path = write_folder(tmp_path / "stl10", contents)
    loaded = load_images(DataConfig(spec=str(path)))
    assert archived or reader_of(path) is READERS["binary"]
    assert loaded.content_hash == stored.content_hash
    assert loaded.class_names == stored.class_names
    assert loaded.parts is not None
    assert loaded.parts.tolist() == [0] * 6 + [2] * 3
    assert any("unlabeled_X.bin left out" in text for text in loaded.record.conversions)
    if not archived:
        alone = load_images(DataConfig(spec=str(path / "stl10_binary" / "unlabeled_X.bin")))
        np.testing.assert_array_equal(alone.pixels, stored.pixels[:4])
        assert alone.labels is None


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images.pkl").write_bytes(pickle.dumps({"images": [1, 2]}))
    with pytest.raises(DataError, match="pickle"):
        load_images(DataConfig(spec=str(tmp_path / "images.pkl")))
