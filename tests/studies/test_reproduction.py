"""The steps of a reproduction: what is done is skipped, what was interrupted goes on, the page comes last."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from latentspace.core.errors import RunError
from latentspace.core.wording import counted
from latentspace.experiment.recipe import Recipe
from latentspace.runs.directory import Run
from latentspace.search.executors.local import LocalExecutor
from latentspace.search.executors.worker import work
from latentspace.search.run import search
from latentspace.search.trials import join
from latentspace.studies.foscarin2021.reproduction import Reproduction
from latentspace.studies.pipeline import SearchStep
from preloaded import quick_workers
from runner import call

pytestmark = pytest.mark.usefixtures("without_drawing")

TINY = """
description = "a test's recipe"
[ae.model]
code_size = 3
conv1_channels = 4
conv2_channels = 4
conv3_channels = 4
neurons = 8
[ae.training]
epochs = 2
batch_size = 30
[dae.model]
code_size = 3
conv1_channels = 4
conv2_channels = 4
conv3_channels = 4
neurons = 8
[dae.training]
epochs = 1
batch_size = 30
[vae.model]
code_size = 3
conv1_channels = 4
conv2_channels = 4
[vae.training]
epochs = 1
batch_size = 30
[classifier.training]
epochs = 2
batch_size = 30
[classifier.model]
linear1_neurons = 8
linear2_neurons = 8
linear3_neurons = 8
"""
SEARCH = """
[{kind}.search]
trials = {trials}
epochs = {epochs}
startup_trials = 1
warmup_steps = 0
[{kind}.search.space]
"training.learning_rate" = {{ low = 1e-3, high = 1e-2, log = true }}
"{setting}" = {{ low = 2, high = 4 }}
"""
SIZES = {"ae": (3, 2), "dae": (1, 1), "classifier": (12, 2), "vae": (1, 1)}  # trials, epochs
TINY += "".join(
    SEARCH.format(
        kind=kind,
        trials=trials,
        epochs=epochs,
        setting="model.linear3_neurons" if kind == "classifier" else "model.code_size",
    )
    for kind, (trials, epochs) in SIZES.items()
)
TRAININGS = ["ae", "dae", "classifier", "classifier-report", "vae", "ae-code-2", "ae-code-32"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TINY)
    return path


@contextmanager
def workers_in_this_process() -> Iterator[None]:
    """Workers that need not import PyTorch first; real ones are started by tests/search."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalExecutor, "submit", lambda self, task: work(task, lambda: False))
        patch.setattr("latentspace.search.run.LOOKING", 0.0)
        yield


@pytest.fixture(scope="module")
def done(recipe: Path, archive: Path) -> tuple[Path, str, str]:
    """The place of a reproduction that was broken off twice and went on; what it printed.

    The first time in its first training, the second time in its first search, with a trial at work.
    """
    out = recipe.with_name("out")
    work = Reproduction(Recipe.load(str(recipe)), out, {"data": {"spec": str(archive)}})
    training, searching = work.steps[:2]
    assert not isinstance(training, SearchStep)
    assert isinstance(searching, SearchStep)
    records = training.records()
    next(records)
    records.close()  # type: ignore[attr-defined]
    study, _ = searching.open()
    with quick_workers(), study, closing(search(study, LocalExecutor(), workers=1)) as going:
        next(one for one in going if one.counted)
    assert searching.done
    assert not searching.is_done
    arguments = ["reproduce", "--recipe", str(recipe), "--data", str(archive), "--out", str(out)]
    with workers_in_this_process():
        code, stdout, stderr = call(arguments)
    assert code == 0, stderr
    return out, stdout, stderr


def test_every_study_is_run_in_order(done):
    out, stdout, stderr = done
    places = [stderr.index(f"{name} epoch ") for name in TRAININGS]
    assert places == sorted(places)
    assert all(Run.open(out / name).finished for name in TRAININGS)
    assert stdout.splitlines()[-1] == str(out / "report.html")


def test_an_interrupted_study_goes_on(done):
    _, _, stderr = done
    assert "going on after epoch 1 of 2" in stderr
    assert "ae epoch 1/2" not in stderr


