"""What was measured of a run beyond its metrics, kept in its results/ so that it is measured once."""

import logging
from collections.abc import Callable
from typing import Any

from ..runs import Run

logger = logging.getLogger(__name__)


def kept(run: Run, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """`results/NAME.json` of the run; where it is not there, it is measured and written.

    A finished run does not change, so neither does what was measured of it; delete the file to measure
    anew.
    """
    found = run.results().get(name)
    if found is None:
        logger.info("measuring %s of %s", name, run.path.name)
        found = measure()
        run.save_result(name, found)
    return found
