"""Refined codes: each moved by gradient steps on its own image, while the decoder stays as it is."""

from typing import Final, NamedTuple, TypeAlias

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

LEARNING_RATE: Final = 0.05  # 100 such steps took a mean squared error of letters from 0.0286 to 0.0265


class Refined(NamedTuple):
    """Codes, and the mean squared error of each image decoded from its code before and after."""

    codes: Codes
    before: PerImage
    after: PerImage


def refined(
    model: Autoencoder, images: Images, codes: Codes, steps: int, learning_rate: float = LEARNING_RATE
) -> Refined:
    """Codes that the decoder makes more of than of those given; none makes less.

    Adam (https://arxiv.org/abs/1412.6980) on the sum of the images' squared errors, with a learning rate
    that falls to 0 along half a cosine. Each image is on its own: its code does not depend on the others.
    Of all codes on its way, that with the smallest error is kept.

    Args:
        codes: where the steps begin, a row for each image.
    """
    trained = [one for one in model.parameters() if one.requires_grad]
    was_training = model.training
    model.eval()
    for one in trained:
        one.requires_grad_(False)
    try:
        return _descend(model, images, codes, steps, learning_rate)
    finally:
        for one in trained:
            one.requires_grad_(True)
        model.train(was_training)


def _descend(model: Autoencoder, images: Images, codes: Codes, steps: int, learning_rate: float) -> Refined:
    moving = codes.detach().clone().requires_grad_(True)
    best = codes.detach().clone()
    optimizer = torch.optim.Adam([moving], lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    with torch.no_grad():
        before = _errors(model, images, best)
    after = before.clone()
    with torch.enable_grad():
        for step in range(steps + 1):
            errors = _errors(model, images, moving)
            better = errors.detach() < after
            best[better], after[better] = moving.detach()[better], errors.detach()[better]
            if step == steps:
                break
            (moving.grad,) = torch.autograd.grad(errors.sum(), moving)
            optimizer.step()
            schedule.step()
    return Refined(best, before, after)


def _errors(model: Autoencoder, images: Images, codes: Codes) -> PerImage:
    return (model.decode(codes).float() - images).square().mean(dim=(1, 2, 3))


@exact()
def refined_codes(
    trained: TrainedAutoencoder, pixels: Pixels, rows: Int64Array, steps: int, precision: str = "32"
) -> tuple[CodeArray, ErrorArray, ErrorArray]:
    """Refined codes of the images at `rows`, and their mean squared errors a pixel after and before.

    Args:
        precision: of the passes and the gradients: 32, bf16 or auto. Codes, their steps and the errors are
            float32. After 100 steps in bf16 the error of letters was 0.03440, in float32 0.03439.
    """
    device, model = trained.device, trained.model.eval()
    held = passed_once(pixels, rows, device)
    found: list[Refined] = []
    fast = computed_in(precision, device) == "bf16"
    # What autocast keeps of its inputs would be the codes as they were before their first step.
    with torch.autocast(device.type, torch.bfloat16, enabled=fast, cache_enabled=False):
        for batch in told_of(held, at_once(BATCH, held.shape), "images refined"):
            with torch.no_grad():
                codes = model.encode(batch.inputs).mean.float()
            found.append(refined(model, batch.inputs, codes, steps))
    moved, before, after = (torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True))
    return moved, after, before
