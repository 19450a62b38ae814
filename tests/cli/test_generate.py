"""latentspace generate: what it writes, and what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentspace.inference.code_paths import walk
from latentspace.inference.mixtures import fitted_mixture
from latentspace.inference.run_images import own_or_other
from latentspace.inference.sampling import draw, fitted, grid, prior
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.runs.directory import Run
from runner import call
from studies import trained


@pytest.fixture(scope="module")
def runs(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs")
    for kind in ("ae", "vae"):
        trained(kind, archive, place / kind, {"training": {"epochs": 1}})
    trained("classifier", archive, place / "classifier", {"encoder": str(place / "ae")})
    (place / "gone.npz").write_bytes(archive.read_bytes())
    trained("ae", place / "gone.npz", place / "orphan", {"training": {"epochs": 1}})
    (place / "gone.npz").unlink()
    return place


def pixels_in(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(one)) for one in sorted(folder.glob("[0-9]*.png"))])


def bytes_of(run: Path, codes: np.ndarray) -> np.ndarray:
    return np.rint(TrainedAutoencoder.load(run).decode(codes)[:, 0] * 255).astype(np.uint8)


def generated(runs: Path, out: Path, *options: str, kind: str = "vae") -> Path:
    code, stdout, stderr = call(["generate", str(runs / kind), "--out", str(out), *options])
    assert code == 0, stderr
    assert stdout == f"{out}\n"
    assert f"all on one sheet: {out / 'sheet.png'}" in stderr
    with Image.open(out / "sheet.png") as sheet:
        assert min(sheet.size) > 50
    return out


def test_samples_of_a_vae_come_from_its_prior(runs, tmp_path):
    out = generated(runs, tmp_path / "out", "--count", "7", "--seed", "3")
    assert np.array_equal(pixels_in(out), bytes_of(runs / "vae", draw(prior(3), 7, 3).codes))
    made = sorted(one.name for one in out.glob("[!.]*"))
    assert made == [*(f"000{n}.png" for n in range(1, 8)), "sheet.png"]


def test_forty_samples_by_default_and_the_same_again(runs, tmp_path):
    one, other = (generated(runs, tmp_path / name, kind="ae") for name in ("one", "other"))
    assert len(pixels_in(one)) == 40
    assert np.array_equal(pixels_in(one), pixels_in(other))
    assert (one / "sheet.png").read_bytes() == (other / "sheet.png").read_bytes()


def test_what_was_drawn_from_is_said(runs, tmp_path):
    said = {
        kind: call(["generate", str(runs / kind), "--out", str(tmp_path / kind)])[2] for kind in ("ae", "vae")
    }
    assert "the prior N(0, I)" in said["vae"]
    assert "fitted to the codes of the training images" in said["ae"]


def test_a_grid(runs, tmp_path):
    out = generated(
        runs, tmp_path / "out", "--what", "grid", "--dimensions", "2,0", "--range=-2,2", "--count", "4"
    )
    expected = grid(prior(3), (2, 0), 4, (-2.0, 2.0)).codes
    assert np.array_equal(pixels_in(out), bytes_of(runs / "vae", expected))


def test_a_walk_with_its_film(runs, tmp_path):
    out = generated(runs, tmp_path / "out", "--what", "walk", "--frames", "12", "--seed", "1")
    assert np.array_equal(pixels_in(out), bytes_of(runs / "vae", walk(prior(3), 12, 1).codes))
    assert (out / "film.gif").read_bytes().startswith(b"GIF89a")


def test_the_data_may_have_moved(runs, archive, tmp_path):
    generated(runs, tmp_path / "out", "--count", "2", "--data", str(archive), kind="orphan")


def test_help_has_examples():
    code, stdout, _ = call(["generate", "--help"])
    assert code == 0
    assert stdout.count("latentspace generate") >= 3


def test_json_has_what_was_made(runs, tmp_path):
    words = ["generate", str(runs / "vae"), "--out", str(tmp_path / "out"), "--count", "2", "--json"]
    code, stdout, stderr = call(words)
    assert code == 0, stderr
    facts = json.loads(stdout)
    assert (facts["what"], facts["images"], facts["out"]) == ("samples", 2, str(tmp_path / "out"))
    assert "N(0, I)" in facts["from"]


def test_samples_of_an_autoencoder_come_from_a_mixture(runs, tmp_path):
    out = generated(runs, tmp_path / "out", "--count", "7", "--seed", "3", kind="ae")
    run = Run.open(runs / "ae")
    images = own_or_other(run, None)[0]
    codes = TrainedAutoencoder.load(run).encode(images, chosen=run.split.train)
    assert np.array_equal(pixels_in(out), bytes_of(runs / "ae", fitted_mixture(codes).draw(7, 3)))
    other = generated(runs, tmp_path / "other", "--seed", "3", "--density", "independent", kind="ae")
    assert np.array_equal(pixels_in(other), bytes_of(runs / "ae", draw(fitted(codes), 40, 3).codes))


@pytest.mark.parametrize(("kind", "density"), [("ae", "flow"), ("vae", "mixture")])
def test_a_density_that_there_is_not_is_refused(runs, tmp_path, kind, density):
    words = ["generate", str(runs / kind), "--out", str(tmp_path / "out"), "--density", density]
    code, _, stderr = call(words)
    assert code == 2
    assert "--density" in stderr
    assert not (tmp_path / "out").exists()


def test_what_is_fitted_to_codes_is_kept_in_the_run_and_fitted_again_where_it_is_no_longer_its(
    runs, archive, tmp_path, monkeypatch
):
    run, data = runs / "orphan", ["--data", str(archive)]
    kept = run / "density.safetensors"
    kept.unlink(missing_ok=True)
    first = pixels_in(generated(runs, tmp_path / "first", *data, kind="orphan"))
    assert np.array_equal(
        pixels_in(generated(runs, tmp_path / "again", kind="orphan")), first
    )  # no image left
    walked = generated(runs, tmp_path / "walked", "--what", "walk", "--frames", "2", kind="orphan")
    assert len(pixels_in(walked)) == 2
    whole, weights = kept.read_bytes(), Run.weights_hash
    for content, told in ((whole[:-1], "damaged"), (whole, "")):
        kept.write_bytes(content)
        with monkeypatch.context() as patch:
            if not told:
                patch.setattr(Run, "weights_hash", property(lambda _: "another"))
            code, _, said = call(["generate", str(run), "--out", str(tmp_path / "x"), "--force", *data])
        assert (code, told in said) == (0, True)
        assert np.array_equal(pixels_in(tmp_path / "x"), first)
    assert (kept.read_bytes() == whole, Run.weights_hash) == (False, weights)
    other = ["--data", "glyphs:20", "--out", str(tmp_path / "none")]
    assert call(["generate", str(run), *other])[0] == 2  # not the run's own
    kept.unlink()
