"""The one door: what SPEC means, and that every mistake ends in an error with all three parts."""

import gzip
import logging
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
import requests

from latentspace.core.atomic_files import file_hash
from latentspace.core.config import Config
from latentspace.core.errors import ConfigurationError, DataError, LatentspaceError
from latentspace.data.catalog import download, notmnist
from latentspace.data.catalog.download import Mirror
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.paths import cache_directory
from latentspace.data.sources import load_images
from makers import encoded, letters, load, random_pixels, write_folder, write_tar, write_zip
from materials import make_images


class Glyphs(types.ModuleType):
    """Stands in for the renderer, and counts what it was asked."""

    def __init__(self) -> None:
        super().__init__("latentspace.data.catalog.glyphs.render")
        self.rendered: list[tuple[int, int, str, int]] = []
        self.font_version = "1"

    def fingerprint(self, fonts: str) -> str:
        return f"{fonts}-{self.font_version}"

    def render(
        self,
        count: int = 18_724,
        *,
        seed: int = 0,
        fonts: str = "bundled",
        size: int = 28,
        workers: int | None = None,
    ) -> ImageSet:
        self.rendered.append((count, seed, fonts, size))
        return ImageSet(
            random_pixels(count, 1, size, size, seed=seed),
            "glyphs",
            np.arange(count) % 10,
            tuple("ABCDEFGHIJ"),
            groups=np.arange(count) // 7,
        )


@pytest.fixture
def glyphs(monkeypatch: pytest.MonkeyPatch) -> Glyphs:
    module = Glyphs()
    monkeypatch.setitem(sys.modules, "latentspace.data.catalog.glyphs.render", module)
    return module


