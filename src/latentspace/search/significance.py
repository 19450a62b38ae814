"""What a careful reader asks of a winner: does it stand at the end of a range, and is its lead luck?"""

import math
import warnings
from collections import Counter
from dataclasses import dataclass

from scipy.stats import ttest_ind

from ..experiment.search_space import Choices, Setting
from .positions import End, described, edge, in_words, labels
from .results import Confirmed, StudyRecord, TrialRecord

TOP = 10  # the best trials that are asked whether they share the winner's edge

LEVEL = 0.95  # of all intervals of one record together

_END: dict[End, str] = {"highest": "upper", "lowest": "lower"}


@dataclass(frozen=True)
class Edge:
    """A setting of the winner at an end of what was searched.

    Args:
        end: which end.
        shared: how many of the `of` best trials stand at the same end.
    """

    setting: str
    value: Setting
    end: End
    sentence: str
    shared: int
    of: int


def edges(record: StudyRecord) -> tuple[Edge, ...]:
    """The winner's settings that lie on the edge of their range, in the order of the space.

    Unordered choices have no edge, and a setting that had one value only was not searched.
    """
    if record.best is None:
        return ()
    names = labels(record.searched)
    found = []
    for setting, searched in record.searched.items():
        value = record.best.params.get(setting)
        end = None if value is None else edge(searched, value)
        if value is not None and end is not None:
            top = [trial for trial in record.ranked()[:TOP] if setting in trial.params]
            shared = sum(edge(searched, trial.params[setting]) == end for trial in top)
            what = "its choices" if isinstance(searched, Choices) else "its range"
            beyond = "above" if end == "highest" else "below"
            sentence = (
                f"{names[setting]} = {in_words(value)} is at the {_END[end]} end of {what}, "
                f"{described(searched)}: a better one may lie {beyond}."
            )
            if len(top) > 1:
                sentence += f" {shared} of the {len(top)} best trials stand there."
            found.append(Edge(setting, value, end, sentence, shared, len(top)))
    return tuple(found)


def front_edges(record: StudyRecord) -> tuple[str, ...]:
    """For several objectives: at which ends of the space the trials of the front gather, half or more."""
    names, said = labels(record.searched), []
    for setting, searched in record.searched.items():
        ends = [edge(searched, trial.params[setting]) for trial in record.front if setting in trial.params]
        for end, count in Counter(end for end in ends if end is not None).items():
            if len(ends) > 1 and 2 * count >= len(ends):
                said.append(
                    f"{names[setting]}: {count} of the {len(ends)} trials on the front take the {end} "
                    f"of {described(searched)}."
                )
    return tuple(said)


@dataclass(frozen=True)
class Luck:
    """How the winner's lead over a rival fared when both were trained again.

    Args:
        lead: the winner's in the search, in the score's unit; not negative.
        kept: the same of the means over seeds; negative where the rival is the better one.
        margin: half the interval of `kept` (Welch's, corrected for the number of rivals), NaN where the
            seeds are too few to say.
        sentence: what may be concluded, and what may not.
    """

    winner: int
    rival: int
    lead: float
    kept: float
    margin: float
    sentence: str

    @property
    def overturned(self) -> bool:
        """The rival is the better one, by more than the seeds explain."""
        return self.kept < -self.margin


def runner_up(record: StudyRecord) -> TrialRecord | None:
    """The second best of the search."""
    ranked = record.ranked() if record.single else ()
    return ranked[1] if len(ranked) > 1 else None


def verdicts(record: StudyRecord) -> tuple[Luck, ...]:
    """The winner against the best rival of the search, and against the best in the mean if that is another.

    The second is chosen by the very scores that it is compared by, among all rivals that were trained again.
    So each interval is as wide as if all of them were compared (Bonferroni): 1 - 0.05 / rivals. Then the
    chance that any of them misses its true difference is 5 % at most.

    None unless the winner and a rival were trained again.
    """
    if record.best is None:
        return ()
    again = {one.number: one for one in record.confirmed if one.scores}
    rivals = [trial.number for trial in record.ranked() if trial.number in again and trial is not record.best]
    if record.best.number not in again or not rivals:
        return ()
    sign = 1 if record.directions[0] == "minimize" else -1
    first = min(rivals, key=lambda number: sign * again[number].mean)
    return tuple(
        _luck(record, again[record.best.number], again[number], len(rivals))
        for number in dict.fromkeys((rivals[0], first))
    )


def _luck(record: StudyRecord, one: Confirmed, other: Confirmed, comparisons: int) -> Luck:
    sign = 1 if record.directions[0] == "minimize" else -1
    lead = sign * (record.trial(other.number).values[0] - record.trial(one.number).values[0])
    kept, margin = sign * (other.mean - one.mean), _margin(one, other, comparisons)
    return Luck(
        one.number, other.number, lead, kept, margin, _sentence(lead, kept, margin, one, other, comparisons)
    )


def _margin(one: Confirmed, other: Confirmed, comparisons: int) -> float:
    """Half of Welch's interval of a difference of means, one of so many that hold together at 95 %.

    B. L. Welch, "The generalization of Student's problem when several different population variances are
    involved", Biometrika 34, 1947; O. J. Dunn, "Multiple Comparisons Among Means", JASA 56, 1961.
    """
    if math.isnan(one.std + other.std):
        return math.nan
    if one.std == other.std == 0:
        return 0.0
    with warnings.catch_warnings():  # the scores of one trial may be all the same: accuracies often are
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        test = ttest_ind(one.scores, other.scores, equal_var=False)
    interval = test.confidence_interval(1 - (1 - LEVEL) / comparisons)
    return float(interval.high - interval.low) / 2


def _sentence(
    lead: float, kept: float, margin: float, one: Confirmed, other: Confirmed, comparisons: int
) -> str:
    counts = [len(each.scores) for each in (one, other)]
    seeds = f"{counts[0]} seeds each" if counts[0] == counts[1] else f"{counts[0]} and {counts[1]} seeds"
    facts = (
        f"In the search trial {one.number} led trial {other.number} by {lead:.3g}. Trained again "
        f"from {seeds}, "
        + (f"it leads by {kept:.3g}" if kept >= 0 else f"it falls behind by {-kept:.3g}")
        + " in the mean"
    )
    if math.isnan(margin):
        return f"{facts}. With fewer than two seeds each there is no saying what of that is luck."
    if margin == 0:
        return f"{facts}, and the seeds made no difference at all: were they truly different?"
    several = f" for {comparisons} comparisons together" if comparisons > 1 else ""
    facts += (
        f", and a difference of up to {margin:.2g} can come from the seeds alone ({LEVEL:.0%}{several}). "
    )
    if abs(kept) <= margin:
        return facts + "So these seeds cannot tell the two apart: the lead may all be luck."
    if kept < 0:
        return facts + f"So the lead was luck: trial {other.number} is the better one."
    gone = 1 - kept / lead if lead > 0 else 0.0
    if gone >= 0.01:
        return facts + f"So the lead is real, though {gone:.0%} of it was luck."
    return facts + "So the lead is real."
