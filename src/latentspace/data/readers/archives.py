"""Images in a tar, tar.gz or zip archive: decoded from the stream, so nothing is unpacked to the disk.

Nothing can therefore escape to a place outside; a member that tries to is refused all the same, and with it
the archive, as are links, devices, and more bytes than the limits allow. Bytes are counted as they
are read, whatever the archive declares.
"""

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from ...core.errors import DataError
from .collect import Collected, File, collect
from .filenames import is_junk, may_be_image, readable, shown
from .streams import Stream

MEMBER_LIMIT = 64 * 2**20  # bytes of one member, and of what stands between two (headers can be bombs too)
TOTAL_LIMIT = 8 * 2**30  # bytes of a whole archive, inflated
COUNT_LIMIT = 5_000_000  # members

_ZIP_ENCRYPTED = 0x1
# What the library raises on archives that are none; the last two are zipfile's, of versions and of names.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    UnicodeDecodeError,
)


def read_archive(path: Path, *, resize: tuple[int, int] | None = None, strict: bool = False) -> Collected:
    """The images of an archive that holds class folders, or images alone.

    Raises:
        DataError: a damaged or hostile archive, or what `collect` raises.
    """
    return collect(members(path), origin=str(path), resize=resize, strict=strict)


def members(path: Path) -> Iterator[File]:
    """What may be an image in the archive `path`, in the archive's own order.

    Raises:
        DataError: no archive, a damaged one, or one that no honest program makes.
    """
    with readable(path), _sound(path), path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start[:2] == b"PK":
            yield from _zip_members(file, path)
        elif start[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file, mode="rb") as inflated:
                yield from _tar_members(inflated, path)
        else:
            yield from _tar_members(file, path)


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise DataError(
            f"{path} must be a whole tar, tar.gz or zip archive",
            found=str(error) or type(error).__name__,
            do="fetch or make the archive again",
        ) from error


def _refused(path: Path, name: str, reason: str) -> DataError:
    return DataError(
        f"{path} must be an archive of plain files below its own root",
        found=f"{shown(name)!r}: {reason}",
        do="do not use this archive; if you trust it, unpack it yourself and name the folder",
    )


def _too_large(path: Path, what: str) -> DataError:
    return DataError(
        f"{path} must stay within the limits for archives ({MEMBER_LIMIT // 2**20} MiB a member, "
        f"{TOTAL_LIMIT // 2**30} GiB and {COUNT_LIMIT:,} members in all)",
        found=what,
        do="if you trust the archive, unpack it yourself and name the folder",
    )


def _inner(path: Path, name: str) -> str | None:
    """The name within the root, None for what is to be passed over; an escape is refused."""
    pure = PurePosixPath(name)
    windows = PureWindowsPath(name)
    if "\0" in name or pure.is_absolute() or ".." in windows.parts or windows.drive or windows.root:
        raise _refused(path, name, "a path that leads out of the archive")
    if not pure.parts or any(is_junk(part) for part in pure.parts) or not may_be_image(pure.name):
        return None
    return shown("/".join(pure.parts))


class _Counted(io.RawIOBase):
    """A stream that gives out `MEMBER_LIMIT` bytes at most between two calls of `next_member`."""

    def __init__(self, stream: Stream, path: Path) -> None:
        self.stream = stream
        self.path = path
        self.total = 0
        self.count = 0
        self.since = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        content = self.stream.read(min(size, MEMBER_LIMIT) if size >= 0 else MEMBER_LIMIT)
        self.took(len(content))
        return content

    def took(self, size: int) -> None:
        self.total += size
        self.since += size
        if self.since > MEMBER_LIMIT + 2**16 or self.total > TOTAL_LIMIT:  # a reader looks a block ahead
            raise _too_large(
                self.path, f"{self.since:,} bytes in one member, {self.total:,} bytes in all so far"
            )

    def next_member(self) -> None:
        self.since = 0
        self.count += 1
        if self.count > COUNT_LIMIT:
            raise _too_large(self.path, f"more than {COUNT_LIMIT:,} members")


class _WholeTar(tarfile.TarInfo):
    """A header that is damaged ends the reading with an error; tarfile would take it for the end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "_WholeTar":
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError | tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
                raise
            raise tarfile.ReadError(f"a damaged header: {error}") from error


def _tar_members(stream: Stream, path: Path) -> Iterator[File]:
    counted: Any = _Counted(stream, path)
    with tarfile.open(fileobj=counted, mode="r|", tarinfo=_WholeTar) as archive:
        while (info := archive.next()) is not None:
            counted.next_member()
            archive.members.clear()  # type: ignore[attr-defined]  # else every header stays in memory
            name = _inner(path, info.name)
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                raise _refused(path, info.name, "a link, a device or another member that is no plain file")
            if info.size > MEMBER_LIMIT:
                raise _too_large(path, f"{shown(info.name)!r} declares {info.size:,} bytes")
            member = archive.extractfile(info)
            if name is None or member is None:
                continue
            content = member.read()
            if len(content) != info.size:
                raise tarfile.ReadError(f"{name} is cut short")
            yield File(name, content)


def _zip_members(file: IO[bytes], path: Path) -> Iterator[File]:
    counted = _Counted(file, path)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            counted.next_member()
            name = _inner(path, info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if not info.filename:
                raise zipfile.BadZipFile("a member without a name")
            if info.is_dir():
                continue
            if kind not in (0, stat.S_IFREG):
                raise _refused(
                    path, info.filename, "a link, a device or another member that is no plain file"
                )
            if info.flag_bits & _ZIP_ENCRYPTED:
                raise _refused(path, info.filename, "encrypted")
            if info.file_size > MEMBER_LIMIT:
                raise _too_large(path, f"{shown(info.filename)!r} declares {info.file_size:,} bytes")
            if name is None:
                continue
            content = _unzipped(archive, info)
            counted.took(len(content))
            yield File(name, content)


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as member:
            content = member.read(MEMBER_LIMIT + 1)
    except (NotImplementedError, RuntimeError) as error:
        raise zipfile.BadZipFile(f"{info.filename}: {error}") from error
    if len(content) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} is cut short")
    return content
