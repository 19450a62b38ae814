import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentspace.core.errors import ConfigurationError, DataError
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.sources import load_images
from latentspace.data.splits import PARTS, Shares, Split, split
from latentspace.experiment.training import SplitConfig


def numbered(numbers: np.ndarray, **others) -> ImageSet:
    """Images that are equal where their numbers are."""
    pixels = np.zeros((len(numbers), 1, 2, 4), dtype=np.uint8)
    pixels.reshape(len(numbers), 8)[:] = np.asarray(numbers, dtype="<i8").view(np.uint8).reshape(-1, 8)
    return ImageSet(pixels, "numbers", **others)


def test_the_reports_sizes():
    assert Shares.parse("60/20/20").sizes(18_724).tolist() == [11_234, 3_745, 3_745]
    parts = split(numbered(np.arange(18_724)), Shares.parse("60/20/20"), 0)
    assert [len(parts.part(name)) for name in PARTS] == [11_234, 3_745, 3_745]


@pytest.mark.parametrize(
    "text", ["60/20", "60/20/20/0", "a/b/c", "50/50/50", "100/0/0", "", "-20/60/60", "nan/50/50", "60,20,20"]
)
def test_a_malformed_split_is_refused(text):
    with pytest.raises(ConfigurationError, match="three positive percentages"):
        Shares.parse(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("60/20/20", "60/20/20"),
        ("60.0/2e1/20", "60/20/20"),
        ("33.33333/33.33333/33.33334", "33.33333/33.33333/33.33334"),
        ("99.9999998/1e-7/1e-7", "99.9999998/0.0000001/0.0000001"),
    ],
)
def test_shares_are_written_as_they_are_read(text, written):
    kept = SplitConfig(shares=text)
    assert kept.shares == written
    assert SplitConfig.model_validate_json(kept.model_dump_json()) == kept


@given(st.floats(1e-6, 99), st.floats(1e-6, 1))
def test_any_legal_shares_survive_being_written(one, part):
    other = (100 - one) * part
    text = f"{one!r}/{other!r}/{100 - one - other!r}"
    try:
        shares = Shares.parse(text)
    except ConfigurationError:
        assert 100 - one - other <= 0
        return
    assert Shares.parse(str(shares)) == shares
    assert str(Shares.parse(str(shares))) == str(shares)


def test_a_split_of_many_digits_is_drawn_and_described():
    shares = Shares.parse("33.33333/33.33333/33.33334")
    parts = split(numbered(np.arange(300)), shares, 0)
    assert parts.note == "100 train, 100 validation, 100 test"


def test_a_split_that_leaves_a_part_empty_is_refused():
    with pytest.raises(ConfigurationError, match="leaves the validation part empty"):
        split(numbered(np.arange(10)), Shares.parse("98/1/1"), 0)


@settings(max_examples=60)
@given(
    numbers=st.lists(st.integers(0, 60), min_size=30, max_size=300),
    classes=st.integers(1, 5),
    shares=st.sampled_from(["60/20/20", "34/33/33", "80/10/10", "10/10/80"]),
    seed=st.integers(0, 1000),
)
def test_a_split_is_a_partition_and_no_duplicate_straddles(numbers, classes, shares, seed):
    labels = np.arange(len(numbers)) % classes
    images = numbered(
        np.array(numbers), labels=labels.astype(np.int64), class_names=tuple(map(str, range(classes)))
    )
    try:
        parts = split(images, Shares.parse(shares), seed)
    except DataError:
        assert len(set(numbers)) < 8  # so few different images that a part stayed empty
        return
    together = np.sort(np.concatenate([parts.part(name) for name in PARTS]))
    assert together.tolist() == list(range(len(numbers)))
    sides = [set(images.image_hashes[parts.part(name)].tolist()) for name in PARTS]
    assert sum(map(len, sides)) == len(set().union(*sides))


