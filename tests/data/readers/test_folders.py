"""Folders of images as people have them: junk, odd names, broken files, mixed sizes."""

import logging
import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentspace.core.errors import DataError
from latentspace.data import growing
from latentspace.data.imageset import ImageSet
from latentspace.data.readers.filenames import natural
from latentspace.data.readers.registry import READERS, reader_of
from makers import encoded, load, random_pixels, write_folder


def png(seed: int = 0, height: int = 6, width: int = 5) -> bytes:
    return encoded(random_pixels(height, width, seed=seed))


def values(images: ImageSet) -> list[int]:
    return images.pixels[:, 0, 0, 0].tolist()


def flat(value: int) -> bytes:
    return encoded(np.full((6, 5), value, np.uint8))


def test_classes_and_files_in_natural_order(tmp_path: Path) -> None:
    names = ["10/a10.png", "9/a9.png", "10/a9.png", "9/a10.png", "100/x.png"]
    write_folder(tmp_path, {name: flat(10 * number) for number, name in enumerate(names)})
    images = load(tmp_path)
    assert images.class_names == ("9", "10", "100")
    assert values(images) == [10, 30, 20, 0, 40]
    assert images.source == "a folder of 3 class folders"


@pytest.mark.parametrize(
    "names", [["9", "10"], ["a2", "A10"], ["img", "img1"], ["01", "1"], ["a", "é", "日本"], ["", "0"]]
)
def test_natural_order(names: list[str]) -> None:
    assert all(sorted(given, key=natural) == names for given in permutations(names))
    natural("9" * 10_000)  # longer than int() takes


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    write_folder(tmp_path, {"b.png": flat(2), "a.png": flat(1)})
    images = load(tmp_path)
    assert images.labels is None
    assert values(images) == [1, 2]
    assert images.source == "a folder of images without labels"


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "Ünïcödé 日本", " spaces  in it ", "a'b\"c;$(x)", "%s%n{0}"]
)
def test_odd_names_are_only_names(tmp_path: Path, name: str) -> None:
    folder = name.replace("/", "_")
    write_folder(tmp_path, {f"{folder}/{folder}.png": flat(1), f"{folder}/bad.png": b"bad"})
    images = load(tmp_path)
    assert images.class_names == (folder,)
    assert images.record.unreadable[0].name == f"{folder}/bad.png"


def test_names_that_are_not_utf8_are_escaped(tmp_path: Path) -> None:
    write_folder(tmp_path, {os.fsdecode(b"caf\xe9/a.png"): flat(1)})
    assert load(tmp_path).class_names == ("caf\\xe9",)


def test_junk_is_passed_over_and_the_rest_is_mentioned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    junk = {"a/.DS_Store": b"x", "a/Thumbs.db": b"x", ".git/config.png": b"x", "a/._b.png": b"x"}
    junk |= {"@eaDir/a.png": b"x", "$RECYCLE.BIN/a.png": b"x", "a/ehthumbs.db": b"x", "a/Icon\r": b"x"}
    plain = {"README.md": b"x", "a/labels.csv": b"x", "empty/notes.txt": b"x"}
    write_folder(tmp_path, {"a/a.png": flat(7), **junk, **plain})
    with caplog.at_level(logging.INFO):
        images = load(tmp_path)
    assert values(images) == [7]
    assert images.class_names == ("a",)
    assert images.record.unreadable == ()
    assert "a/labels.csv, empty/, empty/notes.txt, README.md" in caplog.text


def test_the_sizes_that_images_had_are_kept_with_an_example_of_each(tmp_path: Path) -> None:
    sides = {"one.png": 20, "two.png": 30, "three.png": 30}
    write_folder(
        tmp_path,
        {f"cat/{name}": encoded(random_pixels(side, 40, seed=len(name))) for name, side in sides.items()},
    )
    sizes = [(one.height, one.width, one.images, one.example) for one in load(tmp_path).record.sizes]
    assert sizes == [(30, 40, 2, "cat/three.png"), (20, 40, 1, "cat/one.png")]


def test_unreadable_images_are_counted_named_and_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_folder(
        tmp_path,
        {"a/1.png": flat(1), "a/2.png": b"", "b/3.png": flat(3), "b/4": b"what", "b/5.jpg": png()[:40]},
    )
    images = load(tmp_path)
    assert values(images) == [1, 3]
    assert [one.name for one in images.record.unreadable] == ["a/2.png", "b/4", "b/5.jpg"]
    assert all(one.reason for one in images.record.unreadable)
    assert "skipped 3 unreadable images: a/2.png, b/4, b/5.jpg" in caplog.text


