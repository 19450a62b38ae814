"""Every benchmark can be imported, and what it measures runs: small, and without a look at the times."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from latentspace.search.executors.memory import ENVIRONMENT
from small_search import write_recipe

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(BENCHMARKS.glob("*.py"))


def load(name: str) -> ModuleType:
    path = BENCHMARKS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmarks_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTSPACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_it_can_be_imported(script: Path) -> None:
    assert callable(load(script.stem).main)


@pytest.mark.parametrize("kind", ["ae", "vae", "classifier"])
def test_both_sides_of_the_speed_table_train(kind: str) -> None:
    sides = importlib.import_module("speed.sides")
    for side in (sides.plain, sides.ours):
        epoch: Callable[[], int] = side(kind, 60)
        assert epoch() == 60


def test_both_sides_of_the_speed_table_encode() -> None:
    sides = importlib.import_module("speed.sides")
    assert sides.encode_ours("ae", 30)() == sides.encode_one_by_one("ae", 30)() == 30


def test_growth_measures_a_set() -> None:
    found = load("growth").measure("glyphs:300", "always", 1)
    assert found["images"] == 300
    assert found["us_per_image"] > 0


def test_a_worker_is_watched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)  # so that it is as before after the test
    load("search_memory").main(2, 300, str(write_recipe(tmp_path)))
    assert "trial   1" in capsys.readouterr().out


def test_workers_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    module = load("search_workers")
    module.EPOCHS = 1
    module.main(200, 1)
    assert "two workers of one thread are" in capsys.readouterr().out
