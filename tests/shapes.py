"""Shapes are checked in every test: jaxtyping's annotations are read, beartype holds them.

`jaxtyping.jaxtyped` binds a call's arguments and checks them twice, 20 microseconds a call, and compiles two
checks for each function. Here beartype checks once, and sizes are remembered where there are arrays.
"""

import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from typing import Any, get_args

import jaxtyping
from beartype import beartype
from jaxtyping import AbstractArray, install_import_hook
from jaxtyping._decorator import _destring_annotation
from jaxtyping._storage import pop_shape_memo, push_shape_memo

BOTH = jaxtyping.jaxtyped
PACKAGES = ("data", "estimators", "evaluation", "figures", "inference", "models", "objectives", "training")


def install() -> None:
    """From now on, what is imported of the packages is checked."""
    jaxtyping.jaxtyped = jaxtyped
    install_import_hook([f"latentspace.{package}" for package in PACKAGES], "beartype.beartype")


def jaxtyped(*, typechecker: object) -> Callable[[Any], Any]:
    return checked


def checked(function: Any) -> Any:
    """`function`, which raises where arguments or result are not as annotated; of a class, its `__init__`."""
    if inspect.isclass(function):
        if is_dataclass(function):
            function.__init__ = checked(function.__init__)  # type: ignore[misc]
        return function
    if isinstance(function, classmethod | staticmethod):
        return type(function)(checked(function.__func__))
    if not inspect.isfunction(function):
        return function
    known = {
        name: _destring_annotation(one, function.__globals__)  # Any, where it is of a name not there yet
        for name, one in inspect.get_annotations(function).items()
    }
    function.__annotations__ = known
    if not any(map(_has_arrays, known.values())):
        return beartype(function)
    if inspect.isgeneratorfunction(function):  # beartype checks it when it is iterated, and sizes are gone
        return BOTH(function, typechecker=beartype)
    by_type = beartype(function)

    @wraps(function)
    def with_shapes(*args: Any, **kwargs: Any) -> Any:
        push_shape_memo({})
        try:
            return by_type(*args, **kwargs)
        finally:
            pop_shape_memo()

    return with_shapes


def _has_arrays(annotation: Any) -> bool:
    if inspect.isclass(annotation) and issubclass(annotation, AbstractArray):
        return True
    return any(map(_has_arrays, get_args(annotation)))
