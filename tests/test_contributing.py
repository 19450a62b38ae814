"""The worked examples of CONTRIBUTING.md do what they say."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from latentspace.core.errors import DataError
from latentspace.core.randomness import generator
from latentspace.core.registry import Registry
from latentspace.data.batches import Batch
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.readers.registry import READERS
from latentspace.evaluation import metrics
from latentspace.evaluation.metrics import METRICS, Case
from latentspace.models.autoencoder import VariationalConfig
from latentspace.models.families import MODELS
from latentspace.objectives.families import OBJECTIVES
from latentspace.objectives.loss import Context
from materials import make_images

SOURCE = Path(__file__).parents[1] / "src" / "latentspace"

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section_of(heading: str) -> str:
    return TEXT.partition(f"\n### {heading}\n")[2].partition("\n##")[0]


def example(heading: str, package: str, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """The names that the code below a heading defines, as a file of that package."""
    names = {"__name__": f"{package}.example", "__package__": package, **(known or {})}
    for code in re.findall(r"^```python\n(.*?)^```", section_of(heading), re.M | re.S):
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
    config = example("A network", "latentspace.models")["PooledConfig"](channels=4, code_size=3)
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
    names = example("A reader", "latentspace.data.readers", {"ImageSet": ImageSet})
    reader, stored = names["HEX_LINES"], make_images(12, channels=3)
    path = names["as_hex_lines"](stored, tmp_path)
    assert reader.knows(path, b"")
    assert not reader.knows(tmp_path / "images.npz", b"")
    assert reader.read(path, DataConfig()).content_hash == stored.content_hash
    path.write_text("1 2")
    with pytest.raises(DataError, match="a label and an image on each line"):
        reader.read(path, DataConfig())


@pytest.mark.parametrize(
    ("heading", "registry"),
    [("An objective", OBJECTIVES), ("A network", MODELS), ("A metric", METRICS), ("A reader", READERS)],
)
def test_no_example_is_there_already(heading: str, registry: Registry[Any]) -> None:
    section = section_of(heading)
    line = re.search(r'`"(\w+)": f?"[\w.{}]+:\w+"`', section)
    assert line
    assert line[1] not in registry
    for file, package in re.findall(r"`(\w+\.py)` in\s`([\w/]+)/`", section):
        assert not (SOURCE / package / file).exists()


def drawn() -> torch.Generator:
    return generator(0, "noise")
