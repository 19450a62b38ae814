"""What the numbers of a training are computed in: bfloat16 where the machine has it, else float32.

Under bf16 the weights, the optimiser's memory and every reported loss stay in float32; matrix products and
convolutions of the training's passes are computed in bfloat16 (autocast). Evaluation is always in float32.
"""

import logging

from ..core.environment import has_native_bf16
from ..core.wording import option
from ..experiment.config import Experiment

logger = logging.getLogger(__name__)


def settle_precision(experiment: Experiment, *, quietly: bool = False) -> Experiment:
    """`auto` becomes what this machine computes well in, and the run says so from now on."""
    if experiment.precision != "auto":
        return experiment
    chosen, reason = "32", "no native bfloat16 here"
    if experiment.task.needs_encoder:
        reason = "a classifier is too small to gain by less"
    elif has_native_bf16(experiment.device):
        chosen, reason = "bf16", f"native here; {option('precision', '32')} for float32"
    if not quietly:
        logger.info("precision %s (%s)", chosen, reason)
    return experiment.model_copy(update={"precision": chosen})
