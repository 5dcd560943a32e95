"""The `remend` command: a group that loads each verb only when it is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from remend import __version__
from remend.cli.language import ChineseContext, show_misuse, translated
from remend.faults import DEBUG, as_own, debugging, trace_of
from remend.language import is_chinese, told

__all__ = ["main", "remend"]

# Verb -> module that holds a click command of the verb's name. A verb's imports (OpenCV alone takes
# 0.1 s) are paid only by who calls it.
VERBS = {
    "repair": "remend.cli.repair",
    "restore": "remend.cli.restore",
    "crop": "remend.cli.crop",
    "detect": "remend.cli.detect",
    "inspect": "remend.cli.inspect",
    "video": "remend.cli.video",
    "live": "remend.cli.live",
    "undo": "remend.cli.provenance",
    "redo": "remend.cli.provenance",
    "audit": "remend.cli.provenance",
    "mask": "remend.cli.mask",
    "methods": "remend.cli.methods",
    "serve": "remend.cli.serve",
    "evaluate": "remend.cli.evaluate",
    "compare": "remend.cli.compare",
    "study": "remend.cli.study",
    "train": "remend.cli.train",
    "adapt": "remend.cli.adapt",
    "federate": "remend.cli.federate",
    "export": "remend.cli.export",
    "nets": "remend.cli.nets",
    "convert": "remend.cli.convert",
    "models": "remend.cli.models",
}


class LazyGroup(click.Group):
    """Finds commands by name in VERBS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of VERBS."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and return its command."""
        module = VERBS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(module), cmd_name)
        if not any(option.name == "debug" for option in command.params):
            command.params.append(_debug_option())
        return translated(command) if is_chinese() else command

    def get_help(self, ctx: click.Context) -> str:
        """In the user's language."""
        if not is_chinese():
            return super().get_help(ctx)
        ctx.formatter_class = ChineseContext.formatter_class
        return click.Group.get_help(translated(self), ctx)


def _debug_option() -> click.Option:
    """``--debug``, which may stand before and after the verb."""

    def listen(context: click.Context, option: click.Parameter, wanted: bool) -> None:
        if wanted:
            os.environ[DEBUG] = "1"  # worker processes inherit it

    text = "Show tracebacks of faults, and what libraries write to stderr."
    return click.Option(["--debug"], is_flag=True, expose_value=False, callback=listen, help=text)


@click.group(
    cls=LazyGroup, params=[_debug_option()], context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="remend")
def remend() -> None:
    """Repair damaged pictures: find the damage, fill it, leave every other pixel as it was.

    Exit codes: 0 all good, 1 some pictures failed, 2 usage, 3 model, 4 resources, 5 training diverged,
    130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; an expected error is one line on stderr.

    Args:
        arguments: None = the process's own.

    Raises:
        SystemExit: always, with the exit code.
    """
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = remend.main(args=arguments, prog_name="remend", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo("remend: interrupted", err=True)
        return 130
    except click.ClickException as error:
        show_misuse(error)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has left (`remend … | head`): nothing more to say to anybody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        own = as_own(error)
        click.echo(f"remend: {told(own)}", err=True)
        if debugging():
            click.echo(trace_of(error), err=True, nl=False)
        return own.exit_code
    return code if isinstance(code, int) else 0
