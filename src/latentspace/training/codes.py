"""The codes of a whole set, which a classifier learns from: made once for all trainings and processes."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch

from ..core.atomic_files import locked, refusals
from ..core.devices import exact
from ..core.errors import RunError
from ..core.progress import tell
from ..core.randomness import generator
from ..core.tensor_types import Codes
from ..core.types import Int64Array
from ..data.batches import at_once, passed_once
from ..data.imageset import ImageSet
from ..inference.trained import BATCH, encode_all
from ..models.autoencoder import Autoencoder
from ..runs.tensors import read_tensors, write_tensors
from .augmentation import MOVES, moved

logger = logging.getLogger(__name__)


class Copies(NamedTuple):
    """Moved copies of the images that are learned from.

    Args:
        number: of each image.
        augment: how they are moved, as `training.augment` has it.
        fit: the parts that are learned from, as `training.fit` has it.
        seed: of the moves. It is the split's, so that trainings of other seeds learn from the same copies.
    """

    number: int
    augment: str
    fit: str
    seed: int


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

    def made() -> Codes:
        return encode_all(autoencoder.to(device), images.pixels, device)

    return _kept_in(folder, _key(autoencoder, weights_hash, images, device), made).to(device)


def codes_of_copies(
    autoencoder: Autoencoder,
    weights_hash: str,
    images: ImageSet,
    device: torch.device,
    copies: Copies,
    chosen: Int64Array,
    folder: Path | None = None,
) -> Codes:
    """The codes of moved copies, not refined, on `device`: of all first copies, then of all second ones.

    Args:
        chosen: the rows that are copied.
        weights_hash, folder: as for `codes_of`.

    Raises:
        OutputError: the folder cannot be written.
    """

    def made() -> Codes:
        return _encoded_copies(autoencoder.to(device), images, device, copies, chosen)

    key = {
        **_key(autoencoder, weights_hash, images, device),
        "copied": hashlib.sha256(chosen.tobytes()).hexdigest(),
        "copies": json.dumps(copies),
        "moves": str(MOVES[copies.augment]),
    }
    return _kept_in(folder, key, made).to(device)


@torch.no_grad()
@exact()
def _encoded_copies(
    model: Autoencoder, images: ImageSet, device: torch.device, copies: Copies, chosen: Int64Array
) -> Codes:
    model.eval()
    draw, moves, found = generator(copies.seed, "augmentation"), MOVES[copies.augment], []
    held = passed_once(images.pixels, chosen, torch.device("cpu"))
    done, all_copies = 0, copies.number * held.images
    for _ in range(copies.number):
        for batch in held.batches(at_once(BATCH, held.shape)):
            found.append(model.posterior(moved(batch.inputs, moves, draw).to(device)).mean.float())
            done += len(batch.inputs)
            tell("moved copies encoded", done, all_copies)
    return torch.cat(found)


def code_size_of(autoencoder: Autoencoder, images: ImageSet) -> int:
    """How many numbers a code has."""
    return encode_all(autoencoder, images.pixels[:1], torch.device("cpu")).shape[1]


def _key(
    autoencoder: Autoencoder, weights_hash: str, images: ImageSet, device: torch.device
) -> dict[str, str]:
    """All that may move a code, be it by its last bit."""
    return {
        "encoder": weights_hash,
        "refine": str(autoencoder.refine),
        "images": images.content_hash,
        "device": device.type,
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
    }


def _kept_in(folder: Path | None, key: Mapping[str, str], made: Callable[[], Codes]) -> Codes:
    """What is kept in the folder with this key, or else made, and kept there."""
    if folder is None:
        return made()
    path = folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}.safetensors"
    with refusals(folder):
        folder.mkdir(exist_ok=True)  # not the study's own directory, should it be gone
    with locked(path.with_name(f".{path.stem}.lock")):
        codes = _kept(path, key)
        if codes is None:
            codes = made()
            write_tensors(path, {"codes": codes}, key)
    return codes


def _kept(path: Path, key: Mapping[str, str]) -> Codes | None:
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
