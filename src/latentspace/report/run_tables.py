"""The tables of a run: its parameters and its results beside the report's, and what may be compared."""

from collections.abc import Mapping
from typing import Any

from ..configuration import Config
from ..encoding import encoder_of
from ..evaluation.classes import worst_pairs
from ..exhibits import AutoencoderExhibits, ClassifierExhibits, Grown, Subject, VariationalExhibits
from ..experiment import Experiment, Kind
from ..models.autoencoder import AutoencoderConfig, VariationalConfig
from ..models.classifier import ClassifierConfig
from ..runs import Run
from ..wording import counted
from .page import Table

REPORTED_IMAGES, REPORTED_TEST = 18_724, 3_745
FLOOR = 1.4612  # log(e + 9) - 1: the smallest loss through a Softmax over ten classes, in nats

# The report's tables of parameters, row by row, and where each setting is in config.json.
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

# Where the report's winners lie in the ranges that it searched (sections 2.1, 3.1 and 4.1).
EDGES: Mapping[Kind, str] = {
    "ae": (
        "The report's winner lies on the edge of its ranges in four places: code size 10 of 2 to 10, and 128 "
        "of 32, 64 and 128 for conv2, conv3 and the neurons. A wider search might have gone further."
    ),
    "dae": (
        "The report's winner lies on the edge of its ranges in three places: code size 10 of 2 to 10, and "
        "128 of 32, 64 and 128 for conv3 and the neurons."
    ),
    "classifier": (
        "No setting of the report's winner lies on the edge of its range, though the 17 neurons of the "
        "third layer are next to the smallest allowed, 16."
    ),
    "vae": "The report did not search for these; it fixed them.",
}


def parameters_table(run: Run) -> Table:
    """The report's table of parameters, with ours beside."""
    plan = run.experiment
    here, there = plan.model_dump(), Experiment.parse({"kind": plan.kind}, "the report's plan").model_dump()
    paths = (*PARAMETERS[type(plan.model)], ("epochs", "training.epochs"))
    rows = [(name, _setting(here, path), _setting(there, path)) for name, path in paths]
    decay = f"{plan.training.weight_decay:g}"
    rows.append(("weight decay (ours; the report names none)", decay, "–"))
    return Table(
        f"Parameters of the {plan.purpose.name}", ("", "here", "the report"), tuple(rows), EDGES[plan.kind]
    )


def _setting(plan: Mapping[str, Any], path: str) -> str:
    table, _, name = path.partition(".")
    value = plan[table][name]
    if isinstance(value, float):
        return f"{value:.6g}"
    return {"adam": "Adam", "rmsprop": "RMSprop"}.get(value, str(value))


def obstacles(run: Run) -> tuple[str, ...]:
    """Why a figure of this run cannot stand beside the report's; none if only split and protocol differ."""
    if not run.data.comparable:
        return ("the images are not known to be the report's",)
    plan, report = run.experiment, Experiment.parse({"kind": run.experiment.kind}, "the report's plan")
    found = []
    if run.data.images != REPORTED_IMAGES:
        found.append(f"{counted(run.data.images)}, not {REPORTED_IMAGES:,}")
    if len(run.metrics) != report.training.epochs:
        found.append(f"{counted(len(run.metrics), 'epoch')}, not {report.training.epochs}")
    if plan.model != report.model:
        found.append("a network of another size")
    if plan.encoder is not None:
        beneath = obstacles(encoder_of(plan, run.encoder_hash, beside=run.path))
        found += [f"its encoder: {reason}" for reason in beneath if reason not in found]
    return tuple(found)


def verdict(run: Run, *more: str) -> str:
    """Whether a figure may be compared with the report's, in a cell of a table."""
    found = (*obstacles(run), *more)
    return f"no: {', '.join(found)}" if found else "nearly: another split, and no look at the test images"


def autoencoder_results(shown: AutoencoderExhibits) -> Table:
    """Of an ae or a dae."""
    run, metrics = shown.subject.run, shown.subject.result.metrics
    published = run.experiment.purpose.published["mse"]
    rows = [("test error from clean images", f"{metrics['mse']:.4f}", f"{published}")]
    if "mse_from_noisy" in metrics:
        rows.append(("test error from noisy images", f"{metrics['mse_from_noisy']:.4f}", "–"))
    rows.append((f"PCA with {counted(shown.code_size, 'component')}", f"{shown.pca:.4f}", "–"))
    return _results(shown.subject, rows, "Mean squared errors a pixel.")


