"""The tables of several batches' cells put into one, column by column: never more than one column is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import anndata as ad
import numpy as np
import pandas as pd

from cellgan.cytof.batch_map import NOVEL
from cellgan.cytof.cell_names import UniqueNames
from cellgan.cytof.stores import Element, compressed, new_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cellgan.cytof.cells import Obs

OWN_NAME = "original_name"


class Frame(NamedTuple):
    """A table that is in memory."""

    obs: pd.DataFrame

    @property
    def n_cells(self) -> int:
        """How many."""
        return len(self.obs)

    @property
    def obs_columns(self) -> tuple[str, ...]:
        """Names of its columns."""
        return tuple(self.obs.columns)

    @property
    def index_name(self) -> str | None:
        """What the cells' names are called."""
        name = self.obs.index.name
        return None if name is None else str(name)

    def column(self, key: str) -> pd.Series[Any]:
        """Return a column."""
        column: pd.Series[Any] = self.obs[key]
        return column

    def names(self) -> Iterator[NDArray[np.object_]]:
        """Yield the cells' names."""
        yield self.obs.index.to_numpy(dtype=object)


class JointObs:
    """One table for the cells of all batches.

    It has the columns ``batch``, ``cellgan_novel``, those of the batches, and ``original_name`` where
    names of cells clash and are made unique. What a user has called so gets another name.

    Parameters
    ----------
    batches
        Tables by name of batch, in the order in which their cells shall stand.
    """

    def __init__(self, batches: Mapping[str, Obs]) -> None:
        self._batches = batches
        n_cells = sum(obs.n_cells for obs in batches.values())
        self._names = UniqueNames([(name, obs.names) for name, obs in batches.items()], n_cells)
        self._keys = {name: _own_keys(name, obs) for name, obs in batches.items()}
        if self._names.clash:
            mine = _free(OWN_NAME, self.columns)
            self._keys = {
                batch: {mine if name == OWN_NAME else name: key for name, key in keys.items()}
                for batch, keys in self._keys.items()
            }

    @property
    def columns(self) -> list[str]:
        """The columns that come from the batches, in the order of the first one that has them."""
        return list(dict.fromkeys(name for keys in self._keys.values() for name in keys))

    def frame(self, novel: NDArray[np.bool_]) -> pd.DataFrame:
        """Return the whole table.

        Parameters
        ----------
        novel
            Which cells have no counterpart in the reference, ``(n_cells,)``.
        """
        made: dict[str, Any] = {"batch": self._batch_of(), NOVEL: novel}
        made |= {name: self._joined(name).array for name in self.columns}
        pieces = list(self._names)
        index = np.concatenate([new for new, _ in pieces])
        if self._names.clash:
            made[OWN_NAME] = np.concatenate([old for _, old in pieces])
        return pd.DataFrame(made, index=pd.Index(index, dtype=str, name=self._index_name()))

    def write(self, root: Element, novel: NDArray[np.bool_]) -> None:
        """Write the table into a store, as ``obs``; see `frame`."""
        group, n_cells = root.create_group("obs"), len(novel)
        how = compressed(root)
        ad.io.write_elem(group, "batch", self._batch_of(), dataset_kwargs=how)
        ad.io.write_elem(group, NOVEL, novel, dataset_kwargs=how)
        for name in self.columns:
            ad.io.write_elem(group, name, _stored(self._joined(name)), dataset_kwargs=how)
        order = ["batch", NOVEL, *self.columns]
        index = self._index_name() or "_index"
        index = "_index" if index in order else index
        new_texts(group, index, (new for new, _ in self._names), n_cells)
        if self._names.clash:
            new_texts(group, OWN_NAME, (old for _, old in self._names), n_cells)
            order.append(OWN_NAME)
        group.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
        group.attrs.update({"column-order": order, "_index": index})

    def _batch_of(self) -> pd.Categorical:
        counts = [obs.n_cells for obs in self._batches.values()]
        codes = np.repeat(np.arange(len(counts), dtype=np.min_scalar_type(-len(counts))), counts)
        dtype = pd.CategoricalDtype(list(self._batches))
        found: pd.Categorical[Any] = pd.Categorical.from_codes(codes, dtype=dtype)
        return found

    def _index_name(self) -> str | None:
        called = {obs.index_name for obs in self._batches.values()}
        return called.pop() if len(called) == 1 and not self._names.clash else None

    def _joined(self, name: str) -> pd.Series[Any]:
        parts = []
        for batch, obs in self._batches.items():
            key, index = self._keys[batch].get(name), pd.RangeIndex(obs.n_cells)
            part = None if key is None else obs.column(key).set_axis(index)
            parts.append(pd.DataFrame(index=index) if part is None else pd.DataFrame({name: part}))
        column: pd.Series[Any] = pd.concat(parts, ignore_index=True)[name]
        return _writable(column)


def _own_keys(batch: str, obs: Obs) -> dict[str, str]:
    """Return a batch's columns by the names that they get; one that says which batch it is is not needed."""
    keys = {}
    for key in obs.obs_columns:
        if key == "batch" and (obs.column(key).astype(str) == batch).all():
            continue
        keys[_free(key, obs.obs_columns) if key in {"batch", NOVEL} else key] = key
    return keys


def _free(name: str, taken: Sequence[str]) -> str:
    """Return a name for a column of the user's whose own is needed."""
    while name in taken:
        name = f"original_{name}"
    return name


def _writable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as stores hold it: text if it mixes types or is of another."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = column.cat.categories.inferred_type in {"string", "integer", "floating", "boolean"}
        return column if known else column.cat.rename_categories(str)
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind == "boolean":
        return column.astype("boolean" if column.hasnans else bool)
    if column.dtype.kind in "fiu" or kind == "string":
        return column
    text = [str(value) if there else None for value, there in zip(column, column.notna(), strict=True)]
    return pd.Series(pd.Categorical(text), index=column.index)


def _stored(column: pd.Series[Any]) -> Any:  # noqa: ANN401 - an array of numpy or of pandas
    """Return what is written of a column: text that repeats as categories, as anndata does it."""
    if pd.api.types.infer_dtype(column) == "string":
        frame = pd.DataFrame({"text": column.astype(object)})
        ad.AnnData().strings_to_categoricals(frame)
        column = frame["text"]
    return column.array if isinstance(column.dtype, pd.api.extensions.ExtensionDtype) else column.to_numpy()
