"""A finished run -> files that are used without this package: ONNX, TorchScript, or the weights alone.

A network is written in parts: `encoder` (images -> codes), `decoder` (codes -> images) and, of a classifier's
run, `classifier` (codes -> logits and probabilities). Each takes any number of images at once. What a file
computes is held against PyTorch before it is written.
"""

import copy
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ..core.atomic_files import make_folder
from ..core.errors import ConfigurationError, OutputError
from ..core.extras import require_extra
from ..core.output_files import refuse_file, write_file
from ..core.progress import tell
from ..core.randomness import generator
from ..core.versions import said_version_of
from ..core.wording import counted, option
from ..models.autoencoder import Autoencoder
from ..models.posteriors import Posterior
from ..runs.directory import Run
from ..runs.tensors import tensor_bytes
from .trained import TrainedAutoencoder, TrainedClassifier, load_trained

logger = logging.getLogger(__name__)

ENDINGS: Final[Mapping[str, str]] = {"onnx": ".onnx", "torchscript": ".pt", "safetensors": ".safetensors"}
OPSET: Final = 18  # the lowest that torch writes without converting; onnxruntime-web has it
CLOSE: Final = 1e-4  # how far a file's results may be from PyTorch's, beside numbers of size 1
DESCRIPTION: Final = "config.json"

Trained: TypeAlias = TrainedAutoencoder | TrainedClassifier


def _autoencoder(trained: Trained) -> TrainedAutoencoder:
    """The network itself, or that whose codes a classifier takes."""
    return trained.autoencoder if isinstance(trained, TrainedClassifier) else trained


class _Encoder(nn.Module):
    """Images -> codes, not refined; without the decoder, but for corrections: it would go into the file."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.needed = model.encoder if model.correction is None else model

    def forward(self, images: Tensor) -> Tensor:
        encode = self.needed.posterior if isinstance(self.needed, Autoencoder) else self.needed
        posterior: Posterior = encode(images, None)
        return posterior.mean


class _Decoder(nn.Module):
    """Codes -> images; without the encoder."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.decoder, self.likelihood = model.decoder, model.likelihood

    def forward(self, codes: Tensor) -> Tensor:
        return self.likelihood.mean(self.decoder(codes))


