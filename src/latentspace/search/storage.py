"""Where trials live: a journal file in the study directory, or any database that a URL names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage

from ..core.credentials import MASK, is_secret, masked
from ..core.errors import ConfigurationError, OutputError, RunError
from .journal import open_journal

if TYPE_CHECKING:  # a worker whose trials are in a journal need not wait for it
    from sqlalchemy.engine import URL

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
    if url is None:
        return open_journal(directory / JOURNAL)
    address = address_of(url)
    try:
        with reaching(url), _driven(address):
            return RDBStorage(
                address.render_as_string(hide_password=False), engine_kwargs=_engine_settings(address)
            )
    except RuntimeError as error:  # Optuna's word for tables of another version
        raise RunError(
            f"the tables of {_shown(address)} must be of this version of Optuna",
            found=str(error).splitlines()[0],
            do="name another database, or bring the tables up with `optuna storage upgrade`",
        ) from error


def refuse_unreachable(url: str) -> None:
    """Refuse a storage that cannot be opened; nothing is created: raises ConfigurationError, OutputError."""
    from sqlalchemy.engine import create_engine

    address = address_of(url)
    with reaching(url), _driven(address):
        engine = create_engine(address, **_engine_settings(address))
        if address.get_backend_name() != "sqlite":  # a file, which connecting would make
            engine.connect().close()
            engine.dispose()


@contextmanager
def _driven(address: "URL") -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigurationError(
            f"the storage {_shown(address)} needs a driver",
            found="none is installed for it",
            do="for PostgreSQL: pip install 'latentspace[postgresql]'; for others, as SQLAlchemy documents",
        ) from error


def close_storage(storage: BaseStorage) -> None:
    """Close the connections to a database; a journal has none."""
    if isinstance(storage, RDBStorage):
        storage.remove_session()
        storage.engine.dispose()


def address_of(url: str) -> "URL":
    """The URL with our drivers in it, and the path of an SQLite file made absolute.

    Raises:
        ConfigurationError: not a database URL.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        address = make_url(url)
    except (SQLAlchemyError, ValueError):
        raise _no_url("something that is no URL") from None  # the cause may hold part of a password
    if "@" in (address.host or ""):
        raise _no_url("an @ in the password, where %40 stands for it")
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    file = address.database if address.get_backend_name() == "sqlite" else None
    if file and file != ":memory:" and not file.startswith("file:"):
        address = address.set(database=str(Path(file).resolve()))
    return address


def without_password(url: str | None) -> str | None:
    """What may be written down of a storage's URL."""
    if url is None:
        return None
    from sqlalchemy.engine import URL

    address = address_of(url)
    bare = URL.create(
        address.drivername,
        username=address.username,
        host=address.host,
        port=address.port,
        database=address.database,
        query={key: value for key, value in address.query.items() if not is_secret(key)},
    )
    return str(bare.render_as_string(hide_password=False))


def _shown(address: "URL") -> str:
    """The URL for a person."""
    return masked(address.render_as_string(hide_password=False))


def _secrets(address: "URL") -> list[str]:
    """The URL's password and secret parameters, the longest first."""
    values = [value for key in address.query if is_secret(key) for value in address.normalized_query[key]]
    return sorted(filter(None, [str(address.password or ""), *values]), key=len, reverse=True)


def _no_url(found: str) -> ConfigurationError:
    return ConfigurationError(
        "--storage takes the URL of a database",
        found=found,
        do="write for example sqlite:///trials.db or postgresql://user@host/database",
    )


@contextmanager
def reaching(url: str | None) -> Iterator[None]:
    """Turn what the database at `url` says inside the block into our own errors, without the password."""
    if url is None:
        yield
        return
    from sqlalchemy.exc import SQLAlchemyError

    address = address_of(url)
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        said = str(getattr(cause, "orig", None) or cause or error).strip().splitlines()
        found = masked(said[0] if said else type(error).__name__)
        for secret in _secrets(address):
            found = found.replace(secret, MASK)
        raise OutputError(
            f"the storage {_shown(address)} must be there, and writable",
            found=found,
            do="check the URL, the password, and that the server runs",
        ) from None  # a driver's error may hold the password


def _engine_settings(address: "URL") -> dict[str, Any]:
    match address.get_backend_name():
        case "sqlite":
            return {"connect_args": {"timeout": PATIENCE}}
        case "postgresql" | "mysql" | "mariadb":
            return {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECTING}}
        case _:
            return {}
