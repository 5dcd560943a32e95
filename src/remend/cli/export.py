"""`remend export`: turn a checkpoint into the file that repair runs."""

from __future__ import annotations

from pathlib import Path

import click

from remend.errors import ModelError, UsageError

__all__ = ["export"]


@click.command(short_help="Turn a checkpoint into an ONNX model.")
@click.argument("source", metavar="CHECKPOINT", type=click.Path(path_type=Path))
@click.option("-o", "--out", "target", required=True, metavar="FILE.onnx", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["onnx", "tflite"]),
    default="onnx",
    show_default=True,
    help="tflite: for phones and TensorFlow, of one fixed size; needs 'remend[tensorflow]'.",
)
@click.option(
    "--side",
    "side_px",
    metavar="PX",
    type=click.IntRange(1),
    help="With tflite: of its pictures.  [default: 256]",
)
@click.option("--half", is_flag=True, help="Store the weights in fp16: half the size, computed in fp32.")
@click.option("--int8", is_flag=True, help="Convert the net to 8 bits, as --calibrate shows it.")
@click.option(
    "--calibrate",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="With --int8: some dozens of pictures like those to repair, none of those to measure on.",
)
@click.option(
    "--data",
    "sources",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Of a net that finds damage, or restores: the pictures that its run was given. Repeatable.",
)
@click.option("--prior", is_flag=True, help="Give the model an input for a coarse fill to start from.")
@click.option("--licence", default="not stated", show_default=True, help="Of the weights, for the card.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def export(
    source: Path,
    target: Path,
    kind: str,
    side_px: int | None,
    half: bool,
    int8: bool,
    calibrate: Path | None,
    sources: tuple[Path, ...],
    prior: bool,
    licence: str,
    overwrite: bool,
) -> None:
    """Write the averaged weights of CHECKPOINT as ONNX, with a model card beside it.

    CHECKPOINT is a run's best.safetensors, a checkpoint's folder, or a run's: then its best checkpoint by
    train.best, with a critic one after the critic joined; a line says which and why. Nothing is written
    unless ONNX Runtime answers what the trainer's net does.

    --int8 makes a file of a quarter of the size, two to four times as fast where the processor multiplies
    bytes (AVX-512 VNNI, ARM dot products) and slower where it does not. What touches pixels stays in fp32.

    A net that finds damage is always written in 8 bits, with the judge of what it sees in its card; both are
    fitted on pictures of --data that its run set aside. A net that restores or
    enlarges is written in 8 bits with --data, and in fp16 without.
    """
    if kind == "tflite":
        unfit = {
            "--half": half,
            "--int8": int8,
            "--calibrate": calibrate,
            "--data": sources,
            "--prior": prior,
        }
        for flag, given in unfit.items():
            if given:
                raise UsageError(f"{flag} is for .onnx files: leave it out, or leave out --format tflite")
        _export_tflite(source, target, side_px or 256, licence, overwrite)
        return
    if side_px is not None:
        raise UsageError("--side is for --format tflite: an .onnx file takes pictures of any size")
    if _is_restorer(source):
        _export_restorer(source, target, sources, licence, overwrite)
        return
    if sources:
        _export_finder(source, target, sources, licence, overwrite)
        return
    if int8 and calibrate is None:
        raise UsageError("--int8 needs pictures to calibrate with: add --calibrate FOLDER, some dozens do")
    if calibrate is not None and not int8:
        raise UsageError("--calibrate is for --int8: add it, or leave --calibrate out")
    try:
        from remend.export import export as write
    except ModuleNotFoundError as error:
        raise UsageError(
            f"export needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    done = write(
        source,
        target,
        half=half,
        prior=prior,
        calibrate=calibrate,
        licence=licence,
        overwrite=overwrite,
    )
    click.echo(f"takes {done.state}", err=True)
    click.echo(f"largest difference to the trainer's net: {done.parity:.1e}", err=True)
    if done.lost is not None:
        click.echo(f"8 bits differ from fp32 by {255 * done.lost:.2f} of 255 in holes, on average", err=True)
    click.echo(done.model)
    click.echo(done.card)


def _export_tflite(source: Path, target: Path, side_px: int, licence: str, overwrite: bool) -> None:
    try:
        from remend.export import export_tflite
    except ModuleNotFoundError as error:
        raise UsageError(
            f"export needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    done = export_tflite(source, target, side_px=side_px, licence=licence, overwrite=overwrite)
    click.echo(f"takes {done.state}", err=True)
    click.echo(f"{done.parity:.1f} dB from the trainer's net", err=True)
    click.echo(done.model)
    click.echo(done.card)


def _is_restorer(source: Path) -> bool:
    """Whether a checkpoint is of the net that restores or enlarges; who reads what is none tells."""
    path = source / "best.safetensors" if source.is_dir() else source
    if path.suffix != ".safetensors" or not path.is_file():
        return False
    try:
        from remend.nets.weights.portable import load_portable

        return load_portable(path)[1].get("net") in ("restorer", "enlarger")
    except (ModuleNotFoundError, ModelError):
        return False


def _export_restorer(
    source: Path, target: Path, sources: tuple[Path, ...], licence: str, overwrite: bool
) -> None:
    from remend.train.restorer.export import export_restorer

    written = export_restorer(source, target, sources=sources, licence=licence, overwrite=overwrite)
    click.echo(written)
    click.echo(written.with_suffix(".json"))


def _export_finder(
    source: Path, target: Path, sources: tuple[Path, ...], licence: str, overwrite: bool
) -> None:
    try:
        from remend.train.finder.export import export_finder
    except ModuleNotFoundError as error:
        raise UsageError(
            f"export needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    written = export_finder(
        source,
        target,
        sources=sources,
        licence=licence,
        overwrite=overwrite,
        say=lambda line: click.echo(line, err=True),
    )
    click.echo(written)
    click.echo(written.with_suffix(".json"))
