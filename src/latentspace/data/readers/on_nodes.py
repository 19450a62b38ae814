"""Image files read by processes on the nodes of a cluster, which see them under the same paths.

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
from .decode import decoding
from .processes import read_by
from .reading import Answer, File, Task, read, stamp_at

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
            return read(task)


def _seen(file: File) -> bool:
    if not isinstance(file.content, str) or file.reason:
        return True
    return bool(file.stamp) and stamp_at(Path(file.content)) == file.stamp


def reading_on(cluster: Cluster) -> AbstractContextManager[None]:
    """Inside the block the nodes of a cluster read what takes longer than a moment."""
    return read_by(partial(_on_nodes, cluster))


@contextmanager
def _on_nodes(cluster: Cluster) -> Iterator[Sequence["_OnNode"]]:
    """As many processes as there is room for."""
    readers = [_OnNode(cluster) for _ in range(max(1, cluster.room))]
    try:
        yield readers
    finally:
        for one in readers:
            one.end()
        if done := sum(one.tasks for one in readers):
            logger.info("%d portions of the images were read on the nodes of the cluster", done)


class _OnNode:
    """One of the processes; called with a task at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self.tasks = 0
        self._cluster = cluster
        self._process = cluster.process(ReadingProcess)
        self._about = self._process.about.remote()
        self._node: str | None = None
        self._gone = False

    def __call__(self, task: Task) -> Answer:
        answer = None
        try:
            if self._begun():
                sent = replace(task, files=tuple([_stamped(file) for file in task.files]))
                asked = self._process.read.remote(sent, Image.MAX_IMAGE_PIXELS)
                answer = self._cluster.asked(asked, self._node)
        except LostProcessError as error:
            if not self._gone:
                logger.warning("a process that read images is gone (%s): this machine reads on", error.reason)
            self._gone = True
        if answer is None:
            return read(task)
        self.tasks += 1
        found: Answer = answer
        return found

    def _begun(self) -> bool:
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
