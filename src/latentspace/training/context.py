"""What trainings share: the images, their split, the device, and a classifier's encoder."""

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..core.errors import ConfigurationError
from ..core.tensor_types import Codes
from ..core.types import Int64Array, Pixels
from ..core.wording import SEEN_BY_ENCODER, brief, option
from ..data.batches import Batches, ResidentSet, laid_out
from ..data.given import Given
from ..data.imageset import ImageSet
from ..data.sources import settled_images
from ..data.splits import Split, split_as
from ..experiment.config import Experiment
from ..models.autoencoder import Autoencoder
from ..models.classifier import FrozenEncoderClassifier
from .augmentation_choice import settle_augmentation
from .code_size import settle_code_size
from .codes import code_size_of, codes_of
from .components import (
    Components,
    held_out,
    learned_from,
    make_fabric,
    required_labels,
    set_up,
    threads_of,
)
from .estimate import Sizes
from .extra import Extra, extra_of
from .fabric import Fabric
from .length import settle_minutes, settle_steps
from .precision import settle_precision
from .pretrained import PretrainedEncoder, pretrained_encoder_of
from .principal import PrincipalComponents, settle_linear_path

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingContext:
    """Made once, and shared by all trainings on it: one run, or every trial of a process.

    Args:
        experiment: with everything settled that was left open: images, precision, encoder, batch size.
        codes_in: a folder where a classifier's codes are kept for other processes; None: they are not.
        extra: what is learned from beside the images.
        principal: components of the images that are learned from; None: computed when they are needed.
    """

    experiment: Experiment
    images: ImageSet
    split: Split
    fabric: Fabric
    pretrained: PretrainedEncoder | None = None
    codes_in: Path | None = None
    extra: Extra | None = None
    principal: PrincipalComponents | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: without what belongs to this one, and with the codes that were made here."""
        pixels = np.asarray(self.images.pixels)  # not a mapped file: the other may not see it
        images = replace(self.images, pixels=pixels, files=None, rows=None)
        of_codes = self.pretrained is not None and self.experiment.objective.learns_from_codes
        with threads_of(self.experiment):
            codes = self._codes if of_codes else None
        return _elsewhere, (self.experiment, images, self.split, self.pretrained, self.extra, codes)

    def on(self, device: str) -> "TrainingContext":
        """The same on another device; codes that were made come along."""
        experiment = self.experiment.on(device)
        other = replace(self, experiment=experiment, fabric=make_fabric(experiment))
        if "_codes" in self.__dict__:
            other.__dict__["_codes"] = self._codes.to(other.fabric.device)
        return other

    @property
    def learned(self) -> int:
        """How many images are learned from."""
        return len(learned_from(self.experiment, self.split))

    @property
    def encoder_hash(self) -> str | None:
        return None if self.pretrained is None else self.pretrained.weights_hash

    @property
    def encoder_fit(self) -> str | None:
        """The parts that a classifier's encoder has learned from: its own `training.fit`."""
        return None if self.pretrained is None else self.pretrained.run.experiment.training.fit

    def components(self, experiment: Experiment | None = None) -> Components:
        """What the loop works on: the network on the device, its optimiser, the data.

        Args:
            experiment: may differ from the context's in network and training; None: the context's own.

        Raises:
            ConfigurationError: images too small for the network.
            DataError: a classifier without labels to learn.
        """
        plan = self.experiment if experiment is None else experiment
        if self.pretrained is None:
            network: nn.Module = plan.build(self.images.shape)
            self._components.begin(network)
            learned, inputs, labels = network, None, None
        else:
            labels = torch.from_numpy(required_labels(self.images))
            with threads_of(plan):
                network, learned, inputs = self._classifier(plan, self.pretrained.autoencoder)

        def part(chosen: Int64Array) -> Batches:
            if inputs is None:
                return laid_out(self.images.pixels, chosen, self.fabric.device, labels)
            rows = torch.from_numpy(chosen)
            own = None if labels is None else labels[rows].to(inputs.device)
            return ResidentSet(inputs[rows.to(inputs.device)], own)

        validated = None if plan.training.fit == "train+validation" else part(self.split.validation)
        chosen = learned_from(plan, self.split)
        if self.extra is None:
            return set_up(plan, self.fabric, network, part(chosen), validated, learned)
        pixels, count = self._with_extra, len(self.extra.pixels)
        train = laid_out(pixels, np.arange(len(pixels)), self.fabric.device)
        return replace(set_up(plan, self.fabric, network, train, validated, learned), extra=count)

    @cached_property
    def _components(self) -> PrincipalComponents:
        return self.principal or PrincipalComponents(self.experiment, self.images, self.split)

    @cached_property
    def _with_extra(self) -> Pixels:
        """The images that are learned from, the run's own first."""
        assert self.extra is not None
        own = self.images.pixels[learned_from(self.experiment, self.split)]
        return np.concatenate([own, self.extra.pixels])

    def _classifier(
        self, plan: Experiment, autoencoder: Autoencoder
    ) -> tuple[nn.Module, nn.Module, Codes | None]:
        """What is called, the head in it, and codes made once; None: the frozen encoder is given images."""
        classes = len(self.images.class_names)
        if not plan.objective.learns_from_codes:
            head = plan.build_classifier(code_size_of(autoencoder, self.images), classes)
            return FrozenEncoderClassifier(autoencoder, head), head, None
        head = plan.build_classifier(self._codes.shape[1], classes)
        return head, head, self._codes

    @cached_property
    def _codes(self) -> Codes:
        if self.pretrained is None:
            raise RuntimeError("codes are a classifier's")
        found = self.pretrained
        return codes_of(found.autoencoder, found.weights_hash, self.images, self.fabric.device, self.codes_in)


