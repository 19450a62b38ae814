"""The figures of a search's page, each with what stands under it."""

from ...core.wording import counted
from ...figures import (
    draw_front,
    draw_history,
    draw_importances,
    draw_parallel,
    draw_reported,
    draw_slices,
    importance_bars,
    parallel_coordinates,
    png,
    reported_values,
    search_front,
    search_history,
    search_slices,
)
from ...search.results import StudyRecord
from ..page import Picture

ROUGH = 30  # complete trials: below, importances are a rough guess


def history_picture(record: StudyRecord) -> Picture:
    history = search_history(record)
    text = "Every trial by its number."
    if len(history.pruned.numbers):
        text += " A pruned trial is drawn at its last value, which is of an earlier epoch."
    if history.beyond:
        text += f" Off the axis, drawn on its edge: {counted(history.beyond, 'value')}."
    alt = "the value of each trial, and the best so far"
    return Picture(None, "Trial by trial", text, png(draw_history(history)), alt)


def reported_picture(record: StudyRecord) -> Picture | None:
    """None where no trial reported a value, as in a search for several objectives."""
    if not any(trial.reports for trial in (*record.usable, *record.of_state("pruned"))):
        return None
    text = "The score after every epoch. A pruned trial ends in a cross; the dark line is the best one's."
    alt = "falling curves, many of them cut off early"
    if record.directions[0] == "maximize":
        alt = "rising curves, many of them cut off early"
    return Picture(None, "Epoch by epoch", text, png(draw_reported(reported_values(record))), alt)


def importances_picture(record: StudyRecord) -> Picture | None:
    """None where too little is known; `why_no_importances` says what is missing."""
    if not any(one.shares for one in record.importances):
        return None
    bars = importance_bars(record)
    least = min(panel.trials for panel in bars)
    text = (
        f"How much of the score's variance each setting explains alone or with others, by fANOVA over "
        f"{least:,} complete trials."
    )
    if record.of_state("pruned"):
        text += (
            " The pruned ones are not in it, so a setting whose bad values were all pruned looks less "
            "important than it is."
        )
    if least < ROUGH:
        text += f" With fewer than {ROUGH} trials this is a rough guess."
    alt = "bars, one a setting, the most important first"
    return Picture(None, "Which settings matter", text, png(draw_importances(bars)), alt)


def why_no_importances(record: StudyRecord) -> tuple[str, ...]:
    return tuple(
        f"No importances for {one.objective}: {one.why_not}." for one in record.importances if not one.shares
    )


def slices_picture(record: StudyRecord) -> Picture:
    slices = search_slices(record)
    text = (
        f"{slices.trials:,} complete trials, in each panel by another setting, over the whole range that was "
        "searched. Where the best marks crowd at an end, the range was too narrow."
    )
    if slices.left_out:
        text += f" Not drawn: {', '.join(slices.left_out)}."
    alt = "the score against each setting"
    return Picture(None, "The score by setting", text, png(draw_slices(slices)), alt)


def parallel_picture(record: StudyRecord) -> Picture:
    parallel = parallel_coordinates(record)
    text = "Each line is a complete trial: from axis to axis through its settings, down to its score."
    if len(parallel.lines) < parallel.trials:
        text += (
            f" {len(parallel.lines):,} of {parallel.trials:,} are drawn, evenly from the best to the worst."
        )
    alt = "lines through the values of every setting; the better ones darker"
    return Picture(None, "All settings at once", text, png(draw_parallel(parallel)), alt)


def front_picture(record: StudyRecord) -> Picture | None:
    """None unless there are two objectives."""
    if len(record.objectives) != 2:
        return None
    front = search_front(record)
    text = (
        "Every complete trial by its two objectives. The marked ones are the front: no other trial is better "
        "in one objective without being worse in the other. The numbers are the trials'."
    )
    alt = "a scatter of trials, and the staircase of the best"
    return Picture(None, "What each buys of the other", text, png(draw_front(front)), alt)
