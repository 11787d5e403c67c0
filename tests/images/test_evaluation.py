"""Each figure against a closed form or a known answer."""

from __future__ import annotations

import math

import pytest
import torch

from cellgan.core import seeded
from cellgan.core.losses import squared_mmd
from cellgan.errors import ConfigError, InputError
from cellgan.images.evaluation.frechet import frechet_distance
from cellgan.images.evaluation.human import clopper_pearson, judge, sheet
from cellgan.images.evaluation.inception_score import class_score
from cellgan.images.evaluation.kernel_test import kernel_test
from cellgan.images.evaluation.memorisation import memorisation
from cellgan.images.evaluation.modes import count_modes
from cellgan.images.evaluation.neighbours import neighbourhoods
from cellgan.images.evaluation.parzen import parzen
from cellgan.images.evaluation.sliced_wasserstein import sliced_wasserstein


@pytest.fixture(autouse=True)
def _seeded():
    with seeded(0):
        yield


def test_parzen_finds_the_likelihood_in_two_dimensions_and_not_in_64():
    def mixture(n: int, d: int) -> torch.Tensor:
        return torch.randn(n, d) * 0.5 + 2.0 * torch.randint(2, (n, 1))

    def truth(x: torch.Tensor) -> float:
        d = x.shape[1]
        parts = [-(x - m).square().sum(1) / 0.5 - 0.5 * d * math.log(0.5 * math.pi) for m in (0, 2)]
        return float((torch.logsumexp(torch.stack(parts), 0) - math.log(2)).mean())

    generated, validation, test = (mixture(n, 2) for n in (3000, 300, 500))
    found = parzen(generated, validation, test)
    assert found.log_likelihood == pytest.approx(truth(test), abs=0.1)
    assert found.sigma in {0.12, 0.2, 0.3}
    generated, validation, test = (mixture(n, 64) for n in (2000, 200, 300))
    assert parzen(generated, validation, test).log_likelihood < truth(test) - 5
    with pytest.raises(ConfigError, match="above 0"):
        parzen(generated, validation, test, sigmas=[0.0])


def test_the_class_score_runs_from_1_to_the_number_of_classes():
    assert class_score(torch.eye(10).repeat(7, 1)) == pytest.approx(10)
    assert class_score(torch.eye(10)[:1].repeat(7, 1)) == pytest.approx(1)
    assert class_score(torch.full((7, 10), 0.1)) == pytest.approx(1)
    assert class_score(torch.eye(10)[torch.arange(30) % 3]) == pytest.approx(3)


def test_the_frechet_distance_of_gaussians():
    x = torch.randn(20000, 3) @ torch.diag(torch.tensor([1.0, 2.0, 0.5]))
    y = torch.randn(20000, 3) + torch.tensor([1.0, 0.0, -2.0])
    closed = 1 + 4 + 0 + (2 - 1) ** 2 + (0.5 - 1) ** 2  # axes are shared: (s - t)² of each, beside the means
    assert frechet_distance(x, y) == pytest.approx(closed, rel=0.03)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x[:, :1], x[:, :1] + 3) == pytest.approx(9)
    with pytest.raises(InputError, match="1 and 20000 rows"):
        frechet_distance(x[:1], y)


def test_mmd_is_that_of_a_loop_and_unbiased():
    x, y = torch.randn(6, 2), torch.randn(5, 2) + 1

    def kernel(a: torch.Tensor, b: torch.Tensor) -> float:
        return sum(math.exp(-float((a - b).square().sum()) / (2 * s * s)) for s in (0.5, 2.0))

    def mean(a: torch.Tensor, b: torch.Tensor) -> float:
        same = a is b
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not same or i != j]
        return sum(kernel(a[i], b[j]) for i, j in pairs) / len(pairs)

    expected = mean(x, x) + mean(y, y) - 2 * mean(x, y)
    assert float(squared_mmd(x, y, bandwidths=(0.5, 2.0))) == pytest.approx(expected, abs=1e-6)
    same = [float(squared_mmd(torch.randn(20, 2), torch.randn(20, 2), bandwidths=(1.0,))) for _ in range(300)]
    assert abs(sum(same) / 300) < 0.003
    assert min(same) < 0


