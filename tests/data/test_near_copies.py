import io
import logging
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from latentspace.data import cells, kept_pairs
from latentspace.data import near_copies as module
from latentspace.data.catalog.glyphs.render import render
from latentspace.data.cells import candidates
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.near_copies import near_copies
from latentspace.data.sources import load_images
from latentspace.data.splits import PARTS, Shares, split, split_as
from latentspace.data.together import SHARE, sets_of_near_copies, units

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


def test_a_faint_picture_saved_as_a_coarse_jpeg_is_a_near_copy():
    """Of a contrast of 10 levels, 7 once it is smoothed: what the JPEG adds is a tenth of that."""
    plain = (110 + (middle(pictures(30)) - 110.0) * (10 / 65)).astype(np.uint8)
    anew = np.stack([saved_anew(one, 40) for one in plain])
    pairs = found(np.concatenate([plain, anew]))
    assert pairs <= wanted(30)
    assert len(pairs) >= 27


def test_fine_texture_with_faint_low_frequencies_is_compared():
    draw = np.random.default_rng(0)
    y, x = np.mgrid[:28, :28] / 28
    plain = 120 + 3 * np.cos(2 * np.pi * (y + draw.uniform(0, 1, (20, 1, 1, 1))))
    for _ in range(40):
        down, across = draw.uniform(3.5, 6.5, (2, 20, 1, 1, 1)) * draw.choice([-1, 1], (2, 20, 1, 1, 1))
        plain += 4 * np.cos(2 * np.pi * (down * y + across * x) + draw.uniform(0, 7, (20, 1, 1, 1)))
    assert found(np.concatenate([plain, plain * 0.95 + 4]).astype(np.uint8)) == wanted(20)


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
    sizes = np.array([len(parts.part(name)) for name in PARTS])
    assert np.abs(sizes - [180, 60, 60]).max() < 300 // SHARE  # less than a unit
    assert max(map(len, sets_of_near_copies(images))) <= 300 // SHARE
    near = parts.near_to("train")
    assert 0 < len(near) < 120
    assert "with a near copy" in parts.parted


def test_many_near_copies_of_one_picture_are_compared_within_bounds(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 16)
    large = pictures(1)
    plain = [middle(large, y, x)[0] for y in range(-2, 3) for x in range(-2, 3)]
    assert len(found(np.stack(plain))) > 100


def shift(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([middle(pixels), middle(pixels, 0, 1)])


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 1, 28, 28), np.uint8),
        middle(pictures(1)),
        np.full((9, 1, 28, 28), 200, np.uint8),
        np.repeat(middle(pictures(1)), 9, axis=0),
        np.arange(9, dtype=np.uint8)[:, None, None, None] + np.zeros((9, 3, 16, 16), np.uint8),
        np.concatenate([middle(pictures(1)), np.zeros((3, 1, 28, 28), np.uint8)]),
        np.random.default_rng(0).integers(0, 256, (20, 1, 8, 200), dtype=np.uint8),
        np.random.default_rng(0).integers(0, 256, (20, 2, 7, 64), dtype=np.uint8),
    ],
    ids=["none", "one", "blank", "all equal", "flat ones", "one picture among blanks", "wide", "too low"],
)
def test_sets_without_near_copies_have_none(pixels):
    hashes = np.array([hash(one.tobytes()) % 2**63 for one in pixels], dtype=np.uint64)
    assert len(near_copies(pixels, hashes)) == 0


def test_two_images_are_compared():
    assert found(shift(pictures(1))) == {(0, 1)}


def test_the_smallest_images_are_compared():
    """Of 8x8 pixels moved by one much is border: what is found is right."""
    plain = middle(pictures(30, 8))
    brighter = np.clip(plain * 0.95 + 6, 0, 255).astype(np.uint8)
    pairs = found(np.concatenate([plain, brighter]))
    assert pairs <= wanted(30)
    assert len(pairs) >= 25
    assert found(shift(pictures(30, 8))) <= wanted(30)


def test_many_channels_are_compared():
    assert found(shift(pictures(20, channels=12))) == wanted(20)


