"""A cluster of Ray: reached or started, and what its nodes must have.

Ray: https://docs.ray.io. Imported where used: it comes with the extra `ray`.
"""

import logging
import os
import platform
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import Any, Final
from urllib.parse import urlsplit

from .config import Config
from .errors import ConfigurationError, DeviceError, LatentspaceError, RunError
from .extras import require_extra
from .malloc import ran_out
from .wording import option

RAY: Final = "ray"
CLIENT_PORT: Final = 10001
CONNECTING: Final = 10.0  # seconds that a cluster may take to answer
ASKING: Final = 3.0  # seconds that a node may take to
PACKAGES: Final = ("latentspace", "torch", "numpy", "pillow")  # whose versions are the same on all nodes
ANSWERS: Final = 0.5  # seconds from one look whether something has ended to the next


class Engine(Config):
    """What computes, as `--engine` names it.

    Args:
        name: `local`, `ray`, or a member of the registry that a plug-in has added.
        address: of a cluster, `ray://HOST:PORT`; None: the one that this machine is part of (or that
            RAY_ADDRESS names), else one that is started here and ended with the command.
        cpus, gpus: what one training or one process that encodes takes of a node.
    """

    name: str = "local"
    address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0

    @classmethod
    def named(cls, text: str, *, cpus: float | None = None, gpus: float | None = None) -> "Engine":
        """The engine of an option's value. Raises: ConfigurationError: an address that is none."""
        name, _, rest = text.partition("://")
        if name != RAY and (cpus is not None or gpus is not None):
            raise ConfigurationError(
                "resources of a trial are shared out by a cluster",
                found=f"{option('trial_cpus')} or {option('trial_gpus')} with the engine {name}",
                do=f"leave them out, or name {option('engine', RAY)}; here {option('workers')} and "
                f"{option('threads')} share the cores",
            )
        address = None
        if rest or "://" in text:
            address = _address(text)
        return cls(name=name, address=address, cpus=1.0 if cpus is None else cpus, gpus=gpus or 0.0)


