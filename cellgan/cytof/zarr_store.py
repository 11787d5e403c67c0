"""Folders of zarr, versions 2 and 3 of the library and of the format; it is loaded when one is used.

A zarr store says itself by which codecs its values are to be decoded, and one of those unpickles. So only
stores whose codecs are known to be harmless are opened.
"""

from __future__ import annotations

import json
import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellgan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import anndata as ad

SUFFIX = ".zarr"
ROOTS = (".zgroup", "zarr.json")
DESCRIPTIONS = {".zarray", ".zmetadata", "zarr.json"}
COMPRESSORS = {"blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd"}
FILTERS = {"astype", "bitround", "delta", "fixedscaleoffset", "packbits", "quantize", "shuffle"}
CHECKSUMS = {"adler32", "crc32", "crc32c", "fletcher32"}
LAYOUTS = {"bytes", "sharding_indexed", "transpose", "vlen-bytes", "vlen-utf8"}
HARMLESS = COMPRESSORS | FILTERS | CHECKSUMS | LAYOUTS


def is_zarr(path: Path) -> bool:
    """Tell by its name whether a path is that of a zarr store."""
    return path.suffix.lower() == SUFFIX


def check_store(path: Path) -> None:
    """See that a folder is a zarr store.

    Raises
    ------
    InputError
        It is not.
    """
    if not any((path / name).is_file() for name in ROOTS):
        msg = f"this is not a zarr store: the folder holds neither {ROOTS[0]} nor {ROOTS[1]}"
        raise InputError(msg)


def open_group(path: Path) -> Any:  # noqa: ANN401 - of zarr
    """Open a store for reading.

    Raises
    ------
    InputError
        Its values would be decoded by something that may do more than that.
    """
    import zarr

    _check_codecs(path)
    return zarr.open_group(str(path), mode="r")


def read_whole(path: Path) -> ad.AnnData:
    """Read all that a store holds; see `open_group` for what is refused."""
    import anndata as ad

    _check_codecs(path)
    return ad.io.read_zarr(path)


def write_whole(adata: ad.AnnData, path: Path) -> None:
    """Write cells into an empty folder."""
    with _in_peace():
        adata.write_zarr(path)


def make_group(path: Path) -> None:
    """Make an empty store in an empty folder, in the format that anndata writes."""
    import anndata as ad
    import zarr

    version: dict[str, Any] = (
        {"zarr_format": getattr(ad.settings, "zarr_write_format", 2)} if _is_3(zarr) else {}
    )
    zarr.open_group(str(path), mode="w", **version)


@contextmanager
def changing(path: Path) -> Iterator[Any]:
    """Open a store that is there to write to it."""
    import zarr

    with _in_peace():
        if not _is_3(zarr):
            yield zarr.open_group(str(path), mode="r+")
        else:
            yield zarr.open_group(str(path), mode="r+", use_consolidated=False)
        if not (path / "zarr.json").exists() or "consolidated_metadata" in _description(path / "zarr.json"):
            # What is new is not found otherwise, where an older list of all arrays is there.
            zarr.consolidate_metadata(str(path))


def new_array(
    parent: Any,  # noqa: ANN401 - of zarr
    name: str,
    shape: tuple[int, ...],
    dtype: str,
    chunks: tuple[int, ...],
) -> Any:  # noqa: ANN401
    """Make an array, compressed as zarr sees fit."""
    make = parent.create_array if hasattr(parent, "create_array") else parent.create_dataset
    return make(name, shape=shape, dtype=dtype, chunks=chunks)


def missing_chunks(array: Any) -> int:  # noqa: ANN401 - of zarr
    """Return how many chunks of an array are not there, and are read as zeros."""
    return int(array.nchunks) - int(array.nchunks_initialized)


def _check_codecs(path: Path) -> None:
    """Refuse stores with codecs that are not known to be harmless."""
    for folder, _, files in os.walk(path):
        for name in DESCRIPTIONS.intersection(files):
            found = Path(folder) / name
            for codec in _codecs(_description(found)):
                if codec.removeprefix("numcodecs.") not in HARMLESS:
                    msg = (
                        f"{found.relative_to(path)} asks for the codec {codec!r}, which is not one of those "
                        "that anndata writes, and may run code: nothing was read. Have the store written "
                        "again with anndata.write_zarr"
                    )
                    raise InputError(msg)


def _description(path: Path) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        msg = f"the zarr store is damaged: {path.name} cannot be read ({error}); copy or download it again"
        raise InputError(msg) from error


def _codecs(node: Any) -> Iterator[str]:  # noqa: ANN401 - whatever JSON holds
    """Yield the names of all codecs that a description asks for, at any depth."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key in {"compressor", "filters", "codecs", "index_codecs", "compressors", "serializer"}:
            listed = value if isinstance(value, list) else [value]
            yield from (_called(codec) for codec in listed if codec is not None)
        if key != "attributes":
            yield from _codecs(value)
    for value in node if isinstance(node, list) else ():
        yield from _codecs(value)


def _called(codec: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    return str(codec.get("id", codec.get("name")) if isinstance(codec, dict) else codec)


def _is_3(zarr: ModuleType) -> bool:
    return int(str(zarr.__version__).split(".")[0]) > 2


@contextmanager
def _in_peace() -> Iterator[None]:
    """Let zarr keep to itself that lists of all arrays are not part of its format 3."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
