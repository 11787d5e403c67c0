from __future__ import annotations

import io

import pytest
import torch
from torch import nn

from cellgan.core import EarlyStop, History, Match, ProgressBar, SaveEvery, every, load_match, play
from cellgan.errors import ConfigError
from cellgan.images.gan import Gan

X = {"x": torch.randn(8, 4, generator=torch.Generator().manual_seed(0))}
BATCHES = [X] * 30


def match(*, dropout: float = 0.0) -> Match:
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Dropout(dropout))
    return Match(Gan(generator, nn.Linear(4, 1), n_noise=2), seed=0)


def test_every_watches_each_nth_round_and_the_last():
    seen, history = [], History()
    play(match(), BATCHES, rounds=8, watchers=[every(3, lambda r: seen.append(r.round)), every(5, history)])
    assert seen == [3, 6, 8]
    assert history.rounds == [5, 8]


def test_history_is_what_was_reported_also_beyond_what_it_holds_on_the_device(monkeypatch):
    monkeypatch.setattr(History, "_HELD", 10)
    seen, history = [], History()
    play(match(), BATCHES, rounds=25, watchers=[history, lambda r: seen.append(r.values())])
    assert history.rounds == list(range(1, 26))
    assert list(history.terms) == ["discriminator/real", "discriminator/fake", "generator/fool"]
    for name, values in history.terms.items():
        assert values == [report[name] for report in seen]


def test_a_watcher_that_uses_the_networks_changes_nothing():
    alone, watched = match(dropout=0.3), match(dropout=0.3)
    modes = []

    def meddle(report):
        generator = report.match.game.generator
        generator(torch.randn(8, 2))  # batch statistics, dropout and randomness, were it in training mode
        modes.append((generator.training, torch.is_grad_enabled()))

    play(alone, BATCHES, rounds=4)
    play(watched, BATCHES, rounds=4, watchers=[meddle])
    assert modes == [(False, False)] * 4
    for one, other in zip(alone.networks.values(), watched.networks.values(), strict=True):
        for name, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name


def test_early_stop_ends_play_after_patience_without_a_new_best():
    scores = iter([1, 3, 2, 3, 2.5, 9])
    stop, game = EarlyStop(lambda _: next(scores), patience=3), match()
    play(game, BATCHES, rounds=100, watchers=[every(2, stop)])
    assert game.round == 10
    assert (stop.best, stop.best_round) == (3, 4)


def test_save_every_leaves_a_file_to_go_on_from(tmp_path):
    through, stopped, resumed = match(dropout=0.3), match(dropout=0.3), match(dropout=0.3)
    play(through, BATCHES, rounds=7)
    rounds = []

    def stop_at_6(report):
        load_match(resumed, tmp_path / "match")
        rounds.append(resumed.round)

    play(stopped, BATCHES, rounds=6, watchers=[SaveEvery(4, tmp_path / "match"), every(5, stop_at_6)])
    assert rounds == [4, 6]
    play(resumed, BATCHES, rounds=1)
    for name, network in through.networks.items():
        for key, value in network.state_dict().items():
            assert torch.equal(value, resumed.networks[name].state_dict()[key])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only():
    terminal, pipe = Terminal(), io.StringIO()
    play(match(), BATCHES, rounds=20, watchers=[ProgressBar(terminal, label="aligning"), ProgressBar(pipe)])
    assert pipe.getvalue() == ""
    drawn = terminal.getvalue().split("\r")
    assert drawn[1].startswith("aligning ")
    assert " 20/20" in drawn[-1]
    assert terminal.getvalue().endswith("\n")
    assert len(drawn) < 12  # about ten times a second, not every round


def test_a_watcher_cannot_play_the_match_it_watches():
    with pytest.raises(ConfigError, match="being played already"):
        play(match(), BATCHES, rounds=1, watchers=[lambda r: play(r.match, BATCHES, rounds=1)])


@pytest.mark.parametrize("make", [lambda: every(0, History()), lambda: EarlyStop(len, patience=0)])
def test_watching_never_is_refused(make):
    with pytest.raises(ConfigError):
        make()
