"""The notebooks of docs/notebooks run from top to bottom, and show what their text says."""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def run(notebook: Path) -> dict[str, Any]:
    """The names that are there after the last cell. Without a kernel: each cell is run as it stands."""
    names: dict[str, Any] = {}
    for number, cell in enumerate(json.loads(notebook.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{notebook.name}, cell {number}", "exec"), names)
    return names


@pytest.fixture(autouse=True)
def _in_a_new_folder(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # one for all: two of them render the same letters
    monkeypatch.setenv("LATENTSPACE_CACHE", str(tmp_path_factory.getbasetemp() / "notebooks"))
    before = plt.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def test_the_codes_of_your_images():
    names = run(FOLDER / "codes-of-your-images.ipynb")
    assert names["codes"].shape == (200, 10)
    assert names["decoded"].shape == (200, 1, 28, 28)
    assert len(plt.get_fignums()) == 2


def test_groups_and_odd_images(capsys):
    names = run(FOLDER / "groups-and-odd-images.ipynb")
    assert names["by_codes"] > 0.3
    assert names["found"] == 8
    assert re.search(r"agreement with the letters \(NMI\): 0\.\d\d by codes", capsys.readouterr().out)


def test_a_scikit_learn_pipeline():
    names = run(FOLDER / "scikit-learn-pipeline.ipynb")
    assert names["accuracy"] > 0.5
    assert names["search"].best_params_ == {"convautoencoder__code_size": 8}
    assert names["drawn"].shape == (10, 8, 8)


def test_each_notebook_is_tested_and_kept_without_output():
    assert [one.stem for one in NOTEBOOKS] == [
        "codes-of-your-images",
        "groups-and-odd-images",
        "scikit-learn-pipeline",
    ]
    for notebook in NOTEBOOKS:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        assert [cell for cell in cells if cell.get("outputs")] == []
