"""The command line: one file for each command; each parses, calls the library and prints.

Data go to standard output, all talk to standard error. Exit codes: 0; 2 for what the user can mend, said in
one line; 130 after Ctrl-C, with the run saved.
"""

import errno
import os
import sys
import warnings
from io import TextIOWrapper

import typer

from elman.errors import ElmanError

from . import compare, evaluate, export, fill, generate, inspect, push, recipes, score, serve, trace, train

app = typer.Typer(
    name="elman",
    help="Recurrent language models to read, to train on a laptop, and to ship.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (train, generate, fill, evaluate, score, compare, inspect, export, push, serve, recipes, trace):
    app.command(module.__name__.rpartition(".")[2], epilog=module.EXAMPLE)(module.command)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    if version:
        from elman import __version__

        print(__version__)
    elif context.invoked_subcommand is None:
        print(context.get_help())


def main() -> None:
    """Run the command line and exit."""
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):  # a prompt may hold what the terminal's encoding does not have
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        status = app(standalone_mode=False, prog_name="elman")
        sys.stdout.flush()
        sys.exit(status)
    except ElmanError as error:
        _say(f"elman: {error}")
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        _say("elman: interrupted")
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        _write_to_nothing()
        sys.exit(0)
    except (MemoryError, RuntimeError) as error:
        if not _says_no_memory(error):
            raise
        _say("elman: not enough memory for this; lower model.hidden_size, train.batch_size or train.window")
        sys.exit(2)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _write_to_nothing()
        _say(f"elman: cannot write {error.filename or 'the output'}: {error.strerror}; free some space")
        sys.exit(2)
    except typer.TyperException as error:  # options and arguments that typer refuses
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "elman"
        message = " ".join(error.format_message().split()).rstrip(".")
        _say(f"elman: {message[:1].lower()}{message[1:]}; see {command} --help")
        sys.exit(2)


def _says_no_memory(error: Exception) -> bool:
    """Whether Python, or torch for a processor or a GPU, was refused memory."""
    refusals = "can't allocate memory", "out of memory"  # torch's, which are RuntimeErrors
    return isinstance(error, MemoryError) or any(refusal in str(error) for refusal in refusals)


def _write_to_nothing() -> None:
    """Let what is left of standard output go nowhere, so that nothing fails when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _say(f"warning: {message}")


def _say(text: str) -> None:
    print(" ".join(text.splitlines()), file=sys.stderr)
