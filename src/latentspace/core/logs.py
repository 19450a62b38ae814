"""What is said through `logging` under the name latentspace, kept where a run can find it again."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .credentials import masked
from .printable import printable

LOGGER = logging.getLogger("latentspace")


class OneLine(logging.Formatter):
    """A message on one line, without control characters and passwords: no name of a file forges another."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = printable(masked(record.message))
        return super().formatMessage(record)


FORMAT = OneLine("%(asctime)s %(levelname)s %(message)s")


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
def unsaid() -> Iterator[None]:
    """Inside the block nothing below an error is logged: what goes on there is a step of something larger."""
    handlers = list(LOGGER.handlers)
    for one in handlers:  # a log file that is opened inside the block lowers the level again, for itself
        one.addFilter(_grave)
    try:
        with quiet(LOGGER, logging.ERROR):
            yield
    finally:
        for one in handlers:
            one.removeFilter(_grave)


def _grave(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


class _LogFile(logging.FileHandler):
    """A log that cannot be opened or written costs its lines alone, and is said once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True, errors="backslashreplace")
        self.setLevel(logging.INFO)
        self.setFormatter(FORMAT)
        self.failed = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self.failed:
            try:
                super().emit(record)
            except OSError:  # from opening it
                self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self.failed = True
            LOGGER.warning("%s cannot be written: %s", self.baseFilename, error.strerror or error)
        else:
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Append what is logged inside the block, from INFO up, to the file at `path`."""
    with _attached(_LogFile(path)):
        yield


def began_with(path: Path, lines: Sequence[str]) -> None:
    """Put formatted `lines` into the file at `path`; one that cannot be written is said."""
    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        LOGGER.warning("%s cannot be written: %s", path, error.strerror or error)


@contextmanager
def quiet(library: logging.Logger, level: int) -> Iterator[None]:
    """Another library says nothing below `level` within the block; afterwards it is as it was."""
    before = library.level
    library.setLevel(level)
    try:
        yield
    finally:
        library.setLevel(before)


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
