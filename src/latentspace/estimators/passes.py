"""Passes of a fitted network over arrays, in batches, without gradients.

Rows in float64 are computed in float64: what is said of a sample is then the same to nine digits, whatever
other samples are given with it.
"""

import copy
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from ..core.devices import exact, named_device
from ..core.types import CodeArray, ImageArray
from ..data.batches import Batches, ResidentSet, passed_once, told_of
from ..inference.trained import BATCH
from ..models.autoencoder import Autoencoder

Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
@exact()
def passed(
    network: Network,
    inputs: np.ndarray,
    device: str,
    compute: Callable[[Network, torch.Tensor], torch.Tensor],
) -> np.ndarray:
    """What `compute` makes of the network and each batch, as one array.

    Args:
        inputs: bytes, which become floats in [0, 1], or floats: in their precision.
        device: what computes, as `core.devices.named_device` takes it.
    """
    place = named_device(device)
    cpu = torch.device("cpu")
    dtype = torch.float64 if inputs.dtype == np.float64 else torch.float32
    held: Batches
    if inputs.dtype == np.uint8:
        held = passed_once(inputs, np.arange(len(inputs)), cpu)
    else:
        held = ResidentSet(torch.from_numpy(np.require(inputs, requirements=["C", "W"])))
    there = network
    if (place.type, dtype) != ("cpu", torch.float32):  # the fitted network itself stays as it is
        there = copy.deepcopy(network).to(place, dtype)
    batches = told_of(held, BATCH, "samples computed")
    return np.concatenate([compute(there, batch.inputs.to(place)).cpu().numpy() for batch in batches])


def encoded(network: Autoencoder, inputs: np.ndarray, device: str) -> CodeArray:
    """Inputs -> the mean of each one's posterior, samples x code."""
    return passed(network, inputs, device, lambda there, batch: there.encode(batch).mean)


def decoded(network: Autoencoder, codes: CodeArray, device: str) -> ImageArray:
    """Codes -> samples x channels x height x width, in [0, 1]."""
    return passed(network, codes, device, lambda there, batch: there.decode(batch))
