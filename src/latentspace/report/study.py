"""A run and what was found of it -> its part of the page: figures, tables, and what may be compared."""

from ..exhibits import Exhibits
from ..figures import (
    MSE,
    Caption,
    code_map,
    codes_caption,
    curves_caption,
    draw_codes,
    draw_curves,
    draw_grid,
    draw_rows,
    draw_samples,
    grid_caption,
    image_grid,
    image_rows,
    loss_curves,
    png,
    rows_caption,
    sample_images,
    samples_caption,
)
from ..runs import Run
from .page import Page, Picture, Section, Table

SHARED = "notMNIST (small)"


def autoencoder_section(run: Run, shown: Exhibits) -> Section:
    """Section 2 of the report: figures 2 to 5, the parameters and the result."""
    return Section(
        title="Autoencoder",
        text=(_what_was_done(run),),
        pictures=(_losses(run), _reconstructions(shown), _decodes(shown), _codes(shown)),
        tables=(results_table(run, shown), parameters_table(run)),
    )


def data_section(run: Run, shown: Exhibits) -> Section:
    """Section 1.1 of the report: figure 1, and what the images are."""
    samples = sample_images(shown.images, seed=run.experiment.seed)
    caption = samples_caption(
        samples, source=run.data.source, total=run.data.images, seed=run.experiment.seed
    )
    picture = _picture(caption, png(draw_samples(samples)), "a sheet of images, each with its label")
    data, split = run.data, run.split
    rows = [
        ("source", data.source),
        ("images", f"{data.images:,}"),
        ("size", f"{data.height}x{data.width}, {'grey' if data.channels == 1 else 'colour'}"),
        ("classes", " ".join(data.class_names) or "no labels"),
        ("exact copies of another image", f"{data.duplicate_images:,} in {data.duplicate_groups:,} sets"),
        ("unreadable files skipped", f"{len(data.cleaning.unreadable):,}"),
        ("split", split.note),
        ("images kept on one side, as copies or groups", f"{split.kept_together:,}"),
        ("content hash", data.content_hash[:16]),
    ]
    return Section(
        title="The data",
        text=("The report used 18,724 images of notMNIST (small), split 11,234, 3,745 and 3,745.",),
        pictures=(picture,),
        tables=(Table("What the images are", ("", "here"), tuple(rows)),),
    )


def run_page(run: Run, shown: Exhibits) -> Page:
    """The page of one run of its own."""
    return Page(
        title=f"{run.path.name}: {run.experiment.purpose.name}",
        lead=(
            f"Trained on {run.data.source}; on the {shown.result.images:,} test images, opened for this alone, "
            f"the mean squared error a pixel is {shown.result.metrics['mse']:.4f}."
        ),
        notices=notices(run),
        sections=(data_section(run, shown), autoencoder_section(run, shown)),
        footer=footer(run),
    )


def notices(run: Run) -> tuple[str, ...]:
    """What must be known before any number is read."""
    if run.data.comparable:
        return ()
    return (
        f"These images are {run.data.source}. They are not known to be the report's notMNIST, so no figure "
        "here can be compared with the report's.",
    )


def results_table(run: Run, shown: Exhibits) -> Table:
    """Ours beside the report's, with what stands between the two."""
    test = f"{shown.result.metrics['mse']:.4f}"
    rows = [
        ("test mean squared error a pixel", test, f"{run.experiment.purpose.published['mse']}"),
        (f"the same of PCA with {run.experiment.model.code_size} components", f"{shown.pca:.4f}", "–"),
        ("test images", f"{shown.result.images:,}", "3,745"),
        ("test images that training saw a copy of", f"{shown.result.seen_in_training:,}", "–"),
        ("epochs", f"{len(run.metrics)}", "50"),
    ]
    return Table(
        "Our figures beside the report's", ("", "here", "the report"), tuple(rows), note=_comparable(run)
    )


