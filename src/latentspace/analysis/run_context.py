"""A finished run with its images at hand, evaluated on its test part."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..core.devices import AUTO, named_device
from ..core.errors import ConfigurationError
from ..core.randomness import numpy_generator
from ..core.types import Int64Array
from ..data.config import DataConfig
from ..data.imageset import ImageSet
from ..data.sampling import affordable, stratified_sample
from ..evaluation.agreement import Agreement, agreement_with_test
from ..evaluation.evaluate import Evaluation, evaluated_on_test
from ..inference.run_images import own_or_other
from ..inference.trained import TrainedAutoencoder, refuse_unfinished
from ..runs.directory import Run


@dataclass(frozen=True)
class RunContext:
    """A finished run, its images and its metrics. Make one with `RunContext.open`.

    Args:
        device: what computes, as `--device` names it.
    """

    run: Run
    images: ImageSet
    result: Evaluation
    device: str = AUTO

    @classmethod
    def open(cls, run: Run, data: DataConfig | None = None, device: str = AUTO) -> "RunContext":
        """Open the test part, and evaluate the run on it, unless that was done.

        Args:
            data: where the run's own images are now; None: where they were.

        Raises:
            RunError: the run has not ended, or its data are gone.
            ConfigurationError: other images than the run's own.
            DeviceError: this machine has no such device.
        """
        named_device(device)  # what can be refused is refused before images are read
        refuse_unfinished(run)
        images, own = own_or_other(run, data)
        if not own:
            raise ConfigurationError(
                "a report shows a run on its own test images",
                found="other images (their content hash is not the run's)",
                do="evaluate other images with latentspace evaluate",
            )
        return cls.of(run, images, device)

    @classmethod
    def of(cls, run: Run, images: ImageSet, device: str = AUTO) -> "RunContext":
        """`open`, of the run's own images where they are loaded already."""
        return cls(run, images, evaluated_on_test(run, images, device), device)

    @property
    def seed(self) -> int:
        return self.run.experiment.seed

    @cached_property
    def trained(self) -> TrainedAutoencoder:
        return TrainedAutoencoder.load(self.run, self.device)

    def affordable(self, most: int) -> int:
        """How many of the images are worked on at once: `most`, or fewer large ones."""
        return affordable(most, self.images.shape)

    @property
    def agreement(self) -> Agreement | None:
        """Of the validation and the test part; None where the validation part was learned from."""
        return agreement_with_test(self.run, self.images, self.device)

    def sample(self, part: Int64Array, most: int) -> Int64Array:
        """At most so many of a part's indices, for a measurement: each class in proportion."""
        return stratified_sample(
            part, self.affordable(most), self.images.labels, numpy_generator(self.seed, "sample")
        )

    def some_test_images(self, count: int) -> Int64Array:
        """Indices of test images at random, the same ones for runs of one seed and one split."""
        test = self.run.split.test
        draw = numpy_generator(self.seed, "figure")
        return draw.choice(test, size=min(count, len(test)), replace=False)

    def pairs(self, count: int) -> Int64Array:
        """Indices of `count` pairs of test images in a row, each of two classes where there are labels."""
        test, labels = self.run.split.test, self.images.labels
        draw = numpy_generator(self.seed, "figure", 1)
        found: list[int] = []
        for _ in range(count):
            first = int(draw.choice(test))
            others = test if labels is None else test[labels[test] != labels[first]]
            found += [first, int(draw.choice(others if len(others) else test))]
        return np.array(found, dtype=np.int64)
