"""Optuna's journal file: appended to under a lock that kills free, its lines held to their form."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ..core.atomic_files import locked, refusals
from ..core.config import describe
from ..core.errors import RunError
from .plan import moved

BLOCK: Final = 1 << 16  # bytes

State: TypeAlias = Annotated[int, Field(ge=0, le=4)]  # as Optuna's TrialState counts


def open_journal(path: Path) -> JournalStorage:
    """The storage of the journal at `path`, which is made where there is none.

    Raises:
        OutputError: the file cannot be written.
        RunError: it holds something else than a journal's lines.
    """
    with refusals(path):
        return _Storage(Journal(path))


class _Storage(JournalStorage):
    """Optuna's, which replays the journal's lines now and then: those that cannot be are an error of ours."""

    def __init__(self, journal: "Journal") -> None:
        self._path = journal.path
        super().__init__(journal)

    def _sync_with_backend(self) -> None:
        with _replayed(self._path):
            super()._sync_with_backend()


class Journal(BaseJournalBackend):
    """The lines of the file, each an operation.

    Optuna's own lock is a symbolic link: one that a killed worker leaves makes all others wait for 30
    seconds. A line that was cut short, by a kill or a full disk, is taken away before the next is
    written; joined to it, it would make the journal unreadable. Each append is one write at the file's
    end, so that optuna-dashboard, which does not know our lock, cannot write into the middle of a line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.open("ab").close()
        self._ends = [0]  # where the lines that were read end
        self._lock = path.with_name(f".{path.name}.lock")

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The operations from that number on, up to a last line that is still being written.

        Raises:
            RunError: a line that is no operation.
        """
        with self.path.open("rb") as file:
            file.seek(self._ends[log_number_from])
            for number, line in enumerate(file, start=log_number_from):
                if not line.endswith(b"\n"):
                    return
                operation = _operation(self.path, number + 1, line)
                if number + 1 == len(self._ends):
                    self._ends.append(self._ends[number] + len(line))
                yield operation

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        content = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        if not self.path.is_file():  # the lock would make its folder anew
            raise moved(self.path.parent)
        alone = locked(self._lock, poll_interval=0.002)
        with refusals(self.path), alone, self.path.open("ab", buffering=0) as file:
            whole = _whole_lines(self.path)
            os.ftruncate(file.fileno(), whole)
            try:
                written = file.write(content)
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), whole)
                raise
            if written != len(content):
                os.ftruncate(file.fileno(), whole)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _whole_lines(path: Path) -> int:
    """How many bytes of the file are whole lines."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        before = size
        while before > 0:
            before = max(0, before - BLOCK)
            file.seek(before)
            end = file.read(BLOCK).rfind(b"\n")
            if end >= 0:
                return before + end + 1
    return 0


class _Line(BaseModel):
    """What each line has; `op_code` is a number of Optuna's JournalOperation."""

    model_config = ConfigDict(strict=True)
    worker_id: str


class _OfStudy(_Line):
    study_id: int


class _OfTrial(_Line):
    trial_id: int


class _CreateStudy(_Line):
    op_code: Literal[0]
    study_name: str
    directions: list[int]


class _DeleteStudy(_OfStudy):
    op_code: Literal[1]


class _StudyUserAttribute(_OfStudy):
    op_code: Literal[2]
    user_attr: dict[str, Any]


class _StudySystemAttribute(_OfStudy):
    op_code: Literal[3]
    system_attr: dict[str, Any]


class _CreateTrial(_OfStudy):
    op_code: Literal[4]
    datetime_start: str | None
    datetime_complete: str | None = None
    state: State | None = None
    value: float | None = None
    values: list[float] | None = None
    distributions: dict[str, str] = Field(default_factory=dict)
    params: dict[str, float] = Field(default_factory=dict)
    user_attrs: dict[str, Any] = Field(default_factory=dict)
    system_attrs: dict[str, Any] = Field(default_factory=dict)
    intermediate_values: dict[str, float] = Field(default_factory=dict)


class _Parameter(_OfTrial):
    op_code: Literal[5]
    param_name: str
    param_value_internal: float
    distribution: str


class _StateAndValues(_OfTrial):
    op_code: Literal[6]
    state: State
    values: list[float] | None
    datetime_start: str | None = None
    datetime_complete: str | None = None


class _IntermediateValue(_OfTrial):
    op_code: Literal[7]
    step: int
    intermediate_value: float


class _TrialUserAttribute(_OfTrial):
    op_code: Literal[8]
    user_attr: dict[str, Any]


class _TrialSystemAttribute(_OfTrial):
    op_code: Literal[9]
    system_attr: dict[str, Any]


_Operation = (
    _CreateStudy
    | _DeleteStudy
    | _StudyUserAttribute
    | _StudySystemAttribute
    | _CreateTrial
    | _Parameter
    | _StateAndValues
    | _IntermediateValue
    | _TrialUserAttribute
    | _TrialSystemAttribute
)
_OPERATION: Final = TypeAdapter[_Operation](Annotated[_Operation, Field(discriminator="op_code")])


def _operation(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """The operation that a line of the journal holds.

    Raises:
        RunError: the line is no operation of a journal.
    """
    try:
        return _OPERATION.validate_python(json.loads(line)).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise _damaged(path, f"line {number}: {describe(dict(error.errors()[0]))}") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"line {number}: {error}") from error


@contextmanager
def _replayed(path: Path) -> Iterator[None]:
    """Operations that have the right form, and do not follow from those before them."""
    try:
        yield
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError, AssertionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def _damaged(path: Path, why: str) -> RunError:
    return RunError(
        f"{path} must be a whole journal",
        found=why,
        do="restore the file from a copy, or search into a new directory",
    )
