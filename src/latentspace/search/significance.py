"""Is the best trial at the boundary of what was searched, and is it significantly better than others?"""

import math
import warnings
from collections import Counter
from dataclasses import dataclass

from scipy.stats import ttest_ind

from ..core.wording import counted
from ..experiment.search_space import Choices, Setting
from .positions import End, boundary, described, in_words, labels
from .results import Replicated, StudyRecord, Trial

TOP = 10  # of the best trials it is said how many are at the same boundary

LEVEL = 0.95  # of all intervals of one record together

_END: dict[End, str] = {"highest": "upper", "lowest": "lower"}


@dataclass(frozen=True)
class AtBoundary:
    """A setting of the best trial at an end of what was searched.

    Args:
        end: which end.
        shared: how many of the `of` best trials are at the same end.
    """

    setting: str
    value: Setting
    end: End
    sentence: str
    shared: int
    of: int


def at_boundary(record: StudyRecord) -> tuple[AtBoundary, ...]:
    """The best trial's settings that are at the boundary of their range, in the order of the space.

    Unordered choices have no boundary, and a setting that had one value only was not searched.
    """
    if record.best is None:
        return ()
    names = labels(record.searched)
    found = []
    for setting, searched in record.searched.items():
        value = record.best.params.get(setting)
        end = None if value is None else boundary(searched, value)
        if value is not None and end is not None:
            top = [trial for trial in record.ranked()[:TOP] if setting in trial.params]
            shared = sum(boundary(searched, trial.params[setting]) == end for trial in top)
            what = "its choices" if isinstance(searched, Choices) else "its range"
            beyond = "above" if end == "highest" else "below"
            sentence = (
                f"{names[setting]} = {in_words(value)} is at the {_END[end]} end of {what}, "
                f"{described(searched)}: a better one may lie {beyond}."
            )
            if len(top) > 1:
                sentence += f" {shared} of the {len(top)} best trials are there."
            found.append(AtBoundary(setting, value, end, sentence, shared, len(top)))
    return tuple(found)


def front_at_boundary(record: StudyRecord) -> tuple[str, ...]:
    """For several objectives: at which ends of the space the trials of the front gather, half or more."""
    names, said = labels(record.searched), []
    for setting, searched in record.searched.items():
        ends = [
            boundary(searched, trial.params[setting]) for trial in record.front if setting in trial.params
        ]
        for end, count in Counter(end for end in ends if end is not None).items():
            if len(ends) > 1 and 2 * count >= len(ends):
                said.append(
                    f"{names[setting]}: {count} of the {len(ends)} trials on the front take the {end} "
                    f"of {described(searched)}."
                )
    return tuple(said)


@dataclass(frozen=True)
class Comparison:
    """The best trial and another, both trained again from several seeds.

    Args:
        lead: the best trial's in the search, in the score's unit; not negative.
        difference: the same of the means over seeds; negative where the other one is better.
        margin: half the 95 % interval of `difference` (Welch; corrected for the number of others), NaN where
            the seeds are too few to say.
        sentence: what may be concluded, and what may not.
    """

    best: int
    other: int
    lead: float
    difference: float
    margin: float
    sentence: str

    @property
    def reversed(self) -> bool:
        """The other one is significantly better."""
        return self.difference < -self.margin


def runner_up(record: StudyRecord) -> Trial | None:
    """The second best of the search."""
    ranked = record.ranked() if record.single else ()
    return ranked[1] if len(ranked) > 1 else None


def comparisons(record: StudyRecord) -> tuple[Comparison, ...]:
    """The best trial against the second best, and against the best in the mean if that is another.

    The latter is chosen by the very scores that it is compared by, among all others that were trained again.
    So each interval is as wide as if all of them were compared (Bonferroni): 1 - 0.05 / others. Then the
    chance that any of them misses its true difference is 5 % at most.

    None unless the best trial and another were trained again.
    """
    if record.best is None:
        return ()
    again = {one.number: one for one in record.replicated if one.scores}
    others = [trial.number for trial in record.ranked() if trial.number in again and trial is not record.best]
    if record.best.number not in again or not others:
        return ()
    sign = 1 if record.directions[0] == "minimize" else -1
    first = min(others, key=lambda number: sign * again[number].mean)
    return tuple(
        _compare(record, again[record.best.number], again[number], len(others))
        for number in dict.fromkeys((others[0], first))
    )


def _compare(record: StudyRecord, one: Replicated, other: Replicated, count: int) -> Comparison:
    sign = 1 if record.directions[0] == "minimize" else -1
    lead = sign * (record.trial(other.number).values[0] - record.trial(one.number).values[0])
    difference, margin = sign * (other.mean - one.mean), _margin(one, other, count)
    sentence = _sentence(lead, difference, margin, one, other, count)
    return Comparison(one.number, other.number, lead, difference, margin, sentence)


def _margin(one: Replicated, other: Replicated, count: int) -> float:
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
    interval = test.confidence_interval(1 - (1 - LEVEL) / count)
    return float(interval.high - interval.low) / 2


def _sentence(
    lead: float, difference: float, margin: float, one: Replicated, other: Replicated, count: int
) -> str:
    counts = [len(each.scores) for each in (one, other)]
    seeds = (
        f"{counted(counts[0], 'seed')} each"
        if counts[0] == counts[1]
        else f"{counts[0]} and {counted(counts[1], 'seed')}"
    )
    facts = (
        f"In the search trial {one.number} led trial {other.number} by {lead:.3g}. Trained again "
        f"from {seeds}, "
        + (f"it leads by {difference:.3g}" if difference >= 0 else f"it falls behind by {-difference:.3g}")
        + " in the mean"
    )
    if math.isnan(margin):
        return f"{facts}. With fewer than two seeds each it cannot be said whether that is significant."
    if margin == 0:
        return f"{facts}, and the seeds made no difference at all: were they truly different?"
    several = f" for {count} comparisons together" if count > 1 else ""
    facts += (
        f", and a difference of up to {margin:.2g} can come from the seeds alone ({LEVEL:.0%}{several}). "
    )
    if abs(difference) <= margin:
        return facts + "So the difference is not significant: the lead may be chance alone."
    if difference < 0:
        return facts + f"So the lead was chance: trial {other.number} is significantly better."
    gone = 1 - difference / lead if lead > 0 else 0.0
    if gone >= 0.01:
        return facts + f"So the lead is significant, though {gone:.0%} of it was chance."
    return facts + "So the lead is significant."