def test_strict_stops_at_the_first_unreadable_image(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a/1.png": flat(1), "a/2.png": b"", "a/3.png": b""})
    with pytest.raises(DataError, match=r"a/2\.png"):
        load(tmp_path, strict=True)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    write_folder(tmp_path, {"1.png": flat(1)})
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "1.png")
    images = load(tmp_path)
    assert values(images) == [1, 1]
    assert [one.name for one in images.record.unreadable] == ["gone.png", "pipe.png"]
    with pytest.raises(DataError, match=r"gone\.png"):
        load(tmp_path, strict=True)


MANY_SIZES = {"a/1.png": png(), "a/2.png": png(height=8), "b/3.png": png(), "b/4.png": png(height=9)}


def test_resizing_is_said(tmp_path: Path) -> None:
    write_folder(tmp_path, MANY_SIZES)
    images = load(tmp_path, resize=(6, 5))
    assert images.size == (6, 5)
    assert images.record.conversions == ("2 images resized to 6x5, cropped to the middle",)


def test_one_coloured_image_makes_all_of_them_colour(tmp_path: Path) -> None:
    colour = random_pixels(6, 5, 3)
    many = {f"{number:03}.png": flat(number) for number in range(40)}
    write_folder(tmp_path, {**many, "020b.png": encoded(colour)})
    images = load(tmp_path)
    assert images.shape == (3, 6, 5)
    np.testing.assert_array_equal(images.pixels[21], colour.transpose(2, 0, 1))
    assert values(images)[:21] == list(range(21))
    assert images.pixels[40, :, 5, 4].tolist() == [39, 39, 39]
    assert images.record.conversions == (
        "40 images repeated from grey over three channels, as others have colour",
    )


def test_conversions_are_counted(tmp_path: Path) -> None:
    deep = Image.fromarray(np.full((6, 5), 257 * 9, np.uint16))
    deep.save(tmp_path / "a.png")
    deep.save(tmp_path / "b.tif")
    assert values(load(tmp_path, levels="full")) == [9, 9]
    words = "2 images brought from uint16 in 0..65535 to 8 bits"
    assert load(tmp_path, levels="full").record.conversions == (words,)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_images_of_many_sizes_are_brought_to_one(tmp_path: Path, fit: str) -> None:
    write_folder(tmp_path, MANY_SIZES)
    images = load(tmp_path, fit=fit)
    assert images.size == (5, 5)  # none is enlarged
    assert images.record.conversions[0].startswith("4 images ")
    assert "3 sizes from 6x5 to 9x5" in images.record.conversions[0]


def test_the_size_of_nine_tenths_is_the_size_of_all(tmp_path: Path) -> None:
    files = {f"{number}.png": png(seed=number) for number in range(9)}
    write_folder(tmp_path, {**files, "small.png": png(height=3, width=3)})
    images = load(tmp_path)
    assert images.size == (6, 5)
    np.testing.assert_array_equal(images.pixels[9, 0, 1:4, 1:4], random_pixels(3, 3))
    assert "1 image scaled and cropped to the middle" in images.record.conversions[0]


@pytest.mark.parametrize("name", ["deep", "transparent", "sizes"])
def test_damaged_files_are_counted_once_where_files_are_read_again(tmp_path: Path, name: str) -> None:
    image = {
        "deep": encoded(np.full((6, 5), 3000, np.uint16)),
        "transparent": encoded(np.full((6, 5, 4), 100, np.uint8)),
        "sizes": png(height=9),
    }[name]
    write_folder(tmp_path, {"1.png": png(), "2.png": b"x", "3.png": image, "4.png": b"", "5.png": png()[:60]})
    images = load(tmp_path)
    assert [one.name for one in images.record.unreadable] == ["2.png", "4.png", "5.png"]
    assert len(images) == 2


def test_a_set_of_0_and_1_alone_is_black_and_white(tmp_path: Path) -> None:
    ones = (random_pixels(6, 5) > 127).astype(np.uint8)
    write_folder(tmp_path, {"1.png": encoded(ones), "2.png": encoded(1 - ones)})
    images = load(tmp_path)
    np.testing.assert_array_equal(images.pixels[:, 0], np.stack([ones, 1 - ones]) * 255)
    assert images.record.warnings == ()
    assert load(tmp_path, levels="full").pixels.max() == 1


def test_tiles_of_one_picture_are_one_group(tmp_path: Path) -> None:
    pixels = random_pixels(70, 100)
    write_folder(tmp_path, {"a.png": encoded(pixels), "b.png": png(height=64, width=64), "c.png": png()})
    images = load(tmp_path, tiles="32x32")
    assert images.names[:7] == (*(f"a.png[{y},{x}]" for y in (0, 32) for x in (0, 32, 64)), "b.png[0,0]")
    assert images.groups is not None
    assert images.groups.tolist() == [0] * 6 + [1] * 4
    np.testing.assert_array_equal(images.pixels[4, 0], pixels[32:64, 32:64])
    assert images.record.conversions == (
        "3 images cut into 10 tiles of 32x32",
        "1 image cut at the right or lower edge, where no whole tile is left",
        "1 image left out, smaller than a tile",
    )
    assert len(load(tmp_path, tiles="32x32/16")) == 3 * 5 + 9
    with pytest.raises(DataError, match="200x200"):
        load(tmp_path, tiles="200x200")


