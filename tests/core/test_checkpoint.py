from __future__ import annotations

import json
import os
import stat

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cellgan.core import Match, load_match, play, read_tensors, save_match, write_tensors
from cellgan.errors import ModelError, OutputError
from cellgan.images.gan import Gan

TENSORS = {
    "weights": torch.randn(3, 2),
    "counts": torch.tensor(5),
    "bytes": torch.arange(4, dtype=torch.uint8),
    "turned": torch.randn(2, 5).t(),
    "exact": torch.tensor([0.1], dtype=torch.float64),
}


def test_what_is_written_is_read(tmp_path):
    meta = {"markers": ["CD3", "γδ"], "sd": 0.1, "nested": {"a": None, "format": 7}}
    write_tensors(tmp_path / "model", TENSORS, meta)
    tensors, read = read_tensors(tmp_path / "model")
    assert read == meta
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_tensors_that_share_memory_are_written(tmp_path):
    tied = torch.randn(3)
    write_tensors(tmp_path / "model", {"a": tied, "b": tied}, {})
    tensors, _ = read_tensors(tmp_path / "model")
    assert torch.equal(tensors["a"], tensors["b"])


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "model"
    write_tensors(path, {"a": torch.zeros(2)}, {})
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="model: No space left on device"):
        write_tensors(path, {"a": torch.ones(2)}, {})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_usual_permissions(tmp_path):
    write_tensors(tmp_path / "model", {}, {})
    (tmp_path / "other").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("model", "other")]
    assert modes[0] == modes[1]


def test_a_missing_folder_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No such file"):
        write_tensors(tmp_path / "nowhere" / "model", {}, {})


def spoil(path, how: str) -> None:
    write_tensors(path, TENSORS, {})
    match how:
        case "missing":
            path.unlink()
        case "truncated":
            path.write_bytes(path.read_bytes()[:-10])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("markers: CD3, CD4, CD8\n" * 5)
        case "folder":
            path.unlink()
            path.mkdir()
        case "foreign":
            save_file(TENSORS | {"turned": torch.zeros(1)}, path)
        case "later":
            save_file({}, path, metadata={"cellgan": json.dumps({"format": 99, "meta": {}})})


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", "There is no file"),
        ("truncated", "Cannot read"),
        ("empty", "Cannot read"),
        ("text", "Cannot read"),
        ("folder", "Cannot read"),
        ("foreign", "cellgan did not write it"),
        ("later", "has format 99; this cellgan reads 1"),
    ],
)
def test_a_broken_file_is_a_model_error_with_its_name(tmp_path, how, message):
    path = tmp_path / "aligned.model"
    spoil(path, how)
    with pytest.raises(ModelError, match=message) as caught:
        read_tensors(path)
    assert "aligned.model" in str(caught.value)


def gan(width: int = 4) -> Gan:
    return Gan(nn.Linear(2, width), nn.Linear(width, 1), n_noise=2)


def test_a_match_of_another_game_is_refused(tmp_path):
    path = tmp_path / "match"
    save_match(Match(gan(), seed=0), path)
    with pytest.raises(ModelError, match="'discriminator' does not fit") as caught:
        load_match(Match(gan(5), seed=0), path)
    assert str(path) in str(caught.value)
    write_tensors(path, {}, {"config": {}})
    with pytest.raises(ModelError, match="holds no match, only config"):
        load_match(Match(gan(), seed=0), path)


def test_saving_does_not_disturb_a_match_and_carries_its_optimizers(tmp_path):
    x = {"x": torch.randn(8, 4)}
    match = Match(gan(), seed=0)
    play(match, [x] * 3, rounds=3)
    save_match(match, tmp_path / "match")
    loaded = Match(gan(), seed=9)
    load_match(loaded, tmp_path / "match")
    assert loaded.round == 3
    assert loaded.batches_drawn == 3
    moments = [
        seat.optimizer.state_dict()["state"][0]["exp_avg"] for m in (match, loaded) for seat in m.seats[:1]
    ]
    assert torch.equal(*moments)
    assert moments[0].abs().sum() > 0
