"""A run's networks as ONNX, for the browser: made once for the same weights, then kept."""

from contextlib import suppress
from threading import Lock

from ..core.atomic_files import make_folder, write_bytes
from ..core.errors import OutputError
from ..data.paths import cache_directory
from ..inference.export import onnx_file
from ..inference.trained import TrainedAutoencoder, TrainedClassifier

_ONE = Lock()  # torch exports one network at a time


def network(trained: TrainedAutoencoder | TrainedClassifier, part: str, weights: str | None = None) -> bytes:
    """The `encoder`, the `decoder` or the `classifier` of codes as an ONNX file.

    Args:
        weights: the hash of the run's weights, by which the file is kept; None: it is not.
    """
    path = cache_directory() / "networks" / f"{weights}-{part}.onnx"
    with _ONE:
        if weights and path.is_file():
            with suppress(OSError):
                return path.read_bytes()
        content = onnx_file(trained, part)
    if weights:
        with suppress(OutputError):  # a cache that cannot be written is no reason to end
            make_folder(path.parent)
            write_bytes(path, content)
    return content
