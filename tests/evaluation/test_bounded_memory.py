"""Data larger than memory are evaluated and shown too: no part of them is ever copied whole."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from latentspace.analysis import RunContext, analyse, analyse_growth
from latentspace.data.batches import OnDiskSet, ResidentSet, at_once, passed_once
from latentspace.data.imageset import ImageSet
from latentspace.data.sampling import HELD, affordable
from latentspace.evaluation.all_metrics import all_metrics
from latentspace.evaluation.evaluate import evaluate_images
from latentspace.evaluation.timing import MethodTimes
from latentspace.inference.sampling import distribution_of
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.runs.directory import Run

CAP = 6  # images at once; a part has 24 or 72


class Watched(np.memmap):
    """A mapped array that notes how many images are copied out of it at a time."""

    copied: list[int] = []  # noqa: RUF012

    def __getitem__(self, key):
        found = super().__getitem__(key)
        if not isinstance(key, slice | int | tuple):
            Watched.copied.append(len(found))
        return found


@pytest.fixture
def copied(monkeypatch) -> list[int]:
    Watched.copied = []
    read, batches = OnDiskSet._read, ResidentSet.batches

    def read_rows(self, rows):
        Watched.copied.append(len(rows))
        return read(self, rows)

    def cut(self, batch_size, order=None):
        if self.inputs.dtype == torch.uint8:
            Watched.copied.append(min(batch_size, self.images))
        return batches(self, batch_size, order)

    monkeypatch.setattr(OnDiskSet, "_read", read_rows)
    monkeypatch.setattr(ResidentSet, "batches", cut)
    for name, module in list(sys.modules.items()):
        if name.startswith("latentspace.") and hasattr(module, "affordable"):
            monkeypatch.setattr(module, "affordable", lambda most, shape, values=0: min(most, CAP))
    return Watched.copied


@pytest.fixture
def on_disk(images: ImageSet, tmp_path: Path) -> ImageSet:
    np.save(tmp_path / "pixels.npy", images.pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r").view(Watched)
    return ImageSet(mapped, images.source, images.labels, images.class_names)


def not_timed(run: Run, images: ImageSet, device: str, where: str) -> MethodTimes:
    """It trains, in batches of the plan's size."""
    return MethodTimes(
        encoding=1.0, codes_epoch=1.0, frozen_epoch=1.0, timed=1, epochs=1, images=len(images), where=where
    )


@pytest.mark.parametrize("kind", ["ae", "dae", "vae", "classifier"])
def test_no_part_is_copied_whole(small_runs, kind, on_disk, copied, monkeypatch, tmp_path):
    monkeypatch.setattr("latentspace.analysis.classifier.method_times", not_timed)
    run = Run.open(shutil.copytree(small_runs[kind].path, tmp_path / kind))
    for file in (run.path / "results").glob("*"):
        file.unlink()
    result = evaluate_images(run, on_disk, own=True, scope="train", iwae_samples=2)
    assert result.images == 72
    analyse(RunContext.of(run, on_disk))
    assert copied
    assert max(copied) <= 3 * CAP, "a sample of each of three parts, at most"


def test_codes_of_another_size_and_new_codes_need_no_part_either(small_runs, on_disk, copied, monkeypatch):
    run = small_runs["ae"]
    monkeypatch.setattr("latentspace.inference.sampling.own_or_other", lambda *_: (on_disk, True))
    distribution_of(run, TrainedAutoencoder.load(run))
    analyse_growth([RunContext(run, on_disk, evaluate_images(run, on_disk, own=True))])
    assert max(copied) <= CAP


@pytest.mark.parametrize("kind", ["ae", "dae", "vae", "classifier"])
def test_the_metrics_are_those_of_the_part_in_memory(small_runs, kind, on_disk, images):
    run = small_runs[kind]
    part = run.split.validation
    assert all_metrics(run, on_disk, chosen=part) == all_metrics(run, images.subset(part))


def test_large_images_are_few_at_once():
    assert at_once(1024, (1, 28, 28)) == at_once(1024, (1, 32, 32)) == 1024
    assert at_once(1024, (3, 256, 256)) == 5
    assert at_once(1024, (3, 4096, 4096)) == 1
    assert affordable(10_000, (3, 32, 32)) == 10_000
    assert affordable(10_000, (3, 96, 96)) == HELD // (3 * 96 * 96) == 1213


def test_images_in_memory_are_not_laid_on_another_device_at_once(images):
    held = passed_once(images.pixels, np.array([5, 3, 60]), torch.device("meta"))
    assert isinstance(held, OnDiskSet)
    assert held.pixels is images.pixels
    batch = next(held.batches(2))
    assert (batch.inputs.shape, batch.inputs.device.type) == ((2, 1, 16, 16), "meta")
    here = passed_once(images.pixels, np.array([5, 3, 60]), torch.device("cpu"))
    assert torch.equal(next(here.batches(3)).inputs, torch.from_numpy(images.pixels[[5, 3, 60]]) / 255)
