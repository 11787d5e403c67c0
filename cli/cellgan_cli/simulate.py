"""``cellgan simulate``: two batches with a known answer."""

from __future__ import annotations

from pathlib import Path

import click

from cellgan.atomic import check_output, make_folder
from cellgan_cli.places import check_folder
from cellgan_cli.screen import Screen, list_files


@click.command(short_help="Make two batches with a known answer.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--cells", default=4000, show_default=True, help="Cells per batch.")
@click.option("--markers", default=20, show_default=True, help="Protein markers.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
@click.option("--missing", is_flag=True, default=False, help="Leave one cell type out of the second batch.")
@click.option("--overwrite", is_flag=True, help="Replace older files.")
def simulate(*, folder: Path, cells: int, markers: int, seed: int, missing: bool, overwrite: bool) -> None:
    """Write two simulated batches, batch1.h5ad and batch2.h5ad, into FOLDER.

    X holds ion counts; batch2 carries a batch effect. layers["truth"] holds the same cells without it, and
    obs["cell_type"] their types, so that an alignment can be compared with the right answer.
    """
    outputs = [folder / "batch1.h5ad", folder / "batch2.h5ad"]
    if not folder.is_dir():
        check_folder(folder, inputs=[], overwrite=overwrite)
    else:
        for path in outputs:
            check_output(path, overwrite=overwrite)
    from cellgan.cytof.read_write import write_whole
    from cellgan.cytof.simulate import simulate as draw

    batches = draw(n_cells=cells, n_markers=markers, seed=seed, missing=missing)
    make_folder(folder)
    for batch, path in zip(batches, outputs, strict=True):
        write_whole(batch, path)
    with Screen(quiet=False) as screen:
        screen.say(f"2 batches of {cells:,} cells x {markers} markers written, seed {seed}")
    list_files(outputs)
