"""What a repaired DICOM object says of itself: other identifiers, where it comes from, how it was derived."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.io.medical import NOT_FOR_DIAGNOSIS

__all__ = ["derive"]

LONG_STRING, SHORT_TEXT = 64, 1024  # characters: LO, ST
MARK = "repaired, not for diagnosis"
# Source image for image processing operation (DICOM PS3.16, CID 7202).
PURPOSE = ("121322", "DCM", "Source image for image processing operation")
SHOWS_OLD = (("IconImageSequence", "its icon shows the picture before the repair: taken out"),)
VOUCHES = ("DigitalSignaturesSequence", "MACParametersSequence")


def derive(dataset: Any, done: str, filled: NDArray[Any]) -> tuple[str, ...]:
    """Make a data set say that it is a repaired one, in place.

    Args:
        dataset: pydicom's, its pixels written already.
        done: what was done, a sentence.
        filled: their stored values.

    Returns:
        What the user should know.
    """
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    source = Dataset()
    source.ReferencedSOPClassUID = dataset.get("SOPClassUID", "")
    source.ReferencedSOPInstanceUID = dataset.get("SOPInstanceUID", "")
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = PURPOSE
    source.PurposeOfReferenceCodeSequence = Sequence([purpose])
    if source.ReferencedSOPInstanceUID:
        dataset.SourceImageSequence = Sequence([source, *(dataset.get("SourceImageSequence") or ())])

    print_of = hashlib.sha256(dataset.PixelData).hexdigest()
    dataset.SOPInstanceUID = _identifier(str(dataset.get("SOPInstanceUID", "")), print_of)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if dataset.get("SeriesInstanceUID"):  # one for all of a series, whichever of it are repaired
        dataset.SeriesInstanceUID = _identifier(str(dataset.SeriesInstanceUID), "repaired by Remend")

    kinds = [str(kind) for kind in _several(dataset.get("ImageType"))]
    dataset.ImageType = ["DERIVED", "SECONDARY", *kinds[2:]]
    note = f"{done} {NOT_FOR_DIAGNOSIS}"
    before = str(dataset.get("DerivationDescription") or "")
    dataset.DerivationDescription = f"{note} {before}".strip()[:SHORT_TEXT]
    series = str(dataset.get("SeriesDescription") or "")
    if MARK not in series:
        series = series[: LONG_STRING - len(MARK) - 2]
        dataset.SeriesDescription = f"{series}, {MARK}" if series else MARK

    notes = []
    for key, note in SHOWS_OLD:
        if key in dataset:
            del dataset[key]
            notes.append(note)
    if any(key in dataset for key in VOUCHES):
        for key in VOUCHES:
            if key in dataset:
                del dataset[key]
        notes.append("its signatures vouch for the picture before the repair: taken out")
    _widen_range(dataset, filled)
    return tuple(notes)


def _several(value: Any) -> list[Any]:
    """A value that may be none, one or many."""
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str) else list(value)


def _identifier(before: str, what: str) -> str:
    """A UID that follows from another one: the same repair of the same object gets the same."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{before}/{what}').int}"


def _widen_range(dataset: Any, filled: NDArray[Any]) -> None:
    """Let the least and the largest value that the object names hold what was filled in, too."""
    signed = bool(dataset.get("PixelRepresentation", 0))
    allocated, bits = int(dataset.BitsAllocated), int(dataset.get("BitsStored", dataset.BitsAllocated))
    shift = np.array(allocated - bits, filled.dtype)
    values = (filled << shift).view(f"{'i' if signed else 'u'}{allocated // 8}")
    values = values >> shift.astype(values.dtype)
    for key, extreme in (
        ("SmallestImagePixelValue", min(int(values.min()), 1 << 32)),
        ("LargestImagePixelValue", int(values.max())),
    ):
        named = dataset.get(key)
        if isinstance(named, int):
            setattr(dataset, key, min(named, extreme) if key.startswith("Small") else max(named, extreme))
