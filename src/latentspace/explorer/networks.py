"""A run's encoder and decoder as ONNX, for the browser: made once for the same weights, then kept."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import torch
from torch import Tensor, nn

from ..core.atomic_files import make_folder, write_bytes
from ..core.errors import OutputError
from ..data.paths import cache_directory
from ..inference.trained import TrainedAutoencoder
from ..models.autoencoder import Autoencoder

OPSET: Final = 18


class _Encoder(nn.Module):
    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model.encode(images).mean


class _Decoder(nn.Module):
    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: Tensor) -> Tensor:
        return self.model.decode(codes)


def network(trained: TrainedAutoencoder, part: str, weights: str | None = None) -> bytes:
    """The `encoder` or the `decoder` as an ONNX file.

    Args:
        weights: the hash of the run's weights, by which the file is kept; None: it is not.
    """
    path = cache_directory() / "networks" / f"{weights}-{part}.onnx"
    if weights and path.is_file():
        with suppress(OSError):
            return path.read_bytes()
    content = _onnx(trained, part)
    if weights:
        with suppress(OutputError):  # a cache that cannot be written is no reason to end
            make_folder(path.parent)
            write_bytes(path, content)
    return content


def _onnx(trained: TrainedAutoencoder, part: str) -> bytes:
    model = trained.model
    encodes = part == "encoder"
    example = torch.zeros(2, *trained.data.shape) if encodes else torch.zeros(2, trained.code_size)
    with _unwarned():
        program = torch.onnx.export(
            (_Encoder if encodes else _Decoder)(model).eval(),
            (example.to(trained.device),),
            input_names=["images" if encodes else "codes"],
            output_names=["codes" if encodes else "images"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            opset_version=OPSET,
            verbose=False,
        )
    return bytes(program.model_proto.SerializeToString())  # type: ignore[union-attr]


@contextmanager
def _unwarned() -> Iterator[None]:
    exporter = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)
