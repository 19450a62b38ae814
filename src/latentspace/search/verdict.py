"""What a careful reader asks of a winner: does it stand at the end of a range, and is its lead luck?"""

import math
from collections import Counter
from dataclasses import dataclass

from ..ranges import Choices, Setting
from .record import Confirmed, StudyRecord, TrialRecord
from .spans import End, described, edge, in_words, labels

TOP = 10  # the best trials that are asked whether they share the winner's edge

# Two-sided 95 % points of Student's t by degrees of freedom, 1 to 10: the usual table, for example
# NIST/SEMATECH e-Handbook of Statistical Methods, https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_MANY = 2.0  # beyond 10, rounded

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
        margin: half the 95 % interval of `kept` (Welch's), NaN where the seeds are too few to say.
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
        _luck(record, again[record.best.number], again[number])
        for number in dict.fromkeys((rivals[0], first))
    )


def _luck(record: StudyRecord, one: Confirmed, other: Confirmed) -> Luck:
    sign = 1 if record.directions[0] == "minimize" else -1
    lead = sign * (record.trial(other.number).values[0] - record.trial(one.number).values[0])
    kept, margin = sign * (other.mean - one.mean), _margin(one, other)
    return Luck(one.number, other.number, lead, kept, margin, _sentence(lead, kept, margin, one, other))


def _margin(one: Confirmed, other: Confirmed) -> float:
    """Half of Welch's 95 % interval of a difference of means: t * sqrt(s1^2 / n1 + s2^2 / n2).

    B. L. Welch, "The generalization of Student's problem when several different population variances are
    involved", Biometrika 34, 1947; the degrees of freedom are rounded down.
    """
    parts = [(each.spread**2 / max(1, len(each.scores)), len(each.scores)) for each in (one, other)]
    variance = sum(part for part, _ in parts)
    if math.isnan(variance):
        return math.nan
    if variance == 0:
        return 0.0
    freedom = int(variance**2 / sum(part**2 / (count - 1) for part, count in parts))
    return math.sqrt(variance) * (_STUDENT[max(1, freedom) - 1] if freedom <= len(_STUDENT) else _MANY)


def _sentence(lead: float, kept: float, margin: float, one: Confirmed, other: Confirmed) -> str:
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
    facts += f", and a difference of up to {margin:.2g} can come from the seeds alone (95 %). "
    if abs(kept) <= margin:
        return facts + "So these seeds cannot tell the two apart: the lead may all be luck."
    if kept < 0:
        return facts + f"So the lead was luck: trial {other.number} is the better one."
    gone = 1 - kept / lead if lead > 0 else 0.0
    if gone >= 0.01:
        return facts + f"So the lead is real, though {gone:.0%} of it was luck."
    return facts + "So the lead is real."
