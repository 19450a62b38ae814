"""Hundreds of odd command lines, in this process: code 2 or 0, no traceback, nothing half-written."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from latentspace.cli import console
from latentspace.cli.options import Reading
from makers import encoded, random_pixels, write_zip
from runner import call
from small_search import write_recipe

pytestmark = pytest.mark.usefixtures("without_drawing")

LONG = "x" * 300
PLACES = {
    "nothing": "",
    "a blank": " ",
    "the working directory": ".",
    "the one above": "..",
    "the root": "/",
    "a long name": LONG,
    "a long name below": f"below/{LONG}",
    "a long path": "/".join(["y" * 200] * 25),
    "nobody's home": "~no-such-user/x",
    "bytes that are no text": "odd-\udcff\udcfe",
    "control characters": "odd-\x1b[31m\r\nline",
    "turned writing": "odd-\u202egnp",
    "a minus": "-",
    "a device that is full": "/dev/full",
    "a device without an end": "/dev/zero",
    "a device that is nothing": "/dev/null",
    "no place at all": "/proc/nowhere/x",
    "below a file": "bars.npz/x",
    "a pattern": "*?[a",
    "a word": "glyphs",
    "a colon": "c:x",
    "a password": "postgresql://me:xyzzy@127.0.0.1:1/x",
}
NUMBERS = {
    "nothing": "",
    "zero": "0",
    "below zero": "-1",
    "a fraction": "1.5",
    "too large": "9" * 30,
    "thousands of digits": "9" * 5000,
    "no number": "nan",
    "no end": "inf",
    "a raised digit": "²",
    "an Arabic digit": "٣",
    "a fullwidth digit": "３",
    "a list": "1,2",
    "hexadecimal": "0x10",
    "a word": "many",
    "control characters": "1\x1b[31m\n",
    "bytes that are no text": "\udcff",
}
SIZES = {
    **{name: one for name, one in NUMBERS.items() if name != "nothing"},
    **{f"{name} twice": f"{one}x{one}" for name, one in NUMBERS.items() if len(one) < 100},
    "a cross": "x",
    "three sides": "8x8x8",
    "half": "8x",
    "another cross": "8×8",
    "blanks": " 8 x 8 ",
}
# What is read as images: not the whole disk, and no letters, which would be rendered.
IMAGES = {**{name: one for name, one in PLACES.items() if name != "the root"}, "a word": "glyphs:none"}
WORDS = {name: one for name, one in PLACES.items() if name not in ("a long path", "a word")}

TRAIN = ["train", "ae", "--data", "bars.npz", "--recipe", "small.toml", "--epochs", "1", "--device", "cpu"]
SEARCH = ["search", "ae", "--data", "bars.npz", "--recipe", "small.toml", "--out", "study"]
GENERATE = ["generate", "run", "--count", "2", "--device", "cpu"]
# Where odd values stand, and what they are; of them, every other one.
LINES: tuple[tuple[list[str], dict[str, str]], ...] = (
    ([*TRAIN, "--out", "{}"], PLACES),
    (["train", "--resume", "{}"], PLACES),
    (["train", "ae", "--out", "new", "--data", "nowhere", "--recipe", "{}"], PLACES),
    (["train", "ae", "--out", "new", "--epochs", "1", "--set", "model.width=8", "--data", "{}"], IMAGES),
    (["train", "classifier", "--out", "new", "--encoder", "{}"], PLACES),
    ([*TRAIN, "--out", "new", "--seed", "{}"], NUMBERS),
    (["train", "ae", "--data", "nowhere", "--out", "new", "--epochs", "{}"], NUMBERS),
    ([*TRAIN, "--out", "new", "--threads", "{}"], NUMBERS),
    ([*TRAIN[:-2], "--out", "new", "--device", "{}"], WORDS),
    ([*TRAIN, "--out", "new", "--split", "{}"], {**WORDS, **NUMBERS}),
    ([*TRAIN, "--out", "new", "--fit", "{}"], WORDS),
    ([*TRAIN, "--out", "new", "--set", "{}"], WORDS),
    ([*TRAIN, "--out", "new", "--set", "training.batch_size={}"], NUMBERS),
    ([*TRAIN, "--out", "new", "--set", "model.neurons={}"], NUMBERS),
    (["train", "{}", "--out", "new"], WORDS),
    (["evaluate", "{}"], PLACES),
    (["evaluate", "run", "--data", "{}"], IMAGES),
    (["evaluate", "run", "--split", "{}"], WORDS),
    (["evaluate", "run", "--data", "bars.npz", "--resize", "{}"], SIZES),
    (["report", "{}"], PLACES),
    (["report", "run", "--data", "{}"], IMAGES),
    ([*GENERATE, "--out", "{}"], PLACES),
    ([*GENERATE[:2], "--out", "new", "--count", "{}"], NUMBERS),
    ([*GENERATE[:2], "--out", "new", "--what", "{}"], WORDS),
    (["interpolate", "run", "0", "{}", "--out", "new"], {**IMAGES, **NUMBERS}),
    (["denoise", "run", "{}", "new"], IMAGES),
    (["denoise", "run", "bars.npz", "{}"], PLACES),
    (["runs", "{}"], PLACES),
    (["data", "info", "{}"], IMAGES),
    (["data", "info", "bars.npz", "--picture", "{}"], PLACES),
    (["data", "info", "bars.npz", "--json", "--resize", "{}"], SIZES),
    (["data", "info", "glyphs:{}"], {**NUMBERS, "an Arabic digit": "²"}),
    (["data", "info", "glyphs:10", "--fonts", "{}"], IMAGES),
    (["data", "fetch", "{}"], WORDS),
    (["data", "render", "--count", "1", "--workers", "1", "--fonts", "{}", "--out", "new"], IMAGES),
    (["data", "render", "--count", "{}", "--fonts", "nowhere", "--out", "new"], NUMBERS),
    (["search", "--resume", "--out", "{}"], PLACES),
    ([*SEARCH, "--storage", "{}"], PLACES),
    ([*SEARCH, "--confirm", "{}", "--fit", "none"], SIZES),
    ([*SEARCH, "--objectives", "{}"], WORDS),
    ([*SEARCH, "--trials", "{}", "--fit", "none"], NUMBERS),
    (["reproduce", "--dry-run", "--data", "nowhere", "--recipe", "{}"], PLACES),
    (["reproduce", "--dry-run", "--data", "{}"], IMAGES),
    (["{}"], WORDS),
)
CASES = [
    pytest.param([one.replace("{}", value) for one in line], id=f"{' '.join(line)}: {name}")
    for number, (line, values) in enumerate(LINES)
    for name, value in list(values.items())[number % 2 :: 2]
]


@pytest.fixture(scope="module")
def base(small_runs, archive, tmp_path_factory) -> Path:
    """A folder with images, a recipe and a run in it; what lies above it is one file of text."""
    above = tmp_path_factory.mktemp("odd")
    (above / "notes.md").write_text("no image")
    folder = above / "here"
    folder.mkdir()
    shutil.copytree(small_runs["dae"].path, folder / "run")
    shutil.copy(archive, folder / "bars.npz")
    write_recipe(folder)
    return folder


@pytest.fixture
def here(base, monkeypatch) -> Iterator[Path]:
    """The working directory, in which nothing new is left for the next test."""
    monkeypatch.chdir(base)
    monkeypatch.setenv("LATENTSPACE_CACHE", str(base / "run" / "cache"))
    before = listing(base)
    yield base
    for path in sorted(listing(base) - before, reverse=True):
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)  # noqa: PTH108, PTH112


def listing(folder: Path) -> set[bytes]:
    """All that lies in `folder`, outside of its run."""
    found = set()
    for place, folders, files in os.walk(os.fsencode(folder)):
        if place == os.fsencode(folder):
            folders.remove(b"run")
        found |= {os.path.join(place, name) for name in itertools.chain(folders, files)}  # noqa: PTH118
    return found


@pytest.mark.parametrize("line", CASES)
def test_an_odd_command_line_works_or_is_refused(line, here):
    before = listing(here)
    code, out, err = call(line)
    assert code in (0, 2), err
    assert "Traceback" not in err
    assert "xyzzy" not in err
    assert not any(one in err for one in "\x1b\r\x07\u202e\udcff")
    if code == 2:
        assert "xyzzy" not in out
        assert err.count("\n") < 30
        assert listing(here) == before


ONCE_A_TRACEBACK = {
    "out here": ([*TRAIN, "--out", "."], "of its own"),
    "out nowhere": ([*TRAIN, "--out", ""], "of its own"),
    "out in bytes": ([*TRAIN, "--out", "\udcff"], "not UTF-8: \\xff"),
    "out too long": ([*TRAIN, "--out", LONG], "a name of 300 bytes"),
    "a study in bytes": ([*SEARCH[:-1], "\udcff"], "not UTF-8"),
    "a run too long": (["evaluate", LONG], "File name too long"),
    "data too long": (["data", "info", LONG], "File name too long"),
    "nobody's data": (["data", "info", "~no-such-user/x"], "home of a user"),
    "nobody's fonts": (["data", "info", "glyphs:10", "--fonts", "~no-such-user/x"], "home of a user"),
    "a raised size": (["data", "info", "bars.npz", "--resize", "²x²"], "HEIGHTxWIDTH"),
    "a raised confirmation": ([*SEARCH, "--confirm", "²x²"], "TRIALSxSEEDS"),
    "no picture": (["data", "info", "bars.npz", "--picture", ""], "a figure is saved as"),
    "a picture that is a suffix": (["data", "info", "bars.npz", "--picture", LONG + ".png"], "304 bytes"),
    "a recipe without an end": (
        [*TRAIN[:-6], "--recipe", "/dev/zero", "--out", "new"],
        "more than 1,048,576",
    ),
    "no recipe": (["train", "ae", "--recipe", "", "--out", "new"], "readable TOML"),
    "a shape of truths": (["data", "info", "truth.npy"], "the shape (True, 8, 8)"),
    "more images than numbers": ([*GENERATE[:2], "--count", "9" * 30, "--out", "new"], "at most 1,000,000"),
    "a larger grid": ([*GENERATE[:2], "--what", "grid", "--count", "9" * 30, "--out", "new"], "a side"),
    "an endless walk": ([*GENERATE[:2], "--what", "walk", "--frames", "9" * 30, "--out", "new"], "frames"),
}


@pytest.mark.parametrize("case", ONCE_A_TRACEBACK)
def test_what_once_was_a_traceback_is_explained(case, here):
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (True, 8, 8), }".ljust(117) + b"\n"
    (here / "truth.npy").write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + header + bytes(64))
    before = listing(here)
    line, expected = ONCE_A_TRACEBACK[case]
    code, _, err = call(line)
    assert code == 2
    assert expected in err
    assert listing(here) == before


def test_a_cache_in_nobodys_home_is_explained(here, monkeypatch):
    monkeypatch.setenv("LATENTSPACE_CACHE", "~no-such-user/x")
    code, _, err = call(["data", "info", "glyphs:10"])
    assert code == 2
    assert "home of a user" in err


def test_a_folder_that_may_not_be_entered_is_explained(here, monkeypatch):
    """Root may enter any, so the system's answer is played."""
    ask = Path.stat

    def refuse(path: Path, **how: bool) -> os.stat_result:
        if "shut" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        return ask(path, **how)

    monkeypatch.setattr(Path, "stat", refuse)
    for line in (["data", "info", "shut/x"], ["evaluate", "shut/x"], [*TRAIN, "--out", "shut/x"]):
        code, _, err = call(line)
        assert code == 2
        assert "Permission denied" in err


