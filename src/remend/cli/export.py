"""`remend export`: turn a checkpoint into the file that repair runs."""

from __future__ import annotations

from pathlib import Path

import click

from remend.errors import UsageError

__all__ = ["export"]


@click.command(short_help="Turn a checkpoint into an ONNX model.")
@click.argument("source", metavar="CHECKPOINT", type=click.Path(path_type=Path))
@click.option("-o", "--out", "target", required=True, metavar="FILE.onnx", type=click.Path(path_type=Path))
@click.option("--half", is_flag=True, help="Store the weights in fp16: half the size, computed in fp32.")
@click.option("--prior", is_flag=True, help="Give the model an input for a coarse fill to start from.")
@click.option("--licence", default="not stated", show_default=True, help="Of the weights, for the card.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def export(source: Path, target: Path, half: bool, prior: bool, licence: str, overwrite: bool) -> None:
    """Write the averaged weights of CHECKPOINT as ONNX, with a model card beside it.

    CHECKPOINT is a run's best.safetensors, a checkpoint's folder, or a run's: then its best checkpoint by
    validation. Nothing is written unless ONNX Runtime answers what the trainer's net does.
    """
    try:
        from remend.export import export as write
    except ModuleNotFoundError as error:
        raise UsageError(
            f"export needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    done = write(source, target, half=half, prior=prior, licence=licence, overwrite=overwrite)
    click.echo(f"largest difference to the trainer's net: {done.parity:.1e}", err=True)
    click.echo(done.model)
    click.echo(done.card)
