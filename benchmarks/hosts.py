"""A cluster of Ray whose nodes are hosts of their own on this machine, as far as Linux makes them one.

Each has a network namespace (an address, a cable to a bridge that can be pulled) and a mount namespace (its
own temporary disk, of a few hundred MB). Processes, memory and the kernel are shared. It takes root.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

NETWORK: Final = "10.77.0"
PORT: Final = 6379
DISK: Final = 300  # MB of a host
STORE: Final = 80_000_000  # bytes of a node's object store
BRIDGE: Final = "cluster"
NAMES: Final = "/run/netns"
BEGINNING: Final = 240.0  # seconds that nodes may take to begin
# A node is given up when it has not answered for about 15 seconds.
QUICKLY: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_health_check_initial_delay_ms": "2000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "4000",
    "RAY_health_check_failure_threshold": "3",
}


def alone() -> None:
    """Begin this script again in namespaces of its own, which end with it."""
    if os.environ.get("RAY_ADDRESS", "").startswith(NETWORK):
        return
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    os.environ |= {**QUICKLY, **secret, "RAY_ADDRESS": f"{NETWORK}.1:{PORT}"}
    words = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, *sys.argv]
    os.execvp(words[0], words)


def waited(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for it. Raises: TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


class Node:
    """A process of `ray start` and what it began."""

    def __init__(self, words: list[str], log: Path, namespace: str | None = None) -> None:
        within = [] if namespace is None else ["ip", "netns", "exec", namespace]
        self._words, self._log = [*within, *words], log
        self._begin()

    def _begin(self) -> None:
        with self._log.open("ab") as file:
            self._process = subprocess.Popen(self._words, stdout=file, stderr=file, start_new_session=True)

    def supervise(self) -> None:
        """Begin it again where it ended: Ray gives a node 30 seconds, and a busy machine needs more."""
        if self._process.poll() is not None:
            self._end()
            self._begin()

    @property
    def pids(self) -> list[int]:
        """Of the process and all that descend from it."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    children.setdefault(parent, []).append(int(entry.name))
        found = [self._process.pid]
        for one in found:
            found += children.get(one, [])
        return found

    def workers(self, kind: str = "") -> list[int]:
        """The processes on the node that hold an object of this class."""
        return [one for one in self.pids if words_of(one).startswith(f"ray::{kind}")]

    def kill(self) -> None:
        """As when its power fails."""
        self._end()

    def _end(self) -> None:
        while pids := [one for one in self.pids if not is_zombie(one)]:
            for one in pids:
                with suppress(OSError):
                    os.kill(one, signal.SIGKILL)
            time.sleep(0.05)
        self._process.wait()


def is_zombie(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def words_of(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


class Host(Node):
    """A node of one CPU in namespaces of its own."""

    def __init__(self, number: int, temporary: Path, log: Path) -> None:
        self.name, self._cable = f"host{number}", f"cable{number}"
        address = f"{NETWORK}.{number}"
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _run("ip", "link", "set", self._cable, "master", BRIDGE, "up")
        _run("ip", "-n", self.name, "addr", "add", f"{address}/24", "dev", "eth0")
        for link in ("eth0", "lo"):
            _run("ip", "-n", self.name, "link", "set", link, "up")
        start = _start("--address", f"{NETWORK}.1:{PORT}", "--node-ip-address", address, "--num-cpus", "1")
        mount = f"mount -t tmpfs -o size={DISK}m none {temporary} && exec"
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mount} "$@"', "sh", *start]
        self._temporary, self.full = temporary, False
        super().__init__(words, log, self.name)

    @property
    def pids(self) -> list[int]:
        return list(map(int, _run("ip", "netns", "pids", self.name).split()))

    def cut(self, *, healed: bool = False) -> None:
        """Pull its cable, or put it back."""
        _run("ip", "link", "set", self._cable, "up" if healed else "down")

    def fill(self) -> None:
        """Write to its disk until that is full."""
        self.full = True
        root = Path(f"/proc/{self._process.pid}/root{self._temporary}")
        with suppress(OSError), (root / "full").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        with suppress(OSError), (root / "full").open("ab", buffering=0) as file:
            while True:
                file.write(bytes(512))

    def kill(self) -> None:
        super().kill()
        _run("ip", "netns", "del", self.name)


class Cluster:
    """A head that computes nothing, and hosts that come and go."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "nodes.log"
        self._temporary = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # names of sockets are short
        self._next = 2
        self.hosts: list[Host] = []
        self.head: Node | None = None
        _run("mkdir", "-p", NAMES)
        _run("mount", "-t", "tmpfs", "none", NAMES)  # the names of the hosts are this cluster's alone
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", BRIDGE, "type", "bridge")
        _run("ip", "addr", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        _run("ip", "link", "set", BRIDGE, "up")

    def keep(self, count: int) -> None:
        """A head, and so many hosts."""
        if self.head is None:
            address = ("--node-ip-address", f"{NETWORK}.1", "--port", str(PORT))
            where = ("--temp-dir", str(self._temporary), "--num-cpus", "0", "--include-dashboard", "false")
            self.head = Node(_start("--head", *address, *where), self._log)
            waited(lambda: self._begun(1), BEGINNING, "the head")
        while len(self.hosts) > count:
            self.kill(self.hosts[-1])
        while len(self.hosts) < count:
            self.add()
        waited(lambda: self._begun(1 + count), BEGINNING, f"{count} nodes")

    def add(self) -> Host:
        self.hosts.append(Host(self._next, self._temporary, self._log))
        self._next += 1
        return self.hosts[-1]

    def renew(self) -> None:
        """End the hosts whose disks are full."""
        for host in [one for one in self.hosts if one.full]:
            self.kill(host)

    def kill(self, host: Host) -> None:
        self.hosts.remove(host)
        host.kill()

    def lose(self) -> None:
        """The head goes, and the hosts, which would look for it in vain, begin anew with the next one."""
        if self.head is not None:
            self.head.kill()
            self.head = None
        for host in list(self.hosts):
            self.kill(host)
        for entry in Path("/proc").iterdir():  # what the head left
            if entry.name.isdigit() and str(self._temporary) in words_of(int(entry.name)):
                with suppress(OSError):
                    os.kill(int(entry.name), signal.SIGKILL)

    def workers(self) -> Iterable[tuple[Host, int]]:
        """The processes that compute, and where."""
        return [(host, one) for host in self.hosts for one in host.workers() if "Process" in words_of(one)]

    def _begun(self, count: int) -> bool:
        for one in filter(None, (self.head, *self.hosts)):
            one.supervise()
        return self._alive() == count

    def _alive(self) -> int:
        """How many nodes the head knows."""
        from ray._raylet import GcsClient

        with suppress(Exception):  # not there yet
            socket.create_connection((f"{NETWORK}.1", PORT), 1).close()  # Ray would try for a minute
            nodes = GcsClient(address=f"{NETWORK}.1:{PORT}").get_all_node_info(timeout=5)
            return sum(one.state == 0 for one in nodes.values())
        return -1


def _start(*options: str) -> list[str]:
    ray = "from ray.scripts.scripts import main; main()"
    size = ("--object-store-memory", str(STORE), "--include-log-monitor", "false", "--no-monitor")
    return [sys.executable, "-c", ray, "start", *options, *size, "--disable-usage-stats", "--block"]


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
