"""`remend serve`: the page and the HTTP API."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from remend.cli.flags import flags
from remend.errors import UsageError
from remend.options import Bounds

if TYPE_CHECKING:
    from remend.serve.security import Guard

__all__ = ["serve"]

NEEDS = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
LEAST_TOKEN = 16


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; others need a --token."
)
@click.option(
    "--port", default=8321, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free."
)
@click.option(
    "--token",
    envvar="REMEND_TOKEN",
    metavar="SECRET",
    help="Who asks must send it; better given as REMEND_TOKEN, which no process list shows.",
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="A further host name that requests may be for, behind a proxy.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Pictures at a time. Default: one for two cores, 4 at most."
)
@click.option(
    "--queue", default=32, show_default=True, type=click.IntRange(1, 10_000), help="Requests that may wait."
)
@flags(Bounds, "max_pixels", "max_memory", "accept")
@click.option(
    "--max-bytes",
    default=256 << 20,
    show_default=True,
    type=click.IntRange(1024),
    help="Refuse larger requests.",
)
@click.option(
    "--client-share",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0.01, 1),
    help="Of places and bytes, for one address; 1 behind a proxy on another machine.",
)
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
def serve(**given: Any) -> None:
    """Serve the page and the HTTP API, on this machine only unless --host says otherwise.

    Ctrl-C or SIGTERM lets work in hand finish, for 20 seconds at most.
    """
    if any(find_spec(name) is None for name in NEEDS):
        raise UsageError("serving needs its extra: pip install 'remend[serve]'")
    import os

    from remend.serve.app import create_app
    from remend.serve.limits import Limits, default_workers
    from remend.serve.security import Guard, is_loopback
    from remend.serve.server import run_server

    host, token = given["host"], given["token"] or None
    if token is not None and len(token) < LEAST_TOKEN:
        raise UsageError(
            f"the token has {len(token)} characters: give {LEAST_TOKEN} or more, and hard to guess"
        )
    if token is None and not is_loopback(host):
        raise UsageError(f"{host} can be reached from other machines: give a --token, or leave out --host")
    workers = given["workers"] or default_workers()
    limits = Limits(
        max_pixels=given["max_pixels"],
        max_memory=given["max_memory"],
        accept=given["accept"],
        max_bytes=given["max_bytes"],
        queue=given["queue"],
        client_share=given["client_share"],
        workers=workers,
        threads=max(1, (os.cpu_count() or 1) // workers),
        held_bytes=max(2 << 30, 4 * given["max_bytes"]),
    )
    guard = Guard(host, token, given["allow_host"])
    sockets = _listen(host, given["port"])
    link = _link(host, sockets.getsockname()[1], guard)

    def started() -> None:
        click.echo(f"remend: {link} · {workers} at a time, Ctrl-C ends", err=True)
        if guard.needs_token:
            click.echo("remend: the link works once; API clients send Authorization: Bearer TOKEN", err=True)
        if given["open_page"]:
            click.launch(link)

    run_server(create_app(limits=limits, guard=guard), socket=sockets, started=started)


def _listen(host: str, port: int) -> Any:
    """The open port: taken before anything is started, so that a taken one is one line."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot listen on {host} port {port} ({reason}): give another --host or --port"
        ) from error


def _link(host: str, port: int, guard: Guard) -> str:
    """What a person opens."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}/" + (f"?token={guard.ticket()}" if guard.needs_token else "")
