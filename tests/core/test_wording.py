"""Counts in words, and settings as whoever reads a message writes them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import latentspace
from latentspace.core.errors import DataError
from latentspace.core.wording import counted, decimals, on_command_line, option
from makers import encoded, random_pixels, write_folder
from runner import call

# A number that may be 1, and the plural of what it counts, as "{len(images)} images": that is for `counted`.
BY_HAND = re.compile(
    r"\{(?:len\([^{}]*\)|[\w.]*(?:count|images|epochs|trials|size|least|most|total|evaluated|labels|beyond|_out)"
    r"|[\w.]*\[(?:\d|'\w+')\])(?::,)?\} "
    r"(?:class|(?:image|epoch|label|trial|run|worker|thread|seed|training|number|code|"
    r"component|step|file|set|value)(?=s))"
)
ALWAYS_SEVERAL = ("len(top)", "len(ends)", "LIMIT")


@pytest.mark.parametrize(
    ("count", "thing", "text"),
    [
        (0, "image", "0 images"),
        (1, "image", "1 image"),
        (1234, "image", "1,234 images"),
        (1, "class", "1 class"),
        (2, "class", "2 classes"),
        (2, "font family", "2 font families"),
        (3, "exact copy", "3 exact copies"),
        (3, "day", "3 days"),
        (5, "epoch", "5 epochs"),
        (5, "batch", "5 batches"),
    ],
)
def test_counts_agree_with_their_nouns(count, thing, text):
    assert counted(count, thing) == text


@pytest.mark.parametrize(
    ("setting", "python", "typed"),
    [
        (("resize", (28, 32)), "resize=(28, 32)", "--resize 28x32"),
        (("strict", True), "strict=True", "--strict"),
        (("iwae_samples", 16), "iwae_samples=16", "--iwae-samples 16"),
        (("encoder", "RUN"), "encoder='RUN'", "--encoder RUN"),
        (("out",), "out=...", "--out"),
        (("training.clip_norm", 1), "training={'clip_norm': 1}", "--set training.clip_norm=1"),
        (("training.clip_norm",), "training={'clip_norm': ...}", "--set training.clip_norm=..."),
    ],
)
def test_a_setting_is_written_as_its_reader_writes_it(setting, python, typed):
    assert option(*setting) == python
    with on_command_line():
        assert option(*setting) == typed
    assert option(*setting) == python


def test_one_mistake_in_both_languages(tmp_path):
    write_folder(tmp_path / "set", {"a.png": encoded(random_pixels(9, 8)), "b.png": b"no image"})
    with pytest.raises(DataError) as caught:
        latentspace.load_data(tmp_path / "set", strict=True)
    assert "strict=True" in str(caught.value)
    assert "--" not in str(caught.value)
    _, _, stderr = call(["data", "info", str(tmp_path / "set"), "--strict"])
    assert "--strict" in stderr
    assert "strict=" not in stderr


# What no public function reaches: these speak to the command line alone.
TYPED_ONLY = (
    "cli/",
    "search/",
    "report/",
    "inference/sampling.py",
    "inference/code_paths.py",
    "studies/pipeline.py",
    "studies/foscarin2021/reproduction.py",
    "core/config.py",
)
WRITES_BOTH = "core/wording.py"
SOURCE = Path(latentspace.__file__).parent


def said() -> Iterator[tuple[str, str]]:
    """Each text of the library that is no docstring, and where it stands."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith((*TYPED_ONLY, WRITES_BOTH)):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                yield node.value, f"{name}:{node.lineno}"


def test_what_python_can_reach_names_no_option_but_in_a_whole_command():
    typed = re.compile(r"(^|[ (])--[a-z]")
    found = [
        f"{place}: {text}"
        for text, place in said()
        if typed.search(text) and "latentspace " not in text and " " in text
    ]  # a flag that stands alone is an argument of git's
    assert not found, "wording.option writes it for both"


def test_no_message_counts_by_hand():
    package = Path(latentspace.__file__).parent
    found = [
        f"{path.relative_to(package)}: {match[0]}"
        for path in sorted(package.rglob("*.py"))
        for match in BY_HAND.finditer(path.read_text(encoding="utf-8"))
        if not any(one in match[0] for one in ALWAYS_SEVERAL)
    ]
    assert found == []


def test_a_small_number_has_digits_of_its_own():
    assert [decimals(one) for one in (12.34567, 0.01234, 0.00094273, 0.0)] == [
        "12.3457",
        "0.0123",
        "0.0009427",
        "0.0000",
    ]
    assert decimals(0.004, 2) == "0.00"
