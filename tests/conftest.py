"""What must be settled before any test imports a numeric library."""

import os

# Threads that wait by spinning make every parallel fit many times slower beside a busy neighbour.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Where several processes share the tests (pytest -n), each has one thread.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
