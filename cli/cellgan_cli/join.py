"""``cellgan join``: batches that were aligned one by one, in one table with one report."""

from __future__ import annotations

from pathlib import Path

import click

from cellgan.atomic import check_output
from cellgan.errors import ConfigError
from cellgan_cli.screen import Screen, list_files

_PATH = click.Path(path_type=Path)


@click.command(short_help="Put batches that were aligned one by one into one table.")
@click.argument("aligned", nargs=-1, required=True, metavar="ALIGNED...", type=_PATH)
@click.option("--output", "-o", required=True, type=_PATH, metavar="PATH", help="Ending in .h5ad.")
@click.option(
    "--report", type=_PATH, metavar="PATH", help="Report, ending in .html. [default: beside the output]"
)
@click.option("--no-report", is_flag=True, help="Write no report, and ask for none beside the inputs.")
@click.option("--overwrite", is_flag=True, help="Replace older results.")
@click.option(
    "--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors and results not to be used."
)
def join(
    *,
    aligned: tuple[Path, ...],
    output: Path,
    report: Path | None,
    no_report: bool,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Put batches together that `cellgan align REF OTHER --no-impute` aligned onto the same REF, one by one.

    The cells of REF come first, and once; those of the others follow in the order of the files. Values are
    copied as they are, the same as if all batches had been aligned in one run. The report is made from the
    .json that lies beside each file; pictures of cells stay in the report of each.
    """
    if output.suffix != ".h5ad":
        msg = f"--output is {str(output)!r}; expected a name that ends in .h5ad"
        raise ConfigError(msg)
    if no_report and report is not None:
        msg = f"--no-report and --report {report} say opposite things; give one of them"
        raise ConfigError(msg)
    from cellgan.cytof.report_files import check_report

    page = None if no_report else report or output.with_suffix(".html")
    check_output(output, inputs=aligned, overwrite=overwrite)
    if page is not None:
        inputs = [beside for path in aligned for beside in (path, path.with_suffix(".json"))]
        check_report(page, inputs=inputs, overwrite=overwrite)
    with Screen(quiet=quiet) as screen:
        screen.progress("reading tables", 0.0)
        from cellgan.cytof.aligned_file import open_parts
        from cellgan.cytof.join import join as write_joined
        from cellgan.cytof.join import join_reports
        from cellgan.cytof.report import write_report
        from cellgan_cli.verdicts import say_verdicts

        parts = open_parts(aligned)
        found = None if page is None else join_reports(parts)
        screen.progress("copying cells", 0.1)
        n_cells = write_joined(parts, output)
        if page is not None and found is not None:
            write_report(found, None, page)
            say_verdicts(found, screen)
        n_batches = 1 + sum(len(part.others) for part in parts)
        screen.say(f"{n_cells:,} cells of {n_batches} batches in {output}")
    list_files([output] if page is None else [output, page, page.with_suffix(".json")])
