"""What must be settled before any test imports a numeric library."""

import os
import sys

import pytest

# Threads that wait by spinning make every parallel fit many times slower beside a busy neighbour.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Where several processes share the tests (pytest -n), each has one thread.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True)
def same_draws():
    """Begin each test at the same place of torch's own stream, for those that draw without a seed."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(0)
