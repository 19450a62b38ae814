"""The codes of a whole set, which a classifier learns from: made once for all trainings and processes."""

import hashlib
import json
import logging
from pathlib import Path

import torch

from ..core.atomic_files import locked, refusals
from ..core.errors import RunError
from ..core.tensor_types import Codes
from ..data.imageset import ImageSet
from ..inference.trained import encode_all
from ..models.autoencoder import Autoencoder
from ..runs.tensors import read_tensors, write_tensors

logger = logging.getLogger(__name__)


def codes_of(
    autoencoder: Autoencoder,
    weights_hash: str,
    images: ImageSet,
    device: torch.device,
    folder: Path | None = None,
) -> Codes:
    """The code of every image, on `device`.

    Args:
        weights_hash: of the autoencoder's.
        folder: where the codes are kept, and found again; while one process makes them, the others wait.
            None: they are not kept.

    Raises:
        OutputError: the folder cannot be written.
    """
    if folder is None:
        return encode_all(autoencoder.to(device), images.pixels, device)
    # All that may move a code, be it by its last bit.
    key = {
        "encoder": weights_hash,
        "refine": str(autoencoder.refine),
        "images": images.content_hash,
        "device": device.type,
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
    }
    path = folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}.safetensors"
    with refusals(folder):
        folder.mkdir(exist_ok=True)  # not the study's own directory, should it be gone
    with locked(path.with_name(f".{path.stem}.lock")):
        kept = _kept(path, key)
        if kept is None:
            kept = encode_all(autoencoder.to(device), images.pixels, device)
            write_tensors(path, {"codes": kept}, key)
    return kept.to(device)


def code_size_of(autoencoder: Autoencoder, images: ImageSet) -> int:
    """How many numbers a code has."""
    return encode_all(autoencoder, images.pixels[:1], torch.device("cpu")).shape[1]


def _kept(path: Path, key: dict[str, str]) -> Codes | None:
    """The codes that were written with this key; None where there are none, or damaged ones."""
    if not path.exists():
        return None
    try:
        tensors, notes = read_tensors(path)
    except RunError as error:
        logger.warning("%s is made again: %s", path, error.found)
        return None
    whole = {**notes, **key} == notes and "codes" in tensors
    return tensors["codes"] if whole else None
