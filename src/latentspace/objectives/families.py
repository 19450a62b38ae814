"""The registry of objectives: the configuration of each, by the name that `objective.name` takes."""

from ..core.registry import Registry
from .loss import ObjectiveConfig

OBJECTIVES: Registry[type[ObjectiveConfig]] = Registry(
    "objective",
    {
        "reconstruction": "latentspace.objectives.reconstruction:ReconstructionConfig",
        "denoising": "latentspace.objectives.denoising:DenoisingConfig",
        "elbo": "latentspace.objectives.elbo:ElboConfig",
        "importance-weighted": "latentspace.objectives.importance:ImportanceWeightedConfig",
        "classification": "latentspace.objectives.classification:ClassificationConfig",
    },
)