@pytest.fixture(autouse=True)
def offline(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own, and no mirror that could be reached."""
    nowhere = Mirror("http://127.0.0.1:9/notMNIST_small.tar.gz", "0" * 32)
    monkeypatch.setattr(notmnist, "MIRRORS", {"small": [nowhere], "large": [nowhere]})


def test_glyphs_are_rendered_once(glyphs: Glyphs) -> None:
    first = load("glyphs:50", seed=3)
    second = load("glyphs:50", seed=3)
    assert glyphs.rendered == [(50, 3, "bundled", 28)]
    assert second.content_hash == first.content_hash
    np.testing.assert_array_equal(second.groups, first.groups)
    assert second.groups is not None
    assert second.source == "glyphs"


def test_other_glyphs_are_other_images(glyphs: Glyphs) -> None:
    load("glyphs:50")
    load("glyphs:51")
    load("glyphs:50", seed=1)
    load("glyphs:50", fonts="system")
    glyphs.font_version = "2"
    load("glyphs:50")
    assert glyphs.rendered == [
        (count, seed, fonts, 28)
        for count, seed, fonts in [
            (50, 0, "bundled"),
            (51, 0, "bundled"),
            (50, 1, "bundled"),
            (50, 0, "system"),
            (50, 0, "bundled"),
        ]
    ]


def test_as_many_glyphs_as_notmnist_has(glyphs: Glyphs) -> None:
    assert len(load("glyphs")) == 18_724


def test_a_cache_that_cannot_be_written_costs_time_only(
    glyphs: Glyphs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where the cache directory should be")
    assert len(load("glyphs:20")) == 20
    assert "could not be kept in the cache" in caplog.text


@pytest.mark.parametrize("count", ["0", "abc", "", "-5", "1.5", "1e3", "99999999999999999999", "²"])
def test_a_count_that_cannot_be_meant(glyphs: Glyphs, count: str) -> None:
    with pytest.raises(ConfigurationError, match="glyphs:COUNT") as error:
        load(f"glyphs:{count}")
    assert repr(f"glyphs:{count}") in error.value.found
    assert glyphs.rendered == []


def test_auto_takes_what_is_cached(
    tmp_path: Path, glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "cache" / "notmnist" / "notMNIST_small.tar.gz"
    kept.parent.mkdir(parents=True)
    write_tar(kept, letters(1))
    here = Mirror(f"http://127.0.0.1:9/{kept.name}", file_hash(kept, "md5"))
    monkeypatch.setattr(notmnist, "MIRRORS", {"small": [here], "large": []})
    for _ in range(2):
        images = load("auto")
        assert images.comparable
        assert images.source == "notMNIST (small)"
    assert glyphs.rendered == []
    assert "compared" not in caplog.text


def test_auto_says_loudly_what_glyphs_are_not(glyphs: Glyphs, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    images = load("auto", seed=5)
    assert glyphs.rendered == [(18_724, 5, "bundled", 28)]
    assert not images.comparable
    assert "no result can be compared with published ones" in caplog.text
    assert "127.0.0.1:9" in caplog.text


def test_auto_does_not_wait_for_a_mirror_that_says_nothing(
    glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def says_nothing(*args: object, **settings: object) -> object:
        ended.wait(60)
        return types.SimpleNamespace(status_code=200)

    monkeypatch.setattr("requests.head", says_nothing)
    monkeypatch.setattr("latentspace.data.sources.QUICK", 0.2)
    try:
        assert load("auto").source == "glyphs"
    finally:
        ended.set()


def test_only_mirrors_that_answer_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def head(url: str, **settings: object) -> object:
        if "silent" in url:
            raise requests.ConnectTimeout
        return types.SimpleNamespace(status_code=405)

    monkeypatch.setattr("requests.head", head)
    first, second = Mirror("http://silent/a", ""), Mirror("http://answers/a", "")
    assert download.answering([first, second], 1.0) == [second]


def test_notmnist_without_a_network_names_the_mirrors() -> None:
    for spec in ("notmnist", "notmnist:large"):
        with pytest.raises(LatentspaceError, match=r"127\.0\.0\.1:9.*no connection") as error:
            load(spec)
        assert "name its path" in error.value.do


def test_a_path_wins_where_it_is_written_as_one(
    tmp_path: Path, glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_folder(tmp_path / "here", {"glyphs/1.png": encoded(random_pixels(4, 4))}))
    assert load("./glyphs").size == (4, 4)
    assert load("glyphs:5").size == (28, 28)


def test_a_path_below_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_folder(tmp_path, {"pictures/1.png": encoded(random_pixels(4, 4))})
    assert len(load("~/pictures")) == 1


def test_what_was_found_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    np.savez(tmp_path / "x.npz", images=np.zeros((3, 4, 5), np.uint8), labels=[1, 1, 1])
    load(tmp_path / "x.npz", deduplicate=True, resize=(8, 8))
    assert "NumPy arrays (.npz): 1 image, 8x8, grey, 1 class" in caplog.text
    assert "3 images of 4x5 resized to 8x8" in caplog.text
    assert "dropped 2 exact duplicates of images" in caplog.text


MISTAKES = {
    "a typing error": "notminst",
    "another size": "notmnist:huge",
    "a missing path": "no/such/folder",
    "a zero byte": "a\0b",
    "a name too long": "x" * 5000,
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_what_is_neither_a_word_nor_a_path(kind: str) -> None:
    with pytest.raises(DataError) as error:
        load(MISTAKES[kind])
    assert all((error.value.must, error.value.found, error.value.do))
    assert error.value.exit_code == 2


FILES = {
    "photo.png": (encoded(random_pixels(4, 4)), "one image"),
    "notes.md": (b"hello", r"text\n.*call it \.csv"),
    "notes.txt": (b"hello", "1 of 1 path are not: hello"),
    "empty": (b"", "and ends"),
    "x.gz": (gzip.compress(b"\0\1\2\3", mtime=0), "00 01 02 03"),
    "bad.gz": (b"\x1f\x8bhello", "end-of-stream"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none_of_these(tmp_path: Path, name: str) -> None:
    content, found = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=found) as error:
        load(tmp_path / name)
    assert str(tmp_path / name) in error.value.must


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.zip", "images-idx3-ubyte"])
def test_a_file_that_may_not_be_read(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *args: object, **settings: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        load(tmp_path / name)


def test_neither_a_file_nor_a_folder() -> None:
    with pytest.raises(DataError, match="must be a file or a folder"):
        load("/dev/null")


@pytest.mark.parametrize(
    "settings", [{"resize": [0, 5]}, {"resize": [5]}, {"resize": [5, 5000]}, {"spec": ""}, {"size": 3}]
)
def test_settings_out_of_their_range(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        DataConfig.parse(settings, "the test")


def test_settings_survive_json() -> None:
    config: Config = DataConfig(spec="glyphs:5", resize=(3, 4), deduplicate=True, fonts="system", seed=9)
    assert DataConfig.model_validate_json(config.model_dump_json()) == config


def test_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_directory() == tmp_path / "cache"
    monkeypatch.delenv("LATENTSPACE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    if sys.platform == "linux":
        assert cache_directory() == tmp_path / "xdg" / "latentspace"


def test_the_images_are_bytes_of_their_own(tmp_path: Path) -> None:
    stored = make_images(6)
    np.save(tmp_path / "x.npy", stored.pixels)
    loaded = load(tmp_path / "x.npy")
    assert loaded.pixels.flags["C_CONTIGUOUS"]
    assert loaded.pixels.flags["WRITEABLE"]  # torch.from_numpy warns of arrays that are not


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        ("a.rar", b"Rar!\x1a\x07", "RAR"),
        ("a.pdf", b"%PDF-1.4", "PDF"),
        ("a.mp4", b"\0\0\0\x18ftypmp42", "video"),
        ("a.tfrecord-00000-of-00001", bytes(9), "TFRecord"),
        ("train-00000-of-00001", b"\x03" + bytes(7) + b"\xb0\x99I\x0eabc", "TFRecord"),
        ("cat.ndjson", b'{"word": "cat", "drawing": [[[0, 9], [0, 9]]]}\n', r"strokes.*\n.*numpy_bitmap"),
        ("brain.nii.gz", bytes(9), "NIfTI"),
        ("brain.mha", b"ObjectType = Image\n", "MetaImage"),
        ("a.jxl", b"\xff\x0a", "JPEG XL"),
        ("a.svg", b"<svg/>", "SVG"),
        ("IMG_1.DNG", b"II*\0", "camera's raw file"),
        ("page.png", b"<!DOCTYPE html><html>", "a web page"),
        ("pointer.png", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("one.dcm", bytes(128) + b"DICM", "DICOM"),
        ("one.fit", b"SIMPLE  =                    T", "FITS"),
        ("one.jpg", encoded(random_pixels(9, 9), "JPEG"), r"one image\n.*the folder.*tiles"),
        ("a.zip.001", b"PK\3\4", r"one volume of several\n.*join them"),
        ("a.tar.gz.partaa", b"\x1f\x8b", r"one volume of several\n.*join them"),
        ("a.z01", b"PK\3\4", r"one volume of several\n.*join them"),
        ("digits.tra", b"0,1,2\n3,4,5\n", r"found: text\n.*call it \.csv"),
        ("a.dat", b"\x00\x01\x02\x03", "a file that begins 00 01 02 03"),
    ],
)
def test_a_file_that_cannot_be_read_is_called_what_it_is(name: str, start: bytes, said: str, tmp_path: Path):
    (tmp_path / name).write_bytes(start)
    with pytest.raises(DataError, match=said):
        load_images(DataConfig(spec=str(tmp_path / name)))
    known = ("TFRecord", "strokes", "NIfTI", "Meta", "PDF", "video", "JPEG", "SVG", "raw", "web", "git")
    if any(word in said for word in known):
        with pytest.raises(DataError, match=said):
            load_images(DataConfig(spec=str(tmp_path)))
        if name[-3:] in (".gz", "pdf", "mp4", "DNG"):
            zipped = write_zip(tmp_path / "all.zip", {f"in/{k}{name}": start for k in range(2)})
            with pytest.raises(DataError, match=said):
                load_images(DataConfig(spec=str(zipped)))
