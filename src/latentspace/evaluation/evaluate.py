"""A finished run -> its metrics on images it did not learn from. Only this module opens the test part."""

import logging
from functools import partial
from typing import ClassVar, Final, Literal, TypeAlias, get_args

import numpy as np
from pydantic import ConfigDict

from ..core.devices import AUTO, named_device
from ..core.errors import ConfigurationError
from ..core.html import table
from ..core.types import Hashes, Int64Array
from ..core.wording import brief, counted, option
from ..data.config import DataConfig
from ..data.imageset import ImageSet
from ..data.memmap import require_unchanged
from ..inference.computing import Computed, here
from ..inference.run_images import own_or_other
from ..inference.trained import encoder_of, refuse_unfinished
from ..models.remembered import refined_once
from ..runs.directory import Run
from .agreement import agreement_with_test
from .all_metrics import all_metrics, score
from .beside_pca import BesidePCA, beside_pca
from .cache import Measurement, keep, kept, saved
from .metrics import IWAE_SAMPLES, Metrics, require_samples

logger = logging.getLogger(__name__)

Scope: TypeAlias = Literal["train", "validation", "test", "all"]
LEARNED: Final = ("train", "all")  # scopes of a run's own images that hold those it learned from


class Evaluation(Measurement):
    """What was evaluated, and every metric by its name (all in float32).

    Args:
        seen_in_training: images that are exact copies of images that the run learned from.
        near_copies_of_training: images that are near copies, and no exact ones, of such; None: unknown, as
            of other images than the run's, or where the split did not look for them.
        score_without_copies: the score of the task on the images that are neither; None: there are no copies,
            no other image, or the images are those learned from.
        mse_of_mean_codes, mse_of_pca: mean squared errors per pixel of the test images, decoded from their
            mean codes, and by PCA with as many numbers; None: another part, other images, or a classifier.
        worse_than_pca: whether the former is the larger one, beyond a margin.
        warnings: about the whole set that the images are from, as `data info` has them; that the run is no
            better than PCA, and what to do; that its scores on validation and test images differ.
    """

    VERSION: ClassVar[int] = 6

    model_config = ConfigDict(extra="allow")  # the metrics, beside the rest

    kind: str
    data: str
    content_hash: str
    split: Scope
    images: int
    seen_in_training: int
    near_copies_of_training: int | None = None
    score_without_copies: float | None = None
    mse_of_mean_codes: float | None = None
    mse_of_pca: float | None = None
    worse_than_pca: bool | None = None
    warnings: tuple[str, ...] = ()
    __pydantic_extra__: Metrics

    @property
    def metrics(self) -> Metrics:
        return self.__pydantic_extra__

    def __repr__(self) -> str:
        scores = [f"{name} {value:.5g}" for name, value in self.metrics.items() if isinstance(value, float)]
        part = f"{counted(self.images)} ({self.split})"
        return f"<Evaluation: {self.kind}, {part} of {self.data}: {', '.join(scores)}>"

    def _repr_html_(self) -> str:
        """What was evaluated, and its scores, in a notebook."""
        scores = {name: f"{value:.5g}" for name, value in self.metrics.items() if isinstance(value, float)}
        about = {"images": f"{self.images:,} ({self.split})", "seen in training": self.seen_in_training}
        return table(f"{self.kind} on {self.data}", {**about, **scores})


def evaluate(
    run: Run,
    data: DataConfig | ImageSet | None = None,
    scope: Scope | None = None,
    iwae_samples: int = IWAE_SAMPLES,
    device: str = AUTO,
    computed: Computed = here,
) -> Evaluation:
    """Evaluate a run on a part of its own data (the test part by default) or, whole, on other data.

    The result is saved in the run under the name of its scope.

    Args:
        data: the images, or where they are; None: where they were when the run was trained. Images with the
            hash of the run's own are its own, wherever they lie.
        iwae_samples: codes drawn an image for the importance-weighted bound of a vae.
        device: what computes: auto (a GPU where there is one), cpu, cuda, cuda:1, mps.
        computed: what computes pieces of the images: this process, or a cluster.

    Raises:
        RunError: the run has not ended, or its data have changed.
        ConfigurationError: a part of a split asked of data that the run never split.
        DataError: images of another shape than the run's.
        DeviceError: this machine has no such device.
    """
    require_scope(scope)  # what can be refused is refused before images are read
    named_device(device)
    require_samples(iwae_samples)
    refuse_unfinished(run)
    return evaluate_images(run, *own_or_other(run, data), scope, iwae_samples, device, computed)


def require_scope(scope: object) -> None:
    """Refuse what is no part of a split: raises ConfigurationError."""
    if scope is not None and not (isinstance(scope, str) and scope in get_args(Scope)):
        raise ConfigurationError(
            f"{option('split')} takes one of: {', '.join(get_args(Scope))}",
            found=brief(scope),
            do="name one of them",
        )


