"""The command `gcreplay`: its subcommands, and how every failure ends.

Exit codes: 0 done, 1 a failed check or a broken input, 2 wrong usage, 130 interrupted, 141 the
reader of the output has gone, 143 terminated; `record` ends with the exit code of the recorded
program.
"""

import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Any, Final

import click

from gcreplay import interrupt
from gcreplay.installation import write_limits
from gcreplay.report.words.text import plain, visible
from gcreplay.store import waiting
from gcreplay.store.errors import GcreplayError, UsageError
from gcreplay.store.marks import meant
from gcreplay.store.quiet import no_threads

COMMANDS: Final = {
    "record": "Run a program under CPython 3.11 and record its heap.",
    "report": "Write one page that says what to do: HTML, Markdown or JSON.",
    "replay": "Replay a recording under policies and compare the results.",
    "sweep": "Compare many thresholds at once, and find the best.",
    "diff": "Compare two replays, of one recording or of two.",
    "tune": "Find the setting that suits a program, and the lines to paste.",
    "leaks": "Say what is alive at the end, what of it grows, and what holds it.",
    "costs": "Say where the collector's time goes, by phase and by caller.",
    "cycles": "Show the cycles that only a collector frees, and their lines.",
    "verify": "Compare a replay with what the interpreter really collected.",
    "check": "Say whether a recording is like production, from a log of it.",
    "prove": "Predict, really run the program, and compare.",
    "info": "Say what a recording holds and what is wrong with it.",
    "events": "Print single events in words.",
    "export": "Write a recording for other tools: JSON, SQL, Perfetto.",
    "import": "Make a recording of JSON Lines.",
    "policies": "List the policies that can be replayed.",
    "recover": "Make a recording of the spool that a killed `record` left.",
}
"""What `gcreplay --help` says of each: it need not import them all for that."""

SECTIONS: Final = {
    "Record a program": ("record", "recover", "import"),
    "Ask a recording": ("report", "info", "costs", "cycles", "leaks", "events"),
    "Choose a setting": ("tune", "replay", "sweep", "policies"),
    "Compare two versions, runs or settings": ("diff",),
    "Trust it": ("verify", "check", "prove"),
    "Use other tools": ("export",),
}
"""The commands by what a person wants."""

HELP: Final = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""How newer versions of click show the help where a command is missing."""


class Failure(click.ClickException):
    """A sentence on standard error and exit code 1; names in it are shown, not obeyed."""

    def __init__(self, sentence: str) -> None:
        super().__init__(plain(sentence))


class WrongUsage(Failure):
    """A sentence on standard error and exit code 2."""

    exit_code = 2


class Terminated(BaseException):
    """SIGTERM: like Ctrl-C it ends what is being done, files are left as they were."""


@contextmanager
def terminable() -> Iterator[None]:
    """In this block SIGTERM raises Terminated, unless whoever started us had it ignored."""

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    with ExitStack() as stack:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            with suppress(ValueError):  # not in the main thread
                before = signal.signal(signal.SIGTERM, terminate)
                stack.callback(signal.signal, signal.SIGTERM, before)
        yield


@contextmanager
def shown_plainly() -> Iterator[None]:
    """Words typed that are no command or option are shown, not obeyed."""
    try:
        yield
    except click.UsageError as error:
        message = error.format_message()
        if visible(message) or isinstance(error, HELP):
            raise
        # What click quotes it has escaped itself, backslashes too.
        shown = "\\".join(map(plain, message.split("\\")))
        raise click.UsageError(shown, error.ctx) from error


class Commands(click.Group):
    """Imports a subcommand when it is asked for, and turns every error into one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module_name = "import_" if cmd_name == "import" else cmd_name  # `import` is a keyword
        with no_threads():
            command = importlib.import_module(f"gcreplay.commands.{module_name}").command
        assert isinstance(command, click.Command)
        interrupt.raises()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in COMMANDS or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"No such command {args[0]!r}{meant(args[0], list(COMMANDS))}.", ctx)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        write_limits(formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in SECTIONS.items():
            with formatter.section(title):
                width = max(map(len, COMMANDS))
                formatter.write_dl([(f"{name:{width}}", COMMANDS[name]) for name in names])

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with in_one_sentence(), shown_plainly():  # --help prints here
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # as `plain` shows what is not there
        waiting.tell = _say
        with in_one_sentence(), terminable(), shown_plainly():
            return super().invoke(ctx)


def _say(sentence: str) -> None:
    click.echo(plain(sentence), err=True)


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Every failure in this block becomes one sentence on standard error and an exit code."""
    try:
        yield
    except UsageError as error:
        raise WrongUsage(str(error)) from error
    except GcreplayError as error:
        raise Failure(str(error)) from error
    except BrokenPipeError:
        # The reader has gone (`| head`): what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(128 + signal.SIGPIPE) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else "Output: "
        raise Failure(f"{where}{error.strerror or error}.") from error
    except ValueError as error:
        if sys.stdout is None or not sys.stdout.closed:
            raise
        raise Failure(
            "Standard output was closed, by a policy perhaps: nothing is shown."
        ) from error
    except MemoryError as error:
        raise Failure("The memory does not suffice for this recording.") from error
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        raise click.exceptions.Exit(128 + signal.SIGINT) from None
    except Terminated:
        click.echo("Terminated.", err=True)
        raise click.exceptions.Exit(128 + signal.SIGTERM) from None


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `gcreplay record --for what-if --report report.html script.py`: it "
    "writes a page that says what to do.",
)
@click.version_option(package_name="gcreplay", prog_name="gcreplay")
def cli() -> None:
    """Record a program's heap once; replay it under any collector; compare exactly."""
