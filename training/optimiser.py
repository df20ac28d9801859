"""Muon for the matrices of transformer layers, AdamW for everything else, as one optimiser.

Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks") orthogonalises
the update of a weight matrix. At the embedded scale the vision encoder learns characters with it
about twice as fast per step as with AdamW alone.
"""

from collections.abc import Callable
from typing import Any, overload

import torch
from torch import nn

_HIDDEN = (".layers.", "multi_modal_projector.")
BETAS = (0.9, 0.98)


def is_hidden_matrix(name: str, parameter: nn.Parameter) -> bool:
    """Tell whether Muon should move a parameter: a matrix inside the layers, not an embedding.

    >>> is_hidden_matrix("encoder.layers.0.mlp.fc1.weight", nn.Parameter(torch.zeros(2, 2)))
    True
    >>> is_hidden_matrix("model.embed_tokens.weight", nn.Parameter(torch.zeros(2, 2)))
    False
    """
    return parameter.ndim == 2 and any(part in name for part in _HIDDEN)


class MuonAdamW(torch.optim.Optimizer):
    """The two optimisers behind one interface, so that a Trainer can schedule and resume them."""

    def __init__(
        self,
        model: nn.Module,
        *,
        muon_learning_rate: float,
        learning_rate: float,
        decay: float,
        muon_decay: float,
    ) -> None:
        """Divide the parameters of `model` that are to be trained.

        Raises:
            ValueError: no trainable matrix lies inside a layer, so Muon has nothing to do.
        """
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        hidden = [p for n, p in named if is_hidden_matrix(n, p)]
        others = [p for n, p in named if not is_hidden_matrix(n, p)]
        if not hidden:
            raise ValueError("Muon needs weight matrices inside layers; this model trains none")
        muon = torch.optim.Muon(
            hidden, lr=muon_learning_rate, weight_decay=muon_decay, momentum=0.95
        )
        adamw = torch.optim.AdamW(others, lr=learning_rate, weight_decay=decay, betas=BETAS)
        self._parts: tuple[torch.optim.Optimizer, ...] = (muon, adamw)
        super().__init__([g for part in self._parts for g in part.param_groups], {})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every parameter once."""
        loss = None if closure is None else closure()
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Both states, in order."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` gave; the groups stay shared with the scheduler's view."""
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self.param_groups = [g for part in self._parts for g in part.param_groups]
