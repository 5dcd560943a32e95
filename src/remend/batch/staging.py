"""Pictures that lie elsewhere: brought here, repaired, and brought back, each as a whole.

An object store writes an object whole or not at all; other systems get the result under a draft's name first.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from remend.album import Job
from remend.batch.outcome import Failure
from remend.errors import PictureError, WriteError
from remend.places import is_remote
from remend.provenance.record import sidecar_of
from remend.report import RepairReport

__all__ = ["deliver", "named_as", "staged"]

WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "memory"})


@contextmanager
def staged(job: Job) -> Iterator[Job]:
    """The same job with everything on this machine; itself where it is.

    Raises:
        PictureError: a picture or a mask cannot be fetched.
    """
    if not any(is_remote(path) for path in (job.source, job.target, job.mask) if path is not None):
        yield job
        return
    with TemporaryDirectory(prefix="remend-") as name:
        folder = Path(name)
        yield replace(
            job,
            source=_fetched(job.source, folder / "in"),
            mask=None if job.mask is None else _fetched(job.mask, folder / "mask"),
            target=folder / "out" / job.target.name if is_remote(job.target) else job.target,
        )


def _fetched(path: Path, folder: Path) -> Path:
    if not is_remote(path):
        return path
    folder.mkdir()
    here = folder / path.name
    try:
        here.write_bytes(path.read_bytes())
    except FileNotFoundError as error:
        raise PictureError(f"{path}: there is no such file") from error
    except Exception as error:  # each store has errors of its own
        raise PictureError(f"{path}: cannot be fetched ({_short(error)})") from error
    return here


def deliver(here: Path, target: Path) -> None:
    """Put a result, and its record if it has one, where they belong.

    Raises:
        WriteError: they cannot be written there.
    """
    for one, place in ((here, target), (sidecar_of(here), sidecar_of(target))):
        if not one.exists():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if getattr(target, "protocol", "") in WHOLE:
                place.write_bytes(one.read_bytes())
                continue
            draft = place.with_name(f".remend-{secrets.token_hex(8)}.tmp")
            draft.write_bytes(one.read_bytes())
            with suppress(FileNotFoundError):
                place.unlink()
            draft.rename(place)
        except Exception as error:
            raise WriteError(f"{target}: cannot be written ({_short(error)})") from error


def named_as(outcome: RepairReport | Failure, job: Job, here: Job) -> RepairReport | Failure:
    """An outcome that speaks of the places that the user named, and not of those that were used."""
    if here is job:
        return outcome
    if isinstance(outcome, Failure):
        message = outcome.message.replace(str(here.source), str(job.source))
        message = message.replace(str(here.target), str(job.target))
        if here.mask is not None:
            message = message.replace(str(here.mask), str(job.mask))
        return replace(outcome, source=str(job.source), message=message)
    target = None if outcome.target is None else str(job.target)
    return replace(outcome, source=str(job.source), target=target)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
