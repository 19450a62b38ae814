"""The encoder that a classifier learns from: a finished run, with its data and its split."""

from dataclasses import dataclass
from pathlib import Path

from ..core.errors import RunError
from ..core.wording import option
from ..data.config import DataConfig
from ..data.imageset import ImageSet
from ..data.splits import AUTO, Split
from ..experiment.config import Experiment
from ..experiment.training import SplitConfig
from ..inference.trained import TrainedAutoencoder, encoder_of
from ..models.autoencoder import Autoencoder
from ..runs.directory import Run
from .components import require_classes


@dataclass(frozen=True)
class PretrainedEncoder:
    """The finished run of a classifier's encoder: the network, the data and the split."""

    run: Run
    autoencoder: Autoencoder
    weights_hash: str

    def settle(self, experiment: Experiment) -> Experiment:
        """The encoder's path made absolute; its split and, where none was named, its data.

        Raises:
            RunError: another split is asked for, be it the default by name, or the encoder's data, which are
                not named, are to be read in another way.
        """
        own = self.run.experiment
        asked = experiment.split.model_fields_set if "split" in experiment.model_fields_set else ()
        there = own.split.model_dump()
        if AUTO in (experiment.split.shares, own.split.shares):
            there["shares"] = AUTO if experiment.split.shares == AUTO else self.run.split.shares
        if any(getattr(experiment.split, name) != there[name] for name in asked):
            raise RunError(
                "a classifier has the split of its encoder, so that no test image has trained either",
                found=f"{_words(experiment.split)}, where the encoder has "
                f"{self.run.split.shares} with seed {own.split.seed}",
                do=f"leave {option('split')} out, or train the encoder on the other split",
            )
        data = self._data(experiment.data)
        changes = {"encoder": str(self.run.path.resolve()), "data": data, "split": own.split}
        return experiment.model_copy(update=changes)

    def _data(self, asked: DataConfig) -> DataConfig:
        """What was asked for; where it names no data, the encoder's, as they were read then."""
        own = self.run.experiment.data
        if asked.spec != "auto":
            return asked
        usual = DataConfig()
        names = [name for name in DataConfig.model_fields if name not in ("spec", "resident")]
        other = [one for one in names if getattr(asked, one) not in (getattr(usual, one), getattr(own, one))]
        if other:
            raise RunError(
                "a classifier learns from the images of its encoder, read as they were then",
                found=", ".join(f"data.{one} = {getattr(asked, one)}" for one in other)
                + ", and no data are named",
                do=f"leave that out; or name the encoder's own images with {option('data')}, and how to read "
                "them",
            )
        resident = own.resident if asked.resident == usual.resident else asked.resident
        return own.model_copy(update={"resident": resident})

    def require(self, images: ImageSet) -> Split:
        """The encoder's split: no image that it learned from is in the classifier's test part.

        Raises:
            RunError: other images than the encoder's.
        """
        if images.content_hash != self.run.data.content_hash:
            raise RunError(
                "a classifier learns from the images of its encoder, so that their split is the same",
                found=f"{images.source}, whose content hash is not that of {self.run.path}",
                do=f"leave {option('data')} out, or name the encoder's data where they are now",
            )
        return self.run.split


def _words(split: SplitConfig) -> str:
    return f"{split.shares} with seed {split.seed}"


def pretrained_encoder_of(
    experiment: Experiment, weights_hash: str | None = None, beside: Path | None = None
) -> PretrainedEncoder | None:
    """The encoder whose codes are learned from; None for tasks that learn from images.

    Raises:
        RunError: no encoder is named, its run has not ended, or it is not the one it was.
        DataError: its images have no labels, or are of one class.
    """
    if not experiment.task.needs_encoder:
        return None
    run = encoder_of(experiment, weights_hash, beside)
    require_classes(run.data)
    run.refuse_damaged_split()
    return PretrainedEncoder(run, TrainedAutoencoder.load(run, "cpu").model, run.weights_hash)
