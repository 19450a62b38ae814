"""latentspace denoise: a folder in, a folder out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentspace.core.output_files import LIST
from latentspace.inference.trained import TrainedAutoencoder
from makers import files_of, write_folder
from materials import make_images
from runner import call
from studies import trained


@pytest.fixture(scope="module")
def place(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("denoise")
    for kind in ("ae", "dae"):
        trained(kind, archive, place / kind, {"training": {"epochs": 1}})
    trained("classifier", archive, place / "classifier", {"encoder": str(place / "ae")})
    write_folder(place / "scans", files_of(make_images(6)))
    write_folder(place / "large", files_of(make_images(3, side=24)))
    write_folder(place / "colour", files_of(make_images(3, channels=3)))
    (place / "empty").mkdir()
    (place / "taken").mkdir()
    (place / "taken" / "mine").write_text("mine")
    return place


def test_files_keep_their_names_and_become_what_the_network_makes_of_them(place, tmp_path):
    out = tmp_path / "out"
    code, stdout, stderr = call(["denoise", str(place / "dae"), str(place / "scans"), str(out)])
    assert code == 0, stderr
    assert stdout == f"{out}\n"
    assert "warning" not in stderr
    scans = sorted(one.relative_to(place / "scans") for one in (place / "scans").rglob("*.png"))
    assert sorted(one.relative_to(out) for one in out.rglob("*.*") if one.name != LIST) == scans
    network = TrainedAutoencoder.load(place / "dae")
    for name in scans:
        pixels = np.asarray(Image.open(place / "scans" / name))
        expected = np.rint(network.reconstruct(pixels[None, None])[0, 0] * 255)
        assert np.abs(np.asarray(Image.open(out / name)) - expected).max() <= 1


def test_arrays_are_numbered(place, archive, tmp_path):
    code, _, stderr = call(["denoise", str(place / "dae"), str(archive), str(tmp_path / "out")])
    assert code == 0, stderr
    assert len(list((tmp_path / "out").glob("*.png"))) == 120
    assert (tmp_path / "out" / "0120.png").exists()


def test_images_are_resized_when_asked(place, tmp_path):
    named = ["--data", str(place / "large"), "--out", str(tmp_path / "out")]
    code, _, stderr = call(["denoise", str(place / "dae"), *named, "--resize", "16x16"])
    assert code == 0, stderr
    shapes = {np.asarray(Image.open(one)).shape for one in (tmp_path / "out").rglob("*.png")}
    assert shapes == {(16, 16)}
    for scans in ("large", "large/A/0.png"):
        code, _, stderr = call(
            ["denoise", str(place / "dae"), str(place / scans), str(tmp_path / "no"), "--strict"]
        )
        assert code == 2, stderr
        assert "images must be as the run's: 1x16x16" in " ".join(stderr.split())
    assert not (tmp_path / "no").exists()


def test_a_plain_autoencoder_will_do_with_a_warning(place, tmp_path):
    code, stdout, stderr = call(["denoise", str(place / "ae"), str(place / "scans"), str(tmp_path / "out")])
    assert code == 0
    assert stdout == f"{tmp_path / 'out'}\n"
    assert "warning:" in stderr
    assert "is not trained to remove noise" in stderr


def test_help_has_examples():
    code, stdout, _ = call(["denoise", "--help"])
    assert code == 0
    assert stdout.count("latentspace denoise") >= 3
