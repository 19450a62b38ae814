"""Where an image lies in a larger file: read there when it is decoded, by the process that decodes it.

Members of plain tars and of zips are read so, and rows of Parquet (`rows`). The file must be the same one, by
its stamp, as when the place was found.
"""

import gzip
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from io import SEEK_CUR, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias, runtime_checkable

from ...core.errors import DataError
from .filenames import readable, undamaged

if TYPE_CHECKING:
    from .reading import File

Stamp: TypeAlias = tuple[int, ...]

# What the library raises on archives that are none; the last two are zipfile's, of versions and of names.
_DAMAGED: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    UnicodeDecodeError,
)
# APPNOTE.TXT, section 4.3.7: a member's own header; the last two numbers are the sizes of its name and more.
_HEADER: Final = struct.Struct("<4s22xHH")
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NOT_READ: Final = 0x20 | 0x40  # flags of a patch, and of encryption of another kind than the usual
_PLAIN_DEFLATE: Final = -15  # zlib's word for a stream without a header


def stamp_of(about: os.stat_result) -> Stamp:
    """What changes with a file: its size, and the times at which its content and its entry changed."""
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns


def stamp_at(place: bytes | Path) -> Stamp:
    """The stamp of a file; none where there is no file."""
    try:
        return stamp_of(place.stat()) if isinstance(place, Path) else ()
    except OSError:
        return ()


class Source(NamedTuple):
    """A file that has many images in it, as it was when they were found."""

    path: str
    stamp: Stamp

    @classmethod
    def of(cls, path: Path, about: os.stat_result) -> "Source":
        return cls(os.fspath(path.absolute()), stamp_of(about))

    @contextmanager
    def opened(self) -> Iterator[FileIO]:
        """The file. Raises: DataError: it cannot be read, or is another one before or after the block."""
        with readable(Path(self.path)), FileIO(self.path) as file:
            self.require(os.fstat(file.fileno()))
            yield file
            self.require(os.fstat(file.fileno()))

    def require(self, about: os.stat_result) -> None:
        """Refuse another file. Raises: DataError."""
        if stamp_of(about) != self.stamp:
            raise DataError(
                f"{self.path} must stay as it is while it is read",
                found="changed since its images were listed",
                do="read it again when nothing writes it any more",
            )


@runtime_checkable
class Place(Protocol):
    """Where an image lies."""

    @property
    def size(self) -> int:
        """Its bytes, or about as many."""

    def taken(self, file: "File") -> "File":
        """The file with what lies there. Raises: DataError: the source is gone, another one, or damaged."""


class Span(NamedTuple):
    """Bytes that lie in a file as they are."""

    source: Source
    start: int
    size: int

    def taken(self, file: "File") -> "File":
        with sound(Path(self.source.path)), self.source.opened() as opened:
            opened.seek(self.start)
            content = opened.read(self.size)
            if len(content) != self.size:
                raise tarfile.ReadError(f"{file.name} is cut short")
        return file._replace(content=content)


class Zipped(NamedTuple):
    """A member of a zip, stored or deflated: what its directory says of it."""

    source: Source
    start: int  # of the member's own header
    packed: int
    size: int
    check: int
    deflated: bool

    @classmethod
    def of(cls, source: Source, info: zipfile.ZipInfo) -> "Zipped | None":
        """Where a member lies; None of an empty one, and of methods that few have."""
        if info.compress_type not in _METHODS or info.flag_bits & _NOT_READ or not info.file_size:
            return None
        deflated = info.compress_type == zipfile.ZIP_DEFLATED
        return cls(source, info.header_offset, info.compress_size, info.file_size, info.CRC, deflated)

    def taken(self, file: "File") -> "File":
        with sound(Path(self.source.path)):
            content = self._inflated(self._packed())
            if len(content) != self.size:
                raise zipfile.BadZipFile(f"{file.name} is cut short")
            if zlib.crc32(content) != self.check:
                raise zipfile.BadZipFile(f"Bad CRC-32 for file {file.name!r}")
        return file._replace(content=content)

    def _packed(self) -> bytes:
        with self.source.opened() as opened:
            opened.seek(self.start)
            header = opened.read(_HEADER.size)
            if len(header) < _HEADER.size or not header.startswith(b"PK\3\4"):
                raise zipfile.BadZipFile("Bad magic number for file header")
            _, name, more = _HEADER.unpack(header)
            opened.seek(name + more, SEEK_CUR)
            return opened.read(min(self.packed, self.source.stamp[0]))

    def _inflated(self, packed: bytes) -> bytes:
        if not self.deflated:
            return packed
        return zlib.decompressobj(_PLAIN_DEFLATE).decompress(packed, self.size + 1)


def sound(path: Path) -> AbstractContextManager[None]:
    """Turn what is raised of a damaged archive inside the block into a DataError that names `path`."""
    must = "must be a whole zip, or tar (plain, .gz, .bz2, .xz or .zst)"
    return undamaged(path, _DAMAGED, must, "fetch or make the archive again")