@settings(max_examples=40)
@given(
    counts=st.lists(st.integers(10, 120), min_size=1, max_size=6),
    shares=st.sampled_from(["60/20/20", "70/20/10", "98/1/1", "33/33/34"]),
    seed=st.integers(0, 1000),
)
def test_a_split_without_duplicates_is_exact_and_stratified(counts, shares, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    images = numbered(np.arange(len(labels)), labels=labels, class_names=tuple(map(str, range(len(counts)))))
    wanted = Shares.parse(shares)
    try:
        sizes = wanted.sizes(len(labels))
    except ConfigurationError:
        return
    parts = split(images, wanted, seed)
    for name, size in zip(PARTS, sizes, strict=True):
        held = np.bincount(labels[parts.part(name)], minlength=len(counts))
        assert held.sum() == size
        assert (np.abs(held - np.array(counts) * size / len(labels)) < 2).all()


def test_a_seed_gives_one_split_and_another_seed_another():
    images = numbered(np.arange(500))
    shares = Shares.parse("60/20/20")
    assert split(images, shares, 1).to_json() == split(images, shares, 1).to_json()
    assert split(images, shares, 1).to_json() != split(images, shares, 2).to_json()


def test_a_large_set_of_copies_stays_together_and_the_sizes_stay_exact():
    numbers = np.concatenate([np.zeros(125), np.arange(1, 876)]).astype(np.int64)
    labels = (np.arange(1000) % 10).astype(np.int64)
    images = numbered(numbers, labels=labels, class_names=tuple("ABCDEFGHIJ"))
    parts = split(images, Shares.parse("60/20/20"), 3)
    assert [len(parts.part(name)) for name in PARTS] == [600, 200, 200]
    assert parts.kept_together == 125
    assert sum(bool(np.isin(np.arange(125), parts.part(name)).any()) for name in PARTS) == 1
    assert "stay together" not in parts.note


def test_groups_stay_on_one_side_even_through_copies():
    """Groups 0 and 1 share an image, so they are one."""
    numbers = np.arange(400)
    numbers[100] = numbers[0]
    groups = np.repeat(np.arange(40), 10)
    images = numbered(numbers, groups=groups)
    parts = split(images, Shares.parse("60/20/20"), 0)
    side = {int(group): name for name in PARTS for group in groups[parts.part(name)]}
    for name in PARTS:
        assert all(side[int(group)] == name for group in groups[parts.part(name)])
    assert side[int(groups[0])] == side[int(groups[100])]


def test_shares_that_groups_push_aside_are_said():
    images = numbered(np.arange(90), groups=np.repeat(np.arange(3), [50, 30, 10]))
    parts = split(images, Shares.parse("60/20/20"), 0)
    assert "where 60/20/20 was asked" in parts.note


def test_too_few_groups_are_refused():
    with pytest.raises(DataError, match="must hold an image"):
        split(numbered(np.arange(90), groups=np.repeat(np.arange(2), 45)), Shares.parse("60/20/20"), 0)


def test_a_split_survives_json():
    parts = split(numbered(np.arange(50)), Shares.parse("60/20/20"), 0)
    again = Split.from_json(parts.to_json())
    assert all(np.array_equal(again.part(name), parts.part(name)) for name in PARTS)
    assert again.to_json() == parts.to_json()


def test_real_letters_split_exactly_though_one_image_stands_125_times(notmnist):
    images = load_images(DataConfig(spec=str(notmnist)))
    assert images.duplicates.largest == 125
    parts = split(images, Shares.parse("60/20/20"), 0)
    assert [len(parts.part(name)) for name in PARTS] == [4800, 1600, 1600]
    for name in PARTS:
        counts = np.bincount(images.labels[parts.part(name)])
        assert np.abs(counts / len(parts.part(name)) - 0.1).max() < 0.01
    hashes = [set(images.image_hashes[parts.part(name)].tolist()) for name in PARTS]
    assert sum(map(len, hashes)) == len(set().union(*hashes))
