"""What computes codes and trainings, as `--engine` names it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from ..core.errors import ConfigurationError
from .options import parsed_engine

if TYPE_CHECKING:
    from ..core.cluster import Cluster
    from ..inference.computing import Computed
    from ..training.together.learn import Start


@contextmanager
def computed_by(text: str, device: str) -> "Iterator[Computed]":
    """What computes codes of images, or else what is said of each, within the block.

    A cluster is reached before images are read, and its nodes read those that they see.

    Raises:
        ConfigurationError: an engine that computes no codes, or no such cluster.
    """
    from ..inference.computing import here

    with _reached(text, device, "codes are") as cluster:
        if cluster is None:
            yield here
        else:
            from ..data.readers.on_nodes import reading_on
            from ..inference.encoding_ray import OnCluster

            with reading_on(cluster), closing(OnCluster(cluster)) as computed:
                yield computed


@contextmanager
def trained_by(text: str, device: str | None) -> "Iterator[Start | None]":
    """What begins the processes of a training within the block; None: this machine, as the plan says.

    Raises:
        ConfigurationError: as `computed_by`.
    """
    with _reached(text, device or "auto", "a training is") as cluster:
        if cluster is None:
            yield None
        else:
            from ..training.together.on_ray import RayRanks

            yield partial(RayRanks, cluster)


@contextmanager
def _reached(text: str, device: str, what: str) -> "Iterator[Cluster | None]":
    """The cluster of an engine, reached before images are read; None: this machine."""
    engine = parsed_engine(text)
    if engine.name == "local":
        yield None
        return
    if engine.name != "ray":
        raise ConfigurationError(
            f"{what} computed here or on a cluster of Ray",
            found=engine.name,
            do="name --engine local or ray",
        )
    from ..core.cluster import Cluster

    if device not in ("auto", "cpu"):
        engine = engine.model_copy(update={"gpus": 1.0})
    with closing(Cluster(engine)) as cluster:
        cluster.require_room()
        yield cluster
