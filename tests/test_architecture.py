"""docs/architecture.md names every file that is there and no other; packages import as the layers allow."""

import ast
import re
import tomllib
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "latentspace"
DOCUMENT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

# `core/errors.py`, `objectives/*.py`: a path below src/latentspace in code quotes, or a family of files.
NAMED = set(re.findall(r"`([\w/*]+\.(?:py|toml|html\.j2))`", DOCUMENT))
FILES = {
    file.relative_to(SOURCE).as_posix()
    for pattern in ("*.py", "*.toml", "*.j2")
    for file in SOURCE.rglob(pattern)
    if file.stat().st_size or file.name != "__init__.py"
}


def test_every_file_is_named():
    families = [name for name in NAMED if "*" in name]
    unnamed = {file for file in FILES - NAMED if not any(PurePath(file).match(one) for one in families)}
    assert not unnamed, "not named in docs/architecture.md"


def test_every_named_file_exists():
    absent = {name for name in NAMED - FILES if not any(PurePath(file).match(name) for file in FILES)}
    assert not absent, "named in docs/architecture.md, but not there"


def layers() -> list[str]:
    """The packages that import-linter holds, from the top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    found: list[str] = next(one["layers"] for one in settings["contracts"] if one["type"] == "layers")
    return found


def test_every_package_is_a_layer():
    packages = {
        path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert packages - {"__init__"} == set(layers())


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("matplotlib", ["figures/"]),
        ("sklearn", ["estimators/", "evaluation/", "inference/", "search/"]),
        ("typer", ["cli/"]),
        ("rich", ["cli/"]),
        ("optuna", ["search/"]),
        ("sqlalchemy", ["search/"]),
        ("pooch", ["data/catalog/"]),
        ("lightning_fabric", ["training/", "search/"]),
        ("safetensors", ["runs/tensors.py"]),
    ],
)
def test_a_library_is_imported_in_its_place_alone(library: str, places: list[str]):
    wanted = re.compile(rf"^\s*(import|from) {library}\b", re.MULTILINE)
    found = [
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        if wanted.search(file.read_text(encoding="utf-8"))
    ]
    assert found, "imported nowhere"
    assert [file for file in found if not file.startswith(tuple(places))] == []


def test_no_file_is_longer_than_350_lines_and_no_function_than_60():
    long = []
    for file in SOURCE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        name = file.relative_to(SOURCE).as_posix()
        if text.count("\n") > 350:
            long.append(f"{name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60:
                long.append(f"{name}: {node.name}")
    assert long == []


def test_published_numbers_and_words_are_in_studies_alone():
    """The report may be cited elsewhere as a source: "Foscarin 2021"."""
    its_own = re.compile(r"\bthe report's|0\.0272|0\.0283|0\.8958|1\.5658|183\.59|\bhomework\b")
    found = [
        f"{file.relative_to(SOURCE)}: {line.strip()}"
        for file in SOURCE.rglob("*.py")
        if "studies" not in file.relative_to(SOURCE).parts and file.name != "reproduce.py"
        for line in file.read_text(encoding="utf-8").splitlines()
        if its_own.search(line) and "latentspace.studies." not in line
    ]
    assert found == []