def _comparable(run: Run) -> str:
    if not run.data.comparable:
        return "Not comparable: the images are not known to be the report's."
    differences = [
        "the report's split is not published, and copies of one image could lie on both its sides",
        "it watched the test set while it trained",
    ]
    if run.data.source != SHARED:
        differences.append(f"these are other images ({run.data.source})")
    return "Comparable but for this: " + "; ".join(differences) + "."


def parameters_table(run: Run) -> Table:
    """The report's table of best parameters, with ours beside."""
    model, training = run.experiment.model, run.experiment.training
    rows = (
        ("encoded space dimension", str(model.code_size), "10"),
        ("batch size", str(training.batch_size), "266"),
        ("optimizer", {"adam": "Adam", "rmsprop": "RMSprop"}[training.optimizer], "Adam"),
        ("learning rate", f"{training.learning_rate:.6g}", "0.00336387"),
        ("conv1 channels", str(model.conv1_channels), "64"),
        ("conv2 channels", str(model.conv2_channels), "128"),
        ("conv3 channels", str(model.conv3_channels), "128"),
        ("fully connected neurons", str(model.neurons), "128"),
        ("weight decay", f"{training.weight_decay:g}", "–"),
    )
    note = (
        "The report's winner sits on the edge of its search range in four places: code size 10 of 2 to 10, "
        "and 128 of 32, 64 and 128 for conv2, conv3 and the neurons. A wider search might have gone further."
    )
    return Table("Parameters", ("", "here", "the report's best"), rows, note=note)


def footer(run: Run) -> tuple[str, ...]:
    where = run.environment
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items() if version)
    return (
        f"Seed {run.experiment.seed}, split seed {run.experiment.split.seed}, precision "
        f"{where['precision']}, {where['threads']} threads on {where['processor']} ({where['device']}).",
        f"Python {where['python']}, {versions}; revision {where['revision'] or 'not from a checkout'}.",
    )


def _what_was_done(run: Run) -> str:
    training = run.experiment.training
    learned = "the training split" if training.fit == "train" else "the training and validation splits"
    return (
        f"Three strided convolutions and two linear layers, and the same backwards, trained for "
        f"{len(run.metrics)} epochs on {learned} to give back each image from "
        f"{run.experiment.model.code_size} numbers."
    )


def _losses(run: Run) -> Picture:
    curves = loss_curves(run.metrics, (MSE,))
    caption = curves_caption(curves, number="2", model="the autoencoder")
    return _picture(caption, png(draw_curves(curves)), "the loss by epoch, falling")


def _reconstructions(shown: Exhibits) -> Picture:
    rows = image_rows(
        {"original": shown.originals, "reconstruction": shown.reconstructions},
        columns=len(shown.originals),
        errors=shown.errors,
        error_name="mean squared error a pixel",
    )
    caption = rows_caption(rows, number="3", model="the autoencoder", split="the test split")
    return _picture(caption, png(draw_rows(rows)), "originals, and under each its reconstruction")


def _decodes(shown: Exhibits) -> Picture:
    drawn_from = f"Codes drawn from {shown.drawn.distribution}."
    grid = image_grid(shown.decoded, columns=10, drawn_from=drawn_from)
    caption = grid_caption(grid, number="4", model="the autoencoder")
    return _picture(caption, png(draw_grid(grid)), "images decoded from random codes, blurry")


def _codes(shown: Exhibits) -> Picture:
    codes = code_map(
        shown.plane.points,
        explained=shown.plane.explained,
        labels=shown.images.labels,
        class_names=shown.images.class_names,
    )
    caption = codes_caption(codes, split="all images", dimensions=shown.code_size)
    return _picture(caption, png(draw_codes(codes)), "a scatter of the codes, coloured by class")


def _picture(caption: Caption, image: bytes, alt: str) -> Picture:
    return Picture(caption.number, caption.title, caption.text, image, alt)