def test_a_training_that_has_no_memory_left_says_what_to_make_smaller(here, monkeypatch):
    def learn(*_: object) -> Iterator[None]:
        torch.empty(2**50, dtype=torch.uint8)
        yield

    monkeypatch.setattr("latentspace.training.train.learn", learn)
    code, _, err = call([*TRAIN, "--out", "new"])
    assert code == 2
    assert "a training must fit in memory" in err
    assert "training.batch_size" in err


def test_images_that_do_not_fit_in_memory_are_named(here, monkeypatch):
    write_zip(
        here / "letters.zip", {"a.png": encoded(random_pixels(9, 9)), "b.png": encoded(random_pixels(9, 9))}
    )
    monkeypatch.setattr("latentspace.data.readers.collect.np.empty", no_memory)
    code, _, err = call(["data", "info", "letters.zip"])
    assert code == 2
    assert "the images of" in err
    assert "letters.zip must fit in memory" in err
    assert "--resize" in err


def no_memory(*_: object, **__: object) -> None:
    raise MemoryError


def test_any_other_command_that_has_no_memory_left_says_so(here, monkeypatch):
    monkeypatch.setattr("latentspace.runs.table.find_runs", no_memory)
    code, _, err = call(["runs"])
    assert code == 2
    assert "a command must fit in memory" in err


