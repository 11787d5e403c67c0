"""``cellgan adapt benchmark``: how well adaptation does where the answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cellgan.errors import ConfigError
from cellgan_cli.places import check_unfinished, resumable
from cellgan_cli.screen import Screen

_PATH = click.Path(path_type=Path)


@click.group(short_help="Measure adaptation where the answer is known.")
def benchmark() -> None:
    """Measure adaptation where the answer is known."""


@benchmark.command(short_help="MNIST to USPS and back.")
@click.option("--data", required=True, type=_PATH, metavar="DIR", help="With mnist*.npz and usps*.npz.")
@click.option("--seeds", type=int, default=5, show_default=True, help="How many seeds, from 0.")
@click.option(
    "--framing",
    type=click.Choice(["resize", "box"]),
    default="resize",
    show_default=True,
    help="How digits come onto one grid. resize: stretched, as in the papers. box: cut out and centred.",
)
@click.option("--published", is_flag=True, help="Switch every guard off.")
@click.option(
    "--report",
    type=_PATH,
    default=Path("digits.html"),
    show_default=True,
    metavar="PATH",
    help="Report; its numbers go beside it as JSON.",
)
@click.option("--resume", is_flag=True, help="Take the runs that stand beside the report, and go on.")
@click.option("--overwrite", is_flag=True, help="Replace an older report.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
def digits(**flags: Any) -> None:  # noqa: ANN401 - each flag is typed by click
    """Adapt a classifier of MNIST digits to USPS and one of USPS digits to MNIST, without the other's labels.

    The protocol is that of the adaptation papers: 2,000 MNIST and 1,800 USPS digits. A table goes to stdout.
    """
    if flags["seeds"] < 1:
        msg = f"--seeds is {flags['seeds']}; expected at least 1"
        raise ConfigError(msg)
    from cellgan.adaptation.digit_runs import DigitPlan, check_digit_report, run_all, runs_beside

    check_digit_report(flags["report"], overwrite=flags["overwrite"] or flags["resume"])
    kept = runs_beside(flags["report"])
    check_unfinished(kept, resume=flags["resume"], overwrite=flags["overwrite"])
    plan = DigitPlan(flags["data"], flags["seeds"], flags["framing"], flags["published"])
    with Screen(quiet=flags["quiet"]) as screen, resumable(kept):
        text = run_all(
            plan, flags["report"], resume=flags["resume"], progress=screen.progress, say=screen.say
        )
        screen.say(f"open {flags['report']} next")
    click.echo(text, nl=False)
