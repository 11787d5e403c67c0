from __future__ import annotations

import torch

from cellgan.core.nets import from_image_mlp, image_mlp


def test_perceptrons_take_and_give_images():
    shape = (3, 4, 5)
    x = torch.randn(7, *shape)
    made = image_mlp(60, shape, hidden=(8,))(10 * x)
    assert made.shape == x.shape
    assert float(made.detach().abs().max()) <= 1
    wide = image_mlp(60, shape, hidden=(8,), bounded=False)(1000 * x)
    assert float(wide.detach().abs().max()) > 1
    assert from_image_mlp(shape, 2, hidden=(8,))(x).shape == (7, 2)
