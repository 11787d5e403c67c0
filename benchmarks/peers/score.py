"""Score an alignment of two batches whose cells' types are known, though not to the method that made it.

    python score.py FOLDER ALIGNED.h5ad --output FIGURES.json [--seed 0]

Three figures, each 1 at best, and 0 where nothing was gained; the score is their mean. All three are taken
within true types or between them, so that a difference of composition is no batch effect. Values are measured
in the standard deviations that the reference has in the same state (as measured, or as the method leaves it):
a method that squeezes all cells together gains nothing by it. Cells of unknown type count for nothing, and
neither do types with fewer than 30 cells in either batch.

distance removed
    Of a type's 1-D Wasserstein distance between the batches, averaged over markers and types, the share that
    is gone: ``1 - (after - chance) / (before - chance)``. Chance is what two samples of the reference of the
    same sizes differ by.
not told apart
    ``1 - 2 (AUC - 1/2)``: AUC of a random forest that tells the reference's cells from the other batch's,
    within a type, on cells that it has not seen; mean over types.
types carried over
    Balanced accuracy of types that 15 nearest neighbours in the corrected reference give to the other batch's
    corrected cells, as a share of what the same gives within the reference as measured. Not there for cells
    of one type.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Types = NDArray[np.str_]

MIN_CELLS = 30
UNKNOWN = ("unlabelled", "nan", "")
N_NEIGHBOURS = 15
N_HALVINGS = 10
MAX_CELLS = 1500
JITTER = 0.25


@dataclass(frozen=True)
class Batches:
    """Two batches in one state: values ``(n_cells, n_markers)``, and types ``(n_cells,)``."""

    reference: Values
    other: Values
    reference_types: Types
    other_types: Types

    def standardised(self) -> Batches:
        """Give the same in standard deviations of the reference; a marker that is constant stays as it is."""
        unit = self.reference.std(0)
        unit[unit < 1e-9] = 1.0
        return Batches(self.reference / unit, self.other / unit, self.reference_types, self.other_types)

    def shared_types(self) -> list[str]:
        """Give the types with enough cells in both batches."""
        return [
            kind
            for kind in np.unique(self.other_types)
            if kind not in UNKNOWN
            and min((self.reference_types == kind).sum(), (self.other_types == kind).sum()) >= MIN_CELLS
        ]

    def of_type(self, kind: str) -> tuple[Values, Values]:
        """Give the cells of one type: the reference's, and the other batch's."""
        return self.reference[self.reference_types == kind], self.other[self.other_types == kind]


@dataclass(frozen=True)
class Score:
    """The figures; one that the data do not allow is None."""

    score: float
    distance_removed: float | None
    not_told_apart: float
    types_carried_over: float | None
    not_finite: float


def distance(a: Values, b: Values) -> float:
    """Give the 1-D Wasserstein distance of each marker, averaged over markers."""
    from scipy.stats import wasserstein_distance

    return float(np.mean([wasserstein_distance(x, y) for x, y in zip(a.T, b.T, strict=True)]))


def chance_distance(cells: Values, n_other: int, rng: np.random.Generator) -> float:
    """Give the distance to expect between these cells and `n_other` more of the same distribution.

    Halves of `cells` are compared. A distance between samples of n and m cells goes with ``sqrt(1/n + 1/m)``,
    by which the halves' is brought to the sizes asked for.
    """
    n = len(cells)
    halves = [np.array_split(rng.permutation(n), 2) for _ in range(N_HALVINGS)]
    between_halves = np.mean([distance(cells[one], cells[two]) for one, two in halves])
    return float(between_halves * np.sqrt((1 / n + 1 / n_other) / (4 / n)))


def distance_removed(before: Batches, after: Batches, rng: np.random.Generator) -> float | None:
    """Give the share of the batches' distance within types that is gone, or None if there was none."""
    distances = []
    for kind in before.shared_types():
        reference, other = before.of_type(kind)
        chance = chance_distance(reference, len(other), rng)
        distances.append((distance(reference, other) - chance, distance(*after.of_type(kind)) - chance))
    at_first, left = np.mean(distances, axis=0)
    return float(1 - left / at_first) if at_first > 0 else None


