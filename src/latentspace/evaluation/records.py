"""What was measured of a run beyond its metrics, kept in its results/ so that it is measured once."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

from ..runs import Run

logger = logging.getLogger(__name__)


@runtime_checkable
class Record(Protocol):
    def to_json(self) -> dict[str, Any]: ...


Measured = TypeVar("Measured", bound=Record)


def kept(
    run: Run, name: str, measure: Callable[[], Measured], read: Callable[[Mapping[str, Any]], Measured]
) -> Measured:
    """`results/NAME.json` of the run; where it is not there, it is measured and written.

    A finished run does not change, so neither does what was measured of it; delete the file to measure
    anew. A record of another version, which `read` cannot take, is measured anew.
    """
    found = run.results().get(name)
    if found is not None:
        try:
            return read(found)
        except (KeyError, TypeError, AttributeError) as error:
            logger.info("results/%s.json of %s is of another version (%s)", name, run.path.name, error)
    logger.info("measuring %s of %s", name, run.path.name)
    measured = measure()
    run.save_result(name, measured.to_json())
    return measured
