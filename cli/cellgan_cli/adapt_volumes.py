"""``cellgan adapt volumes``: a segmenter, carried to another site's volumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellgan.atomic import check_output
from cellgan.errors import InputError
from cellgan_cli.places import check_unfinished, resumable
from cellgan_cli.screen import Screen, list_files
from cellgan_cli.segment_settings import DEVICE

if TYPE_CHECKING:
    from cellgan.segmentation.cases import Case

_PATH = click.Path(path_type=Path)
WRITTEN = (
    "model.safetensors",
    "model.json",
    "losses.json",
    "trained_on.csv",
    "report.html",
    "report.json",
)


@click.command(short_help="Adapt a segmenter to another site's volumes.")
@click.argument("model", type=_PATH)
@click.argument("target_cases", type=_PATH)
@click.option(
    "--source",
    type=_PATH,
    metavar="CASES",
    help="Table of the model's training: images, masks. [default: MODEL/trained_on.csv]",
)
@click.option("--output", "-o", required=True, type=_PATH, metavar="FOLDER", help="Where the model goes.")
@click.option(
    "--least-doubt",
    type=float,
    default=2.0,
    show_default=True,
    help="Adapt only where MODEL doubts so many times as much as on its own cases; 0 adapts anywhere.",
)
@click.option(
    "--adapted-alone",
    is_flag=True,
    help="Never let MODEL decide together with the adapted one, as it does where it is not plainly lost.",
)
@click.option("--rounds", type=int, default=240, show_default=True, help="Rounds of the game.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="bfloat16 takes less time where the processor has units for it.",
)
@DEVICE
@click.option("--resume", is_flag=True, help="Go on with an adaptation that was stopped.")
@click.option("--overwrite", is_flag=True, help="Replace an older model.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
def volumes(**flags: Any) -> None:  # noqa: ANN401 - each flag is typed by click
    """Adapt the segmenter MODEL to the images of TARGET_CASES, a .csv with the columns case,site,image.

    Masks of the target are not needed, and not looked at if there are any. What is written into the folder is
    a model that `cellgan segment predict` takes, and report.html. Where MODEL is nearly as sure as on its own
    cases, or no adapted network looks better without target masks, it is MODEL as it was, and says so.
    """
    model, output = flags["model"], flags["output"]
    files = [output / name for name in WRITTEN]
    unfinished = output / "unfinished.safetensors"
    check_unfinished(unfinished, resume=flags["resume"], overwrite=flags["overwrite"])
    if output.is_dir():
        inputs = [
            *(model / name for name in WRITTEN),
            flags["target_cases"],
            *filter(None, [flags["source"]]),
        ]
        for path in files:
            check_output(path, inputs=inputs, overwrite=flags["overwrite"])
    else:
        check_output(output)
    with Screen(quiet=flags["quiet"]) as screen, resumable(unfinished):
        screen.progress("loading libraries", 0.0)
        from cellgan.adaptation.adaptation_page import write_page
        from cellgan.adaptation.choice import Keep
        from cellgan.segmentation.adapt_volumes import adapt_volumes, default_game
        from cellgan.segmentation.adapted_outlines import draw_changes
        from cellgan.segmentation.adapted_volumes_page import adapted_volumes_page
        from cellgan.segmentation.cases import TRAINED_ON, read_image_cases, write_cases
        from cellgan.segmentation.model import load_model

        segmenter = load_model(model, device=flags["device"])
        targets, source = read_image_cases(flags["target_cases"]), _source_cases(model, flags["source"])
        found = adapt_volumes(
            segmenter,
            targets,
            source,
            default_game(flags["seed"], flags["rounds"]),
            least_doubt=flags["least_doubt"],
            adapted_alone=flags["adapted_alone"],
            keep=Keep(output, resume=flags["resume"]),
            precision=flags["precision"],
            progress=screen.progress,
        )
        found.model.save(output)
        write_cases(output / TRAINED_ON, source)
        pictures = draw_changes(segmenter, found.model, targets, progress=screen.progress)
        report = {"model": model.resolve().name} | found.report
        made = adapted_volumes_page(report, model=report["model"], pictures=[pictures])
        write_page(made, report, output / "report.html")
        screen.say(found.verdict)
        for line in found.report["warnings"]:
            screen.say(f"warning: {line}")
        screen.say(f"open {output / 'report.html'} next")
    list_files(files)


def _source_cases(model: Path, table: Path | None) -> list[Case]:
    """Read the cases that a model was trained on, by default from the table in its folder."""
    from cellgan.segmentation.cases import TRAINED_ON, read_cases

    noted = model / TRAINED_ON
    if table is None and not noted.exists():
        msg = (
            f"there is no file {noted}, which tells where the images and masks of the model's training are; "
            "give their table with --source CASES.csv"
        )
        raise InputError(msg)
    try:
        return read_cases(table or noted)
    except InputError as error:
        if table is None:
            error.add_note(
                "it tells where the training's files were; if they have moved, give --source CASES.csv"
            )
        raise
