"""The `remend` command: a group that loads each verb only when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from remend import __version__
from remend.errors import RemendError

__all__ = ["main"]

# Verb -> module that holds a click command of the verb's name. A verb's imports (OpenCV alone takes
# 0.1 s) are paid only by who calls it.
VERBS = {
    "repair": "remend.cli.repair",
    "detect": "remend.cli.detect",
    "mask": "remend.cli.mask",
    "methods": "remend.cli.methods",
    "evaluate": "remend.cli.evaluate",
}


class LazyGroup(click.Group):
    """Finds commands by name in VERBS and turns Remend's errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of VERBS."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and return its command."""
        module = VERBS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(module), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; an expected error is one line on stderr."""
        try:
            return super().invoke(ctx)
        except RemendError as error:
            click.echo(f"remend: {error}", err=True)
            ctx.exit(error.exit_code)
        except MemoryError:
            click.echo("remend: out of memory: use a smaller picture or fewer --jobs", err=True)
            ctx.exit(4)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="remend")
def main() -> None:
    """Repair damaged pictures: find the damage, fill it, leave every other pixel as it was."""
