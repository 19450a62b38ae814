"""Where trials live: a journal file in the study directory, or any database that a URL names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.storages import BaseStorage, RDBStorage
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ConfigurationError, OutputError, RunError
from .journal import open_journal

JOURNAL: Final = "journal.log"
PATIENCE: Final = 60  # seconds that a busy database is waited for
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
        return open_journal(directory / JOURNAL)
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
