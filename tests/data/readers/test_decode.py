"""The rules by which image files become bytes."""

import bz2
import gzip
import io
import lzma
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentspace.core.errors import DataError
from latentspace.data.config import DataConfig
from latentspace.data.fitting import fitted
from latentspace.data.readers.decode import DecodedImage, decode, decoding, size_of
from latentspace.data.readers.survey import Survey
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


def over(colour: np.ndarray, ground: int) -> np.ndarray:
    opacity = ALPHA[:, :, None] / 255.0
    return np.floor(colour * opacity + ground * (1 - opacity) + 0.5).astype(np.uint8)


def converted(*pictures: DecodedImage) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """All of a set as bytes, and what was said of it."""
    survey = Survey(DataConfig())
    for one in pictures:
        survey.add(one)
    conversion = survey.conversion()
    return [conversion.apply(one) for one in pictures], survey.record().conversions


def test_grey_and_colour_stay_as_they_are() -> None:
    for pixels in (GREY[:, :, None], COLOUR):
        picture = decoded(encoded(pixels.squeeze()))
        np.testing.assert_array_equal(picture.pixels, pixels)
        assert picture.conversions == ()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_image_is_inflated(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    content = compress(encoded(COLOUR, "BMP"))
    (tmp_path / "1.bmp.gz").write_bytes(content)
    for source in (content, tmp_path / "1.bmp.gz"):
        np.testing.assert_array_equal(decoded(source).pixels, COLOUR)
    for damaged in (content[:-9], compress(content)):
        with pytest.raises(DataError, match="image"):
            decoded(damaged)


def test_one_bit_becomes_black_and_white() -> None:
    picture = decoded(saved(Image.fromarray(GREY).point(lambda value: 255 * (value > 99)).convert("1")))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.where(GREY > 99, 255, 0))


@pytest.mark.parametrize("colour", [GREY[:, :, None], COLOUR])
@pytest.mark.parametrize(("shade", "ground"), [(0.3, 255), (0.9, 0)])
def test_alpha_is_laid_over_what_keeps_the_picture_visible(
    colour: np.ndarray, shade: float, ground: int
) -> None:
    colour = np.clip(colour * 0.1 + 255 * shade * 0.9, 0, 255).astype(np.uint8)
    picture = decoded(encoded(np.dstack([colour, ALPHA])))
    np.testing.assert_array_equal(picture.pixels, colour)
    (pixels,), notes = converted(picture)
    np.testing.assert_array_equal(pixels, over(colour, ground))
    name = {0: "black", 255: "white"}[ground]
    assert [f"over {name}" in note for note in notes] == [True]


def test_the_ground_is_one_for_the_whole_set() -> None:
    dark = decoded(encoded(np.dstack([np.zeros_like(GREY), np.full_like(GREY, 200)])))
    light = decoded(encoded(np.dstack([np.full_like(GREY, 255), np.full_like(GREY, 50)])))
    pixels, notes = converted(dark, light)
    assert [int(one[0, 0, 0]) for one in pixels] == [55, 255]
    assert notes == ("2 images with alpha laid over white, as what is visible is dark",)


def test_alpha_that_hides_nothing_is_no_conversion() -> None:
    picture = decoded(encoded(np.dstack([COLOUR, np.full_like(GREY, 255)])))
    np.testing.assert_array_equal(picture.pixels, COLOUR)
    assert picture.conversions == ()


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_a_transparent_colour_is_not_seen(mode: str) -> None:
    image = Image.new(mode, (3, 2), "white")
    image.putpixel((0, 0), 0)
    black = {"L": 0, "RGB": (0, 0, 0), "1": 0}[mode]
    white = {"L": 255, "RGB": (255, 255, 255), "1": 1}[mode]
    (pixels,), _ = converted(decoded(saved(image, transparency=white)))
    assert pixels.min() == 0  # black is seen, so white is behind it
    assert pixels.max() == 255
    (pixels,), _ = converted(decoded(saved(image, transparency=black)))
    assert pixels[0, 0].max() == 0  # white is seen, so black is behind it


