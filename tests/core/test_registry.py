"""A family's members by name: imported when asked for, added from outside, refused twice."""

import subprocess
import sys

import pytest

from latentspace.core import plugins
from latentspace.core.errors import ConfigurationError
from latentspace.core.registry import Registry


def fruit() -> Registry[object]:
    return Registry("fruit", {"apple": "fractions:Fraction", "pear": "decimal:Decimal"})


def test_members_come_in_the_order_in_which_they_were_named() -> None:
    registry = fruit()
    registry.add("fig", int)
    assert list(registry) == ["apple", "pear", "fig"]
    assert len(registry) == 3


def test_a_builtin_member_is_imported_when_it_is_asked_for() -> None:
    from fractions import Fraction

    registry = fruit()
    assert registry["apple"] is Fraction
    assert registry.name_of(Fraction) == "apple"


def test_listing_names_imports_no_member() -> None:
    registry: Registry[object] = Registry("fruit", {"apple": "no_such_module:Apple"})
    assert list(registry) == ["apple"]
    assert "apple" in registry


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'apple'") as raised:
        fruit()["aple"]
    assert raised.value.found == "'aple'"
    assert "apple, pear" in raised.value.do


def test_a_name_is_given_once() -> None:
    registry = fruit()
    registry.add("fig", int)
    registry.add("fig", int)  # the same again, as when a module is imported twice
    for name in ("fig", "apple"):
        with pytest.raises(ConfigurationError, match="a name of its own"):
            registry.add(name, str)


def test_a_module_named_in_the_environment_is_imported(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(plugins.VARIABLE, "no_such_plugin_at_all")
    with pytest.raises(ConfigurationError, match="no_such_plugin_at_all"):
        list(fruit())


def test_another_process_sees_the_plugins_of_its_environment(tmp_path: "pytest.TempPathFactory") -> None:
    (tmp_path / "stranger.py").write_text(  # type: ignore[operator]
        "from latentspace.core.plugins import load_plugins\nimport builtins\nbuiltins.FOUND = True\n"
    )
    code = (
        "import builtins\nfrom latentspace.core.registry import Registry\n"
        "assert list(Registry('fruit', {})) == []\nassert builtins.FOUND"
    )
    environment = {**__import__("os").environ, plugins.VARIABLE: "stranger"}
    environment["PYTHONPATH"] = f"{tmp_path}:{environment.get('PYTHONPATH', '')}"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