@refined_once()
def evaluate_images(
    run: Run,
    images: ImageSet,
    own: bool,
    scope: Scope | None = None,
    iwae_samples: int = IWAE_SAMPLES,
    device: str = AUTO,
    computed: Computed = here,
) -> Evaluation:
    """Metrics of images that are loaded already; the rest as `evaluate`.

    Args:
        own: whether they are the run's own images.

    Raises:
        ConfigurationError: a part of the split, of images that are not the run's.
    """
    scope = scope or ("test" if own else "all")
    require_scope(scope)
    if scope != "all" and not own:
        raise ConfigurationError(
            f"{option('split', scope)} needs the data that the run was trained on",
            found="other images (their content hash is not the run's): they have no such part",
            do=f"leave {option('split')} out, to evaluate all of them",
        )
    result = _evaluated(run, images, own, scope, device, computed, iwae_samples)
    name = scope if own else f"other-{images.content_hash[:12]}"
    agreement = agreement_with_test(run, images, device) if own and scope == "test" else None
    if agreement is not None and agreement.differ:
        logger.warning("%s", agreement.words)
        result = result.model_copy(update={"warnings": (*result.warnings, agreement.words)})
    keep(run, name, result, {"iwae_samples": result.metrics.get("iwae_samples", IWAE_SAMPLES)})
    return result


@refined_once()
def evaluated_on_test(run: Run, images: ImageSet, device: str = AUTO) -> Evaluation:
    """The kept evaluation on the test part; made now where there is none.

    Raises:
        RunError: the run has not ended.
    """
    told = (saved(run, "test") or {}).get("iwae_samples")
    samples = told if isinstance(told, int) and told > 0 else IWAE_SAMPLES
    measure = partial(_evaluated, run, images, True, "test", device, here, iwae_samples=samples)
    return kept(run, "test", Evaluation, measure)


def _evaluated(
    run: Run,
    images: ImageSet,
    own: bool,
    scope: Scope,
    device: str,
    computed: Computed,
    iwae_samples: int,
) -> Evaluation:
    chosen = np.arange(len(images)) if scope == "all" else run.split.part(scope)
    seen = np.isin(images.image_hashes[chosen], run.learned_from)
    near = _near_learned(run, chosen) if own else None
    if scope in ("validation", "test") or not own:
        _warn_of_seen(run, images.image_hashes[chosen])
    copies = seen if near is None else seen | near
    result = Evaluation(
        kind=run.experiment.kind,
        data=images.source,
        content_hash=images.content_hash,
        split=scope,
        images=len(chosen),
        seen_in_training=int(seen.sum()),
        near_copies_of_training=None if near is None else int((near & ~seen).sum()),
        score_without_copies=None
        if own and scope in LEARNED
        else _without(run, images, device, chosen[~copies], len(chosen), computed),
        warnings=images.record.warnings,
        **all_metrics(run, images, iwae_samples, device, chosen, computed),
    )
    require_unchanged(images.pixels)
    compared = _beside_pca(run, images, device, computed) if own and scope == "test" else None
    if compared is None:
        return result
    return result.model_copy(
        update={
            "mse_of_mean_codes": compared.mse,
            "mse_of_pca": compared.pca,
            "worse_than_pca": compared.better is False,
            "warnings": result.warnings if compared.better else (*result.warnings, compared.said),
        }
    )


def _beside_pca(run: Run, images: ImageSet, device: str, computed: Computed) -> BesidePCA | None:
    """The run's error beside PCA's, of a run that decodes; said where PCA is not beaten."""
    if run.experiment.task.needs_encoder:
        return None
    found = beside_pca(run, images, device, computed=computed)
    if not found.better:
        logger.warning("%s", found.said)
    return found


def _near_learned(run: Run, chosen: Int64Array) -> np.ndarray | None:
    """Whether each of the run's own images has a near copy among those it or its encoder learned from."""
    fits = [run.experiment.training.fit]
    if run.experiment.encoder is not None:
        fits.append(encoder_of(run.experiment, run.encoder_hash, beside=run.path).experiment.training.fit)
    near = run.split.near_to(max(fits, key=len))
    return None if near is None else np.isin(chosen, near)


def _without(
    run: Run, images: ImageSet, device: str, rest: Int64Array, evaluated: int, computed: Computed
) -> float | None:
    """The score of the task on `rest`, the images that are no copies; None where these are all, or none."""
    return score(run, images, device, rest, computed) if 0 < len(rest) < evaluated else None


def _warn_of_seen(run: Run, hashes: Hashes) -> None:
    """Say how many of the images the run, and its encoder, have learned from."""
    runs = {"the run": run}
    if run.experiment.encoder is not None:
        runs["its encoder"] = encoder_of(run.experiment, run.encoder_hash, beside=run.path)
    for name, one in runs.items():
        if seen := int(np.isin(hashes, one.learned_from).sum()):
            logger.warning("%s has learned from %s of these images", name, f"{seen:,}")
