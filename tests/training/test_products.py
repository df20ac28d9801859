"""Products by oneDNN are the products."""

import pytest
import torch
from torch import nn

from training.products import FastLinear, quicken


@pytest.mark.parametrize("bias", [True, False])
def test_a_quickened_layer_gives_the_same_values_and_gradients(bias: bool) -> None:  # noqa: FBT001
    torch.manual_seed(1)
    ours, theirs = nn.Linear(24, 40, bias=bias), nn.Linear(24, 40, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    quicken(ours)
    x, y = (torch.randn(3, 17, 24).requires_grad_() for _ in range(2))
    y.data.copy_(x.data)
    wanted = torch.randn(3, 17, 40)

    for layer, seen in ((ours, x), (theirs, y)):
        ((layer(seen) - wanted) ** 2).mean().backward()

    assert type(ours) is FastLinear
    torch.testing.assert_close(ours(x), theirs(y))
    torch.testing.assert_close(x.grad, y.grad)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_what_is_frozen_gets_no_gradient_and_other_numbers_are_left_to_torch() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 2))
    quicken(model)
    model[0].requires_grad_(requires_grad=False)
    model(torch.randn(5, 8)).sum().backward()
    halves = model.to(torch.bfloat16)(torch.randn(5, 8, dtype=torch.bfloat16))

    assert model[0].weight.grad is None
    assert model[2].weight.grad is not None
    assert halves.dtype is torch.bfloat16
    assert model(torch.zeros(0, 8, dtype=torch.bfloat16)).shape == (0, 2)
