"""The classifier: four linear layers over codes, alone or behind a frozen encoder."""

from abc import abstractmethod
from itertools import pairwise
from typing import Literal, final

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ..core.config import Width
from ..core.tensor_types import Codes, Images
from .autoencoder import Autoencoder, NetworkConfig
from .layers.init import build_initialised


class HeadConfig(NetworkConfig):
    """The settings of a network that tells the class of a code."""

    @abstractmethod
    def build(self, code_size: int, classes: int, generator: torch.Generator) -> "nn.Module":
        """A new head on the CPU, codes -> the logits of each class; its weights a function of the seed."""


@final
class ClassifierConfig(HeadConfig):
    """Four linear layers on the codes of a trained encoder.

    Foscarin 2021, section 4.1; the defaults are the best parameters that it names.
    """

    name: Literal["perceptron"] = "perceptron"
    linear1_neurons: Width = Field(default=45, description="of the first layer")
    linear2_neurons: Width = Field(default=52, description="of the second")
    linear3_neurons: Width = Field(default=17, description="of the third; the fourth has one for each class")

    def build(self, code_size: int, classes: int, generator: torch.Generator) -> "Classifier":
        """A new head on the CPU, its weights drawn from `generator`."""
        neurons = (self.linear1_neurons, self.linear2_neurons, self.linear3_neurons)
        return build_initialised(lambda: Classifier(code_size, neurons, classes), generator)


@final
class Classifier(nn.Module):
    """Codes -> the logits of each class; ReLU between the four layers."""

    def __init__(self, code_size: int, neurons: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        widths = (code_size, *neurons, classes)
        stack: list[nn.Module] = []
        for before, after in pairwise(widths):
            stack += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*stack[:-1])

    def forward(self, codes: Codes) -> Float[Tensor, "batch classes"]:
        logits: Tensor = self.layers(codes)
        return logits


@final
class FrozenEncoderClassifier(nn.Module):
    """A head behind an encoder whose weights do not move: images -> the logits of each class."""

    def __init__(self, autoencoder: Autoencoder, head: nn.Module) -> None:
        super().__init__()
        self.autoencoder = autoencoder.requires_grad_(False)
        self.head = head

    def train(self, mode: bool = True) -> "FrozenEncoderClassifier":
        """The head alone is trained: the encoder's dropout stays off."""
        super().train(mode)
        self.autoencoder.eval()
        return self

    def forward(self, images: Images) -> Float[Tensor, "batch classes"]:
        with torch.no_grad():
            codes = self.autoencoder.encode(images).mean
        logits: Tensor = self.head(codes)
        return logits
