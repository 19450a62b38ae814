"""run -> codes: a trained network, every pass batched, in float32 but for codes asked for in bfloat16."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import nn

from ..core.devices import AUTO, exact, named_device
from ..core.errors import DataError, RunError
from ..core.progress import told
from ..core.tensor_types import Codes, Resident
from ..core.types import CodeArray, ImageArray, Int64Array, Logits, Pixels, Probabilities
from ..core.wording import brief, counted, option
from ..data.batches import Batches, ResidentSet, at_once, passed_once, told_of
from ..data.given import Given, as_codes
from ..data.summary import DataRecord
from ..experiment.config import Experiment
from ..models.autoencoder import Autoencoder, EncoderDecoderConfig
from ..runs.by_weights import run_with_weights
from ..runs.directory import Run
from ..runs.tensors import fill
from .conform import chosen_rows, conforming, like_own, load_alike
from .precision import computed_in
from .run_methods import RunMethods

if TYPE_CHECKING:
    from ..data.imageset import ImageSet
    from .classes import Classes

BATCH = 1024


@torch.no_grad()
@exact()
def encode_all(
    model: Autoencoder,
    pixels: Pixels | Resident,
    device: torch.device,
    precision: Literal["32", "bf16"] = "32",
    chosen: Int64Array | None = None,
) -> Codes:
    """The posterior's mean of every image, float32, in one batched pass, on `device`.

    Args:
        pixels: on any device, or on disk: no more than a batch of them is copied.
        precision: of the products and convolutions.
        chosen: the rows that are encoded; None: all.
    """
    model.eval()
    rows = np.arange(len(pixels)) if chosen is None else chosen
    if isinstance(pixels, torch.Tensor):
        held: Batches = ResidentSet(pixels, None, torch.from_numpy(rows).to(pixels.device))
    else:
        held = passed_once(pixels, rows, torch.device("cpu"))
    batches = told_of(held, BATCH, "images encoded")
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        return torch.cat([model.codes(batch.inputs.to(device)).float() for batch in batches])


class TrainedAutoencoder(RunMethods):
    """The network of a finished ae, dae or vae run. Get one with `latentspace.load`."""

    def __init__(
        self,
        model: Autoencoder,
        experiment: Experiment,
        data: DataRecord,
        device: torch.device,
        run: Run | None = None,
    ) -> None:
        self.model = model.to(device).eval()
        self.run = run
        self.experiment = experiment
        self.data = data
        self.device = device

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.data.shape))
        numbers = counted(self.code_size, "number")
        return f"<TrainedAutoencoder: {self.experiment.kind}, {shape} to {numbers}, on {self.device}>"

    @classmethod
    def load(cls, run: str | Path | Run, device: str = AUTO) -> "TrainedAutoencoder":
        """Open a finished run, to compute on `device`: auto, cpu, cuda, cuda:1, mps.

        Raises:
            RunError: there is no run, it has not ended, a file of it is damaged, or it is a classifier's.
            DeviceError: this machine has no such device.
        """
        run = run if isinstance(run, Run) else Run.open(run)
        if run.experiment.task.needs_encoder:
            raise RunError(
                "this needs the run of an autoencoder: ae, dae or vae",
                found=f"{run.path}, a classifier's",
                do="name the run of its encoder, or another",
            )
        chosen = named_device(device)
        model = run.experiment.build(run.data.shape)
        fill(model, run.weights, run.path / "weights.safetensors")
        return cls(model, run.experiment, run.data, chosen, run)

    @property
    def encoder(self) -> "TrainedAutoencoder":
        return self

    @property
    def code_size(self) -> int:
        plan = self.experiment.model
        if not isinstance(plan, EncoderDecoderConfig):  # `load` lets none in
            raise TypeError(f"a {type(plan).__name__} has no codes of images")
        return plan.code_size

    def encode(
        self,
        images: Given,
        precision: str = "32",
        chosen: Given | None = None,
    ) -> CodeArray:
        """Images -> codes, images x code, float32: the posterior's mean.

        Args:
            images: an ImageSet; an array or tensor of bytes, or of floats in 0..1 (images x channels x
                height x width, or with the channels last; grey images may leave them out); pictures of
                Pillow's, or a list of any of these; or the path of what `load_data` reads.
            precision: of the computation. `bf16` is faster where the machine has it natively, and moves
                the codes by some thousandths of their size; `auto` takes it where that is so.
            chosen: the indices of the images that are encoded, in this order; None: all.

        Raises:
            DataError: images of another type, size or number of channels than the run's, or none of an index.
            ConfigurationError: another precision.
        """
        computed = computed_in(precision, self.device)
        if isinstance(images, str | Path):
            images = load_alike(like_own(self.experiment.data, self.data, str(images)), self.data)
        pixels = conforming(images, self.data, self.experiment.data.fit)
        rows = chosen_rows(chosen, len(pixels))
        if not len(rows):
            return np.zeros((0, self.code_size), dtype=np.float32)
        codes = encode_all(self.model, pixels, self.device, computed, rows)
        return codes.cpu().numpy()

    def decode(self, codes: Given) -> ImageArray:
        """Codes -> pixels in [0, 1], images x channels x height x width, float32.

        Raises:
            DataError: codes of another size than the run's.
        """
        return np.concatenate([images for _, images in self.decoded(codes)])

    def decoded(self, codes: Given) -> Iterator[tuple[int, ImageArray]]:
        """As `decode`, some images at a time, as all may not fit in memory; each with its first one's row."""
        given, codes = codes, as_codes(codes)
        if codes.ndim != 2 or codes.shape[1] != self.code_size or not len(codes):
            raise DataError(
                f"codes must be an array of images x {self.code_size}",
                found=brief(given),
                do="decode what `encode` of the same run returned, or codes drawn at that size",
            )
        batch = at_once(BATCH, self.data.shape)
        parts = torch.split(torch.from_numpy(np.require(codes, np.float32, ["C", "W"])), batch)
        for number, part in enumerate(told(parts, "batches of codes decoded")):
            with torch.no_grad(), exact():
                images = self.model.decode(part.to(self.device)).cpu().numpy()
            yield number * batch, images

    def reconstruct(self, images: Given) -> ImageArray:
        """Images -> codes -> pixels in [0, 1]; as `decode(encode(images))`."""
        return self.decode(self.encode(images))


