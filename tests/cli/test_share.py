"""push and pull: a run goes to a folder and comes back as it was, with a card that the hub can read."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import latentspace
from latentspace.core import extras
from latentspace.runs.directory import Run
from runner import call

pytestmark = pytest.mark.usefixtures("without_drawing")
huggingface_hub = pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")


@pytest.fixture(scope="session")
def shared(small_runs, tmp_path_factory) -> dict[str, Path]:
    """A folder that a run of each kind was pushed to."""
    folder = tmp_path_factory.mktemp("shared")
    for kind in ("vae", "classifier"):
        code, stdout, stderr = call(["push", str(small_runs[kind].path), str(folder / kind)])
        assert (code, stdout) == (0, f"{folder / kind}\n"), stderr
    return {kind: folder / kind for kind in ("vae", "classifier")}


def test_the_card_says_what_the_run_is(shared, small_runs):
    text = (shared["vae"] / "README.md").read_text()
    card = huggingface_hub.ModelCard(text)
    assert card.data.library_name == "latentspace"
    assert card.data.pipeline_tag == "image-feature-extraction"
    measured = {one.metric_type: one.metric_value for one in card.data.eval_results}
    result = json.loads((shared["vae"] / "results" / "test.json").read_text())
    assert measured["bce"] == pytest.approx(result["bce"], rel=1e-3)
    for heading in ("How to use it", "The data", "Limits", "How it was made"):
        assert f"## {heading}\n" in text
    assert f"latentspace pull {shared['vae']} --out runs/vae" in text
    assert "PCA" in text, "results beside baselines"
    pictures = re.findall(r"^!\[.*\]\((\S+)\)$", text, re.M)
    assert len(pictures) > 3
    assert all((shared["vae"] / one).is_file() for one in pictures)
    assert sorted(one.name for one in (shared["vae"] / "figures").iterdir()) == sorted(
        Path(one).name for one in pictures
    )


def test_what_is_pulled_is_the_run(shared, small_runs, images, tmp_path):
    code, stdout, stderr = call(["pull", str(shared["vae"]), "--out", str(tmp_path / "run"), "--json"])
    assert (code, json.loads(stdout)) == (0, {"out": str(tmp_path / "run"), "kind": "vae"}), stderr
    here, there = Run.open(tmp_path / "run"), small_runs["vae"]
    assert (here.weights_hash, here.settings, here.metrics) == (
        there.weights_hash,
        there.settings,
        there.metrics,
    )
    np.testing.assert_array_equal(
        latentspace.load(here).encode(images), latentspace.load(there).encode(images)
    )


def test_a_classifier_brings_its_encoder(shared, images, tmp_path, monkeypatch, small_runs):
    place = tmp_path / "elsewhere"
    shutil.copytree(shared["classifier"], place)
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, "encoder": "/no/such/run"}))
    run = tmp_path / "deep" / "run"
    assert call(["pull", str(place), "--out", str(run)])[0] == 0
    assert latentspace.load(run).predict(images) == latentspace.load(small_runs["classifier"].path).predict(
        images
    )


def test_force_replaces_a_run_and_nothing_else(small_runs, tmp_path):
    run, place, other = str(small_runs["ae"].path), tmp_path / "run", tmp_path / "other"
    shutil.copytree(small_runs["ae"].path, place)
    (place / "weights.safetensors").rename(place / "model.safetensors")
    (place / "stale.txt").write_text("old")
    assert call(["push", run, str(place)])[0] == 2
    assert (place / "stale.txt").exists()
    assert call(["push", run, str(place), "--force"])[0] == 0
    assert not (place / "stale.txt").exists()
    assert (place / "README.md").exists()
    other.mkdir()
    (other / "mine.txt").write_text("kept")
    assert call(["push", run, str(other), "--force"])[0] == 2
    assert (other / "mine.txt").read_text() == "kept"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["push", "{run}", "hf://letters"], "hf://OWNER/NAME"),
        (["push", "{run}", "hf:/me/letters"], "hf://OWNER/NAME"),
        (["pull", "s3://me/letters", "--out", "{}/new"], "hf://OWNER/NAME"),
        (["push", "{run}", "{}/file/below"], "must be writable"),
        (["push", "{}", "{}/new"], "must be a run directory"),
        (["pull", "{}", "--out", "{}/new"], "that `latentspace push` has put there"),
        (["pull", "{}/nowhere", "--out", "{}/new"], "that `latentspace push` has put there"),
        (["pull", "{shared}", "--out", "{run}"], "never overwritten"),
        (["pull", "{}/cut", "--out", "{}/new"], "must be whole"),
    ],
)
def test_bad_input_is_one_clear_error(small_runs, shared, tmp_path, words, said):
    (tmp_path / "file").write_text("kept")
    cut = shutil.copytree(shared["vae"], tmp_path / "cut") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-3])
    before = sorted(tmp_path.rglob("*"))
    given = [one.format(tmp_path, run=small_runs["ae"].path, shared=shared["vae"]) for one in words]
    code, stdout, stderr = call(given)
    assert (code, stdout) == (2, ""), stderr
    assert said in stderr
    assert "Traceback" not in stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_without_the_extra_its_name_is_given(small_runs, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    code, _, stderr = call(["push", str(small_runs["ae"].path), "hf://me/letters"])
    assert code == 2
    assert "latentspace[hub]" in stderr


class FakeHub:
    """Repositories in a folder: what of huggingface_hub is called, with the hub's own signatures."""

    place: Path

    def __init__(self, library_name: str) -> None: ...

    def repo_exists(self, repo_id: str) -> bool:
        return (self.place / repo_id).exists()

    def file_exists(self, repo_id: str, filename: str) -> bool:
        return (self.place / repo_id / filename).exists()

    def create_repo(self, repo_id: str, *, exist_ok: bool, private: bool) -> None:
        assert private
        (self.place / repo_id).mkdir(parents=True, exist_ok=exist_ok)

    def upload_folder(self, *, repo_id: str, folder_path: str, commit_message: str) -> None:
        if repo_id == "else/letters":
            raise OSError("403 Forbidden")
        shutil.copytree(folder_path, self.place / repo_id, dirs_exist_ok=True)


def test_the_hub_is_asked_as_it_wants_to_be(small_runs, images, tmp_path, monkeypatch):
    """With a fake of it: the hub itself was never reached from here."""
    FakeHub.place = tmp_path / "hub"

    def snapshot_download(repo_id: str, *, local_dir: str) -> None:
        shutil.copytree(FakeHub.place / repo_id, local_dir, dirs_exist_ok=True)

    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    run, address = str(small_runs["ae"].path), "hf://me/letters"
    code, stdout, stderr = call(["push", run, address, "--private"])
    assert (code, stdout) == (0, f"{address}\n"), stderr
    code, _, stderr = call(["push", run, address, "--private"])
    assert code == 2
    assert "must be new" in stderr
    assert call(["push", run, address, "--private", "--force"])[0] == 0
    code, _, stderr = call(["push", run, "hf://else/letters", "--private"])
    assert code == 2
    assert "403 Forbidden" in stderr
    assert call(["pull", address, "--out", str(tmp_path / "back")])[0] == 0
    assert Run.open(tmp_path / "back").weights_hash == small_runs["ae"].weights_hash
