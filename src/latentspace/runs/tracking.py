"""tracking.json of a run: where else the course of its training is logged."""

from collections.abc import Mapping

from ..core.atomic_files import write_json
from .directory import Run
from .records import damage, parsed

FILE = "tracking.json"


def kept_notes(run: Run, tracker: str) -> dict[str, str] | None:
    """What a tracker needs to find the run's log again; None: it has none.

    Raises:
        RunError: the file is damaged.
    """
    return _read(run).get(tracker)


def trackers_of(run: Run) -> list[str]:
    """The trackers that the run is logged by. Raises: RunError: the file is damaged."""
    return list(_read(run))


def keep_notes(run: Run, tracker: str, notes: Mapping[str, str]) -> None:
    """Write what trackers know of the run into it: raises OutputError."""
    write_json(run.path / FILE, {**_read(run), tracker: dict(notes)})


def _read(run: Run) -> dict[str, dict[str, str]]:
    path = run.path / FILE
    if not path.exists():
        return {}
    with damage(path):
        return {
            str(name): {str(key): str(one) for key, one in notes.items()}
            for name, notes in parsed(path.read_bytes()).items()
        }
