"""The record of a repair, made where all that it tells is known, as the writer of the file asks for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from remend.errors import UsageError
from remend.fill.registry import filler_of
from remend.finding import Finding
from remend.io.write import output_format
from remend.options import Settings
from remend.picture import Bool
from remend.pipeline import Restored
from remend.provenance.packet import packet_with
from remend.provenance.record import COMPOSED, ENHANCED, Record, mask_png, plain_settings, write_sidecar

__all__ = ["Recording"]


@dataclass(frozen=True, slots=True)
class Recording:
    """What `remend.provenance` says of one repair."""

    record: Record

    @staticmethod
    def of(
        restored: Restored,
        finding: Finding,
        *,
        when: str | Record,
        guide: Bool | None,
        settings: Settings,
        tolerate: bool,
        target: str | PathLike[str] | BinaryIO,
        format: str | None,
    ) -> Recording:
        """The record of a repair that is about to be written.

        Args:
            restored: the picture, not written yet.
            finding: its effective mask.
            when: ISO 8601; or the record of the repair that this one repeats, for time and names.
            guide: (H, W) bool, the lines that were followed, or None.
            settings: how holes were filled.
            tolerate: whether a truncated file was read as far as it goes.
            target, format: where it goes, as `write_picture` takes them.

        Raises:
            UsageError: the picture came from no file.
        """
        container = restored.picture.container
        if container is None:
            raise UsageError("a record is of a file, and this picture came as an array: leave it out")
        path = Path(target) if isinstance(target, (str, PathLike)) else None
        source_name = "-" if container.path is None else container.path.name
        target_name = "-" if path is None else path.name
        if isinstance(when, Record):
            source_name, target_name = when.input_name, when.output_name
            when = when.when
        mask = mask_png(finding.mask)
        fillers = [filler_of(name) for name in restored.plan.fillers]
        drawn = any(filler.capabilities.draws for filler in fillers)
        record = Record(
            when=when,
            input_name=source_name,
            input_sha256=hashlib.sha256(container.read_bytes()).hexdigest(),
            output_name=target_name,
            output_format=output_format(restored.picture, path, format),
            settings=plain_settings(settings),
            methods=[
                {"name": filler.name, "model_sha256": [_hash(file) for file in getattr(filler, "files", ())]}
                for filler in fillers
            ],
            mask=mask,
            mask_sha256=hashlib.sha256(mask).hexdigest(),
            guide=None if guide is None else mask_png(guide),
            tolerate=tolerate,
            source_type=(COMPOSED if drawn else ENHANCED) if restored.changed.any() else None,
        )
        return Recording(record)

    def packet(self, old: bytes | None) -> bytes | None:
        """The file's XMP with the record in it; see `packet_with`."""
        return packet_with(old, self.record)

    def beside(self, path: Path, sha256: str) -> None:
        """Write the sidecar of a file with that hash.

        Raises:
            WriteError: it cannot be written.
        """
        write_sidecar(path, replace(self.record, output_sha256=sha256))


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