@pytest.mark.parametrize(
    ("value", "words"), [(3, "nearly black"), (90, "exact copies"), (None, "use 9 of 256 grey levels")]
)
def test_a_set_that_would_train_on_nothing_is_a_warning(
    tmp_path: Path, value: int | None, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(4):
        noise = np.random.default_rng(0 if value == 90 else number)
        low, many = (100, 9) if value is None else (value, 2 if value == 3 else 100)
        (tmp_path / f"{number}.png").write_bytes(
            encoded(noise.integers(low, low + many, (6, 6)).astype(np.uint8))
        )
    images = load(tmp_path)
    assert [words in one for one in images.record.warnings] == [True]
    assert [one.levelname for one in caplog.records if words in one.message] == ["WARNING"]


def test_a_folder_that_holds_one_folder_of_class_folders(tmp_path: Path) -> None:
    write_folder(tmp_path, {"outer/inner/a/1.png": flat(1), "outer/inner/b/2.png": flat(2)})
    assert load(tmp_path).class_names == ("a", "b")
    assert load(tmp_path / "outer" / "inner" / "a").labels is None


def test_a_single_class_folder_is_a_class(tmp_path: Path) -> None:
    write_folder(tmp_path, {"only/1.png": flat(1)})
    assert load(tmp_path).class_names == ("only",)


def test_images_beside_class_folders_leave_no_labels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_folder(tmp_path, {"1.png": flat(1), "a/2.png": flat(2)})
    images = load(tmp_path)
    assert images.labels is None
    assert values(images) == [1, 2]
    assert "1 image in no class folder (1.png), beside 1 class folder (a)" in images.record.warnings[0]
    assert [one.levelname for one in caplog.records if "read without labels" in one.message] == ["WARNING"]


def test_a_link_to_a_folder_above_is_not_followed(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a/1.png": flat(1), "b/2.png": flat(2)})
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "c").symlink_to(tmp_path / "b")
    images = load(tmp_path)
    assert images.names == ("a/1.png", "b/2.png", "c/2.png")


def test_a_class_without_a_readable_image_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_folder(tmp_path, {"cat/1.png": flat(1), "dog/1.png": b"", "dog/2.png": b"x"})
    images = load(tmp_path)
    assert images.class_names == ("cat",)
    (warning,) = images.record.warnings
    assert "none can be read in dog (2 files)" in warning
    assert warning in caplog.text


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, "an empty folder"),
        ({"notes.txt": b"x", "archive.zip": b"x"}, r"archive\.zip, notes\.txt"),
        ({"a/b/1.png": b"x", "c/d/1.png": b"x"}, "none in 2 files: a/b/1.png"),
        ({"a/notes.txt": b"x"}, r"no image; files: a/, a/notes\.txt"),
        ({"1.png": b"x", "2.png": b""}, "none in 2 files: 1.png"),
    ],
)
def test_a_folder_without_images_says_what_is_there(
    tmp_path: Path, files: dict[str, bytes], found: str
) -> None:
    write_folder(tmp_path, files)
    with pytest.raises(DataError, match=found):
        load(tmp_path)


def test_more_than_memory_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "MEMORY_LIMIT", 20 * 30)
    write_folder(tmp_path, {f"{number}.png": flat(1) for number in range(20)})
    assert len(load(tmp_path)) == 20
    (tmp_path / "one_more.png").write_bytes(flat(1))
    with pytest.raises(DataError, match=r"resize=\.\.\."):
        load(tmp_path)


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    write_folder(tmp_path, {"1.png": flat(1)})
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="Permission denied") as error:
        load(tmp_path)
    assert str(tmp_path) in error.value.must


def test_pages_beyond_the_first_are_a_warning(tmp_path: Path) -> None:
    pages = [Image.fromarray(one) for one in random_pixels(3, 9, 9)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    (warning,) = load(tmp_path).record.warnings[:1]
    assert warning.startswith("of 1 file of several pages or frames the first alone is read")


def test_a_folder_is_recognised_without_a_look_at_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 50,000 files in one folder that took six times as long as all the rest."""
    write_folder(tmp_path, {f"{number}.png": flat(number) for number in range(3)})
    asked: list[str] = []
    stat, scandir = Path.stat, os.scandir

    def looked(self: Path, **given: bool) -> os.stat_result:
        asked.append(self.name)
        return stat(self, **given)

    def listed(place: object) -> object:
        asked.append(str(place))
        return scandir(place)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "stat", looked)
    monkeypatch.setattr(os, "scandir", listed)
    assert reader_of(tmp_path) is READERS["folder"]
    assert not [name for name in asked if name.endswith(".png")]
    assert asked.count(str(tmp_path)) <= 2
