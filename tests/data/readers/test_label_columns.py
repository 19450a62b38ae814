"""Several columns or arrays of labels: which one is taken, and how another one is."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import latentspace
from latentspace.core.errors import DataError
from makers import encoded, random_pixels, write_folder, write_tar

COARSE, FINE = [0, 0, 1, 1, 0, 1], [0, 1, 2, 3, 0, 2]
NAMES = {"coarse_label": ("fish", "tree"), "fine_label": ("ray", "shark", "oak", "palm")}


def binary(place: Path) -> Path:
    records = [bytes([a, b]) + random_pixels(3072, seed=k).tobytes() for k, (a, b) in enumerate(pairs())]
    files = {"train.bin": b"".join(records[:4]), "test.bin": b"".join(records[4:])}
    names = {f"{name}_names.txt": "\n".join(words).encode() for name, words in NAMES.items()}
    return write_folder(place, files | names)


def pairs() -> list[tuple[int, int]]:
    return list(zip(COARSE, FINE, strict=True))


def npz(place: Path) -> Path:
    names = {f"{name}_names": np.array(words) for name, words in NAMES.items()}
    np.savez(place / "x.npz", data=random_pixels(6, 8, 8), coarse_labels=COARSE, fine_labels=FINE, **names)
    return place / "x.npz"


def hdf5(place: Path) -> Path:
    with h5py.File(place / "x.h5", "w") as file:
        for part, here in (("train", slice(4)), ("test", slice(4, 6))):
            file[f"{part}/images"] = random_pixels(6, 8, 8)[here]
            file[f"{part}/coarse_label"], file[f"{part}/fine_label"] = COARSE[here], FINE[here]
    return place / "x.h5"


def hugging_face(place: Path) -> Path:
    cells = [{"bytes": encoded(random_pixels(8, 8, seed=k)), "path": None} for k in range(6)]
    features = {name: {"_type": "ClassLabel", "names": words} for name, words in NAMES.items()}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"img": cells, "fine_label": FINE, "coarse_label": COARSE}).replace_schema_metadata(
        about
    )
    parquet.write_table(table, place / "x.parquet")
    return place / "x.parquet"


def pixels(place: Path) -> Path:
    lines = ["coarse_label,fine_label," + ",".join(f"p{number}" for number in range(64))]
    lines += [
        ",".join(map(str, (*pair, *row))) for pair, row in zip(pairs(), random_pixels(6, 64), strict=True)
    ]
    (place / "x.csv").write_text("\n".join(lines))
    return place / "x.csv"


def photos(place: Path) -> dict[str, bytes]:
    return {f"{number}.png": encoded(random_pixels(8, 8, seed=number)) for number in range(6)}


def paths(place: Path) -> Path:
    rows = [f"{number}.png,{a},{b}" for number, (a, b) in enumerate(pairs())]
    write_folder(
        place, {**photos(place), "x.csv": "\n".join(["path,coarse_label,fine_label", *rows]).encode()}
    )
    return place / "x.csv"


def beside(place: Path) -> Path:
    return paths(place).parent


def in_class_folders(place: Path) -> Path:
    rows = [f"{number}.png,{a},{b}" for number, (a, b) in enumerate(pairs())]
    files = {
        f"{'ab'[FINE[number] % 2]}/{name}": one for number, (name, one) in enumerate(photos(place).items())
    }
    return write_folder(
        place, {**files, "x.csv": "\n".join(["path,coarse_label,fine_label", *rows]).encode()}
    )


def webdataset(place: Path) -> Path:
    files = {}
    for (name, image), (a, b) in zip(photos(place).items(), pairs(), strict=True):
        files |= {
            name: image,
            name.replace("png", "json"): json.dumps({"coarse_label": a, "fine_label": b}).encode(),
        }
    return write_tar(place / "x.tar", files)


KINDS: list[Callable[[Path], Path]] = [binary, npz, hdf5, hugging_face, pixels, paths, beside, webdataset]


@pytest.mark.parametrize("make", KINDS)
def test_the_fine_label_is_taken_unless_another_one_is_asked_for(make, tmp_path: Path) -> None:
    place = make(tmp_path)
    for asked, column, values in ((None, "fine_label", FINE), ("coarse_label", "coarse_label", COARSE)):
        found = latentspace.load_data(place, **({} if asked is None else {"label": asked}))
        words = NAMES[column] if make in (binary, npz, hugging_face) else tuple(map(str, sorted(set(values))))
        assert found.class_names == words
        assert sorted(found.labels.tolist()) == sorted(values)
        by_name = dict(zip(found.names, found.labels.tolist(), strict=True))
        if make is beside:
            assert [by_name[f"{number}.png"] for number in range(6)] == values
        else:
            assert found.labels.tolist() == values


@pytest.mark.parametrize("make", KINDS)
def test_an_unknown_column_names_those_there_are(make, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        latentspace.load_data(make(tmp_path), label="kind")
    assert "'kind'" in caught.value.found
    assert "coarse_label" in caught.value.found
    assert "fine_label" in caught.value.found


def test_a_column_is_taken_instead_of_class_folders(tmp_path: Path) -> None:
    place = in_class_folders(tmp_path)
    assert latentspace.load_data(place).class_names == ("a", "b")
    assert latentspace.load_data(place, label="coarse_label").class_names == ("0", "1")


def test_no_labels(tmp_path: Path) -> None:
    assert latentspace.load_data(npz(tmp_path), label="none").labels is None
    table = "path,label\n0.png,a\n1.png,\n2.png,b\n3.png,\n4.png,a\n5.png,b\n"
    write_folder(tmp_path / "photos", {**photos(tmp_path), "labels.csv": table.encode()})
    assert len(latentspace.load_data(tmp_path / "photos")) == 4
    assert len(latentspace.load_data(tmp_path / "photos", label="none")) == 6


def test_where_there_are_no_columns_that_is_a_warning(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, random_pixels(6, 8, 8))
    for name, files in (("a", photos(tmp_path)), ("b", {"x.npy": buffer.getvalue()})):
        found = latentspace.load_data(write_folder(tmp_path / name, files), label="kind")
        assert "there is no table of labels" in " ".join(found.record.warnings)
