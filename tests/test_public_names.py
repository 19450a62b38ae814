"""Public names come from `latentspace` alone; a change of this list is a change of the interface."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import latentspace

PUBLIC = [
    "ConvAutoencoder",
    "DenoisingAutoencoder",
    "Evaluation",
    "Experiment",
    "ImageSet",
    "LatentClassifier",
    "LatentspaceError",
    "Recipe",
    "Run",
    "TrainedAutoencoder",
    "TrainedClassifier",
    "VariationalAutoencoder",
    "evaluate",
    "load",
    "load_data",
    "resume",
    "train",
]
REFERENCE = Path(__file__).parents[1] / "docs" / "reference.md"


def test_the_list():
    assert latentspace.__all__ == PUBLIC
    assert dir(latentspace) == PUBLIC


@pytest.mark.parametrize("name", latentspace.__all__)
def test_each_name_can_be_had_and_is_documented(name: str):
    thing = getattr(latentspace, name)
    assert thing.__name__ == name
    own = vars(thing)["__doc__"] if inspect.isclass(thing) else thing.__doc__
    assert own is not None
    assert own.strip()
    assert not own.startswith(f"{name}("), "a dataclass without a docstring gets its signature"
    assert f"`{name}" in REFERENCE.read_text(encoding="utf-8")


def test_another_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        _ = latentspace.fit


def in_a_new_process(code: str) -> set[str]:
    """The modules that are loaded after `code`."""
    code = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_importing_latentspace_alone_waits_for_nothing():
    heavy = {"torch", "numpy", "matplotlib", "sklearn", "scipy", "optuna", "pydantic", "lightning_fabric"}
    assert not heavy & in_a_new_process("import latentspace")


def test_an_error_can_be_caught_without_torch():
    loaded = in_a_new_process("from latentspace import LatentspaceError")
    assert "latentspace.core.errors" in loaded
    assert "torch" not in loaded


def test_the_explorer_waits_for_no_library_that_fits_a_density():
    loaded = in_a_new_process("import latentspace.explorer.contents")
    assert "latentspace.inference.mixtures" in loaded
    assert "sklearn" not in loaded


@pytest.mark.parametrize(
    ("environment", "load", "spins"),
    [
        ({}, 1e9, "1000"),
        ({}, 0, "None"),
        ({"GOMP_SPINCOUNT": "7"}, 1e9, "7"),
        ({"OMP_WAIT_POLICY": "active"}, 1e9, "None"),
    ],
    ids=["a busy machine", "free cores", "a number set", "a policy set"],
)
def test_threads_without_work_sleep_beside_other_programs(environment, load, spins, monkeypatch):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code = f"import os; os.getloadavg = lambda: ({load}, 0, 0); import latentspace"
    code += "; print(os.environ.get('GOMP_SPINCOUNT'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == [spins]
