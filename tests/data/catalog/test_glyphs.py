import subprocess
import sys

import numpy as np
import pytest

from latentspace.core.errors import ConfigurationError, DataError
from latentspace.data.catalog.glyphs import render as glyphs
from latentspace.data.catalog.glyphs.fonts import typefaces
from latentspace.data.imageset import ImageSet
from latentspace.data.splits import PARTS, Shares, split

MANY = 3000
NOTMNISTS_ERROR = 0.0689  # a pixel, ten components, on the 8,000 images


@pytest.fixture(scope="module")
def letters() -> ImageSet:
    return glyphs.render(MANY, seed=3, workers=2)


def flat(images: ImageSet) -> np.ndarray:
    return images.pixels.reshape(len(images), -1) / np.float32(255)


def nearest(from_images: np.ndarray, to_images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each image the number of its nearest, and their root mean square distance a pixel."""
    squares = (from_images**2).sum(1)[:, None] + (to_images**2).sum(1) - 2 * from_images @ to_images.T
    return squares.argmin(1), np.sqrt(np.maximum(squares.min(1), 0) / from_images.shape[1])


def test_what_a_set_is(letters):
    assert letters.pixels.shape == (MANY, 1, 28, 28)
    assert letters.class_names == tuple("ABCDEFGHIJ")
    assert not letters.comparable
    assert letters.source == "glyphs (rendered letters A-J from 20 font families; not notMNIST)"
    assert letters.pixels.flags.writeable  # torch warns of arrays that are not
    assert 0.38 < letters.pixels.mean() / 255 < 0.48  # notMNIST: 0.43


def test_ten_components_leave_as_much_as_of_notmnist(letters):
    centred = flat(letters) - flat(letters).mean(0)
    variances = np.linalg.eigvalsh(centred.T @ centred / MANY)
    assert variances[:-10].sum() / centred.shape[1] >= NOTMNISTS_ERROR


def test_letters_can_be_told_apart_all_the_same(letters):
    pixels, half = flat(letters), MANY // 2
    neighbour, _ = nearest(pixels[half:], pixels[:half])
    assert (letters.labels[:half][neighbour] == letters.labels[half:]).mean() > 0.75


def test_no_image_is_nearly_empty_full_or_a_copy(letters):
    means = flat(letters).mean(1)
    assert means.min() > 0.05
    assert means.max() < 0.92
    assert letters.duplicates.extra == 0


@pytest.mark.parametrize("count", [1, 9, 10, 137, MANY])
def test_labels_are_balanced_to_within_one(letters, count):
    counts = np.bincount(letters.labels[:count], minlength=10)
    assert counts.max() - counts.min() <= 1


def test_an_image_depends_on_its_number_and_the_seed_alone(letters):
    few = glyphs.render(100, seed=3)
    for array in ("pixels", "labels", "groups"):
        np.testing.assert_array_equal(getattr(few, array), getattr(letters, array)[:100])
    other = glyphs.render(100, seed=4)
    assert (other.pixels != few.pixels).any(axis=(1, 2, 3)).all()


def test_workers_change_no_image(letters, monkeypatch):
    monkeypatch.setattr(glyphs, "PER_WORKER", 30)
    shared, alone = glyphs.render(100, seed=3, workers=3), glyphs.render(100, seed=3, workers=1)
    np.testing.assert_array_equal(shared.pixels, alone.pixels)
    np.testing.assert_array_equal(shared.pixels, letters.pixels[:100])


def test_rendering_needs_no_guarded_main_program_and_no_matplotlib(tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import sys\nfrom latentspace.data.catalog.glyphs import render as glyphs\nglyphs.PER_WORKER = 10\n"
        "print(len(glyphs.render(20, workers=2)), 'matplotlib' in sys.modules)\n"
    )
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("20 False\n", "")


def test_a_worker_does_without_torch():
    code = f"import runpy, sys; runpy.run_path({glyphs.lettering.__file__!r}); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_worker_that_dies_is_an_error_that_says_why(monkeypatch, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise MemoryError('no more')\n")
    monkeypatch.setattr(glyphs.lettering, "__file__", str(broken))
    with pytest.raises(DataError, match="MemoryError: no more"):
        glyphs.render(2000, workers=2)


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()
    glyphs.render(20)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("count", [300, MANY])
def test_faces_never_straddle_a_split_and_every_part_has_all_letters(letters, count, seed):
    assert set(letters.groups.tolist()) == set(range(len(typefaces("bundled").faces)))
    some = letters.subset(np.arange(count))
    parts = split(some, Shares.parse("60/20/20"), seed)
    faces = [set(some.groups[parts.part(name)].tolist()) for name in PARTS]
    assert sum(map(len, faces)) == len(set(some.groups.tolist()))
    for name, share in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
        assert len(set(some.labels[parts.part(name)].tolist())) == 10
        assert abs(len(parts.part(name)) / count - share) < 0.06


def test_where_there_are_many_families_they_are_the_groups(letters, monkeypatch):
    monkeypatch.setattr(glyphs, "ENOUGH", 20)
    some = glyphs.render(400, seed=3, workers=1)
    table = np.zeros((10, 20))
    np.add.at(table, (some.labels[:200], some.groups[:200]), 1)
    assert (table == 1).all()


@pytest.mark.parametrize("seed", range(4))
def test_validation_and_test_letters_are_about_equally_hard(letters, seed):
    """With whole families as groups they were not."""
    parts = split(letters, Shares.parse("60/20/20"), seed)
    pixels = flat(letters)
    right = [
        (
            letters.labels[parts.train][nearest(pixels[one], pixels[parts.train])[0]] == letters.labels[one]
        ).mean()
        for one in (parts.validation, parts.test)
    ]
    assert abs(right[0] - right[1]) < 0.08


def test_in_a_round_every_face_draws_every_letter_once(letters):
    table = np.zeros((10, 47))
    np.add.at(table, (letters.labels[:470], letters.groups[:470]), 1)
    assert (table == 1).all()


@pytest.mark.parametrize(("size", "fonts"), [(16, "bundled"), (33, "bundled"), (64, "bundled")])
def test_other_sizes_show_the_same_letters(size, fonts):
    small, large = glyphs.render(40, size=28), glyphs.render(40, size=size, fonts=fonts)
    assert large.size == (size, size)
    np.testing.assert_array_equal(small.labels, large.labels)
    assert abs(flat(small).mean() - flat(large).mean()) < 0.03


@pytest.mark.parametrize(
    ("arguments", "must"),
    [
        ({"count": 0}, "number of images"),
        ({"count": -5}, "number of images"),
        ({"count": 10, "size": 15}, "side of an image"),
        ({"count": 10, "workers": 0}, "workers"),
    ],
)
def test_numbers_that_cannot_be_meant(arguments, must):
    with pytest.raises(ConfigurationError, match=must) as caught:
        glyphs.render(**arguments)
    assert caught.value.found in {"0", "-5", "15"}
    assert caught.value.do
