"""What a command does not need is not imported before it is asked for."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HEAVY = {
    "numpy", "torch", "lightning_fabric", "optuna", "sqlalchemy", "sklearn", "scipy", "matplotlib", "PIL",
    "jaxtyping", "pooch", "requests", "jinja2",
}  # fmt: skip
SHOWN = """
import sys
from latentspace.cli.main import main
try:
    main()
finally:
    print("loaded:", *sys.modules, file=sys.stderr)
"""
ASKED = [
    ["--help"],
    ["--version"],
    *([command, "--help"] for command in ("train", "search", "evaluate", "generate", "denoise", "report")),
    ["reproduce", "--help"],
    ["runs", "--help"],
    ["data", "info", "--help"],
]


IN_TURN = """
import json, sys
from latentspace.cli.main import main
for line in sys.argv[1:]:
    sys.argv = ["latentspace", *json.loads(line)]
    try:
        main()
    except SystemExit:
        pass
    print("loaded:", *sys.modules, file=sys.stderr)
    print("printed:", flush=True)
"""


def test_help_waits_for_no_heavy_library() -> None:
    """One process prints them all: what one of them imported, those after it have too."""
    lines = [json.dumps(arguments) for arguments in ASKED]
    done = subprocess.run(
        [sys.executable, "-c", IN_TURN, *lines], capture_output=True, text=True, check=True, timeout=60
    )
    said = zip(ASKED, done.stderr.split("loaded:")[1:], done.stdout.split("printed:")[:-1], strict=True)
    for arguments, names, printed in said:
        loaded = {name.partition(".")[0] for name in names.split()}
        assert {"latentspace", "typer"} <= loaded
        assert not loaded & HEAVY, arguments
        assert "latentspace" in printed, arguments


def test_the_package_can_be_run() -> None:
    command = [sys.executable, "-m", "latentspace", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == f"latentspace {version('latentspace')}"


def loaded_by(*arguments: str | Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {name.partition(".")[0] for name in done.stderr.partition("loaded:")[2].split()}


def test_looking_at_data_waits_for_pillow_and_matplotlib_alone(archive: Path, tmp_path: Path) -> None:
    loaded = loaded_by("data", "info", archive, "--picture", tmp_path / "picture.png")
    assert {"numpy", "matplotlib"} <= loaded
    assert not loaded & (HEAVY - {"numpy", "jaxtyping", "matplotlib", "PIL"})


def test_looking_at_runs_waits_for_no_library_that_it_does_not_need(small_runs) -> None:
    path = small_runs["ae"].path
    assert not loaded_by("runs", path.parent) & (HEAVY - {"numpy", "jaxtyping", "PIL"})
    # SciPy's test of validation against test images, and PCA beside the run.
    evaluated = {"numpy", "jaxtyping", "PIL", "torch", "scipy", "sklearn"}
    assert not loaded_by("evaluate", path) & (HEAVY - evaluated)
