"""Where trials live: a journal file in the study directory, or any database that a URL names."""

import errno
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import filelock
import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import BaseJournalBackend, JournalFileBackend
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ConfigurationError, OutputError, RunError
from ..files import refusals

JOURNAL: Final = "journal.log"
PATIENCE: Final = 60  # seconds that a busy database is waited for
BLOCK: Final = 1 << 16  # bytes
CONNECTING: Final = 10  # seconds that a server may take to answer


def open_storage(directory: Path, url: str | None) -> BaseStorage:
    """The study's storage: the journal in `directory`, or the database at `url`.

    Raises:
        ConfigurationError: a URL that is none, or whose driver is not installed.
        OutputError: a database that cannot be reached, or a file that cannot be written.
        RunError: a journal or a database that is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url is None:
        return _journal(directory / JOURNAL)
    address = address_of(url)
    shown = address.render_as_string(hide_password=True)
    try:
        with reaching(address):
            return RDBStorage(
                address.render_as_string(hide_password=False), engine_kwargs=_engine_settings(address)
            )
    except ImportError as error:
        raise ConfigurationError(
            f"the storage {shown} needs a driver",
            found="none is installed for it",
            do="for PostgreSQL: pip install 'latentspace[postgresql]'; for others, as SQLAlchemy documents",
        ) from error
    except RuntimeError as error:  # Optuna's word for tables of another version
        raise RunError(
            f"the tables of {shown} must be of this version of Optuna",
            found=str(error).splitlines()[0],
            do="name another database, or bring the tables up with `optuna storage upgrade`",
        ) from error


def close_storage(storage: BaseStorage) -> None:
    """Close the connections to a database; a journal has none."""
    if isinstance(storage, RDBStorage):
        storage.remove_session()
        storage.engine.dispose()


def address_of(url: str) -> URL:
    """The URL with our drivers in it, and the path of an SQLite file made absolute.

    Raises:
        ConfigurationError: not a database URL.
    """
    try:
        address = make_url(url)
    except (SQLAlchemyError, ValueError) as error:
        raise ConfigurationError(
            "--storage takes the URL of a database",
            found="something that is no URL",
            do="write for example sqlite:///trials.db or postgresql://user:password@host/database",
        ) from error
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:"):
        address = address.set(database=str(Path(str(address.database)).resolve()))
    return address


def without_password(url: str | None) -> str | None:
    """What may be written down of a storage's URL."""
    if url is None:
        return None
    whole = address_of(url)
    bare = URL.create(
        whole.drivername,
        username=whole.username,
        host=whole.host,
        port=whole.port,
        database=whole.database,
        query={key: value for key, value in whole.query.items() if key != "password"},
    )
    return bare.render_as_string(hide_password=False)


@contextmanager
def reaching(address: URL) -> Iterator[None]:
    """Turn what a database says inside the block into our own errors, without the password."""
    try:
        yield
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        found = (said[0] if said else type(error).__name__).replace(str(address.password or "\0"), "***")
        raise OutputError(
            f"the storage {address.render_as_string(hide_password=True)} must be there, and writable",
            found=found,
            do="check the URL, the password, and that the server runs",
        ) from error


def _engine_settings(address: URL) -> dict[str, Any]:
    match address.get_backend_name():
        case "sqlite":
            return {"connect_args": {"timeout": PATIENCE}}
        case "postgresql" | "mysql" | "mariadb":
            return {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECTING}}
        case _:
            return {}


def _journal(path: Path) -> JournalStorage:
    try:
        with refusals(path):
            return JournalStorage(Journal(path))
    except (ValueError, KeyError) as error:
        raise RunError(
            f"{path} must be a whole journal",
            found=f"{type(error).__name__}: {error}",
            do="restore the file from a copy, or search into a new directory",
        ) from error


class Journal(BaseJournalBackend):
    """Optuna's journal file, appended to under a lock that the kernel frees when its holder is killed.

    Optuna's own lock is a symbolic link: one that a killed worker leaves makes all others wait for 30
    seconds. A line that was cut short, by a kill or a full disk, is taken away before the next is
    written; joined to it, it would make the journal unreadable. Each append is one write at the file's
    end, so that optuna-dashboard, which does not know our lock, cannot write into the middle of a line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = JournalFileBackend(str(path))
        self._lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), poll_interval=0.002)

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        return self._file.read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        content = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        with refusals(self._path), self._lock, self._path.open("ab", buffering=0) as file:
            whole = _whole_lines(self._path)
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
