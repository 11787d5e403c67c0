"""``cellgan adapt cells``: cell types from one centre's labels to another's cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cellgan.atomic import check_output
from cellgan.errors import ConfigError
from cellgan_cli.screen import Screen, list_files
from cellgan_cli.settings import RENAME

SETTINGS = ("unknown_below", "align", "novel_unknown", "fit_again", "seed")
_PATH = click.Path(path_type=Path)


@click.command(short_help="Name the types of another centre's cells.")
@click.argument("source", type=_PATH)
@click.argument("target", type=_PATH)
@click.option("--label", required=True, metavar="KEY", help="obs column of SOURCE with the cell types.")
@click.option("--output", "-o", required=True, type=_PATH, metavar="PATH", help="Ends in .h5ad.")
@click.option("--align", is_flag=True, help="Align TARGET to SOURCE first, as cellgan align does.")
@click.option(
    "--unknown-below",
    type=float,
    default=0.5,
    show_default=True,
    help="Cells whose most probable type is less probable than this stay unknown; 0 names every cell.",
)
@click.option("--novel-unknown", is_flag=True, help="Cells that look like no labelled one stay unknown, too.")
@click.option(
    "--fit-again/--no-fit-again",
    default=True,
    show_default=True,
    help="Fit a linear classifier again to TARGET's cells with the types that it gave them.",
)
@RENAME
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random.")
@click.option("--report", type=_PATH, metavar="PATH", help="Report. [default: beside the output, .html]")
@click.option("--overwrite", is_flag=True, help="Replace older results.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
def cells(**flags: Any) -> None:  # noqa: ANN401 - each flag is typed by click
    """Name the types of TARGET's cells from the labels of SOURCE's.

    A classifier learns from the labelled cells of SOURCE; its encoder is adapted to TARGET, whose labels, if
    it has any, are not looked at. OUTPUT holds TARGET with obs["cellgan_type"], obs["cellgan_confidence"],
    obs["cellgan_novel"] (cells that look like no labelled one of SOURCE) and, for comparison,
    obs["cellgan_source_type"], which no adaptation has touched. Takes seconds, so a run that was stopped is
    simply started anew.
    """
    inputs: list[Path] = [flags["source"], flags["target"]]
    output: Path = flags["output"]
    if output.suffix != ".h5ad":
        msg = f"--output is {str(output)!r}; expected a name that ends in .h5ad"
        raise ConfigError(msg)
    report: Path = flags["report"] or output.with_suffix(".html")
    if report.suffix != ".html":
        msg = f"--report is {str(report)!r}; expected a name that ends in .html"
        raise ConfigError(msg)
    from cellgan.cytof.input_files import check_files

    check_files(inputs)
    files = [output, report, report.with_suffix(".json")]
    for path in files:
        check_output(path, inputs=inputs, overwrite=flags["overwrite"])
    with Screen(quiet=flags["quiet"]) as screen:
        screen.progress("loading libraries", 0.0)
        from cellgan.adaptation.adaptation_page import write_page
        from cellgan.cytof.adapt_cells import CellsConfig, adapt_cell_files
        from cellgan.cytof.adapted_cells_page import adapted_cells_page
        from cellgan.cytof.align import Screen as Said

        config = CellsConfig(flags["label"], **{name: flags[name] for name in SETTINGS})
        said = Said(screen.progress, screen.say)
        found = adapt_cell_files(inputs[0], inputs[1], config, rename=flags["rename"], screen=said)
        found.write(output, inputs=inputs, overwrite=flags["overwrite"])
        write_page(adapted_cells_page(found.report), found.report, report)
        named = ", ".join(f"{name} {n:,}" for name, n in found.report["types"].items())
        screen.say(f"{found.report['target']}: {named}")
        screen.say(found.verdict)
        for warning in found.report["warnings"]:
            screen.say(f"warning: {warning}")
        screen.say(f"open {report} next")
    list_files(files)
