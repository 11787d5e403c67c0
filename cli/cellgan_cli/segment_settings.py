"""Flags that mirror the settings of a segmenter; every default is read where it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, get_args

import click

from cellgan.cytof.config import Device
from cellgan.segmentation.config import Loss, Precision, SegmentConfig

DEFAULTS = {field.name: field.default for field in fields(SegmentConfig)}

Command = Callable[..., None]
DEVICE = click.option(
    "--device",
    type=click.Choice(get_args(Device)),
    default="auto",
    show_default=True,
    help="Where to compute.",
)


def _setting(name: str, kind: click.Choice[str] | type, help_text: str) -> Callable[[Command], Command]:
    default = DEFAULTS[name]
    flag = f"--{name.replace('_', '-')}"
    return click.option(flag, type=kind, default=default, show_default=default is not None, help=help_text)


SETTINGS = (
    _setting(
        "loss",
        click.Choice(get_args(Loss)),
        "cross-entropy, adversarial, hybrid: as Kohl et al. (2017). dice: soft Dice plus cross-entropy.",
    ),
    _setting("adversarial_weight", float, "Weight of the discriminator's say in hybrid; 1 in the paper."),
    _setting("steps", int, "Rounds of training, one mini-batch each."),
    _setting("learning_rate", float, "How far each round moves at the start; few rounds want more."),
    _setting("slices", int, "Slices a mini-batch."),
    _setting("size", int, "Pixels along a slice's sides on the training grid, a multiple of 16."),
    _setting("pixel", float, "Their distance in mm. [default: so that all masks are well within]"),
    _setting("neighbours", int, "Slices on either side that are seen with each."),
    _setting("width", int, "Channels of the network at full size."),
    _setting("members", int, "Networks that are trained side by side and decide together."),
    _setting(
        "precision", click.Choice(get_args(Precision)), "bfloat16 is faster where there are units for it."
    ),
    _setting("seed", int, "Seed of everything random."),
)


def segment_settings(command: Command) -> Command:
    """Add a flag for each setting."""
    for setting in reversed(SETTINGS):
        command = setting(command)
    return command


def read_settings(flags: Mapping[str, Any]) -> SegmentConfig:
    """Take the settings out of a command's flags.

    Raises
    ------
    ConfigError
        One of them makes no sense.
    """
    return SegmentConfig(**{name: flags[name] for name in DEFAULTS})
