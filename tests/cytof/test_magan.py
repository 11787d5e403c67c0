from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from cellgan.core import History, Match, play
from cellgan.core.losses import HINGE
from cellgan.cytof.magan import LabelledPairs, Magan, SharedMarkers, magan_for_cells
from cellgan.errors import ConfigError

A = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
B = torch.tensor([[1.0, 0.0], [2.0, 2.0]])
AB = torch.tensor([[0.0, 3.0], [1.0, 7.0]])  # a, mapped
BA = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 4.0]])  # b, mapped
BATCH = {"a": A, "b": B, "ab": AB, "ba": BA}


class Times(nn.Module):
    """Multiply all features by one number, keeping the first few."""

    def __init__(self, factor: float, n: int) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.n = n

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x[:, : self.n]


def test_shared_markers_are_compared_where_each_panel_has_them():
    known = SharedMarkers(columns_a=(2, 0), columns_b=(1, 0))
    # a's third with b's second, first with first: 3 and 3, 1 and 0, 6 and 7, 4 and 1; the other way
    # 0 and 0, 1 and 1, 4 and 2, 0 and 2.
    expected = (0 + 1 + 1 + 9) / 4 + (0 + 0 + 4 + 4) / 4
    assert float(known(BATCH, nn.Identity(), nn.Identity())) == pytest.approx(expected)


def test_all_markers_shared_is_the_same_with_and_without_naming_columns_in_order():
    batch = {"a": A, "b": A + 1, "ab": A + 2, "ba": A * 2}
    in_order = SharedMarkers((0, 1, 2), (0, 1, 2))(batch, nn.Identity(), nn.Identity())
    turned = SharedMarkers((2, 0, 1), (2, 0, 1))(batch, nn.Identity(), nn.Identity())
    assert float(in_order) == pytest.approx(float(turned))
    assert float(in_order) == pytest.approx(4 + float((A - 1).square().mean()))


def test_labelled_pairs_are_mapped_and_compared_whatever_the_mini_batch():
    known = LabelledPairs(A[:1, :2], B[:1])
    # (2, 4) with (1, 0) and (3, 0) with (1, 2).
    value = known({}, Times(2.0, 2), Times(3.0, 2))
    assert value.item() == pytest.approx((1 + 16) / 2 + (4 + 4) / 2)


def game(**changes) -> Magan:
    torch.manual_seed(0)
    made = Magan(
        nn.Linear(3, 2), nn.Linear(2, 3), nn.Linear(3, 1), nn.Linear(2, 1), SharedMarkers((0, 2), (1, 0))
    )
    return replace(made, **changes)


def terms(**changes) -> dict[str, dict[str, float]]:
    made = game(**changes)
    batch = {"a": A, "b": B}
    batch = {**batch, **made.translate(batch)}
    return {p.name: {name: t.item() for name, t in p.objective(batch).items()} for p in made.players()}


def test_terms_are_the_papers_with_weight_one():
    found = terms()
    made = game()
    ab, ba = made.generator_ab(A), made.generator_ba(B)
    aba, bab = made.generator_ba(ab), made.generator_ab(ba)
    d_a, d_b = (lambda x: made.discriminator_a(x).sigmoid()), (lambda x: made.discriminator_b(x).sigmoid())
    expected = {
        "discriminators": {
            "real": -d_a(A).log().mean() - d_b(B).log().mean(),
            "fake": -(1 - d_a(ba)).log().mean() - (1 - d_b(ab)).log().mean(),
            "reconstructed": -d_a(aba).log().mean() - d_b(bab).log().mean(),
        },
        "generators": {
            "fool": -d_b(ab).log().mean() - d_a(ba).log().mean(),
            "reconstruction": (A - aba).square().mean() + (B - bab).square().mean(),
            "correspondence": (A[:, [0, 2]] - ab[:, [1, 0]]).square().mean()
            + (B[:, [1, 0]] - ba[:, [0, 2]]).square().mean(),
        },
    }
    for player, values in expected.items():
        assert found[player] == pytest.approx({name: v.item() for name, v in values.items()}, rel=1e-5)


def test_switches_change_what_they_name_and_nothing_else():
    plain = terms()
    heavy = terms(correspondence_weight=2.0, reconstruction_weight=3.0)["generators"]
    assert heavy["correspondence"] == pytest.approx(2 * plain["generators"]["correspondence"])
    assert heavy["reconstruction"] == pytest.approx(3 * plain["generators"]["reconstruction"])
    assert heavy["fool"] == plain["generators"]["fool"]
    unseen = terms(reconstructions="unseen")["discriminators"]
    assert unseen == pytest.approx({name: plain["discriminators"][name] for name in ("real", "fake")})
    slope = terms(slope_weight=0.5)["discriminators"]["slope"]
    made = game()
    squares = made.discriminator_a.weight.square().sum() + made.discriminator_b.weight.square().sum()
    assert slope == pytest.approx(0.5 * squares.item() / 2)
    assert "correspondence" not in terms(correspondence=None)["generators"]
    assert terms(adversary=HINGE)["discriminators"]["real"] != plain["discriminators"]["real"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SharedMarkers((), ()), "at least one; got 0 and 0"),
        (lambda: SharedMarkers((0, 1), (0,)), "got 2 and 1"),
        (lambda: LabelledPairs(A, A[:1]), "got 2 and 1"),
        (lambda: game(correspondence_weight=0.0), "correspondence_weight=0.0 must be more than 0"),
        (lambda: game(reconstruction_weight=-1.0), "reconstruction_weight=-1.0"),
        (lambda: game(slope_weight=-1.0), "slope_weight=-1.0"),
        (lambda: magan_for_cells(3, 4, seed=0, generators="residual"), "got 3 and 4"),
    ],
)
def test_games_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_the_factory_makes_the_same_networks_of_the_same_seed_and_leaves_the_callers_randomness_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    one, same, other = (magan_for_cells(5, 4, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    x = torch.randn(7, 5)
    assert one.generator_ab(x).shape == (7, 4)
    assert one.discriminator_a(x).shape == (7, 1)
    assert torch.equal(one.generator_ab(x), same.generator_ab(x))
    assert not torch.equal(one.generator_ab(x), other.generator_ab(x))


def test_residual_generators_start_as_the_identity_and_learn_a_shift():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(2000, 4, generator=generator)
    b = torch.randn(2000, 4, generator=generator) + 1
    every = SharedMarkers(tuple(range(4)), tuple(range(4)))
    made = magan_for_cells(
        4, 4, seed=0, correspondence=every, correspondence_weight=0.1, generators="residual", hidden=(32,)
    )
    assert torch.equal(made.generator_ab(a), a)
    history = History()
    play(
        Match(made, seed=0),
        [{"a": a[i::10], "b": b[i::10]} for i in range(10)] * 40,
        rounds=400,
        watchers=[history],
    )
    with torch.no_grad():
        moved = (made.generator_ab(a) - a).mean(0)
    assert moved.tolist() == pytest.approx([1] * 4, abs=0.35)
    assert set(history.terms) == {
        "discriminators/real",
        "discriminators/fake",
        "discriminators/reconstructed",
        "generators/fool",
        "generators/reconstruction",
        "generators/correspondence",
    }
