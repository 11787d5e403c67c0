"""One batch's whole way into the reference's frame, fitted once and applied to any number of cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from cellgan.core.nets import residual_mlp
from cellgan.cytof.cluster_maps import AveragedMaps, ClusterMaps
from cellgan.cytof.clusters import Clusters
from cellgan.cytof.marker_maps import MarkerMaps
from cellgan.cytof.pieces import Belonging, Grid, Pieces
from cellgan.cytof.ranks import dither
from cellgan.cytof.threads import side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor, nn

# Cells are mapped in blocks of exactly this many, in float64: whatever the file's size, the same cell meets
# the same arithmetic, and comes out the same to the last bit of float32.
BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Mover:
    """A start, a generator, and passes of maps, each of which may be missing.

    Cells get a first position from the start and, where there is one, from the generator. Each pass then maps
    the *original* cells by the clusters in which their positions lie, averaged over several numbers of
    clusters; the result is their position for the next pass, and in the end the answer.

    Attributes
    ----------
    start
        Maps of the whole batch; None leaves cells where they are.
    generator
        Network from positions to better ones; None leaves them.
    passes
        For each pass, maps for several numbers of clusters.
    still
        Markers that keep the values they were measured with, whatever the maps say.
    """

    start: MarkerMaps | None = None
    generator: nn.Module | None = None
    passes: tuple[tuple[ClusterMaps, ...], ...] = ()
    still: tuple[int, ...] = ()
    _network: _Network | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Keep the network's float64 twin, which maps."""
        twin = None if self.generator is None else _Network(self.generator)
        object.__setattr__(self, "_network", twin)

    def __call__(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map standardised cells, ``(n_cells, n_markers)``, each one whatever its company."""
        _ = self._lookup  # once, before the threads ask for it
        blocks = [cells[first : first + BLOCK] for first in range(0, len(cells), BLOCK)]
        moved = side_by_side(lambda block: self._map(_filled(block))[: len(block)], blocks)
        return self._with_still(np.concatenate(moved), cells) if moved else np.empty(cells.shape)

    @property
    def moves(self) -> bool:
        """Whether it has any part that moves cells."""
        return self.start is not None or self.generator is not None or bool(self.passes)

    def batch_mapping(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map cells as all cells of the batch are mapped, whatever their cluster."""
        if self.start is None:  # a generator knows nothing else
            return self(cells) if self.generator is not None and not self.passes else cells
        return self._with_still(self.start(dither(cells)), cells)

    def _with_still(self, moved: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.float64]:
        moved[:, self.still] = cells[:, self.still]
        return moved

    @cached_property
    def _lookup(self) -> _Lookup | None:
        maps = [] if self.start is None else [self.start]
        maps += [one for averaged in self.passes for each in averaged for one in each.maps.values()]
        if not maps and not self.passes:
            return None
        n_markers = maps[0].source.shape[1] if maps else self.passes[0][0].clusters.centres.shape[1]
        grid = Grid.of(maps, n_markers=n_markers)
        return _Lookup(
            grid,
            None if self.start is None else Pieces.of([self.start], grid),
            tuple(AveragedMaps.of(averaged, grid) for averaged in self.passes),
        )

    def _map(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        lookup = self._lookup
        if lookup is None:
            return cells if self._network is None else self._network(cells)
        positions = cells = dither(cells)
        placed = lookup.grid.place(cells)
        if lookup.start is not None:
            positions = lookup.start(placed, Belonging.to_one(len(cells))).T
        if self._network is not None:
            positions = self._network(positions)
        for averaged in lookup.passes:
            positions = averaged(placed, positions)
        return positions

    def tensors(self) -> dict[str, Tensor]:
        """Return all that the mover consists of, by name; `from_tensors` takes it back."""
        found: dict[str, Tensor] = {}
        if self.still:
            found["still"] = torch.tensor(self.still)
        if self.start is not None:
            found |= _maps_to_tensors("start", self.start)
        if self.generator is not None:
            found |= {f"generator/{name}": value for name, value in self.generator.state_dict().items()}
        for p, maps in enumerate(self.passes):
            for i, each in enumerate(maps):
                key = f"passes/{p}/{i}"
                found[f"{key}/centres"] = torch.from_numpy(each.clusters.centres)
                found[f"{key}/softness"] = torch.tensor(each.clusters.softness, dtype=torch.float64)
                for cluster, marker_maps in each.maps.items():
                    found |= _maps_to_tensors(f"{key}/maps/{cluster}", marker_maps)
        return found

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], *, n_markers: int) -> Mover:
        """Build a mover from what `tensors` returned; KeyError or RuntimeError where that does not fit."""
        tree = _tree(tensors)
        return cls(
            start=_maps_from_tensors(tree["start"]) if "start" in tree else None,
            generator=_generator(tensors, n_markers) if "generator" in tree else None,
            passes=tuple(
                tuple(_cluster_maps(branch) for branch in _in_order(maps))
                for maps in _in_order(tree.get("passes", {}))
            ),
            still=tuple(tree["still"].tolist()) if "still" in tree else (),
        )


class _Lookup(NamedTuple):
    """All maps of a mover, ready to be looked up in one grid: a cell's values are placed in it once."""

    grid: Grid
    start: Pieces | None
    passes: tuple[AveragedMaps, ...]


class _Network:
    """A network's float64 twin on the CPU, on arrays."""

    def __init__(self, network: nn.Module) -> None:
        from copy import deepcopy

        self._network = deepcopy(network).to(device="cpu", dtype=torch.float64).eval()

    def __call__(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.no_grad():
            moved: NDArray[np.float64] = self._network(torch.from_numpy(np.ascontiguousarray(cells))).numpy()
        return moved


def _filled(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a full block; the last one of a file is filled up with its own first cell."""
    missing = BLOCK - len(block)
    return np.concatenate([block, np.repeat(block[:1], missing, axis=0)]) if missing else block


def _maps_to_tensors(key: str, maps: MarkerMaps) -> dict[str, Tensor]:
    return {
        f"{key}/source": torch.from_numpy(np.ascontiguousarray(maps.source)),
        f"{key}/target": torch.from_numpy(np.ascontiguousarray(maps.target)),
    }


def _maps_from_tensors(branch: Mapping[str, Any]) -> MarkerMaps:
    return MarkerMaps(branch["source"].numpy(), branch["target"].numpy())


def _cluster_maps(branch: Mapping[str, Any]) -> ClusterMaps:
    clusters = Clusters(branch["centres"].numpy(), float(branch["softness"]))
    maps = {int(cluster): _maps_from_tensors(one) for cluster, one in branch.get("maps", {}).items()}
    return ClusterMaps(clusters, maps)


def _generator(tensors: Mapping[str, Tensor], n_markers: int) -> nn.Module:
    state = {
        name.removeprefix("generator/"): t for name, t in tensors.items() if name.startswith("generator/")
    }
    # The widths are those of the biases; the last one is the output's.
    biases = [t for name, t in state.items() if name.endswith("bias")]
    generator = residual_mlp(n_markers, hidden=[len(bias) for bias in biases[:-1]])
    generator.load_state_dict(state)
    return generator


def _tree(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, tensor in tensors.items():
        *path, leaf = name.split("/")
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[leaf] = tensor
    return tree


def _in_order(branches: Mapping[str, Any]) -> list[Any]:
    return [branches[key] for key in sorted(branches, key=int)]
