"""Which class and which part of a publisher's split the folders of image files say."""

import pytest

from latentspace.data.readers.layout import NO_LABEL, layout_of, part_named


def read(*folders: str) -> tuple[list[str | None], list[int] | None]:
    """The class and the part of an image in each folder."""
    found = layout_of([f"{folder}/1.png".lstrip("/") for folder in folders])
    named = (
        [None] * len(folders) if found.labels is None else [found.class_names[one] for one in found.labels]
    )
    labels = [None if one == NO_LABEL else one for one in named]
    return labels, None if found.parts is None else found.parts.tolist()


@pytest.mark.parametrize(
    ("folders", "classes", "parts"),
    [
        (("cat", "dog"), ["cat", "dog"], None),
        (("train/cat", "train/dog", "test/cat"), ["cat", "dog", "cat"], [0, 0, 2]),
        (("cat/train", "cat/val", "dog/test"), ["cat", "cat", "dog"], [0, 1, 2]),
        (("Training/a", "Validation/a", "TEST/b", "dev/b"), ["a", "a", "b", "b"], [0, 1, 2, 1]),
        (("set/train/cat", "set/test/cat"), ["cat", "cat"], [0, 2]),
        (("seg_train/seg_train/sea", "seg_test/seg_test/ice"), ["sea", "ice"], [0, 2]),
        (("train2017/cat", "val2017/dog"), ["cat", "dog"], [0, 1]),
        (("train/cat", "extra/cat", "test/cat"), ["cat", "cat", "cat"], [0, -1, 2]),
        (("train", "test"), [None, None], [0, 2]),
        (("train/cat", "eval/cat"), ["cat", "cat"], [0, 1]),
        (("train/cat", "val/cat", "evaluation/cat"), ["cat", "cat", "cat"], [0, 1, 2]),
        (("trainset/cat", "testset/dog"), ["cat", "dog"], [0, 2]),
        (("train_images/cat", "TestData/dog"), ["cat", "dog"], [0, 2]),
        (("train/cat", "PublicTest/cat", "PrivateTest/cat"), ["cat", "cat", "cat"], [0, 1, 2]),
        (("images",), [None], None),
        (("train/images", "valid/images"), [None, None], [0, 1]),
        (("JPEGImages", "photos"), ["JPEGImages", "photos"], None),
        (("train/cat", "train/dog", "test"), ["cat", "dog", None], [0, 0, 2]),
        (("train/cat", "test"), ["cat", None], [0, 2]),
        (("train/cat", "train", "test"), [None] * 3, [0, 0, 2]),
        (("train/cat", "train/dog", "test/images"), ["cat", "dog", None], [0, 0, 2]),
        (("train/cat", "train/dog", "test/test"), ["cat", "dog", None], [0, 0, 2]),
        (("train/cat", "train/unknown", "test/unknown"), ["cat", "unknown", "unknown"], [0, 0, 2]),
        (("seg_train/x/sea", "seg_test/x/ice", "seg_pred/seg_pred"), ["sea", "ice", None], [0, 2, -1]),
        (("train/cat", "train/dog", "unlabeled"), ["cat", "dog", None], [0, 0, -1]),
        (("cat/train", "dog/train"), ["cat", "dog"], None),
        (("bus", "train", "tram"), ["bus", "train", "tram"], None),
        (("crash_test", "crash", "smoke"), ["crash_test", "crash", "smoke"], None),
        (("a/b/cat", "a/c/dog"), ["cat", "dog"], None),
        (("photo/cat", "sketch/cat", "sketch/dog"), ["cat", "cat", "dog"], None),
        (("cat/images", "dog/images"), ["cat", "dog"], None),
        (("cat/x/images", "dog/x/images"), ["cat", "dog"], None),
        (("train/cat/images", "test/dog/images"), ["cat", "dog"], [0, 2]),
        (("train/cat/images", "train/dog/images", "val/images"), ["cat", "dog", None], [0, 0, 1]),
        (("only",), ["only"], None),
        (("", "cat"), [None, None], None),
        (("cat", "cat/small"), ["cat", "small"], None),
    ],
)
def test_classes_and_parts(folders: tuple[str, ...], classes: list[str], parts: list[int] | None) -> None:
    assert read(*folders) == (classes, parts)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (("photo/cat", "sketch/cat"), ""),
        (("photo/cat", "sketch/cat", "photo/dog"), "1 class from several folders (photo/cat, sketch/cat)"),
        (("a/b/cat", "a/c/dog"), "cat of a/b/cat"),
        (("cat", "cat/small"), "also where it lies in another class: cat/small"),
        (("images", "masks", "x"), "if some of them are masks, name the folder of the images alone"),
        (("images", "masks"), "1 image left out, as their folder says that they are masks: masks/1.png"),
        (("JPEGImages", "SegmentationClass"), "are masks: SegmentationClass/1.png"),
        (("train/Cat", "test/cat"), "differ in capitals alone: Cat and cat"),
        (("", "cat", "dog"), "1 image in no class folder (1.png), beside 2 class folders (cat, dog)"),
    ],
)
def test_what_is_joined_or_left_out_is_said(folders: tuple[str, ...], said: str) -> None:
    found = layout_of([f"{folder}/1.png".lstrip("/") for folder in folders])
    assert said in " ".join(found.notes + found.warnings)
    assert bool(found.notes + found.warnings) == bool(said)


def test_masks_beside_the_parts_are_left_out() -> None:
    found = layout_of(["train/good/1.png", "test/hole/1.png", "ground_truth/hole/1_mask.png"])
    assert (found.masks, found.class_names) == ((2,), ("good", "hole"))
    assert "1 image left out" in found.notes[0]


@pytest.mark.parametrize(
    ("name", "part"), [("train", 0), ("Test-1", 2), ("contest", None), ("train_test", None)]
)
def test_the_part_that_a_name_stands_for(name: str, part: int | None) -> None:
    assert part_named(name) == part


def test_masks_beside_their_images_by_name():
    names = [f"cat/{n}{end}.png" for n in (1, 2) for end in ("", "_mask")] + ["dog/3.png", "dog/3-Seg.png"]
    found = layout_of(names)
    assert found.masks == (1, 3, 5)
    assert found.labels is not None
    assert found.labels[[0, 2, 4]].tolist() == [0, 0, 1]
    assert "cat/1_mask.png" in found.notes[-1]
    for kept in (["1.png", "2.png", "9_mask.png"], ["1.png", "2.png", "3.png", "1_mask.png"]):
        assert layout_of(kept).masks == ()
