"""DICOM objects of our own making."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

CT, MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7.3"
EXPLICIT = "1.2.840.10008.1.2.1"

__all__ = ["EXPLICIT", "made_dicom"]


def made_dicom(path: Path, frames: np.ndarray, *, syntax: str = EXPLICIT, **more: Any) -> Path:
    """Write one.

    Args:
        path: where.
        frames: (frames, H, W) or (frames, H, W, 3) integers.
        syntax: its transfer syntax; of compressed ones those that pydicom compresses.
        more: elements by keyword; they win.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(EXPLICIT if _encapsulated(syntax) else syntax)
    meta.MediaStorageSOPClassUID = UID(CT if len(frames) == 1 else MULTI_FRAME)
    meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.3680043.8.498.1")
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = (
        meta.MediaStorageSOPClassUID,
        meta.MediaStorageSOPInstanceUID,
    )
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.4", "1.2.3.4.5"
    dataset.PatientName, dataset.PatientID, dataset.Modality = "Made^Up", "0", "CT"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesDescription = "made by code"
    dataset.Rows, dataset.Columns = frames.shape[1:3]
    if len(frames) > 1:
        dataset.NumberOfFrames = len(frames)
    dataset.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    dataset.PhotometricInterpretation = "RGB" if frames.ndim == 4 else "MONOCHROME2"
    if frames.ndim == 4:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * frames.dtype.itemsize
    dataset.BitsStored, dataset.HighBit = dataset.BitsAllocated, dataset.BitsAllocated - 1
    dataset.PixelRepresentation = int(frames.dtype.kind == "i")
    dataset.PixelSpacing, dataset.SpacingBetweenSlices = [0.8, 0.9], 2.5
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -1024
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    for key, value in more.items():
        setattr(dataset, key, value)
    stored = frames
    if int(dataset.get("PlanarConfiguration", 0)) == 1:
        stored = np.ascontiguousarray(frames.transpose(0, 3, 1, 2))
    big = syntax == "1.2.840.10008.1.2.2"
    dataset.PixelData = stored.astype(stored.dtype.newbyteorder(">" if big else "<")).tobytes()
    dataset["PixelData"].VR = "OW" if frames.dtype.itemsize > 1 else "OB"
    if _encapsulated(syntax):
        dataset.compress(syntax, generate_instance_uid=False)
    how = {"little_endian": False, "implicit_vr": False, "force_encoding": True}
    dcmwrite(path, dataset, **(how if big else {"enforce_file_format": True}))
    return path


def _encapsulated(syntax: str) -> bool:
    return syntax.startswith("1.2.840.10008.1.2.4.") or syntax == "1.2.840.10008.1.2.5"
