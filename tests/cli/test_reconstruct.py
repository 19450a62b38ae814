"""latentspace reconstruct and interpolate: pictures that codes of images decode to."""

import json

import numpy as np
import pytest
from PIL import Image

from latentspace.inference.code_paths import linear, spherical
from latentspace.inference.trained import TrainedAutoencoder
from makers import files_of, write_folder
from materials import make_images
from runner import call


def shown(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("kind", ["ae", "dae", "vae", "classifier"])
def test_images_come_back_under_their_names(small_runs, tmp_path, kind):
    photos, out = tmp_path / "photos", tmp_path / "seen"
    write_folder(photos, files_of(make_images(6)))
    code, stdout, stderr = call(
        ["reconstruct", str(small_runs[kind].path), str(photos), "--out", str(out), "--json"]
    )
    assert code == 0, stderr
    trained = TrainedAutoencoder.load(small_runs["ae" if kind == "classifier" else kind])
    names = sorted(one.relative_to(photos) for one in photos.rglob("*.png"))
    assert sorted(one.relative_to(out) for one in out.rglob("*.png")) == names
    pixels = np.stack([shown(photos / name) for name in names])[:, None]
    decoded = trained.reconstruct(pixels)
    for name, image in zip(names, decoded, strict=True):
        assert np.abs(shown(out / name) - np.rint(image[0] * 255)).max() <= 1
    error = ((decoded - pixels / np.float32(255)) ** 2).mean()
    assert json.loads(stdout)["mse"] == pytest.approx(error, rel=1e-4)


def test_the_runs_own_images_are_numbered(small_runs, images, tmp_path):
    code, stdout, stderr = call(["reconstruct", str(small_runs["vae"].path), "--out", str(tmp_path / "seen")])
    assert code == 0, stderr
    assert stdout == f"{tmp_path / 'seen'}\n"
    assert "mean squared error per pixel" in stderr
    assert len(list((tmp_path / "seen").glob("*.png"))) == len(images)


@pytest.mark.parametrize(
    ("kind", "path", "more"),
    [("ae", linear, ()), ("vae", spherical, ("--spherical",)), ("classifier", linear, ())],
)
def test_the_way_between_two_images(small_runs, images, tmp_path, kind, path, more):
    run, out = small_runs["ae" if kind == "classifier" else kind], tmp_path / "between"
    code, stdout, stderr = call(
        [
            "interpolate",
            str(small_runs[kind].path),
            "2",
            "5",
            "--frames",
            "6",
            "--out",
            str(out),
            "--json",
            *more,
        ]
    )
    assert code == 0, stderr
    trained = TrainedAutoencoder.load(run)
    start, end = trained.encode(images.pixels[run.split.test[[2, 5]]])
    expected = np.rint(trained.decode(path(start, end, 6))[:, 0] * 255).astype(np.uint8)
    assert np.array_equal(np.stack([shown(out / f"000{number}.png") for number in range(1, 7)]), expected)
    with Image.open(out / "film.gif") as film:
        assert film.n_frames <= 10  # there and back; frames that look the same become one
    assert min(shown(out / "sheet.png").shape[:2]) > 50
    assert json.loads(stdout)["images"] == 6


def test_the_way_between_two_files(small_runs, images, tmp_path):
    for number in (1, 2):
        Image.fromarray(images.pixels[number, 0]).save(tmp_path / f"{number}.png")
    files = [str(tmp_path / "1.png"), str(tmp_path / "2.png")]
    run, out = small_runs["ae"], tmp_path / "between"
    code, stdout, stderr = call(["interpolate", str(run.path), *files, "--frames", "2", "--out", str(out)])
    assert code == 0, stderr
    assert stdout == f"{out}\n"
    assert f"all on one sheet: {out / 'sheet.png'}" in stderr
    decoded = np.rint(TrainedAutoencoder.load(run).reconstruct(images.pixels[1:3])[:, 0] * 255)
    assert np.array_equal(np.stack([shown(out / f"000{number}.png") for number in (1, 2)]), decoded)


@pytest.mark.parametrize("verb", ["reconstruct", "denoise", "interpolate", "generate", "clusters"])
def test_a_folder_is_replaced_when_asked_if_such_a_command_made_all_of_it(small_runs, tmp_path, verb):
    photos, out = tmp_path / "photos", tmp_path / "out"
    write_folder(photos, files_of(make_images(3)))
    picture = str(next(photos.rglob("*.png")))
    begin = [verb, str(small_runs["dae"].path)]
    first, second = {
        "reconstruct": ([str(photos), "--out"], [picture, "--out"]),
        "denoise": ([str(photos)], [picture]),
        "interpolate": (["0", "1", "--frames", "4", "--out"], ["0", "1", "--frames", "2", "--out"]),
        "generate": (["--count", "3", "--out"], ["--count", "2", "--out"]),
        "clusters": (["--count", "2", "--folders"], ["--count", "3", "--folders"]),
    }[verb]

    def made(*words, code=0):
        found, _, stderr = call([*begin, *words])
        assert found == code, stderr
        return {one.relative_to(out) for one in out.rglob("[!.]*") if not one.is_dir()}, stderr

    before, _ = made(*first, str(out))
    kept, said = made(*second, str(out), code=2)
    assert kept == before
    assert "--force replaces a folder that such a command made" in " ".join(said.split())
    after, _ = made(*second, str(out), "--force")
    assert after != before
    (out / "notes.txt").write_text("mine")
    for place in (out, photos):
        made(*second, str(place), "--force", code=2)
    assert (out / "notes.txt").read_text() == "mine"
    assert len([*photos.rglob("*.png")]) == 3


def test_a_mistake_is_explained_and_leaves_nothing(small_runs, tmp_path):
    run, out = str(small_runs["ae"].path), str(tmp_path / "out")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    for arguments, words in (
        (["reconstruct", run, "--out", str(taken)], "must be new or an empty folder"),
        (["reconstruct", run, str(tmp_path / "none"), "--out", out], "none"),
        (["interpolate", run, "0", "1", "--out", str(taken)], "must be new or an empty folder"),
        (["interpolate", run, "0", "999", "--out", out], "place in the run's test part"),
        (["interpolate", run, "0", "1", "--frames", "1", "--out", out], "at least two frames"),
        (["interpolate", run, "0", "1", "--spherical", "--out", out], "--spherical needs codes"),
    ):
        code, stdout, stderr = call(arguments)
        assert (code, stdout) == (2, ""), arguments
        assert words in " ".join(stderr.split())
    assert not (tmp_path / "out").exists()
