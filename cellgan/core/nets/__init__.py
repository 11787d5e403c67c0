"""Plain networks; a game takes any ``nn.Module``."""

from cellgan.core.nets.mlp import mlp
from cellgan.core.nets.residual import Residual, residual_mlp

__all__ = ["Residual", "mlp", "residual_mlp"]
