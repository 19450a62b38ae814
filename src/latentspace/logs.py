"""What is said through `logging` under the name latentspace, kept where a run can find it again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOGGER = logging.getLogger("latentspace")
FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(message)s")


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.INFO)
        self.lines = lines
        self.setFormatter(FORMAT)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def collected() -> Iterator[list[str]]:
    """The lines that are logged inside the block, from INFO up, before there is a file for them."""
    lines: list[str] = []
    with _attached(_Collector(lines)):
        yield lines


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Append what is logged inside the block, from INFO up, to the file at `path`."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setLevel(logging.INFO)
    handler.setFormatter(FORMAT)
    with _attached(handler):
        yield


@contextmanager
def _attached(handler: logging.Handler) -> Iterator[None]:
    before = LOGGER.level
    LOGGER.addHandler(handler)
    if LOGGER.getEffectiveLevel() > logging.INFO:
        LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before)
        handler.close()
