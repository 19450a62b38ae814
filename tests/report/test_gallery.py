"""Grids of images on a page."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from latentspace.core.errors import DataError
from latentspace.report.gallery import STORED, Gallery, gallery
from latentspace.report.page import Page, Section, render
from report.test_page import Elements

CAPTIONS = [("a.png", "9.1"), ("b.png", "0.2"), ("<b>.png", "-")]


def pictures(channels: int = 1, side: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (3, channels, side, side // 2), dtype=np.uint8)


def pair() -> Gallery:
    floats = pictures(3, seed=1).astype(np.float32) / 255
    return gallery({"image": pictures(3), "reconstruction": floats}, CAPTIONS, "The worst first.")


def on_a_page(*galleries: Gallery) -> str:
    return render(Page("Grids", "Some.", sections=(Section("All", galleries=galleries),)))


def stored(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(file)))


def test_pixels_are_kept_as_they_are() -> None:
    given = pictures(3)
    shown = [stored(tile.images[0]) for tile in pair().tiles]
    assert np.array_equal(np.stack(shown), given.transpose(0, 2, 3, 1))
    assert np.array_equal(stored(pair().tiles[1].images[1]), pictures(3, seed=1)[1].transpose(1, 2, 0))


def test_large_images_become_smaller_and_keep_their_shape() -> None:
    large = gallery({"image": pictures(side=600)}, CAPTIONS)
    assert stored(large.tiles[0].images[0]).shape == (STORED, STORED // 2)
    assert large.tiles[0].size == (36, 72)
    assert not large.sharp
    assert pair().sharp


def test_a_page_shows_images_side_by_side_with_their_captions() -> None:
    page = Elements(on_a_page(pair()))
    assert [image["alt"] for image in page.named("img")] == [
        f"{column}: {caption[0]}" for caption in CAPTIONS for column in ("image", "reconstruction")
    ]
    assert {(image["width"], image["height"]) for image in page.named("img")} == {("36", "72")}
    assert all(words in page.words for words in ("<b>.png", "The worst first.", "9.1"))
    assert page.named("ul")[0]["style"] == "--across: 2"


def test_columns_and_captions_must_fit() -> None:
    with pytest.raises(DataError, match="a caption for each image"):
        gallery({"image": pictures()}, CAPTIONS[:2])
    with pytest.raises(DataError, match="at least one image"):
        gallery({"image": pictures()[:0]}, [])
