"""docs/architecture.md is the house as it stands: every room is on the plan, and the plan has no other."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "latentspace"
PLAN = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

# `data/readers/idx.py`, `core/errors.py`: a path below src/latentspace in code quotes.
NAMED = set(re.findall(r"`([\w/]+\.(?:py|toml|html\.j2))`", PLAN))
FILES = {
    file.relative_to(SOURCE).as_posix()
    for pattern in ("*.py", "*.toml", "*.j2")
    for file in SOURCE.rglob(pattern)
    if file.stat().st_size or file.name != "__init__.py"
}


def test_every_file_is_on_the_plan():
    assert not FILES - NAMED, "not named in docs/architecture.md"


def test_every_file_on_the_plan_exists():
    assert not NAMED - FILES, "named in docs/architecture.md, but not there"


def floors() -> list[set[str]]:
    """The layers that import-linter holds, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(one["layers"] for one in settings["contracts"] if one["type"] == "layers")
    return [{room.strip(" ()") for room in re.split(r"[|:]", layer)} for layer in layers]


def test_every_top_level_module_stands_on_a_floor():
    rooms = {
        path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} - set().union(*floors()) == set(), "import-linter holds these to nothing"


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("matplotlib", ["figures"]),
        ("sklearn", ["evaluation", "estimators.py", "search"]),
        ("typer", ["cli"]),
        ("rich", ["cli"]),
        ("optuna", ["search"]),
        ("pooch", ["data"]),
        ("lightning_fabric", ["training", "search"]),
        ("safetensors", ["runs/tensors.py"]),
    ],
)
def test_a_library_is_imported_in_its_room_alone(library: str, rooms: list[str]):
    wanted = re.compile(rf"^\s*(import|from) {library}\b", re.MULTILINE)
    found = {
        file.relative_to(SOURCE).parts[0]
        for file in SOURCE.rglob("*.py")
        if wanted.search(file.read_text(encoding="utf-8"))
    }
    assert found <= set(rooms)