def prepare(
    experiment: Experiment,
    images: Given | None = None,
    *,
    encoder_hash: str | None = None,
    beside: Path | None = None,
    codes_in: Path | None = None,
) -> TrainingContext:
    """Load and split the images; a classifier's encoder is opened, and its split taken. Nothing is written.

    Args:
        images: what `data.given.given_set` takes; None: those that the plan names.
        encoder_hash: of the encoder's weights, where that is settled.
        beside: the study or run. An encoder that is no longer at its place is looked for next to it.
        codes_in: as `TrainingContext`.

    Raises:
        LatentspaceError: data that cannot be read, a split that leaves a part empty, images too small
            for the network, a device that is not there.
    """
    if images is not None and experiment.data.spec != "auto" and not experiment.data.given:
        raise ConfigurationError(
            "images are named in the plan, or given: not both",
            found=f"data.spec = {experiment.data.spec}, and {brief(images)}",
            do="leave one of them out",
        )
    experiment = settle_precision(experiment)
    fabric = make_fabric(experiment)
    pretrained = pretrained_encoder_of(experiment, encoder_hash, beside)
    if pretrained is not None:
        experiment = pretrained.settle(experiment)
    loaded, data = settled_images(experiment.data, images)
    experiment = experiment.model_copy(update={"data": data})
    if pretrained is None:
        asked = experiment.split
        parts = split_as(loaded, asked.shares, asked.seed, near_copies=asked.near_copies == "on")
    else:
        parts = pretrained.require(loaded)
    return context_of(experiment, loaded, parts, fabric, pretrained, codes_in)


def _elsewhere(
    experiment: Experiment,
    images: ImageSet,
    parts: Split,
    pretrained: PretrainedEncoder | None,
    extra: Extra | None,
    codes: Codes | None,
) -> TrainingContext:
    """A context that was made in another process, on a device of this one."""
    fabric = make_fabric(experiment)
    context = TrainingContext(experiment, images, parts, fabric, pretrained, extra=extra)
    if codes is not None:
        context.__dict__["_codes"] = codes.to(fabric.device)
    return context


def context_of(
    experiment: Experiment,
    images: ImageSet,
    parts: Split,
    fabric: Fabric,
    pretrained: PretrainedEncoder | None = None,
    codes_in: Path | None = None,
) -> TrainingContext:
    """The context of a training on images that are split: what the plan left open is settled by them.

    Args:
        experiment: with a precision that is settled.

    Raises:
        LatentspaceError: images too small for the network, or extra images that cannot be had.
    """
    if pretrained is None:
        experiment = _settle_refinement(settle_code_size(experiment, images.shape))
        experiment.build(images.shape)  # refuses images that are too small for it
    principal = PrincipalComponents(experiment, images, parts)
    if pretrained is None:
        experiment = settle_linear_path(experiment, images.shape, principal)
    experiment = settle_steps(experiment, len(learned_from(experiment, parts)))
    extra = extra_of(experiment, images, held_out(experiment, parts))
    if experiment.training.minutes is not None:
        sizes = _sizes(experiment, images, parts, extra, pretrained)
        experiment = settle_minutes(experiment, sizes)
    experiment = settle_augmentation(experiment, images)
    context = TrainingContext(experiment, images, parts, fabric, pretrained, codes_in, extra, principal)
    if (context.encoder_fit, experiment.training.fit) == ("train+validation", "train"):
        logger.warning(SEEN_BY_ENCODER)
    if (
        pretrained is not None
        and pretrained.autoencoder.refine
        and not experiment.objective.learns_from_codes
    ):
        logger.warning(
            "every epoch encodes the images anew and refines their codes: about ten times as slow; "
            "%s refines them once",
            option("objective.method", "codes"),
        )
    return context


def _settle_refinement(experiment: Experiment) -> Experiment:
    """The plan without refinement where codes are ordered, which is said."""
    model = experiment.model
    if not (getattr(model, "ordered", False) and getattr(model, "refine", 0)):
        return experiment
    logger.info("codes are not refined, because they are ordered: their first numbers would become worse")
    return experiment.model_copy(update={"model": model.model_copy(update={"refine": 0})})


def _sizes(
    experiment: Experiment,
    images: ImageSet,
    parts: Split,
    extra: Extra | None,
    pretrained: PretrainedEncoder | None,
) -> Sizes:
    learned = len(learned_from(experiment, parts)) + (len(extra.pixels) if extra else 0)
    validated = len(parts.validation) if experiment.training.fit == "train" else 0
    code_size = 0 if pretrained is None else code_size_of(pretrained.autoencoder, images)
    return Sizes(images.shape, learned, validated, code_size, len(images.class_names))