def told_apart(reference: Values, other: Values, rng: np.random.Generator) -> float:
    """Give the AUC of a random forest that tells two sets of cells apart, in 3-fold cross-validation.

    Equally many cells of both, 1,500 at most. Each value gets uniform noise of up to a quarter of a standard
    deviation, for otherwise a zero that became 0.0001 would give a cell away.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    n = min(len(reference), len(other), MAX_CELLS)
    cells = np.concatenate([rng.permutation(reference)[:n], rng.permutation(other)[:n]])
    cells = cells + rng.uniform(-JITTER, JITTER, cells.shape)
    forest = RandomForestClassifier(100, min_samples_leaf=3, n_jobs=2, random_state=0)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return float(np.mean(cross_val_score(forest, cells, np.repeat([0, 1], n), cv=folds, scoring="roc_auc")))


def recall(told: Types, types: Types, among: list[str]) -> float:
    """Give the balanced accuracy: the share of cells told right, averaged over the types in `among`."""
    return float(np.mean([np.mean(told[types == kind] == kind) for kind in among]))


def types_carried_over(before: Batches, after: Batches) -> float | None:
    """Give how well neighbours tell the other batch's types, or None if there are fewer than two to tell."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    shared = before.shared_types()
    known = ~np.isin(before.reference_types, UNKNOWN)
    types = before.reference_types[known]
    if len(shared) < 2:
        return None
    neighbours = KNeighborsClassifier(N_NEIGHBOURS)
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    at_best = recall(cross_val_predict(neighbours, before.reference[known], types, cv=folds), types, shared)
    told = neighbours.fit(after.reference[known], types).predict(after.other)
    return recall(told, after.other_types, shared) / at_best


def score(measured: Batches, corrected: Batches, *, seed: int = 0) -> Score:
    """Score a correction. A value that is not finite is scored as it was measured, and counted."""
    rng = np.random.default_rng(seed)
    if not measured.shared_types():
        msg = f"no type has {MIN_CELLS} cells in both batches; there is nothing to score"
        raise ValueError(msg)
    mended, not_finite = _mended(measured, corrected)
    before, after = measured.standardised(), mended.standardised()
    aucs = [told_apart(*after.of_type(kind), rng) for kind in after.shared_types()]
    removed = distance_removed(before, after, rng)
    apart = 1 - 2 * (float(np.mean(aucs)) - 0.5)
    carried = types_carried_over(before, after)
    figures = [figure for figure in (removed, apart, carried) if figure is not None]
    return Score(float(np.clip(figures, 0, 1).mean()), removed, apart, carried, not_finite)


def _mended(measured: Batches, corrected: Batches) -> tuple[Batches, float]:
    """Put measured values where corrected ones are not finite; give the share of these, too."""
    parts = [(measured.reference, corrected.reference), (measured.other, corrected.other)]
    reference, other = (np.where(np.isfinite(after), after, before) for before, after in parts)
    bad = sum(int((~np.isfinite(after)).sum()) for _, after in parts)
    share = bad / sum(after.size for _, after in parts)
    return Batches(reference, other, measured.reference_types, measured.other_types), share


def read(folder: Path, aligned: Path) -> tuple[Batches, Batches]:
    """Read both batches as measured and as corrected: the same cells and markers, in the same order."""
    import anndata

    parts = [anndata.read_h5ad(folder / f"{role}.h5ad") for role in ("reference", "other")]
    types = json.loads((folder / "types.json").read_text(encoding="utf-8"))
    of_cells = np.asarray(types["reference"]), np.asarray(types["other"])
    result = anndata.read_h5ad(aligned)
    lost = [name for part in parts for name in part.obs_names.difference(result.obs_names)]
    if lost:
        msg = f"{len(lost)} cells are missing in {aligned.name}, such as {lost[0]}"
        raise SystemExit(msg)
    ordered = [result[part.obs_names, part.var_names].layers["aligned"] for part in parts]
    before, after = (
        [np.asarray(values, dtype=np.float64) for values in state]
        for state in ([part.X for part in parts], ordered)
    )
    return Batches(before[0], before[1], *of_cells), Batches(after[0], after[1], *of_cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("aligned", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="where the figures go, as JSON")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    measured, corrected = read(args.folder, args.aligned)
    figures = asdict(score(measured, corrected, seed=args.seed))
    args.output.write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
