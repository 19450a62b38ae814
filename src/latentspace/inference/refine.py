"""Codes of images after so many steps of refinement, and what the steps gained."""

from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float32

from ..core.devices import exact
from ..core.tensor_types import Codes, Images, PerImage
from ..core.types import CodeArray, Int64Array, Pixels
from ..data.batches import at_once, passed_once, told_of
from ..models.autoencoder import Autoencoder
from .precision import computed_in
from .trained import BATCH, TrainedAutoencoder

ErrorArray: TypeAlias = Float32[np.ndarray, " images"]


@torch.no_grad()
@exact()
def refined_codes(
    trained: TrainedAutoencoder, pixels: Pixels, rows: Int64Array, steps: int, precision: str = "32"
) -> tuple[CodeArray, ErrorArray, ErrorArray]:
    """Refined codes of the images at `rows`, and their mean squared errors a pixel after and before.

    Args:
        steps: of `models.refinement`, from the codes of the encoder.
        precision: of the encoder: 32, bf16 or auto. Steps and errors are float32: they follow differences
            that bfloat16 does not hold.
    """
    device, model = trained.device, trained.model.eval()
    held = passed_once(pixels, rows, device)
    fast = computed_in(precision, device) == "bf16"
    found: list[tuple[Codes, PerImage, PerImage]] = []
    for batch in told_of(held, at_once(max(16, BATCH // (1 + steps)), held.shape), "images refined"):
        with torch.autocast(device.type, torch.bfloat16, enabled=fast):
            begun = model.posterior(batch.inputs).mean.float()
            codes = model.refined(begun.__getitem__, batch.inputs, steps)
        found.append((codes, _errors(model, batch.inputs, codes), _errors(model, batch.inputs, begun)))
    moved, after, before = (torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True))
    return moved, after, before


def _errors(model: Autoencoder, images: Images, codes: Codes) -> PerImage:
    return (model.decode(codes).float() - images).square().flatten(1).mean(dim=1)
