"""Images read by processes on the nodes of a cluster, which see their files under the same paths.

A task whose files a node does not see as they are here, or whose process is lost or not there yet, is done
here. So the order and the bytes are those of this machine, whatever becomes of the nodes.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from ...core.cluster import Cluster, LostProcessError, about_process
from ...core.wording import counted
from .decode import decoding
from .places import stamp_at
from .processes import read_by
from .reading import Answer, File, Task, read, read_there

logger = logging.getLogger(__name__)


class ReadingProcess:
    """On a node, in a process of its own."""

    def about(self) -> dict[str, Any]:
        return about_process()

    def read(self, task: Task, most_pixels: int | None) -> Answer | None:
        """As `reading.read`; None where a file is not seen here, or is another one.

        Args:
            most_pixels: Pillow's limit where it is asked.
        """
        if not all(map(_seen, task.files)):
            return None
        Image.MAX_IMAGE_PIXELS = most_pixels
        with decoding():
            return read_there(task)


def _seen(file: File) -> bool:
    """Whether a file is the one that it was there; at a place in a larger one that is seen as it is read."""
    if file.reason or not isinstance(file.content, str):
        return True
    return bool(file.stamp) and stamp_at(Path(file.content)) == file.stamp


def reading_on(cluster: Cluster) -> AbstractContextManager[None]:
    """Inside the block the nodes of a cluster read what takes longer than a moment."""
    return read_by(partial(of_cluster, cluster))


@contextmanager
def of_cluster(cluster: Cluster) -> Iterator[Sequence["_OnNode"]]:
    """As many processes as there is room for."""
    readers = [_OnNode(cluster) for _ in range(max(1, cluster.room))]
    try:
        yield readers
    finally:
        for one in readers:
            one.end()
        there, here = sum(one.tasks for one in readers), sum(one.unseen for one in readers)
        if there or here:
            logger.info("%s of the images read on the nodes of the cluster", counted(there, "portion"))
        if here:
            logger.info("%s read here, as a node does not see their files", counted(here, "portion"))


class _OnNode:
    """One of the processes; called with a task at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self.tasks = self.unseen = 0
        self._cluster = cluster
        self._process = cluster.process(ReadingProcess)
        self._about = self._process.about.remote()
        self._node: str | None = None
        self._gone = False

    def __call__(self, task: Task) -> Answer:
        answer = None
        try:
            if self.begun():
                sent = replace(task, files=tuple([_stamped(file) for file in task.files]))
                asked = self._process.read.remote(sent, Image.MAX_IMAGE_PIXELS)
                answer = self._cluster.asked(asked, self._node)
                self.unseen += answer is None
        except LostProcessError as error:
            if not self._gone:
                logger.warning("a process that read images is gone (%s): this machine reads on", error.reason)
            self._gone = True
        if answer is None:
            return read(task)
        self.tasks += 1
        found: Answer = answer
        return found

    def begun(self) -> bool:
        """Whether there is a process; what would wait for it is done here meanwhile.

        Raises:
            LostProcessError: it died at once.
            RunError: its node has other versions.
        """
        if self._node is None and not self._gone and self._cluster.answered(self._about):
            about = self._cluster.asked(self._about)
            self._cluster.accept(about)
            self._node = about["node"]
        return self._node is not None and not self._gone

    def end(self) -> None:
        self._gone = True
        self._cluster.end(self._process)


def _stamped(file: File) -> File:
    """With the stamp that tells whether a node sees the same file."""
    if not isinstance(file.content, str) or file.stamp or file.reason:
        return file
    return file._replace(stamp=stamp_at(Path(file.content)))
