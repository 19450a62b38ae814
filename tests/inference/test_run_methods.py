"""What an opened run does in Python is what the commands do."""

import json

import numpy as np
import pyarrow.csv
import pytest
from PIL import Image

import latentspace
from latentspace.core.errors import LatentspaceError
from latentspace.data.imageset import ImageSet
from latentspace.inference.code_paths import linear, spherical
from runner import call


@pytest.fixture(scope="module", params=["ae", "dae", "vae", "classifier"])
def run(small_runs, request):
    return latentspace.load(small_runs[request.param].path, "cpu")


def test_a_map_is_that_of_the_command(run, images, tmp_path):
    made = run.map()
    code, _, stderr = call(["map", str(run.run.path), "--out", str(tmp_path / "map.csv")])
    assert code == 0, stderr
    table = pyarrow.csv.read_csv(tmp_path / "map.csv")
    written = np.stack([table["x"], table["y"]], axis=1)
    np.testing.assert_allclose(made.points, written, rtol=1e-5)
    other = run.map(images.pixels[:20], method="tsne", seed=3)
    assert (other.method, other.points.shape) == ("tsne", (20, 2))
    assert other.place(run.encode(images.pixels[20:23])).shape == (3, 2)


def test_clusters_are_those_of_the_command(run, images):
    found = run.clusters(count=3)
    code, stdout, stderr = call(["clusters", str(run.run.path), "--count", "3", "--json"])
    assert code == 0, stderr
    assert [one["images"] for one in json.loads(stdout)["groups"]] == found.sizes.tolist()
    assert len(run.clusters(images.pixels[:30]).groups) == 30


def test_the_way_between_two_images(run, images, tmp_path):
    start, end = run.encode(images.pixels[:2])
    expected = run.encoder.decode(linear(start, end, 5))
    Image.fromarray(images.pixels[0, 0]).save(tmp_path / "0.png")
    for first in (images.pixels[:1], images.pixels[0, 0], str(tmp_path / "0.png")):
        np.testing.assert_allclose(run.interpolate(first, images.pixels[1:2], 5), expected, atol=1e-6)
    if run.encoder.model.prior is None:
        with pytest.raises(LatentspaceError, match="spherical=True needs codes"):
            run.interpolate(images.pixels[:1], images.pixels[1:2], spherical=True)
    else:
        found = run.interpolate(images.pixels[:1], images.pixels[1:2], 5, spherical=True)
        np.testing.assert_allclose(found, run.decode(spherical(start, end, 5)), atol=1e-6)


def test_an_export_is_that_of_the_command(run, tmp_path):
    files = run.export(tmp_path / "one", "safetensors")
    command = ["export", str(run.run.path), "--to", "safetensors", "--out", str(tmp_path / "other")]
    assert call(command)[0] == 0
    for one in files:
        assert one.read_bytes() == (tmp_path / "other" / one.name).read_bytes()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda run, images: run.map(images, "som"), "pca, tsne, umap, pacmap"),
        (lambda run, images: run.clusters(images, 1), "at least two clusters"),
        (lambda run, images: run.interpolate(images[:1], images[:1], 1), "at least two frames"),
        (lambda run, images: run.interpolate(images[:2], images[:1]), "one image is wanted"),
        (lambda run, images: run.interpolate("nowhere.png", images[:1]), "nowhere.png"),
        (lambda run, images: run.export("somewhere", "pickle"), "onnx, torchscript, safetensors"),
        (lambda run, images: run.map(np.zeros((4, 3, 5, 5), np.uint8)), "as the run's"),
        (lambda run, images: run.neighbours(images[:3], images, 0), "at least one neighbour"),
        (lambda run, images: run.anomalies(images[:3], own=ImageSet(images[:9], "few")), "itself are needed"),
        (
            lambda run, images: run.anomalies(images[:3], own=ImageSet(images[::-1].copy(), "others")),
            "itself are needed",
        ),
    ],
)
def test_a_mistake_is_one_short_error(small_runs, images, tmp_path, monkeypatch, asked, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LatentspaceError, match=said):
        asked(latentspace.load(small_runs["ae"].path, "cpu"), images.pixels)
    assert list(tmp_path.iterdir()) == []


def test_a_classifier_is_calibrated_on_no_other_images(small_runs, images):
    others = images.subset(np.arange(len(images))[::-1])
    with pytest.raises(LatentspaceError, match="itself are needed"):
        latentspace.load(small_runs["classifier"].path, "cpu").classify(images.pixels[:3], own=others)


def test_new_images_of_12_bits_are_read_as_the_runs_own_were(plan, tmp_path):
    rng = np.random.default_rng(0)
    own = rng.integers(0, 3000, (40, 16, 16)).astype(np.uint16)
    dark = own[:6] // 10
    np.save(tmp_path / "own.npy", own)
    np.save(tmp_path / "dark.npy", dark)
    data = plan.data.model_copy(update={"spec": str(tmp_path / "own.npy")})
    run = latentspace.train(plan.model_copy(update={"data": data}), tmp_path / "run")
    trained = latentspace.load(run.path, "cpu")
    expected = trained.encode(np.rint(dark * (255 / 4095)).astype(np.uint8))
    np.testing.assert_allclose(trained.encode(str(tmp_path / "dark.npy")), expected, atol=1e-6)
    words = ["encode", str(run.path), str(tmp_path / "dark.npy"), "--precision", "32"]
    code, _, stderr = call([*words, "--out", str(tmp_path / "codes.npy")])
    assert code == 0, stderr
    assert "as the run's were" in stderr
    np.testing.assert_allclose(np.load(tmp_path / "codes.npy"), expected, atol=1e-6)
    assert call(["evaluate", str(run.path), "--data", str(tmp_path / "own.npy")])[0] == 0
    code, _, _ = call([*words, "--levels", "0,299", "--out", str(tmp_path / "chosen.npy")])
    assert code == 0
    assert np.abs(np.load(tmp_path / "chosen.npy") - expected).max() > 1e-3


def test_the_runs_own_images_must_be_at_hand(small_runs, monkeypatch):
    from latentspace.inference import run_images

    def gone(config):
        raise latentspace.LatentspaceError("must be there", found="nothing", do="look")

    monkeypatch.setattr(run_images, "load_images", gone)
    with pytest.raises(LatentspaceError, match="must be there"):
        latentspace.load(small_runs["ae"].path, "cpu").map()
