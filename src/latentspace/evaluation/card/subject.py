"""What a card is made of: a run, samples of its parts, and the features that its codes must beat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, Literal, TypeAlias

import numpy as np
from sklearn.decomposition import PCA

from ...core.devices import AUTO
from ...core.progress import told
from ...core.randomness import numpy_generator
from ...core.types import ImageArray, Int64Array, Pixels
from ...data.imageset import ImageSet
from ...data.sampling import affordable, stratified_sample
from ...inference.computing import Computed, here
from ...inference.conform import conforming
from ...inference.encoding import computed_codes
from ...inference.pca import EXACT, fit_pca
from ...inference.trained import TrainedAutoencoder, TrainedClassifier, load_trained
from ...runs.directory import Run
from ..codes import flat
from .probe import Features, Probe

EVALUATED: Final = 2_000  # images, at most, where nobody says
LEARNED: Final = 2  # times as many training images
PIXELS: Final = 512  # principal components that stand for the pixels of large images

EvaluatedPart: TypeAlias = Literal["validation", "test", "other"]


@dataclass(frozen=True, eq=False)
class Subject:
    """A run under examination, and seeded samples of what it learned from and of what is evaluated.

    Args:
        images: the run's own.
        part: the part of these that is evaluated; `other`: other images are.
        most: images that are evaluated, at most; twice as many training images are learned from. Fewer large
            ones.
        seed: of the samples; runs with one split and one seed are evaluated on the same images.
        other: the other images, with labels in the run's own numbers or without.
        computed: what computes codes.
    """

    run: Run
    images: ImageSet
    part: EvaluatedPart
    most: int = EVALUATED
    seed: int = 0
    device: str = AUTO
    other: ImageSet | None = None
    computed: Computed = here

    def _some(self, images: ImageSet, part: Int64Array, most: int) -> Int64Array:
        draw = numpy_generator(self.seed, "sample")
        return stratified_sample(part, affordable(most, images.shape), images.labels, draw)

    @property
    def evaluated_set(self) -> ImageSet:
        """The set that the evaluated images are of."""
        return self.images if self.other is None else self.other

    @cached_property
    def evaluated(self) -> Int64Array:
        """The images that are evaluated, by their places in that set; none that the run learned from."""
        if self.part != "other":
            return self._some(self.images, self.run.split.part(self.part), self.most)
        unseen = np.flatnonzero(~np.isin(self.evaluated_set.image_hashes, self.run.learned_from))
        return self._some(self.evaluated_set, unseen, self.most)

    @cached_property
    def learned(self) -> Int64Array:
        """Training images that probes, neighbours and PCA are fitted to."""
        return self._some(self.images, self.run.split.train, LEARNED * self.most)

    @cached_property
    def network(self) -> TrainedAutoencoder | TrainedClassifier:
        return load_trained(self.run, self.device)

    @property
    def encoder(self) -> TrainedAutoencoder:
        return self.network.encoder

    @property
    def decodes(self) -> bool:
        """Whether the run itself decodes codes: a classifier does not."""
        return isinstance(self.network, TrainedAutoencoder)

    @property
    def labelled(self) -> bool:
        """Whether there are labels, of at least two classes among the images that are learned from."""
        labels = self.images.labels
        if self.evaluated_set.labels is None:
            return False
        return labels is not None and len(np.unique(labels[self.learned])) > 1

    @property
    def learned_labels(self) -> Int64Array:
        return _labels(self.images, self.learned)

    @property
    def evaluated_labels(self) -> Int64Array:
        return _labels(self.evaluated_set, self.evaluated)

    @cached_property
    def untrained(self) -> TrainedAutoencoder:
        """The encoder's network as it was before its training; its codes are not refined."""
        known = self.encoder
        model = known.experiment.build(known.data.shape)
        model.refine = 0
        return TrainedAutoencoder(model, known.experiment, known.data, known.device)

    @cached_property
    def pca(self) -> PCA:
        """PCA with as many numbers as a code has, fitted to training images."""
        return fit_pca(flat(self.images.pixels[self.learned]), self.encoder.code_size)

    @cached_property
    def _pixels(self) -> PCA | None:
        """What stands for the pixels of large images; None: they stand for themselves."""
        few = int(np.prod(self.images.shape)) <= EXACT
        return None if few else fit_pca(flat(self.images.pixels[self.learned]), PIXELS)

    @property
    def features(self) -> Mapping[str, Callable[[Pixels | ImageArray], Features]]:
        """By name, what turns images into the numbers that are compared."""
        return {
            "run": partial(self._codes, self.encoder),
            "pca": lambda images: self.pca.transform(flat(images)).astype(np.float32),
            "pixels": lambda images: (
                flat(images)
                if self._pixels is None
                else self._pixels.transform(flat(images)).astype(np.float32)
            ),
            "random": partial(self._codes, self.untrained),
        }

    def _codes(self, network: TrainedAutoencoder, images: Pixels | ImageArray) -> Features:
        pixels = conforming(images, network.data)
        return computed_codes(network, pixels, np.arange(len(pixels)), self.computed, errors=False)[0]

    @cached_property
    def learned_features(self) -> dict[str, Features]:
        pixels = self.images.pixels[self.learned]
        return {name: make(pixels) for name, make in self.features.items()}

    @cached_property
    def evaluated_features(self) -> dict[str, Features]:
        pixels = self.evaluated_set.pixels[self.evaluated]
        return {name: make(pixels) for name, make in self.features.items()}

    @cached_property
    def probes(self) -> dict[str, Probe]:
        """Linear probes of the features of the training images."""
        labels = self.learned_labels
        features = list(self.learned_features.items())
        return {name: Probe(one, labels) for name, one in told(features, "linear probes fitted")}

    @cached_property
    def shown(self) -> ImageArray:
        """The images that are evaluated, in [0, 1]."""
        shown: ImageArray = self.evaluated_set.pixels[self.evaluated] / np.float32(255)
        return shown

    @property
    def how(self) -> tuple[str, ...]:
        """How the features were made, in sentences."""
        if self._pixels is None:
            return ()
        count = self._pixels.n_components_
        return (f"Raw pixels of these large images stand as their first {count} principal components.",)


def _labels(images: ImageSet, rows: Int64Array) -> Int64Array:
    assert images.labels is not None
    labels: Int64Array = images.labels[rows]
    return labels
