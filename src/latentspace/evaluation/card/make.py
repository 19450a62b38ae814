"""The card of a run, with what each evaluated image was found to have; kept in the run.

Each section is kept as soon as it is made, so a card that was broken off goes on there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final

import numpy as np

from ...core.devices import AUTO
from ...core.errors import ConfigurationError, DataError
from ...core.progress import tell
from ...core.wording import brief, counted, option
from ...data.config import DataConfig
from ...data.imageset import ImageSet
from ...data.memmap import require_unchanged
from ...inference.computing import Computed, here
from ...inference.run_images import own_or_other
from ...models.remembered import refined_once
from ...runs.directory import Run
from ..cache import Measurement, kept
from .classification import classification
from .codes import codes
from .reconstruction import reconstruction
from .robustness import robustness
from .samples import samples
from .subject import EVALUATED, EvaluatedPart, Subject
from .tally import Tally
from .values import Card, Section

DRAWS: Final = 1_000
FEWEST: Final = 10  # images of each part
MOST: Final = 20_000  # images that can be evaluated
DIGITS: Final = 6  # that are kept of what a single image has

SECTIONS: Final[Mapping[str, Callable[[Subject, Tally], Section]]] = {
    "reconstruction": reconstruction,
    "codes": codes,
    "classification": classification,
    "samples": samples,
    "robustness": robustness,
}


class CardRecord(Measurement):
    """A card, and the measures of single images that another run's are compared with.

    Args:
        places: of the evaluated images, in the set.
        images: their hashes.
        values: by measure, of each of them; None where it was left out.
    """

    VERSION: ClassVar[int] = 5

    card: Card
    places: tuple[int, ...]
    images: tuple[str, ...]
    values: dict[str, tuple[float | None, ...]]


class SectionRecord(Measurement):
    """A section of a card, and the measures of single images that it brought."""

    VERSION: ClassVar[int] = CardRecord.VERSION

    section: Section
    values: dict[str, tuple[float | None, ...]]


@refined_once()
def card_record(
    run: Run,
    images: ImageSet,
    part: str = "test",
    most: int = EVALUATED,
    seed: int = 0,
    device: str = AUTO,
    other: ImageSet | None = None,
    computed: Computed = here,
) -> CardRecord:
    """The card of a run; `results/card-PART.json` where it was made before with the same arguments.

    Args:
        images: the run's own.
        part: of these, that is evaluated where there are no other images.
        other: that are evaluated, as `evaluated_images` gives them.
        most: images that are evaluated, at most; twice as many training images are learned from.
        seed: of the samples and of the bootstrap.
        computed: what computes codes.

    Raises:
        RunError: the run has not ended.
        ConfigurationError: as `refuse_card`.
        DataError: too few images, or codes that are not finite.
    """
    evaluated = refuse_card(part, most) if other is None else "other"
    if evaluated == "validation" and run.experiment.training.fit != "train":
        raise ConfigurationError(
            "a card evaluates images that were not learned from",
            found=f"validation images, which {run.path} learned from",
            do=f"leave {option('split')} out: it evaluates the test part",
        )

    def measure(most: int = most, seed: int = seed, draws: int = DRAWS) -> CardRecord:
        return _measured(Subject(run, images, evaluated, most, seed, device, other, computed), draws)

    record = kept(run, _name(evaluated, other), CardRecord, measure)
    return record.model_copy(update={"card": record.card.model_copy(update={"run": str(run.path)})})


def evaluated_images(run: Run, data: DataConfig | None) -> tuple[ImageSet, ImageSet | None]:
    """The run's own images, and others that `data` names, with labels in the run's numbers; None: no others.

    Raises:
        RunError: the run's own are gone or have changed; what a card is fitted to is among them.
        DataError: images of other channels than the run's, or labels that are none of its classes.
    """
    images, own = own_or_other(run, data)
    if own:
        return images, None
    mine, classes = own_or_other(run, None)[0], run.data.class_names
    if images.labels is None or mine.labels is None:
        return mine, replace(images, labels=None, class_names=())
    used = np.unique(images.labels)
    unknown = [name for name in (images.class_names[one] for one in used) if name not in classes]
    if unknown:
        raise DataError(
            f"labels must be among the run's classes: {', '.join(map(brief, classes[:20]))}",
            found=", ".join(map(brief, unknown[:20])),
            do="name images with the run's classes, or without labels",
        )
    place = np.array([classes.index(name) if name in classes else -1 for name in images.class_names])
    return mine, replace(images, labels=place[images.labels].astype(np.int64), class_names=classes)


def _name(part: EvaluatedPart, other: ImageSet | None) -> str:
    """What a card is kept as."""
    return f"card-{part}" if other is None else f"card-{part}-{other.content_hash[:16]}"


def refuse_card(part: str, most: int) -> EvaluatedPart:
    """The part that is evaluated; refuses what no card is made of: raises ConfigurationError."""
    found: dict[str, EvaluatedPart] = {"validation": "validation", "test": "test"}
    if part not in found:
        raise ConfigurationError(
            f"a card evaluates images that were not learned from: {option('split')} is one of "
            f"{', '.join(found)}",
            found=brief(part),
            do=f"leave {option('split')} out: it evaluates the test part",
        )
    if not FEWEST <= most <= MOST:
        raise ConfigurationError(
            f"a card evaluates at least {FEWEST} and at most {MOST:,} images",
            found=option("most", most),
            do=f"write for example {option('most', EVALUATED)}",
        )
    return found[part]


def _measured(subject: Subject, draws: int) -> CardRecord:
    run, images = subject.run, subject.evaluated_set
    if min(len(subject.evaluated), len(subject.learned)) < FEWEST:
        raise DataError(
            f"a card takes at least {FEWEST} training images and as many that are evaluated",
            found=f"{len(subject.learned)} and {counted(len(subject.evaluated))} to evaluate",
            do="give more images, or another split",
        )
    if not all(
        np.isfinite(one["run"]).all() for one in (subject.learned_features, subject.evaluated_features)
    ):
        raise DataError(
            "codes must be finite to be evaluated",
            found=f"some of {run.path} that are not",
            do="look at the training's loss: the network has diverged",
        )
    parts = {}
    for number, name in enumerate(SECTIONS, start=1):
        parts[name] = _section(subject, draws, name)
        tell("sections of the card", number, len(SECTIONS))
    card = Card(
        run=str(run.path),
        kind=run.experiment.kind,
        weights=run.weights_hash,
        data=images.source,
        content_hash=images.content_hash,
        part=subject.part,
        evaluated=len(subject.evaluated),
        learned=len(subject.learned),
        code_size=subject.encoder.code_size,
        classes=images.class_names if subject.labelled else (),
        seed=subject.seed,
        draws=draws,
        sections={name: one.section for name, one in parts.items()},
    )
    hashes = tuple(f"{one:016x}" for one in images.image_hashes[subject.evaluated].tolist())
    values = {name: found for one in parts.values() for name, found in one.values.items()}
    places = tuple(subject.evaluated.tolist())
    return CardRecord(card=card, places=places, images=hashes, values=values)


def _section(subject: Subject, draws: int, name: str) -> SectionRecord:
    """A section of the card, from the run where it was kept."""

    def measure(most: int, seed: int, draws: int) -> SectionRecord:  # noqa: ARG001 - `subject` has `most`
        tally = Tally(len(subject.evaluated), draws, seed)
        section = SECTIONS[name](subject, tally)
        require_unchanged(subject.images.pixels)  # or it would be kept
        require_unchanged(subject.evaluated_set.pixels)
        return SectionRecord(section=section, values={key: _kept(one) for key, one in tally.values.items()})

    asked = partial(measure, most=subject.most, seed=subject.seed, draws=draws)
    return kept(subject.run, f"{_name(subject.part, subject.other)}-{name}", SectionRecord, asked)


def _kept(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(one) else float(f"{one:.{DIGITS}g}") for one in values.tolist())
