"""The tables of a run: its parameters and its results, with a column for what was published, if any was."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...analysis import Analysis, ClassifierAnalysis
from ...core.wording import counted, decimals
from ...evaluation.confusion import worst_pairs
from ...evaluation.frechet import FrechetRecord
from ...evaluation.metrics import BEFORE, BY_CODE_SIZE, METRICS, Value, label, title_and_unit
from ...runs.directory import Run
from ..beside import Beside
from ..page import Table
from .pictures import SHORT
from .terms import measured_in

NOTHING = "–"

TRAINING = ("batch_size", "learning_rate", "optimizer")


def parameters_table(run: Run, beside: Beside | None) -> Table:
    """What was set; beside a published study under its names, with its settings."""
    plan = run.experiment
    here, there = plan.model_dump(), {} if beside is None else beside.plan(plan.kind)
    paths = (*(beside.parameters(plan.kind) if beside else _own(run)), ("epochs", "training.epochs"))
    rows = [(name, _setting(here, path), _setting(there, path)) for name, path in paths]
    rows.append(("weight decay", f"{plan.training.weight_decay:g}", NOTHING))
    note = "" if beside is None else beside.note(plan.kind)
    return compared(f"Parameters of the {plan.task.title}", rows, beside, note)


def _own(run: Run) -> Iterator[tuple[str, str]]:
    """The settings of the network and of the objective, and those of the training that matter most."""
    plan = run.experiment
    tables = {"model": type(plan.model).model_fields, "objective": type(plan.objective).model_fields}
    for table, fields in {**tables, "training": TRAINING}.items():
        yield from ((name.replace("_", " "), f"{table}.{name}") for name in fields if name != "name")


def compared(
    title: str, rows: Sequence[tuple[str, str, str]], beside: Beside | None, note: str = ""
) -> Table:
    """Rows of a name, what is here, and what was published; the last column only where something was."""
    if beside is None:
        return Table(title, ("", "value"), tuple(row[:2] for row in rows), note)
    return Table(title, ("", "here", beside.name), tuple(rows), note)


def _setting(plan: Mapping[str, Any], path: str) -> str:
    table, _, name = path.partition(".")
    if name not in plan.get(table, {}):
        return NOTHING
    value = plan[table][name]
    if isinstance(value, float):
        return f"{value:.6g}"
    return {"adam": "Adam", "rmsprop": "RMSprop"}.get(value, str(value))


def results_table(shown: Analysis, beside: Beside | None) -> Table:
    """Every metric of the test images that is one number, and what simpler means reach."""
    run, result = shown.context.run, shown.context.result
    kind = run.experiment.kind
    minor = set(measured_in(run)) - set(run.experiment.objective.curves or measured_in(run))
    rows = []
    for name, value in result.metrics.items():
        published = None if beside is None else beside.result(kind, name)
        shown_as = name.removesuffix(BEFORE)
        if not isinstance(value, list) and (shown_as not in minor or published is not None):
            rows.append((label(name), _number(name, value), published or NOTHING))
    rows += [(name, value, NOTHING) for name, value in _references(shown)]
    rows += [
        ("test images", f"{result.images:,}", (beside and beside.data("test images")) or NOTHING),
        ("of them copies of training images", f"{result.seen_in_training:,}", NOTHING),
    ]
    if result.near_copies_of_training is not None:
        rows.append(
            ("of them near copies of training images", f"{result.near_copies_of_training:,}", NOTHING)
        )
    if result.score_without_copies is not None:
        score = run.experiment.task.score
        rows.append((f"{label(score)}, without copies", _number(score, result.score_without_copies), NOTHING))
    note = ""
    if beside is not None:
        answer = beside.verdict(run)
        note = f"May the two columns be compared? {answer[0].upper()}{answer[1:]}."
    return compared(f"Results of the {run.experiment.task.title}", rows, beside, note)


def _likeness(found: FrechetRecord) -> Iterator[tuple[str, str]]:
    """How far decoded random codes lie from the test images, as Frechet distances between their pixels."""
    to = "Frechet distance to the test images"
    yield f"{to} of decoded random codes", f"{found.decoded:.2f}"
    if found.mixture is not None:
        yield f"{to} of codes from a mixture of Gaussians", f"{found.mixture:.2f}"
    yield f"{to} of training images", f"{found.training:.2f}"


def _references(shown: Analysis) -> Iterator[tuple[str, str]]:
    """What the results are read against: the values of other methods, in the same units."""
    metrics = shown.context.result.metrics
    if shown.autoencoder is not None and "mse" in metrics:
        beside = shown.autoencoder.beside
        components = counted(min(beside.code_size, beside.learned), "component")
        yield f"mean squared error of PCA with {components}", decimals(beside.pca)
    if shown.autoencoder is not None:
        yield from _likeness(shown.autoencoder.likeness)
    if shown.variational is not None and shown.variational.bce_of_copy is not None:
        yield (
            "cross-entropy of a perfect copy (grey pixels keep it above 0)",
            (f"{shown.variational.bce_of_copy:.2f}"),
        )
        yield "cross-entropy of the mean image", f"{shown.variational.bce_of_mean:.2f}"
    if shown.classifier is not None:
        yield (
            "accuracy of always answering the most frequent class",
            f"{shown.classifier.baselines.chance:.4f}",
        )


def _number(name: str, value: Value) -> str:
    name = name.removesuffix(BEFORE)
    assert not isinstance(value, list)
    return decimals(value, METRICS[name].digits if name in METRICS else 4)


def dimensions_tables(shown: Analysis) -> Iterator[Table]:
    """A table for each metric that has a value for each dimension of the code."""
    for name, values in shown.context.result.metrics.items():
        if isinstance(values, list) and name not in BY_CODE_SIZE:
            rows = tuple((f"dimension {number}", _number(name, value)) for number, value in enumerate(values))
            title, unit = title_and_unit(name)
            note = "Means over the test images."
            yield Table(f"{title[:1].upper()}{title[1:]}", ("", unit or "value"), rows, note)


def baselines_table(shown: ClassifierAnalysis) -> Table:
    """The accuracy of the codes, beside that of other inputs and of nearest neighbours."""
    record = shown.baselines
    rows = [("this run", f"{shown.accuracy:.4f}")]
    rows += [(f"same network on {name}", f"{value:.4f}") for name, value in record.heads.items()]
    rows += [
        (f"{counted(record.k[name], 'nearest neighbour')} on {name}", f"{value:.4f}")
        for name, value in record.neighbours.items()
    ]
    rows.append(("always the most frequent class", f"{record.chance:.4f}"))
    note = (
        f"Shares of {counted(record.evaluated, 'test image')}, learned from "
        f"{counted(record.fewer[-1].labels)}. The same network is trained anew with the run's settings "
        "on each input, as it is (not standardised); the number of neighbours is chosen on validation "
        "images, among the training images alone."
    )
    return Table("What the codes are worth", ("", "accuracy"), tuple(rows), note)


def mistakes_table(shown: ClassifierAnalysis) -> Table | None:
    """What the pictures of the surest mistakes are, by number; None where that stands over each of them."""
    names = shown.confusion.class_names
    if max(map(len, names)) <= SHORT or not len(shown.mistakes.places):
        return None
    rows = tuple(
        (f"{number}", one.labelled, one.taken_for, f"{one.probability:.0%}")
        for number, one in enumerate(shown.mistakes.named(names), start=1)
    )
    return Table("The surest mistakes", ("", "label", "predicted", "probability"), rows)


def pairs_table(shown: ClassifierAnalysis) -> Table | None:
    """The pairs of classes that are most often mixed up; None where no answer is wrong."""
    pairs = worst_pairs(shown.confusion)
    if not pairs:
        return None
    rows = tuple((one.labelled, one.taken_for, f"{one.images:,}", f"{one.share:.1%}") for one in pairs)
    columns = ("label", "predicted", "images", "share of its label")
    return Table("The most frequent mistakes", columns, rows)


def times_table(shown: ClassifierAnalysis) -> Table | None:
    """How long the classifier trains on codes, and behind the frozen encoder; None: not measured."""
    times = shown.times
    if times is None:
        return None
    rows = (
        ("making the codes once, seconds", f"{times.encoding:.2f}"),
        ("an epoch on codes, seconds", f"{times.codes_epoch:.2f}"),
        ("an epoch behind the frozen encoder, seconds", f"{times.frozen_epoch:.2f}"),
        (
            f"{counted(times.timed, 'epoch')}, as measured: times faster on codes",
            f"{times.measured_ratio:.1f}",
        ),
        (f"{counted(times.epochs, 'epoch')}, added up from these: times faster", f"{times.whole_ratio:.1f}"),
    )
    note = (
        f"{counted(times.images)}; one way after the other, on {times.where}. Both learn the same, up to "
        "rounding."
    )
    return Table("The time of the two ways to classify", ("", "here"), rows, note)
