"""A picture of what a network makes of a few images: originals above."""

import numpy as np
import torch
from PIL import Image

from ..core.devices import exact
from ..core.tensor_types import Resident
from ..data.batches import to_images
from ..models.autoencoder import Autoencoder
from .image_files import picture, png, raster

COUNT = 10  # images
ENLARGED = 2


@torch.no_grad()
@exact()
def reconstructions(model: Autoencoder, pixels: Resident) -> bytes:
    """A PNG: the images, and under each its reconstruction."""
    images = to_images(pixels)
    model.eval()
    decoded = model.decode(model.encode(images).mean)
    rows = [np.concatenate(list(raster(one.cpu().numpy())), axis=1) for one in (images, decoded)]
    sheet = picture(np.concatenate(rows))
    return png(sheet.resize((sheet.width * ENLARGED, sheet.height * ENLARGED), Image.Resampling.NEAREST))
