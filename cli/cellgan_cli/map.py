"""``cellgan map``: cells measured later, through the saved map of their batch."""

from __future__ import annotations

from pathlib import Path

import click

from cellgan.atomic import check_output
from cellgan.errors import ConfigError
from cellgan_cli.screen import Screen, list_files


@click.command(name="map", short_help="Send new cells through a saved model.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The mapped cells, ending in .h5ad, .zarr or .fcs.",
)
@click.option(
    "--batch", metavar="NAME", help="Batch of the model that the new cells belong to. [default: the only one]"
)
@click.option("--overwrite", is_flag=True, help="Replace an older output.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
def map_cells(
    *, model: Path, new: Path, output: Path, batch: str | None, overwrite: bool, quiet: bool
) -> None:
    """Map the cells of the file NEW with the MODEL that `cellgan align` wrote.

    NEW must come from the same instrument, panel and conditions as the batch that the model was made from. It
    is read piece by piece, so it may be larger than the memory. Cells that the first run has seen come out
    the same.
    """
    if output.suffix not in {".h5ad", ".zarr", ".fcs"}:
        msg = f"--output is {str(output)!r}; expected a name that ends in .h5ad, .zarr or .fcs"
        raise ConfigError(msg)
    from cellgan.cytof.input_files import check_file

    check_file(new)
    check_output(output, inputs=[model, new], overwrite=overwrite)
    with Screen(quiet=quiet) as screen:
        from cellgan.cytof.alignment import load
        from cellgan.cytof.cell_file import open_for_map
        from cellgan.cytof.wording import called
        from cellgan.report.numbers import percent

        source = open_for_map(new)
        for note in source.notes:
            screen.say(note)
        maps = load(model)
        n_novel = maps.map_file(source, output, batch=batch)
        reference = called(maps.reference)
        screen.say(f"{source.n_cells:,} cells mapped as {maps.pick(batch)} onto {reference}")
        if n_novel is not None:
            share = f"{n_novel:,} ({percent(n_novel / source.n_cells)})" if n_novel else "none"
            screen.say(f"{share} of them without counterpart in {reference}")
    list_files([output])
