"""What computes codes, as `--engine` names it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from ..core.errors import ConfigurationError
from .options import parsed_engine

if TYPE_CHECKING:
    from ..inference.encoding import Computed


@contextmanager
def computed_by(text: str, device: str) -> "Iterator[Computed]":
    """What computes the codes of images within the block; a cluster is reached before images are read.

    Raises:
        ConfigurationError: an engine that computes no codes, or no such cluster.
    """
    from ..inference.encoding import here

    engine = parsed_engine(text)
    if engine.name != "ray":
        if engine.name != "local":
            raise ConfigurationError(
                "codes are computed here or on a cluster of Ray",
                found=engine.name,
                do="name --engine local or ray",
            )
        yield here
        return
    from ..core.cluster import Cluster
    from ..inference.encoding_ray import OnCluster

    if device not in ("auto", "cpu"):
        engine = engine.model_copy(update={"gpus": 1.0})
    with closing(Cluster(engine)) as cluster:
        cluster.require_room()
        yield OnCluster(cluster)