class TrainedClassifier(RunMethods):
    """The head of a finished classifier run, with its encoder."""

    def __init__(
        self, autoencoder: TrainedAutoencoder, head: nn.Module, experiment: Experiment, run: Run | None = None
    ) -> None:
        self.run = run
        self.autoencoder = autoencoder
        self.head = head.to(autoencoder.device).eval()
        self.experiment = experiment

    def __repr__(self) -> str:
        return f"<TrainedClassifier: {counted(len(self.class_names), 'class')}, on {self.autoencoder!r}>"

    @classmethod
    def load(cls, run: str | Path | Run, device: str = AUTO) -> "TrainedClassifier":
        """Open a finished run, to compute on `device`: auto, cpu, cuda, cuda:1, mps.

        Raises:
            RunError: there is no run, it has not ended, it is no classifier's, or its encoder is gone.
            DeviceError: this machine has no such device.
        """
        run = run if isinstance(run, Run) else Run.open(run)
        if not run.experiment.task.needs_encoder:
            raise RunError(
                "this needs the run of a classifier",
                found=f"{run.path}, of kind {run.experiment.kind}",
                do="train one: latentspace train classifier --encoder RUN",
            )
        autoencoder = TrainedAutoencoder.load(encoder_run(run), device)
        head = run.experiment.build_classifier(autoencoder.code_size, len(run.data.class_names))
        fill(head, run.weights, run.path / "weights.safetensors")
        return cls(autoencoder, head, run.experiment, run)

    @property
    def encoder(self) -> TrainedAutoencoder:
        return self.autoencoder

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.autoencoder.data.class_names

    def encode(self, images: Given, precision: str = "32", chosen: Given | None = None) -> CodeArray:
        """Images -> codes of the run's encoder; as `TrainedAutoencoder.encode`."""
        return self.autoencoder.encode(images, precision, chosen)

    @torch.no_grad()
    @exact()
    def logits(self, images: Given, chosen: Given | None = None) -> Logits:
        """Images -> what the head gives before softmax, images x classes, float32.

        Args:
            chosen: the indices of the images that are classified, in this order; None: all.

        Raises:
            DataError: images unlike the run's.
        """
        codes = torch.from_numpy(self.encode(images, chosen=chosen)).to(self.autoencoder.device)
        logits: Logits = self.head(codes).float().cpu().numpy()
        return logits

    def probabilities(self, images: Given, chosen: Given | None = None) -> Probabilities:
        """Images -> the probability of each class, images x classes; `classify` calibrates them.

        Args:
            chosen: as for `logits`.

        Raises:
            DataError: images unlike the run's.
        """
        return torch.softmax(torch.from_numpy(self.logits(images, chosen)), dim=1).numpy()

    def classify(
        self, images: Given | None = None, *, own: "ImageSet | None" = None, reject: float = 0.0
    ) -> "Classes":
        """The class of each image, with calibrated probabilities; as `latentspace classify`.

        Args:
            images: as for `encode`; None: the run's own images.
            own: the run's own images, where Python alone has them.
            reject: the share of the validation images' least certain that are called unknown.

        Raises:
            LatentspaceError: as `find_classes`.
        """
        from .classes import find_classes

        return find_classes(self, images, own=own, reject=reject)

    def predict(self, images: Given) -> tuple[str, ...]:
        """Images -> the name of each one's most probable class; as `probabilities`."""
        best = self.logits(images).argmax(axis=1)
        return tuple(self.class_names[one] for one in best.tolist())


