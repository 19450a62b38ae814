"""The rules by which image files become bytes."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentspace.core.errors import DataError
from latentspace.data.readers.decode import DecodedImage, decode, decoding, resized
from makers import encoded, random_pixels


def decoded(content: bytes | Path) -> DecodedImage:
    with decoding():
        return decode(content)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


GREY = random_pixels(5, 7)
COLOUR = random_pixels(5, 7, 3, seed=1)
ALPHA = random_pixels(5, 7, seed=2)


def over_black(colour: np.ndarray) -> np.ndarray:
    return np.floor(colour * (ALPHA[:, :, None] / 255.0) + 0.5).astype(np.uint8)


def test_grey_and_colour_stay_as_they_are() -> None:
    for pixels in (GREY[:, :, None], COLOUR):
        picture = decoded(encoded(pixels.squeeze()))
        np.testing.assert_array_equal(picture.pixels, pixels)
        assert picture.conversions == ()


def test_one_bit_becomes_black_and_white() -> None:
    picture = decoded(saved(Image.fromarray(GREY).point(lambda value: 255 * (value > 99)).convert("1")))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.where(GREY > 99, 255, 0))


@pytest.mark.parametrize("colour", [GREY[:, :, None], COLOUR])
def test_alpha_is_laid_over_black(colour: np.ndarray) -> None:
    picture = decoded(encoded(np.dstack([colour, ALPHA])))
    np.testing.assert_array_equal(picture.pixels, over_black(colour))
    assert picture.conversions == ("with alpha laid over black",)


def test_alpha_that_hides_nothing_is_no_conversion() -> None:
    picture = decoded(encoded(np.dstack([COLOUR, np.full_like(GREY, 255)])))
    np.testing.assert_array_equal(picture.pixels, COLOUR)
    assert picture.conversions == ()


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_a_transparent_colour_is_black(mode: str) -> None:
    image = Image.new(mode, (3, 2), "white")
    image.putpixel((0, 0), 0)
    white = {"L": 255, "RGB": (255, 255, 255), "1": 1}[mode]
    picture = decoded(saved(image, transparency=white))
    assert not picture.pixels.any()
    assert picture.conversions == ("with alpha laid over black",)


def test_sixteen_bits_are_scaled_to_eight() -> None:
    values = np.array([[0, 128, 129, 257, 32768, 65535]], dtype=np.uint16)
    for kind in ("PNG", "TIFF", "PPM"):
        picture = decoded(saved(Image.fromarray(values), kind))
        assert picture.pixels[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]
        assert picture.conversions == ("scaled from 16 bits to 8",)


def test_floats_are_taken_as_0_to_1_and_nothing_else() -> None:
    fine = Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32))
    assert decoded(saved(fine, "TIFF")).pixels[0, :, 0].tolist() == [0, 128, 255]
    for value in (1.5, -0.1, np.nan):
        wrong = Image.fromarray(np.array([[0.0, value]], dtype=np.float32))
        with pytest.raises(DataError, match=r"outside 0\.\.1"):
            decoded(saved(wrong, "TIFF"))


def test_whole_numbers_beyond_sixteen_bits_are_unreadable() -> None:
    with pytest.raises(DataError, match=r"outside 0\.\.65535"):
        decoded(saved(Image.fromarray(np.array([[0, 70_000]], dtype=np.int32)), "TIFF"))


def test_a_palette_is_resolved_and_grey_where_its_colours_are() -> None:
    grey = Image.fromarray(GREY // 64 * 64).convert("P")
    assert grey.mode == "P"
    np.testing.assert_array_equal(decoded(saved(grey)).pixels[:, :, 0], GREY // 64 * 64)
    colour = Image.fromarray(COLOUR).quantize(16)
    np.testing.assert_array_equal(decoded(saved(colour)).pixels, np.asarray(colour.convert("RGB")))


def test_cmyk_becomes_rgb() -> None:
    image = Image.fromarray(COLOUR).convert("CMYK")
    picture = decoded(saved(image, "TIFF"))
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))
    assert picture.conversions == ("converted from CMYK to RGB",)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.fromarray(np.full((5, 7, 3), value, np.uint8)) for value in (0, 255)]
    lossless = {"lossless": True} if kind == "WEBP" else {}
    picture = decoded(saved(frames[0], kind, save_all=True, append_images=frames[1:], **lossless))
    assert picture.pixels.max() == 0
    assert "cut to the first frame" in picture.conversions


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [(1, lambda a: a), (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1))],
)
def test_the_orientation_of_a_photograph(
    orientation: int, upright: Callable[[np.ndarray], np.ndarray], kind: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {}
    picture = decoded(saved(Image.fromarray(GREY), kind, exif=exif, **lossless))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], upright(GREY))
    turned = orientation != 1 and kind != "TIFF"  # Pillow turns a TIFF by itself
    assert picture.conversions == (("turned as their EXIF data say",) if turned else ())


@pytest.mark.parametrize("pixels", [1500, 3000])
def test_a_decompression_bomb_is_unreadable(monkeypatch: pytest.MonkeyPatch, pixels: int) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow warns above this, refuses above twice
    content = encoded(np.zeros((10, pixels // 10), np.uint8))
    with pytest.raises(DataError, match="decompression bomb"):
        decoded(content)


BROKEN = {
    "nothing": b"",
    "text": b"hello",
    "a PNG's first bytes": encoded(GREY)[:20],
    "a PNG cut short": encoded(random_pixels(40, 40))[:300],
    "a JPEG cut short": encoded(random_pixels(40, 40), "JPEG")[:200],
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_whole_image_is_an_error(kind: str) -> None:
    with pytest.raises(DataError) as error:
        decoded(BROKEN[kind])
    assert error.value.found


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP", "JPEG", "WEBP", "TGA", "ICO"])
def test_damage_is_a_data_error_or_an_image_and_never_another_error(kind: str, seed: int) -> None:
    draw = np.random.default_rng(seed)
    content = bytearray(encoded(random_pixels(16, 16, 3), kind))
    for place in draw.integers(0, len(content), 6):
        content[place] = draw.integers(256)
    try:
        shape = decoded(bytes(content)).pixels.shape
    except DataError:
        return
    assert len(shape) == 3
    assert shape[2] in (1, 3)


def test_shrinking_averages_areas() -> None:
    raster = random_pixels(12, 8, 3)
    small = resized(raster, (4, 4))
    exact = raster.reshape(4, 3, 4, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - exact).max() <= 1


def test_growing_a_flat_image_keeps_its_value() -> None:
    assert (resized(np.full((3, 5, 1), 77, np.uint8), (9, 2)) == 77).all()
    assert resized(np.full((3, 5, 1), 77, np.uint8), (9, 2)).shape == (9, 2, 1)
