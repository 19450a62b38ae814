"""The registry of networks: the configuration of each, by the name that `model.name` takes."""

from ..core.registry import Registry
from .autoencoder import NetworkConfig

MODELS: Registry[type[NetworkConfig]] = Registry(
    "model",
    {
        "convolutional": "latentspace.models.autoencoder:AutoencoderConfig",
        "convolutional-variational": "latentspace.models.autoencoder:VariationalConfig",
        "residual": "latentspace.models.stacks.family:ResidualConfig",
        "residual-variational": "latentspace.models.stacks.family:ResidualVariationalConfig",
        "dense": "latentspace.models.dense:DenseConfig",
        "dense-variational": "latentspace.models.dense:DenseVariationalConfig",
        "perceptron": "latentspace.models.classifier:ClassifierConfig",
    },
)
