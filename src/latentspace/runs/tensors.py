"""Files of tensors: safetensors, written whole, with a checksum that is held when they are read back."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from ..core.atomic_files import replacing
from .records import damaged

NO_DIGEST: Final = "0" * 64  # in the place of one

Tensors = dict[str, torch.Tensor]


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], notes: Mapping[str, str]) -> None:
    """Replace `path` by a file of these tensors.

    Raises:
        OutputError: the place cannot be written; what was there stays.
    """
    content = tensor_bytes(tensors, notes)
    with replacing(path) as file:
        file.write(content)


def tensor_bytes(tensors: Mapping[str, torch.Tensor], notes: Mapping[str, str]) -> bytes:
    """The content of a file of these tensors."""
    held = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    content = safetensors.torch.save(held, metadata={**notes, "sha256": NO_DIGEST})
    end = _end(content)
    body = memoryview(content)[end:]
    digest = hashlib.sha256(body).hexdigest()  # as long as what it takes the place of
    return b"".join((content[:end].replace(_entry(NO_DIGEST), _entry(digest), 1), body))


def _entry(digest: str) -> bytes:
    """As it stands in a header; within a note its quotation marks would be escaped."""
    return f'"sha256":"{digest}"'.encode()


def read_tensors(path: Path) -> tuple[Tensors, dict[str, str]]:
    """The tensors and the notes that they were written with.

    Raises:
        RunError: there is no such file, it was cut short, or its bytes are not those that were written.
    """
    try:
        content = path.read_bytes()
        header, body = _parted(content)
        notes = json.loads(header)["__metadata__"]
        if hashlib.sha256(body).hexdigest() != notes["sha256"]:
            raise damaged(path, "its checksum does not match its bytes")
        return safetensors.torch.load(content), notes
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error


def below(prefix: str, tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}


def fill(network: nn.Module, weights: Tensors, path: Path) -> None:
    """Put `weights`, read from `path`, into their places.

    Raises:
        RunError: they are those of another network.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise damaged(path, f"weights of another network than config.json describes: {said[:200]}") from error


def _parted(content: bytes) -> tuple[bytes, bytes]:
    """The header and the tensors' bytes."""
    end = _end(content)
    return content[8:end], content[end:]


def _end(content: bytes) -> int:
    """Where the header ends; the first eight bytes hold its length."""
    return 8 + int.from_bytes(content[:8], "little")
