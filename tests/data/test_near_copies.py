import io

import numpy as np
import pytest
from PIL import Image

from latentspace.data import near_copies as module
from latentspace.data.imageset import ImageSet
from latentspace.data.near_copies import near_copies
from latentspace.data.splits import PARTS, Shares, split, split_as
from latentspace.data.together import SHARE, sets_of_near_copies

SIXTY = Shares.parse("60/20/20")


def pictures(count: int, side: int = 28, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Smooth pictures with detail, no two alike."""
    draw = np.random.default_rng(seed)
    small = draw.integers(0, 256, (count, channels, 7, 7), dtype=np.uint8)
    made = [
        [
            np.asarray(Image.fromarray(plane).resize((side + 8, side + 8), Image.Resampling.BICUBIC))
            for plane in one
        ]
        for one in small
    ]
    return np.array(made)


def middle(large: np.ndarray, y: int = 0, x: int = 0) -> np.ndarray:
    side = large.shape[-1] - 8
    return np.ascontiguousarray(large[..., 4 + y : 4 + y + side, 4 + x : 4 + x + side])


def saved_anew(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(
        file, "JPEG", quality=quality
    )
    found = np.asarray(Image.open(file))
    return found[None] if found.ndim == 2 else found.transpose(2, 0, 1)


def found(pixels: np.ndarray) -> set[tuple[int, int]]:
    images = ImageSet(pixels, "a test")
    pairs = near_copies(images.pixels, images.image_hashes)
    return set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def wanted(count: int) -> set[tuple[int, int]]:
    return {(number, number + count) for number in range(count)}


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("side", [12, 28, 48])
def test_a_picture_moved_by_two_pixels_is_a_near_copy(side, channels):
    large = pictures(30, side, channels)
    pairs = found(np.concatenate([middle(large), middle(large, 1, -2)]))
    assert pairs <= wanted(30)
    assert len(pairs) >= (30 if side > 12 else 20)  # of a small picture much is border


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_saved_anew_or_brightened_is_a_near_copy(channels):
    plain = middle(pictures(30, channels=channels))
    anew = np.stack([saved_anew(one, 75) for one in plain])
    brighter = np.clip(plain * 0.94 + 9, 0, 255).astype(np.uint8)
    if channels == 1:  # a JPEG halves the size of colour, and these colours are noise
        assert found(np.concatenate([plain, anew])) == wanted(30)
    assert found(np.concatenate([plain, brighter])) == wanted(30)


def test_other_pictures_and_exact_copies_are_none():
    plain = middle(pictures(60))
    assert found(plain) == set()
    assert found(np.concatenate([plain, plain])) == set()
    assert found(np.concatenate([plain, 255 - plain])) == set()


def test_pictures_without_detail_and_tiny_ones_are_not_compared():
    assert found(np.random.default_rng(0).integers(0, 3, (40, 1, 28, 28), dtype=np.uint8)) == set()
    assert found(np.random.default_rng(0).integers(0, 256, (40, 1, 4, 9), dtype=np.uint8)) == set()
    assert found(np.zeros((3, 1, 8, 8), dtype=np.uint8)) == set()


def test_near_copies_stay_in_one_part():
    large = pictures(100)
    images = ImageSet(np.concatenate([middle(large), middle(large, 0, 1)]), "a test")
    parts = split_as(images, "auto", 0, near_copies=True)
    for name in PARTS:
        assert set(parts.part(name) % 100) == set(parts.part(name)[parts.part(name) < 100])
    assert parts.kept_together == 200
    assert parts.near_to("train").tolist() == []
    apart = split_as(images, "auto", 0)
    assert apart.near_to("train") is None
    assert apart.to_json() == split(images, SIXTY, 0).to_json()
    assert [one.tolist() for one in sets_of_near_copies(images)] == [[n, n + 100] for n in range(100)]


def test_a_split_without_near_copies_is_the_same_whether_they_are_looked_for():
    images = ImageSet(middle(pictures(80)), "a test")
    one, other = (split_as(images, "60/20/20", 3, near_copies=on) for on in (True, False))
    for name in PARTS:
        assert one.part(name).tolist() == other.part(name).tolist()


def test_a_long_chain_of_near_copies_is_divided_and_said():
    """A film that moves a pixel from frame to frame."""
    wide = np.random.default_rng(0).integers(0, 256, (7, 60), dtype=np.uint8)
    strip = np.asarray(Image.fromarray(wide).resize((328, 28), Image.Resampling.BICUBIC))
    film = np.stack([strip[None, :, at : at + 28] for at in range(300)])
    images = ImageSet(film, "a film")
    parts = split_as(images, "auto", 0, near_copies=True)
    assert [len(parts.part(name)) for name in PARTS] == [180, 60, 60]
    assert max(map(len, sets_of_near_copies(images))) <= 300 // SHARE
    near = parts.near_to("train")
    assert 0 < len(near) < 120
    assert "with a near copy" in parts.parted


def test_many_near_copies_of_one_picture_are_compared_within_bounds(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 16)
    large = pictures(1)
    plain = [middle(large, y, x)[0] for y in range(-2, 3) for x in range(-2, 3)]
    assert len(found(np.stack(plain))) > 100