def _address(text: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme == RAY and parts.hostname and not (parts.path or parts.query or parts.username):
            return f"{RAY}://{parts.netloc if parts.port else f'{parts.netloc}:{CLIENT_PORT}'}"
    raise ConfigurationError(
        "the address of a cluster is ray://HOST:PORT",
        found=text,
        do=f"write for example ray://head.example.org:{CLIENT_PORT}",
    )


class Cluster:
    """A connection to a cluster, as the whole process has it: there is one at a time.

    Raises:
        ConfigurationError: Ray is not installed, or nothing answers at the address.
        RunError: the cluster's versions are others.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._own = _connect(engine.address)

    def close(self) -> None:
        """End what was started for this process: its tasks, its objects, and the cluster if it began here."""
        if self._own:
            import ray

            self._own = False
            with _signals_kept():
                ray.shutdown()

    @property
    def nodes(self) -> Sequence[Mapping[str, Any]]:
        """The nodes that are there, as Ray describes them."""
        import ray

        return [one for one in ray.nodes() if one["Alive"]]  # type: ignore[no-untyped-call]

    @property
    def room(self) -> int:
        """How many processes with the engine's resources the nodes hold at once."""
        return sum(map(self._fit, self.nodes))

    def process(self, kind: type, *arguments: Any) -> Any:
        """A process on some node that holds an object of this class, as Ray's handle; never restarted."""
        import ray

        options = {"num_cpus": self.engine.cpus, "num_gpus": self.engine.gpus}
        return ray.remote(kind).options(**options, max_restarts=0, max_task_retries=0).remote(*arguments)

    def end(self, process: Any) -> None:
        """Kill a process."""
        import ray

        ray.kill(process)

    def answered(self, answer: Any) -> bool:
        """Whether an answer is there, so that `asked` does not wait."""
        import ray

        return bool(ray.wait([answer], timeout=0)[0])

    def asked(self, answer: Any, node: str | None = None) -> Any:
        """What a process answers.

        Args:
            node: the one that it is on, as far as that is known.

        Raises:
            LostProcessError: it is gone.
            RunError: it could not begin.
            Exception: what it raised, where that is an error of ours, or no memory was left.
            RayTaskError: anything else that it raised.
        """
        import ray
        import ray.exceptions as of_ray

        try:
            return ray.get(answer)
        except of_ray.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, Exception) and (isinstance(cause, LatentspaceError) or ran_out(cause)):
                raise cause from None
            raise
        except of_ray.RayActorError as error:
            said = " ".join(str(error).split())
            if getattr(error, "actor_init_failed", False) or "ModuleNotFoundError" in said:
                raise RunError(
                    "latentspace must be installed on each node of the cluster",
                    found=said[-300:],
                    do="install it there in the version of this machine",
                ) from error
            if node is not None and not self._has(node):
                raise LostProcessError("its node was lost", blameless=True) from error
            raise LostProcessError("its worker was killed") from error
        except (of_ray.OutOfMemoryError, of_ray.WorkerCrashedError) as error:
            raise LostProcessError("its worker was killed: memory ran out on its node") from error
        except (
            of_ray.RaySystemError,
            of_ray.ObjectLostError,
            of_ray.GetTimeoutError,
            ConnectionError,
        ) as error:
            raise LostProcessError("its node was lost", blameless=True) from error

    def _has(self, node: str) -> bool:
        """Whether the node is there. Ray takes half a minute to miss one whose processes are gone already."""
        found = next((one for one in self.nodes if one["NodeID"] == node), None)
        if found is None or self.engine.address is not None:  # from outside, nodes cannot be reached
            return found is not None
        try:
            where = found["NodeManagerAddress"], found["NodeManagerPort"]
            socket.create_connection(where, ASKING).close()
        except OSError:
            return False
        return True

    def _fit(self, node: Mapping[str, Any]) -> int:
        asked = {"CPU": self.engine.cpus, "GPU": self.engine.gpus}
        there = node["Resources"]
        return int(min((there.get(one, 0) + 1e-9) // much for one, much in asked.items() if much))

    def require_room(self) -> None:
        """Refuse resources that no node has. Raises: ConfigurationError."""
        if self.engine.cpus <= 0 and self.engine.gpus <= 0:
            raise ConfigurationError(
                "a trial takes some of a node",
                found="0 CPUs and 0 GPUs",
                do=f"name {option('trial_cpus', 1)}",
            )
        if not self.room:
            largest = ", ".join(
                sorted({f"{_much(one, 'CPU')} CPUs and {_much(one, 'GPU')} GPUs" for one in self.nodes})
            )
            raise ConfigurationError(
                f"one node must have {self.engine.cpus:g} CPUs and {self.engine.gpus:g} GPUs, as asked for",
                found=f"nodes with {largest or 'nothing'}",
                do=f"ask for less ({option('trial_cpus')}, {option('trial_gpus')}), or add such a node",
            )


class LostProcessError(Exception):
    """A process that computed, or its machine, is gone.

    Args:
        reason: what happened, for a person.
        blameless: whether the machine went, and not the process alone.
    """

    def __init__(self, reason: str, *, blameless: bool = False) -> None:
        self.reason, self.blameless = reason, blameless
        super().__init__(reason)


def _much(node: Mapping[str, Any], what: str) -> str:
    return f"{node['Resources'].get(what, 0):g}"


def about_process() -> dict[str, Any]:
    """Which process this is, on which node, and with which versions."""
    import ray

    name = f"{os.getpid()}@{socket.gethostname()}"
    return {"process": name, "node": ray.get_runtime_context().get_node_id(), "versions": versions()}


def versions() -> dict[str, str]:
    """What must be the same here and on the nodes."""
    return {"python": platform.python_version(), **{one: metadata.version(one) for one in PACKAGES}}


def require_same_versions(there: Mapping[str, str], node: str) -> None:
    """Refuse a node with other versions. Raises: RunError."""
    here = versions()
    if differing := [one for one in here if here[one] != there.get(one)]:
        raise RunError(
            "the nodes of a cluster must have the versions of this machine: results are the same bits then",
            found=", ".join(f"{one} {there.get(one)} on {node}, {here[one]} here" for one in differing),
            do="install the same versions on all nodes, for example from one image or one constraints.txt",
        )


def _connect(address: str | None) -> bool:
    """Connect, where nothing is connected yet; whether that was done here."""
    require_extra("ray", "ray", *(["grpc"] if address else []), to="compute on a cluster of Ray")
    named = address or os.environ.get("RAY_ADDRESS", "")
    _require_answer(named)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to Ray's makers
    import ray

    if ray.is_initialized():
        return False
    with _signals_kept(), _understood(named):
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
def _understood(address: str) -> Iterator[None]:
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
def _signals_kept() -> Iterator[None]:
    """Ray sets a handler of its own for SIGTERM."""
    try:
        before = signal.getsignal(signal.SIGTERM)
        yield
    finally:
        with suppress(ValueError):  # not in the main thread, where Ray has set none either
            signal.signal(signal.SIGTERM, before)


def refuse_device(device: str, engine: Engine) -> None:
    """Refuse a GPU by name where no GPU is asked for. Raises: DeviceError."""
    if device not in ("auto", "cpu") and not engine.gpus:
        raise DeviceError(
            "a process on a node sees the GPUs that were asked for it",
            found=f"{option('device', device)}, and no {option('trial_gpus')}",
            do=f"name {option('trial_gpus', 1)}, and leave {option('device')} out",
        )
