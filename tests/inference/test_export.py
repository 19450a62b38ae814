"""Exported networks: what onnxruntime and TorchScript compute is what PyTorch computes, for any batch."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.torch
import torch
from torch import nn
from torch.onnx._internal.exporter import _registration

from latentspace.core import extras
from latentspace.core.cluster import versions
from latentspace.core.errors import ConfigurationError, OutputError
from latentspace.inference import export as exporting
from latentspace.inference.export import description, export
from latentspace.inference.trained import TrainedAutoencoder, TrainedClassifier, load_trained
from latentspace.models.autoencoder import Autoencoder, EncoderDecoderConfig, VariationalConfig
from latentspace.models.dense import DenseVariationalConfig
from latentspace.models.layers.init import build_seeded
from latentspace.models.likelihoods import MeanSquared
from latentspace.models.posteriors import Dirac
from latentspace.models.stacks.family import ResidualConfig, ResidualVariationalConfig
from latentspace.models.stacks.linear import LinearPath
from runner import call, done

pytestmark = [pytest.mark.usefixtures("unchecked"), pytest.mark.timeout(600)]


class Rows(nn.Module):
    def __init__(self, shape: tuple[int, int, int], code_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(int(np.prod(shape)), code_size)

    def forward(self, images, generator=None):
        return Dirac(self.linear(images.flatten(1)))


class LinearConfig(EncoderDecoderConfig):
    """A network from outside: one linear layer each way."""

    name: Literal["linear"] = "linear"

    def build(self, shape, generator):
        def network():
            decoder = nn.Sequential(nn.Linear(self.code_size, int(np.prod(shape))), nn.Unflatten(1, shape))
            return Autoencoder(Rows(shape, self.code_size), decoder, MeanSquared())

        return build_seeded(network, generator)


GREY, COLOUR, UNEVEN = (1, 28, 28), (3, 8, 8), (1, 13, 11)
CASES = [  # an export takes seconds, by the number of layers; the report's autoencoder is exported below
    (VariationalConfig(code_size=3, conv1_channels=4, conv2_channels=4), UNEVEN),
    (ResidualConfig(code_size=3, width=2, linear_path="on"), UNEVEN),
    (
        ResidualVariationalConfig(
            code_size=3,
            width=2,
            norm="batch",
            activation="gelu",
            upsampling="nearest",
            linear_path="on",
            corrections=1,
            refine=2,
        ),
        COLOUR,
    ),
    (LinearConfig(code_size=3), GREY),
    (DenseVariationalConfig(code_size=3, neurons=8), COLOUR),
]


@pytest.fixture(scope="module", autouse=True)
def _operators_are_read_once() -> Iterator[None]:
    """Torch reads its table of ONNX operators anew for each file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _registration.ONNXRegistry,
            "from_torchlib",
            staticmethod(cache(_registration.ONNXRegistry.from_torchlib)),
        )
        yield


@pytest.fixture(scope="session")
def trained(small_runs) -> TrainedAutoencoder:
    return TrainedAutoencoder.load(small_runs["ae"], "cpu")


def of(
    config: EncoderDecoderConfig, shape: tuple[int, int, int], like: TrainedAutoencoder
) -> TrainedAutoencoder:
    """A network that was not trained, as a run would hold it."""
    model = config.build(shape, torch.Generator().manual_seed(0))
    for path in (one for one in model.modules() if isinstance(one, LinearPath)):
        path.directions.normal_(std=0.05, generator=torch.Generator().manual_seed(1))
    channels, height, width = shape
    data = like.data.model_copy(update={"channels": channels, "height": height, "width": width})
    return TrainedAutoencoder(model, like.experiment.model_copy(update={"model": config}), data, like.device)


