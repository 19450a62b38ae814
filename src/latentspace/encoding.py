"""run -> codes: a trained network as a plain object, every pass batched, in float32, without gradients."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from .data.batches import batches
from .data.imageset import ImageSet
from .errors import DataError
from .experiment import Experiment
from .models.autoencoder import Autoencoder
from .runs import DataRecord, Run
from .types import CodeArray, ImageArray, Pixels

BATCH = 1024


class TrainedAutoencoder:
    """The network of a finished run. Get one with `latentspace.load`."""

    def __init__(
        self, model: Autoencoder, experiment: Experiment, data: DataRecord, device: torch.device
    ) -> None:
        self.model = model.to(device).eval()
        self.experiment = experiment
        self.data = data
        self.device = device

    @classmethod
    def load(cls, run: str | Path | Run, device: str = "cpu") -> "TrainedAutoencoder":
        """Open a finished run.

        Raises:
            RunError: there is no run, it has not ended, or a file of it is damaged.
        """
        run = run if isinstance(run, Run) else Run.open(Path(run))
        model = run.experiment.build(run.data.shape)
        model.load_state_dict(run.weights)
        return cls(model, run.experiment, run.data, torch.device(device))

    @property
    def code_size(self) -> int:
        return self.experiment.model.code_size

    def encode(self, images: ImageSet | UInt8[np.ndarray, "..."]) -> CodeArray:
        """Images -> codes, images x code, float32: the posterior's mean.

        Args:
            images: an ImageSet, or uint8 pixels (images x channels x height x width; a set of grey
                images may leave the channels out).

        Raises:
            DataError: images of another type, size or number of channels than the run's.
        """
        with torch.no_grad():
            codes = [self.model.encode(batch).mean.cpu() for batch in self._batches(self._pixels(images))]
        return torch.cat(codes).numpy()

    def decode(self, codes: CodeArray) -> ImageArray:
        """Codes -> pixels in [0, 1], images x channels x height x width, float32.

        Raises:
            DataError: codes of another size than the run's.
        """
        if codes.ndim != 2 or codes.shape[1] != self.code_size or not len(codes):
            raise DataError(
                f"codes must be an array of images x {self.code_size}",
                found=f"shape {codes.shape}",
                do="decode what `encode` of the same run returned, or codes drawn at that size",
            )
        parts = torch.split(torch.from_numpy(np.ascontiguousarray(codes, dtype=np.float32)), BATCH)
        with torch.no_grad():
            return torch.cat([self.model.decode(part.to(self.device)).cpu() for part in parts]).numpy()

    def reconstruct(self, images: ImageSet | UInt8[np.ndarray, "..."]) -> ImageArray:
        """Images -> codes -> pixels in [0, 1]; as `decode(encode(images))`."""
        return self.decode(self.encode(images))

    def _pixels(self, images: ImageSet | UInt8[np.ndarray, "..."]) -> Pixels:
        pixels = images.pixels if isinstance(images, ImageSet) else np.asarray(images)
        if pixels.ndim == 3 and self.data.channels == 1:
            pixels = pixels[:, None]
        if pixels.dtype != np.uint8 or pixels.shape[1:] != self.data.shape or not len(pixels):
            raise DataError(
                "images must be uint8, and as the run's: {}x{}x{} (channels x height x width)".format(
                    *self.data.shape
                ),
                found=f"{pixels.dtype} of shape {pixels.shape}",
                do="convert them, for example with --resize HxW or latentspace.load_data(..., resize=(H, W))",
            )
        return pixels

    def _batches(self, pixels: Pixels) -> Iterator[torch.Tensor]:
        return batches(torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device), BATCH)
