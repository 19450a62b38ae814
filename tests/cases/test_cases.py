"""Small inputs that real users had: each comes out right, with its exact figure."""

import contextlib
import csv
import json
import os
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import latentspace
from latentspace.runs.directory import Run
from preloaded import quick_workers
from runner import call, done, refused

CASES = Path(__file__).parents[3] / "shared" / "cases"
TINY = ["--epochs", "1", "--device", "cpu", "--threads", "1"]
for setting in ("conv1_channels=4", "conv2_channels=4", "conv3_channels=4", "neurons=8", "code_size=2"):
    TINY += ["--set", f"model.{setting}"]
SMALL_VAE = ["--device", "cpu"]
SMALL_VAE += ["--set", "model.conv1_channels=4", "--set", "model.conv2_channels=4"]

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the users' inputs are not here (../shared/cases)")


def info(case: str, *options: str) -> dict[str, Any]:
    """What `data info --json` says."""
    code, out, err = call(["data", "info", str(CASES / case), "--json", *options])
    assert code == 0, err
    facts: dict[str, Any] = json.loads(out)
    return facts


def said(*arguments: str) -> str:
    """The messages of a command that must end well."""
    code, _, err = call(list(arguments))
    assert code == 0, err
    return " ".join(err.split())


def train(kind: str, case: str, out: Path, *options: str) -> Run:
    done("train", kind, "--data", str(CASES / case), "--out", str(out), *TINY, *options)
    return Run.open(out)


def classifier(place: Path) -> list[str]:
    """The command that trains one on the autoencoder that lies in `place`."""
    return f"train classifier --encoder {place}/ae --out {place}/cl --epochs 1".split()


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def expected(name: str) -> Any:
    return json.loads((CASES / "EXPECTED.json").read_text())[name]


def test_r01_a_tensor_that_cannot_be_double_is_moved_first(capsys: pytest.CaptureFixture[str]):
    runpy.run_path(str(CASES / "r01_apple_mps" / "check.py"), run_name="__main__")
    assert capsys.readouterr().out.strip() == "{'loss': 1.0}"


def test_r02_an_image_set_has_names(tmp_path: Path):
    images = latentspace.load_data(CASES / "r02_names_of_files")
    assert len(images) == 9
    assert images.names == tuple(expected("r02"))


def test_r02_a_command_writes_a_row_a_file(tmp_path: Path):
    train("ae", "ok", tmp_path / "run", "--resize", "32x32")
    out, files = tmp_path / "codes.csv", str(CASES / "r02_names_of_files")
    done("encode", str(tmp_path / "run"), files, "--out", str(out), "--resize", "32x32")
    rows = table(out)
    assert [row["name"] for row in rows] == expected("r02")
    assert all(np.isfinite([float(row[column]) for column in ("c0", "c1", "mse")]).all() for row in rows)


def test_r03_new_files_are_classified(tmp_path: Path):
    train("ae", "r03_classify_new_images/known", tmp_path / "ae")
    done(*classifier(tmp_path))
    out, unknown = tmp_path / "classes.csv", CASES / "r03_classify_new_images" / "unknown"
    done("classify", str(tmp_path / "cl"), str(unknown), "--out", str(out))
    rows = table(out)
    assert sorted(row["name"] for row in rows) == sorted(one.name for one in unknown.iterdir())
    classes = set(latentspace.load_data(CASES / "r03_classify_new_images" / "known").class_names)
    assert {row["class"] for row in rows} <= classes
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)
    latentspace.load(tmp_path / "cl")


def test_r04_a_run_of_colour_takes_grey_ones(tmp_path: Path):
    run = str(tmp_path / "run")
    train("dae", "r04_grey_and_colour/mixed", tmp_path / "run")
    grey = str(CASES / "r04_grey_and_colour" / "only_grey")
    assert json.loads(done("evaluate", run, "--data", grey, "--json"))["images"] == 12
    done("denoise", run, grey, str(tmp_path / "out"))
    assert len(list((tmp_path / "out").glob("*.png"))) == 12


def test_r04_a_run_of_grey_takes_grey_ones_saved_in_colour(tmp_path: Path):
    train("dae", "r04_grey_and_colour/only_grey", tmp_path / "run")
    coloured = str(CASES / "r04_grey_and_colour" / "grey_saved_as_rgb")
    done("denoise", str(tmp_path / "run"), coloured, str(tmp_path / "out"))
    assert len(list((tmp_path / "out").glob("*.png"))) == 12


