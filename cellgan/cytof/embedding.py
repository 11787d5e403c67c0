"""A two-dimensional map of cells: UMAP through scanpy, with the neighbour graph made here.

umap-learn compiles its graph code anew in every process: several seconds, for a graph that takes a tenth of
one. The layout, which is the larger part of the method, is scanpy's and umap-learn's own.

References
----------
L. McInnes, J. Healy, J. Melville: UMAP: Uniform Manifold Approximation and Projection for Dimension
Reduction, arXiv:1802.03426 (2018), section 4.1, algorithms 1 to 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

NEIGHBOURS = 15
EPOCHS = 200
SIGMA_FLOOR = 1e-3  # of the mean distance: a cell among many equal ones still has a width


def embed(cells: NDArray[np.floating], *, seed: int) -> NDArray[np.floating]:
    """Lay cells out in the plane, so that neighbours stay neighbours.

    Parameters
    ----------
    cells
        Shape ``(n_cells, n_markers)``, at least 4 cells.
    seed
        Seed of the layout.

    Returns
    -------
    Positions, shape ``(n_cells, 2)``, float32; the same for the same input, machine and seed.
    """
    import scanpy
    from anndata import AnnData

    cells = _float32(cells)
    adata = AnnData(cells)
    n_neighbors = min(NEIGHBOURS, len(cells) - 1)
    adata.obsp["connectivities"] = fuzzy_graph(cells, n_neighbors)
    parameters = {"method": "umap", "n_neighbors": n_neighbors, "metric": "euclidean", "use_rep": "X"}
    adata.uns["neighbors"] = {"connectivities_key": "connectivities", "params": parameters}
    # A little noise parts equal cells, which the layout could never part, and gives a flat direction a width.
    noise = np.random.default_rng(seed).normal(scale=1e-3, size=(len(cells), 2))
    adata.obsm["start"] = _float32(_principal_plane(cells) + noise)
    scanpy.tl.umap(adata, maxiter=EPOCHS, init_pos="start", random_state=seed)
    return _float32(adata.obsm["X_umap"])


def fuzzy_graph(cells: NDArray[np.floating], n_neighbors: int) -> csr_matrix:
    """Weigh who is whose neighbour: the fuzzy simplicial set of the paper.

    The edge of cell i to its neighbour at distance d weighs ``exp(-max(0, d - rho_i) / sigma_i)``. ``rho_i``
    is its smallest distance above zero, ``sigma_i`` makes the weights sum to ``log2(n_neighbors)``. The two
    directions of an edge join by the probabilistic or, ``a + b - a * b``.

    Parameters
    ----------
    cells
        Shape ``(n_cells, n_markers)``.
    n_neighbors
        Size of a neighbourhood, the cell itself included, as in umap-learn; from 2 to ``n_cells``.

    Returns
    -------
    Symmetric weights in [0, 1], shape ``(n_cells, n_cells)``, zero diagonal.
    """
    from scipy.sparse import csr_matrix
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=n_neighbors - 1).fit(cells)
    distance, neighbour = search.kneighbors()
    rho = np.min(np.where(distance > 0, distance, np.inf), axis=1, keepdims=True)
    rho[~np.isfinite(rho)] = 0.0
    excess = np.maximum(distance - rho, 0.0)
    sigma = _widths(excess, np.log2(n_neighbors))
    sigma = np.maximum(sigma, SIGMA_FLOOR * np.maximum(distance.mean(axis=1, keepdims=True), 1e-12))
    weights = np.exp(-excess / sigma).astype(np.float32)
    starts = np.arange(len(cells) + 1) * (n_neighbors - 1)
    directed = csr_matrix((weights.ravel(), neighbour.ravel(), starts), shape=(len(cells), len(cells)))
    reverse = directed.T.tocsr()
    graph: csr_matrix = (directed + reverse - directed.multiply(reverse)).tocsr()
    graph.sort_indices()
    return graph


def _widths(excess: NDArray[np.floating], target: float) -> NDArray[np.floating]:
    """Find, by bisection, the widths at which each row's weights sum to the target."""
    low = np.zeros((len(excess), 1))
    high = np.full((len(excess), 1), max(float(excess.max()), 1e-12) * 64)
    for _ in range(64):
        middle = (low + high) / 2
        too_wide = np.exp(-excess / np.maximum(middle, 1e-300)).sum(axis=1, keepdims=True) > target
        high = np.where(too_wide, middle, high)
        low = np.where(too_wide, low, middle)
    return np.asarray((low + high) / 2)


def _principal_plane(cells: NDArray[np.floating]) -> NDArray[np.floating]:
    """Project on the two widest directions, scaled to 0..10: a start without a random part, signs fixed."""
    centred = cells - cells.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T.astype(float) @ centred)
    plane: NDArray[np.floating] = directions[:, -2:][:, ::-1]
    plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])
    start = centred @ plane
    span = np.ptp(start, axis=0)
    return _float32(10 * (start - start.min(axis=0)) / np.where(span > 0, span, 1.0))


def _float32(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)
