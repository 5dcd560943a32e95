"""`remend convert`: foreign weights into safetensors, nothing in them run; packed pictures into shards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from remend.errors import UsageError
from remend.train.data.sources import Container, Record, is_container, write_shards

__all__ = ["convert"]


@click.command(short_help="Turn a .pth file into safetensors, or packed pictures into shards.")
@click.argument("source", metavar="FILE.pth|DATA", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", "target", required=True, metavar="FILE.safetensors|DIR", type=click.Path(path_type=Path)
)
@click.option("--key", default="", metavar="PREFIX", help="Keep what lies below it only: state_dict.")
@click.option(
    "--limit-gib",
    default=4.0,
    show_default=True,
    type=click.FloatRange(0.001, 1024),
    help="Refuse what unpacks to more.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def convert(source: Path, target: Path, key: str, limit_gib: float, overwrite: bool) -> None:
    """Read the tensors of FILE.pth, as torch.save wrote them, and write them as safetensors.

    Nothing in the file is run: it is read by a reader that knows tensors and nothing else. Checkpoints of
    Lightning and mmengine and TorchScript files are read, too; what else they hold is left out. The result
    serves as --set transfer.weights=FILE.safetensors and --set loss.backbone=FILE.safetensors.

    DATA is a .parquet or .zip file, an LMDB, or a folder of Parquet files or of pictures of other kinds
    (TIFF, BMP): its pictures are written into DIR as shards, which --data takes, JPEG, PNG and WebP byte for
    byte. What is passed over is counted.
    """
    if is_container(source):
        _into_shards(source, target)
        return
    if target.suffix != ".safetensors":
        raise UsageError(f"the result ends in .safetensors, got {target.name}")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists: give another -o, or --overwrite")
    try:
        from remend.nets.weights.foreign import read_foreign
        from remend.nets.weights.portable import save_portable
    except ModuleNotFoundError as error:
        raise UsageError(
            f"convert needs {error.name}, which is not installed: pip install 'remend[train]'"
        ) from error
    foreign = read_foreign(source, limit_gib=limit_gib)
    found = foreign.tensors
    prefix = f"{key.rstrip('.')}." if key else ""
    kept = {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}
    if not kept:
        groups = sorted({name.partition(".")[0] for name in found})
        raise UsageError(f"{source} has nothing below {key!r}: it has {', '.join(groups[:8])}")
    save_portable(target, kept, {"source": source.name})
    if foreign.dropped:
        names = ", ".join(foreign.dropped[:3]) + (" …" if len(foreign.dropped) > 3 else "")
        click.echo(f"remend: {source.name}: what is no tensor was left out, unread: {names}", err=True)
    click.echo(f"{len(kept)} tensors, {sum(t.numel() for t in kept.values()):,} numbers", err=True)
    click.echo(target)


def _into_shards(source: Path, folder: Path) -> None:
    """Pictures of a container into shards of 256 MiB."""
    container = Container(source)
    counted = 0

    def told() -> Iterator[Record]:
        nonlocal counted
        for record in container.records():
            counted += 1
            yield record

    written = write_shards(told(), folder, prefix=source.stem.replace(".", "-"))
    if container.skipped:
        click.echo(f"remend: {len(container.skipped):,} left out, first {container.skipped[0]}", err=True)
    if not counted:
        raise UsageError(f"{source} holds no pictures: nothing is written")
    click.echo(f"{counted:,} pictures in {len(written)} shard{'s' if len(written) > 1 else ''}", err=True)
    click.echo(folder)
