"""``cellgan validate``: which imputed markers can be believed, proved on those that both batches measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from cellgan.errors import ConfigError
from cellgan_cli.screen import Screen
from cellgan_cli.settings import DEFAULTS, RENAME, align_settings, limit_threads, read_config

if TYPE_CHECKING:
    from cellgan.cytof.validation import Validation

# Settings of an alignment that mean nothing here: the first file is the reference, each marker is drawn once,
# and computed with one thread.
LEFT_OUT = {"reference", "impute", "draws", "threads"}
Format = Literal["text", "json", "csv"]


def _read_names(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...] | Literal["all"]:
    """Take marker names from a list with commas."""
    if value.strip() == "all":
        return "all"
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if not names:
        msg = f"--hold-out {value!r} names no marker; expected all, or names with commas between"
        raise ConfigError(msg)
    return names


@click.command(short_help="Prove on held-out markers which imputed ones to believe.")
@click.argument("inputs", nargs=-1, required=True, metavar="REF OTHER", type=click.Path(path_type=Path))
@click.option(
    "--hold-out",
    default="all",
    show_default=True,
    callback=_read_names,
    metavar="all|A,B,...",
    help="Shared markers to hide in OTHER, one at a time.",
)
@click.option("--jobs", "-j", type=int, default=1, show_default=True, help="Markers at a time.")
@click.option("--json", "as_json", is_flag=True, help="Write the whole report to stdout, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Write the table to stdout as CSV.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    default=Path("validation.html"),
    show_default=True,
    metavar="PATH",
    help="Report, ending in .html; its numbers go beside it as JSON.",
)
@click.option("--no-report", is_flag=True, help="Write no file. A run that is stopped then begins anew.")
@click.option("--overwrite", is_flag=True, help="Replace an older report.")
@RENAME
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
@align_settings
@click.pass_context
def validate(ctx: click.Context, /, **flags: Any) -> None:  # noqa: ANN401 - each typed by click, checked by AlignConfig
    """Hide every marker that both files measure in OTHER, one at a time; predict it from REF, and compare.

    Markers are predicted as `cellgan align REF OTHER` imputes what OTHER did not measure, and beside that by
    simple methods. A table goes to stdout, a report to validation.html and .json. Both say of each marker
    that only one file measures whether its imputed values can be believed, and why.

    A run that was stopped goes on where it was when the same command is given again.
    """
    inputs: tuple[Path, ...] = flags["inputs"]
    given = ctx.get_parameter_source("report") is not click.core.ParameterSource.DEFAULT
    if flags["no_report"] and given:
        msg = f"--no-report and --report {flags['report']} say opposite things; give one of them"
        raise ConfigError(msg)
    if flags["as_json"] and flags["as_csv"]:
        msg = "--json and --csv both say what goes to stdout; give one of them"
        raise ConfigError(msg)
    config = read_config(DEFAULTS | flags)
    from cellgan.cytof.hold_out_choice import check_settings, check_two

    check_two(inputs)
    check_settings(config, flags["jobs"])
    limit_threads(1)
    from cellgan.cytof.input_files import check_files
    from cellgan.cytof.report_files import check_report

    check_files(inputs)
    report = None if flags["no_report"] else flags["report"]
    if report is not None:
        check_report(report, inputs=inputs, overwrite=flags["overwrite"])
    with Screen(quiet=flags["quiet"]) as screen:
        screen.progress("loading libraries", 0.0)
        from cellgan.cytof.align import Screen as Said
        from cellgan.cytof.kept_parts import KeptParts
        from cellgan.cytof.validate import validate_files

        kept = None if report is None else KeptParts.beside(report)
        found = validate_files(
            inputs,
            config,
            hold_out=flags["hold_out"],
            jobs=flags["jobs"],
            rename=flags["rename"],
            kept=kept,
            screen=Said(screen.progress, screen.say),
        )
        if report is not None:
            screen.progress("writing the report", 0.98)
            found.write_report(report)
        if kept is not None:
            kept.remove()
        _say(found, report, screen)
    click.echo(
        _as_text(found, "json" if flags["as_json"] else "csv" if flags["as_csv"] else "text"), nl=False
    )


validate.params = [param for param in validate.params if param.name not in LEFT_OUT]


def _say(found: Validation, report: Path | None, screen: Screen) -> None:
    verdict = found.report["verdict"]
    screen.say(f"{verdict['headline']}. {verdict['text']}")
    for warning in found.report["warnings"]:
        screen.say(f"warning: {warning}")
    if report is not None:
        screen.say(f"open {report} next")


def _as_text(found: Validation, form: Format) -> str:
    """Return what goes to stdout."""
    if form == "json":
        import json

        return json.dumps(found.report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if form == "csv":
        return found.table().to_csv(index=False, lineterminator="\n")
    from cellgan_cli.validation_text import as_text

    return as_text(found.report)
