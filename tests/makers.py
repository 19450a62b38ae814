"""Files that tests of the data sources are made of."""

import base64
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.sources import load_images
from latentspace.figures import style


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """`pixels` (height x width, or with channels last) as the bytes of an image file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def load(spec: object, **settings: object) -> ImageSet:
    """What a SPEC is read as, with these settings of the data."""
    return load_images(DataConfig.parse({"spec": str(spec), **settings}, "the test"))


def classes_of(images: ImageSet) -> list[str]:
    """The class name of each image."""
    assert images.labels is not None
    return [images.class_names[label] for label in images.labels]


@contextmanager
def fine() -> Iterator[None]:
    """In this block figures are saved as fine as users see them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(style._LOOK, "savefig.dpi", style.DPI)
        yield


@contextmanager
def undrawn() -> Iterator[None]:
    """In this block figures are made, but not rendered: how they look is another test's concern."""
    png = encoded(random_pixels(4, 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("latentspace.figures.style._rendered", lambda figure, suffix: png)
        yield


def pictures(*names: str, kind: str = "PNG") -> dict[str, bytes]:
    """A small image of its own under each name."""
    return {name: encoded(random_pixels(8, 8, seed=k), kind) for k, name in enumerate(names)}


def random_pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def bytes_of(save: Callable[..., object], *values: Any, **named: Any) -> bytes:
    """What `save(file, ...)` writes."""
    buffer = io.BytesIO()
    save(buffer, *values, **named)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    """`array` as the bytes of a .npy file."""
    return bytes_of(np.save, array)


def files_of(images: ImageSet) -> dict[str, bytes]:
    """Class folders of PNG files, in the order of the images within each class."""
    assert images.labels is not None
    files = {}
    for number, (pixels, label) in enumerate(zip(images.pixels, images.labels, strict=True)):
        raster = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
        files[f"{images.class_names[label]}/{number}.png"] = encoded(raster)
    return files


def letters(count: int = 2, prefix: str = "notMNIST_small/", seed: int = 0) -> dict[str, bytes]:
    """What notMNIST's archive holds: `count` images of 28x28 a class, named by fonts in base64."""
    files = {}
    for place, letter in enumerate("ABCDEFGHIJ"):
        for number in range(count):
            name = base64.b64encode(f"font {letter} {number}.ttf".encode()).decode().replace("/", "_")
            files[f"{prefix}{letter}/{name}.png"] = encoded(
                random_pixels(28, 28, seed=seed + 100 * place + number)
            )
    return files


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def write_tar(path: Path, files: Mapping[str, bytes], more: Iterable[tarfile.TarInfo] = ()) -> Path:
    mode = "w:gz" if path.suffix in (".gz", ".tgz") else "w"
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return path


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """A zip or a tar, as its name says."""
    return write_zip(path, files) if path.suffix == ".zip" else write_tar(path, files)
