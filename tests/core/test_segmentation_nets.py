"""Networks and losses of images."""

from __future__ import annotations

import pytest
import torch

from cellgan.core import seeded
from cellgan.core.losses import soft_dice
from cellgan.core.nets import Committee, UNet, patch_discriminator
from cellgan.errors import ConfigError


@pytest.fixture
def image():
    return torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def test_a_unet_gives_a_map_for_each_label_at_full_size(image):
    with seeded(0):
        net = UNet(3, 4, width=4)
    assert net(image).shape == (2, 4, 32, 48)
    assert [block[0].out_channels for block in net.down] == [4, 8, 16, 32, 64]
    with pytest.raises(ConfigError, match=r"multiples of 16, not \(30, 48\)"):
        net(image[:, :, :30])
    with pytest.raises(ConfigError, match="width=0"):
        UNet(3, 4, width=0)


def test_a_unet_sees_each_pixel_and_far_around_it(image):
    with seeded(0):
        net = UNet(3, 2, width=4)
    at = image.clone().requires_grad_()
    (slope,) = torch.autograd.grad(net(at)[0, 1, 16, 24], at)
    assert slope[0, :, 16, 24].abs().min() > 0
    assert (slope[0].abs().sum(0) > 0).float().mean() > 0.9
    assert (slope[1] == 0).all()  # each image by itself


def test_a_unet_draws_a_line_one_pixel_wide():
    # Without the way past the lower levels a map is as coarse as they are.
    with seeded(0):
        net = UNet(1, 2, width=4)
        x = torch.zeros(1, 1, 32, 32)
        x[0, 0, 13] = 1
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(40):
            loss = torch.nn.functional.cross_entropy(net(x), x[:, 0].long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert (net(x).argmax(1) == x[:, 0]).float().mean() > 0.99


def test_a_committee_averages_probabilities(image):
    with seeded(0):
        net = Committee(3, 4, width=2, members=2)
    one, other = net.each(image)
    assert not torch.allclose(one, other)  # they start from weights of their own
    expected = (one.softmax(1) + other.softmax(1)) / 2
    torch.testing.assert_close(net(image).softmax(1), expected)
    torch.testing.assert_close(net(image).exp(), expected)
    with pytest.raises(ConfigError, match="0 members"):
        Committee(3, 4, members=0)


def test_a_committee_of_one_is_a_unet(image):
    with seeded(0):
        net = Committee(3, 4, width=2)
    with seeded(0):
        expected = UNet(3, 4, width=2)(image)
    assert torch.equal(net(image), expected)
    assert torch.equal(net.head(net.body(image)), expected)


def test_a_committee_takes_another_body_and_leaves_its_own_alone(image):
    with seeded(0):
        net, other = (Committee(3, 4, width=2, members=2) for _ in range(2))
    before, moved = net(image), net.with_body(other.body)
    assert torch.equal(moved(image), net.head(other.body(image)))
    assert torch.equal(net(image), before)


def test_committees_decide_together_and_are_left_alone(image):
    with seeded(0):
        one, two = Committee(3, 4, width=2), Committee(3, 4, width=2, members=2)
    before = [net(image).softmax(1) for net in (one, two)]
    both = one.with_members_of(two)
    torch.testing.assert_close(both(image).softmax(1), (before[0] + 2 * before[1]) / 3)
    assert all(torch.equal(net(image).softmax(1), p) for net, p in zip((one, two), before, strict=True))


def test_a_discriminator_scores_neighbourhoods(image):
    with seeded(0):
        net = patch_discriminator(3, width=4, halvings=3)
    assert net(image).shape == (2, 1, 4, 6)
    with pytest.raises(ConfigError, match="halvings=0"):
        patch_discriminator(3, halvings=0)


def test_soft_dice_of_certain_maps_is_dice():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randint(0, 3, (4, 20, 20), generator=generator) for _ in range(2))
    one, other = (torch.nn.functional.one_hot(m, 3).movedim(-1, 1).float() for m in (a, b))
    truth = sum(2 * ((a == k) & (b == k)).sum() / ((a == k).sum() + (b == k).sum()) for k in (1, 2)) / 2
    assert soft_dice(one, other).item() == pytest.approx(1 - truth.item(), abs=1e-3)
    assert soft_dice(one, one).item() == pytest.approx(0, abs=1e-6)


def test_soft_dice_says_where_to_go_when_the_label_is_not_there():
    p = torch.full((1, 2, 8, 8), 0.5, requires_grad=True)
    nothing = torch.stack([torch.ones(1, 8, 8), torch.zeros(1, 8, 8)], 1)
    (slope,) = torch.autograd.grad(soft_dice(p, nothing), p)
    assert torch.isfinite(slope).all()
    assert (slope[:, 1] > 0).all()
    assert (slope[:, 0] == 0).all()
