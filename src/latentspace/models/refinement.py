"""Refinement: Gauss-Newton steps that move each code to one from which its own image is decoded better.

An encoder finds codes of images that it has not learned from which are not the best for its decoder; the
same steps from another beginning are part of semi-amortised inference. Y. Kim et al., "Semi-Amortized
Variational Autoencoders" (https://arxiv.org/abs/1802.02550).

A step solves (J' W J + C) s = -g about, by a few iterations of conjugate gradients: J has the slopes of the
decoder's logits along the code, W their curvature (`Likelihood.curvature`), C is 1 where codes have a prior
and 0 elsewhere, and g is the gradient. J. Martens, "Deep learning via Hessian-free optimization"
(https://www.cs.toronto.edu/~jmartens/docs/Deep_HessianFree.pdf).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeAlias

import torch
from torch import Tensor

from ..core.devices import exact
from ..core.tensor_types import Codes, Images, Logits, PerImage
from ..core.threads import Threads, can_divide
from .likelihoods import Likelihood
from .priors import Prior

VERSION: Final = "1"  # goes up with every change of the code after which codes would be others
MOST: Final = 10_000  # steps
ITERATIONS: Final = 3  # of conjugate gradients a step: twelve gain as little more as a hundredth
SOLVED: Final = 1e-6  # share of the square of a gradient: what is left is rounding
LENGTHS: Final = (1.0, 0.5, 0.25)  # of a step, tried in this order until an image gains
ENOUGH: Final = 1e-3  # share of what is minimised: an image that gains less is done
REACH: Final = 1.0  # lengths of its first code that a code is led away, where no prior holds it
NEAREST: Final = 1.0  # of which the first code is taken to have at least so much
AT_ONCE: Final = 100_000  # values of images
ASIDE: Final = 0.01  # how far a code is moved at first, along each number, to see a slope
NOTHING: Final = 1e-30  # length of a step that leads nowhere
SEEN: Final = 0.01  # how far logits are to move by that, so that neither rounding nor bending shows
SLACK: Final = 10.0  # times more or less than that is near enough

Decoder: TypeAlias = Callable[[Codes], Logits]


class _Problem(NamedTuple):
    """What is minimised over the codes of some images: -log p(image | code) - log p(code)."""

    decoder: Decoder
    likelihood: Likelihood
    prior: Prior | None
    images: Images

    def of(self, rows: Tensor | slice) -> "_Problem":
        return self._replace(images=self.images[rows])

    def value(self, codes: Codes, logits: Logits) -> PerImage:
        found = -self.likelihood.log_prob(logits, self.images)
        return found if self.prior is None else found - self.prior.log_prob(codes)


def refined(
    codes: Codes,
    images: Images,
    decoder: Decoder,
    likelihood: Likelihood,
    prior: Prior | None,
    steps: int,
    *,
    divisible: bool = False,
) -> Codes:
    """Codes of which none makes less of its image than the one given; each depends on its own image alone.

    Computed in float32, or in float64 where codes are. Nothing is learned, and no gradient is left in the
    decoder's weights.

    Args:
        codes: where the steps begin, a row for each image.
        decoder: codes -> logits.
        prior: of the codes; None: an image's likelihood is all that counts.
        steps: at most so many for each image; one that hardly gains any more takes no further ones.
        divisible: whether several threads may call decoder, likelihood and prior at once.
    """
    count = max(1, AT_ONCE // max(1, images[0].numel()))
    dtype = torch.promote_types(codes.dtype, torch.float32)
    codes, images = codes.detach().to(dtype), images.detach().to(dtype)
    whole = _Problem(decoder, likelihood, prior, images)
    calls = [
        partial(_moved, whole.of(slice(first, first + count)), codes[first : first + count], steps)
        for first in range(0, len(codes), count)
    ]
    several_may = divisible and can_divide(codes.device)
    threads = min(torch.get_num_threads(), len(calls)) if several_may else 1
    with exact():
        if threads < 2:
            return torch.cat([call() for call in calls]) if calls else codes.clone()
        with Threads(threads) as several:
            return torch.cat(several.results(calls))


@torch.no_grad()
def _moved(problem: _Problem, codes: Codes, steps: int) -> Codes:
    with torch.autocast(codes.device.type, enabled=False):  # of this thread
        return _stepped(problem, codes, steps)


def _stepped(problem: _Problem, codes: Codes, steps: int) -> Codes:
    first, codes = codes, codes.clone()
    rows = torch.arange(len(codes), device=codes.device)  # of images that still gain
    for _ in range(steps):
        some, begun = problem.of(rows), codes[rows]
        before, direction = _direction(some, begun)
        if problem.prior is None:
            direction = _within_reach(direction, begun, first[rows])
        moved, after = _along(some, begun, before, direction)
        codes[rows] = moved
        rows = rows[before - after > ENOUGH * before.abs()]
        if not len(rows):
            break
    return codes


def _direction(problem: _Problem, codes: Codes) -> tuple[PerImage, Codes]:
    """What is minimised at the codes, and the step that would be best if logits were linear in them."""
    with torch.enable_grad():
        at = codes.detach().requires_grad_()
        logits = problem.decoder(at)
        value = problem.value(at, logits)
        (gradient,) = torch.autograd.grad(value.sum(), at, retain_graph=True)
    here = logits.detach()
    weights = problem.likelihood.curvature(here)

    def curved(step: Codes) -> Codes:
        slope = _slope(problem.decoder, codes, here, step)
        (found,) = torch.autograd.grad(logits, at, slope * weights, retain_graph=True)
        return found if problem.prior is None else found + step

    return value.detach(), _conjugate_gradients(curved, -gradient)


def _within_reach(direction: Codes, codes: Codes, first: Codes) -> Codes:
    """Steps that are cut where they would lead too far from the first codes.

    Where an image gains the more the further its code goes, as where the decoder sees hardly more of a code
    than its direction, a step would lead hundreds of standard deviations away, for a gain that nobody sees.

    The limit is in the code's own units: codes much shorter than `NEAREST` are hardly held. The spread of the
    codes would be a better one, but it is not known here: that of a batch would make the code of an image
    depend on the others, and a network keeps none.
    """
    tiny = torch.finfo(codes.dtype).tiny
    reach = REACH * first.norm(dim=1, keepdim=True).clamp(min=NEAREST)
    left = (reach - (codes - first).norm(dim=1, keepdim=True)).clamp(min=0)
    shares: Tensor = (left / direction.norm(dim=1, keepdim=True).clamp(min=tiny)).clamp(max=1)
    return direction * shares


def _slope(decoder: Decoder, codes: Codes, logits: Logits, step: Codes) -> Logits:
    """How logits change along a step, by a difference: decoding once is less work than a derivative.

    The distance follows the decoder: where logits move much more or less than `SEEN`, it is taken again.
    """
    length = step.norm(dim=1, keepdim=True).clamp(min=NOTHING)
    aside = ASIDE * math.sqrt(codes.shape[1]) / length
    apart = decoder(codes + aside * step) - logits
    seen = apart.flatten(1).square().mean(dim=1, keepdim=True).sqrt()
    off = ((seen < SEEN / SLACK) | (seen > SEEN * SLACK))[:, 0]
    if bool(off.any()):
        aside[off] *= (SEEN / seen[off]).clamp(1 / SLACK**4, SLACK**4)
        apart[off] = decoder(codes[off] + aside[off] * step[off]) - logits[off]
    slope: Logits = apart / aside.view(-1, *[1] * (logits.dim() - 1))
    return slope


def _conjugate_gradients(product: Callable[[Codes], Codes], wanted: Codes) -> Codes:
    """About the s with product(s) = wanted, for each row alone."""
    tiny = torch.finfo(wanted.dtype).tiny
    found, rest, along = torch.zeros_like(wanted), wanted, wanted
    size = rest.square().sum(dim=1, keepdim=True)
    solved, goes_on = SOLVED * size, torch.ones_like(size, dtype=torch.bool)
    for _ in range(ITERATIONS):
        curved = product(along)
        bend = (along * curved).sum(dim=1, keepdim=True)
        goes_on &= (size > solved) & (bend > 0)  # else rounding would be taken for a slope
        factor = torch.where(goes_on, size / bend.clamp(min=tiny), 0.0)
        found, rest = found + factor * along, rest - factor * curved
        before, size = size, rest.square().sum(dim=1, keepdim=True)
        along = rest + size / before.clamp(min=tiny) * along
    return found


def _along(problem: _Problem, codes: Codes, before: PerImage, direction: Codes) -> tuple[Codes, PerImage]:
    """The codes after the longest of some parts of a step with which they gain, and their values."""
    codes, values = codes.clone(), before.clone()
    left = torch.arange(len(codes), device=codes.device)
    for length in LENGTHS:
        tried = codes[left] + length * direction[left]
        some = problem.of(left)
        found = some.value(tried, some.decoder(tried))
        gains = found < values[left]
        codes[left[gains]], values[left[gains]] = tried[gains], found[gains]
        left = left[~gains]
        if not len(left):
            break
    return codes, values
