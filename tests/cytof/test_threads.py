"""Threads: order, one thread within each, and no library loaded that mapping does not need."""

from __future__ import annotations

import subprocess
import sys
import threading

import torch
from threadpoolctl import threadpool_info

from cellgan.cytof.threads import limited_threads, one_thread, side_by_side


def numbers() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info()}


def test_results_come_in_the_order_of_the_items_and_from_several_threads():
    meet = threading.Barrier(2, timeout=20)  # breaks, unless two items are worked on at a time

    def work(item: int) -> tuple[int, str]:
        meet.wait()
        return item, threading.current_thread().name

    with limited_threads(2):
        found = side_by_side(work, range(6))
    assert [item for item, _ in found] == list(range(6))
    assert len({name for _, name in found}) == 2


def test_within_one_of_them_libraries_compute_with_a_single_thread():
    with limited_threads(2):
        before = numbers()
        found = side_by_side(lambda _: numbers() | {torch.get_num_threads()}, range(2))
        assert found == [{1}, {1}]
        assert numbers() == before
        assert 2 in before


def test_the_callers_number_of_threads_comes_back():
    before = torch.get_num_threads()
    with limited_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        with one_thread():
            assert numbers() == {1}
    assert torch.get_num_threads() == before


def test_aligning_and_mapping_load_no_library_that_only_validation_needs():
    """scikit-learn takes a second to load: as long as playing the game."""
    code = """if True:
        import sys
        import cellgan

        a, b = cellgan.simulate(n_cells=120, n_markers=4, seed=0)
        found = cellgan.align([a, b], config=cellgan.AlignConfig(rounds=1, transform="arcsinh"))
        print(found.map(b, batch="batch2").shape, "sklearn" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
