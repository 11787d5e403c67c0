"""The command ``cellgan``: its group, and how errors end it.

Exit codes: 0 done; 1 a file, a panel or a place that cannot be used; 2 wrong usage; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any

import click

from cellgan import __version__
from cellgan.errors import CellganError, ConfigError
from cellgan_cli.adapt import adapt
from cellgan_cli.align import align
from cellgan_cli.demo import demo
from cellgan_cli.join import join
from cellgan_cli.map import map_cells
from cellgan_cli.segment import segment
from cellgan_cli.simulate import simulate
from cellgan_cli.validate import validate

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
SELDOM = 50_000  # new objects between two searches for garbage


class Misuse(click.ClickException):
    """A setting that cannot be used."""

    exit_code = 2


class Commands(click.Group):
    """A group whose commands end in a message and an exit code, never in a traceback for a user's mistake."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        """Run the command; turn what it raises into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise Misuse(str(error)) from error
        except CellganError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt as stopped:
            notes = getattr(stopped, "__notes__", ())  # how to go on, where something is kept to go on from
            click.echo(
                "\n".join(["Stopped by Ctrl-C; no half-written file is left behind.", *notes]), err=True
            )
            return ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cellgan")
def cli() -> None:
    """Align cytometry batches, segment MRI volumes, and see whether to trust the result.

    \b
    cellgan align batch1.h5ad batch2.h5ad        batch1 is the reference
    cellgan map aligned.model new.h5ad -o out.h5ad
    cellgan validate batch1.h5ad batch2.h5ad     which imputed markers to believe
    cellgan segment train CASES.csv -o model/    masks for volumes like these
    cellgan adapt cells SOURCE.h5ad TARGET.h5ad --label cell_type -o out.h5ad
    """  # noqa: D301 - click wants the backspace itself


cli.add_command(adapt)
cli.add_command(align)
cli.add_command(demo)
cli.add_command(join)
cli.add_command(map_cells)
cli.add_command(segment)
cli.add_command(simulate)
cli.add_command(validate)


def main() -> None:
    """Run the command line as a program of its own."""
    # Read when torch's threads start: waiting threads that spin starve everything else on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not sys.warnoptions:  # what a library thinks of its next release is no news to an analyst
        warnings.simplefilter("ignore")
    _collect_garbage_seldom()
    signal.signal(signal.SIGTERM, _terminate)
    cli(prog_name="cellgan")


def _collect_garbage_seldom() -> None:
    # Libraries load a million objects that stay. To search them for garbage again and again while they are
    # loaded, and once more when the program ends and its memory is given back anyway, takes a second.
    gc.set_threshold(SELDOM)
    atexit.register(gc.freeze)


def _terminate(signum: int, _frame: FrameType | None) -> None:
    # A scheduler's SIGTERM unwinds like Ctrl-C, so that temporary files are cleared away.
    sys.exit(128 + signum)