def test_a_second_request_to_end_changes_nothing(here, monkeypatch):
    def ended_again(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("latentspace.runs.table.find_runs", ended_again)
    monkeypatch.setattr(console, "note", ended_again)
    before = signal.getsignal(signal.SIGTERM)
    assert call(["runs"])[0] == 143
    assert signal.getsignal(signal.SIGTERM) == before


def outcome(command: str, folder: Path, out: int, err: int) -> tuple[int, str]:
    """Exit code and messages of `latentspace` with these files to print to."""
    done = subprocess.run(
        [sys.executable, "-m", "latentspace", *command.split()],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr or ""


@pytest.mark.parametrize("command", ["runs . --json", "--help"])
def test_a_closed_pipe_ends_quietly(command, base):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert outcome(command, base, writer, subprocess.PIPE) == (141, "")
    finally:
        os.close(writer)


def test_a_pipe_of_messages_that_is_closed_ends_too(base):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert outcome("runs --nothing", base, writer, writer)[0] == 141
    finally:
        os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_an_output_that_is_full_is_explained(base):
    with Path("/dev/full").open("w") as full:
        code, err = outcome("runs . --json", base, full.fileno(), subprocess.PIPE)
        assert code == 2
        assert "No space left on device" in err
        assert "Traceback" not in err
        assert outcome("--version", base, full.fileno(), full.fileno())[0] == 2


def test_a_folder_named_like_a_word_does_not_hide_the_word(here):
    for name in ("glyphs", "notmnist", "auto"):
        (here / name).mkdir()
        assert Reading().settings(name) == {"spec": name}
        assert Reading().settings(f"./{name}") == {"spec": str(here / name)}
    assert Reading().settings("glyphs:20") == {"spec": "glyphs:20"}
    assert Reading().settings("bars.npz") == {"spec": str(here / "bars.npz")}
    (here / "glyphs" / "a.png").write_bytes(encoded(random_pixels(9, 9)))
    code, out, _ = call(["data", "info", "./glyphs", "--json"])
    assert (code, json.loads(out)["images"]) == (0, 1)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc, in which nothing can be made")
def test_a_cache_that_cannot_be_written_costs_no_fact(here, monkeypatch):
    monkeypatch.setenv("LATENTSPACE_CACHE", "/proc/nowhere")
    code, out, _ = call(["data", "info", "bars.npz", "--json"])
    assert code == 0
    assert (json.loads(out)["images"], json.loads(out)["picture"]) == (120, None)
    code, out, err = call(["data", "info", "glyphs:20", "--json"])
    assert (code, json.loads(out)["images"]) == (0, 20)
    assert "could not be kept in the cache" in err
