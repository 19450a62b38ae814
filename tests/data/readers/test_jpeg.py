"""A common JPEG is read without Pillow's header, to the same bytes; every other is left to Pillow."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from latentspace.core.errors import DataError
from latentspace.data.readers.decode import decode, decoding
from latentspace.data.readers.jpeg import common_jpeg
from makers import random_pixels


def jpeg(channels: int = 3, size: tuple[int, int] = (21, 34), **settings: object) -> bytes:
    pixels = random_pixels(*size) if channels == 1 else random_pixels(*size, channels)
    image = Image.fromarray(pixels) if channels < 4 else Image.fromarray(pixels, mode="CMYK")
    file = BytesIO()
    image.save(file, "JPEG", **settings)
    return file.getvalue()


def by_pillow(content: bytes) -> np.ndarray:
    found = np.asarray(Image.open(BytesIO(content)))
    return found[:, :, None] if found.ndim == 2 else found


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"quality": 100, "subsampling": 0},
        {"quality": 1, "optimize": True},
        {"progressive": True},
        {"restart_marker_blocks": 1},
        {"comment": "a word", "icc_profile": b"x" * 70_000, "dpi": (7, 7)},
        {"keep_rgb": True},
    ],
)
def test_the_bytes_are_those_of_pillow(channels: int, settings: dict[str, object]) -> None:
    content = jpeg(channels, **({} if channels == 1 and "keep_rgb" in settings else settings))
    found = common_jpeg(content)
    assert found is not None
    np.testing.assert_array_equal(found, by_pillow(content))
    with decoding():
        np.testing.assert_array_equal(decode(content).pixels, by_pillow(content))


def test_what_is_not_common_is_left_to_pillow() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = jpeg(exif=exif)
    for content in (turned, jpeg(4), jpeg(xmp=b"<x/>"), b"", b"\xff\xd8\xff"):
        assert common_jpeg(content) is None
    with decoding():
        assert decode(turned).conversions == ("turned as their EXIF data say",)
        assert decode(turned).size == (34, 21)


def test_a_damaged_one_is_refused_or_read_as_by_pillow() -> None:
    """Cut anywhere, or one byte changed anywhere in the header: never other bytes than Pillow's."""
    whole = jpeg(size=(9, 9))
    with decoding():
        for place in range(0, len(whole), 5):
            changed = whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :]
            for content in (whole[:place], changed):
                found = common_jpeg(content)
                if found is not None:
                    np.testing.assert_array_equal(found, by_pillow(content))
                else:
                    with pytest.raises(DataError) if _refused(content) else decoding():
                        decode(content)


def _refused(content: bytes) -> bool:
    try:
        by_pillow(content)
    except (OSError, SyntaxError, ValueError):
        return True
    return False


def test_too_many_pixels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert common_jpeg(jpeg(size=(10, 11))) is None
    assert common_jpeg(jpeg(size=(10, 10))) is not None