@pytest.mark.parametrize("kind", ["rgba", "palette"])
def test_r05_ink_on_nothing_stays_visible(kind: str):
    facts = info(f"r05_black_on_transparent/{kind}")
    assert (facts["images"], facts["blank"], facts["duplicate_images"]) == (12, 0, 0)
    assert facts["mean"] == pytest.approx(expected("r05 mean over white"), abs=1e-6)


@pytest.mark.parametrize("form", ["set", "set.zip"])
def test_r06_a_publisher_s_parts_are_joined_and_kept(form: str, tmp_path: Path):
    facts = info(f"r06_train_and_test_folders/{form}")
    assert (facts["images"], facts["per_class"]) == (24, {"cat": 12, "dog": 12})
    images = latentspace.load_data(CASES / "r06_train_and_test_folders" / form)
    assert images.parts is not None
    assert set(images.parts.tolist()) == {0, 2}
    split = train("ae", f"r06_train_and_test_folders/{form}", tmp_path / "run").split
    assert split.test.tolist() == np.flatnonzero(images.parts == 2).tolist()


@pytest.mark.parametrize(
    ("kind", "low_high", "name"),
    [
        ("microscope", "0,4095", "r07 microscope mean, stretched 0..4095"),
        ("ct", "31768,33768", "r07 ct mean, window -1000..1000"),
    ],
)
def test_r07_sixteen_bits_are_stretched(kind: str, low_high: str, name: str):
    facts = info(f"r07_sixteen_bits_that_hold_twelve/{kind}", "--levels", low_high)
    assert facts["mean"] == pytest.approx(expected(name), abs=2e-3)
    assert facts["standard_deviation"] > 0.1
    assert info(f"r07_sixteen_bits_that_hold_twelve/{kind}")["levels"]["used"] > 20
    few = info(f"r07_sixteen_bits_that_hold_twelve/{kind}", "--levels", "full")
    assert few["levels"]["used"] < 20
    assert few["warnings"]


@pytest.mark.parametrize(("name", "images"), [("raw", 30), ("raw/train-images-idx3-ubyte", 20), ("four", 30)])
def test_r08_the_four_files_of_mnist_are_one_set(name: str, images: int):
    facts = info(f"r08_mnist_as_torchvision_leaves_it/{name}")
    assert facts["images"] == images
    assert sum(facts["per_class"].values()) == images


@pytest.mark.parametrize(
    ("name", "classes"), [("chestmnist", 0), ("onehot", 3), ("floats", 3), ("booleans", 2)]
)
def test_r09_labels_do_not_stand_in_the_way(name: str, classes: int):
    facts = info(f"r09_labels_that_block_an_autoencoder/{name}.npz")
    assert (facts["images"], len(facts["per_class"])) == (12, classes)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "png", "images-idx3-ubyte"])
def test_r10_bytes_that_are_0_and_1_are_black_and_white(name: str):
    assert info(f"r10_zeros_and_ones/{name}")["mean"] == pytest.approx(expected("r10 mean of 0/1"), abs=1e-6)


@pytest.mark.parametrize(("name", "classes"), [("dsprites", 0), ("capitals", 3), ("only_one_stack", 0)])
def test_r11_arrays_are_found_by_what_they_are(name: str, classes: int):
    facts = info(f"r11_names_of_arrays/{name}.npz")
    assert (facts["images"], len(facts["per_class"])) == (12, classes)


def test_r12_names_with_backslashes_are_paths():
    facts = info("r12_zip_from_windows/set.zip")
    assert facts["per_class"] == {"cat": 6, "dog": 6}


def test_r14_rows_of_a_square_are_images():
    facts = info("r14_quick_draw/full_numpy_bitmap_cat.npy")
    assert (facts["images"], facts["height"], facts["width"]) == (12, 28, 28)
    facts = info("r14_quick_draw")
    assert (facts["images"], len(facts["per_class"])) == (24, 2)


def test_r15_bytes_in_32_bits_are_bytes():
    facts = info("r15_bytes_in_32_bits")
    assert facts["mean"] == pytest.approx(expected("r15 mean as bytes"), abs=1e-6)


def test_r17_pixels_are_turned_whatever_else_the_exif_holds():
    facts = info("r17_exif_that_cannot_be_written_back")
    found = [facts[key] for key in ("images", "height", "width", "unreadable")]
    assert found == [4, 40, 24, []]


