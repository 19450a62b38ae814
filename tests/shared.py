"""What the tests share. Shapes are checked in every one of them (`shapes`)."""

import gc
import inspect
import sys
from contextlib import suppress
from importlib import import_module

from hypothesis import settings

import shapes

gc.disable()  # until all is loaded: none of it is garbage
# What one of our modules is the first to import is compiled anew under the hook, not read from its cache.
LIBRARIES = """
    beartype latentspace.training.fabric matplotlib.pyplot optuna pandas pyarrow pydantic rich scipy.stats
    sklearn.decomposition sklearn.manifold sklearn.neighbors torch typer
"""
for library in LIBRARIES.split():
    with suppress(ImportError):  # what another library brings along may be gone one day
        import_module(library)
shapes.install()

from collections.abc import Generator, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

import databases  # noqa: E402
import kept  # noqa: E402, F401
from latentspace.analysis import RunContext, analyse, analyse_growth  # noqa: E402
from latentspace.core.randomness import generator  # noqa: E402
from latentspace.data.batches import Batch  # noqa: E402
from latentspace.data.imageset import ImageSet  # noqa: E402
from latentspace.experiment.config import Experiment  # noqa: E402
from latentspace.figures import style  # noqa: E402
from latentspace.report.page import Page, Section  # noqa: E402
from latentspace.report.run.sections import data_section, section_of  # noqa: E402
from latentspace.runs.directory import Run  # noqa: E402
from latentspace.search.trials import Trials  # noqa: E402
from latentspace.studies.foscarin2021.page import Studies, whole_page  # noqa: E402
from latentspace.studies.foscarin2021.published import REPORT  # noqa: E402
from latentspace.training.train import train  # noqa: E402
from makers import fine, undrawn  # noqa: E402
from materials import make_images  # noqa: E402
from small_search import run_all, small_study  # noqa: E402

PASSWORD = "a: xyzzy@/?"  # of the database's user
NOTMNIST = Path(__file__).parents[2] / "shared" / "data" / "notmnist"


# Figures are saved half as fine, in less time, but for `whole` and for the tests of figures.
style._LOOK["savefig.dpi"] = style.DPI / 2

settings.register_profile("untimed", deadline=None)  # a test is not decided by time
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def _frozen() -> None:
    """What is loaded by now stays: collecting garbage, as after each trial, need not look at it."""
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)  # of whole collections fewer: they took a fiftieth of the time
    gc.enable()


@pytest.fixture(scope="session")
def images() -> ImageSet:
    return make_images()


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, images: ImageSet) -> Path:
    """The images as a file that `--data` takes."""
    path = tmp_path_factory.mktemp("data") / "bars.npz"
    np.savez(path, images=images.pixels, labels=np.array(images.class_names)[images.labels])
    return path


@pytest.fixture(scope="session")
def plan(archive: Path) -> Experiment:
    """An experiment that trains in a fraction of a second."""
    return Experiment.parse(
        {
            "data": {"spec": str(archive)},
            "split": {"near_copies": "off"},  # bars at one place are near copies
            "precision": "32",  # the same on every machine
            "model": {
                "code_size": 3,
                "conv1_channels": 4,
                "conv2_channels": 4,
                "conv3_channels": 4,
                "neurons": 8,
            },
            "training": {"epochs": 3, "batch_size": 25},
            "threads": 1,
        },
        "the test's experiment",
    )


@pytest.fixture(scope="session")
def small_runs(plan: Experiment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A finished run of each kind under its name, and an autoencoder with another code size."""
    folder = tmp_path_factory.mktemp("kinds")
    shared = {"data": plan.data.model_dump(), "split": plan.split.model_dump(), "threads": 1}
    narrow = plan.model.model_dump()
    wide = {"code_size": 3, "conv1_channels": 4, "conv2_channels": 4}
    few = {"epochs": 2, "batch_size": 25}
    head = {"linear1_neurons": 16, "linear2_neurons": 16, "linear3_neurons": 16}
    plans: dict[str, dict[str, Any]] = {
        "ae": {"kind": "ae", "model": narrow, "training": few},
        "dae": {"kind": "dae", "model": narrow, "training": few},
        "vae": {"kind": "vae", "model": wide, "training": few},
        "ae-code-2": {"kind": "ae", "model": {**narrow, "code_size": 2}, "training": few},
        "classifier": {
            "kind": "classifier",
            "model": head,
            "training": {"epochs": 8, "batch_size": 25, "learning_rate": 0.01},
            "encoder": str(folder / "ae"),
        },
    }
    return {
        name: train(Experiment.parse({**shared, **values}, "a test's plan"), folder / name)
        for name, values in plans.items()
    }


@pytest.fixture(scope="session")
def searched(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Trials:
    """A search that has ended, for the tests that look at it."""
    study = small_study(archive, tmp_path_factory.mktemp("searched") / "study")
    run_all(study)
    return study


@pytest.fixture
def batch() -> Batch:
    """What an objective is called with."""
    return Batch(torch.rand(6, 1, 16, 16, generator=generator(0, "sample")))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real server; skipped, saying so, where there is none."""
    with databases.postgresql(PASSWORD) as url:
        yield url


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The code as users run it: without the shape checks of the tests, which torch cannot compile."""
    modules = [one for name, one in sys.modules.items() if name.startswith("latentspace.models.")]
    kinds = [one for module in modules for one in vars(module).values() if inspect.isclass(one)]
    for owner in [*modules, *(one for one in kinds if one.__module__.startswith("latentspace.models."))]:
        for name, function in list(vars(owner).items()):
            if inspect.isfunction(function):
                monkeypatch.setattr(owner, name, inspect.unwrap(function))
    yield
    torch.compiler.reset()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv("LATENTSPACE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def without_drawing() -> Iterator[None]:
    """In this file's tests figures are made, but not rendered."""
    with undrawn():
        yield


@pytest.fixture
def notmnist() -> Path:
    if not NOTMNIST.is_dir():
        pytest.skip("the 8,000 notMNIST images are not here (../shared/data/notmnist)")
    return NOTMNIST


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test logged reaches pytest-xdist's master as text: it cannot send names that are not UTF-8."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode()) for title, text in report.sections
    ]
    return report


@pytest.fixture(scope="session")
def whole(small_runs: dict[str, Run]) -> Page:
    """The page of all studies, gathered and drawn once for the tests that look at it."""
    with fine():  # pictures are as wide as they are for users
        subjects = {name: RunContext.open(run) for name, run in small_runs.items()}
        shown = {
            kind: analyse(subjects[kind], subjects["ae"].run) for kind in ("ae", "dae", "classifier", "vae")
        }
        grown = analyse_growth((subjects["ae"], subjects["ae-code-2"]))
        return whole_page(
            Studies(
                "bars",
                **shown,
                reported=subjects["classifier"],
                growth=grown,
                data=data_section(subjects["ae"], REPORT),
                sections=tuple(section_of(one, REPORT) for one in shown.values()),
                searches=(Section("The search: autoencoder", ("Twelve trials.",)),),
            )
        )
