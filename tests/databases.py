"""A PostgreSQL server for tests, where one can be started."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest


def binaries() -> Path | None:
    """Where Debian's package puts the server; the newest of several, or the one on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda one: float(one.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def postgresql(password: str) -> Iterator[str]:
    """The URL of a server on loopback, with the user `me`, that ends with the block."""
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    place = binaries()
    if place is None:
        pytest.skip("no PostgreSQL server here (apt-get install postgresql)")
    prefix: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        if "postgres" not in {one.pw_name for one in pwd.getpwall()} or shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres to run it as")
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:  # a socket's path must be short
        if prefix:
            shutil.chown(folder, "postgres", "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data = Path(folder) / "data"
        secret = Path(folder) / "password"
        secret.write_text(password)
        secret.chmod(0o644)
        call = [
            *prefix,
            place / "initdb",
            "-D",
            data,
            "-U",
            "me",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
        ]
        _run([*call, "--no-sync", "--encoding=UTF8", "--locale=C"], folder)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        control = [*prefix, place / "pg_ctl", "-D", data, "-w", "-t", "60"]
        _run([*control, "-o", options, "-l", Path(folder) / "log", "start"], folder)
        try:
            yield f"postgresql://me:{quote(password, safe='')}@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], folder)


def _run(command: list[object], folder: str) -> None:
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