@pytest.mark.parametrize("mode", ["P", "PA", "LA", "RGBA"])
def test_black_ink_on_nothing(mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    for place in range(2, 6):
        image.putpixel((place, 3), (0, 0, 0, 255))
    kind = "PNG" if mode in ("P", "RGBA", "LA") else "TIFF"
    if mode == "P":
        image = image.quantize(2)
    content = saved(image.convert(mode) if mode == "LA" else image, kind)
    (pixels,), _ = converted(decoded(content))
    assert pixels[3, 2:6].max() == 0
    assert pixels[0].min() == 255


def test_deeper_values_keep_their_type_and_are_converted_by_the_whole_set() -> None:
    values = np.array([[0, 128, 129, 257, 32768, 65535]], dtype=np.uint16)
    for kind in ("PNG", "TIFF", "PPM"):
        picture = decoded(saved(Image.fromarray(values), kind))
        np.testing.assert_array_equal(picture.pixels[0, :, 0], values[0])
        (pixels,), notes = converted(picture)
        assert pixels[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]
        assert notes[0].endswith("to 8 bits")


def test_sixteen_bits_with_the_larger_byte_first() -> None:
    values = np.array([[0, 300, 4000]], dtype=">u2")
    picture = decoded(saved(Image.frombytes("I;16B", (3, 1), values.tobytes()), "TIFF"))
    assert picture.pixels[0, :, 0].tolist() == [0, 300, 4000]
    assert picture.pixels.dtype == np.uint16


@pytest.mark.parametrize(("dtype", "values"), [("float32", [-3.5, 2e6]), ("int32", [-70_000, 70_000])])
def test_values_of_any_range_are_read(dtype: str, values: list[float]) -> None:
    content = saved(Image.fromarray(np.array([values], dtype=dtype)), "TIFF")
    (pixels,), _ = converted(decoded(content))
    assert pixels[0, :, 0].tolist() == [0, 255]


def test_nan_is_unreadable() -> None:
    wrong = Image.fromarray(np.array([[0.0, np.nan]], dtype=np.float32))
    with pytest.raises(DataError, match="NaN"):
        decoded(saved(wrong, "TIFF"))


@pytest.mark.parametrize(("tag", "kind", "value"), [(0x9204, 10, b"\xff" * 8), (0x829A, 5, b"\0" * 8)])
def test_an_orientation_beside_tags_that_cannot_be_written_back(tag: int, kind: int, value: bytes) -> None:
    photograph = np.zeros((6, 9), np.uint8)
    photograph[0, :] = 200
    entries = struct.pack("<H", 2) + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    entries += struct.pack("<HHII", tag, kind, 1, 38) + struct.pack("<I", 0)
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + entries + value
    buffer = io.BytesIO()
    Image.fromarray(photograph).save(buffer, "JPEG", exif=exif)
    picture = decoded(buffer.getvalue())
    assert picture.size == (9, 6)
    assert picture.pixels[:, -1, 0].min() > 100
    assert picture.conversions == ("turned as their EXIF data say",)


def test_the_header_tells_the_size_of_plain_images_alone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with decoding():
        assert size_of(saved(Image.fromarray(COLOUR), "JPEG")) == (5, 7)
        assert size_of(saved(Image.fromarray(COLOUR), "JPEG", exif=exif)) == (7, 5)
        assert size_of(encoded(np.dstack([COLOUR, ALPHA]))) is None
        assert size_of(saved(Image.fromarray(np.zeros((3, 3), np.uint16)), "PNG")) is None
        assert size_of(b"hello") is None


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
    assert picture.conversions == (("turned as their EXIF data say",) if orientation != 1 else ())


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
    small = fitted(raster, (4, 4), "stretch")
    exact = raster.reshape(4, 3, 4, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - exact).max() <= 1


def test_growing_a_flat_image_keeps_its_value() -> None:
    assert (fitted(np.full((3, 5, 1), 77, np.uint8), (9, 2), "stretch") == 77).all()
    assert fitted(np.full((3, 5, 1), 77, np.uint8), (9, 2), "stretch").shape == (9, 2, 1)


@pytest.mark.parametrize("opaque", [True, False])
def test_all_of_16_bits_in_grey_beside_alpha(opaque: bool):
    grey = np.array([[0, 1, 257], [300, 32768, 65535]], dtype=">u2")
    alpha = np.array([[65535, 65535, 0], [65535, 65535, 65535]], dtype=">u2")
    alpha = np.full_like(alpha, 65535) if opaque else alpha
    rows = b"".join(b"\0" + row.tobytes() for row in np.stack([grey, alpha], axis=2).astype(">u2"))

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 16, 4, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    picture = decoded(content)
    np.testing.assert_array_equal(picture.pixels[:, :, 0], grey)
    assert picture.conversions == ()
    assert (picture.alpha is None) is opaque
    assert opaque or picture.alpha[:, :, 0].tolist() == [[255, 255, 0], [255, 255, 255]]
