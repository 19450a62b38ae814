"""Fuzzers of arrays in files: HDF5, MATLAB, the binary versions of CIFAR and STL-10, folders of arrays."""

import bz2
import gzip
import io
import lzma
import random
from pathlib import Path

import h5py
import numpy as np
import scipy.io

from fuzz.mutations import mutated
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from makers import npy
from materials import make_images


def _load(path: Path) -> None:
    load_images(DataConfig(spec=str(path)))


class Hdf5:
    """HDF5 files, plain, in chunks and compressed."""

    def __init__(self, place: Path) -> None:
        images = make_images(9, side=8)
        assert images.labels is not None
        path, self.files = place / "x.h5", []
        for options in ({}, {"chunks": True, "compression": "gzip"}):
            with h5py.File(path, "w") as file:
                file.create_dataset("train/images", data=images.pixels, **options)
                file["train/labels"], file["class_names"] = images.labels, list(images.class_names)
            self.files.append(path.read_bytes())
        with h5py.File(path, "w") as file:
            file["x"], file["y"] = images.pixels / np.float32(255), images.labels[:, None]
        self.files.append(path.read_bytes())

    def write(self, draw: random.Random, place: Path) -> None:
        (place / "some.h5").write_bytes(mutated(draw, draw.choice(self.files), tuple(self.files)))

    def read(self, place: Path) -> None:
        _load(place / "some.h5")


class Compressed:
    """Arrays in .gz, .bz2 and .xz, alone or a folder of them, damaged inside and outside."""

    def __init__(self, place: Path) -> None:
        images = make_images(9, side=8)
        assert images.labels is not None
        self.files = {}
        for name, save, arrays in (
            ("X_train.npy", np.save, (images.pixels,)),
            ("y_train.npy", np.save, (images.labels,)),
            ("x.npz", np.savez, (images.pixels, images.labels)),
            ("x.mat", scipy.io.savemat, ({"X": images.pixels[:, 0].transpose(1, 2, 0), "y": images.labels},)),
        ):
            stream = io.BytesIO()
            save(stream, *arrays)
            self.files[name] = stream.getvalue()
        self.others = tuple(self.files.values())

    def write(self, draw: random.Random, place: Path) -> None:
        names = draw.choice((["X_train.npy", "y_train.npy"], ["X_train.npy"], ["x.npz"], ["x.mat"]))
        bad = draw.choice(names)
        for name in names:
            ending, pack = draw.choice(
                ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress))
            )
            content, inside = self.files[name], draw.random() < 0.5
            if name == bad and inside:
                content = mutated(draw, content, self.others)
            content = pack(content)
            if name == bad and not inside:
                content = mutated(draw, content, self.others)
            (place / f"{name}{ending}").write_bytes(content)

    def read(self, place: Path) -> None:
        files = sorted(place.iterdir())
        _load(files[0] if len(files) == 1 else place)


class Matlab:
    """MATLAB's files, plain and compressed."""

    def __init__(self, place: Path) -> None:
        images = make_images(9, side=8)
        assert images.labels is not None
        names = np.array(images.class_names, dtype=object)
        cells = np.empty(9, dtype=object)
        cells[:] = list(images.pixels[:, 0])
        sets = (
            {"X": images.pixels.transpose(2, 3, 1, 0), "y": images.labels[:, None]},
            {"images": images.pixels[:, 0], "labels": images.labels, "class_names": names},
            {"images": cells, "labels": images.labels},
        )
        self.files = [self._mat(arrays, packed=packed) for arrays in sets for packed in (False, True)]

    @staticmethod
    def _mat(arrays: dict[str, np.ndarray], *, packed: bool) -> bytes:
        buffer = io.BytesIO()
        scipy.io.savemat(buffer, arrays, do_compression=packed)
        return buffer.getvalue()

    def write(self, draw: random.Random, place: Path) -> None:
        (place / "some.mat").write_bytes(mutated(draw, draw.choice(self.files), tuple(self.files)))

    def read(self, place: Path) -> None:
        _load(place / "some.mat")


class BinaryVersions:
    """Folders of the binary versions of CIFAR and STL-10."""

    def __init__(self, place: Path) -> None:
        images = make_images(9, side=32, channels=3)
        assert images.labels is not None
        rows = np.concatenate([images.labels[:, None], images.pixels.reshape(9, -1)], axis=1).astype(np.uint8)
        names = "\n".join(images.class_names).encode()
        twice = np.concatenate([rows[:, :1], rows], axis=1)  # a coarse and a fine label
        large = make_images(4, side=96, channels=3).pixels
        self.sets = [
            {
                "data_batch_1.bin": rows[:6].tobytes(),
                "test_batch.bin": rows[6:].tobytes(),
                "batches.meta.txt": names,
            },
            {"train.bin": twice[:6].tobytes(), "test.bin": twice[6:].tobytes()},
            {"train_X.bin": large.tobytes(), "train_y.bin": bytes([1, 2, 1, 2]), "class_names.txt": names},
        ]

    def write(self, draw: random.Random, place: Path) -> None:
        files = draw.choice(self.sets)
        chosen = draw.choice(sorted(files))
        damaged = mutated(draw, files[chosen], tuple(files.values()))
        for name, content in {**files, chosen: damaged}.items():
            (place / name).write_bytes(content)

    def read(self, place: Path) -> None:
        _load(place)


class ArrayFolders:
    """Folders of .npy and .npz: images beside labels, a class a file, an image a file."""

    def __init__(self, place: Path) -> None:
        images = make_images(9, side=8)
        assert images.labels is not None
        grey, names = images.pixels[:, 0], np.array(images.class_names)[images.labels]
        sets: list[dict[str, np.ndarray]] = [
            {"X_train": grey[:6], "y_train": names[:6], "X_test": grey[6:], "y_test": names[6:]},
            {"cat": grey[:4], "dog": grey[4:]},
            {str(number): one for number, one in enumerate(images.pixels.transpose(0, 2, 3, 1)[:3])},
        ]
        self.sets = [{f"{name}.npy": npy(one) for name, one in arrays.items()} for arrays in sets]
        self.others = tuple(content for files in self.sets for content in files.values())

    def write(self, draw: random.Random, place: Path) -> None:
        files = dict(draw.choice(self.sets))
        chosen = draw.choice(sorted(files))
        files[chosen] = mutated(draw, files[chosen], self.others)
        for name, content in files.items():
            (place / name).write_bytes(content)

    def read(self, place: Path) -> None:
        _load(place)
