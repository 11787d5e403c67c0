"""``cellgan adapt``: a model, carried to the next site without its labels."""

from __future__ import annotations

import click

from cellgan_cli.adapt_benchmark import benchmark
from cellgan_cli.adapt_cells import cells
from cellgan_cli.adapt_volumes import volumes


@click.group(short_help="Carry a model to another site without its labels.")
def adapt() -> None:
    """Carry a model to another site without its labels, by adversarial adaptation (ADDA).

    \b
    cellgan adapt cells SOURCE.h5ad TARGET.h5ad --label cell_type -o OUT.h5ad
    cellgan adapt volumes model/ TARGET_CASES.csv -o adapted/
    cellgan adapt benchmark digits --data DIR       MNIST to USPS and back
    """  # noqa: D301 - click wants the backspace itself


adapt.add_command(benchmark)
adapt.add_command(cells)
adapt.add_command(volumes)
