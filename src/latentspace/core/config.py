"""Configuration that is frozen, validated once, and survives a round trip through JSON and TOML."""

import difflib
import logging
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import ConfigurationError
from .wording import brief, document

logger = logging.getLogger(__name__)

# A number of channels, neurons or codes: no more than the int32 that kernels count in, and torch unpacks.
Width: TypeAlias = Annotated[int, Field(ge=1, le=2**31 - 1)]

# Passes over images, steps, trials: a larger number is a slip, as no training of so many would end.
MANY: Final = 1_000_000
Count: TypeAlias = Annotated[int, Field(ge=1, le=MANY)]
CountOrNone: TypeAlias = Annotated[int, Field(ge=0, le=MANY)]

RECIPE_LIMIT: Final = 2**20  # bytes; /dev/zero has no end

Parsed = TypeVar("Parsed", bound="Config")


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _Called(ModelMetaclass):
    """`Experiment(...)` raises what `Experiment.parse(...)` does; pydantic does not call what lies within."""

    def __call__(cls, *values: Any, **named: Any) -> Any:  # noqa: N805 - of a metaclass
        if values:
            raise ConfigurationError(
                f"{cls.__name__} takes its settings by name",
                found=brief(values[0]),
                do=f"write {cls.__name__}(name=value)",
            )
        config = cast("type[Config]", cls)
        try:
            return super().__call__(**named)
        except ValidationError as error:
            raise refused(error, cls.__name__, known=config.names(named)) from None


class Config(BaseModel, metaclass=_Called):
    """The base of every configuration: frozen, no unknown keys, no NaN; shown without what is default."""

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
            raise refused(error, origin, prefix, cls.names(values)) from error

    @classmethod
    def names(cls, values: Mapping[str, Any]) -> Collection[str]:  # noqa: ARG003 - some differ by them
        """The dotted names of what `values` may set."""
        return list(names_of(cls))

    @classmethod
    def restored(cls: type[Parsed], values: Mapping[str, Any], origin: str) -> Parsed:
        """As `parse`, of what was written with every key: a default is not made up for one that is lost.

        Raises:
            ConfigurationError: also a key that is missing.
        """
        parsed = cls.parse(values, origin)
        found = _missing(values, parsed.model_dump(mode="json"))
        if found:
            raise ConfigurationError(
                f"{origin} must hold every setting",
                found=f"{', '.join(found[:5])} missing",
                do="restore the file from a copy: it is damaged, or of another version of latentspace",
            )
        return parsed

    @classmethod
    def summary(cls) -> str:
        """What it is, in a few words: the first sentence of its docstring, without the full stop."""
        first = " ".join((cls.__doc__ or cls.__name__).partition("\n\n")[0].split())
        return first.removesuffix(".")

    def __setattr__(self, name: str, value: Any) -> None:
        raise ConfigurationError(
            "settings do not change once they are made",
            found=f"{name} = {brief(value)}",
            do=f"make others: {type(self).__name__}(..., {name}=...)",
        )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            if name not in fields or value != fields[name].get_default(call_default_factory=True):
                yield name, value


def names_of(config: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted names of a configuration's fields, the tables among them too."""
    for name, field in config.model_fields.items():
        yield f"{prefix}{name}"
        for one in (field.annotation, *get_args(field.annotation)):
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from names_of(one, f"{prefix}{name}.")


def did_you_mean(key: str, known: Collection[str], prefix: str = "") -> str:
    """`: did you mean training.epochs?`, or nothing where no known name is like `key`."""
    last = key.rpartition(".")[2]
    close = [name for name in known if name.rpartition(".")[2] == last]  # of another table
    if not close:
        close = difflib.get_close_matches(key, known, n=1, cutoff=0.8)
    if not close:
        ends = difflib.get_close_matches(last, {name.rpartition(".")[2] for name in known}, n=1)
        close = [name for name in known if name.rpartition(".")[2] in ends]
    names = list(dict.fromkeys(f"{prefix}{name}" for name in close))
    return f": did you mean {' or '.join(names)}?" if names else ""


def refused(
    error: ValidationError, origin: str, prefix: str = "", known: Collection[str] = ()
) -> ConfigurationError:
    """What pydantic found wrong with settings, in our words; `known` are the names that there are."""
    return ConfigurationError(
        f"{origin} must hold valid settings",
        found="; ".join(describe(dict(part), prefix, known) for part in error.errors()[:5]),
        do=f"correct the named settings; all are in `latentspace settings` and {document('reference.md')}",
    )


def _missing(values: Mapping[str, Any], whole: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The dotted names of the keys of `whole` that `values` lacks."""
    found = []
    for key, value in whole.items():
        if key not in values:
            found.append(f"{prefix}{key}")
        elif isinstance(value, dict) and isinstance(values[key], dict):
            found += _missing(values[key], value, f"{prefix}{key}.")
    return found


def describe(part: Mapping[str, Any], prefix: str = "", known: Collection[str] = ()) -> str:
    """One of pydantic's errors in our words, with the key as the user wrote it."""
    key = ".".join(str(step) for step in part["loc"])
    message = str(part["msg"]).removeprefix("Value error, ")
    if not key:  # a check over several keys has named them itself
        return f"{prefix}{message}"
    if part["type"] == "extra_forbidden":
        return f"{prefix}{key} is not a known key{did_you_mean(key, known, prefix)}"
    if part["type"] == "missing":
        return f"{prefix}{key} is missing"
    if part["type"] == "int_parsing_size":
        message = "Input should be a smaller whole number"
    return f"{prefix}{key} = {brief(part['input'])}: {message}"


def without_unset(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None, in tables within too, and without tables that are empty then."""
    kept = {key: without_unset(one) if isinstance(one, Mapping) else one for key, one in values.items()}
    return {key: one for key, one in kept.items() if one is not None and one != {}}


def whole_number(text: str) -> int | None:
    """The number that `text` is: ASCII digits alone, at most 9 of them; else None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def two_numbers(text: str) -> tuple[int, int] | None:
    """`28x32` -> (28, 32): two whole numbers above 0; else None."""
    first, cross, second = text.lower().partition("x")
    one, other = whole_number(first), whole_number(second)
    return (one, other) if cross and one and other else None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file into a dictionary.

    Raises:
        ConfigurationError: there is no such file, or it is not TOML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(RECIPE_LIMIT + 1)
        return _tables(content)
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"the recipe {path} must be TOML, which is UTF-8", found=str(error), do="save it as UTF-8"
        ) from error
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


def _tables(content: bytes) -> dict[str, Any]:
    if len(content) > RECIPE_LIMIT:
        raise ValueError(f"more than {RECIPE_LIMIT:,} bytes")
    return tomllib.loads(content.decode())


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, table by table; neither is altered."""
    result = dict(base)
    for key, value in changes.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def laid_over(given: Mapping[str, Any], changes: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """`merged`; where both name a setting, with two values, that of `changes` wins, and that is said."""
    for key, value in changes.items():
        name, before = f"{within}{key}", given.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            laid_over(before, value, f"{name}.")
        elif before is not None and before != value:
            logger.warning("%s = %s, by --set; the option that says %s is not used", name, value, before)
    return merged(given, changes)


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
        result = merged(result, nested({key.strip(): _toml_value(text.strip())}))
    return result


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`{"training.epochs": 5}` -> `{"training": {"epochs": 5}}`; what is nested already stays so."""
    result: dict[str, Any] = {}
    for key, value in settings.items():
        for step in reversed(key.split(".")):
            value = {step: value}  # noqa: PLW2901
        result = merged(result, value)
    return result


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
