"""Make the three small batches of this test: simulated cells, of which two batches drifted differently."""

from pathlib import Path

import cellgan

FOLDER = Path(__file__).parent / "data"


def main() -> None:
    """Write data/monday.h5ad, the reference, tuesday.h5ad and wednesday.h5ad."""
    monday, other = cellgan.simulate(n_cells=1200, n_markers=10, seed=0)
    tuesday, wednesday = other[:600].copy(), other[600:].copy()
    wednesday.X = wednesday.X * 1.4
    for name, cells in (("monday", monday), ("tuesday", tuesday), ("wednesday", wednesday)):
        del cells.layers
        cells.write_h5ad(FOLDER / f"{name}.h5ad", compression="gzip")


if __name__ == "__main__":
    main()
