"""``cellgan demo``: adversarial games to watch, each with a page and a test."""

from __future__ import annotations

from pathlib import Path

import click

from cellgan.atomic import atomic, check_output, make_folder
from cellgan.errors import InputError
from cellgan.images.demos import TITLES, find
from cellgan_cli.screen import Screen, list_files
from cellgan_cli.settings import limit_threads


@click.group(short_help="Adversarial games to watch: GAN, WGAN, VAE and others.")
def demo() -> None:
    """Adversarial games on small data, each with a page of pictures and a test of its own.

    \b
    cellgan demo list
    cellgan demo run gan -o demos/
    """  # noqa: D301 - click wants the backspace itself


@demo.command(name="list", short_help="Name the demos.")
def list_demos() -> None:
    """Write the demos to stdout: a name and what it shows, with a tab between."""
    for name, title in TITLES.items():
        click.echo(f"{name}\t{title}")


@demo.command(name="run", short_help="Play one, and write its page.")
@click.argument("name", type=click.Choice(list(TITLES)), metavar="NAME")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for the page.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An .npz file with x, uint8 images, and y, classes, or with an array of images for each class, "
    "instead of the demo's own images.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of everything random."
)
@click.option("--rounds", type=click.IntRange(min=1), help="Rounds to play. [default: the demo's own]")
@click.option("--overwrite", is_flag=True, help="Replace an older page.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
def run_demo(
    *,
    name: str,
    output: Path,
    data: Path | None,
    seed: int,
    rounds: int | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Play the demo NAME, and write DIR/NAME.html and its figures as DIR/NAME.json.

    The page shows samples as the game goes on, the losses, what the variant is for, its test, and the
    published formulas beside the lines that compute them. `cellgan demo list` names the demos.
    """
    files = [output / f"{name}.{suffix}" for suffix in ("html", "json")]
    if data is not None and not data.is_file():
        msg = f"{data}: there is no such file; expected an .npz file with x (images) and y (classes)"
        raise InputError(msg)
    if output.is_dir():
        for path in files:
            check_output(path, inputs=[] if data is None else [data], overwrite=overwrite)
    else:
        check_output(output)  # asks whether something can be made here
    limit_threads(1)
    with Screen(quiet=quiet) as screen:
        screen.progress("loading libraries", 0.0)
        from cellgan.images.demo_page import as_json, as_page, said
        from cellgan.images.image_data import read_npz

        chosen = find(name)
        images = None if data is None else read_npz(data)
        run = chosen.run(seed=seed, rounds=rounds, images=images, progress=screen.progress)
        make_folder(output)
        for path, text in zip(files, (as_page(name, run), as_json(name, run)), strict=True):
            with atomic(path) as part:
                part.write_text(text, encoding="utf-8")
        for measure in run.result.measures:
            if measure.tested:
                told = "passed" if measure.passed else "not passed"
                screen.say(f"{measure.name}: {measure.value:.3g}, {said(measure)}: {told}")
        if not run.as_meant:
            screen.say(f"bounds are meant for {chosen.rounds:,} rounds on the demo's own data")
        screen.say(f"open {files[0]} next")
    list_files(files)
