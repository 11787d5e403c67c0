"""``cellgan segment``: volumes in, masks out, and how good they are."""

from __future__ import annotations

import click

from cellgan_cli.segment_evaluate import evaluate


@click.group(short_help="Segment MRI volumes, and score masks.")
def segment() -> None:
    """Segment MRI volumes (NIfTI), and score masks against an expert's.

    \b
    cellgan segment evaluate out/ CASES.csv      Dice, distances in mm, by site
    """  # noqa: D301 - click wants the backspace itself


segment.add_command(evaluate)
