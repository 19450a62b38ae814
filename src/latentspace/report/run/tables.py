"""The tables of a run: its parameters and its results, beside the report's where they belong there."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...analysis import AutoencoderAnalysis, ClassifierAnalysis, RunContext, VariationalAnalysis
from ...core.config import Config
from ...core.wording import counted
from ...evaluation.confusion import worst_pairs
from ...evaluation.metrics import METRICS, Metrics, Value
from ...models.autoencoder import AutoencoderConfig, VariationalConfig
from ...models.classifier import ClassifierConfig
from ...objectives.classification import ClassificationConfig
from ...runs.directory import Run
from ..page import Table
from ..published import COLUMN, EDGES, RESULTS, TEST, Beside
from .pictures import SHORT

NOTHING = "–"

TRAINING = (
    ("batch size", "training.batch_size"),
    ("learning rate", "training.learning_rate"),
    ("optimizer", "training.optimizer"),
)

# The rows of a table of parameters, and where each setting is in config.json.
PARAMETERS: Mapping[type[Config], tuple[tuple[str, str], ...]] = {
    AutoencoderConfig: (
        ("encoded space dimension", "model.code_size"),
        ("batch size", "training.batch_size"),
        ("optimizer", "training.optimizer"),
        ("learning rate", "training.learning_rate"),
        ("conv1 channels", "model.conv1_channels"),
        ("conv2 channels", "model.conv2_channels"),
        ("conv3 channels", "model.conv3_channels"),
        ("fully connected neurons", "model.neurons"),
    ),
    VariationalConfig: (
        ("encoded space dimension", "model.code_size"),
        ("batch size", "training.batch_size"),
        ("learning rate", "training.learning_rate"),
        ("conv1 channels", "model.conv1_channels"),
        ("conv2 channels", "model.conv2_channels"),
        ("optimizer", "training.optimizer"),
    ),
    ClassifierConfig: (
        ("batch size", "training.batch_size"),
        ("learning rate", "training.learning_rate"),
        ("linear layer 1 neurons", "model.linear1_neurons"),
        ("linear layer 2 neurons", "model.linear2_neurons"),
        ("linear layer 3 neurons", "model.linear3_neurons"),
        ("optimizer", "training.optimizer"),
    ),
}


def parameters_table(run: Run, report: Beside) -> Table:
    """What was set, with the report's settings beside where they belong."""
    plan = run.experiment
    here, there = plan.model_dump(), {} if report is None else report.plan(plan.kind)
    own = [
        (name.replace("_", " "), f"model.{name}") for name in type(plan.model).model_fields if name != "name"
    ]
    paths = (*PARAMETERS.get(type(plan.model), (*own, *TRAINING)), ("epochs", "training.epochs"))
    rows = [(name, _setting(here, path), _setting(there, path)) for name, path in paths]
    rows.append(("weight decay", f"{plan.training.weight_decay:g}", NOTHING))
    title = f"Parameters of the {plan.task.title}"
    return compared(title, rows, report, "" if report is None else EDGES.get(plan.kind, ""))


def compared(title: str, rows: Sequence[tuple[str, str, str]], report: Beside, note: str = "") -> Table:
    """Rows of a name, what is here, and what the report published; the last column only beside the report."""
    if report is None:
        return Table(title, ("", "value"), tuple(row[:2] for row in rows), note)
    return Table(title, ("", "here", COLUMN), tuple(rows), note)


def _setting(plan: Mapping[str, Any], path: str) -> str:
    table, _, name = path.partition(".")
    if table not in plan:
        return NOTHING
    value = plan[table][name]
    if isinstance(value, float):
        return f"{value:.6g}"
    return {"adam": "Adam", "rmsprop": "RMSprop"}.get(value, str(value))


def autoencoder_results(shown: AutoencoderAnalysis, report: Beside) -> Table:
    """Of an ae or a dae."""
    metrics, kind = shown.context.result.metrics, shown.context.run.experiment.kind
    rows = []
    if "mse" in metrics:
        published = RESULTS.get((kind, "mse"), NOTHING)
        rows.append(("test error from clean images", f"{metrics['mse']:.4f}", published))
    if "mse_from_noisy" in metrics:
        rows.append(("test error from noisy images", f"{metrics['mse_from_noisy']:.4f}", NOTHING))
    rows.append((f"PCA with {counted(shown.code_size, 'component')}", f"{shown.pca:.4f}", NOTHING))
    rows += _others(metrics, ("mse", "mse_from_noisy"))
    return _results(shown.context, rows, "Mean squared errors a pixel.", report)


