import numpy as np
import pytest

from latentspace.core.errors import ConfigurationError, DataError
from latentspace.data.imageset import ImageSet
from latentspace.data.splits import PARTS, Split, split_as


def made(parts: list[int] | None, numbers: np.ndarray | None = None, **others) -> ImageSet:
    count = len(parts) if parts is not None else len(numbers)
    numbers = np.arange(count) if numbers is None else numbers
    pixels = np.asarray(numbers, dtype="<i8").view(np.uint8).reshape(count, 1, 2, 4).copy()
    held = None if parts is None else np.array(parts)
    labels = np.arange(count) % 2
    return ImageSet(pixels, "a test", labels=labels, class_names=("a", "b"), parts=held, **others)


def test_the_publishers_parts_are_the_split():
    parts = split_as(made([0, 2, 1, 0, -1, 2]), "auto", 0)
    assert (parts.train.tolist(), parts.validation.tolist(), parts.test.tolist()) == ([0, 3, 4], [2], [1, 5])
    assert parts.note == "3 train, 1 validation, 2 test: the publisher's parts"
    assert Split.from_json(parts.to_json()).to_json() == parts.to_json()


@pytest.mark.parametrize(("there", "missing"), [(2, "validation"), (1, "test")])
def test_a_missing_part_is_a_stratified_fifth_of_the_training_part(there, missing):
    images = made([0] * 100 + [there] * 30)
    parts = split_as(images, "auto", 4)
    assert len(parts.part(missing)) == 20
    assert np.bincount(images.labels[parts.part(missing)]).tolist() == [10, 10]
    assert len(parts.train) == 80
    assert f"{missing} drawn from its training images" in parts.note
    assert parts.to_json() == split_as(images, "auto", 4).to_json()
    assert parts.part(missing).tolist() != split_as(images, "auto", 5).part(missing).tolist()


def test_copies_and_groups_stay_together_in_what_is_drawn():
    groups = np.repeat(np.arange(26), 5)
    parts = split_as(made([0] * 100 + [2] * 30, groups=groups), "auto", 0)
    assert not set(groups[parts.train]) & set(groups[parts.validation])


def test_another_split_is_drawn_where_it_is_asked_for_and_published_needs_parts():
    images = made([0] * 80 + [2] * 20)
    assert [len(split_as(images, "60/20/20", 0).part(name)) for name in PARTS] == [60, 20, 20]
    for parts in (None, [0] * 50, [2] * 50):
        other = made(parts, np.arange(50))
        assert split_as(other, "auto", 0).shares == "60/20/20"
        with pytest.raises(ConfigurationError, match="needs images with parts"):
            split_as(other, "published", 0)


def test_what_lies_in_two_parts_is_counted():
    numbers = np.arange(100)
    numbers[99] = 0
    groups = np.arange(100)
    groups[[1, 98, 97]] = 1
    parts = split_as(made([0] * 60 + [1] * 20 + [2] * 20, numbers, groups=groups), "auto", 0)
    assert (parts.copies_parted, parts.groups_parted) == (1, 2)
    assert parts.parted == "1 with an exact copy, 2 with an image of their group"


def test_deduplication_keeps_the_test_image_of_copies():
    numbers = np.arange(20)
    numbers[[18, 19]] = [0, 2]
    images = made([0] * 10 + [1] * 5 + [2] * 5, numbers)
    kept = images.deduplicated("first")
    assert set(range(20)) - set(map(int, kept.names)) == {0, 2}


def test_equal_images_with_other_labels_are_not_kept_unless_told():
    images = made(None, np.array([7, 7, 5, 1, 5, 1]))  # 7 is labelled a and b
    assert images.deduplicated().names == ("2", "3")
    assert images.deduplicated("first").names == ("0", "2", "3")
    assert images.deduplicated().record.duplicates_dropped == 4
    with pytest.raises(DataError, match="left without its copies"):
        made(None, np.array([3, 3])).deduplicated()


def test_a_limit_leaves_a_sample_with_the_shares_of_classes_and_parts():
    images = made([0] * 600 + [2] * 200)
    some = images.limited(200, seed=3)
    assert (np.bincount(some.parts).tolist(), np.bincount(some.labels).tolist()) == ([150, 0, 50], [100, 100])
    assert some.names == tuple(str(row) for row in some.rows)
    assert (np.diff(some.rows) > 0).all()
    assert some.content_hash == images.limited(200, seed=3).content_hash
    assert some.content_hash != images.limited(200, seed=4).content_hash
    assert images.limited(800, seed=3) is images


def test_equal_images_alone_are_no_set_to_learn_from():
    with pytest.raises(DataError, match="every part of a split") as caught:
        split_as(made(None, np.zeros(12, dtype=np.int64)), "auto", 0)
    assert "all copies of one" in caught.value.found
