"""Connecting to a cluster of Ray, with errors of ours; beginning one on this machine where there is none."""

import logging
import os
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from .errors import ConfigurationError, RunError
from .extras import require_extra

RAY: Final = "ray"
CLIENT: Final = f"{RAY}://"  # begins the address of a cluster that this machine is no part of
CONNECTING: Final = 5.0  # seconds that a cluster may take to answer
# What is asked first: a remote procedure of gRPC, and its argument as Protocol Buffers write it.
GREETINGS: Final = {
    "head": ("/ray.rpc.NodeInfoGcsService/GetClusterId", b""),
    "client": ("/ray.rpc.RayletDriver/ClusterInfo", b"\x08\x06"),  # type: PING
}


# What Ray begins for a cluster's pages, growth and logs, each a Python process: methods of its `Node`.
UNASKED: Final = ("start_api_server", "start_monitor", "start_log_monitor")
# Of processes on a cluster of one's own: as important as this machine's engine has them (Ray: less than all
# others), and begun when they are asked for. Ray passes over a name that it does not know.
OWN: Final = {"RAY_worker_niceness": "0", "RAY_prestart_worker_first_driver": "0"}


def connected(address: str) -> bool:
    """Connect, where nothing is connected yet; whether that was done here.

    Args:
        address: as Ray writes it; empty: the cluster that this machine is part of, or one that begins here.
    """
    client = address.startswith(CLIENT)
    require_extra("ray", "ray", *(["grpc"] if client else []), to="compute on a cluster of Ray")
    _require_host(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to Ray's makers
    import ray

    if ray.is_initialized():
        return False
    found = address or _found_here()
    require_answer(found)
    alone = not found
    with signals_kept(), understood(address), warnings.catch_warnings(), _lean(alone), _ended(alone):
        warnings.simplefilter("ignore")  # what is wrong is said in an error
        ray.init(
            address=address or None, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
        )
    return True


@contextmanager
def _lean(alone: bool) -> Iterator[None]:
    """A cluster that begins in the block has what computes alone: Ray's own processes take a third of before.

    A Ray whose `Node` is elsewhere, or whose methods have other names, begins all that it has.
    """
    left, environment = {}, {}
    node: Any = None
    if alone:
        with suppress(Exception):  # its own affair, as above
            from ray._private.node import Node

            node = Node
            left = {name: vars(node)[name] for name in UNASKED if name in vars(node)}
        environment = {name: value for name, value in OWN.items() if name not in os.environ}
    try:
        for name in left:
            setattr(node, name, _nothing)
        os.environ.update(environment)
        yield
    finally:
        for name, method in left.items():
            setattr(node, name, method)
        for name in environment:
            del os.environ[name]


@contextmanager
def _ended(alone: bool) -> Iterator[None]:
    """A cluster that was to begin in the block, and does not, as at Ctrl-C, leaves no process.

    Ray ends those that it has noted by then; what these began runs on for a minute.
    """
    before = {*_descendants()} if alone else set()
    try:
        yield
    except BaseException:
        for one in _descendants() if alone else []:
            if one not in before:
                with suppress(Exception):  # it has ended
                    one.kill()
        raise


def _descendants() -> list[Any]:
    """The processes that this one has begun, and that they have, as psutil's; none without it."""
    with suppress(Exception):
        psutil = import_module("psutil")  # Ray brings it along
        return list(psutil.Process().children(recursive=True))
    return []


def _nothing(*_: object, **__: object) -> None:
    """In the place of a method that begins a process."""


def _place(address: str) -> tuple[str, int] | None:
    """The host and port of an address that has both."""
    parts = urlsplit(address if "://" in address else f"{CLIENT}{address}")
    return (parts.hostname, parts.port) if parts.hostname and parts.port else None


def _require_host(address: str) -> None:
    """Ray would try for half a minute."""
    try:
        if place := _place(address):
            socket.create_connection(place, CONNECTING).close()
    except (OSError, ValueError) as error:
        raise _unreached(address, str(error)) from error


def _found_here() -> str:
    """The address of the cluster that this machine is part of; empty: none, or Ray does not say."""
    with suppress(Exception):  # how Ray finds it is its own affair, and may change
        from ray._private.authentication.authentication_token_setup import (
            maybe_enable_token_auth_if_token_available,
        )
        from ray._private.services import canonicalize_bootstrap_address

        if found := canonicalize_bootstrap_address(None):
            maybe_enable_token_auth_if_token_available(warn_if_disabled=False)  # as `ray.init` does then
            return str(found)
    return ""


def require_answer(address: str) -> None:
    """Ask for a word before Ray connects: it tries for half a minute whatever is wrong, and logs each try.

    Raises:
        ConfigurationError: nothing that belongs there answers, or it wants another token.
    """
    if (channel := _channel(address)) is None:
        return
    import grpc

    method, asked = GREETINGS["client" if address.startswith(CLIENT) else "head"]
    try:
        channel.unary_unary(method)(asked, timeout=CONNECTING, metadata=[("client_id", "latentspace")])
    except grpc.RpcError as error:
        code = error.code()
        if code == grpc.StatusCode.UNAUTHENTICATED:
            raise _unknown(address) from error
        if code == grpc.StatusCode.UNIMPLEMENTED:
            raise _other_port(address) from error
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            raise _unreached(address, error.details()) from error
    except Exception as error:
        if type(error).__name__ != "AuthenticationError":
            raise
        raise _unknown(address) from error
    finally:
        channel.close()


def _channel(address: str) -> Any:
    """GRPC's to that address, with the cluster's token; None: no port is named, or Ray makes it otherwise."""
    with suppress(Exception):
        from ray._private.grpc_utils import init_grpc_channel

        if place := _place(address):
            host, port = place
            return init_grpc_channel(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    return None


def _unknown(address: str) -> ConfigurationError:
    sent = "another token, or none"
    with suppress(Exception):
        from ray._private.authentication.authentication_utils import is_token_auth_enabled

        if not is_token_auth_enabled():
            sent = "none, as RAY_AUTH_MODE is not `token`"
    return ConfigurationError(
        f"the cluster {address} must be sent its token",
        found=sent,
        do="copy ~/.ray/auth_token of its head to the same place here, and `export RAY_AUTH_MODE=token`",
    )


def _other_port(address: str) -> ConfigurationError:
    client = address.startswith(CLIENT)
    return ConfigurationError(
        f"{address} must be where the head {'serves clients' if client else 'listens to its cluster'}",
        found="something else, as another port of Ray's",
        do="name ray://HOST:10001, or, on a machine of the cluster, RAY_ADDRESS=HOST:6379: the ports that "
        "`ray start` was given or chose",
    )


def _unreached(address: str, why: str) -> ConfigurationError:
    where = f"the cluster {address}" if address else "a cluster of Ray"
    return ConfigurationError(
        f"{where} must answer",
        found=why,
        do="check that its head runs (`ray status` there), the address (port 10001 for ray://), the "
        "firewall, and its token (RAY_AUTH_TOKEN)",
    )


@contextmanager
def understood(address: str) -> Iterator[None]:
    """Turn what Ray says when it cannot connect into our errors."""
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        if "ersion" in said and ("mismatch" in said or "differ" in said or "match" in said):
            raise RunError(
                "Ray and Python must have one version on all machines of a cluster",
                found=said,
                do="install the cluster's versions here, or these there",
            ) from error
        raise _unreached(address, said) from error


@contextmanager
def signals_kept() -> Iterator[None]:
    """Ray sets a handler of its own for SIGTERM."""
    try:
        before = signal.getsignal(signal.SIGTERM)
        yield
    finally:
        with suppress(ValueError):  # not in the main thread, where Ray has set none either
            signal.signal(signal.SIGTERM, before)
