"""The steps of a reproduction: what is done is skipped, what was interrupted goes on, the page comes last."""

from pathlib import Path

import pytest

from latentspace.errors import RunError
from latentspace.experiment import Recipe
from latentspace.reproduction import Reproduction
from latentspace.runs import Run
from runner import call

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
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def done(recipe: Path, archive: Path) -> tuple[Path, str, str]:
    """The place of a reproduction that was broken off in its first study and went on; what it printed."""
    out = recipe.with_name("out")
    changes = {"data": {"spec": str(archive)}}
    records = Reproduction(Recipe.load(str(recipe)), out, changes).steps[0].records()
    next(records)
    records.close()  # type: ignore[attr-defined]
    code, stdout, stderr = call(
        ["reproduce", "--recipe", str(recipe), "--data", str(archive), "--out", str(out)]
    )
    assert code == 0, stderr
    return out, stdout, stderr


def test_every_study_is_run_in_order(done):
    out, stdout, stderr = done
    names = ["ae", "dae", "classifier", "classifier-report", "vae", "ae-code-2", "ae-code-32"]
    places = [stderr.index(f"{name} epoch ") for name in names]
    assert places == sorted(places)
    assert all(Run.open(out / name).finished for name in names)
    assert stdout.splitlines()[-1] == str(out / "report.html")


def test_an_interrupted_study_goes_on(done):
    _, _, stderr = done
    assert "going on after epoch 1 of 2" in stderr
    assert "ae epoch 1/2" not in stderr


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


def test_what_is_done_is_skipped_and_nothing_is_measured_twice(done, recipe, archive):
    out, _, _ = done
    before = {file: file.stat().st_mtime_ns for file in out.glob("*/weights.safetensors")}
    code, _, stderr = call(["reproduce", "--recipe", str(recipe), "--data", str(archive), "--out", str(out)])
    assert code == 0
    assert stderr.count("has ended already") == 7
    assert "measuring" not in stderr
    assert {file: file.stat().st_mtime_ns for file in out.glob("*/weights.safetensors")} == before


def test_another_recipe_at_the_same_place_is_refused(done, recipe, archive, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(TINY.replace("epochs = 2", "epochs = 3"))
    arguments = ["reproduce", "--recipe", str(other), "--data", str(archive), "--out", str(done[0])]
    code, _, stderr = call(arguments)
    assert code == 2
    assert "a run with other settings" in stderr


def test_a_dry_run_says_what_and_how_long_and_writes_nothing(recipe, archive, tmp_path):
    out = tmp_path / "out"
    arguments = ["reproduce", "--recipe", str(recipe), "--data", str(archive), "--out", str(out), "--dry-run"]
    code, stdout, stderr = call(arguments)
    assert code == 0, stderr
    for name in ("ae", "classifier-report", "vae", "ae-code-32", "in all"):
        assert name in stdout
    assert "0/2" in stdout
    assert not out.exists()


def test_a_dry_run_knows_what_is_done(done, recipe, archive):
    code, stdout, _ = call(
        ["reproduce", "--recipe", str(recipe), "--data", str(archive), "--out", str(done[0]), "--dry-run"]
    )
    assert code == 0
    assert stdout.count("done") >= 7
    assert "2/2" in stdout


def test_a_page_needs_every_study(recipe, archive, tmp_path):
    work = Reproduction(Recipe.load(str(recipe)), tmp_path / "out", {"data": {"spec": str(archive)}})
    for _ in work.steps[0].records():
        pass
    with pytest.raises(RunError):
        work.page()


@pytest.mark.parametrize("name", ["quick", "homework"])
def test_the_built_in_recipes_name_every_study(name, tmp_path):
    steps = Reproduction(Recipe.load(name), tmp_path, {}).steps
    assert [step.name for step in steps][:5] == ["ae", "dae", "classifier", "classifier-report", "vae"]
    if name == "homework":
        assert [step.epochs for step in steps] == [50, 50, 30, 30, 100, 50, 50]
