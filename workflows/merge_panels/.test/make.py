"""Make the two small panels of this test: simulated cells; each lacks a marker of the other's."""

from pathlib import Path

import cellgan

FOLDER = Path(__file__).parent / "data"


def main() -> None:
    """Write data/panel_a.h5ad, the reference, and panel_b.h5ad."""
    a, b = cellgan.simulate(n_cells=800, n_markers=9, seed=0)
    for name, cells in (("panel_a", a[:, :-1].copy()), ("panel_b", b[:, 1:].copy())):
        del cells.layers
        cells.write_h5ad(FOLDER / f"{name}.h5ad", compression="gzip")


if __name__ == "__main__":
    main()
