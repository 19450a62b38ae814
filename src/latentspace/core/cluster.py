"""A cluster of Ray: reached or started, and what its nodes must have.

Ray: https://docs.ray.io. Imported where used: it comes with the extra `ray`.
"""

import logging
import os
import platform
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from .config import Config
from .connection import CLIENT, RAY, connected, signals_kept
from .errors import ConfigurationError, DeviceError, LatentspaceError, RunError
from .malloc import ran_out
from .versions import said_version_of
from .wording import option

CLIENT_PORT: Final = 10001
ASKING: Final = 3.0  # seconds that a node may take to
PACKAGES: Final = ("latentspace", "torch", "numpy", "pillow")  # whose versions are the same on all nodes
BEGINNINGS: Final = 2  # processes that die as they begin on a node, which gets no more then
ANSWERS: Final = 0.5  # seconds from one look whether something has ended to the next

logger = logging.getLogger(__name__)


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
            return f"{CLIENT}{parts.netloc if parts.port else f'{parts.netloc}:{CLIENT_PORT}'}"
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
        named = engine.address or os.environ.get("RAY_ADDRESS", "")
        self._outside = named.startswith(CLIENT)
        self._own = connected(_address(named) if self._outside else named)
        self._deaths = Counter[str]()  # by node, of processes as they began, one after another

    def close(self) -> None:
        """End what was started for this process: its tasks, its objects, and the cluster if it began here."""
        if self._own:
            import ray

            self._own = False
            with signals_kept():
                ray.shutdown()

    @property
    def nodes(self) -> Sequence[Mapping[str, Any]]:
        """The nodes that are there, as Ray describes them."""
        import ray

        return [one for one in ray.nodes() if one["Alive"]]

    @property
    def room(self) -> int:
        """How many processes with the engine's resources the nodes hold at once, where they can begin."""
        return self._room_beside(self._avoided)

    @property
    def _avoided(self) -> set[str]:
        """Nodes on which no process can begin, as where a disk is full; none where there are no others."""
        unable = {node for node, deaths in list(self._deaths.items()) if deaths >= BEGINNINGS}
        return unable if self._room_beside(unable) else set()

    def _room_beside(self, nodes: set[str]) -> int:
        return sum(self._fit(one) for one in self.nodes if one["NodeID"] not in nodes)

    def process(self, kind: type, *arguments: Any) -> Any:
        """A process on some node that holds an object of this class, as Ray's handle; never restarted."""
        import ray

        options: dict[str, Any] = {"num_cpus": self.engine.cpus, "num_gpus": self.engine.gpus}
        if avoided := self._avoided:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(sorted(avoided))})"}
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
            node: the one that it is on; None: it has not answered yet.

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
            if node is None:
                raise self._died_at_first(error.actor_id) from error
            if not self._has(node):
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

    def accept(self, about: Mapping[str, Any]) -> None:
        """Take note of where a process has begun. Raises: RunError: its versions are others."""
        self._deaths.pop(about["node"], None)
        require_same_versions(about["versions"], about["process"].partition("@")[2])

    def _died_at_first(self, actor: str) -> "LostProcessError":
        """What became of a process that has answered nothing; blameless where another node may do better."""
        place = _place_of(actor)
        if not place:
            return LostProcessError("its worker was killed")
        node = place["NodeID"]
        if not self._has(node):
            return LostProcessError("its node was lost", blameless=True)
        self._deaths[node] += 1
        elsewhere = bool(self._room_beside({node} | self._avoided))
        if elsewhere and self._deaths[node] == BEGINNINGS:
            logger.warning("the node %s gets no more: is its disk full?", place["IPAddress"])
        return LostProcessError("its worker was killed as it began", blameless=elsewhere)

    def _has(self, node: str) -> bool:
        """Whether the node is there. Ray takes half a minute to miss one whose processes are gone already."""
        found = next((one for one in self.nodes if one["NodeID"] == node), None)
        if found is None or self._outside:  # from outside, nodes cannot be reached
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


def _place_of(actor: str) -> Mapping[str, str]:
    """The node that it is on, or was, and its address; empty where Ray, which has it for debugging, fails."""
    with suppress(Exception):
        from ray._private import state

        return dict(state.actors(actor)["Address"])
    return {}


def about_process() -> dict[str, Any]:
    """Which process this is, on which node, and with which versions."""
    import ray

    name = f"{os.getpid()}@{socket.gethostname()}"
    return {"process": name, "node": ray.get_runtime_context().get_node_id(), "versions": versions()}


def versions() -> dict[str, str]:
    """What must be the same here and on the nodes."""
    return {"python": platform.python_version(), **{one: said_version_of(one) for one in PACKAGES}}


def require_same_versions(there: Mapping[str, str], node: str) -> None:
    """Refuse a node with other versions. Raises: RunError."""
    here = versions()
    if differing := [one for one in here if here[one] != there.get(one)]:
        raise RunError(
            "the nodes of a cluster must have the versions of this machine: results are the same bits then",
            found=", ".join(f"{one} {there.get(one)} on {node}, {here[one]} here" for one in differing),
            do="install the same versions on all nodes, for example from one image or one constraints.txt",
        )


def refuse_device(device: str, engine: Engine) -> None:
    """Refuse a GPU by name where no GPU is asked for. Raises: DeviceError."""
    if device not in ("auto", "cpu") and not engine.gpus:
        raise DeviceError(
            "a process on a node sees the GPUs that were asked for it",
            found=f"{option('device', device)}, and no {option('trial_gpus')}",
            do=f"name {option('trial_gpus', 1)}, and leave {option('device')} out",
        )
