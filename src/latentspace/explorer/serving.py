"""Serves an explorer on a port until it is ended, and opens the browser."""

import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from ..core.errors import ConfigurationError, OutputError
from ..core.wording import option
from .actions import Actions
from .server import application

if TYPE_CHECKING:
    import uvicorn

MOST = 64  # requests at a time; more are refused


@dataclass(frozen=True)
class Place:
    """Where a server listens.

    Args:
        host: an address of this machine.
        port: 0: any that is free.
        allow_remote: whether others than this machine may reach it.

    Raises:
        ConfigurationError: an address that others reach, which nobody allowed; or no port.
    """

    host: str = "127.0.0.1"
    port: int = 0
    allow_remote: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ConfigurationError(
                f"{option('port')} takes a number from 0 to 65535",
                found=str(self.port),
                do="leave it out for a free one",
            )
        if not self.local and not self.allow_remote:
            raise ConfigurationError(
                "others than this machine reach the explorer there only if that is allowed",
                found=option("host", self.host),
                do=f"leave it out, or add {option('allow-remote', True)}: who has it sees the images",
            )

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def listening(self) -> socket.socket:
        """A socket that listens here. Raises: OutputError: it cannot."""
        try:
            family = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((self.host, self.port), family=family, backlog=MOST)
        except OSError as error:
            raise OutputError(
                f"the explorer must be able to listen on {self.host}, port {self.port}",
                found=error.strerror or str(error),
                do=f"name another {option('port')}, or leave it out for a free one",
            ) from error


def serve(
    actions: Actions,
    place: Place,
    *,
    said: Callable[[str], None],
    browser: bool = True,
    progress: Callable[[], Mapping[str, Any] | None] = lambda: None,
) -> None:
    """Serve until Ctrl-C.

    Args:
        actions, progress: as `application` takes them.
        said: is told the address, once the server listens there.
        browser: whether a browser is opened there.

    Raises:
        OutputError: nothing can listen at that place.
        KeyboardInterrupt: it was ended.
    """
    with place.listening() as listening:
        server, address = _server(actions, place, listening, progress)
        said(address)
        if browser:
            threading.Timer(0.3, webbrowser.open, [address]).start()
        server.run(sockets=[listening])


@contextmanager
def served(actions: Actions) -> Iterator[str]:
    """The address of an explorer on this machine, which a thread serves until the block ends."""
    with Place().listening() as listening:
        server, address = _server(actions, Place(), listening)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


def _server(
    actions: Actions,
    place: Place,
    listening: socket.socket,
    progress: Callable[[], Mapping[str, Any] | None] = lambda: None,
) -> "tuple[uvicorn.Server, str]":
    """A server, and the address of its page, with a token that nobody can guess."""
    import uvicorn

    port = listening.getsockname()[1]
    token = token_urlsafe(16)
    name = f"[{place.host}]" if ":" in place.host else place.host
    config = uvicorn.Config(
        application(actions, token, _hosts(place, port), progress),
        log_level="critical",
        access_log=False,
        limit_concurrency=MOST,
        server_header=False,
        lifespan="off",
    )
    return uvicorn.Server(config), f"http://{name}:{port}/{token}/"


def _hosts(place: Place, port: int) -> frozenset[str]:
    """What a browser may call this server: so a page elsewhere cannot reach it by a name of its own."""
    names = {place.host, "127.0.0.1", "localhost", "[::1]"}
    if not place.local:
        names |= {socket.gethostname(), socket.getfqdn(), *_addresses()}
    return frozenset(f"{name}:{port}".lower() for name in names)


def _addresses() -> set[str]:
    """The addresses of this machine."""
    try:
        return {str(one[4][0]) for one in socket.getaddrinfo(socket.gethostname(), None)}
    except OSError:
        return set()
