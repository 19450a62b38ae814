"""Connecting to a cluster of Ray, with errors of ours."""

import logging
import os
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final
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


def connected(address: str | None) -> bool:
    """Connect, where nothing is connected yet; whether that was done here."""
    require_extra("ray", "ray", *(["grpc"] if address else []), to="compute on a cluster of Ray")
    named = address or os.environ.get("RAY_ADDRESS", "")
    _require_host(named)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to Ray's makers
    import ray

    if ray.is_initialized():
        return False
    require_answer(named or _found_here())
    with signals_kept(), understood(named), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong is said in an error
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    return True


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
    try:
        import grpc
        from ray._private.grpc_utils import init_grpc_channel

        place = _place(address)
    except (ImportError, ValueError):
        return
    if place is None:
        return
    host, port = place
    method, asked = GREETINGS["client" if address.startswith(CLIENT) else "head"]
    channel = init_grpc_channel(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
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


def _unknown(address: str) -> ConfigurationError:
    from ray._private.authentication import authentication_utils as of_ray

    sent = (
        "another token, or none"
        if of_ray.is_token_auth_enabled()
        else "none, as RAY_AUTH_MODE is not `token`"
    )
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
