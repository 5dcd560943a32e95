"""What a record is good for: take a repair back, do it again, look whether files are what was written.

A record is a checksum, no signature: it finds what changed by accident or carelessly. Whoever forges a file
and its record together is not found out.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remend.adapt import as_picture
from remend.errors import PictureError, RemendError, UsageError
from remend.io.atomic import write_whole
from remend.io.read import printable, read_picture
from remend.io.registry import codec_of_bytes
from remend.io.xmp import FORMATS_WITH_XMP, packet_in
from remend.options import MaskOptions, Settings
from remend.picture import Bool
from remend.provenance.packet import record_in
from remend.provenance.record import Record, read_sidecar, sidecar_of
from remend.repairing import repair_file
from remend.report import RepairReport

__all__ = ["Audited", "audit", "audit_folder", "original_of", "read_record", "redo", "undo"]


def read_record(path: Path) -> Record:
    """The record of a repaired file: the one beside it, or the one in its XMP.

    Raises:
        UsageError: there is none, it is damaged, or the two tell of different repairs.
        PictureError: the file cannot be read.
    """
    beside, inside = read_sidecar(path), record_in(_packet(path), str(path))
    if beside is not None and inside is not None and not beside.same_repair(inside):
        raise UsageError(f"{printable(path)}: the record inside and the one beside tell of different repairs")
    record = beside or inside
    if record is None:
        raise UsageError(f"{printable(path)}: holds no record: it was not repaired with --record")
    return record


def original_of(record: Record, given: Path) -> Path:
    """The file before the repair.

    Args:
        record: of the repair.
        given: that file, or a folder in which it is looked for, by name first.

    Raises:
        UsageError: it is not there, or another file.
    """
    if not given.is_dir():
        if _hash(given) != record.input_sha256:
            raise UsageError(
                f"{printable(given)} is not the file that was repaired ({record.input_name}): give that one"
            )
        return given
    files = sorted(path for path in given.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path.name != record.input_name):
        if _hash(path) == record.input_sha256:
            return path
    raise UsageError(f"{printable(given)} does not hold the file that was repaired ({record.input_name})")


def undo(path: Path, original: Path, target: Path, *, overwrite: bool = False) -> Path:
    """Put the file before a repair back, byte for byte; which one it was.

    Args:
        path: the repaired file, with its record.
        original: the file before, or a folder that holds it.
        target: where it goes; the repaired file's own place, with ``overwrite``: then its record goes, too.
        overwrite: replace what is there.

    Raises:
        UsageError: no record, or another original. WriteError: the target exists or cannot be written.
    """
    found = original_of(read_record(path), original)
    write_whole(target, found.read_bytes(), overwrite=overwrite)
    if target.exists() and target.samefile(path):
        sidecar_of(path).unlink(missing_ok=True)
    return found


def redo(path: Path, original: Path, target: Path | None = None, *, overwrite: bool = False) -> RepairReport:
    """Repair the original again as the record says, and see that the same bytes come of it.

    Args:
        path: the repaired file, with its record.
        original: the file before, or a folder that holds it.
        target: where the new one goes, with a record of its own; None = nowhere, it is only compared.
        overwrite: replace what is there.

    Raises:
        UsageError: no record, or another original.
        PictureError: other bytes came of it: another machine, other models, another Remend.
        And what a repair raises.
    """
    record = read_record(path)
    source = original_of(record, original)
    if record.mask is None:
        raise UsageError(
            f"{printable(path)}: the mask lay in the sidecar, which is gone: it cannot be done again"
        )
    settings, expected = _settings(record, path), record.output_sha256 or _hash(path)
    made = io.BytesIO()
    report = repair_file(
        source,
        made if target is None else target,
        mask=_marked(record.mask),
        guide=record.guide,
        settings=settings,
        options=MaskOptions(tolerate=record.tolerate),
        format=record.output_format,
        overwrite=overwrite,
        record=record,
    )
    came = hashlib.sha256(made.getvalue()).hexdigest() if target is None else _hash(target)
    if came != expected:
        raise PictureError(
            f"{printable(path)}: done again, other bytes came of it: it was made by Remend {record.version}, "
            "on another machine or with other models perhaps"
        )
    return report


def _marked(png: bytes) -> Bool:
    """(H, W) bool of a record's mask: an array is taken at its word, even where it marks nothing."""
    return np.asarray(as_picture(png).samples[:, :, 0] > 0)


def _settings(record: Record, path: Path) -> Settings:
    try:
        return Settings(**record.settings)
    except TypeError as error:
        raise UsageError(f"{printable(path)}: was repaired with options that this Remend has not") from error


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit says of one file.

    Attributes:
        path: of the file.
        state: ``as written``, ``changed``, ``missing``, ``bad record``, ``other original`` or ``no record``.
        reason: in words.
    """

    path: Path
    state: str
    reason: str = ""

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.state in ("as written", "no record")

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"file": str(self.path), "state": self.state, "reason": self.reason}


def audit(path: Path, originals: Path | None = None) -> Audited:
    """Look whether a file is what was written when it was repaired.

    Args:
        path: of the file; it need not be there any more.
        originals: a folder of the files before, looked at too; None = they are not.
    """
    try:
        beside = read_sidecar(path)
        if not path.is_file():
            return Audited(path, "missing", "its record lies there, and the file does not")
        if beside is None:
            inside = record_in(_packet(path), str(path))
            reason = "its record inside tells nothing of its own bytes, and the one beside is gone"
            return Audited(path, "no record") if inside is None else Audited(path, "bad record", reason)
        if beside.output_sha256 != _hash(path):
            return Audited(path, "changed", "its bytes are not those that were written")
        inside = record_in(_packet(path), str(path))
        if inside is not None and not inside.same_repair(beside):
            return Audited(
                path, "bad record", "the record inside and the one beside tell of different repairs"
            )
    except (RemendError, OSError) as error:
        return Audited(path, "bad record", str(error))
    if originals is not None:
        try:
            original_of(beside, originals)
        except (RemendError, OSError) as error:
            return Audited(path, "other original", str(error))
    return Audited(path, "as written")


def audit_folder(folder: Path, suffixes: Iterable[str], originals: Path | None = None) -> Iterator[Audited]:
    """Every picture of a folder and those below, and every record whose picture is gone.

    Args:
        folder: of repaired files.
        suffixes: of pictures, lower case with the dot.
        originals: as for `audit`.
    """
    wanted, ending = frozenset(suffixes), sidecar_of(Path("x")).name[1:]
    files = {
        path.with_name(path.name.removesuffix(ending)) if path.name.endswith(ending) else path
        for path in folder.rglob("*")
        if path.name.endswith(ending) or (path.suffix.lower() in wanted and path.is_file())
    }
    for path in sorted(files):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield audit(path, originals)


def _packet(path: Path) -> bytes | None:
    """The XMP of a file, None where it has none or is no picture that we know."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{printable(path)}: cannot be read ({error.strerror})") from error
    codec = codec_of_bytes(data[:64])
    try:
        if codec is not None and codec.format not in FORMATS_WITH_XMP:
            kept = read_picture(data).container
            return None if kept is None else kept.metadata.xmp
        return None if codec is None else packet_in(data, codec.format)
    except RemendError:
        return None


def _hash(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        PictureError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PictureError(f"{printable(path)}: cannot be read ({error.strerror})") from error
