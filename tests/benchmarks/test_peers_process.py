"""A row of the peers' table that goes wrong says why, and ends."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(scope="module")
def process(peers_module):
    return peers_module("process")


def python(process, code, timeout=60.0):
    return process.run(sys.executable, "-c", code, timeout=timeout)


def test_time_and_memory_of_a_process_that_ends_well(process):
    done = python(process, "import time; b = bytearray(100 * 2**20); time.sleep(0.2)")
    assert not done.failure
    assert done.seconds >= 0.2
    assert done.megabytes >= 100


def test_a_failure_gives_the_last_line_said(process):
    assert python(process, "raise KeyError('CD4')").failure == "exit 1: KeyError: 'CD4'"


def test_who_takes_too_long_is_ended(process):
    done = python(process, "import time; time.sleep(60)", timeout=0.5)
    assert done.failure == "not done after 0.5 s"
    assert done.seconds < 30


def test_a_command_that_is_not_there_is_a_failure(process):
    assert "no-such-command" in process.run("no-such-command", timeout=5).failure


def test_threads_are_limited_and_wait_without_spinning(process):
    code = "import os, sys; sys.exit(os.environ['OMP_NUM_THREADS'] + os.environ['OMP_WAIT_POLICY'])"
    assert python(process, code).failure == "exit 1: 2PASSIVE"