def test_r19_emnist_stands_upright_under_its_letters(tmp_path: Path):
    name = "r19_emnist/emnist-letters-train-images-idx3-ubyte.gz"
    assert list(info(name, "--picture", str(tmp_path / "emnist.png"))["per_class"]) == ["A", "B", "C"]


def test_r20_a_classifier_needs_two_classes(tmp_path: Path):
    train("ae", "r20_one_class/set", tmp_path / "ae")
    err = refused(*classifier(tmp_path))
    assert "two classes" in err
    assert not (tmp_path / "cl").exists()


def test_r21_a_word_is_a_word_whatever_folders_are_there(monkeypatch: pytest.MonkeyPatch):
    from latentspace.cli.options import Reading, data_changes

    monkeypatch.chdir(CASES / "r21_a_folder_named_like_a_word")
    for word in ("glyphs", "notmnist", "auto", ""):
        assert Reading().settings(word) == data_changes(word) == {"spec": word}
    assert Reading().settings("./glyphs")["spec"] == str(Path("glyphs").resolve())


def test_r23_a_cache_that_cannot_be_written_costs_no_fact(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LATENTSPACE_CACHE", "/proc/nowhere")
    facts = info("ok")
    assert (facts["images"], facts["picture"]) == (60, None)


def test_r24_sixty_two_classes_can_be_read(tmp_path: Path):
    train("ae", "r24_sixty_two_classes/set", tmp_path / "ae")
    done(*classifier(tmp_path))
    done("report", str(tmp_path / "cl"))


def test_r25_a_patient_stays_on_one_side(tmp_path: Path):
    run = train("ae", "r25_patients", tmp_path / "run", "--group-by", r"(p\d+)_")
    images = latentspace.load_data(CASES / "r25_patients")
    patients = np.array([Path(name).name.partition("_")[0] for name in images.names])
    sides = [set(patients[run.split.part(part)]) for part in ("train", "validation", "test")]
    assert sum(map(len, sides)) == len(set(patients))


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_r26_other_compressions(compression: str):
    assert info(f"r26_other_compressions/set.tar.{compression}")["images"] == 12


def test_r29_what_a_phone_makes_is_named():
    assert "HEIC" in refused("data", "info", str(CASES / "r29_a_phone" / "only_heic"))


def test_r29_a_class_that_lost_all_images_is_named():
    facts = info("r29_a_phone/classes")
    assert facts["per_class"]["cat"] == 6
    assert any("dog" in warning for warning in facts["warnings"])


def test_r30_a_circle_stays_a_circle():
    images = latentspace.load_data(CASES / "r30_signatures", resize=(32, 32), fit="pad")
    for one in images.pixels[:, 0]:
        ink = one > 128 if one[0, 0] < 128 else one < 128
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        assert abs(int(np.ptp(rows)) - int(np.ptp(columns))) <= 1


def test_r31_cifar_is_read_and_pickles_are_not():
    facts = info("r31_cifar/cifar-10-batches-bin")
    assert (facts["height"], facts["width"], facts["channels"]) == (32, 32, 3)
    for pickled in ("cifar-10-batches-py", "cifar-10-python.tar.gz"):
        err = refused("data", "info", str(CASES / "r31_cifar" / pickled))
        assert "pickle" in err
        assert "binary" in err


def test_r32_tables():
    assert sum(info("r32_tables/photos")["per_class"].values()) == 12
    facts = info("r32_tables/train.csv")
    assert (facts["height"], facts["width"]) == (28, 28)
    assert "HDF5" in refused("data", "info", str(CASES / "r32_tables" / "Galaxy10.h5"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("r33") / "run"
    train("ae", "r33_python/small", out)
    return out


def test_r33_python_says_how_other_data_are_read(small: Path):
    evaluated = latentspace.evaluate(small, data=CASES / "r33_python" / "large", resize=(32, 32))
    assert evaluated.images == 12


def test_r33_channels_last_are_taken(small: Path):
    given = np.load(CASES / "r33_python" / "hwc.npy")
    assert latentspace.load(small).encode(given).shape == (len(given), 2)


@pytest.mark.parametrize("command", [["data", "info"], ["train", "ae", "--data"]])
def test_r35_a_path_that_is_too_long(command: list[str]):
    refused(*command, "x" * 300)


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="the superuser may enter anything")
def test_r35_a_folder_that_may_not_be_entered(tmp_path: Path):
    with shut(tmp_path) as photos:
        refused("data", "info", str(photos))


@contextlib.contextmanager
def shut(place: Path) -> Iterator[Path]:
    """A folder of photos below one that may not be entered."""
    folder = place / "shut"
    shutil.copytree(CASES / "r35_paths_that_cannot_be_asked" / "shut", folder)
    folder.chmod(0)
    try:
        yield folder / "photos"
    finally:
        folder.chmod(0o755)


def test_r36_a_space_of_four_is_exhausted_by_four(tmp_path: Path):
    space = str(CASES / "r36_a_small_space" / "space.toml")
    arguments = ["search", "ae", "--data", str(CASES / "ok"), "--recipe", space, "--out", str(tmp_path / "s")]
    with quick_workers():
        heard = said(*arguments, "--workers", "1", "--no-final")
    assert "4 combinations" in heard or "exhausted" in heard or "all combinations" in heard


def test_r37_a_map_of_late_classes_can_be_drawn(tmp_path: Path):
    from latentspace.figures.codes import code_map, draw_codes

    points = np.random.default_rng(0).random((50, 2))
    late = np.full(50, 25)
    draw_codes(code_map(points, explained=None, labels=late, class_names=tuple(map(str, range(30)))))
    train("ae", "r37_no_picture_of_the_first_twenty_classes/late.npz", tmp_path / "run")
    done("report", str(tmp_path / "run"))


def test_r38_deflate64_is_named():
    assert "Deflate64" in refused("data", "info", str(CASES / "r38_deflate64" / "set.zip"))


def test_ok():
    facts = info("ok")
    assert (facts["images"], facts["per_class"]) == (60, {"a": 30, "b": 30})


def test_c01_one_of_everything(tmp_path: Path):
    folder = tmp_path / "set"
    shutil.copytree(CASES / "c01_one_of_everything", folder, symlinks=True)
    for link, to in (("broken-link.png", "nowhere.png"), ("loop.png", "loop.png")):
        (folder / "10" / link).unlink(missing_ok=True)
        (folder / "10" / link).symlink_to(to)
    facts = info(str(folder))
    assert (facts["images"], facts["per_class"]) == (20, {"1": 8, "2": 8, "10": 4})
    names = {one.partition(":")[0].rpartition("/")[2] for one in facts["unreadable"]}
    assert names == {"empty.png", "short.jpg", "broken-link.png", "loop.png"}
    images = latentspace.load_data(folder)
    assert images.labels is not None
    upright = images.pixels[images.labels == 0].astype(int)
    assert np.abs(upright - upright[0]).max() < 32  # copies in JPEG are not exact


@pytest.mark.parametrize("name", ["escape.zip", "huge.npy", "short.npz", "train-images-idx3-ubyte"])
def test_c02_what_is_hostile_or_damaged_is_refused(name: str):
    refused("data", "info", str(CASES / "c02_hostile_or_damaged" / name))


@pytest.mark.parametrize("name", ["three", "equal"])
def test_c03_too_few_or_all_equal(name: str, tmp_path: Path):
    data = str(CASES / "c03_few_and_equal" / name)
    err = refused("train", "ae", "--data", data, "--out", str(tmp_path / "run"), *TINY)
    assert "copies of one" in err if name == "equal" else "60/20/20" in err
    assert not (tmp_path / "run").exists()


def test_c04_the_term_that_is_no_number_is_named(tmp_path: Path):
    data, out = str(CASES / "c04_vae_that_blows_up"), tmp_path / "run"
    diverging = f"--data {data} --out {out} --epochs 3 --set training.learning_rate=1".split()
    code, _, err = call(["train", "vae", *diverging, *SMALL_VAE])
    assert code == 2
    assert "kl" in err
    assert "learning_rate" in err
    assert not (out / "metrics.jsonl").exists() or "NaN" not in (out / "metrics.jsonl").read_text()
    assert not (out / "weights.safetensors").exists()


def test_c05_codes_of_one_picture_are_the_same_among_others(tmp_path: Path):
    done(
        "train",
        "vae",
        "--data",
        str(CASES / "ok"),
        "--out",
        str(tmp_path / "run"),
        "--epochs",
        "1",
        *SMALL_VAE,
    )
    run, images = latentspace.load(tmp_path / "run"), latentspace.load_data(CASES / "ok")
    codes = run.encode(images)
    assert np.array_equal(codes, run.encode(images))
    assert np.abs(codes[:1] - run.encode(images.pixels[:1])).max() < 1e-5
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert np.abs(codes - run.encode(images)).max() < 1e-5
    finally:
        torch.set_num_threads(threads)
