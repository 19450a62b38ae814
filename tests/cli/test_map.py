"""latentspace map: a table with x and y, a picture, and new images on a map that was made before."""

import json

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentspace.inference.maps import project
from latentspace.inference.tables import read_table
from latentspace.inference.trained import TrainedAutoencoder
from materials import make_images
from runner import call, done, refused


@pytest.mark.parametrize("kind", ["ae", "dae", "vae", "classifier"])
def test_a_map_of_the_runs_own_images_of_every_kind(small_runs, images, tmp_path, kind):
    out = tmp_path / "map.parquet"
    said = json.loads(done("map", small_runs[kind].path, "--out", out, "--json"))
    assert said["images"] == len(images)
    assert said["out"] == str(out)
    assert 0 < sum(said["explained"]) <= 1.000001
    table = pq.read_table(out)
    assert table.column_names == ["name", "label", "part", "learned_from", "x", "y", "code"]
    encoder = TrainedAutoencoder.load(small_runs["ae" if kind == "classifier" else kind])
    points = project(encoder.encode(images)).points
    np.testing.assert_allclose(np.stack([table["x"], table["y"]], axis=1), points, atol=1e-5)
    with Image.open(said["picture"]) as picture:
        assert min(picture.size) > 300


@pytest.mark.parametrize("ending", ["parquet", "npz"])
def test_new_images_are_placed_by_pca_exactly(small_runs, images, archive, tmp_path, ending):
    out, again = tmp_path / f"map.{ending}", tmp_path / f"again.{ending}"
    done("map", small_runs["ae"].path, "--out", out)
    np.savez(tmp_path / "new.npz", images=make_images(9, seed=4).pixels)
    done("map", small_runs["ae"].path, tmp_path / "new.npz", "--onto", out, "--out", again)
    trained = TrainedAutoencoder.load(small_runs["ae"])
    expected = project(trained.encode(images)).place(trained.encode(make_images(9, seed=4)))
    columns, _ = read_table(again)
    np.testing.assert_allclose(np.stack([columns["x"], columns["y"]], axis=1), expected, atol=1e-5)
    third = tmp_path / "third.csv"  # keeps the plane
    done("map", small_runs["ae"].path, archive, "--onto", again, "--out", third)
    first, third = read_table(out)[0], pyarrow.csv.read_csv(third)
    np.testing.assert_allclose(third["x"], first["x"], atol=1e-5)
    assert "c0" not in third.column_names


def test_images_of_a_map_by_tsne_are_placed_where_they_were(small_runs, archive, tmp_path):
    out = tmp_path / "map.npz"
    done("map", small_runs["vae"].path, "--out", out, "--method", "tsne", "--seed", "2")
    done("map", small_runs["vae"].path, archive, "--onto", out, "--out", tmp_path / "again.npz")
    first, again = read_table(out)[0], read_table(tmp_path / "again.npz")[0]
    np.testing.assert_allclose(again["y"], first["y"], atol=1e-2)


def test_a_mistake_is_explained_and_leaves_nothing(small_runs, tmp_path):
    run, out = small_runs["ae"].path, tmp_path / "map.parquet"
    done("map", small_runs["ae"].path, "--out", out)
    done("map", small_runs["ae"].path, "--out", tmp_path / "codes.csv")
    before = sorted(tmp_path.iterdir())
    new = tmp_path / "new.parquet"
    assert "pca, tsne, umap, pacmap" in refused("map", run, "--out", new, "--method", "isomap")
    assert "nothing is overwritten" in refused("map", run, "--out", out)
    assert "one of: .parquet, .csv, .npz" in refused("map", run, "--out", tmp_path / "map.txt")
    assert "no such file" in refused("map", run, "--out", new, "--onto", tmp_path / "none.parquet")
    said = refused("map", run, "--out", new, "--onto", tmp_path / "codes.csv")
    assert "must be a table as .parquet or .npz" in said
    assert "a file called codes.csv" in said
    assert "as it was made" in refused("map", run, "--out", new, "--onto", out, "--method", "pca")
    other = small_runs["vae"].path
    assert "a map of another run's codes" in refused("map", other, "--out", new, "--onto", out)
    code, _, stderr = call(["encode", str(run), "--out", str(tmp_path / "codes.parquet")])
    assert code == 0, stderr
    assert "which is none" in refused("map", run, "--out", new, "--onto", tmp_path / "codes.parquet")
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "codes.parquet"])