class _Classes(nn.Module):
    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.head(codes)
        return logits, torch.softmax(logits, dim=1)


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a network: one tensor in, one or more out, the first dimension of each the images."""

    network: nn.Module
    takes: str
    gives: tuple[str, ...]
    example: Tensor

    @torch.no_grad()
    def of(self, given: Tensor) -> list[np.ndarray]:
        """What PyTorch computes."""
        found = self.network(given)
        return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


def export(
    run: str | Path | Run | Trained, folder: Path, to: str = "onnx", *, force: bool = False
) -> list[Path]:
    """Write the network of a finished run, or one that is loaded, into `folder`; the files.

    Args:
        to: onnx, torchscript, or safetensors: the weights, with a description of the network.
        force: replace files of these names.

    Raises:
        RunError: a run that has not ended, or is damaged.
        ConfigurationError: another format, or a network that cannot be written in it.
        OutputError: there are such files, or they cannot be written.
    """
    if to not in ENDINGS:
        raise ConfigurationError(
            f"a run is exported as one of: {', '.join(ENDINGS)}", found=repr(to), do="name one of them"
        )
    if to == "onnx":
        require_onnx()
    run = Run.open(run) if isinstance(run, str | Path) else run
    for name in _names(to, classifies=run.experiment.task.needs_encoder):
        refuse_file(folder / name, force=force)
    trained = load_trained(run, "cpu") if isinstance(run, Run) else run
    about = description(trained)
    autoencoder = _autoencoder(trained)
    if to != "safetensors" and autoencoder.model.refine:
        logger.warning("the exported encoder finds codes %s, which needs gradients", _unrefined(autoencoder))
    contents = _weights(trained, about) if to == "safetensors" else _programs(trained, about, to)
    return _write(folder, contents, force=force)


def onnx_file(trained: Trained, name: str) -> bytes:
    """One part of a network as the bytes of an ONNX file; not held against PyTorch, which `export` does.

    Args:
        name: encoder, decoder, or classifier.
    """
    require_onnx()
    return _onnx(parts_of(trained)[name], description(trained))[0]


def require_onnx() -> None:
    """Refuse to go on where the libraries for ONNX files are not installed: raises ConfigurationError."""
    require_extra("onnx", "onnx", "onnxscript", "onnxruntime", to="export ONNX")


def description(trained: Trained) -> dict[str, Any]:
    """What a user of the files must know: what goes in, what comes out, and what made them."""
    autoencoder = _autoencoder(trained)
    shape = list(autoencoder.data.shape)
    return {
        "latentspace": said_version_of(),
        "kind": trained.experiment.kind,
        "image_shape": shape,
        "images": f"float32, N x {' x '.join(map(str, shape))} (channels, height, width), from 0 to 1",
        "code_size": autoencoder.code_size,
        "codes": "as the encoder finds them"
        + (f", {_unrefined(autoencoder)}" if autoencoder.model.refine else ""),
        "class_names": list(autoencoder.data.class_names),
        "model": autoencoder.experiment.model.model_dump(mode="json"),
        **(
            {"classifier": trained.experiment.model.model_dump(mode="json")}
            if trained is not autoencoder
            else {}
        ),
        **({} if trained.run is None else {"run": trained.run.weights_hash}),
    }


def _unrefined(trained: TrainedAutoencoder) -> str:
    return f"without the {counted(trained.model.refine, 'step')} of refinement that the run itself takes"


def parts_of(trained: Trained) -> dict[str, Part]:
    """The parts of a network, copied to the CPU, by the name of their files."""
    autoencoder = _autoencoder(trained)
    model = copy.deepcopy(autoencoder.model).cpu().eval().requires_grad_(False)
    images = torch.rand(3, *autoencoder.data.shape, generator=generator(0, "sample"))
    with torch.no_grad():
        codes = model.posterior(images).mean
    parts = {
        "encoder": Part(_Encoder(model).eval(), "images", ("codes",), images),
        "decoder": Part(_Decoder(model).eval(), "codes", ("images",), codes),
    }
    if isinstance(trained, TrainedClassifier):
        head = copy.deepcopy(trained.head).cpu().eval().requires_grad_(False)
        parts["classifier"] = Part(_Classes(head).eval(), "codes", ("logits", "probabilities"), codes)
    return parts


def _names(to: str, *, classifies: bool) -> list[str]:
    parts = ["autoencoder"] if to == "safetensors" else ["encoder", "decoder"]
    names = [f"{part}{ENDINGS[to]}" for part in [*parts, *(["classifier"] if classifies else [])]]
    return [*names, DESCRIPTION] if to == "safetensors" else names


def _write(folder: Path, contents: Mapping[str, bytes], *, force: bool) -> list[Path]:
    make_folder(folder)
    for name, content in contents.items():
        write_file(folder / name, content, force=force)
    return [folder / name for name in contents]


def _weights(trained: Trained, about: Mapping[str, Any]) -> dict[str, bytes]:
    autoencoder = _autoencoder(trained)
    networks: dict[str, nn.Module] = {"autoencoder": autoencoder.model}
    if isinstance(trained, TrainedClassifier):
        networks["classifier"] = trained.head
    files = {f"{name}.safetensors": tensor_bytes(one.state_dict(), {}) for name, one in networks.items()}
    return {**files, DESCRIPTION: (json.dumps(about, indent=2) + "\n").encode()}


def _programs(trained: Trained, about: Mapping[str, Any], to: str) -> dict[str, bytes]:
    parts, contents = parts_of(trained), {}
    written = _onnx if to == "onnx" else _torchscript
    for number, (name, part) in enumerate(parts.items(), start=1):
        content, compute = written(part, about)
        _require_equal(name, part, compute)
        contents[f"{name}{ENDINGS[to]}"] = content
        tell("parts exported", number, len(parts))
    return contents


Compute = Callable[[Tensor], list[np.ndarray]]


def _onnx(part: Part, about: Mapping[str, Any]) -> tuple[bytes, Compute]:
    """The bytes of an ONNX file, and what onnxruntime computes with it."""
    import onnx
    import onnxruntime
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    with _unwarned():
        try:
            program = torch.onnx.export(
                part.network,
                (part.example,),
                input_names=[part.takes],
                output_names=list(part.gives),
                dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
                dynamo=True,
                opset_version=OPSET,
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise _unwritable("ONNX", error) from error
    assert program is not None
    ClearMetadataAndDocStringPass()(program.model)  # the source lines of every operator
    said = {key: one if isinstance(one, str) else json.dumps(one) for key, one in about.items()}
    program.model.metadata_props.update(said)
    content = program.model_proto.SerializeToString()
    onnx.checker.check_model(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def compute(given: Tensor) -> list[np.ndarray]:
        return list(session.run(None, {part.takes: given.numpy()}))

    return content, compute


def _torchscript(part: Part, about: Mapping[str, Any]) -> tuple[bytes, Compute]:
    """The bytes of a TorchScript file, and what it computes."""
    buffer = io.BytesIO()
    with _unwarned():
        try:
            traced = torch.jit.trace(part.network, part.example)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            raise _unwritable("TorchScript", error) from error
        torch.jit.save(traced, buffer, {DESCRIPTION: json.dumps(about)})
    content = buffer.getvalue()
    with _unwarned():
        loaded = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]
    return content, Part(loaded, part.takes, part.gives, part.example).of


def _require_equal(name: str, part: Part, compute: Compute) -> None:
    """Hold what a file computes against PyTorch, for one image and for several: raises OutputError."""
    for given in (
        part.example,
        part.example[:1],
        part.example.flip(0).repeat(2, *[1] * (part.example.ndim - 1)),
    ):
        for found, wanted in zip(compute(given), part.of(given), strict=True):
            if found.shape != wanted.shape or not np.allclose(
                found, wanted, rtol=0, atol=CLOSE * max(1.0, float(np.abs(wanted).max()))
            ):
                raise OutputError(
                    f"the exported {name} must compute what PyTorch computes",
                    found=f"results that are more than {CLOSE} away",
                    do=f"try another format with {option('to')}; please report the network's settings",
                )


def _unwritable(form: str, error: Exception) -> ConfigurationError:
    said = " ".join(str(error).split())
    return ConfigurationError(
        f"the network must be one that torch can write as {form}",
        found=said[:200],
        do=f"keep to operators of torch's own, or export {option('to', 'safetensors')}",
    )


@contextmanager
def _unwarned() -> Iterator[None]:
    """Within the block nothing is said of what torch itself does in a way that it no longer recommends."""
    exporter = logging.getLogger("torch.onnx._internal.exporter._registration")  # torchvision is not here
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for kind in (FutureWarning, DeprecationWarning, torch.jit.TracerWarning):  # type: ignore[attr-defined]
                warnings.simplefilter("ignore", kind)
            yield
    finally:
        exporter.setLevel(level)