def load_trained(run: str | Path | Run, device: str = AUTO) -> "TrainedAutoencoder | TrainedClassifier":
    """The network of a finished run: of an autoencoder, or a classifier with its encoder.

    Raises:
        RunError: there is no run, it has not ended, or a file of it is damaged.
        DeviceError: this machine has no such device.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    return (TrainedClassifier if run.experiment.task.needs_encoder else TrainedAutoencoder).load(run, device)


def encoder_run(run: Run) -> Run:
    """The run that encodes: this one, or that of a classifier's encoder; raises RunError as `encoder_of`."""
    if not run.experiment.task.needs_encoder:
        return run
    return encoder_of(run.experiment, run.encoder_hash, beside=run.path)


def refuse_unfinished(run: Run) -> None:
    """What can be known of a run before any image is read.

    Raises:
        RunError: its training has not ended, a file of it is damaged, or a classifier's encoder is gone.
    """
    _ = run.weights
    run.refuse_damaged()
    encoder_run(run)


def encoder_of(experiment: Experiment, weights_hash: str | None, beside: Path | None = None) -> Run:
    """The run whose codes a classifier learns from.

    Args:
        weights_hash: what its weights must be, or None where that is not yet settled.
        beside: the classifier's run. Where the encoder is not at its place, a run in this one, next to it, or
            next to its folder, with the same weights is it: whole folders of runs can be moved.

    Raises:
        RunError: none is named, there is none, or its weights are others than the classifier learned from.
    """
    if experiment.encoder is None:
        raise RunError(
            "a classifier needs the run of an encoder",
            found="none named",
            do=f"add {option('encoder', 'RUN')}, the run of an ae, dae or vae",
        )
    place = Path(experiment.encoder)
    if weights_hash is None:
        return Run.open(place)
    found = run_with_weights(place, weights_hash, beside)
    if found is not None:
        return found
    raise RunError(
        f"the encoder {place} must be as the classifier knew it",
        found="other weights" if (place / "weights.safetensors").exists() else "no finished run there",
        do="bring that run back, or put it beside the classifier's (it is known by its weights), "
        "or train the classifier anew",
    )
