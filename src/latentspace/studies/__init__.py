"""Studies: reproductions of published work, each a package with its numbers, its words and its recipes."""

from ..core.registry import Registry
from ..report.beside import Beside

STUDIES: Registry[Beside] = Registry(
    "study", {"foscarin2021": "latentspace.studies.foscarin2021.published:REPORT"}
)


def published(kind: str, comparable: bool) -> Beside | None:
    """The study that a page of this task stands beside; None where there is none.

    Args:
        kind: the task.
        comparable: whether the images are known to be published ones.
    """
    return next((one for one in STUDIES.values() if one.covers(kind, comparable)), None)
