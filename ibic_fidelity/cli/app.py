"""All commands, and what becomes of errors.

Exit codes: 0 done; 2 wrong use; 3 the data fell short of the rules; 4 could not read or write.  A crash,
which is never ours, keeps its traceback and exits with 1.
"""

from __future__ import annotations

import signal
import sys

import typer

from ibic_fidelity.cli import (
    certify,
    check,
    compare,
    demo,
    draw,
    instrument,
    panel,
    precision,
    publication,
    raters,
    reliability,
    retest,
    score,
    simulate,
    structure,
    versions,
)
from ibic_fidelity.cli.output import language_of_call, print_error
from ibic_fidelity.errors import IbicError

app = typer.Typer(
    name="ibic-fidelity",
    help="To what extent does a municipality work according to IBIC, and how sure are we?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("score")(score.score)
app.command("compare")(compare.compare)
app.command("publish")(publication.publish)
app.command("reliability")(reliability.reliability)
app.command("structure")(structure.structure)
app.command("raters")(raters.raters)
app.command("precision")(precision.precision)
app.command("certify")(certify.certify)
app.command("draw")(draw.draw)
app.command("panel")(panel.panel)
app.command("retest")(retest.retest)
app.command("simulate")(simulate.simulate)
instrument.app.command("diff")(versions.diff)
instrument.app.command("revise")(versions.revise)
app.add_typer(instrument.app, name="instrument")


@app.callback(invoke_without_command=True)
def _version(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from ibic_fidelity.foundation.results import package_version

        typer.echo(package_version())
        raise typer.Exit


def main() -> None:
    """Run the command line and exit with a code."""
    if hasattr(signal, "SIGPIPE"):  # a pipe whose reader has had enough, such as `head`, ends us quietly
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code."""
    for handle in (sys.stdout, sys.stderr):
        if hasattr(handle, "reconfigure"):
            handle.reconfigure(errors="replace")  # a console that lacks a character is no reason to stop
    try:
        app(arguments, prog_name="ibic-fidelity")
    except SystemExit as end:  # how typer ends: 0, 2 for wrong use, or the code of typer.Exit
        return end.code if isinstance(end.code, int) else 0
    except IbicError as error:
        print_error(error, language_of_call(arguments))
        return error.exit_code
    return 0
