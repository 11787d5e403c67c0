"""Work in several processes: all of it is done, mistakes come back, and no process is left."""

from __future__ import annotations

import operator
import os
import signal
from multiprocessing import active_children

import pytest

from cellgan.cytof.config import AlignConfig
from cellgan.cytof.hold_out_choice import check_settings
from cellgan.cytof.processes import in_processes
from cellgan.errors import CellganError, ConfigError

PID = "__import__('os').getpid()"


def test_every_item_is_done_once():
    found = dict(in_processes(operator.pow, 2, [3, 1, 4, 5, 9], jobs=2))
    assert found == {3: 8, 1: 2, 4: 16, 5: 32, 9: 512}
    assert active_children() == []


def test_with_one_job_it_is_done_here_and_with_two_elsewhere():
    assert list(in_processes(operator.call, eval, [PID], jobs=2)) == [(PID, os.getpid())]  # one item
    pids = {pid for _, pid in in_processes(operator.call, eval, [PID, PID + " "], jobs=2)}
    assert os.getpid() not in pids
    assert list(in_processes(operator.pow, 2, [], jobs=2)) == []


def test_a_mistake_of_the_user_comes_back():
    with pytest.raises(ConfigError, match="jobs is 0"):
        dict(in_processes(check_settings, AlignConfig(), [1, 0], jobs=2))
    assert active_children() == []


def test_a_process_that_is_killed_is_noticed():
    with pytest.raises(CellganError, match=r"worked on 9 was killed \(SIGKILL\).*fewer jobs"):
        dict(in_processes(operator.call, signal.raise_signal, [signal.SIGKILL, signal.SIGCONT], jobs=2))
    assert active_children() == []


def test_a_mistake_of_ours_ends_it(capfd):
    with pytest.raises(CellganError, match="exit code 1"):
        dict(in_processes(operator.call, eval, ["1/0", "2"], jobs=2))
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert active_children() == []


def test_nothing_is_left_when_nobody_waits_any_more():
    work = in_processes(operator.call, eval, ["1", "__import__('time').sleep(60)"], jobs=2)
    assert next(work) == ("1", 1)
    assert len(active_children()) == 2
    work.close()
    assert active_children() == []


def test_interrupts_are_heard_here_alone():
    ask = "__import__('signal').getsignal(2) == __import__('signal').SIG_IGN"
    before = signal.getsignal(signal.SIGINT)
    assert dict(in_processes(operator.call, eval, [ask, ask + " "], jobs=2)) == {ask: True, ask + " ": True}
    assert signal.getsignal(signal.SIGINT) is before
