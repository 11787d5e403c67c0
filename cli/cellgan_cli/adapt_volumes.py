"""``cellgan adapt volumes``: a segmenter, carried to another site's volumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellgan.atomic import check_output
from cellgan.errors import InputError
from cellgan_cli.screen import Screen, list_files

if TYPE_CHECKING:
    from cellgan.segmentation.cases import Case

_PATH = click.Path(path_type=Path)


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
@click.option("--rounds", type=int, default=240, show_default=True, help="Rounds of the game.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="bfloat16 takes less time where the processor has units for it.",
)
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
    names = ["model.safetensors", "model.json", "trained_on.csv", "report.html", "report.json"]
    kept = [] if flags["resume"] else ["unfinished.safetensors"]
    inputs = [*(model / name for name in names), flags["target_cases"], *filter(None, [flags["source"]])]
    if output.is_dir():
        for name in (*names, *kept):
            check_output(output / name, inputs=inputs, overwrite=flags["overwrite"])
    else:
        check_output(output)
    with Screen(quiet=flags["quiet"]) as screen:
        screen.progress("loading libraries", 0.0)
        from dataclasses import replace

        from cellgan.adaptation.adaptation_page import write_page
        from cellgan.adaptation.choice import Keep
        from cellgan.segmentation.adapt_volumes import adapt_volumes, default_game
        from cellgan.segmentation.adapted_volumes_page import adapted_volumes_page
        from cellgan.segmentation.cases import TRAINED_ON, read_image_cases, write_cases
        from cellgan.segmentation.model import load_model

        segmenter, targets = load_model(model), read_image_cases(flags["target_cases"])
        source = _source_cases(model, flags["source"])
        found = adapt_volumes(
            segmenter,
            targets,
            source,
            replace(default_game(flags["seed"]), rounds=flags["rounds"]),
            least_doubt=flags["least_doubt"],
            keep=Keep(output, resume=flags["resume"]),
            precision=flags["precision"],
            progress=screen.progress,
        )
        found.model.save(output)
        write_cases(output / TRAINED_ON, source)
        write_page(adapted_volumes_page(found.report), found.report, output / "report.html")
        screen.say(found.verdict)
        screen.say(f"open {output / 'report.html'} next")
    list_files([output / name for name in names[:4]])


def _source_cases(model: Path, table: Path | None) -> list[Case]:
    """Read the cases that a model was trained on, by default from the table in its folder."""
    from cellgan.segmentation.cases import TRAINED_ON, read_cases

    try:
        return read_cases(table or model / TRAINED_ON)
    except InputError as error:
        if table is None:
            error.add_note(
                "it tells where the training's files were; if they have moved, give --source CASES.csv"
            )
        raise