def test_images_on_disk_are_compared(tmp_path):
    np.save(tmp_path / "x.npy", shift(pictures(20)))
    images = load_images(DataConfig(spec=str(tmp_path / "x.npy"), resident="never"))
    assert images.on_disk
    pairs = images.near_copies
    assert set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == wanted(20)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_rows_have_no_candidates(count):
    rows = np.zeros((3, count, 5), np.float32)
    assert [one.tolist() for one in candidates(rows, 0.1)] == [[], [], []]


def test_candidates_are_the_same_one_by_one_and_as_products_of_matrices(monkeypatch):
    """Rows so near each other that many lie in one cell."""
    rows = np.random.default_rng(0).normal(0, 0.04, (2, 200, 9)).astype(np.float32)
    found = []
    for together in (1, 10**9):
        monkeypatch.setattr(cells, "TOGETHER", together)
        found.append(candidates(rows, 0.1))
    assert all(np.array_equal(one, other) for one, other in zip(*found, strict=True))
    first, second, offset = found[0]
    apart = np.stack([rows[offset, first] - rows[0, second], rows[offset, second] - rows[0, first]])
    assert np.linalg.norm(apart, axis=2).min(axis=0).max() < 0.1
    assert len(first) > 100


def test_letters_of_different_fonts_are_not_chained_into_one_unit():
    letters = render(600, workers=1)
    moved = np.roll(letters.pixels[:100], 1, axis=3)
    images = ImageSet(np.concatenate([letters.pixels, moved]), "letters, and some of them moved")
    pairs = images.near_copies
    assert len(pairs) >= 60  # of letters that touch the border a part is lost
    assert set((pairs.second - pairs.first).tolist()) == {600}
    assert np.bincount(units(images, pairs)).max() == 2
    assert sets_of_near_copies(replace(letters, groups=None)) == []


@pytest.fixture
def keeps(cache, monkeypatch):
    """The folder in which near copies are kept, whatever the size of the set."""
    monkeypatch.setattr(kept_pairs, "WORTH", 2)
    return cache / "images"


def pairs_of(pixels: np.ndarray) -> list[list[int]]:
    pairs = ImageSet(pixels, "a test").near_copies
    return [pairs.first.tolist(), pairs.second.tolist()]


def test_near_copies_are_kept_by_the_content(keeps, monkeypatch, caplog):
    pixels = shift(pictures(10))
    first = pairs_of(pixels)
    assert len(first[0]) == 10
    assert len(list(keeps.iterdir())) == 1
    monkeypatch.setattr("latentspace.data.imageset.near_copies", None)  # not called again
    with caplog.at_level(logging.INFO):
        assert pairs_of(pixels.copy()) == first
    assert "from the cache" in caplog.text
    monkeypatch.setattr("latentspace.data.imageset.near_copies", near_copies)
    assert pairs_of(pixels[:10]) == [[], []]
    assert len(list(keeps.iterdir())) == 2
    assert pairs_of(pixels[:10]) == [[], []]


@pytest.mark.parametrize("damage", [b"", b"no pairs", None])
def test_damaged_pairs_are_found_anew(keeps, damage, caplog):
    pixels = shift(pictures(10))
    first = pairs_of(pixels)
    place = next(keeps.iterdir())
    content = place.read_bytes()
    place.write_bytes(content[:-8] if damage is None else damage)
    assert pairs_of(pixels) == first
    assert "is damaged and is made anew" in caplog.text
    assert place.read_bytes() == content


def test_small_sets_and_a_cache_that_is_off_keep_nothing(keeps, monkeypatch):
    monkeypatch.setattr(kept_pairs, "WORTH", 21)
    pairs_of(shift(pictures(10)))
    monkeypatch.setattr(kept_pairs, "WORTH", 2)
    monkeypatch.setenv("LATENTSPACE_CACHE", "off")
    monkeypatch.setattr(kept_pairs, "cache_directory", None)
    pairs_of(shift(pictures(10)))
    assert not keeps.exists()


def test_a_cache_that_cannot_be_written_is_said(keeps, tmp_path, caplog):
    (tmp_path / "cache").write_bytes(b"")
    assert len(pairs_of(shift(pictures(10)))[0]) == 10
    assert "could not be kept in the cache" in caplog.text