def test_each_kind_is_searched_after_its_training(done):
    out, _, stderr = done
    for kind, (trials, epochs) in SIZES.items():
        begun = stderr.index(f"search-{kind}: {counted(trials, 'trial')} of {counted(epochs, 'epoch')}")
        assert stderr.index(f"\n{kind} epoch {2 if kind in ('ae', 'classifier') else 1}/") < begun
        with join(out / f"search-{kind}", None) as study:
            assert study.progress().counted == trials
    assert stderr.index("search-classifier: ") > stderr.index("classifier-report epoch 2/2")
    assert Run.open(out / "search-classifier" / "best").encoder_hash == Run.open(out / "ae").weights_hash


def test_an_interrupted_search_goes_on_in_its_place(done):
    out, _, _ = done
    with join(out / "search-ae", None) as study:
        ends = Counter(one.state for one in study.all())
    assert ends["running"] == 0
    assert ends["complete"] + ends["pruned"] == SIZES["ae"][0]


def test_the_best_trials_are_trained_in_full_and_evaluated_once(done):
    out, _, _ = done
    for kind in SIZES:
        run = Run.open(out / f"search-{kind}" / "best")
        assert run.experiment.kind == kind
        assert run.experiment.task.score in run.results()["test"]
        assert (out / f"search-{kind}" / "best.toml").is_file()


def test_the_page_has_a_section_a_search_and_a_link_to_the_whole_of_it(done):
    out, _, _ = done
    html = (out / "report.html").read_text()
    for kind, name in (
        ("ae", "autoencoder"),
        ("dae", "denoising autoencoder"),
        ("vae", "variational autoencoder"),
        ("classifier", "classifier"),
    ):
        (section,) = re.findall(rf">The search: {name}</h2>(.*?)</section>", html, re.DOTALL)
        assert "Best parameters: trial" in section
        assert "the report&#39;s best" in section
        assert "epochs saved by pruning" in section
        for picture in ("Trial by trial", "Epoch by epoch"):
            assert f"{picture}, {name}." in section
        assert f'href="search-{kind}/report.html"' in section
        assert (out / f"search-{kind}" / "report.html").is_file()
    assert "Which settings matter, classifier." in html or "No importances for accuracy" in html
    assert "it takes 10 complete trials to say which settings matter" in html


def test_the_classifiers_stand_on_the_autoencoder_and_differ_in_their_loss(done):
    out, _, _ = done
    plans = [Run.open(out / name).experiment for name in ("classifier", "classifier-report")]
    assert [plan.objective.model_dump()["loss"] for plan in plans] == ["cross-entropy", "report"]
    assert {plan.encoder for plan in plans} == {str((out / "ae").resolve())}
    assert Run.open(out / "ae-code-32").experiment.model.model_dump()["code_size"] == 32


def test_the_page_has_all_thirteen_figures(done):
    out, _, stderr = done
    html = (out / "report.html").read_text()
    assert all(html.count(f"<b>Figure {number}.") == 1 for number in range(1, 14))
    assert "no figure can be compared with the report's" in stderr
    for name in ("ae", "dae", "classifier", "vae"):
        assert (out / name / "report.html").is_file()


