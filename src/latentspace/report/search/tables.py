"""The tables of a search's page, and the file of all its trials."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...core.csv_text import csv_text
from ...experiment.search_space import Setting
from ...search.positions import boundary, described, in_words, labels
from ...search.results import State, StudyRecord, Trial
from ...search.significance import front_at_boundary
from ..beside import Beside
from ..page import Table

TOP = 10  # trials in the table of the best
_REASONS = 12  # rows in the table of failures
_NUMBERED = 8  # trials that such a row names

_STATES: dict[State, str] = {
    "complete": "complete",
    "pruned": "pruned",
    "failed": "failed, with a reason",
    "lost": "lost with their worker; run again, not counted",
    "running": "running now",
    "waiting": "waiting to be run",
}


def best_table(record: StudyRecord, best: Trial, beside: Beside | None = None) -> Table:
    """Every searched setting of the best trial: its value, its range, and the end of it that it is at.

    Args:
        beside: a published study whose settings have a column; None: the defaults have one, if they were a
            trial and are not the best.
    """
    names = labels(record.searched)
    others: Mapping[str, Setting] = {}
    if beside is not None:
        others = {name: one for name, one in _dotted(beside.plan(record.kind)) if name in record.searched}
    elif record.published not in (None, best.number):
        others = record.trial(record.published).params
    head = "the defaults" if beside is None else f"{beside.name}'s best"
    columns = ["", "best", "searched", "at the boundary", *([head] if others else [])]
    rows = []
    for setting, searched in record.searched.items():
        value = best.params.get(setting)
        end = None if value is None else boundary(searched, value)
        row = [names[setting], "–" if value is None else _precise(value), described(searched), end or "–"]
        if others:
            row.append("–" if setting not in others else _precise(others[setting]))
        rows.append(tuple(row))
    return Table(f"Best parameters: trial {best.number}", tuple(columns), tuple(rows))


def _dotted(plan: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings of a plan's tables by their dotted names."""
    for table, settings in plan.items():
        if isinstance(settings, Mapping):
            yield from ((f"{table}.{name}", value) for name, value in settings.items())


def _precise(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def counts_table(record: StudyRecord) -> Table:
    """What became of the trials, what was run, and what pruning saved."""
    rows = [
        (f"trials {words}", f"{len(record.of_state(state)):,}")
        for state, words in _STATES.items()
        if record.of_state(state) or state in ("complete", "pruned", "failed")
    ]
    unusable = len(record.of_state("complete")) - len(record.usable)
    if unusable:
        rows.append(("complete trials whose value is not finite, left out", f"{unusable:,}"))
    spent = sum((trial.seconds or 0.0 for trial in record.trials), start=0.0)
    rows += [
        ("epochs asked of a trial", f"{record.epochs:,}"),
        ("epochs run in all", f"{record.epochs_run:,}"),
        ("time of the trials that have ended, together", duration(spent)),
    ]
    if not record.single:
        return Table("What was run", ("", "here"), tuple(rows))
    rows += [
        ("epochs saved by pruning", f"{record.epochs_saved:,}"),
        ("share of the epochs that pruning saved", f"{record.share_saved:.1%}"),
        ("time saved by pruning, about", duration(record.seconds_saved)),
    ]
    note = (
        "Saved are the epochs that the pruned trials would still have run; the share is of what complete and "
        "pruned trials were asked to run. The time saved is each pruned trial's own time an epoch, times the "
        "epochs that it was spared."
    )
    return Table("What was run", ("", "here"), tuple(rows), note=note)


def duration(seconds: float) -> str:
    """Two units are enough: "1 h 5 min", "3 min 20 s", "4.2 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def replicated_table(record: StudyRecord) -> Table:
    """The trials that were trained again: their score in the search, and over seeds."""
    rows = []
    for one in record.replicated:
        searched = next((trial.values for trial in record.usable if trial.number == one.number), ())
        mean = f"{one.mean:.5g}" if one.scores else "–"
        rows.append(
            (
                f"trial {one.number}",
                f"{searched[0]:.5g}" if searched else "–",
                mean + (f" ± {one.std:.2g}" if len(one.scores) > 1 else ""),
                f"{len(one.scores)}",
                f"{one.failed}",
            )
        )
    columns = ("", "in the search", "mean ± deviation", "seeds", "failed")
    note = "The deviation is the standard deviation over seeds (n - 1)."
    return Table("Trained again from several seeds", columns, tuple(rows), note=note)


def trials_table(record: StudyRecord, trials: Iterable[Trial], title: str) -> Table:
    """A row a trial: its values, its epochs, and every searched setting."""
    names = labels(record.searched)
    columns = ("trial", *record.objectives, "epochs", *names.values())
    rows = tuple(
        (
            str(trial.number),
            *(f"{value:.5g}" for value in trial.values),
            str(trial.epochs),
            *(in_words(trial.params[one]) if one in trial.params else "–" for one in names),
        )
        for trial in trials
    )
    return Table(title, columns, rows, note="All trials, with all that is known of them, are in trials.csv.")


def failures_table(record: StudyRecord) -> Table | None:
    """The reasons for which trials failed or were lost, the most frequent first; None where none did."""
    by_reason: dict[tuple[str, str], list[int]] = {}
    for trial in record.of_state("failed", "lost"):
        reason = trial.notes.reason or "no reason was written down"
        by_reason.setdefault((trial.state, reason), []).append(trial.number)
    if not by_reason:
        return None
    order = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    rows = [
        (reason, "run again" if state == "lost" else "failed", f"{len(numbers):,}", _listed(numbers))
        for (state, reason), numbers in order[:_REASONS]
    ]
    left = len(order) - len(rows)
    note = f"{left} rarer reasons are in trials.csv." if left else ""
    return Table("Why trials failed", ("reason", "outcome", "trials", "which"), tuple(rows), note=note)


def _listed(numbers: list[int]) -> str:
    more = len(numbers) - _NUMBERED
    return ", ".join(map(str, numbers[:_NUMBERED])) + (f" and {more:,} more" if more > 0 else "")


def front_table(record: StudyRecord) -> Table:
    table = trials_table(record, record.front, "The front")
    said = " ".join(front_at_boundary(record))
    return Table(table.title, table.columns, table.rows, note=f"{said} {table.note}".strip())


_NOTES = ("weights", "images_per_second", "seed", "threads", "worker", "retry_of", "reason")


def trials_csv(record: StudyRecord) -> str:
    """Every trial, a line each; numbers in full, nothing where nothing is known.

    The columns: number, state, an objective each, the last report, epochs, seconds, when it began (in the
    clock of its machine), a searched setting each by its dotted name, and the worker's notes.
    """
    head = ("number", "state", *record.objectives, "last_reported", "epochs", "seconds", "began")
    rows: list[tuple[Any, ...]] = [(*head, *record.searched, *_NOTES)]
    for trial in record.trials:
        rows.append(
            (
                trial.number,
                trial.state,
                *(trial.values or [""] * len(record.objectives)),
                "" if trial.last is None else trial.last,
                trial.epochs,
                "" if trial.seconds is None else f"{trial.seconds:.3f}",
                "" if trial.began is None else trial.began.isoformat(timespec="seconds"),
                *(trial.params.get(setting, "") for setting in record.searched),
                *("" if (value := getattr(trial.notes, name)) is None else value for name in _NOTES),
            )
        )
    return csv_text(rows)
