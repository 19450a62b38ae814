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
CONNECTING: Final = 10.0  # seconds that a cluster may take to answer


def connected(address: str | None) -> bool:
    """Connect, where nothing is connected yet; whether that was done here."""
    require_extra("ray", "ray", *(["grpc"] if address else []), to="compute on a cluster of Ray")
    named = address or os.environ.get("RAY_ADDRESS", "")
    _require_answer(named)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to Ray's makers
    import ray

    if ray.is_initialized():
        return False
    with signals_kept(), understood(named), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong is said in an error
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    return True


def _require_answer(address: str) -> None:
    """Ray would try for half a minute."""
    try:
        parts = urlsplit(address if "://" in address else f"{RAY}://{address}")
        if parts.hostname and parts.port:
            socket.create_connection((parts.hostname, parts.port), CONNECTING).close()
    except (OSError, ValueError) as error:
        raise _unreached(address, str(error)) from error


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
