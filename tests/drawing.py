"""The context of one batch, for tests that call an objective themselves."""

from latentspace.core.randomness import generator
from latentspace.objectives.loss import Context


def drawing(seed: int = 0, epoch: int = 0) -> Context:
    """What is drawn is a function of the seed."""
    return Context(generator(seed, "noise"), images=100, epoch=epoch)
