"""A user's images keep the names of their files; what is written can be read back."""

import logging
import zipfile

import numpy as np
import pytest
from PIL import Image

from latentspace.core.atomic_files import refuse_taken
from latentspace.core.errors import DataError, OutputError
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from latentspace.inference.denoise import denoised, file_names, png_names
from latentspace.inference.image_files import FILM_SIDE, numbered, there_and_back, write_film, write_pictures
from latentspace.inference.run_images import asked_images, picture_of
from latentspace.inference.trained import TrainedAutoencoder
from makers import encoded, files_of, write_folder, write_tar, write_zip
from materials import make_images
from studies import trained


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("one.jpg", "two.png"), ("one.png", "two.png")),
        (("A/one.jpg", "B/one.jpg"), ("A/one.png", "B/one.png")),
        (("a.jpg", "a.png/x.jpg"), ("a.jpg.png", "a.png/x.png")),
        (("a.jpg", "A.png/x.jpg", "a.jpg.png/y.jpg"), ("a.jpg-2.png", "A.png/x.png", "a.jpg.png/y.png")),
        (("x" * 251 + ".jpg",), ("x" * 251 + ".png",)),
        (("x" * 253, "x" * 252), ("x" * 251 + ".png", "x" * 249 + "-2.png")),
        (("\u00e9" * 127 + ".gif.bmp",), ("\u00e9" * 125 + ".png",)),
        (("d" * 300 + "/one.jpg",), ("d" * 255 + "/one.png",)),
        (("one.jpg", "one.png", "two.bmp"), ("one.jpg.png", "one.png.png", "two.png")),
        (("One.jpg", "one.png"), ("One.jpg.png", "one.png.png")),
        (("a.jpg", "a.png", "a.jpg.png"), ("a.jpg.png", "a.png.png", "a.jpg.png.png")),
        (("scan.2021", "scan.2022"), ("scan.2021.png", "scan.2022.png")),
    ],
)
def test_every_image_has_a_name_of_its_own(given, expected):
    assert png_names(given) == expected
    assert len({one.casefold() for one in expected}) == len(given)


@pytest.mark.parametrize("store", [write_folder, write_tar, write_zip])
def test_files_and_members_keep_their_names(store, tmp_path):
    images = make_images(12)
    files = files_of(images)
    place = tmp_path / {write_folder: "images", write_tar: "images.tar.gz", write_zip: "images.zip"}[store]
    found = load_images(DataConfig(spec=str(store(place, files))))
    assert sorted(file_names(found)) == sorted(files)
    for name, pixels in zip(file_names(found), found.pixels, strict=True):
        assert np.array_equal(pixels[0], np.asarray(Image.open(_written(tmp_path, files[name]))))


def test_an_archive_without_its_suffix_keeps_the_names_too(tmp_path):
    files = files_of(make_images(12))
    found = load_images(DataConfig(spec=str(write_zip(tmp_path / "images", files))))
    assert sorted(file_names(found)) == sorted(files)


def _written(folder, content):
    (folder / "one.png").write_bytes(content)
    return folder / "one.png"


def test_what_has_no_files_is_numbered(archive, images):
    found = load_images(DataConfig(spec=str(archive)))
    assert file_names(found)[:2] == ("0001.png", "0002.png")
    assert np.array_equal(found.pixels, images.pixels)
    assert numbered(12_345)[-1] == "12345.png"


def test_a_single_image_will_do(tmp_path):
    pixels = make_images(1).pixels[0, 0]
    (tmp_path / "mine.png").write_bytes(encoded(pixels))
    found = picture_of(DataConfig(spec=str(tmp_path / "mine.png"))).images("an image")
    assert file_names(found) == ("mine.png",)
    assert np.array_equal(found.pixels[0, 0], pixels)


def test_what_cannot_be_read_is_said_and_skipped(tmp_path, caplog):
    folder = write_folder(tmp_path / "images", files_of(make_images(3)))
    (folder / "A" / "bad.png").write_bytes(b"not a picture")
    found = load_images(DataConfig(spec=str(folder)))
    assert len(file_names(found)) == 3
    assert "A/bad.png" in caplog.text
    with pytest.raises(DataError, match=r"bad\.png"):
        load_images(DataConfig(spec=str(folder), strict=True))


def test_an_archive_that_reaches_outside_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../outside.png", encoded(make_images(1).pixels[0, 0]))
    with pytest.raises(DataError, match="below its own root"):
        load_images(DataConfig(spec=str(tmp_path / "bad.zip")))


def asked(run, path):
    trained = TrainedAutoencoder.load(run)
    return trained, asked_images(trained.run, str(path), {})[0]


@pytest.fixture(scope="module")
def place(archive, tmp_path_factory):
    place = tmp_path_factory.mktemp("restoration")
    for kind in ("ae", "dae"):
        trained(kind, archive, place / kind, {"training": {"epochs": 1}})
    return place


