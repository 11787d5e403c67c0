"""Tensors and JSON in one safetensors file: numbered, replaced atomically, and never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from cellgan.errors import ModelError, OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from cellgan.core.match import Match

FORMAT = 1
_KEY = "cellgan"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write tensors and metadata into one file; the place is left as it was unless all went well.

    Parameters
    ----------
    path
        The file, replaced if it exists.
    tensors
        Named tensors, of any shape and type.
    meta
        Anything that JSON can hold.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    path = Path(path)
    # Cloned, since safetensors refuses tensors that share their memory, as tied weights do.
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    content = json.dumps(
        {"format": FORMAT, "sha256": _sha256(own, dict(meta)), "meta": dict(meta)}, allow_nan=False
    )
    data = save(own, metadata={_KEY: content})
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        reason = error.strerror or error
        msg = f"Cannot write {path}: {reason}. Check that the folder exists, has room and may be written."
        raise OutputError(msg) from error
    finally:
        draft.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Returns
    -------
    The tensors, on the CPU, and the metadata.

    Raises
    ------
    ModelError
        If the file is missing, broken, not from cellgan, or of a format that this version does not know.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        msg = f"There is no file {path}."
        raise ModelError(msg) from error
    except (SafetensorError, OSError) as error:
        msg = f"Cannot read {path} as a cellgan file: {error}. Was it cut short, or is it of another kind?"
        raise ModelError(msg) from error
    try:
        content = json.loads(metadata[_KEY])
        number, meta = content["format"], content["meta"]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        msg = f"{path} is a safetensors file, but cellgan did not write it: it has no {_KEY!r} metadata."
        raise ModelError(msg) from error
    if number != FORMAT:
        msg = f"{path} has format {number!r}; this cellgan reads {FORMAT}. Use the version that wrote it."
        raise ModelError(msg)
    if content.get("sha256") != _sha256(tensors, meta):
        msg = f"{path} was damaged: its content is not what was written. Copy or download it again."
        raise ModelError(msg)
    return tensors, meta


def _sha256(tensors: Mapping[str, Tensor], meta: object) -> str:
    """Return the SHA-256 of all content: safetensors itself would not notice a changed bit."""
    digest = hashlib.sha256(json.dumps(meta).encode())
    for name in sorted(tensors):
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def digest_of(*tensors: Tensor) -> str:
    """Return the SHA-256 of tensors' values: whether a match that is resumed has the same data."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def check_same_start(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """See that a match which is to be resumed was started with the same settings and data.

    Parameters
    ----------
    path
        Where it is kept.
    before, now
        What it was started with, and what it shall go on with; JSON. Data are given by `digest_of`.

    Raises
    ------
    ModelError
        They differ; names the settings, then and now. Data are named only where all settings are the same,
        and one at a time, since they may differ for that reason alone.
    """
    settings, data = _differences(before, now)
    if settings or data:
        msg = (
            f"{path} was started with {', '.join(settings or data[:1])}; expected the same. Give what it was "
            "started with, or start anew (--overwrite in place of --resume)"
        )
        raise ModelError(msg)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return in words which settings differ, and which data."""
    settings, data = [], []
    for name, value in now.items():
        then = before.get(name)
        if then == value:
            continue
        if isinstance(value, dict):
            inner = _differences(then or {}, value)
            settings += inner[0]
            data += inner[1]
        elif isinstance(value, str) and len(value) == hashlib.sha256().digest_size * 2:
            data.append(f"other {name}")
        else:
            a, b = (", ".join(map(str, v)) if isinstance(v, list) else v for v in (then, value))
            settings.append(f"{name} {a} (now {b})")
    return settings, data


def save_match(match: Match, path: Path) -> None:
    """Write all that a match needs to go on as if it had never stopped.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    write_tensors(path, tensors, {"match": _take_apart(match.state_dict(), "", tensors)})


def load_match(match: Match, path: Path) -> None:
    """Put a match, newly made of the same game, into the state that `save_match` wrote.

    Raises
    ------
    ModelError
        If the file cannot be read, or is of another game.
    """
    tensors, meta = read_tensors(path)
    if "match" not in meta:
        msg = f"{path} holds no match, only {', '.join(meta) or 'tensors'}."
        raise ModelError(msg)
    try:
        match.load_state_dict(_put_together(meta["match"], tensors))
    except ModelError as error:
        error.add_note(f"file: {path}")
        raise


def _take_apart(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:  # noqa: ANN401
    """Move the tensors of a nested state into a flat table, leaving names behind; keys may be numbers."""
    if isinstance(value, torch.Tensor):
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, dict):
        return {"items": [[key, _take_apart(item, f"{name}/{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {"list": [_take_apart(item, f"{name}/{i}", tensors) for i, item in enumerate(value)]}
    return {"value": value}


def _put_together(value: Any, tensors: Mapping[str, Tensor]) -> Any:  # noqa: ANN401
    """Undo `_take_apart`; tuples come back as lists."""
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "items" in value:
        return {key: _put_together(item, tensors) for key, item in value["items"]}
    if "list" in value:
        return [_put_together(item, tensors) for item in value["list"]]
    return value["value"]
