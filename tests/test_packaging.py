"""What is declared is what is used, what is pinned covers it, and a wheel holds what the code reads."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from latentspace.core.wording import document

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "latentspace"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Declared, but imported by no file of ours: by name, with the reason.
NOT_IMPORTED: dict[str, str] = {
    "onnxscript": "torch.onnx.export translates a network's operators with it",
    "s3fs": "fsspec loads it for an s3:// address",
    "psycopg": "SQLAlchemy loads it for a postgresql:// address of a study",
}


def normalised(name: str) -> str:
    """The name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required_by(requirements: list[str]) -> set[str]:
    """`["typer>=0.15", "psycopg[binary]>=3"]` -> {"typer", "psycopg"}"""
    return {normalised(re.match(r"[A-Za-z0-9._-]+", one)[0]) for one in requirements}


# Extras that no file of the package imports: the tests do, or the benchmarks.
OUTSIDE = {"test", "benchmark"}
DEPENDENCIES = required_by(PROJECT["dependencies"])
EXTRAS = {name: required_by(listed) for name, listed in PROJECT["optional-dependencies"].items()}


def imported() -> dict[str, list[str]]:
    """The top-level name of every third-party import, and the files that have it."""
    found: dict[str, list[str]] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                if top not in {*sys.stdlib_module_names, "latentspace"}:
                    found.setdefault(top, []).append(str(file.relative_to(SOURCE)))
    return found


distributions = cache(metadata.packages_distributions)  # reads every installed package: seconds


def brought_by(module: str) -> set[str]:
    """The distributions that install a module; of an extra that is not here, that of the same name."""
    return {normalised(one) for one in distributions().get(module, [module])}


def test_every_import_is_brought_by_a_declared_dependency():
    ours = DEPENDENCIES.union(*(listed for name, listed in EXTRAS.items() if name not in OUTSIDE))
    stray = {module: files for module, files in imported().items() if not brought_by(module) & ours}
    assert not stray, "imported, but declared nowhere"


def test_every_declared_dependency_is_imported_or_has_a_reason():
    used = set().union(*map(brought_by, imported()))
    ours = DEPENDENCIES.union(*(listed for name, listed in EXTRAS.items() if name not in OUTSIDE))
    assert ours - used - set(NOT_IMPORTED) == set(), "declared, but imported nowhere"


def test_every_declared_dependency_has_its_line_among_the_decisions():
    text = (ROOT / "docs" / "decisions" / "0011-dependencies.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")}
    assert {name for name in DEPENDENCIES if name not in lines} == set()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normalised(name): version for name, version in pairs}


def test_the_pins_are_names_and_versions_in_order_and_nothing_else():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line) for line in lines)
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower())
    assert len(pins()) == len(lines)


def test_the_pins_cover_what_is_declared():
    declared = DEPENDENCIES.union(*EXTRAS.values())
    assert declared - set(pins()) == set()


def test_the_pins_cover_what_those_bring_in_their_turn():
    """As far as it is installed here, and without the extras of others."""
    todo, seen = sorted(DEPENDENCIES.union(*EXTRAS.values())), set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            requirements = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed, or for another system
        parsed = [Requirement(one) for one in requirements]
        here = [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]
        todo += [normalised(one.name) for one in here]
    assert seen - set(pins()) == set()


def test_what_is_installed_is_what_is_pinned():
    """Else the tests would say nothing about what `make install` gives."""
    differing = {}
    for name in sorted(DEPENDENCIES & set(pins())):
        version = metadata.version(name).partition("+")[0]
        if version != pins()[name]:
            differing[name] = f"{version} here, {pins()[name]} pinned"
    assert not differing


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What is in a wheel, built here by hatchling without the network."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        return set(archive.namelist())


def test_a_wheel_holds_every_file_of_the_package(wheel: set[str]):
    here = {
        f"latentspace/{file.relative_to(SOURCE).as_posix()}"
        for file in SOURCE.rglob("*")
        if file.is_file() and file.suffix != ".pyc" and not file.name.startswith(".")
    }
    brought = {name for name in wheel if name.startswith("latentspace/docs/")}
    assert here == {name for name in wheel if name.startswith("latentspace/")} - brought


def test_a_wheel_brings_the_documentation_that_messages_name(wheel: set[str]):
    sources = [file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py")]
    named = {name for text in sources for name in re.findall(r"""document\(["']([^"']+)["']\)""", text)}
    assert named == {"reference.md", "guide/search.md"}
    assert {f"latentspace/docs/{name}" for name in named} <= wheel
    assert all(Path(document(name)).is_file() for name in named), "in the source tree"
    code = [re.sub(r'""".*?"""|#.*', "", text, flags=re.S) for text in sources]
    assert not [text for text in code if re.search(r"docs/[\w/-]+\.md", text)], "named by a bare path"


@pytest.mark.parametrize(
    "kind", [r"studies/\w+/recipes/\w+\.toml", r"report/\w+\.html\.j2", r"py\.typed", r"cli/main\.py"]
)
def test_a_wheel_holds_what_the_code_reads_at_run_time(wheel: set[str], kind: str):
    assert any(re.fullmatch(f"latentspace/{kind}", name) for name in wheel)


def test_a_wheel_holds_no_tests_and_no_data(wheel: set[str]):
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"latentspace"}
