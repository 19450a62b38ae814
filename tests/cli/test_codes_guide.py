"""Each command of the guide to codes is run as written: on letters, and on a folder of colour JPEGs."""

import re
import shlex
import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.data.convert import convert
from latentspace.data.imageset import ImageSet
from makers import encoded, write_folder
from runner import call
from studies import trained

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "codes.md"
LETTERS = Path(__file__).parents[3] / "shared" / "data" / "notmnist"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
LINES = [shlex.split(line, comments=True) for block in BLOCKS for line in block.splitlines()]
COMMANDS = [line[1:] for line in LINES if line]
FEW = ("encode", "reconstruct", "classify", "anomalies")  # that also run on colour


@dataclass(frozen=True)
class Place:
    """A working directory with what the guide speaks of, and which commands are tried in it."""

    folder: Path
    commands: list[list[str]]


def letters() -> ImageSet:
    """A hundred real letters, or rendered ones where these are not there."""
    images = latentspace.load_data(str(LETTERS) if LETTERS.is_dir() else "glyphs:1000")
    rows = [number for label in range(10) for number in np.flatnonzero(images.labels == label)[:10]]
    return images.subset(np.array(rows))


def blots(count: int = 60) -> dict[str, bytes]:
    """JPEGs in colour of two classes: a red or a green blot on noise."""
    rng, files = np.random.default_rng(0), {}
    for number in range(count):
        pixels = rng.integers(0, 60, (24, 24, 3), dtype=np.uint8)
        row, column = rng.integers(2, 14, 2)
        pixels[row : row + 8, column : column + 8, number % 2] += 150
        files[f"{'red' if number % 2 == 0 else 'green'}/{number}.jpg"] = encoded(pixels, "JPEG")
    return files


def furnished(folder: Path, kind: str) -> None:
    """The runs and the images that the guide's commands name."""
    own = folder / "own"
    if kind == "letters":
        convert(letters(), own)
    else:
        write_folder(own, blots())
    files = sorted(one for one in own.rglob("*") if one.is_file())
    few = {"training": {"epochs": 1}}
    for name, task in (("letters", "ae"), ("denoiser", "dae"), ("vae", "vae")):
        trained(task, own, folder / "runs" / name, few)
    trained(
        "classifier",
        own,
        folder / "runs" / "classifier",
        {**few, "encoder": str(folder / "runs" / "letters")},
    )
    for place, chosen in (
        ("photos", files[::3]),
        ("new", files[::5]),
        ("archive", files[::2]),
        ("more", files[1::2]),
    ):
        for one in chosen:
            (folder / place).mkdir(exist_ok=True)
            shutil.copy(one, folder / place / one.name)
    shutil.copytree(folder / "photos", folder / "scans")
    shutil.copy(files[4], folder / "letter.png")


@pytest.fixture(scope="module", params=["letters", "colour"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp(request.param)
    furnished(folder, request.param)
    every = request.param == "letters"
    return Place(folder, COMMANDS if every else [one for one in COMMANDS if one[0] in FEW])


def test_each_command_of_the_guide_runs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    for command in place.commands:
        code, _, stderr = call(command)
        assert code == 0, (command, stderr)
        for name, value in pairwise(command):
            if name in ("--out", "--folders"):
                assert Path(value).exists(), command
    assert len({one[0] for one in place.commands}) >= len(FEW)
