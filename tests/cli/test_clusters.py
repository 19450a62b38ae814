"""latentspace clusters: groups on the screen, in a table, on a page and in folders."""

import json

import numpy as np
import pyarrow.csv
import pytest
from PIL import Image

from makers import files_of, write_folder
from materials import make_images
from runner import call, done


@pytest.fixture
def photos(tmp_path):
    place = tmp_path / "photos"
    write_folder(place, files_of(make_images(24)))
    return place


@pytest.mark.parametrize("kind", ["ae", "vae", "classifier"])
def test_groups_of_the_runs_own_images(small_runs, images, tmp_path, kind):
    out = tmp_path / "groups"
    said = json.loads(done("clusters", small_runs[kind].path, "--count", 3, "--out", out, "--json"))
    assert said["count"] == 3
    assert sum(one["images"] for one in said["groups"]) == len(images)
    assert set(said["agreement"]) == {"codes", "pixels", "pca"}
    assert said["out"] == [str(out / "clusters.csv"), str(out / "clusters.html")]
    table = pyarrow.csv.read_csv(out / "clusters.csv")
    assert table.column_names == ["name", "label", "part", "learned_from", "group", "distance"]
    assert np.bincount(table["group"].to_numpy())[1:].tolist() == [one["images"] for one in said["groups"]]
    page = (out / "clusters.html").read_text(encoding="utf-8")
    assert page.count("Cluster ") >= 3
    assert "The most typical" in page
    assert "raw pixels" in page


def test_the_number_of_groups_is_found_and_said(small_runs):
    said = done("clusters", small_runs["ae"].path)
    assert "agreement with the labels" in said
    assert "NMI" in said


def test_image_files_are_linked_into_a_folder_for_each_group(small_runs, photos, tmp_path):
    out = tmp_path / "sorted"
    done("clusters", small_runs["ae"].path, photos, "--count", 2, "--folders", out)
    links = [one for one in out.rglob("*") if one.is_symlink()]
    assert len(links) == 24
    assert {one.resolve() for one in links} == {one.resolve() for one in photos.rglob("*.png")}
    assert sorted(one.name for one in out.glob("[!.]*")) == ["group-01", "group-02"]


def test_they_are_copied_when_asked(small_runs, photos, tmp_path):
    out = tmp_path / "sorted"
    done("clusters", small_runs["ae"].path, photos, "--count", 2, "--folders", out, "--copy")
    made = [*out.rglob("*.png")]
    assert len(made) == 24
    assert not any(one.is_symlink() for one in made)
    assert {one.read_bytes() for one in made} == {one.read_bytes() for one in photos.rglob("*.png")}


def test_images_that_are_no_files_become_png(small_runs, archive, images, tmp_path):
    out = tmp_path / "sorted"
    done("clusters", small_runs["ae"].path, archive, "--count", 2, "--folders", out)
    made = {one.stem: one for one in out.rglob("*.png")}
    assert len(made) == len(images)
    assert np.array_equal(np.asarray(Image.open(made["7"])), images.pixels[7, 0])


def test_a_mistake_is_explained_and_leaves_nothing(small_runs, tmp_path):
    run, taken = small_runs["ae"].path, tmp_path / "taken.csv"
    taken.write_text("mine")
    for arguments, words in (
        (["--count", "ten"], "a number of clusters, or auto"),
        (["--count", "1"], "at least two clusters"),
        (["--count", "100"], "at least two images for each"),
        (["--out", taken], "nothing is overwritten"),
        (["--out", tmp_path / "groups.txt"], "one of the endings"),
        (["--folders", tmp_path], "must be new or an empty folder"),
        (["--out", tmp_path / "new", "--folders", tmp_path / "new"], "--out is outside of it"),
        (["--out", tmp_path / "new" / "groups.csv", "--folders", tmp_path / "new"], "--out is outside of it"),
    ):
        code, stdout, stderr = call(["clusters", str(run), *map(str, arguments)])
        assert (code, stdout) == (2, ""), arguments
        assert words in " ".join(stderr.split())
    assert [one.name for one in tmp_path.iterdir()] == ["taken.csv"]
