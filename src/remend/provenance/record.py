"""The record of one repair: everything that is needed to check it, to do it again, and to take it back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from remend import __version__
from remend.errors import UsageError
from remend.io.atomic import write_whole
from remend.options import Settings
from remend.picture import Bool

__all__ = [
    "COMPOSED",
    "ENHANCED",
    "Record",
    "mask_png",
    "plain_settings",
    "read_sidecar",
    "sidecar_of",
    "write_sidecar",
]

# IPTC's words for how a picture came about (NewsCodes, digitalsourcetype).
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSED = f"{SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"  # parts were drawn by a trained net
ENHANCED = f"{SOURCE_TYPES}algorithmicallyEnhanced"  # parts were copied or smoothed over
LARGEST = 64 << 20  # of a sidecar: the mask of a hundred megapixels of noise is smaller
SEAL = "sha256_of_this_record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was done.

    Attributes:
        when: ISO 8601, UTC.
        input_name, input_sha256: of the file before.
        output_name, output_format, output_sha256: of the file after; no hash inside the file itself.
        settings: how holes were filled, as plain data.
        methods: fillers that took part, each with the SHA-256 of the model files that it runs.
        mask: PNG of the effective mask, one bit a pixel; None where it was too large to lie inside the file.
        mask_sha256: of that PNG.
        guide: PNG of the lines that were followed, or None.
        tolerate: whether a truncated file was read as far as it goes.
        source_type: IPTC's digital source type, None where nothing changed.
        version: of Remend.
    """

    when: str
    input_name: str
    input_sha256: str
    output_name: str
    output_format: str
    output_sha256: str = ""
    settings: Mapping[str, Any]
    methods: Sequence[Mapping[str, Any]] = ()
    mask: bytes | None = None
    mask_sha256: str
    guide: bytes | None = None
    tolerate: bool = False
    source_type: str | None = None
    version: str = __version__

    def as_json(self, *, images: bool = True) -> str:
        """One line of JSON, sealed: a changed bit is noticed.

        Args:
            images: with mask and guide, base64; their hash stands there in any case.
        """
        content = {name: value for name, value in asdict(self).items() if name not in ("mask", "guide")}
        if images:
            pairs = (("mask", self.mask), ("guide", self.guide))
            content |= {name: base64.b64encode(png).decode() for name, png in pairs if png is not None}
        content[SEAL] = _seal(content)
        return json.dumps(content, sort_keys=True, ensure_ascii=False)

    @staticmethod
    def parse(text: str | bytes, name: str) -> Record:
        """A record from its JSON.

        Args:
            text: of the JSON.
            name: what messages call it.

        Raises:
            UsageError: it is none, or was changed since it was written.
        """
        try:
            content = json.loads(text)
            seal = content.pop(SEAL)
            if seal != _seal(content):
                raise UsageError(f"{name}: the record was changed since it was written: it proves nothing")
            for key in ("mask", "guide"):
                if key in content:
                    content[key] = base64.b64decode(content[key], validate=True)
            known = {one.name for one in fields(Record)}
            record = Record(**{key: value for key, value in content.items() if key in known})
        except UsageError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            raise UsageError(f"{name}: no record of Remend, or a damaged one") from error
        if record.mask is not None and hashlib.sha256(record.mask).hexdigest() != record.mask_sha256:
            raise UsageError(f"{name}: the mask of the record was changed since it was written")
        return record

    def same_repair(self, other: Record) -> bool:
        """Whether two records tell of one repair: the one in a file lacks what only the one beside it has."""
        bare = {"output_sha256": "", "mask": None, "guide": None}
        return replace(self, **bare) == replace(other, **bare)  # type: ignore[arg-type]


def _seal(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def mask_png(mask: Bool) -> bytes:
    """(H, W) bool as a PNG of one bit a pixel, white = True."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(mask, bool)).save(file, "PNG", optimize=True)
    return file.getvalue()


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Settings as plain data; a filler that was given as an object is its name."""
    plain = {one.name: getattr(settings, one.name) for one in fields(settings)}
    if not isinstance(plain["method"], str):
        plain["method"] = plain["method"].name
    return plain


def sidecar_of(path: Path) -> Path:
    """Where the record beside a file lies."""
    return path.with_name(f"{path.name}.remend.json")


def write_sidecar(path: Path, record: Record) -> None:
    """Write the record beside a file; one that is there was of an earlier result.

    Raises:
        WriteError: it cannot be written.
    """
    write_whole(sidecar_of(path), f"{record.as_json()}\n".encode("utf-8", "backslashreplace"), overwrite=True)


def read_sidecar(path: Path) -> Record | None:
    """The record beside a file; None where there is none.

    Raises:
        UsageError: it is damaged, or cannot be read.
    """
    sidecar = sidecar_of(path)
    try:
        if sidecar.stat().st_size > LARGEST:
            raise UsageError(f"{sidecar}: no record of Remend: it is too large")
        text = sidecar.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{sidecar}: cannot be read ({error.strerror})") from error
    return Record.parse(text, str(sidecar))
