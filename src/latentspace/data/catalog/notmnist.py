"""notMNIST, the letters A-J of Yaroslav Bulatov: where it can be had, how it is recognised, how it is kept.

The archives' addresses, sizes and checksums are those that their publishers give.
"""

import base64
import binascii
import hashlib
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from ...core.atomic_files import file_hash
from ...core.errors import DataError
from ...core.wording import counted
from ..cache import keep, recall
from ..cleaning import sentence
from ..imageset import ImageSet
from ..memmap import Residence
from ..paths import Mirror, cache_directory
from ..readers.archives import read_archive
from ..readers.collect import Collected
from ..readers.filenames import readable
from ..readers.places import Source

logger = logging.getLogger(__name__)

Size: TypeAlias = Literal["small", "large"]
LETTERS: Final = tuple("ABCDEFGHIJ")
TIMEOUT: Final = 30.0  # seconds
PUBLISHED: Final = (b"\x1f\x8b", b"PK")  # how the published archives begin: gzip, zip
MOST: Final = 2**29  # bytes; the largest that is published has half of them


def _mirrors(size: Size, tar_md5: str, tar_bytes: int, zip_md5: str) -> tuple[Mirror, ...]:
    tar, zipped = f"notMNIST_{size}.tar.gz", f"notMNIST_{size}.zip"
    return (
        Mirror(f"http://yaroslavvb.com/upload/notMNIST/{tar}", tar_md5, tar_bytes),
        Mirror(f"https://commondatastorage.googleapis.com/books1000/{tar}", tar_md5, tar_bytes),
        Mirror(f"https://zenodo.org/records/8274268/files/{zipped}", zip_md5),
    )


MIRRORS: Mapping[Size, Sequence[Mirror]] = MappingProxyType(
    {
        "small": _mirrors(
            "small", "c9890a473a9769fda4bdf314aaf500dd", 8_458_043, "3de91fb69221d9c2d5c57387101ebc6c"
        ),
        "large": _mirrors(
            "large", "70a95b805ecfb6592c48e196df7c1499", 247_336_696, "c3f9e0862df000a897766593044e366a"
        ),
    }
)


def _folder() -> Path:
    return cache_directory() / "notmnist"


def _kept(size: Size) -> Path:
    return _folder() / f"{size}.npz"


def fetch(size: Size, *, timeout: float = TIMEOUT, mirrors: Sequence[Mirror] | None = None) -> Path:
    """The verified archive in the cache directory, fetched if it is not there.

    Args:
        size: 18,724 or 529,114 readable images.
        timeout: seconds to connect, and without a byte.
        mirrors: what to ask, in this order; None: those of `MIRRORS`.

    Raises:
        FetchError: no mirror delivered it; each is named with its reason.
        OutputError: the cache directory cannot be written.
    """
    from .download import download  # here, as it brings the libraries of the network with it

    return download(MIRRORS[size] if mirrors is None else mirrors, _folder(), timeout=timeout)


def load(size: Size, *, timeout: float = TIMEOUT, resident: Residence = "always") -> ImageSet:
    """The letters from the cache, else from its archive, else from a mirror.

    Raises:
        FetchError: it is not cached, and no mirror delivered it.
        DataError: the archive does not hold what it should.
    """
    return recall(_kept(size), resident) or _parsed(fetch(size, timeout=timeout), size, resident)


def load_if_quick(size: Size, *, timeout: float, resident: Residence = "always") -> ImageSet:
    """notMNIST, from the cache or from mirrors that answer within `timeout` seconds; the rest as `load`.

    Raises:
        FetchError: it is not cached, and no mirror answers or delivers.
    """
    from .download import answering, failure

    images = recall(_kept(size), resident)
    if images is not None:
        return images
    mirrors = MIRRORS[size]
    if not any((_folder() / mirror.file_name).is_file() for mirror in mirrors):
        mirrors = answering(mirrors, timeout)
        if not mirrors:
            raise failure(
                [f"{mirror.url}: not reached (within {timeout:g} seconds)" for mirror in MIRRORS[size]]
            )
    return _parsed(fetch(size, timeout=timeout, mirrors=mirrors), size, resident)


def identity_of(archive: Path) -> str:
    """A checksum of an archive that may be a published one; of others, what changes with them.

    Raises:
        DataError: it cannot be read.
    """
    with readable(archive), archive.open("rb") as file:
        source, start = Source.of(archive, os.fstat(file.fileno())), file.read(4)
        if source.stamp[0] <= MOST and start.startswith(PUBLISHED):
            return file_hash(archive, "md5")
    return hashlib.blake2b(repr(source).encode(errors="replace"), digest_size=16).hexdigest()


def published(md5: str) -> Size | None:
    """Which of the published archives has this checksum."""
    return {mirror.md5: size for size, mirrors in MIRRORS.items() for mirror in mirrors}.get(md5)


def load_archive(path: Path, size: Size, resident: Residence = "always") -> ImageSet:
    """The letters from a published archive, or from the cache.

    Raises:
        DataError: the archive does not hold what it should.
    """
    return recall(_kept(size), resident) or _parsed(path, size, resident)


def remembered(identity: str, resident: Residence = "always") -> ImageSet | None:
    """What was recognised before in an archive with this checksum, or a folder with this listing."""
    return recall(_folder() / f"{identity}.npz", resident)


def remember(identity: str, images: ImageSet) -> None:
    keep(_folder() / f"{identity}.npz", images)


def _parsed(archive: Path, size: Size, resident: Residence) -> ImageSet:
    logger.info("reading %s: this is done once", archive)
    collected = read_archive(archive)
    if collected.class_names != LETTERS or collected.sizes != {(28, 28)}:
        raise DataError(
            f"{archive} must hold the letters A-J, 28x28, in class folders",
            found=f"classes {sentence(collected.class_names, 10)}; sizes {sorted(collected.sizes)}",
            do="remove the file, and fetch it again",
        )
    images = named(collected, f"notMNIST ({size})")
    return keep(_kept(size), images, resident)


def recognised(collected: Collected) -> bool:
    """Whether these are notMNIST's letters: class folders A-J, 28x28 grey, files named as it names them.

    There a file's name is the name of a font file in base64: `MDEtMDEtMDAudHRm.png` is `01-01-00.ttf`.
    """
    if collected.class_names != LETTERS or collected.sizes != {(28, 28)} or collected.pixels.shape[1] != 1:
        return False
    fonts = sum(_names_a_font(name.rpartition("/")[2]) for name in collected.names)
    return 2 * fonts > len(collected.names)


def _names_a_font(name: str) -> bool:
    try:
        text = base64.b64decode(name.removesuffix(".png"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return name.endswith(".png") and re.search(rb"\.[A-Za-z]{2,5}$", text) is not None


def named(collected: Collected, source: str) -> ImageSet:
    """The images as notMNIST; resized ones can no longer be compared with published results."""
    images = collected.images(source)
    return replace(images, comparable=images.shape == (1, 28, 28))


def name_of(collected: Collected) -> str:
    """`notMNIST (small)` where the number of images, or the folder that they lie in, says so."""
    sizes: dict[int, Size] = {18_724: "small", 529_114: "large"}
    for size in ("small", "large"):
        if sizes.get(len(collected.names)) == size or f"notmnist_{size}" in collected.root.casefold():
            return f"notMNIST ({size})"
    return f"notMNIST ({counted(len(collected.names))})"
