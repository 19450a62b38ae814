"""What is said of a cluster that cannot be had: at once, and what to do about it."""

import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from latentspace.cli import engines
from latentspace.core import cluster, connection, extras
from latentspace.core.cluster import Cluster, Engine, require_same_versions, versions
from latentspace.core.errors import ConfigurationError, RunError


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="ray must be installed") as error:
        Cluster(Engine(name="ray"))
    assert error.value.do == "pip install 'latentspace[ray]'"


@pytest.mark.parametrize("by", [engines.computed_by, engines.trained_by])
def test_a_cluster_that_does_not_answer_is_named(monkeypatch, by):
    monkeypatch.setattr(extras, "find_spec", lambda name: name)
    address = f"ray://127.0.0.1:{closed_port()}"
    with pytest.raises(ConfigurationError, match=f"the cluster {address} must answer"), by(address, "auto"):
        pass


def test_a_cluster_that_ray_address_names_and_does_not_answer_is_named(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{closed_port()}")
    monkeypatch.setattr(connection, "require_extra", lambda *_, **__: None)
    with pytest.raises(ConfigurationError, match=r"the cluster 127\.0\.0\.1:\d+ must answer"):
        Cluster(Engine(name="ray"))


def test_an_address_is_the_engine_s_or_else_that_of_ray_address(monkeypatch):
    asked = []
    monkeypatch.setattr(cluster, "connected", asked.append)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    outside = [Cluster(Engine(name="ray"))._outside]
    for named in ("ray://head", "head:6379"):
        monkeypatch.setenv("RAY_ADDRESS", named)
        outside += [Cluster(one)._outside for one in (Engine(name="ray"), Engine.named("ray://other"))]
    assert asked == ["", "ray://head:10001", "ray://other:10001", "head:6379", "ray://other:10001"]
    assert outside == [False, True, True, False, True]


def test_where_ray_s_own_parts_are_gone_nothing_is_asked_and_errors_are_said_without_them(monkeypatch):
    for name in (
        *("authentication.authentication_token_setup", "authentication.authentication_utils"),
        *("services", "grpc_utils", "node"),
    ):
        monkeypatch.setitem(sys.modules, f"ray._private.{name}", None)
    assert connection._found_here() == ""
    connection.require_answer(f"ray://127.0.0.1:{closed_port()}")
    assert connection._unknown("ray://head").found == "another token, or none"
    with connection._lean(alone=True):
        assert connection.OWN.items() <= os.environ.items()


@pytest.mark.parametrize("alone", [True, False])
def test_a_cluster_that_begins_here_has_what_computes_alone(monkeypatch, alone):
    class Node:
        def start_monitor(self):
            return "begun"

        def start_raylet(self):
            return "begun"

    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    monkeypatch.setitem(sys.modules, "ray._private", ModuleType("ray._private"))
    monkeypatch.setitem(sys.modules, "ray._private.node", ModuleType("ray._private.node"))
    sys.modules["ray._private.node"].Node = Node
    users, ours = connection.OWN
    monkeypatch.setenv(users, "7")
    before = dict(os.environ)
    with connection._lean(alone=alone):
        assert (Node().start_monitor(), Node().start_raylet()) == (None if alone else "begun", "begun")
        assert os.environ[users] == "7"
        assert (ours in os.environ) == alone
    assert Node().start_monitor() == "begun"
    assert dict(os.environ) == before


def test_an_extra_that_is_there_and_cannot_be_loaded_is_told_of(tmp_path, monkeypatch):
    (tmp_path / "broken_extra.py").write_text("raise ImportError('libbroken.so: no such file')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match=r"broken_extra, which cannot be loaded: libbroken\.so"):
        extras.require_extra("broken", "broken_extra", to="test it")


def test_other_versions_on_a_node_are_told_apart():
    require_same_versions(versions(), "there")
    with pytest.raises(RunError, match="must have the versions of this machine") as error:
        require_same_versions({**versions(), "torch": "1.0", "latentspace": "9"}, "there")
    here = versions()
    assert error.value.found == (
        f"latentspace 9 on there, {here['latentspace']} here, torch 1.0 on there, {here['torch']} here"
    )


def test_ray_s_own_words_on_versions_and_tokens_become_errors():
    with (
        pytest.raises(RunError, match="one version on all machines"),
        connection.understood("ray://head:10001"),
    ):
        raise RuntimeError("Version mismatch: The cluster was started with Ray: 2.9, this process 2.60")
    with pytest.raises(ConfigurationError, match="must answer") as error, connection.understood("head:6379"):
        raise RuntimeError("InvalidAuthToken")
    assert "RAY_AUTH_TOKEN" in error.value.do


@pytest.mark.parametrize("text", ["ray://", "ray://head/path", "ray://me:secret@head", "ray://head:port"])
def test_an_address_that_is_none_is_refused(text):
    with pytest.raises(ConfigurationError, match="is ray://HOST:PORT"):
        Engine.named(text)


def test_an_address_may_leave_the_port_out():
    assert Engine.named("ray://head").address == "ray://head:10001"


def test_resources_are_a_cluster_s():
    with pytest.raises(ConfigurationError, match="shared out by a cluster"):
        Engine.named("local", cpus=2)


@pytest.mark.parametrize("alone", [True, False])
def test_what_a_cluster_had_begun_is_ended_where_it_is_interrupted(monkeypatch, alone):
    ray = find_spec("ray")
    if ray is None:
        pytest.skip("Ray, which brings psutil along, is not here")
    monkeypatch.syspath_prepend(Path(ray.submodule_search_locations[0], "thirdparty_files"))
    earlier = subprocess.Popen(["sleep", "60"])
    script = "sleep 60 & echo $!; wait"
    block = connection._ended(alone=alone)
    block.__enter__()
    begun = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(begun.stdout.readline())
    interrupted = KeyboardInterrupt()
    assert not block.__exit__(KeyboardInterrupt, interrupted, None), "it goes on to whoever called"
    assert earlier.poll() is None
    with begun, earlier:
        if not alone:
            assert begun.poll() is None
            os.kill(child, signal.SIGKILL)
            begun.kill()
        assert begun.stdout.read() == "", "read to its end, so the child has ended too"
        earlier.kill()
