"""Adam (Kingma and Ba 2015), around torch's own arithmetic.

`torch.optim.Adam` loads torch's compiler on its first step, which takes about two seconds: as long as a short
game. The function underneath does not, and is the same to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.optim.adam import adam

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor, nn

EPS = 1e-8


class AdamOptimizer:
    """Moves parameters by their gradients; the moments start when a parameter has its first gradient.

    Parameters
    ----------
    parameters
        What moves.
    lr
        Learning rate.
    betas
        Decay of the two moving averages.
    decay_steps
        Steps after which the learning rate, falling in a straight line, is nothing; None keeps it.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        *,
        lr: float,
        betas: tuple[float, float],
        decay_steps: int | None = None,
    ) -> None:
        self._parameters = list(parameters)
        self._lr = lr
        self._betas = betas
        self._decay_steps = decay_steps
        self._steps = 0
        self._fused = all(
            p.device.type in {"cpu", "cuda"} and p.is_floating_point() for p in self._parameters
        )
        self._moments: dict[int, dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        moving = [number for number, p in enumerate(self._parameters) if p.grad is not None]
        if not moving:
            return
        moments = [self._of(number) for number in moving]
        parameters = [self._parameters[number] for number in moving]
        left = 1.0 if self._decay_steps is None else max(0.0, 1 - self._steps / self._decay_steps)
        self._steps += 1
        adam(
            list(parameters),
            [p.grad for p in parameters if p.grad is not None],
            [own["exp_avg"] for own in moments],
            [own["exp_avg_sq"] for own in moments],
            [],
            [own["step"] for own in moments],
            fused=self._fused,
            amsgrad=False,
            beta1=self._betas[0],
            beta2=self._betas[1],
            lr=left * self._lr,
            weight_decay=0.0,
            eps=EPS,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the moments by the parameter's number, and how many steps were taken."""
        return {
            "state": {number: dict(own) for number, own in self._moments.items()},
            "steps": self._steps,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take moments back; ValueError where they are not of these parameters."""
        moments = {}
        for key, own in state_dict["state"].items():
            number = int(key)
            if not number < len(self._parameters) or own["exp_avg"].shape != self._parameters[number].shape:
                msg = f"its moments do not have the shapes of {len(self._parameters)} parameters"
                raise ValueError(msg)
            device = self._parameters[number].device
            moments[number] = {
                "step": own["step"].to(device if self._fused else "cpu"),
                "exp_avg": own["exp_avg"].to(device),
                "exp_avg_sq": own["exp_avg_sq"].to(device),
            }
        self._moments = moments
        self._steps = int(state_dict.get("steps", 0))

    def _of(self, number: int) -> dict[str, Tensor]:
        if number not in self._moments:
            parameter = self._parameters[number]
            step = torch.zeros((), device=parameter.device if self._fused else None)
            self._moments[number] = {
                "step": step,
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
        return self._moments[number]
