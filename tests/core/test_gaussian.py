from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from cellgan.core import seeded
from cellgan.core.losses import Gaussian
from cellgan.errors import ConfigError


def some(seed: int, n: int = 5) -> Gaussian:
    return Gaussian.of(torch.randn(n, 6, generator=torch.Generator().manual_seed(seed)))


def by_torch(gaussian: Gaussian) -> Independent:
    return Independent(Normal(gaussian.mean, (0.5 * gaussian.log_variance).exp()), 1)


def test_kl_is_torchs_own_and_nothing_from_itself():
    q, p = some(0), some(1)
    assert float(q.kl(p)) == pytest.approx(float(kl_divergence(by_torch(q), by_torch(p)).mean()), rel=1e-5)
    unit = Gaussian(torch.zeros(5, 3), torch.zeros(5, 3))
    assert float(q.kl()) == pytest.approx(float(q.kl(unit)), rel=1e-6)
    assert float(q.kl(q)) == pytest.approx(0, abs=1e-6)


def test_draws_have_the_mean_the_variance_and_a_slope():
    mean = torch.full((20000, 1), 2.0, requires_grad=True)
    log_variance = torch.full((20000, 1), -1.0, requires_grad=True)
    with seeded(0):
        draws = Gaussian(mean, log_variance).draw()
    assert float(draws.detach().mean()) == pytest.approx(2.0, abs=0.02)
    assert float(draws.detach().var()) == pytest.approx(torch.tensor(-1.0).exp().item(), rel=0.03)
    slope_m, slope_v = torch.autograd.grad(draws.square().mean(), (mean, log_variance))
    # E draw² = μ² + σ², so its slopes are 2 μ and, in log σ², σ².
    assert float(slope_m.sum()) == pytest.approx(4.0, abs=0.05)
    assert float(slope_v.sum()) == pytest.approx(torch.tensor(-1.0).exp().item(), rel=0.05)


def test_an_odd_width_is_refused():
    with pytest.raises(ConfigError, match="width of 5"):
        Gaussian.of(torch.zeros(2, 5))
