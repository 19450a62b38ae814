"""What a command does not need is not imported before it is asked for."""

import subprocess
import sys
from importlib.metadata import version

import pytest

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


@pytest.mark.parametrize("arguments", ASKED, ids=" ".join)
def test_help_waits_for_no_heavy_library(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.partition(".")[0] for name in done.stderr.partition("loaded:")[2].split()}
    assert {"latentspace", "typer"} <= loaded
    assert not loaded & HEAVY
    assert "latentspace" in done.stdout


def test_the_package_can_be_run() -> None:
    command = [sys.executable, "-m", "latentspace", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == f"latentspace {version('latentspace')}"
