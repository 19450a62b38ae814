"""The curves of a run: which of the numbers that each epoch measured are drawn."""

from ...evaluation.metrics import METRICS
from ...figures import (
    ACCURACY,
    BCE,
    CROSS_ENTROPY,
    ELBO,
    KL,
    MSE,
    MSE_FROM_CLEAN,
    MSE_FROM_NOISY,
    REPORT_CROSS_ENTROPY,
    Term,
)
from ...objectives.classification import ClassificationConfig
from ...objectives.denoising import DenoisingConfig
from ...objectives.elbo import ElboConfig
from ...objectives.reconstruction import ReconstructionConfig
from ...runs.directory import Run


def terms_of(run: Run) -> tuple[Term, ...]:
    """Those of the run's objective that its epochs measured; of an objective from outside all of them."""
    match run.experiment.objective:
        case ReconstructionConfig():
            terms: tuple[Term, ...] = (MSE,)
        case DenoisingConfig():
            terms = (MSE_FROM_NOISY, MSE_FROM_CLEAN)
        case ElboConfig():
            terms = (ELBO, BCE, KL)
        case ClassificationConfig(loss=loss):
            terms = (REPORT_CROSS_ENTROPY if loss == "report" else CROSS_ENTROPY, ACCURACY)
        case _:
            terms = ()
    measured = dict.fromkeys(name for record in run.metrics for name in record["train"] if name != "loss")
    measured |= dict.fromkeys(name for record in run.metrics for name in record.get("validation", {}))
    known = tuple(one for one in terms if one.name in measured)
    return known or tuple(_labelled(name) for name in measured)


def _labelled(name: str) -> Term:
    if name not in METRICS:
        return Term(name, name, better=None)
    metric = METRICS[name]
    return Term(name, ", ".join(filter(None, (metric.title, metric.unit))), metric.better)
