"""``cellgan segment train``, ``predict`` and ``crossval``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import click

from cellgan.atomic import atomic, check_output, make_folder
from cellgan.errors import ConfigError, InputError
from cellgan.segmentation.config import Pieces
from cellgan_cli.places import check_unfinished, resumable
from cellgan_cli.screen import Screen, list_files
from cellgan_cli.segment_evaluate import table
from cellgan_cli.segment_settings import DEVICE, read_settings, segment_settings

_PATH = click.Path(path_type=Path)
_MODEL = ["model.safetensors", "model.json", "losses.json", "trained_on.csv"]
_PIECES = click.option(
    "--pieces",
    type=click.Choice(get_args(Pieces)),
    default="as-trained",
    show_default=True,
    help="as-trained: one piece of each label that is one piece in all training masks. all: every piece.",
)
_QUIET = click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
_OUTPUT = click.option(
    "--output", "-o", required=True, type=_PATH, metavar="FOLDER", help="Where results go."
)


@click.command(short_help="Train a segmenter on a table of cases.")
@click.argument("cases", type=_PATH)
@_OUTPUT
@segment_settings
@DEVICE
@click.option("--resume", is_flag=True, help="Go on with a training that was stopped.")
@click.option("--overwrite", is_flag=True, help="Replace an older model.")
@_QUIET
def train(**flags: Any) -> None:  # noqa: ANN401 - each flag is typed by click and checked by SegmentConfig
    """Train a segmenter on the images and masks of CASES, a .csv with the columns case,site,image,mask.

    Writes model.safetensors, model.json, losses.json and trained_on.csv (where the training's files are) into
    the folder. Stopped by Ctrl-C, it goes on with --resume to the same bytes.
    """
    config, folder = read_settings(flags), flags["output"]
    unfinished = folder / "unfinished.safetensors"
    check_unfinished(unfinished, resume=flags["resume"], overwrite=flags["overwrite"])
    _check_folder(folder, _MODEL, overwrite=flags["overwrite"], inputs=(flags["cases"],))
    from cellgan.segmentation.cases import read_cases
    from cellgan.segmentation.training import train as play

    cases = read_cases(flags["cases"])
    with Screen(quiet=flags["quiet"]) as screen, resumable(unfinished):
        model = play(
            cases,
            config,
            folder=folder,
            resume=flags["resume"],
            device=flags["device"],
            progress=screen.progress,
            warn=lambda line: screen.say(f"warning: {line}"),
        )
        screen.say(
            f"trained on {len(cases)} cases, {config.steps} rounds ({config.loss}); "
            f"{model.n_labels - 1} label{'s' if model.n_labels > 2 else ''}, pixels of {model.pixel:g} mm"
        )
    list_files([folder / name for name in _MODEL])


@click.command(short_help="Segment volumes with a trained model.")
@click.argument("model", type=_PATH)
@click.argument("volumes", nargs=-1, required=True, type=_PATH, metavar="VOLUME...")
@_OUTPUT
@_PIECES
@click.option("--uncertainty", is_flag=True, help="Write a map of probability and one of uncertainty too.")
@DEVICE
@click.option("--overwrite", is_flag=True, help="Replace older masks.")
@_QUIET
def predict(**flags: Any) -> None:  # noqa: ANN401 - each flag is typed by click
    """Segment each VOLUME with the MODEL: the mask of X.nii.gz is X_mask.nii.gz in the output folder.

    A mask has its volume's shape, position and units. X_mask.json beside it says how it was made, and whether
    the volume is so unlike the training cases that the mask should not be trusted.

    A model of several channels takes the volumes of each case one after the other, in the order of its
    training.
    """
    from cellgan.segmentation.volumes import stem

    volumes, output = flags["volumes"], flags["output"]
    twice = [name for name, n in Counter(stem(path) for path in volumes).items() if n > 1]
    if twice:
        msg = f"several volumes are called {twice[0]}, and so would their masks be; segment them one by one"
        raise ConfigError(msg)
    kinds = ("probability.nii.gz", "uncertainty.nii.gz") if flags["uncertainty"] else ()
    names = [f"{stem(path)}_{kind}" for path in volumes for kind in ("mask.nii.gz", "mask.json", *kinds)]
    _check_folder(output, names, overwrite=flags["overwrite"], inputs=volumes)
    with Screen(quiet=flags["quiet"]) as screen:
        screen.progress("loading the model", 0.0)
        from cellgan.segmentation.model import load_model
        from cellgan.segmentation.prediction import predict as segment

        trained = load_model(flags["model"], device=flags["device"])
        many = len(trained.counts)
        if len(volumes) % many:
            msg = (
                f"the model takes {many} volumes a case; got {len(volumes)}. Give all of "
                "each case, one case after the other"
            )
            raise InputError(msg)
        make_folder(output)
        cases = [volumes[k : k + many] for k in range(0, len(volumes), many)]
        written: list[Path] = []
        doubted = 0
        for number, images in enumerate(cases):
            screen.progress(f"segmenting {images[0].name}", number / len(cases))
            found = segment(trained, images, pieces=flags["pieces"])
            written += found.write(output, uncertainty=flags["uncertainty"])
            for line in found.warnings:
                screen.insist(f"warning: {line}")
            if found.familiarity is not None and not found.familiarity.trusted:
                doubted += 1
                screen.insist(f"look at the mask of {images[0].name}: {'; '.join(found.familiarity.reasons)}")
        if doubted:
            screen.insist(
                f"{doubted} of {len(cases)} masks should not be trusted unseen; the files _mask.json say why"
            )
    list_files(written)


@click.command(short_help="Cross-validate by case.")
@click.argument("cases", type=_PATH)
@_OUTPUT
@segment_settings
@click.option("--folds", default=4, show_default=True, help="How many parts the cases are dealt out into.")
@_PIECES
@click.option("--no-report", is_flag=True, help="Write no page (report.html).")
@DEVICE
@click.option("--overwrite", is_flag=True, help="Replace older results.")
@_QUIET
def crossval(**flags: Any) -> None:  # noqa: ANN401 - each flag is typed by click and checked by SegmentConfig
    """Segment each case of CASES with a model that was trained on other cases, and score the masks.

    Cases are dealt out whole, never by slice, each site evenly. The masks, with maps of probability,
    scores.json, scores.csv and the page report.html go into the folder, the table of `cellgan segment
    evaluate` to stdout.
    """
    config, folder = read_settings(flags), flags["output"]
    names = ["scores.json", "scores.csv", *([] if flags["no_report"] else ["report.html"])]
    _check_folder(folder, names, overwrite=flags["overwrite"])
    from cellgan.segmentation.cases import read_cases
    from cellgan.segmentation.crossval import cross_validate
    from cellgan.segmentation.pairs import find_pairs
    from cellgan.segmentation.report_page import write_report

    cases = read_cases(flags["cases"])
    with Screen(quiet=flags["quiet"]) as screen:
        found = cross_validate(
            cases,
            config,
            folds=flags["folds"],
            folder=folder,
            pieces=flags["pieces"],
            device=flags["device"],
            progress=screen.progress,
        )
    with atomic(folder / "scores.json") as part:
        part.write_text(json.dumps(found.as_json(), indent=1, allow_nan=False), encoding="utf-8")
    found.write_csv(folder / "scores.csv")
    if not flags["no_report"]:
        about = f"Cross-validation in {flags['folds']} parts: no mask is of a model that had seen its case."
        write_report(folder / "report.html", found, find_pairs(folder, flags["cases"]), about=about)
        screen.say(f"open {folder / 'report.html'} next")
    click.echo(table(found))


def _check_folder(folder: Path, names: list[str], *, overwrite: bool, inputs: tuple[Path, ...] = ()) -> None:
    """See that the folder can take results, or be made to."""
    if not folder.is_dir():
        check_output(folder)
        return
    for name in names:
        check_output(folder / name, inputs=inputs, overwrite=overwrite)
