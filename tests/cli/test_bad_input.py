"""Every mistake of a user that we know of: one screen of text, exit code 2, no traceback, nothing written."""

from pathlib import Path

import numpy as np
import pytest

from latentspace.data.imageset import ImageSet
from runner import call


@pytest.fixture
def place(tmp_path: Path, archive: Path, images: ImageSet) -> Path:
    """A folder with one of each bad thing."""
    from PIL import Image

    (tmp_path / "good.npz").write_bytes(archive.read_bytes())
    (tmp_path / "empty").mkdir()
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for number, side in enumerate((16, 16, 20)):
        Image.fromarray(np.zeros((side, side), np.uint8)).save(mixed / f"{number}.png")
    unreadable = tmp_path / "unreadable"
    unreadable.mkdir()
    (unreadable / "a.png").write_bytes(b"not a picture")
    (tmp_path / "cut-idx3-ubyte").write_bytes(
        b"\0\0\x08\x03" + bytes([0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28]) + b"x"
    )
    (tmp_path / "magic-idx3-ubyte").write_bytes(b"\1\2\3\4" + bytes(100))
    np.savez(tmp_path / "shape.npz", images=np.zeros((5, 5), np.uint8))
    np.savez(tmp_path / "dtype.npz", images=np.zeros((5, 16, 16), np.complex64))
    np.savez(tmp_path / "nan.npz", images=np.full((5, 16, 16), np.nan))
    np.savez(tmp_path / "few.npz", images=images.pixels[:3])
    (tmp_path / "bad.toml").write_text("[ae.training]\nepoch = 3\n")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("mine")
    (tmp_path / "file").write_text("")
    return tmp_path


TRAIN = ["train", "ae", "--out", "{}/run", "--data"]
GOOD = [*TRAIN, "{}/good.npz"]
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
    "0 epochs": ([*GOOD, "--epochs", "0"], "training.epochs = 0"),
    "a malformed split": ([*GOOD, "--split", "60/40"], "three positive percentages"),
    "a split that leaves a part empty": ([*TRAIN, "{}/few.npz", "--split", "98/1/1"], "empty"),
    "an unknown model": (["train", "gan", "--data", "{}/good.npz", "--out", "{}/run"], "known kind"),
    "no model": (["train", "--out", "{}/run"], "needs a model"),
    "no place for the run": (["train", "ae", "--data", "{}/good.npz"], "no --out"),
    "an unknown device": ([*GOOD, "--device", "warp"], "this machine has"),
    "a malformed size": ([*GOOD, "--resize", "28"], "HEIGHTxWIDTH"),
    "no run to resume": (["train", "--resume", "{}/empty"], "run directory"),
    "no run to evaluate": (["evaluate", "{}/nowhere"], "run directory"),
    "an unknown part": (["evaluate", "{}/nowhere", "--split", "best"], "train, validation, test or all"),
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
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_explained(case, place):
    arguments, expected = CASES[case]
    before = sorted(place.rglob("*"))
    code, stdout, stderr = call([part.replace("{}", str(place)) for part in arguments])
    assert code == 2, stderr
    assert expected in " ".join(stderr.split()), stderr
    assert "Traceback" not in stderr
    assert stdout == ""
    assert len(stderr.splitlines()) < 24, "more than one screen"
    assert sorted(place.rglob("*")) == before
