"""All settings of a plan, with meaning, default and limits, as their configurations have them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ..core.config import Config, merged
from ..core.wording import either
from ..models.autoencoder import NetworkConfig
from ..objectives.loss import ObjectiveConfig
from .config import Experiment, models_of, objectives_of
from .presets import USUAL


@dataclass(frozen=True)
class Setting:
    """One setting of one kind of study.

    Args:
        name: as after `--set`: `training.epochs`.
        default: a plain value; None: not set.
        limits: what it can be, in words; empty: any text.
        meaning: in Markdown.
    """

    kind: str
    name: str
    default: Any
    limits: str
    meaning: str


def settings_of(
    kind: str, preset: str = USUAL, changes: Mapping[str, Any] = MappingProxyType({})
) -> tuple[Setting, ...]:
    """First those of no table, then table by table; with the preset's values as defaults.

    Args:
        changes: settings laid over the preset's, nested as in config.json: the name of another network.
    """
    plan = Experiment.parse(merged({"kind": kind, "preset": preset}, changes), "the defaults")
    found = [_named(Setting(kind, *one)) for one in _settings(plan, "")]
    return tuple(sorted(found, key=lambda one: _TABLES.index(one.name.rpartition(".")[0])))


def _named(setting: Setting) -> Setting:
    """With the names of the networks or objectives that the task may have as its limits."""
    suited = {
        "model.name": (models_of, NetworkConfig),
        "objective.name": (objectives_of, ObjectiveConfig),
    }
    if setting.name not in suited:
        return setting
    names, base = suited[setting.name]
    meaning = base.model_fields["name"].description or ""
    return replace(setting, limits=either(names(setting.kind)), meaning=meaning)


def by_name(
    kinds: tuple[str, ...], preset: str = USUAL, changes: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, tuple[Setting, ...]]:
    """Under each name the settings of those kinds that have it."""
    found: dict[str, list[Setting]] = {}
    for table in _TABLES:
        for kind in kinds:
            for one in settings_of(kind, preset, changes):
                if one.name.rpartition(".")[0] == table:
                    found.setdefault(one.name, []).append(one)
    return {name: tuple(settings) for name, settings in found.items()}


def limits_of(settings: Sequence[Setting]) -> str:
    """What one setting can be, in words; by kind, where the kinds differ."""
    kinds: dict[str, list[str]] = {}
    for one in settings:
        kinds.setdefault(one.limits, []).append(one.kind)
    if len(kinds) == 1:
        return settings[0].limits
    return "; ".join(f"{', '.join(names)}: {limits}" for limits, names in kinds.items())


def written(value: Any) -> str:
    """A value as TOML has it; a dash for one that is not set."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and len(f"{value:g}") < 6 else str(value)


_TABLES = ("", "data", "split", "model", "objective", "training")


def _settings(config: Config, prefix: str) -> Iterator[tuple[str, Any, str, str]]:
    schema = type(config).model_json_schema()["properties"]
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Config):
            yield from _settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, _limits(schema[name]), field.description or ""


def _limits(schema: Mapping[str, Any]) -> str:
    """A part of a JSON schema in words."""
    if "anyOf" in schema:  # the other one is null
        return _limits(schema["anyOf"][0])
    if "enum" in schema or "const" in schema:
        return either(schema.get("enum", [schema.get("const")]))
    kind = schema["type"]
    if kind == "array":
        return f"{len(schema['prefixItems'])} of: {_limits(schema['prefixItems'][0])}"
    if kind in ("integer", "number"):
        return f"{'whole number' if kind == 'integer' else 'number'}{_bounds(schema)}"
    return {"boolean": "true or false", "string": ""}[kind]


def _bounds(schema: Mapping[str, Any]) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    parts = [f"{word} {schema[key]:,}" for key, word in words.items() if key in schema]
    return f", {' '.join(parts)}" if parts else ""
