"""Images in a zip, or in a tar, compressed or not: decoded where they lie, nothing is unpacked.

Nothing can therefore escape to a place outside; a member that tries to is refused all the same, and with it
the archive, as are links, devices, and more bytes than the limits allow. Bytes are counted as they
are read, whatever the archive declares. A backslash in a name stands between folders, as a slash does.
"""

import io
import logging
import os
import posixpath
import stat
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, Final, cast

from ...core.errors import DataError
from ..config import DataConfig
from .collect import Collected, collect
from .filenames import is_junk, is_named_as_image, may_be_image, readable, shown
from .places import Place, Source, Span, Zipped, sound
from .reading import File
from .streams import Stream, inflating, is_compressed
from .tables import LOOSE, MOST_LOOSE, text_of

logger = logging.getLogger(__name__)

MEMBER_LIMIT = 64 * 2**20  # bytes of one member, and of what stands between two (headers can be bombs too)
TOTAL_LIMIT = 8 * 2**30  # bytes of a whole archive, inflated
COUNT_LIMIT = 5_000_000  # members

_NOT_PLAIN: Final = frozenset(("", ".", ".."))  # parts of a path
_ZIP_ENCRYPTED = 0x1
# APPNOTE.TXT, section 4.4.5: those that some program writes and zipfile does not read.
_ZIP_METHODS: Final = {6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "XZ", 97: "WavPack", 98: "PPMd"}
_ZIP_READ: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@dataclass(frozen=True)
class Member:
    """A plain file in an archive: its name, its size, and what opens it, before the next one.

    `place` is where it lies, if it can be read without what lies before it.
    """

    archive: Path
    name: str
    size: int
    open: Callable[[], Stream]
    place: Place | None = None

    @property
    def content(self) -> bytes | Place:
        """Where it lies, or else its bytes."""
        return self.place or self.read()

    def read(self) -> bytes:
        with readable(self.archive), sound(self.archive):
            content = self.open().read(self.size + 1)
            if len(content) != self.size:
                raise tarfile.ReadError(f"{self.name} is cut short")
            return content

    def copy_to(self, file: IO[bytes]) -> None:
        with readable(self.archive), sound(self.archive):
            left, stream = self.size, self.open()
            while content := stream.read(min(2**20, left + 1)):
                file.write(content)
                left -= len(content)
            if left:
                raise tarfile.ReadError(f"{self.name} is cut short")


@dataclass(frozen=True)
class Images:
    """What may be an image in an archive, in the archive's own order; `others` are called as none is."""

    path: Path
    others: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[File]:
        self.others.clear()
        for member in members(self.path):
            if may_be_image(posixpath.basename(member.name)):
                yield File(member.name, member.content)
            else:
                self.others.append(member.name)


def read_archive(path: Path, config: DataConfig | None = None) -> Collected:
    """The images of an archive.

    Raises:
        DataError: a damaged or hostile archive, or what `collect` raises.
    """
    files = Images(path)
    collected = collect(files, origin=str(path), config=config)
    collected = replace(collected, beside=tuple(files.others))
    if not (said := cut_short(path)):
        return collected
    record = collected.record.model_copy(update={"warnings": (*collected.record.warnings, said)})
    return replace(collected, record=record)


