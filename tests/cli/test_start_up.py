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


def loaded_by(*calls: list[str | Path]) -> list[set[str]]:
    """What is loaded after each of some calls, one after the other in one process."""
    lines = [json.dumps(list(map(str, arguments))) for arguments in calls]
    done = subprocess.run(
        [sys.executable, "-c", IN_TURN, *lines], capture_output=True, text=True, check=True, timeout=120
    )
    assert "error" not in done.stderr.partition("loaded:")[0]
    said = done.stderr.split("loaded:")[1:]
    return [{name.partition(".")[0] for name in names.split()} for names in said]


def test_looking_at_data_waits_for_pillow_and_matplotlib_alone(archive: Path, tmp_path: Path) -> None:
    (loaded,) = loaded_by(["data", "info", archive, "--picture", tmp_path / "picture.png"])
    assert {"numpy", "matplotlib"} <= loaded
    assert not loaded & (HEAVY - {"numpy", "jaxtyping", "matplotlib", "PIL"})


def test_looking_at_runs_waits_for_no_library_that_it_does_not_need(small_runs) -> None:
    path = small_runs["ae"].path
    seen, evaluated = loaded_by(["runs", path.parent], ["evaluate", path])
    assert not seen & (HEAVY - {"numpy", "jaxtyping", "PIL"})
    # SciPy's test of validation against test images, and PCA beside the run.
    assert "torch" in evaluated
    assert not evaluated & (HEAVY - {"numpy", "jaxtyping", "PIL", "torch", "scipy", "sklearn"})
