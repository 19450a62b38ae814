"""Converted and read back, a set is the same: pixels, labels, classes, and what the form has a place for."""

import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from latentspace.core.errors import DataError, OutputError
from latentspace.data.convert import convert
from latentspace.data.imageset import ImageSet
from makers import load, random_pixels
from materials import make_images
from runner import call

TARGETS = ["images.parquet", "images.npz", "folder", "idx"]


def made(channels: int = 1, *, named: bool = False) -> ImageSet:
    """Twelve images class by class, with groups and parts."""
    images = make_images(12, side=17, channels=channels)
    assert images.labels is not None
    ordered = images.subset(np.argsort(images.labels, kind="stable"))
    files = tuple(f"scan {number}.jpeg" for number in range(12)) if named else None
    groups = np.arange(12) // 2 + 5
    return ImageSet(ordered.pixels, "made", ordered.labels, images.class_names, groups, files=files)


def together(images: ImageSet) -> list[list[int]]:
    """Which images are of one group."""
    assert images.groups is not None
    return [np.flatnonzero(images.groups == one).tolist() for one in dict.fromkeys(images.groups.tolist())]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("target", TARGETS)
def test_read_back_the_content_is_the_same(target: str, channels: int, tmp_path: Path):
    images, out = made(channels), tmp_path / target
    convert(images, out, idx=target == "idx")
    options = {"group_by": str(out / "groups.csv")} if target == "folder" else {}
    again = load(out, **options)
    assert again.content_hash == images.content_hash
    assert again.class_names == images.class_names
    assert together(again) == together(images)
    assert [one.name for one in tmp_path.iterdir()] == [target]


@pytest.mark.parametrize("target", ["images.parquet", "images.npz"])
def test_parts_and_names_are_kept(target: str, tmp_path: Path):
    images = made(named=True)
    parts = np.array([0, 0, 2, -1] * 3)
    images = ImageSet(
        images.pixels, "made", images.labels, images.class_names, files=images.files, parts=parts
    )
    convert(images, tmp_path / target)
    again = load(tmp_path / target)
    assert again.parts is not None
    assert again.parts.tolist() == parts.tolist()
    assert again.names == images.names


def test_folders_have_the_names_of_the_images_and_the_parts(tmp_path: Path):
    images = made(named=True)
    parts = np.array([2, 0] * 6)
    split = ImageSet(
        images.pixels, "made", images.labels, images.class_names, files=images.files, parts=parts
    )
    convert(split, tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.names[0] == f"test/{images.class_names[0]}/scan 0.png"
    assert again.parts is not None
    assert sorted(again.parts.tolist()) == sorted(parts.tolist())
    assert sorted(again.image_hashes.tolist()) == sorted(images.image_hashes.tolist())


def test_any_shape_is_read_back_or_refused(tmp_path: Path):
    """Seeded shapes of all sorts: what is written is read back exactly; an .npz can always be written."""
    shapes = list(itertools.product((1, 3, 12), (1, 2, 3, 4, 5, 9), (1, 3, 8, 12), (1, 4, 10, 12)))
    some = np.random.default_rng(0).choice(len(shapes), 30, replace=False)
    refused = set()
    for shape in [(12, 5, 12, 10), (12, 9, 12, 10), *(shapes[number] for number in some)]:
        images = ImageSet(random_pixels(*shape) % 2, "made")  # zeros and ones are not brought to 0 and 255
        for target in ("out.npz", "out.npy", "idx"):
            out = tmp_path / f"{shape}{target}"
            try:
                convert(images, out, idx=target == "idx")
            except DataError as error:
                assert "write an .npz" in str(error)  # noqa: PT017 - some of them alone
                refused.add((target, shape))
                continue
            again = load(out, **({} if target == "out.npz" else {"levels": "full"}))
            np.testing.assert_array_equal(again.pixels, images.pixels, err_msg=f"{target} {shape}")
    assert ("out.npy", (12, 9, 12, 10)) in refused
    assert not {"out.npy", "idx"} & {target for target, shape in refused if shape == (12, 5, 12, 10)}
    assert "out.npz" not in {target for target, _ in refused}


def test_without_labels_the_order_stays(tmp_path: Path):
    images = ImageSet(random_pixels(12, 1, 9, 9), "made", files=tuple(f"{12 - one}.png" for one in range(12)))
    convert(images, tmp_path / "flat")
    assert load(tmp_path / "flat").content_hash == images.content_hash
    convert(images, tmp_path / "flat.npy")
    assert load(tmp_path / "flat.npy").content_hash == images.content_hash


def test_parquet_is_what_hugging_face_s_datasets_writes(tmp_path: Path):
    images = made(3, named=True)
    convert(images, tmp_path / "images.parquet")
    table = parquet.read_table(tmp_path / "images.parquet")
    assert table.schema.field("image").type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"names": list(images.class_names), "_type": "ClassLabel"}
    assert table["image"][0].as_py()["path"] == "scan 0.jpeg"
    assert table["image"][0].as_py()["bytes"].startswith(b"\x89PNG")


def test_a_large_set_is_written_in_groups_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("latentspace.data.convert.ROWS", 5)
    convert(made(), tmp_path / "images.parquet")
    assert parquet.ParquetFile(tmp_path / "images.parquet").num_row_groups == 3


def test_many_channels_need_an_array(tmp_path: Path):
    images = ImageSet(random_pixels(3, 7, 9, 9), "made")
    for name in ("out.parquet", "out"):
        with pytest.raises(DataError, match="1 or 3 channels"):
            convert(images, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("classes", [("b", "a", "c"), ("a", "", "c"), ("a", "b/c", "d")])
def test_classes_that_cannot_be_folders_are_refused(classes: tuple[str, ...], tmp_path: Path):
    images = ImageSet(random_pixels(6, 1, 9, 9), "made", np.array([0, 1, 2] * 2), classes)
    with pytest.raises(DataError, match="class folders"):
        convert(images, tmp_path / "out")
    convert(images, tmp_path / "out.npz")
    assert load(tmp_path / "out.npz").content_hash == images.content_hash


def test_nothing_is_overwritten_unasked(tmp_path: Path):
    images, out = made(), tmp_path / "images.npz"
    out.write_text("mine")
    with pytest.raises(OutputError, match="nothing is overwritten"):
        convert(images, out)
    assert out.read_text() == "mine"
    convert(images, out, force=True)
    assert load(out).content_hash == images.content_hash
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for idx in (False, True):
        with pytest.raises(OutputError, match="new or an empty folder"):
            convert(images, tmp_path / "full", force=True, idx=idx)


def test_the_command(tmp_path: Path):
    convert(made(), tmp_path / "in.npz")
    out = tmp_path / "out.parquet"
    code, stdout, stderr = call(["data", "convert", str(tmp_path / "in.npz"), str(out)])
    assert (code, stdout.strip()) == (0, str(out)), stderr
    code, _, stderr = call(["data", "convert", str(tmp_path / "nothing-here"), str(out)])
    assert code == 2
    assert "--force" in stderr
    code, _, stderr = call(["data", "convert", str(tmp_path / "in.npz"), str(tmp_path / "x.npy")])
    assert code == 0
    assert "no labels or groups" in stderr
