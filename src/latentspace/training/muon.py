"""Muon: matrices and kernels move along their orthogonalised momentum, everything else by AdamW.

PyTorch's own `torch.optim.Muon` refuses what is no matrix, and takes one matrix at a time.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import Tensor

from .uncompiled import Uncompiled

# For spectral norms of at most 1: each step is the best odd polynomial of degree 5 after those before it
# (https://arxiv.org/abs/2505.16932, Algorithm 1). The paper divides by 1.01 to be stable in bfloat16.
POLAR_EXPRESS: Final = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
    (1.875, -1.25, 0.375),
)
SAFETY: Final = 1.01
WIDE: Final = 2  # from this many columns a row the smaller side is iterated alone


class Muon(Uncompiled):
    """Muon for the groups with `orthogonal`, AdamW for the others, each with its own learning rate.

    Muon: https://kellerjordan.github.io/posts/muon/, with Nesterov momentum, decoupled weight decay, and a
    step that grows with sqrt(rows / columns) where a matrix has more rows. A kernel is the matrix of its
    first dimension by all others. AdamW: https://arxiv.org/abs/1711.05101.

    Args:
        dtype: what orthogonalisation computes in: float32, or bfloat16 on a GPU.
        steps: of the iteration that orthogonalises.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        *,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        steps: int = 5,
        dtype: torch.dtype = torch.float32,
        orthogonal: bool = False,
    ) -> None:
        super().__init__(
            groups,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "betas": betas,
                "eps": eps,
                "steps": steps,
                "dtype": dtype,
                "orthogonal": orthogonal,
                "fused": True,  # of AdamW's kernel: PyTorch then keeps its count of steps on the device
            },
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step of every weight that has a gradient."""
        if closure is not None:
            raise ValueError("a closure is not called here")
        for group in self.param_groups:
            moved = [one for one in group["params"] if one.grad is not None]
            if moved and group["orthogonal"]:
                self._muon(moved, group)
            elif moved:
                self._adamw(moved, group)

    def _muon(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        gradients = [_gradient(one) for one in weights]
        for one in weights:
            if not self.state[one]:
                self.state[one]["momentum_buffer"] = torch.zeros_like(one)
        momenta = [self.state[one]["momentum_buffer"] for one in weights]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        directions = torch._foreach_lerp(gradients, momenta, group["momentum"])
        if group["weight_decay"]:
            torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        for members in _of_one_shape(weights):
            stack = torch.stack([directions[one].flatten(1) for one in members])
            rows, columns = stack.shape[1:]
            steps = orthogonalised(stack, group["steps"], group["dtype"])
            torch._foreach_add_(
                [weights[one] for one in members],
                [step.view(weights[one].shape) for one, step in zip(members, steps, strict=True)],
                alpha=-group["lr"] * math.sqrt(max(1.0, rows / columns)),
            )

    def _adamw(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        for one in weights:
            if not self.state[one]:
                self.state[one].update(
                    step=torch.zeros((), dtype=torch.float32, device=one.device),
                    exp_avg=torch.zeros_like(one),
                    exp_avg_sq=torch.zeros_like(one),
                )
        memory = [self.state[one] for one in weights]
        counts = [one["step"] for one in memory]
        torch._foreach_add_(counts, 1)
        torch._fused_adamw_(
            weights,
            [_gradient(one) for one in weights],
            [one["exp_avg"] for one in memory],
            [one["exp_avg_sq"] for one in memory],
            [],
            counts,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )


def _gradient(weight: Tensor) -> Tensor:
    if weight.grad is None:
        raise RuntimeError("a weight without a gradient does not move")
    return weight.grad


def _of_one_shape(weights: list[Tensor]) -> list[list[int]]:
    """The places of weights that are matrices of one shape: their products are then one."""
    found: dict[tuple[int, int], list[int]] = {}
    for place, one in enumerate(weights):
        found.setdefault((one.shape[0], one[0].numel()), []).append(place)
    return list(found.values())


def orthogonalised(stack: Tensor, steps: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """U V^T of each matrix U S V^T of a stack, about: its singular values come near 1.

    Iterates X <- Q X with Q = a + b G + c G^2 and G = X X^T, on the smaller side of X. Where X is much longer
    than wide, that side alone is iterated: G <- Q G Q, and the product of all Q meets X once, at the end: two
    thirds of the time for 256 x 1024. In bfloat16 G is too coarse for that.
    """
    tall = stack.shape[1] > stack.shape[2]
    x = (stack.mT if tall else stack).to(dtype)
    x = x / (x.norm(dim=(1, 2), keepdim=True) * (1 + 1e-2) + 1e-7)
    if dtype != torch.bfloat16 and x.shape[2] >= WIDE * x.shape[1]:
        x = _by_its_gram_matrix(x, steps)
    else:
        for a, b, c in POLAR_EXPRESS[:steps]:
            x = torch.baddbmm(x, _even_part(x @ x.mT, b, c), x, beta=a / SAFETY)
    return (x.mT if tall else x).to(stack.dtype)


def _by_its_gram_matrix(x: Tensor, steps: int) -> Tensor:
    gram, product = x @ x.mT, None
    for number, (a, b, c) in enumerate(POLAR_EXPRESS[:steps]):
        factor = _even_part(gram, b, c)
        factor.diagonal(dim1=1, dim2=2).add_(a / SAFETY)
        product = factor if product is None else factor @ product
        if number + 1 < steps:
            gram = factor @ gram @ factor
    return x if product is None else product @ x


def _even_part(gram: Tensor, b: float, c: float) -> Tensor:
    """The part of Q without `a`: b G + c G^2."""
    return torch.baddbmm(gram, gram, gram, beta=b / SAFETY**3, alpha=c / SAFETY**5)