def tables_in(path: Path, wanted: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The tables of text in an archive, as name and text; one that is no text is mentioned, and left out.

    Args:
        wanted: which of them, by their names.

    Raises:
        DataError: as `members`.
    """
    found: list[tuple[str, str]] = []
    loose: Counter[str] = Counter()  # of each folder
    for member in members(path):
        name = member.name.casefold()
        if not wanted(member.name):
            continue
        loose[posixpath.dirname(member.name)] += name.endswith(LOOSE)
        few = loose[posixpath.dirname(member.name)] <= MOST_LOOSE and name.endswith(LOOSE)
        if few or name.endswith((".csv", ".tsv", ".jsonl", ".ndjson")):
            try:
                found.append((member.name, text_of(member.read(), f"{path}: {member.name}")))
            except DataError as error:
                logger.warning("%s is not used: %s", member.name, error.found)
    many = {folder for folder, count in loose.items() if count > MOST_LOOSE}
    return [
        (name, text)
        for name, text in found
        if not (posixpath.dirname(name) in many and name.casefold().endswith(LOOSE))
    ]


def cut_short(path: Path) -> str:
    """A sentence where a plain tar does not end as tars do; else nothing.

    Raises:
        DataError: it cannot be read.
    """
    with readable(path), path.open("rb") as file:
        start = file.read(512)
        if start[257:262] != b"ustar":
            return ""
        file.seek(-min(512, file.seek(0, io.SEEK_END)), io.SEEK_END)
        whole = not file.read().strip(b"\0") and file.tell() % 512 == 0
    return "" if whole else f"{path.name} has no end mark, as if it were cut short: files may be missing"


def names_without_images(path: Path) -> tuple[str, ...]:
    """The names of all members, where none is named as an image is; else nothing.

    Raises:
        DataError: as `members`.
    """
    names = []
    for member in members(path, TOTAL_LIMIT):
        if is_named_as_image(member.name):
            return ()
        names.append(member.name)
    return tuple(names)


def members(path: Path, most: int | None = None) -> Iterator[Member]:
    """The plain files in the archive `path`, in the archive's own order, without junk.

    Args:
        most: bytes of one of them; None: as many as an image may have.

    Raises:
        DataError: no archive, a damaged one, or one that no honest program makes.
    """
    most = MEMBER_LIMIT if most is None else most
    with readable(path), sound(path), path.open("rb") as file:
        source = Source.of(path, os.fstat(file.fileno()))
        start = file.read(tarfile.BLOCKSIZE)
        other = start[257:262] == b"ustar" or is_compressed(start)
        # A zip may lie behind a program that unpacks it, and at the end of a tar.
        if start[:2] == b"PK" or (not other and zipfile.is_zipfile(file)):
            file.seek(0)
            yield from _zip_members(file, source, path, most)
        else:
            file.seek(0)
            with inflating(file) as stream:
                plain = source if stream is file else None
                yield from _tar_members(stream, plain, path, most)


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
    parts = name.split("/")
    if (
        name.isascii()
        and name.isprintable()
        and _NOT_PLAIN.isdisjoint(parts)
        and not ("\\" in name or ":" in name)
    ):
        return None if any(map(is_junk, parts)) else name  # as nearly all are: pathlib takes longer
    pure = PurePosixPath(name)
    windows = PureWindowsPath(name)
    if "\0" in name or pure.is_absolute() or ".." in windows.parts or windows.drive or windows.root:
        raise _refused(path, name, "a path that leads out of the archive")
    pure = PurePosixPath(name.replace("\\", "/"))
    if not pure.parts or any(is_junk(part) for part in pure.parts):
        return None
    return shown("/".join(pure.parts))


class _Counted(io.RawIOBase):
    """A stream that gives out `most` bytes at most between two calls of `next_member`."""

    def __init__(self, stream: Stream, path: Path, most: int) -> None:
        self.stream = stream
        self.path = path
        self.most = most
        self.total = 0
        self.count = 0
        self.since = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        content = self.stream.read(min(size, self.most) if size >= 0 else self.most)
        self.took(len(content))
        return content

    def tell(self) -> int:
        return self.stream.tell()

    def seek(self, place: int, whence: int = io.SEEK_SET, /) -> int:
        """Of a file alone; what is passed over counts among all bytes."""
        here = self.stream.tell()
        there = cast("IO[bytes]", self.stream).seek(place, whence)
        self.total += max(0, there - here)
        return there

    def took(self, size: int) -> None:
        self.total += size
        self.since += size
        if self.since > self.most + 2**16 or self.total > TOTAL_LIMIT:  # a reader looks a block ahead
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


def _tar_members(stream: Stream, source: Source | None, path: Path, most: int) -> Iterator[Member]:
    """The members of a tar; of one that is not compressed, `source`, no more than the headers is read."""
    counted: Any = _Counted(stream, path, most)
    with tarfile.open(fileobj=counted, mode="r:" if source else "r|", tarinfo=_WholeTar) as archive:
        while (info := archive.next()) is not None:
            counted.next_member()
            archive.members.clear()  # type: ignore[attr-defined]  # else every header stays in memory
            name = _inner(path, info.name)
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                raise _refused(path, info.name, "a link, a device or another member that is no plain file")
            if info.size > most:
                raise _too_large(path, f"{shown(info.name)!r} declares {info.size:,} bytes")
            if name is not None:
                place = Span(source, info.offset_data, info.size) if source and info.size else None
                extract = cast("Callable[[tarfile.TarInfo], Stream]", archive.extractfile)
                yield Member(path, name, info.size, partial(extract, info), place)


def _zip_members(file: IO[bytes], source: Source, path: Path, most: int) -> Iterator[Member]:
    counted = _Counted(file, path, most)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            counted.next_member()
            name = _inner(path, info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if not info.filename:
                raise zipfile.BadZipFile("a member without a name")
            if info.is_dir() or info.filename.endswith("\\"):
                continue
            if kind not in (0, stat.S_IFREG):
                raise _refused(
                    path, info.filename, "a link, a device or another member that is no plain file"
                )
            if info.flag_bits & _ZIP_ENCRYPTED:
                raise _refused(path, info.filename, "encrypted")
            if info.file_size > most:
                raise _too_large(path, f"{shown(info.filename)!r} declares {info.file_size:,} bytes")
            if name is None:
                continue
            counted.took(info.file_size)  # no more than that is read
            _require_method(info, path)
            yield Member(path, name, info.file_size, partial(_opened, archive, info), Zipped.of(source, info))


def _require_method(info: zipfile.ZipInfo, path: Path) -> None:
    if info.compress_type not in _ZIP_READ:
        method = _ZIP_METHODS.get(info.compress_type, "a method")
        raise DataError(
            f"{path} must be a zip of a method that can be read: stored, Deflate, BZIP2, LZMA",
            found=f"{method} (number {info.compress_type}) in {shown(info.filename)!r}",
            do="unpack it (Explorer, 7-Zip and unzip can), and name the folder",
        )


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    try:
        return cast("zipfile.ZipExtFile", archive.open(info))
    except (NotImplementedError, RuntimeError) as error:
        raise zipfile.BadZipFile(f"{info.filename}: {error}") from error