def computed(file: Path, given: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (one,) = session.get_inputs()
    return session.run(None, {one.name: given})


@pytest.mark.parametrize(("config", "shape"), CASES)
def test_onnxruntime_computes_what_pytorch_does(config, shape, trained, tmp_path, caplog):
    network = of(config, shape, trained)
    refined = "without the 2 steps of refinement" if network.model.refine else ""
    assert export(network, tmp_path / "out") == [
        tmp_path / "out" / "encoder.onnx",
        tmp_path / "out" / "decoder.onnx",
    ]
    hold_against_pytorch(tmp_path / "out", network)
    if refined:
        assert refined in caplog.text
        assert refined in description(network)["codes"]
    else:
        assert "refinement" not in caplog.text
        assert description(network)["codes"] == "as the encoder finds them"


def hold_against_pytorch(folder: Path, network: TrainedAutoencoder) -> None:
    for file in folder.iterdir():  # common operators, and no path of this machine
        model = onnx.load(file)
        assert [(one.domain, one.version) for one in model.opset_import] == [("", 18)]
        assert b".py" not in file.read_bytes()
    images = np.random.default_rng(1).random((7, *network.data.shape), dtype=np.float32)
    with torch.no_grad():
        codes = network.model.posterior(torch.from_numpy(images)).mean.numpy()
    for count in (1, 2, 7):
        (found,) = computed(folder / "encoder.onnx", images[:count])
        np.testing.assert_allclose(found, codes[:count], atol=1e-4)
        (decoded,) = computed(folder / "decoder.onnx", codes[:count])
        np.testing.assert_allclose(decoded, network.decode(codes[:count]), atol=1e-4)
        assert decoded.shape == (count, *network.data.shape)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("exported") / "onnx"


@pytest.fixture
def exported(place, small_runs, unchecked) -> Path:
    """A classifier's folder, exported once, without the shape checks."""
    if not place.exists():
        run = str(small_runs["classifier"].path)
        code, stdout, stderr = call(["export", run, "--out", str(place), "--json"])
        assert code == 0, stderr
        assert json.loads(stdout)["files"] == ["encoder.onnx", "decoder.onnx", "classifier.onnx"]
    return place


def test_so_it_does_for_a_run_of_the_reports_autoencoder(trained, exported):
    hold_against_pytorch(exported, trained)


def test_a_classifiers_head_goes_with_its_encoder(small_runs, images, exported):
    run = small_runs["classifier"]
    pixels = (images.pixels / 255).astype(np.float32)
    (codes,) = computed(exported / "encoder.onnx", pixels)
    logits, probabilities = computed(exported / "classifier.onnx", codes)
    classifier = TrainedClassifier.load(run, "cpu")
    np.testing.assert_allclose(logits, classifier.logits(images), atol=1e-4)
    np.testing.assert_allclose(probabilities, classifier.probabilities(images), atol=1e-4)
    said = {one.key: one.value for one in onnx.load(exported / "classifier.onnx").metadata_props}
    assert said["run"] == run.weights_hash
    assert said["kind"] == "classifier"
    assert json.loads(said["class_names"]) == list(images.class_names)
    assert json.loads(said["image_shape"]) == [1, 16, 16]
    assert said["code_size"] == "3"
    assert said["images"] == "float32, N x 1 x 16 x 16 (channels, height, width), from 0 to 1"


@pytest.mark.filterwarnings("ignore:.torch.jit.load. is:DeprecationWarning")
@pytest.mark.parametrize("kind", ["ae", "vae", "classifier"])
def test_torchscript_computes_what_pytorch_does(kind, small_runs, images, tmp_path):
    run = small_runs[kind]
    code, stdout, stderr = call(["export", str(run.path), "--to", "torchscript", "--out", str(tmp_path)])
    assert code == 0, stderr
    files = {Path(line).stem: line for line in stdout.splitlines()}
    about = {"config.json": ""}
    encoder = torch.jit.load(files["encoder"], _extra_files=about)
    assert json.loads(about["config.json"])["run"] == run.weights_hash
    assert not any("decoder" in name for name, _ in encoder.named_parameters())  # its half of the weights
    codes = encoder(torch.from_numpy(images.pixels / np.float32(255)))
    trained = exporting.load_trained(run, "cpu")
    np.testing.assert_allclose(codes.numpy(), trained.encode(images), atol=1e-4)
    if kind == "classifier":
        logits, _ = torch.jit.load(files["classifier"])(codes)
        np.testing.assert_allclose(logits.detach().numpy(), trained.logits(images), atol=1e-4)
    else:
        decoded = torch.jit.load(files["decoder"])(codes)
        np.testing.assert_allclose(decoded.numpy(), trained.reconstruct(images), atol=1e-4)


def test_safetensors_hold_the_weights_and_what_they_are_of(small_runs, tmp_path):
    run = small_runs["classifier"]
    files = export(run, tmp_path, "safetensors")
    assert [one.name for one in files] == ["autoencoder.safetensors", "classifier.safetensors", "config.json"]
    head = safetensors.torch.load_file(files[1])
    assert {key: one.tolist() for key, one in head.items()} == {
        key: one.tolist() for key, one in run.weights.items()
    }
    about = json.loads(files[2].read_text())
    assert about["classifier"]["linear1_neurons"] == 16
    assert about["model"]["code_size"] == 3


def test_a_file_that_computes_something_else_is_not_kept(trained, tmp_path, monkeypatch):
    written = exporting._torchscript

    def wrong(part, about):
        content, compute = written(part, about)
        return content, lambda given: [one + 0.01 for one in compute(given)]

    monkeypatch.setattr(exporting, "_onnx", wrong)
    with pytest.raises(OutputError, match="encoder must compute what PyTorch computes"):
        export(trained, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_that_torch_cannot_write_is_refused(trained, tmp_path):
    network = of(LinearConfig(code_size=3), (1, 28, 28), trained)
    linear = network.model.encoder.linear
    network.model.encoder.forward = lambda images, generator=None: Dirac(
        linear(images.flatten(1)) if images.sum() > 3 else images.flatten(1)[:, :3]
    )
    with pytest.raises(ConfigurationError, match="one that torch can write as ONNX"):
        export(network, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "keras", "--out", "{}/new"], "onnx, torchscript, safetensors"),
        (["--out", "{}/there"], "must be new"),
        (["--out", "{}/there/encoder.onnx"], "encoder.onnx must be writable"),
    ],
)
def test_bad_input_is_one_clear_error(small_runs, tmp_path, words, said):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "encoder.onnx").write_text("kept")
    given = [one.format(tmp_path) for one in words]
    code, stdout, stderr = call(["export", str(small_runs["ae"].path), *given])
    assert (code, stdout) == (2, "")
    assert said in stderr
    assert [one.name for one in tmp_path.rglob("*")] == ["there", "encoder.onnx"]
    assert (tmp_path / "there" / "encoder.onnx").read_text() == "kept"