def test_the_closed_form_of_mmd_between_gaussians():
    # For N(0, 1), N(d, 1) in one dimension and bandwidth s: 2 c (1 - exp(-d² / 2(s² + 2))), c = s / √(s² + 2)
    s, d = 1.0, 1.5
    c = s / math.sqrt(s * s + 2)
    closed = 2 * c * (1 - math.exp(-d * d / (2 * (s * s + 2))))
    found = squared_mmd(torch.randn(1500, 1), torch.randn(1500, 1) + d, bandwidths=(s,))
    assert float(found) == pytest.approx(closed, rel=0.08)


def test_the_kernel_test_is_level_and_sees_a_shift():
    p = [kernel_test(torch.randn(60, 2), torch.randn(60, 2), deals=50, seed=i).p for i in range(60)]
    assert sum(value <= 0.1 for value in p) <= 13  # six expected; beyond 13 is one chance in 300
    assert kernel_test(torch.randn(60, 2), torch.randn(60, 2) + 1, deals=50).p < 0.03


def test_sliced_wasserstein_of_a_shift():
    # Along a random line a shift of length L in d dimensions is L E|u₁|, and E|u₁| = 1/2 for d = 3.
    x = torch.randn(500, 3)
    shift = torch.tensor([2.0, 1.0, -2.0])
    assert sliced_wasserstein(x, x + shift, directions=1000) == pytest.approx(1.5, rel=0.05)
    assert sliced_wasserstein(x, x) == 0


def test_neighbourhoods_know_what_is_missing_and_what_is_made_up():
    left, right = torch.randn(300, 2), torch.randn(300, 2) + 20
    both = torch.cat([left, right])
    dropped = neighbourhoods(torch.randn(300, 2), both)
    assert dropped.precision > 0.9
    assert dropped.recall == pytest.approx(0.5, abs=0.07)
    assert dropped.coverage == pytest.approx(0.5, abs=0.07)
    made_up = neighbourhoods(torch.cat([torch.randn(300, 2), torch.randn(300, 2) - 20]), left)
    assert made_up.precision == pytest.approx(0.5, abs=0.07)
    assert made_up.recall > 0.9
    same = neighbourhoods(torch.randn(1000, 2), torch.randn(1000, 2))
    assert same.density == pytest.approx(1, abs=0.1)
    assert same.coverage == pytest.approx(1 - 0.5**5, abs=0.02)  # its mean, by Naeem et al., for equal sizes
    with pytest.raises(InputError, match="more than k=5"):
        neighbourhoods(left[:5], right)


def test_memorisation_is_1_for_fresh_data_and_0_for_copies():
    train, held, fresh = (torch.randn(1000, 4) for _ in range(3))
    assert memorisation(fresh, train, held) == pytest.approx(1, abs=0.08)
    assert memorisation(train[:300], train, held) == 0
    assert memorisation(train[:300] + 0.05 * torch.randn(300, 4), train, held) < 0.4


def test_modes_need_a_hundredth_of_the_points():
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    points = centres[torch.tensor([0] * 600 + [1] * 395 + [2] * 5)] + 0.01
    found = count_modes(points, centres, sd=0.1)
    assert found.found == 2
    assert found.inside == 1
    assert count_modes(points + 0.5, centres, sd=0.1).inside == 0


def test_a_sheet_hides_the_answer_and_its_interval_is_exact():
    real, generated = torch.ones(40, 1, 4, 4), -torch.ones(40, 1, 4, 4)
    made = sheet(real, generated, seed=3)
    assert made == sheet(real, generated, seed=3)
    assert 10 < made.key.count("left") < 30
    assert "Pair 40" in made.page
    judged = judge(made.key, made.key)
    assert (judged.right, judged.share, judged.told_apart) == (40, 1.0, True)
    assert judge(["left"] * 40, made.key).told_apart is False
    with pytest.raises(InputError, match="39 answers"):
        judge(["left"] * 39, made.key)
    with pytest.raises(InputError, match="left or right for each"):
        judge(["maybe"] * 40, made.key)


def test_clopper_pearson_against_its_closed_forms():
    assert clopper_pearson(0, 10) == pytest.approx((0, 1 - 0.025 ** (1 / 10)))
    assert clopper_pearson(10, 10) == pytest.approx((0.025 ** (1 / 10), 1))
    assert clopper_pearson(50, 100) == pytest.approx((0.3983, 0.6017), abs=1e-4)
