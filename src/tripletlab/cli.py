"""The command line: `tripletlab COMMAND [KEY=VALUE …]`; the commands import what is heavy."""

import errno
import io
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from tripletlab import __version__, config
from tripletlab.commands.clean import clean
from tripletlab.commands.compare import compare
from tripletlab.commands.data import app as data
from tripletlab.commands.describe import describe
from tripletlab.commands.enrol import enrol
from tripletlab.commands.evaluate import evaluate
from tripletlab.commands.export import export
from tripletlab.commands.fetch import fetch
from tripletlab.commands.gallery import app as gallery
from tripletlab.commands.help import Command, ConfigCommand, Group
from tripletlab.commands.identify import identify
from tripletlab.commands.prepare import prepare
from tripletlab.commands.recognise import recognise
from tripletlab.commands.report import report
from tripletlab.commands.serve import serve
from tripletlab.commands.suspects import suspects
from tripletlab.commands.sweep import sweep
from tripletlab.commands.train import train
from tripletlab.commands.ui import ui
from tripletlab.commands.verify import verify
from tripletlab.commands.webcam import webcam
from tripletlab.errors import InputError, brief, printable, starved
from tripletlab.system.caches import provide_caches
from tripletlab.system.extras import missing_extra
from tripletlab.system.interrupts import (
    every_interrupt_heard,
    nothing_after_the_stop,
    terminated_as_by_hand,
)
from tripletlab.system.redaction import redact_tracebacks, redacted
from tripletlab.system.temporary_files import temporary_files

EPILOG = """\
tripletlab sweep: the paper's grid on synthetic people

tripletlab train miner=hard margin=0.4: one run

tripletlab train --config miner=hard: print what would run, without running it

tripletlab sweep --photos ~/photos: the grid on your own photos, a sub-folder for each person
"""
COMMANDS: dict[str, tuple[Callable[..., None] | typer.Typer, ...]] = {  # by the panel of the help
    "Sweep and train": (sweep, train, describe, report, ui, clean),
    "Evaluate and compare": (evaluate, compare, identify),
    "Prepare photos": (prepare, data, suspects, fetch),
    "Use the champion": (export, webcam, verify, enrol, recognise, gallery, serve),
}
INTERRUPTED, BROKEN_PIPE = 130, 141  # what a shell makes of SIGINT and SIGPIPE
FULL = errno.ENOSPC, errno.EDQUOT
FEW_FILES = errno.EMFILE, errno.ENFILE
LONGEST = 2000  # characters of an error's line
ALIASES: dict[str, Callable[..., None]] = {"enroll": enrol, "recognize": recognise}
CONFIGURABLE = {prepare, train, evaluate, identify, describe, sweep}  # their help lists conf/


def _name(command: Callable[..., None] | typer.Typer) -> str:
    return str(command.info.name if isinstance(command, typer.Typer) else command.__name__)


class Commands(Group):
    """All of them, in the order of the help; Typer has groups before commands."""

    def list_commands(self, ctx: object) -> list[str]:
        """Their names."""
        return [*(_name(one) for panel in COMMANDS.values() for one in panel), *ALIASES]


app = typer.Typer(
    name="tripletlab",
    cls=Commands,
    help="Hyperparameter sweeps for face verification with triplet loss.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, commands in COMMANDS.items():
    for command in commands:
        if isinstance(command, typer.Typer):
            app.add_typer(command, rich_help_panel=panel)
        else:
            kind = ConfigCommand if command in CONFIGURABLE else Command
            app.command(rich_help_panel=panel, cls=kind)(command)
for alias, command in ALIASES.items():
    app.command(alias, hidden=True, cls=Command)(command)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tripletlab {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, help="Print the version, and exit.")
    ] = False,
    config_dir: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Your own conf folder, with choices that name your own code."
        ),
    ] = None,
) -> None:
    """Hyperparameter sweeps for face verification with triplet loss."""
    if config_dir is not None:
        if not config_dir.strip():
            raise InputError("--config-dir is empty: name a folder, or leave the option out")
        config.use(Path(config_dir))


def _home_expanded(word: str) -> str:
    """`~` that a shell leaves as it is: in quotes, or after the = of an option."""
    return re.sub(r"^(--[\w-]+=)?~(?=/|$)", lambda match: f"{match[1] or ''}{Path.home()}", word)


def _check_working_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise InputError("the working folder has been deleted: cd to another one") from error


def _write_everything() -> None:
    """Letters that the encoding of the output does not have become question marks.

    COLUMNS counts only if it is a width: rich would print nothing in 0 columns.
    """
    if not (columns := os.environ.get("COLUMNS", "")).isdecimal() or not int(columns):
        os.environ.pop("COLUMNS", None)
    if isinstance(sys.stdout, io.TextIOWrapper) and (
        sys.stdout.errors == "strict"
        or (sys.stdout.errors == "surrogateescape" and sys.stdout.encoding != "utf-8")
    ):
        sys.stdout.reconfigure(errors="replace")


def _advice(error: OSError) -> str:
    """What helps where the disk is full, files are too many, or a name is too long."""
    where = error.filename or f"the working folder, or TMPDIR ({tempfile.gettempdir()})"
    if error.errno == errno.ENAMETOOLONG:
        return f"shorten {brief(where)}"
    return f"make room in {where}" if error.errno in FULL else "raise ulimit -n"


def _run(words: Sequence[str]) -> int:
    """Run a command, for its exit code. BrokenPipeError, of which Typer and rich make an exit."""
    try:
        return app(args=words, prog_name="tripletlab", standalone_mode=False) or 0
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from None
        raise


def _run_until_stopped(words: list[str]) -> int:
    """Run a command, for its exit code; Ctrl-C and SIGTERM end it and leave nothing behind."""
    with (
        terminated_as_by_hand(),
        every_interrupt_heard(signal.SIGINT),
        nothing_after_the_stop(),
        temporary_files(),
    ):
        _check_working_folder()
        return _run(words)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 when it ends well, 2 for bad input, 130 for Ctrl-C and SIGTERM alike."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    _write_everything()
    provide_caches()
    redact_tracebacks()
    words = [_home_expanded(word) for word in (sys.argv[1:] if arguments is None else arguments)]
    try:
        code = _run_until_stopped(words)
        if code == INTERRUPTED:  # typer makes it of a KeyboardInterrupt
            raise KeyboardInterrupt
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (InputError, FloatingPointError) as error:
        message = str(error)
    except OSError as error:
        if error.errno not in (*FULL, *FEW_FILES, errno.ENAMETOOLONG):
            raise
        message = f"{error.strerror}: {_advice(error)}, and give the same command again"
    except ModuleNotFoundError as error:
        if not (missing := missing_extra(error)):
            raise
        message = missing
    except typer.TyperException as error:
        message = error.format_message()
        if not message:  # the help has been printed instead
            return 2
        if "No such option: --config-dir" in message:
            message = "--config-dir belongs before the command: tripletlab --config-dir FOLDER …"
    except (KeyboardInterrupt, typer.Abort):
        print("tripletlab: stopped; the same command continues where it can", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if not starved(error):
            raise
        message = "out of memory: raise the limit (ulimit -v), and give the same command again"
    message = printable(redacted(" ".join(message.split())))
    shown = message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} … {message[-200:]}"
    print(f"tripletlab: {shown}", file=sys.stderr)
    return 2
