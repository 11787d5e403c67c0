"""``cellgan align``: from files to aligned cells, a report and a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellgan.atomic import make_folder
from cellgan.cytof.config import check_anchors
from cellgan.errors import ConfigError
from cellgan_cli.places import Places, check_places, plan
from cellgan_cli.screen import Screen, list_files
from cellgan_cli.settings import RENAME, align_settings, limit_threads, read_config

if TYPE_CHECKING:
    from cellgan.cytof.alignment import Alignment
    from cellgan.cytof.config import AlignConfig

QUIET_HELP = "Say nothing on stderr but errors and results not to be used."


@click.command(short_help="Align batches onto a reference.")
@click.argument("inputs", nargs=-1, required=True, metavar="REF OTHER...", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    default="aligned.h5ad",
    show_default=True,
    metavar="PATH",
    help="An .h5ad file, a .zarr store, or a folder that gets one .fcs file per batch.",
)
@click.option("--batch-key", metavar="KEY", help="Column of obs that tells the batches of one file apart.")
@align_settings
@click.option(
    "--anchors",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    metavar="FILE",
    help="Learn from control samples alone: a .csv or .tsv table with the columns batch,file.",
)
@RENAME
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Report, ending in .html. [default: beside the output]",
)
@click.option("--no-report", is_flag=True, help="Write no report: a little faster.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Model for `cellgan map`. [default: beside the output]",
)
@click.option("--overwrite", is_flag=True, help="Replace older results.")
@click.option("--quiet", "-q", is_flag=True, help=QUIET_HELP)
def align(**flags: Any) -> None:  # noqa: ANN401 - twenty flags, each typed by click and checked by AlignConfig
    """Align batches onto a reference: the first file, unless --reference names another.

    Files are .h5ad, .zarr or .fcs, as ion counts or on the arcsinh scale. The cells of the reference are not
    moved, and no input is changed. A batch goes by its file's name without the ending.

    Writes the aligned cells (layers["aligned"]), a report (.html, .json) and a model for cells measured later
    (.model). Their paths go to stdout, one a line.
    """
    inputs: tuple[Path, ...] = flags["inputs"]
    config = read_config(flags)
    anchors: Path | None = flags["anchors"]
    if anchors is not None:
        check_anchors(config)
    _check_count(inputs, batch_key=flags["batch_key"])
    places = plan(flags["output"], model=flags["model"], report=flags["report"], no_report=flags["no_report"])
    limit_threads(config.threads)
    from cellgan.cytof.input_files import batch_names, check_files

    check_files(inputs)
    if flags["batch_key"] is None:
        config = _name_reference(config, inputs)
    # Names of batches that stand within a file are not known yet.
    batches = None if flags["batch_key"] is not None else batch_names(inputs)
    told = (*_find_controls(anchors, batches), *_check_renamings(flags["rename"], batches))
    check_places(places, inputs=(*inputs, *told), overwrite=flags["overwrite"])

    with Screen(quiet=flags["quiet"]) as screen:
        screen.progress("loading libraries", 0.0)
        from cellgan.core.device import pick

        pick(config.device)
        from cellgan.cytof.align import align_files

        alignment = align_files(
            inputs,
            config,
            batch_key=flags["batch_key"],
            anchors=anchors,
            rename=flags["rename"],
            progress=screen.progress,
            say=screen.say,
        )
        written = _write(alignment, places, screen)
        from cellgan_cli.verdicts import say_verdicts

        say_verdicts(alignment.report, screen)
        advice = f"; open {places.report} next" if places.report else ""
        screen.say(f"{len(written)} files written{advice}")
    list_files(written)


def _check_count(inputs: tuple[Path, ...], *, batch_key: str | None) -> None:
    """See that there are two batches at least, in two files or in one."""
    if len(inputs) == 1 and batch_key is None:
        msg = f"only one file was given, {inputs[0]}; give a second batch, or --batch-key if it holds several"
        raise ConfigError(msg)
    if len(inputs) > 1 and batch_key is not None:
        msg = f"--batch-key {batch_key} is for one file that holds several batches; {len(inputs)} were given"
        raise ConfigError(msg)


def _name_reference(config: AlignConfig, inputs: tuple[Path, ...]) -> AlignConfig:
    """Put the batch's name where the reference was given as a file."""
    if config.reference is None:
        return config
    from cellgan.cytof.input_files import batch_of

    return replace(config, reference=batch_of(config.reference, inputs))


def _find_controls(anchors: Path | None, batches: tuple[str, ...] | None) -> tuple[Path, ...]:
    """Return the table of anchors and the files it lists, which must not be written to either."""
    if anchors is None:
        return ()
    from cellgan.cytof.anchor_table import read_anchor_table

    return (anchors, *read_anchor_table(anchors, batches=batches).values())


def _check_renamings(rename: Path | None, batches: tuple[str, ...] | None) -> tuple[Path, ...]:
    """Check the table of other names as far as that goes before files are read, and return it."""
    if rename is None:
        return ()
    from cellgan.cytof.rename import read_renamings

    read_renamings(rename, batches=batches)
    return (rename,)


def _write(alignment: Alignment, places: Places, screen: Screen) -> list[Path]:
    """Write all results, the cells first; give their paths in that order."""
    if places.is_folder:
        make_folder(places.data)
    # What may be replaced was asked before the work began: nobody shall lose its result now.
    written = list(alignment.write(places.data, overwrite=True))
    alignment.save(places.model, overwrite=True)
    written.append(places.model)
    if places.report is not None:
        screen.progress("writing the report", 0.95)
        alignment.write_report(places.report, overwrite=True)
        written += [places.report, places.report.with_suffix(".json")]
    return written