@pytest.mark.parametrize("kind", ["ae", "dae"])
def test_restored_is_decoded_from_the_code_some_at_a_time(place, archive, images, caplog, kind, monkeypatch):
    caplog.set_level(logging.WARNING, logger="latentspace")
    monkeypatch.setattr("latentspace.inference.denoise.BATCH", 50)
    restored = denoised(*asked(place / kind, archive))
    decoded, names, errors = zip(*restored.blocks(), strict=True)
    assert [len(one) for one in decoded] == [50, 50, 20]
    assert sum(names, ()) == numbered(120)
    expected = TrainedAutoencoder.load(place / kind).reconstruct(images)
    np.testing.assert_allclose(np.concatenate(decoded), expected, rtol=0, atol=1e-6)
    missed = ((expected - images.pixels / np.float32(255)) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(np.concatenate(errors), missed, rtol=1e-4)
    assert ("is not trained to remove noise" in caplog.text) == (kind == "ae")


def test_images_of_another_size_are_fitted_and_colour_is_refused(place, tmp_path):
    run = place / "dae"
    np.save(tmp_path / "large.npy", make_images(3, side=20).pixels)
    assert len(denoised(*asked(run, tmp_path / "large.npy")).codes) == 3  # brought to its size
    grey = np.repeat(make_images(3).pixels, 3, axis=1)
    np.save(tmp_path / "grey.npy", grey)
    codes = denoised(*asked(run, tmp_path / "grey.npy")).codes
    np.testing.assert_array_equal(codes, TrainedAutoencoder.load(run).encode(make_images(3).pixels))
    np.save(tmp_path / "colour.npy", make_images(3, channels=3).pixels)
    with pytest.raises(DataError, match="as the run's: 1x16x16") as caught:
        denoised(*asked(run, tmp_path / "colour.npy"))
    assert "channels=1" in caught.value.do


class TestGallery:
    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_picture_is_its_image_pixel_for_pixel(self, tmp_path, channels):
        pixels = make_images(2, channels=channels).pixels
        write_pictures(pixels / np.float32(255), ("A/one.png", "two.png"), tmp_path)
        for name, expected in zip(("A/one.png", "two.png"), pixels, strict=True):
            read = np.asarray(Image.open(tmp_path / name))
            assert np.array_equal(read, expected[0] if channels == 1 else expected.transpose(1, 2, 0))

    def test_what_lies_outside_is_cut_and_other_channels_are_shown_in_colour(self, tmp_path):
        images = np.array([[[[-1.0, 0.5]], [[2.0, 1.0]]]], np.float32)  # two channels of 1x2 pixels
        write_pictures(images, ("one.png",), tmp_path)
        assert np.asarray(Image.open(tmp_path / "one.png")).tolist() == [[[0, 255, 0], [128, 255, 0]]]
        five = np.arange(5, dtype=np.float32).reshape(1, 5, 1, 1) / 255
        write_pictures(five, ("five.png",), tmp_path)
        assert np.asarray(Image.open(tmp_path / "five.png")).tolist() == [[[0, 2, 4]]]

    def test_a_film_repeats_and_its_pixels_are_squares(self, tmp_path):
        images = make_images(5, side=28).pixels / np.float32(255)
        write_film(images, tmp_path / "film.gif")
        with Image.open(tmp_path / "film.gif") as film:
            assert film.n_frames == 5
            assert film.info["loop"] == 0
            assert film.info["duration"] == 80
            assert film.size == (28 * (FILM_SIDE // 28),) * 2
            film.seek(3)
            frame = np.asarray(film.convert("L"))
        blocks = frame.reshape(28, FILM_SIDE // 28, 28, FILM_SIDE // 28)
        assert np.array_equal(blocks[:, 0, :, 0], np.rint(images[3, 0] * 255))
        assert (blocks == blocks[:, :1, :, :1]).all()

    def test_there_and_back(self):
        images = np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1)
        assert there_and_back(images).ravel().tolist() == [0, 1, 2, 3, 2, 1]

    def test_pixels_that_are_no_numbers_are_refused(self, tmp_path):
        with pytest.raises(DataError, match="must be numbers"):
            write_pictures(np.full((1, 1, 2, 2), np.nan, np.float32), ("one.png",), tmp_path)
        assert not list(tmp_path.iterdir())

    def test_only_a_new_or_empty_folder_is_written_to(self, tmp_path):
        refuse_taken(tmp_path)
        refuse_taken(tmp_path / "new")
        (tmp_path / "mine").write_text("mine")
        for taken in (tmp_path, tmp_path / "mine"):
            with pytest.raises(OutputError, match="nothing is overwritten"):
                refuse_taken(taken)
