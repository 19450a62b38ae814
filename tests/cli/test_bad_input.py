"""Every mistake of a user that we know of: one screen of text, exit code 2, no traceback, nothing written."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentspace.data.imageset import ImageSet
from makers import files_of, write_folder
from materials import make_images
from runner import call
from small_search import small_study
from studies import trained

TRAIN = ["train", "ae", "--out", "{}/run", "--data"]
GOOD = [*TRAIN, "{}/good.npz"]
VAE = ["generate", "{}/vae", "--out", "{}/out"]
SPACE = '[ae.search]\n[ae.search.space]\n"{}" = {}\n'
RECIPES = {
    "bad": "[ae.training]\nepoch = 3\n",
    "deep": "a = " + "[" * 50_000,
    "inverted": SPACE.format("model.code_size", "{ low = 4, high = 2 }"),
    "empty": SPACE.format("training.optimizer", "{ choices = [] }"),
    "logarithm": SPACE.format("training.learning_rate", "{ low = 0, high = 1, log = true }"),
    "unknown": SPACE.format("model.layers", "{ low = 1, high = 2 }"),
    "impossible": SPACE.format("model.code_size", "{ low = 0, high = 2 }"),
    "nothing": "[ae.search]\n[ae.search.space]\n",
    "narrow": SPACE.format("model.code_size", "{ low = 2, high = 4 }") + "[ae.training]\nbatch_size = 30\n",
}
NEW = ["search", "ae", "--data", "{}/good.npz", "--out", "{}/new"]
OLD = ["search", "ae", "--data", "{}/good.npz", "--out", "{}/old/study"]
OLD_RECIPE = ["--recipe", "{}/old/small.toml"]
NARROW = ["--recipe", "{}/narrow.toml"]
THERE = ["--out", "{}/old/study", "--resume"]
CASES = {
    "a missing path": ([*TRAIN, "{}/nowhere"], "path that exists"),
    "an empty folder": ([*TRAIN, "{}/empty"], "empty"),
    "mixed sizes": ([*TRAIN, "{}/mixed"], "--resize"),
    "no readable image": ([*TRAIN, "{}/unreadable"], "a.png"),
    "IDX cut short": ([*TRAIN, "{}/cut-idx3-ubyte"], "cut-idx3-ubyte"),
    "IDX with a wrong magic number": ([*TRAIN, "{}/magic-idx3-ubyte"], "magic"),
    "npz of a wrong shape": ([*TRAIN, "{}/shape.npz"], "(5, 5)"),
    "npz of a wrong dtype": ([*TRAIN, "{}/dtype.npz"], "complex64"),
    "npz with NaN": ([*TRAIN, "{}/nan.npz"], "NaN"),
    "an unwritable output": (
        ["train", "ae", "--data", "{}/good.npz", "--out", "{}/file/run"],
        "must be writable",
    ),
    "an output that is taken": (["train", "ae", "--data", "{}/good.npz", "--out", "{}/taken"], "--resume"),
    "an unknown recipe": ([*GOOD, "--recipe", "slow"], "homework"),
    "an unknown recipe key": ([*GOOD, "--recipe", "{}/bad.toml"], "ae.training.epoch is not a known key"),
    "an unknown setting": ([*GOOD, "--set", "training.epoch=3"], "training.epoch is not a known key"),
    "a setting without a value": ([*GOOD, "--set", "training.epochs"], "KEY=VALUE"),
    "code size 0": ([*GOOD, "--set", "model.code_size=0"], "model.code_size = 0"),
    "0 minutes": ([*GOOD, "--minutes", "0"], "training.minutes = 0"),
    "minutes and epochs": ([*GOOD, "--minutes", "1", "--epochs", "3"], "leave one of them out"),
    "an augmentation that does not exist": ([*GOOD, "--augment", "spin"], "training.augment = 'spin'"),
    "extra images that are not there": ([*GOOD, "--extra", "{}/nowhere"], "path that exists"),
    "a search by minutes": (
        [*NEW, "--set", "training.minutes=1"],
        "one number of epochs",
    ),
    "0 epochs": ([*GOOD, "--epochs", "0"], "training.epochs = 0"),
    "a malformed split": ([*GOOD, "--split", "60/40"], "three positive percentages"),
    "a split that leaves a part empty": ([*TRAIN, "{}/few.npz", "--split", "98/1/1"], "empty"),
    "an unknown model": (
        ["train", "gan", "--data", "{}/good.npz", "--out", "{}/run"],
        "a known one",
    ),
    "an unknown preset": (
        ["train", "ae", "--preset", "reprot", "--data", "{}/good.npz", "--out", "{}/run"],
        "did you mean 'report'?",
    ),
    "a setting of no network": ([*GOOD, "--set", "model.neuron=8"], "model.neuron is not a known key"),
    "a code larger than the image": ([*GOOD, "--code-size", "300"], "300 numbers for an image of 256"),
    "another preset beside a resume": (["train", "--resume", "{}/begun", "--preset", "best"], "stands alone"),
    "settings of an unknown preset": (["settings", "--preset", "worst"], "default, fast, best, report"),
    "no task": (["train", "--out", "{}/run"], "needs a task"),
    "no place for the run": (["train", "ae", "--data", "{}/good.npz"], "no --out"),
    "an unknown device": ([*GOOD, "--device", "warp"], "this machine has"),
    "a malformed size": ([*GOOD, "--resize", "28"], "HEIGHTxWIDTH"),
    "no run to resume": (["train", "--resume", "{}/empty"], "run directory"),
    "no run to evaluate": (["evaluate", "{}/nowhere"], "run directory"),
    "an unknown part": (
        ["evaluate", "{}/nowhere", "--split", "best"],
        "--split takes one of: train, validation, test, all",
    ),
    "no run to report": (["report", "{}/empty"], "run directory"),
    "glyphs that are no number": ([*TRAIN, "glyphs:many"], "whole number"),
    "no glyphs": (["data", "info", "glyphs:0"], "whole number"),
    "fonts that are not there": ([*TRAIN, "glyphs:100", "--fonts", "{}/nowhere"], "nowhere"),
    "glyphs into a full folder": (["data", "render", "--count", "10", "--out", "{}/taken"], "empty folder"),
    "a set that cannot be fetched": (["data", "fetch", "imagenet"], "notmnist"),
    "an unknown command": (["trane"], "No such command"),
    "an unknown option": ([*GOOD, "--epoch", "3"], "--epoch"),
    "a word for a number": ([*GOOD, "--epochs", "many"], "valid integer"),
    "strict with an unreadable image": ([*TRAIN, "{}/unreadable", "--strict"], "a.png"),
    "a network that is too large": (
        [*GOOD, "--preset", "report", "--set", "model.neurons=2000000000"],
        "can hold",
    ),
    "a recipe too deep": ([*GOOD, "--recipe", "{}/deep.toml"], "must be TOML"),
    "a recipe that is a folder": ([*GOOD, "--recipe", "{}/empty"], "readable TOML"),
    "a number of thousands of digits": ([*GOOD, "--set", "seed=" + "9" * 5000], "seed"),
    "a classifier without an encoder": (
        ["train", "classifier", "--data", "{}/good.npz", "--out", "{}/run"],
        "needs the run of an encoder",
    ),
    "a classifier on a classifier": (
        ["train", "classifier", "--encoder", "{}/classifier", "--out", "{}/run"],
        "needs the run of an autoencoder",
    ),
    "labels missing": (["train", "classifier", "--encoder", "{}/unlabelled", "--out", "{}/run"], "labels"),
    "data gone": (["evaluate", "{}/orphan"], "must be where they were"),
    "data gone before it is resumed": (["train", "--resume", "{}/begun"], "a path that exists"),
    "colour for a grey run": (["evaluate", "{}/ae", "--data", "{}/colour"], "--channels 1"),
    "options without data": (["evaluate", "{}/ae", "--strict"], "add --data"),
    "a part of other images": (
        ["evaluate", "{}/ae", "--data", "{}/other.npz", "--split", "test"],
        "no such part",
    ),
    "damaged weights": (["evaluate", "{}/damaged"], "weights.safetensors must be whole"),
    "a study that is a run": (
        ["search", "ae", "--data", "{}/good.npz", *NARROW, "--out", "{}/ae", "--resume"],
        "must be new or empty",
    ),
    # generate
    "generate: a classifier": (
        ["generate", "{}/classifier", "--out", "{}/out"],
        "needs the run of an autoencoder",
    ),
    "generate: no run": (["generate", "{}/nowhere", "--out", "{}/out"], "must be a run directory"),
    "generate: no place": (["generate", "{}/vae"], "--out"),
    "generate: a place that is taken": (["generate", "{}/vae", "--out", "{}/ae"], "nothing is overwritten"),
    "generate: an unknown kind of picture": ([*VAE, "--what", "dream"], "samples, grid, walk"),
    "generate: count 0": ([*VAE, "--count", "0"], "at least one image"),
    "generate: a negative count": ([*VAE, "--count", "-3"], "at least one image"),
    "generate: a grid of none": ([*VAE, "--what", "grid", "--count", "0"], "at least one image a side"),
    "generate: a dimension out of range": ([*VAE, "--what", "grid", "--dimensions", "0,3"], "lie in 0..2"),
    "generate: the same dimension twice": ([*VAE, "--what", "grid", "--dimensions", "1,1"], "must differ"),
    "generate: dimensions that are no numbers": (
        [*VAE, "--what", "grid", "--dimensions", "a,b"],
        "--dimensions=0,1",
    ),
    "generate: one dimension": (
        [*VAE, "--what", "grid", "--dimensions", "1"],
        "two whole numbers with a comma",
    ),
    "generate: a malformed range": ([*VAE, "--what", "grid", "--range", "wide"], "--range takes two numbers"),
    "generate: a range the wrong way round": (
        [*VAE, "--what", "grid", "--range=2,-2"],
        "the lower one first",
    ),
    "generate: a range without an end": ([*VAE, "--what", "grid", "--range=0,inf"], "two finite numbers"),
    "generate: a range far outside": ([*VAE, "--what", "grid", "--range=-1e38,1e38"], "in -1e+09..1e+09"),
    "generate: dimensions that are no whole numbers": (
        [*VAE, "--what", "grid", "--dimensions", "1e3,2"],
        "two whole numbers",
    ),
    "interpolate: one image": (["interpolate", "{}/vae", "1", "--out", "{}/out"], "B"),
    "interpolate: an image out of range": (
        ["interpolate", "{}/vae", "0", "24", "--out", "{}/out"],
        "lies in 0..23",
    ),
    "interpolate: an image that is not there": (
        ["interpolate", "{}/vae", "0", "nowhere.png", "--out", "{}/out"],
        "a path that exists",
    ),
    "generate: a walk of one frame": ([*VAE, "--what", "walk", "--frames", "1"], "at least two frames"),
    "generate: an option of another picture": (
        [*VAE, "--range=0,1"],
        "--what samples takes only --count, --seed",
    ),
    "generate: data gone": (["generate", "{}/orphan", "--out", "{}/out"], "must be where they were"),
    "evaluate: K = 0": (["evaluate", "{}/vae", "--iwae-samples", "0"], "at least one sample"),
    # denoise
    "denoise: a classifier": (
        ["denoise", "{}/classifier", "{}/scans", "{}/out"],
        "needs the run of an autoencoder",
    ),
    "denoise: no run": (["denoise", "{}/scans", "{}/scans", "{}/out"], "must be a run directory"),
    "denoise: no images": (["denoise", "{}/dae", "{}/nowhere", "{}/out"], "a path that exists"),
    "denoise: an empty folder": (["denoise", "{}/dae", "{}/empty", "{}/out"], "an empty folder"),
    "denoise: colour": (["denoise", "{}/dae", "{}/colour", "{}/out"], "--channels 1"),
    "denoise: a malformed size": (
        ["denoise", "{}/dae", "{}/large", "{}/out", "--resize", "16"],
        "HEIGHTxWIDTH",
    ),
    "denoise: a place that is taken": (
        ["denoise", "{}/dae", "{}/scans", "{}/taken"],
        "nothing is overwritten",
    ),
    "denoise: a place that is a file": (
        ["denoise", "{}/dae", "{}/scans", "{}/taken/mine"],
        "nothing is overwritten",
    ),
    "denoise: no place": (["denoise", "{}/dae", "{}/scans"], "no OUT"),
    "denoise: two places": (
        ["denoise", "{}/dae", "{}/scans", "{}/out", "--out", "{}/other"],
        "needs one place",
    ),
    # search
    "search: an inverted range": ([*NEW, "--recipe", "{}/inverted.toml"], "4 is above 2"),
    "search: an empty range": ([*NEW, "--recipe", "{}/empty.toml"], "at least 1"),
    "search: a logarithm of zero": ([*NEW, "--recipe", "{}/logarithm.toml"], "begins above 0"),
    "search: no space": ([*NEW, "--recipe", "{}/nothing.toml"], "at least 1"),
    "search: an unknown parameter": ([*NEW, "--recipe", "{}/unknown.toml"], "layers is not a known key"),
    "search: a range with impossible values": ([*NEW, "--recipe", "{}/impossible.toml"], "code_size = 0"),
    "search: nothing left to search": (
        [*NEW, *NARROW, "--set", "model.code_size=3"],
        "each setting of the space is fixed",
    ),
    "search: published parameters outside": ([*NEW, *NARROW, "--published"], "code_size = 10"),
    "search: a task without a space": (
        ["search", "vae", "--preset", "report", "--data", "{}/good.npz", "--out", "{}/new"],
        "there is no default",
    ),
    "search: an unknown task": (
        ["search", "gan", "--data", "{}/good.npz", "--out", "{}/new"],
        "a known one",
    ),
    "search: no task": (["search", "--data", "{}/good.npz", "--out", "{}/new"], "needs a task"),
    "search: no place": (["search", "ae", "--data", "{}/good.npz"], "no --out"),
    "search: no trials": ([*NEW, *NARROW, "--trials", "0"], "trials = 0"),
    "search: a storage that is no URL": ([*NEW, *NARROW, "--storage", "here"], "takes the URL"),
    "search: a storage that cannot be reached": (
        [*NEW, *NARROW, "--storage", "sqlite:////nowhere/x.db"],
        "must be there, and writable",
    ),
    "search: an unknown objective": ([*NEW, *NARROW, "--objectives", "mse,beauty"], "beauty"),
    "search: an objective twice": ([*NEW, "--objectives", "mse,mse"], "named once"),
    "search: a confirmation of a front": (
        [*NEW, "--objectives", "mse,weights", "--confirm", "3x3"],
        "no best one",
    ),
    "search: an executor that is none": ([*NEW, "--engine", "nobody"], "the engine must be a known one"),
    "search: a malformed confirmation": ([*NEW, "--confirm", "3"], "TRIALSxSEEDS"),
    "search: malformed parts": ([*NEW, "--learn-from", "test"], "train or train+validation"),
    "search: a malformed fit": ([*NEW, "--fit", "test"], "data.fit"),
    "search: a study that is there": ([*OLD, *OLD_RECIPE, "--seed", "3"], "--resume"),
    "search: another space": ([*OLD, "--resume", "--recipe", "{}/narrow.toml", "--seed", "3"], "space:"),
    "search: another seed": ([*OLD, "--resume", "--seed", "4"], "seed is 3 there, 4 here"),
    "search: other objectives": ([*OLD, "--resume", "--objectives", "mse,weights"], "['minimize'] there"),
    "search: another preset": ([*OLD, "--resume", "--preset", "fast"], "fast here, report there"),
    "search: other epochs": ([*OLD, "--resume", "--epochs", "9"], "epochs is 3 there, 9 here"),
    "search: another kind": (["search", "dae", *THERE], "dae here, ae there"),
    "search: other images": (["search", "--data", "{}/other.npz", *THERE], "content_hash"),
    "search: a setting fixed too late": ([*OLD, "--resume", "--set", "model.code_size=3"], "model.code_size"),
    "search: nothing to resume": ([*NEW, *NARROW, "--resume"], "begin one without --resume"),
    "search: a place that is taken": (
        ["search", "ae", *NARROW, "--data", "{}/good.npz", "--out", "{}/taken"],
        "be new",
    ),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, archive: Path, images: ImageSet) -> Path:
    """A folder with one of each bad thing, and runs to mistake; no case changes it."""
    place = tmp_path_factory.mktemp("bad")
    good = place / "good.npz"
    good.write_bytes(archive.read_bytes())
    (place / "empty").mkdir()
    (place / "taken").mkdir()
    (place / "taken" / "mine").write_text("mine")
    (place / "file").write_text("")
    _bad_data(place, images)
    for name, text in RECIPES.items():
        (place / f"{name}.toml").write_text(text)
    _runs(place, good, images)
    (place / "old").mkdir()
    small_study(good, place / "old" / "study")
    return place


def _bad_data(place: Path, images: ImageSet) -> None:
    write_folder(place / "unreadable", {"a.png": b"not a picture"})
    (place / "mixed").mkdir()
    for number, side in enumerate((16, 16, 20)):
        Image.fromarray(np.zeros((side, side), np.uint8)).save(place / "mixed" / f"{number}.png")
    sizes = bytes([0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28])
    (place / "cut-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + sizes + b"x")
    (place / "magic-idx3-ubyte").write_bytes(b"\1\2\3\4" + bytes(100))
    np.savez(place / "shape.npz", images=np.zeros((5, 5), np.uint8))
    np.savez(place / "dtype.npz", images=np.zeros((5, 16, 16), np.complex64))
    np.savez(place / "nan.npz", images=np.full((5, 16, 16), np.nan))
    np.savez(place / "few.npz", images=images.pixels[:3])
    np.savez(place / "other.npz", images=images.pixels[::-1])
    write_folder(place / "scans", files_of(make_images(6)))
    write_folder(place / "large", files_of(make_images(3, side=24)))
    write_folder(place / "colour", files_of(make_images(3, channels=3)))


def _runs(place: Path, good: Path, images: ImageSet) -> None:
    once = {"training": {"epochs": 1}}
    trained("ae", good, place / "ae", once)
    trained("dae", good, place / "dae", once)
    trained("vae", good, place / "vae", once)
    trained("classifier", good, place / "classifier", {"encoder": str(place / "ae"), **once})
    np.savez(place / "unlabelled.npz", images=images.pixels)
    trained("ae", place / "unlabelled.npz", place / "unlabelled", once)
    shutil.copy(good, place / "gone.npz")
    trained("ae", place / "gone.npz", place / "orphan", once)
    shutil.copytree(place / "orphan", place / "begun", ignore=shutil.ignore_patterns("weights.safetensors"))
    (place / "gone.npz").unlink()
    shutil.copytree(place / "ae", place / "damaged")
    weights = place / "damaged" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


def state_of(place: Path) -> dict[Path, int]:
    """Every file and its time of change; locks are no content."""
    return {file: file.stat().st_mtime_ns for file in sorted(place.rglob("*")) if file.suffix != ".lock"}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_explained(case, place):
    arguments, expected = CASES[case]
    before = state_of(place)
    code, stdout, stderr = call([part.replace("{}", str(place)) for part in arguments])
    assert code == 2, stderr
    assert expected in " ".join(stderr.split()), stderr
    assert "Traceback" not in stderr
    assert stdout == ""
    assert len(stderr.splitlines()) < 24, "more than one screen"
    assert state_of(place) == before