def test_what_is_done_is_skipped_and_nothing_is_measured_twice_where_it_was_moved_too(
    done, recipe, archive, tmp_path
):
    """The encoder lies elsewhere then: in the classifiers' plans stands where it was."""
    moved = tmp_path / "moved"
    shutil.copytree(done[0], moved)
    kept = moved.with_name("gone")
    done[0].rename(kept)
    try:
        before = {file: file.stat().st_mtime_ns for file in moved.glob("**/weights.safetensors")}
        before |= {file: file.stat().st_mtime_ns for file in moved.glob("*/journal.log")}
        assert len(before) == 15
        code, stdout, stderr = call(
            ["reproduce", "--recipe", str(recipe), "--data", str(archive), "--out", str(moved)]
        )
        assert code == 0, stderr
        assert stderr.count("has ended already") == 11
        assert "measuring" not in stderr
        assert {file: file.stat().st_mtime_ns for file in before} == before
        assert stdout.splitlines()[-1] == str(moved / "report.html")
        work = Reproduction(Recipe.load(str(recipe)), moved, {"data": {"spec": str(archive)}})
        (step,) = [one for one in work.steps if one.name == "search-classifier"]
        assert isinstance(step, SearchStep)
        study, _ = step.open()  # as if it had been interrupted
        with study:
            assert study.plan.experiment.encoder == str((moved / "ae").resolve())
            assert step.final_training(study).run.finished
        assert not list(moved.glob("search-classifier/best-until-*"))
    finally:
        kept.rename(done[0])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("high = 1e-2", "high = 2e-2", "training.learning_rate is"),
        ("startup_trials = 1", "startup_trials = 2", "startup_trials is 1 there, 2 here"),
    ],
)
def test_a_search_with_another_plan_at_the_same_place_is_refused(done, archive, tmp_path, old, new, said):
    other = tmp_path / "other.toml"
    other.write_text(TINY.replace(old, new))
    code, _, stderr = call(
        ["reproduce", "--recipe", str(other), "--data", str(archive), "--out", str(done[0])]
    )
    assert code == 2
    assert "search-ae must be the study of this recipe" in stderr
    assert said in stderr


def test_another_recipe_at_the_same_place_is_refused(done, recipe, archive, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(TINY.replace("epochs = 2", "epochs = 3", 1))
    arguments = ["reproduce", "--recipe", str(other), "--data", str(archive), "--out", str(done[0])]
    code, _, stderr = call(arguments)
    assert code == 2
    assert "a run with other settings" in stderr


def test_a_dry_run_says_what_and_how_long_and_writes_nothing(recipe, archive, tmp_path):
    out = tmp_path / "out"
    arguments = ["reproduce", "--recipe", str(recipe), "--data", str(archive), "--out", str(out), "--dry-run"]
    code, stdout, stderr = call(arguments)
    assert code == 0, stderr
    for name in (*TRAININGS, *(f"search-{kind}" for kind in SIZES), "in all"):
        assert name in stdout
    assert "0/2 epochs" in stdout
    assert "0/12 trials" in stdout
    assert stdout.count("at most") == 4
    assert "only if no trial is pruned" in stderr
    assert "precision" not in stderr
    assert not out.exists()


def test_a_dry_run_knows_what_is_done(done, recipe, archive):
    code, stdout, _ = call(
        ["reproduce", "--recipe", str(recipe), "--data", str(archive), "--out", str(done[0]), "--dry-run"]
    )
    assert code == 0
    assert stdout.count("done") >= 11
    assert "2/2 epochs" in stdout
    assert "12/12 trials" in stdout


@pytest.mark.parametrize("dry", [["--dry-run"], []], ids=["dry", "real"])
def test_images_of_one_class_are_refused_before_anything_is_trained(recipe, images, tmp_path, dry):
    np.savez(tmp_path / "one.npz", images=images.pixels, labels=np.full(len(images), "only"))
    out = tmp_path / "out"
    arguments = ["reproduce", "--recipe", str(recipe), "--data", str(tmp_path / "one.npz"), "--out", str(out)]
    code, _, stderr = call(arguments + dry)
    assert code == 2
    assert "a classifier needs images of at least two classes" in stderr
    assert not out.exists()


def test_a_page_needs_every_study(recipe, archive, tmp_path):
    work = Reproduction(Recipe.load(str(recipe)), tmp_path / "out", {"data": {"spec": str(archive)}})
    step = work.steps[0]
    assert not isinstance(step, SearchStep)
    for _ in step.records():
        pass
    with pytest.raises(RunError):
        work.page()


@pytest.mark.parametrize("name", ["quick", "homework"])
def test_the_built_in_recipes_name_every_study(name, tmp_path):
    steps = Reproduction(Recipe.load(name), tmp_path, {}).steps
    searched = ["ae", "dae", "classifier", *(["vae"] if name == "quick" else [])]
    assert [step.name for step in steps if not isinstance(step, SearchStep)] == TRAININGS
    found = [step.name for step in steps if isinstance(step, SearchStep)]
    assert found == [f"search-{kind}" for kind in searched]
    if name == "homework":
        assert [step.size for step in steps] == [50, 100, 50, 100, 30, 30, 100, 100, 50, 50]
