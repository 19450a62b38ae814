"""A picture of what a trial makes of a few images: the same images in every trial, originals above."""

import io

import torch
from PIL import Image

from ..core.tensor_types import Resident
from ..data.batches import to_images
from ..models.autoencoder import Autoencoder

COUNT = 10  # images
ENLARGED = 2


@torch.no_grad()
def reconstructions(model: Autoencoder, pixels: Resident) -> bytes:
    """A PNG: the images, and under each its reconstruction."""
    images = to_images(pixels)
    model.eval()
    decoded = model.decode(model.encode(images).mean)
    rows = torch.cat([torch.cat(list(row), dim=-1) for row in (images, decoded)], dim=-2)
    raster = rows.mul(255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    picture = Image.fromarray(raster[..., 0] if raster.shape[2] == 1 else raster)
    picture = picture.resize((picture.width * ENLARGED, picture.height * ENLARGED), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