def classifier_results(shown: ClassifierAnalysis, report: Beside) -> Table:
    metrics, plan = shown.context.result.metrics, shown.context.run.experiment.objective
    rows = [
        ("test accuracy", f"{metrics['accuracy']:.4f}", RESULTS["classifier", "accuracy"]),
        ("cross-entropy of the logits, nats", f"{metrics['cross_entropy']:.4f}", NOTHING),
    ]
    note = ""
    if report is not None or (isinstance(plan, ClassificationConfig) and plan.loss == "report"):
        least = softmax_floor(len(shown.context.run.data.class_names))
        name = f"through the Softmax (at least {least:.4f}), nats"
        value = f"{metrics['report_cross_entropy']:.4f}"
        rows.append((name, value, RESULTS["classifier", "report_cross_entropy"]))
        note = "Through the Softmax: the cross-entropy of what a Softmax puts out, taken for logits."
    rows.append(("accuracy of always naming the commonest class", f"{shown.baselines.chance:.4f}", NOTHING))
    return _results(shown.context, rows, note, report)


def softmax_floor(classes: int) -> float:
    """The smallest loss through a Softmax over so many classes, in nats: log(e + classes - 1) - 1."""
    return math.log(math.e + classes - 1) - 1


def variational_results(shown: VariationalAnalysis, report: Beside) -> Table:
    context = shown.plain.context
    metrics = context.result.metrics
    own = ("mean_code_loss", "elbo_loss", "bce", "kl", "iwae_loss")
    codes = f", {metrics['iwae_samples']} codes"
    rows = [
        (
            METRICS[name].title + (codes if name == "iwae_loss" else ""),
            _shown(name, metrics[name]),
            RESULTS.get((context.run.experiment.kind, name), NOTHING),
        )
        for name in own
        if name in metrics
    ]
    note = "In nats an image; lower is better. "
    if "bce" in metrics:
        rows += [
            ("cross-entropy of a perfect copy", f"{shown.bce_of_copy:.2f}", NOTHING),
            ("cross-entropy of the mean image", f"{shown.bce_of_mean:.2f}", NOTHING),
        ]
        note += "A copy costs more than 0 because grey pixels are not sure to be white or black. "
    rows += [
        (f"dimensions in use, of {shown.plain.code_size}", f"{metrics['active_units']}", NOTHING),
        *_others(metrics, (*own, "iwae_samples", "kl_per_dimension", "active_units")),
    ]
    note += "A dimension is in use where the variance of its mean over the test images is above 0.01."
    return _results(context, rows, note, report)


def _results(context: RunContext, rows: list[tuple[str, str, str]], note: str, report: Beside) -> Table:
    run, result = context.run, context.result
    rows = [
        *rows,
        ("test images", f"{result.images:,}", f"{TEST:,}"),
        ("of them copies of training images", f"{result.seen_in_training:,}", NOTHING),
    ]
    if report is not None:
        answer = report.verdict(run)
        note = f"{note} May the two columns be compared? {answer[0].upper()}{answer[1:]}.".strip()
    return compared(f"Results of the {run.experiment.task.title}", rows, report, note)


def _others(metrics: Metrics, known: Collection[str]) -> list[tuple[str, str, str]]:
    """A row for each metric that has no row of its own, by the title that its registry has."""
    return [
        (METRICS[name].title if name in METRICS else name.replace("_", " "), _shown(name, value), NOTHING)
        for name, value in metrics.items()
        if name not in known
    ]


def _shown(name: str, value: Value) -> str:
    digits = METRICS[name].digits if name in METRICS else 4
    return ", ".join(f"{one:.{digits}f}" for one in (value if isinstance(value, list) else [value]))


def kl_table(shown: VariationalAnalysis) -> Table | None:
    """None where the prior has no divergence of a single dimension."""
    if not shown.kl:
        return None
    rows = tuple((f"dimension {number}", f"{value:.3f}") for number, value in enumerate(shown.kl))
    return Table("Divergence from the prior", ("", "nats"), rows, "Means over the test images.")


def baselines_table(shown: ClassifierAnalysis) -> Table:
    record, accuracy = shown.baselines, shown.context.result.metrics["accuracy"]
    rows = [("this run", f"{accuracy:.4f}")]
    rows += [(f"same network on {name}", f"{value:.4f}") for name, value in record.heads.items()]
    rows += [
        (f"{counted(record.k[name], 'nearest neighbour')} on {name}", f"{value:.4f}")
        for name, value in record.neighbours.items()
    ]
    rows.append(("always the commonest class", f"{record.chance:.4f}"))
    note = (
        f"Shares of {record.judged:,} test images, learned from {record.fewer[-1].labels:,} images. The same "
        "network is trained anew with the run's settings on each input, as it lies (not standardised); the "
        "number of neighbours is chosen on validation images, among the training images alone."
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
    return Table("The surest mistakes", ("", "labelled", "taken for", "probability"), rows)


def pairs_table(shown: ClassifierAnalysis) -> Table | None:
    """The pairs of classes that are most often mixed up; None where no answer is wrong."""
    pairs = worst_pairs(shown.confusion)
    if not pairs:
        return None
    rows = tuple((one.labelled, one.taken_for, f"{one.images:,}", f"{one.share:.1%}") for one in pairs)
    columns = ("labelled", "taken for", "images", "share of its label")
    return Table("What is most often taken for something else", columns, rows)


def times_table(shown: ClassifierAnalysis) -> Table:
    times = shown.times
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