def classifier_results(shown: ClassifierExhibits) -> Table:
    metrics = shown.subject.result.metrics
    rows = [
        ("test accuracy", f"{metrics['accuracy']:.4f}", "0.8958"),
        ("cross-entropy of the logits, nats", f"{metrics['cross_entropy']:.4f}", "–"),
        (f"through the Softmax (at least {FLOOR}), nats", f"{metrics['report_cross_entropy']:.4f}", "1.5658"),
        ("accuracy of always naming one class", f"{shown.baselines.chance:.4f}", "–"),
    ]
    return _results(
        shown.subject, rows, "The last loss is the report's own: cross-entropy of what a Softmax puts out."
    )


def variational_results(shown: VariationalExhibits) -> Table:
    subject = shown.plain.subject
    metrics = subject.result.metrics
    rows = [
        ("loss with the mean code decoded", f"{metrics['mean_code_loss']:.2f}", "183.59"),
        ("negative ELBO, one sampled code", f"{metrics['elbo_loss']:.2f}", "–"),
        ("its cross-entropy", f"{metrics['bce']:.2f}", "–"),
        ("its divergence from the prior", f"{metrics['kl']:.2f}", "–"),
        (
            f"importance-weighted bound, {metrics['iwae_samples']} codes",
            f"{metrics['iwae_loss']:.2f}",
            "–",
        ),
        ("cross-entropy of a perfect copy", f"{shown.bce_of_copy:.2f}", "–"),
        ("cross-entropy of the mean image", f"{shown.bce_of_mean:.2f}", "–"),
        (f"dimensions in use, of {len(shown.kl)}", f"{metrics['active_units']}", "–"),
    ]
    note = (
        "In nats an image; lower is better. A copy costs more than 0 because grey pixels are not sure to be "
        "white or black. A dimension is in use where the variance of its mean over the test images is above "
        "0.01."
    )
    return _results(subject, rows, note)


def _results(subject: Subject, rows: list[tuple[str, str, str]], note: str) -> Table:
    run, result = subject.run, subject.result
    rows = [
        *rows,
        ("test images", f"{result.images:,}", f"{REPORTED_TEST:,}"),
        ("of them copies of training images", f"{result.seen_in_training:,}", "–"),
    ]
    answer = verdict(run)
    comparable = f"May the two columns be compared? {answer[0].upper()}{answer[1:]}."
    title = f"Results of the {run.experiment.purpose.name}"
    return Table(title, ("", "here", "the report"), tuple(rows), f"{note} {comparable}")


def kl_table(shown: VariationalExhibits) -> Table:
    rows = tuple((f"dimension {number}", f"{value:.3f}") for number, value in enumerate(shown.kl))
    return Table("Divergence from the prior", ("", "nats"), rows, "Means over the test images.")


def baselines_table(shown: ClassifierExhibits) -> Table:
    record, accuracy = shown.baselines, shown.subject.result.metrics["accuracy"]
    rows = [("this run", f"{accuracy:.4f}")]
    rows += [(f"same network on {name}", f"{value:.4f}") for name, value in record.heads.items()]
    rows += [
        (f"{record.k[name]} nearest neighbours on {name}", f"{value:.4f}")
        for name, value in record.neighbours.items()
    ]
    rows.append(("always the commonest class", f"{record.chance:.4f}"))
    note = (
        f"Shares of {record.judged:,} test images, learned from {record.fewer[-1].labels:,} images. The same "
        "network is trained anew with the run's settings on each input, as it lies (not standardised); the "
        "number of neighbours is chosen on validation images, among the training images alone."
    )
    return Table("What the codes are worth", ("", "accuracy"), tuple(rows), note)


def pairs_table(shown: ClassifierExhibits) -> Table | None:
    """The pairs of classes that are most often mixed up; None where no answer is wrong."""
    pairs = worst_pairs(shown.confusion)
    if not pairs:
        return None
    rows = tuple((one.labelled, one.taken_for, f"{one.images:,}", f"{one.share:.1%}") for one in pairs)
    columns = ("labelled", "taken for", "images", "share of its label")
    return Table("What is most often taken for something else", columns, rows)


def times_table(shown: ClassifierExhibits) -> Table:
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


def growth_table(grown: tuple[Grown, ...]) -> Table:
    rows = tuple(
        (
            f"{counted(one.code_size, 'number')}",
            f"{one.mse:.4f}",
            f"{one.likeness.decoded:.1f}",
            str(one.epochs),
        )
        for one in grown
    )
    note = (
        "Test error: mean squared error a pixel. Distance: Frechet distance between "
        f"{grown[0].likeness.count:,} random decodes and the test images, in the first "
        f"{grown[0].likeness.components} principal components of the pixels; training images are at "
        f"{grown[0].likeness.training:.1f}."
    )
    columns = ("code", "test error", "distance of random decodes", "epochs")
    return Table("As the code grows", columns, rows, note)
