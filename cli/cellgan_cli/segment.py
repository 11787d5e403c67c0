"""``cellgan segment``: volumes in, masks out, and how good they are."""

from __future__ import annotations

import click

from cellgan_cli.segment_evaluate import evaluate
from cellgan_cli.segment_train import crossval, predict, train


@click.group(short_help="Segment MRI volumes, and score masks.")
def segment() -> None:
    """Segment MRI volumes (NIfTI), and score masks against an expert's.

    \b
    cellgan segment train CASES.csv -o model/           from images and masks
    cellgan segment predict model/ X.nii.gz -o out/     writes out/X_mask.nii.gz
    cellgan segment evaluate out/ CASES.csv             Dice, distances in mm, by site
    cellgan segment crossval CASES.csv -o folds/        what to expect of new cases
    """  # noqa: D301 - click wants the backspace itself


segment.add_command(train)
segment.add_command(predict)
segment.add_command(evaluate)
segment.add_command(crossval)
