"""Archives: honest ones are read without unpacking, hostile ones are refused whole."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from latentspace.core.errors import DataError
from latentspace.data.config import DataConfig
from latentspace.data.readers import archives
from latentspace.data.sources import load_images
from makers import encoded, load, random_pixels, write_archive, write_tar, write_zip

FILES = {
    f"{name}/{number}.png": encoded(np.full((4, 4), 40 * number, np.uint8))
    for name in "ab"
    for number in (1, 2)
}
TARS = ["x.tar", "x.tar.gz", "x.tgz"]
ALL = [*TARS, "x.zip"]


@pytest.mark.parametrize("name", ALL)
def test_class_folders_in_an_archive(tmp_path: Path, name: str) -> None:
    junk = {"__MACOSX/a/._1.png": b"x", "a/.DS_Store": b"x", "README.txt": b"x"}
    images = load(write_archive(tmp_path / name, {**junk, **FILES}))
    assert images.class_names == ("a", "b")
    assert images.pixels[:, 0, 0, 0].tolist() == [40, 80, 40, 80]
    assert images.source == "an archive of 2 class folders"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]  # nothing was unpacked beside it


@pytest.mark.parametrize("name", ALL)
def test_an_archive_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    write_archive(tmp_path / name, FILES).rename(tmp_path / "download")
    assert load(tmp_path / "download").class_names == ("a", "b")


@pytest.mark.parametrize("name", ALL)
def test_unreadable_members_are_counted_and_named(tmp_path: Path, name: str) -> None:
    path = write_archive(
        tmp_path / name, {f"root/{one}": data for one, data in {**FILES, "a/3.png": b""}.items()}
    )
    assert [one.name for one in load(path).record.unreadable] == ["a/3.png"]
    with pytest.raises(DataError, match=r"a/3\.png"):
        load(path, strict=True)


@pytest.mark.parametrize("name", ALL)
def test_images_at_several_depths(tmp_path: Path, name: str) -> None:
    images = load(write_archive(tmp_path / name, {**FILES, "top.png": FILES["a/1.png"]}))
    assert len(images) == 5
    assert images.labels is None
    assert "1 image in no class folder (top.png)" in images.record.warnings[0]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "member",
    ["../out.png", "a/../../out.png", "/tmp/out.png", "a\\..\\..\\out.png", "C:/out.png", "//host/out.png"],
)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str, member: str) -> None:
    path = write_archive(tmp_path / name, {**FILES, member: FILES["a/1.png"]})
    with pytest.raises(DataError, match="leads out of the archive"):
        load(path)


@pytest.mark.parametrize("name", TARS)
@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, name: str, kind: bytes) -> None:
    member = tarfile.TarInfo("a/3.png")
    member.type = kind
    member.linkname = "/etc/passwd"
    with pytest.raises(DataError, match=r"a/3\.png.*no plain file"):
        load(write_tar(tmp_path / name, FILES, [member]))


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("a/3.png")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(DataError, match="no plain file"):
        load(path)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"a/1.png": FILES["a/1.png"]})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the member's own header, and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        load(path)


@pytest.mark.parametrize("name", ALL)
def test_a_member_beyond_the_limit(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_archive(tmp_path / name, {**FILES, "a/large.txt": bytes(300_000)})
    assert len(load(path)) == 4
    monkeypatch.setattr(archives, "MEMBER_LIMIT", 200_000)
    with pytest.raises(DataError, match="limits for archives"):
        load(path)


@pytest.mark.parametrize("name", ALL)
def test_more_bytes_than_the_limit_in_all(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_archive(tmp_path / name, {f"a/{number}.png": bytes(20_000) for number in range(20)})
    monkeypatch.setattr(archives, "TOTAL_LIMIT", 200_000)
    with pytest.raises(DataError, match="bytes in all so far"):
        load(path)


@pytest.mark.parametrize("name", ALL)
def test_more_members_than_the_limit(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "COUNT_LIMIT", 3)
    with pytest.raises(DataError, match="more than 3 members"):
        load(write_archive(tmp_path / name, FILES))


def test_a_header_may_be_a_bomb_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MEMBER_LIMIT", 100_000)
    member = tarfile.TarInfo("a/3.png")
    member.pax_headers = {"comment": "x" * 1_000_000}
    with pytest.raises(DataError, match="limits for archives"):
        load(write_tar(tmp_path / "x.tar.gz", FILES, [member]))


def test_a_zip_that_declares_less_than_it_holds(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"a/1.png": bytes(100_000)})
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + 24  # the size, in the directory
    content[place : place + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataError, match="must be a whole zip"):
        load(path)


@pytest.mark.parametrize("name", ALL)
def test_an_archive_cut_short(tmp_path: Path, name: str) -> None:
    path = write_archive(
        tmp_path / name,
        {f"a/{number}.png": encoded(random_pixels(30, 30, seed=number)) for number in range(9)},
    )
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(DataError, match="must be a whole zip"):
        load(path)


@pytest.mark.parametrize("name", TARS)
def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for one, data in FILES.items():
            info = tarfile.TarInfo(one)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    content = buffer.getvalue().replace(b"b/1.png", b"b/7.png", 1)  # the header's checksum no longer fits
    (tmp_path / name).write_bytes(content if name == "x.tar" else gzip.compress(content))
    with pytest.raises(DataError, match="damaged header"):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04", b"\x1f\x8b", gzip.compress(b"hello", mtime=0)]
)
def test_what_is_no_archive(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        load(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


@pytest.mark.parametrize("name", ALL)
def test_an_archive_without_images(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="at least one image"):
        load(write_archive(tmp_path / name, {"notes.txt": b"hello"}))


@pytest.mark.parametrize("name", ["x.tar.bz2", "x.tar.xz", "x.tar.zst", "x.bin"])
def test_a_tar_in_any_compression(tmp_path: Path, name: str) -> None:
    tar = write_tar(tmp_path / "x.tar", FILES).read_bytes()
    packed = {
        "x.tar.bz2": lambda: bz2.compress(tar),
        "x.tar.xz": lambda: lzma.compress(tar),
        "x.tar.zst": lambda: zstandard(tar),
        "x.bin": lambda: bz2.compress(tar),
    }[name]()
    (tmp_path / name).write_bytes(packed)
    assert load(tmp_path / name).class_names == ("a", "b")

    (tmp_path / name).write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match="must be a whole zip"):
        load(tmp_path / name)


def zstandard(content: bytes) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    return bytes(pyarrow.Codec("zstd").compress(content, asbytes=True))


@pytest.mark.parametrize("name", ALL)
def test_a_backslash_stands_between_folders(tmp_path: Path, name: str) -> None:
    images = load(
        write_archive(tmp_path / name, {one.replace("/", "\\"): data for one, data in FILES.items()})
    )
    assert images.class_names == ("a", "b")
    assert images.names == ("a/1.png", "a/2.png", "b/1.png", "b/2.png")


@pytest.mark.parametrize("name", ALL)
def test_the_parts_of_a_publisher(tmp_path: Path, name: str) -> None:
    files = {f"set/{part}/{one}": data for part in ("train", "test", "val") for one, data in FILES.items()}
    images = load(write_archive(tmp_path / name, files))
    assert images.class_names == ("a", "b")
    assert images.parts is not None
    assert dict(zip(images.names, images.parts.tolist(), strict=True))["val/b/2.png"] == 1
    assert np.bincount(images.parts).tolist() == [4, 4, 4]


@pytest.mark.parametrize(("method", "called"), [(9, "Deflate64"), (98, "PPMd"), (77, "a method")])
def test_a_method_of_zip_that_is_not_read(tmp_path: Path, method: int, called: str) -> None:
    path = write_zip(tmp_path / "x.zip", {"a/1.png": FILES["a/1.png"]})
    content = bytearray(path.read_bytes())
    for place in (8, content.index(b"PK\x01\x02") + 10):
        content[place : place + 2] = method.to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{called} \(number {method}\) in 'a/1\.png'") as error:
        load(path)
    assert "unpack it" in error.value.do


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_of_zip_that_are_read(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    assert len(load(tmp_path / "x.zip")) == 4


@pytest.mark.parametrize("name", ["set.exe", "set.zip"])
def test_a_zip_behind_the_program_that_unpacks_it(name: str, tmp_path: Path) -> None:
    plain = write_zip(tmp_path / "plain.zip", {f"{one}/1.png": encoded(random_pixels(8, 8)) for one in "ab"})
    (tmp_path / name).write_bytes(b"MZ" + bytes(600) + plain.read_bytes())
    assert load_images(DataConfig(spec=str(tmp_path / name))).class_names == ("a", "b")
