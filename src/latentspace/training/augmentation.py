"""Augmentation: each image of a batch moved a little, on its device, as a function of (seed, epoch)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from ..core.randomness import generator, rows_drawn
from ..core.tensor_types import Images
from ..experiment.config import Experiment

# A batch, and its step of the whole training -> what is learned from in its place.
Augment: TypeAlias = Callable[[Tensor, int], Tensor]

Amounts: TypeAlias = Float32[Tensor, "images 2"]

LAST: Final = 0.1  # of the training, in which half as many batches are moved: it ends nearer to the images


@dataclass(frozen=True)
class Moves:
    """How far an image may be moved; each amount is drawn evenly between minus and plus it.

    Images that are only shifted are shifted by whole pixels, so that every pixel is one of the image itself.

    Args:
        rotation: in radians.
        shear: pixels to the side for each pixel of height.
        scale: share of the size.
        shift: share of the height and of the width.
        mirror: left and right are exchanged in every other image.
    """

    rotation: float = 0
    shear: float = 0
    scale: float = 0
    shift: float = 0
    mirror: bool = False


AFFINE: Final = Moves(rotation=0.1, shear=0.15, scale=0.07, shift=0.06)

MOVES: Mapping[str, Moves] = {
    "auto": AFFINE,  # of a plan that nobody has settled
    "shift": Moves(shift=AFFINE.shift),
    "affine": AFFINE,
    "mirror": replace(AFFINE, mirror=True),
}


def augmentation_of(experiment: Experiment, epoch: int, steps: int) -> Augment:
    """What the plan does to the batches of an epoch, in their order.

    Args:
        epoch: counted from 1.
        steps: of the whole training.
    """
    plan = experiment.training
    if plan.augment == "none":
        return _as_they_are
    moves, draw = MOVES[plan.augment], generator(experiment.seed, "augmentation", epoch)

    def augment(images: Tensor, step: int) -> Tensor:
        share = plan.augment_share * (0.5 if step >= (1 - LAST) * steps else 1)
        if torch.rand((), generator=draw).item() >= share:
            return images
        return moved(images, moves, draw)

    return augment


def _as_they_are(images: Tensor, step: int) -> Tensor:  # noqa: ARG001 - called as every augmentation
    return images


def moved(images: Images, moves: Moves, draw: torch.Generator) -> Images:
    """Every image by amounts of its own; what comes in from outside is the image's border, drawn out.

    Args:
        draw: on the CPU, so that amounts are the same for every device.
    """
    count, _, height, width = images.shape
    amounts = rows_drawn(lambda rows: torch.rand((rows, 6), generator=draw), count)
    within = amounts[:, :5] * 2 - 1
    if moves.shift and moves == Moves(shift=moves.shift):
        return shifted(images, within[:, 3:5], moves.shift)
    turn = within[:, 0] * moves.rotation
    scale = 1 + within[:, 1] * moves.scale
    mirror = torch.where(amounts[:, 5] < 0.5, -1.0, 1.0) if moves.mirror else torch.ones(count)
    cosine, sine = scale * torch.cos(turn), scale * torch.sin(turn)
    shear = within[:, 2] * moves.shear
    # Where a pixel comes from, in pixels from the middle; `affine_grid` counts in halves of the sides.
    across = torch.stack([cosine * mirror, (cosine * shear - sine) * (height / width)], dim=1)
    down = torch.stack([sine * mirror * (width / height), sine * shear + cosine], dim=1)
    shift = within[:, 3:5] * 2 * moves.shift
    matrices = torch.cat([torch.stack([across, down], dim=1), shift[:, :, None]], dim=2)
    grid = affine_grid(matrices.to(images.device), [count, 1, height, width], align_corners=False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def shifted(images: Images, within: Amounts, share: float) -> Images:
    """Every image by whole pixels; its border is drawn out.

    Args:
        within: how far along the width and along the height, from -1 to 1 of the most.
        share: of the width and of the height: the most, but one pixel at least.
    """
    count, _, height, width = images.shape

    def from_where(along: Tensor, side: int) -> Tensor:
        far = (along * max(1.0, share * side)).round().long()
        return (torch.arange(side) + far[:, None]).clamp(0, side - 1).to(images.device)

    rows, columns = from_where(within[:, 1], height), from_where(within[:, 0], width)
    every = torch.arange(count, device=images.device)[:, None, None]
    return images[every, :, rows[:, :, None], columns[:, None, :]].movedim(3, 1).contiguous()
