"""Several processes play one match as one process does; precision and compiling are chosen beside that."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from cellgan.core import Batches, Execution, History, Match, Player, Processes, joined, pick, play
from cellgan.core.losses import NON_SATURATING
from cellgan.core.nets import mlp
from cellgan.errors import ConfigError

ROUNDS, SIZE = 12, 32


@dataclass
class Gan:
    """A GAN whose noise comes with the mini-batch, so that nothing is drawn while it is played."""

    generator: nn.Module
    discriminator: nn.Module

    def players(self):
        return (
            Player("discriminator", {"discriminator": self.discriminator}, self.discriminate, updates=2),
            Player("generator", {"generator": self.generator}, self.generate, forward=self.draw),
        )

    def spectators(self):
        return {}

    def draw(self, batch):
        return {"fake": self.generator(batch["z"])}

    def discriminate(self, batch):
        real, fake = self.discriminator(batch["x"]), self.discriminator(batch["fake"])
        return {"real": NON_SATURATING.real(real), "fake": NON_SATURATING.fake(fake)}

    def generate(self, batch):
        return {"fool": NON_SATURATING.fool(self.discriminator(batch["fake"]))}


def played(seed: int, execution: Execution = Execution(), device: str = "cpu") -> tuple[Gan, History]:  # noqa: B008
    torch.manual_seed(seed)
    game = Gan(generator=mlp(4, 2, hidden=(16,)), discriminator=mlp(2, 1, hidden=(16,)))
    stream = torch.Generator().manual_seed(0)
    tables = {"x": torch.randn(200, 2, generator=stream) + 2, "z": torch.randn(300, 4, generator=stream)}
    history = History()
    match = Match(game, seed=0, device=device, execution=execution)
    play(match, Batches(tables, size=SIZE, seed=0, device=device), rounds=ROUNDS, watchers=[history])
    return game, history


def main(out: Path) -> None:
    """Be one of several processes: begin with other weights, and write down what was seen."""
    torch.set_num_threads(1)
    with joined(torch.device("cpu")) as processes:
        game, history = played(processes.rank, Execution(processes=processes))
        lines = [[float(v) for v in values] for _, values in sorted(history.terms.items())]
        weights = [float(p.detach().sum()) for p in game.generator.parameters()]
        out.with_suffix(f".{processes.rank}").write_text(repr([lines, weights]), encoding="utf-8")


def torchrun(out: Path, count: int) -> None:
    """Start processes as torchrun does, by the environment that it gives them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    running = [
        subprocess.Popen(
            [sys.executable, __file__, str(out)],
            env={**os.environ, **told, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(count)
    ]
    for process in running:
        assert process.wait(timeout=300) == 0


def test_two_processes_play_as_one_with_twice_the_batch(tmp_path):
    torchrun(tmp_path / "seen", 2)
    seen = [eval((tmp_path / f"seen.{rank}").read_text()) for rank in range(2)]  # noqa: S307 - our own
    assert seen[0] == seen[1]
    game, history = played(0)
    alone = [values for _, values in sorted(history.terms.items())]
    torch.testing.assert_close(torch.tensor(seen[0][0]), torch.tensor(alone), rtol=1e-4, atol=1e-6)
    weights = torch.tensor([float(p.detach().sum()) for p in game.generator.parameters()])
    torch.testing.assert_close(torch.tensor(seen[0][1]), weights, rtol=1e-4, atol=1e-5)


def test_each_process_has_its_own_rows_and_its_own_noise():
    batch = {"x": torch.arange(6)}
    parts = [Processes(rank, 3).part(batch)["x"].tolist() for rank in range(3)]
    assert parts == [[0, 1], [2, 3], [4, 5]]
    state = {"cpu": torch.get_rng_state()}
    streams = [Processes(rank, 3).stream(state, torch.device("cpu"))["cpu"] for rank in range(3)]
    assert torch.equal(streams[0], state["cpu"])
    assert not torch.equal(streams[1], streams[2])
    with pytest.raises(ConfigError, match="6 rows of 'x', which 4 processes cannot share evenly"):
        Processes(0, 4).part(batch)


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(torch.device("cpu")) as processes:
        assert processes == Processes(0, 1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with (
        pytest.raises(ConfigError, match="Several processes cannot train on 'mps'"),
        joined(torch.device("mps")),
    ):
        pass
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="the others were not found"), joined(torch.device("cpu")):
        pass


def test_mixed_precision_rounds_objectives_and_nothing_else():
    exact, seen = played(0)
    mixed, rounded = played(0, Execution(precision="bfloat16"))
    assert all(p.dtype == torch.float32 for p in mixed.generator.parameters())
    pairs = [(seen.terms[name], rounded.terms[name]) for name in seen.terms]
    assert all(a != b for a, b in pairs)
    for a, b in pairs:
        torch.testing.assert_close(torch.tensor(a), torch.tensor(b), rtol=0.05, atol=0.02)
    with pytest.raises(ConfigError, match="precision is 'float16'; expected 'float32' or 'bfloat16'"):
        Execution(precision="float16")  # type: ignore[arg-type]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU of NVIDIA's")
@pytest.mark.parametrize(
    "execution", [Execution(), Execution("bfloat16"), Execution("bfloat16", compiled=True)]
)
def test_a_gpu_plays_as_the_cpu_does(execution):
    _, there = played(0, execution, str(pick("cuda")))
    _, here = played(0)
    for name, values in here.terms.items():
        torch.testing.assert_close(
            torch.tensor(there.terms[name]), torch.tensor(values), rtol=0.05, atol=0.02
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
