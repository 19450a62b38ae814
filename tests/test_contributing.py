"""The worked examples of CONTRIBUTING.md do what they say."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentspace.core.errors import DataError
from latentspace.core.randomness import generator
from latentspace.data.batches import Batch
from latentspace.data.config import DataConfig
from latentspace.evaluation import metrics
from latentspace.evaluation.metrics import Case
from latentspace.models.autoencoder import VariationalConfig
from latentspace.objectives.loss import Context
from materials import make_images

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def example(heading: str, package: str, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """The names that the code below a heading defines, as a file of that package."""
    section = TEXT.partition(f"\n### {heading}\n")[2].partition("\n##")[0]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.M | re.S)
    names = {"__name__": f"{package}.example", "__package__": package, **(known or {})}
    exec(compile(code, f"CONTRIBUTING.md, {heading}", "exec"), names)
    return names


def test_the_objective() -> None:
    names = example("An objective", "latentspace.objectives")
    config = names["MmdConfig"]()
    model = VariationalConfig(code_size=2, conv1_channels=2, conv2_channels=2).build((1, 8, 8), drawn())
    batch = Batch(torch.rand(50, 1, 8, 8, generator=drawn()))
    loss = config.training(model, batch, Context(drawn(), 50))
    assert loss.total.item() == pytest.approx(loss.parts["bce"].item() + 100 * loss.parts["mmd"].item())
    assert "elbo_loss" in config.validation(model, batch, Context(drawn(), 50)).parts
    same, prior = torch.randn(2, 500, 3, generator=drawn())
    kernel = names["kernel"]
    for codes, low, high in ((same, 0.0, 0.01), (same + 2, 0.1, 2.0)):
        assert low < kernel(prior, prior) + kernel(codes, codes) - 2 * kernel(prior, codes) < high


def test_the_network() -> None:
    config = example("A network", "latentspace.models")["ResidualConfig"](channels=4, code_size=3)
    one, two = (config.build((3, 9, 14), drawn()) for _ in range(2))
    images = torch.rand(2, 3, 9, 14, generator=drawn())
    assert one.encode(images).mean.shape == (2, 3)
    assert one(images, drawn()).logits.shape == images.shape
    assert torch.equal(one(images, drawn()).logits, two(images, drawn()).logits)


def test_the_metric(small_runs, images) -> None:
    psnr = example("A metric", "latentspace.evaluation", vars(metrics))["psnr"]
    test = small_runs["ae"].split.test
    case = Case(small_runs["ae"], images, test, 1, "cpu")
    pixels = images.pixels[test] / np.float32(255)
    errors = ((case.trained.reconstruct(images.pixels[test]) - pixels) ** 2).mean(axis=(1, 2, 3))
    assert psnr(case) == pytest.approx(float((-10 * np.log10(errors)).mean()), rel=1e-5)
    assert psnr(Case(small_runs["classifier"], images, test, 1, "cpu")) is None


def test_the_reader(tmp_path: Path) -> None:
    reader = example("A reader", "latentspace.data.readers")["JSON_LINES"]
    stored, path = make_images(12), tmp_path / "images.jsonl"
    names = np.array(stored.class_names)[stored.labels]
    rows = [{"pixels": one.tolist(), "label": name} for one, name in zip(stored.pixels, names, strict=True)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert reader.knows(path, b"")
    assert not reader.knows(tmp_path / "images.npz", b"")
    assert reader.read(path, DataConfig()).content_hash == stored.content_hash
    path.write_text("[]")
    with pytest.raises(DataError, match="an image on each line"):
        reader.read(path, DataConfig())


def drawn() -> torch.Generator:
    return generator(0, "noise")
