"""A page is broken off at once: no call into a library works on much, and nothing is left half done."""

import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from latentspace.evaluation import denoising as noise
from latentspace.evaluation.denoising import FILTERS, filtered
from latentspace.runs.directory import Run
from preloaded import begun, until


@pytest.mark.parametrize("name", FILTERS)
def test_filters_work_on_few_images_at_a_time(name, monkeypatch):
    draw = np.random.default_rng(0)
    noisy = draw.normal(0.5, 0.3, (9, 3, 12, 12)).astype(np.float32)
    whole = np.clip(FILTERS[name](noisy, 0.2), 0, 1)
    sizes, smooth = [], FILTERS[name]

    def few(images, level):
        sizes.append(len(images))
        return smooth(images, level)

    monkeypatch.setattr(noise, "FILTERS", {name: few})
    monkeypatch.setattr(noise, "HELD", 256 * 4 * 3 * 12 * 12)
    assert filtered(name, noisy, 0.2) == pytest.approx(whole, abs=1e-6)
    assert sizes == [4, 4, 1]


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_a_report(small_runs: dict[str, Run], name: str, code: int, tmp_path: Path):
    """While it measures: what was measured by then is kept, and no page is there."""
    run = Run.open(shutil.copytree(small_runs["classifier"].path, tmp_path / "classifier"))
    shutil.rmtree(run.path / "results", ignore_errors=True)
    (run.path / "report.html").unlink(missing_ok=True)  # another test may have made it
    process, out, err = begun(["report", run.path], tmp_path)
    until(lambda: process.poll() is not None or "measuring baselines" in err.read_text())
    os.kill(process.pid, getattr(signal, name))
    process.wait(100)
    # Of a file that the signal came upon as it was opened, Python says that it was not closed by us
    said = re.sub(
        r"Exception ignored in: <_io\..*?ResourceWarning: .*?\n", "", err.read_text(), flags=re.DOTALL
    )
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert out.read_text() == ""
    assert list(run.results()) == ["test"]
    assert not (run.path / "report.html").exists()
    assert not list(run.path.rglob("*.part"))