def test_without_the_extra_its_name_is_given(small_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "onnxruntime" else 1)
    code, _, stderr = call(["export", str(small_runs["ae"].path), "--out", str(tmp_path / "out")])
    assert code == 2
    assert "latentspace[onnx]" in stderr


def test_force_replaces_files_of_the_same_names_alone(small_runs, tmp_path):
    (tmp_path / "encoder.safetensors").write_text("old")
    (tmp_path / "autoencoder.safetensors").write_text("old")
    words = ["export", str(small_runs["ae"].path), "--to", "safetensors", "--out", str(tmp_path)]
    assert call(words)[0] == 2
    assert call([*words, "--force"])[0] == 0
    assert (tmp_path / "encoder.safetensors").read_text() == "old"
    assert safetensors.torch.load_file(tmp_path / "autoencoder.safetensors")


def test_the_lines_of_the_guide_run(trained, exported, tmp_path, monkeypatch):
    guide = Path(__file__).parents[2] / "docs" / "guide" / "sharing.md"
    (code,) = re.findall(r"^```python\n(.*?)^```", guide.read_text(), re.M | re.S)
    assert len(code.strip().splitlines()) <= 10
    assert "latentspace" not in code
    monkeypatch.chdir(tmp_path)
    Path("letters-onnx").symlink_to(exported)
    names = {}
    exec(compile(code, "sharing.md", "exec"), names)
    assert names["codes"].shape == (5, 3)
    assert names["decoded"].shape == (5, *trained.data.shape)


def test_a_package_that_is_run_from_its_source_has_no_version(small_runs, monkeypatch):
    monkeypatch.setattr("latentspace.core.versions.version_of", lambda _: None)
    assert done("--version") == "latentspace not installed\n"
    assert description(load_trained(small_runs["ae"].path))["latentspace"] == "not installed"
    assert versions()["latentspace"] == "not installed"
