"""What was measured of a run, kept in its results/ so that it is measured once."""

import inspect
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeVar
from weakref import WeakKeyDictionary

from ..core.errors import OutputError, RunError
from ..core.record import Record
from ..runs.directory import Run

logger = logging.getLogger(__name__)

KEY = "measured"  # where a file says how its record came about
_UNKEPT: Final[WeakKeyDictionary[Run, dict[str, Any]]] = WeakKeyDictionary()  # of runs that cannot be written

Measured = TypeVar("Measured", bound="Measurement")


class Measurement(Record):
    """`VERSION` goes up with every change of the code after which a run would have another record."""

    VERSION: ClassVar[int] = 1

    @classmethod
    def from_json(cls: type[Measured], values: Mapping[str, Any]) -> Measured:
        return super().from_json({name: one for name, one in values.items() if name != KEY})


def kept(run: Run, name: str, kind: type[Measured], measure: Callable[..., Measured]) -> Measured:
    """`results/NAME.json` of the run, where `measure` would find the same again; else measured, and written.

    It would, where the file has the version of `kind` and the arguments that `measure` is called with: its
    parameters, each with its default (so `functools.partial` sets another). The run itself does not change
    once it has ended. Delete the file to measure anew, times for example.
    """
    arguments = {name: one.default for name, one in inspect.signature(measure).parameters.items()}
    found = saved(run, name)
    if found is not None:
        if found.get(KEY) == _key(kind, arguments):
            try:
                return kind.from_json(found)
            except ValueError as error:
                logger.warning("results/%s.json of %s is damaged (%s)", name, run.path.name, error)
        else:
            logger.info(
                "results/%s.json of %s is measured again: other settings, or another version",
                name,
                run.path.name,
            )
    logger.info("measuring %s of %s", name, run.path.name)
    measured = measure(**arguments)
    keep(run, name, measured, arguments)
    return measured


def saved(run: Run, name: str) -> dict[str, Any] | None:
    """results/NAME.json as it is, or would be could it be written; None: nothing, or, said, it is damaged."""
    if name in _UNKEPT.get(run, {}):
        found: dict[str, Any] = _UNKEPT[run][name]
        return found
    try:
        return run.result(name)
    except RunError as error:
        logger.warning("results/%s.json of %s is damaged (%s)", name, run.path.name, error.found)
        return None


def keep(run: Run, name: str, record: Measurement, arguments: Mapping[str, Any]) -> None:
    """Write results/NAME.json of the run, with what the record is a function of beside the run.

    Where that cannot be written, as on a volume for reading alone, it is said once: the record is there.

    Raises:
        RunError: a number of it is infinite or none.
    """
    content = {**record.to_json(), KEY: _key(type(record), arguments)}
    try:
        run.save_result(name, content)
    except ValueError as error:  # of JSON, which has no such numbers
        raise RunError(
            "what is measured of a run must be finite numbers",
            found=f"{name} of {run.path.name}: {error}",
            do="train it again: its weights are damaged, or its training diverged (a lower learning rate)",
        ) from error
    except OutputError as error:
        if run not in _UNKEPT:
            _UNKEPT[run] = {}
            logger.warning(
                "what was measured cannot be kept in %s (%s): later commands measure it again",
                run.path,
                error.found,
            )
        _UNKEPT[run][name] = json.loads(json.dumps(content))


def _key(kind: type[Measurement], arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": kind.VERSION, "arguments": json.loads(json.dumps(arguments))}
