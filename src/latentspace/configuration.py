"""Configuration that is frozen, validated once, and survives a round trip through JSON and TOML."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import ConfigurationError

# A number of channels, neurons or codes: no more than the int32 that kernels count in, and torch unpacks.
Width: TypeAlias = Annotated[int, Field(ge=1, le=2**31 - 1)]

Parsed = TypeVar("Parsed", bound="Config")


class Config(BaseModel):
    """The base of every configuration: frozen, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @classmethod
    def parse(cls: type[Parsed], values: Mapping[str, Any], origin: str, prefix: str = "") -> Parsed:
        """Validate `values`; in the error `origin` names where they come from, `prefix` stands before keys.

        Raises:
            ConfigurationError: an unknown key, or a value out of its range.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigurationError(
                f"{origin} must hold valid settings",
                found="; ".join(describe(dict(part), prefix) for part in error.errors()[:5]),
                do="correct the named settings (docs/reference.md lists all of them)",
            ) from error


def describe(part: Mapping[str, Any], prefix: str = "") -> str:
    """One of pydantic's errors in our words, with the key as the user wrote it."""
    key = ".".join(str(step) for step in part["loc"])
    message = str(part["msg"]).removeprefix("Value error, ")
    if not key:  # a check over several keys has named them itself
        return f"{prefix}{message}"
    if part["type"] == "extra_forbidden":
        return f"{prefix}{key} is not a known key"
    if part["type"] == "missing":
        return f"{prefix}{key} is missing"
    return f"{prefix}{key} = {part['input']!r}: {message}"


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file into a dictionary.

    Raises:
        ConfigurationError: there is no such file, or it is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"the recipe {path} must be a readable TOML file",
            found=error.strerror or str(error),
            do="check the path, or name one of the built-in recipes",
        ) from error
    except (ValueError, RecursionError) as error:  # also of numbers of thousands of digits
        raise ConfigurationError(
            f"the recipe {path} must be TOML", found=str(error), do="mend the named line"
        ) from error


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, table by table; neither is altered."""
    result = dict(base)
    for key, value in changes.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def overrides(assignments: list[str]) -> dict[str, Any]:
    """`["training.epochs=5"]` -> `{"training": {"epochs": 5}}`; values are TOML, a bare word is a string.

    Raises:
        ConfigurationError: an assignment without `=` or without a key.
    """
    result: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise ConfigurationError(
                "--set takes KEY=VALUE",
                found=repr(assignment),
                do="write for example --set training.epochs=5",
            )
        value = _toml_value(text.strip())
        for step in reversed(key.strip().split(".")):
            value = {step: value}
        result = merged(result, value)
    return result


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
