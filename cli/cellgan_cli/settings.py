"""Flags that mirror the settings of an alignment; every default is read where it is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args

import click

from cellgan.cytof.config import AlignConfig, Device, Method, Transform
from cellgan.errors import ConfigError

DEFAULTS = {field.name: field.default for field in fields(AlignConfig)}
POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
RENAME = click.option(
    "--rename",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    metavar="FILE",
    help="Columns that mean the same protein: a .csv or .tsv table with the columns batch,from,to.",
)


def _setting(
    flag: str, kind: click.ParamType[Any] | type, help_text: str, *, metavar: str | None = None
) -> Decorator:
    default = DEFAULTS[flag.removeprefix("--").replace("-", "_")]
    shown = default is not None
    return click.option(flag, type=kind, default=default, show_default=shown, help=help_text, metavar=metavar)


def _read_markers(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Take marker names from a list with commas, or from a file with one name a line."""
    if value is None:
        return ()
    if value.startswith("@"):
        path = Path(value[1:])
        try:
            names = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"--markers @{path}: cannot be read as text ({error}); expected one marker's name a line"
            raise ConfigError(msg) from error
    else:
        names = value.split(",")
    kept = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not kept:
        msg = f"--markers {value!r} names no marker; leave it out to align all shared markers"
        raise ConfigError(msg)
    return kept


class _Cofactor(click.ParamType[Any]):
    """A number, or auto."""

    name = "number"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | Literal["auto"]:
        if value == "auto":
            return "auto"
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor auto.", param, ctx)


def _read_cofactors(_ctx: click.Context, _param: click.Parameter, value: Path | None) -> dict[str, float]:
    if value is None:
        return {}
    from cellgan.cytof.cofactors import read_cofactors

    return read_cofactors(value)


SETTINGS: tuple[Decorator, ...] = (
    _setting(
        "--reference",
        str,
        "Batch that stays as it is; or consensus: the frame is made from all. [default: the first]",
        metavar="NAME|consensus",
    ),
    _setting(
        "--transform",
        click.Choice(get_args(Transform)),
        "arcsinh: values are ion counts. none: they are on the arcsinh scale. auto: decide from the values.",
    ),
    _setting(
        "--cofactor",
        _Cofactor(),
        "arcsinh(x / cofactor): 5 for mass, 150 for flow, 6000 for spectral flow cytometry. auto: by how far "
        "values spread around zero.",
        metavar="NUMBER|auto",
    ),
    click.option(
        "--cofactors",
        type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
        callback=_read_cofactors,
        metavar="FILE",
        help="Own cofactors of some markers: a .csv or .tsv table with the columns marker,cofactor.",
    ),
    click.option(
        "--markers",
        callback=_read_markers,
        metavar="A,B,...|@FILE",
        help="Markers to align, or a file with one name a line. [default: all shared]",
    ),
    _setting(
        "--correspondence",
        str,
        "What ties cells together: their values (shared), a column of obs (labels:KEY), or none.",
        metavar="shared|labels:KEY|none",
    ),
    _setting(
        "--condition",
        str,
        "Column of obs with a treatment or group that is no batch effect: learn from equal shares of each.",
        metavar="KEY",
    ),
    _setting(
        "--anchor-key",
        str,
        "Learn from control cells alone: those where this column of obs says yes, or is VALUE.",
        metavar="KEY[=VALUE]",
    ),
    _setting(
        "--method",
        click.Choice(get_args(Method)),
        "matched: the GAN finds who corresponds to whom, monotone maps move the cells. magan: the GAN "
        "moves them, as published. quantiles: per-marker quantiles, no GAN.",
    ),
    _setting("--rounds", int, "Rounds of the game."),
    click.option(
        "--impute/--no-impute",
        default=DEFAULTS["impute"],
        show_default=True,
        help="Learn markers that a batch did not measure from another that did.",
    ),
    _setting("--draws", int, "Values to draw for each imputed one: layers sample, sample_2, and so on."),
    _setting("--seed", int, "Seed of everything random."),
    _setting("--device", click.Choice(get_args(Device)), "Where the game is played."),
    _setting("--threads", int, "Threads for computation; 0 leaves the choice to the libraries."),
)


def align_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Add a flag for every field of `AlignConfig`."""
    for setting in reversed(SETTINGS):
        command = setting(command)
    return command


def read_config(flags: Mapping[str, Any]) -> AlignConfig:
    """Make the config of the flags that belong to it."""
    return AlignConfig(**{name: flags[name] for name in DEFAULTS})


def limit_threads(threads: int) -> None:
    """Tell the numeric libraries how many threads to start; they read this when they are first imported."""
    if threads:
        os.environ.update(dict.fromkeys(POOLS, str(threads)))
