"""DICOM, through the extra ``medical``: frames repaired at native depth, in stored values.

Rescale, window and palette tables are for display and never applied. A repaired object is a new one: it has
identifiers of its own, names its source and says how it was derived (PS3.3 C.7.6.1.1.2, C.12.4.1). What is
not said here stays as it was, element by element.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.document import Axis, Document, Pages, Repaired
from remend.errors import DecodeError, FormatError, RemendError
from remend.io.codec import Encoded, Header, Source
from remend.io.dicom_derived import derive
from remend.io.medical import NOT_FOR_DIAGNOSIS, first_of
from remend.picture import Bool, Container, Metadata, Mode, Picture

__all__ = ["CODEC", "DicomCodec", "dataset_of"]

GREY = ("MONOCHROME1", "MONOCHROME2")
NATIVE = {  # transfer syntaxes whose pixels lie there as they are
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
}
BIG_ENDIAN = "1.2.840.10008.1.2.2"
EXPLICIT = "1.2.840.10008.1.2.1"
# Compressed without loss, and compressed again so: RLE, JPEG-LS, JPEG 2000.
AGAIN = {"1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"}
RLE = "1.2.840.10008.1.2.5"
SPACING = ("SpacingBetweenSlices", "SliceThickness")


class DicomCodec:
    """DICOM. ``details`` of its pictures:

    - ``measured``: True: samples are no levels of light
    - ``nodata``: the value that pads a picture, where it has one
    - ``inverted``: True where low values are white
    - ``limits``: the least and the largest value that its bits can store
    - ``modality``: what measured it: ``CT``, ``MR`` …
    - ``rescale``: slope and intercept from stored values to those in its units
    """

    format = "dicom"
    suffixes: tuple[str, ...] = (".dcm", ".dicom")
    lossless = True
    bands = True

    def recognises(self, head: bytes) -> bool:
        """By the prefix behind its preamble."""
        return head[128:132] == b"DICM"

    def header(self, source: Source) -> Header:
        """From its data set, up to the pixels.

        Raises:
            FormatError: the extra is not installed, or there is no picture in it.
        """
        dataset = dataset_of(source, pixels=False)
        with _understood(source.name):
            _check(dataset, source.name)
            return Header(int(dataset.Columns), int(dataset.Rows), 1, _frames(dataset))

    def decode(self, source: Source) -> Picture:
        """The first frame, with a note of the others."""
        document = self.open(source)
        picture = document.pages[0]
        assert picture.container is not None
        picture.container = first_of(picture.container, len(document.pages), document.axis)
        return picture

    def open(self, source: Source) -> Document:
        """Every frame; frames that follow one another in time are frames, all others slices.

        Cost: the file, and one frame.
        """
        dataset = dataset_of(source, pixels=True)
        with _understood(source.name):
            _check(dataset, source.name)
            if "PixelData" not in dataset:
                raise FormatError(f"{source.name}: a DICOM whose pixels are missing: export it whole")
            container, (axis, spacing) = _container(source, dataset), _axis(dataset)
            durations = _durations(dataset) if axis == "frame" else ()
        size = len(source.data or b"") or (source.path.stat().st_size if source.path else 0)

        def read(number: int) -> Picture:
            bits = int(dataset.SamplesPerPixel) * int(dataset.BitsAllocated)
            source.budget.take(source.name, int(dataset.Rows) * int(dataset.Columns), bits, size)
            samples, mode = _frame(dataset, number, source.name)
            return Picture(samples, mode, container=_container(source, dataset))

        pages = Pages(_frames(dataset), read)
        return Document(container, pages, axis, durations_s=durations, spacing_mm=spacing)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """The object with its first frame changed."""
        assert picture.container is not None
        return self.rewrite_pages(
            Document(picture.container, [picture], "slice"), [Repaired(0, picture, changed)]
        )

    def rewrite_pages(self, document: Document, repaired: Iterable[Repaired]) -> Encoded:
        """A new object: the changed pixels in the places of the old ones, all others bit for bit.

        What was compressed without loss is compressed again in the same way where that can be done here, and
        written as it is where not; what had lost something already is written without losing more.
        """
        container = document.container
        name = str(container.path or "the DICOM")
        dataset = dataset_of(Source(name, data=container.read_bytes()), pixels=True)
        notes: list[str] = [NOT_FOR_DIAGNOSIS]
        with _understood(name):
            _check(dataset, name)  # and the fields that it fills in
            again = _opened_up(dataset, name)
            frames = _stored(dataset)
        count, filled, what = 0, [], "filled in"
        for one in repaired:
            values = _as_stored(dataset, one.picture.samples[one.changed])
            frames[one.number][one.changed] = _kept_bits(dataset, frames[one.number][one.changed], values)
            count += int(np.count_nonzero(one.changed))
            filled.append(values)
            kept = one.picture.container
            if kept is not None and kept.details.get("blanked"):
                what = "blanked"
            elif kept is not None and "done" in kept.details:
                what = f"changed ({kept.details['done']})"
        if not count:
            return Encoded(container.read_bytes())
        with _understood(name):
            _put(dataset, frames)
            notes += derive(dataset, f"{count} pixels were {what} by Remend.", np.concatenate(filled))
        if again is not None and not _compressed(dataset, again):
            notes.append("written without compression: nothing here compresses it as it was")
        file = io.BytesIO()
        try:
            dataset.save_as(file)
        except Exception as error:  # elements that no writer can mean
            raise DecodeError(
                f"{name}: a damaged DICOM: it cannot be written back ({_line(error)})"
            ) from error
        return Encoded(file.getvalue(), tuple(notes))

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """Refused: whose picture it is, and of what, cannot be made up.

        Raises:
            FormatError: always.
        """
        raise FormatError("a DICOM is written from a DICOM alone: write a TIFF or a PNG")


def _library() -> ModuleType:
    try:
        import pydicom
    except ImportError as error:
        raise FormatError(
            'DICOM needs an extra that is not installed: pip install "remend[medical]"'
        ) from error
    return pydicom  # type: ignore[no-any-return]


def dataset_of(source: Source, *, pixels: bool) -> Any:
    """pydicom's data set.

    Raises:
        DecodeError: it cannot be parsed.
    """
    library = _library()
    file: Any = source.path if source.data is None else io.BytesIO(source.data)
    try:
        return library.dcmread(file, stop_before_pixels=not pixels)
    except Exception as error:  # whatever a damaged file leads it to
        raise DecodeError(f"{source.name}: a damaged DICOM ({_line(error)})") from error


@contextmanager
def _understood(name: str) -> Iterator[None]:
    """Elements that pydicom reads when they are asked for, and cannot, as one line about the file.

    Raises:
        DecodeError: it raised anything: a value of another type, several for one, a type that is none.
    """
    try:
        yield
    except (RemendError, MemoryError):
        raise
    except Exception as error:
        raise DecodeError(f"{name}: a damaged DICOM ({_line(error)})") from error


def _check(dataset: Any, name: str) -> None:
    """See that there is a picture of a kind that can be repaired.

    Raises:
        FormatError: saying what there is.
    """
    if _frames(dataset) < 1:
        raise DecodeError(f"{name}: a damaged DICOM: it holds {str(dataset.get('NumberOfFrames'))!r} frames")
    kind = getattr(dataset.get("SOPClassUID", ""), "name", "") or "no kind that it names"
    if not all(key in dataset for key in ("Rows", "Columns", "BitsAllocated")):
        raise FormatError(f"{name}: a DICOM without a picture ({kind})")
    # What some writers leave out has one likely meaning.
    for key, likely in (("SamplesPerPixel", 1), ("PixelRepresentation", 0)):
        if key not in dataset:
            setattr(dataset, key, likely)
    if "BitsStored" not in dataset:
        dataset.BitsStored = dataset.BitsAllocated
    samples, bits = int(dataset.SamplesPerPixel), int(dataset.BitsAllocated)
    colours = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if bits not in (8, 16, 32) or not 0 < int(dataset.BitsStored) <= bits:
        raise FormatError(f"{name}: a DICOM of {bits} bits a sample: 8, 16 and 32 are read")
    if int(dataset.Rows) < 1 or int(dataset.Columns) < 1:
        raise DecodeError(f"{name}: a damaged DICOM: its size is {dataset.Columns}×{dataset.Rows}")
    if (samples, colours in GREY) not in ((1, True), (3, False)):
        raise FormatError(
            f"{name}: a DICOM of {samples} samples in {colours}: "
            "MONOCHROME1, MONOCHROME2, RGB and YBR are read"
        )


def _frames(dataset: Any) -> int:
    try:
        return int(dataset.get("NumberOfFrames") or 1)
    except ValueError:
        return 0


def _container(source: Source, dataset: Any) -> Container:
    bits, signed = int(dataset.BitsStored), bool(dataset.PixelRepresentation)
    details: dict[str, Any] = {
        "measured": int(dataset.SamplesPerPixel) == 1,
        "inverted": str(dataset.get("PhotometricInterpretation")) == "MONOCHROME1",
        "limits": (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1),
    }
    details["modality"] = str(dataset.get("Modality", ""))
    try:
        rescale = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    except (TypeError, ValueError):
        rescale = 1.0, 0.0
    details["rescale"] = rescale if rescale[0] else (1.0, rescale[1])
    padding = dataset.get("PixelPaddingValue")
    if isinstance(padding, int) and int(dataset.SamplesPerPixel) == 1:
        details["nodata"] = float(padding)
    return Container("dicom", source.path, source.data, details=details)


def _axis(dataset: Any) -> tuple[Axis, tuple[float, float, float] | None]:
    """What frames are, and what lies between slices, rows and columns."""
    if dataset.get("FrameTime") or dataset.get("FrameTimeVector") or dataset.get("CineRate"):
        return "frame", None
    try:
        rows, columns = (float(n) for n in dataset.PixelSpacing)
        apart = next(float(dataset.get(key)) for key in SPACING if dataset.get(key))
    except (AttributeError, TypeError, ValueError, StopIteration):
        return "slice", None
    return "slice", (apart, rows, columns)


def _durations(dataset: Any) -> tuple[float, ...]:
    """How long each frame is shown, in seconds."""
    count = _frames(dataset)
    try:
        if dataset.get("FrameTimeVector"):
            steps = [float(n) / 1000 for n in dataset.FrameTimeVector]
            return tuple((steps[1:] + steps[-1:] * count)[:count])
        one = float(dataset.FrameTime) / 1000 if dataset.get("FrameTime") else 1 / float(dataset.CineRate)
    except (TypeError, ValueError, ZeroDivisionError):
        return ()
    return (one,) * count


def _native(dataset: Any) -> bool:
    return str(dataset.file_meta.get("TransferSyntaxUID", EXPLICIT)) in NATIVE


def _frame(dataset: Any, number: int, name: str) -> tuple[NDArray[Any], Mode]:
    """(H, W, C) of a frame in its own values, or in RGB where it has colours."""
    colour = int(dataset.SamplesPerPixel) == 3
    try:
        if _native(dataset) and not str(dataset.get("PhotometricInterpretation")).endswith("422"):
            return _values(dataset, _stored(dataset, number)[0]), "RGB" if colour else "L"
        from pydicom.pixels import pixel_array

        samples = np.asarray(pixel_array(dataset, index=number))
    except Exception as error:  # no decoder, or damaged data
        raise _unreadable(dataset, name, error) from error
    return np.array(samples.reshape(*samples.shape[:2], -1)), "RGB" if colour else "L"


def _unreadable(dataset: Any, name: str, error: Exception) -> DecodeError:
    """Why pixels cannot be read, in one line."""
    if _native(dataset):
        return DecodeError(f"{name}: a damaged DICOM ({_line(error)})")
    syntax = getattr(dataset.file_meta.get("TransferSyntaxUID"), "name", "an unknown syntax")
    return DecodeError(
        f"{name}: a DICOM compressed as {syntax}, whose pixels cannot be decoded here: "
        "decompress it first (dcmdjpeg, gdcmconv --raw)"
    )


def _line(error: Exception) -> str:
    """What an exception says, its first line; pydicom puts tracebacks into the others."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _stored(dataset: Any, number: int | None = None) -> NDArray[Any]:
    """(frames, H, W, C) as stored, all bits, a copy that can be written to; native transfer syntaxes alone.

    Args:
        dataset: pydicom's.
        number: of one frame; None = all of them.

    Raises:
        ValueError: there are fewer bytes than that.
    """
    rows, columns, count = int(dataset.Rows), int(dataset.Columns), _frames(dataset)
    samples, wide = int(dataset.SamplesPerPixel), int(dataset.BitsAllocated) // 8
    order = ">" if str(dataset.file_meta.get("TransferSyntaxUID")) == BIG_ENDIAN else "<"
    each, data = rows * columns * samples, dataset.PixelData
    if len(data) < count * each * wide:
        raise ValueError(f"{len(data):,} of {count * each * wide:,} bytes of pixels: the file is cut short")
    first, count = (0, count) if number is None else (number, 1)
    if _in_words(dataset):
        data = _swapped(data)
    flat = np.frombuffer(data, f"{order}u{wide}", count * each, first * each * wide).astype(f"u{wide}")
    if samples > 1 and int(dataset.get("PlanarConfiguration", 0)) == 1:
        return flat.reshape(count, samples, rows, columns).transpose(0, 2, 3, 1)
    return flat.reshape(count, rows, columns, samples)


def _values(dataset: Any, stored: NDArray[Any]) -> NDArray[Any]:
    """What stored samples mean: bits that belong to overlays masked, signs extended, YBR as RGB."""
    allocated, bits = int(dataset.BitsAllocated), int(dataset.BitsStored)
    kept = stored << np.array(allocated - bits, stored.dtype)
    signed = f"{'i' if int(dataset.PixelRepresentation) else 'u'}{allocated // 8}"
    values = kept.view(signed) >> np.array(allocated - bits, signed)
    if str(dataset.get("PhotometricInterpretation")) == "YBR_FULL":
        from pydicom.pixels import convert_color_space

        values = convert_color_space(values, "YBR_FULL", "RGB")
    return np.asarray(values)


def _as_stored(dataset: Any, values: NDArray[Any]) -> NDArray[Any]:
    """(N, C) values of changed pixels in the object's own colours, as unsigned integers of its width."""
    if str(dataset.get("PhotometricInterpretation")) == "YBR_FULL":
        from pydicom.pixels import convert_color_space

        values = convert_color_space(values[None], "RGB", "YBR_FULL")[0]
    return np.ascontiguousarray(values).view(f"u{int(dataset.BitsAllocated) // 8}")


def _kept_bits(dataset: Any, before: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """Values in their bits, and in the others what was there."""
    bits = int(dataset.BitsStored)
    mask = np.array((1 << bits) - 1, before.dtype)
    return np.asarray((before & ~mask) | (values & mask))


def _put(dataset: Any, frames: NDArray[Any]) -> None:
    """Frames as the bytes of the object, and what lay behind them."""
    if int(dataset.SamplesPerPixel) > 1 and int(dataset.get("PlanarConfiguration", 0)) == 1:
        frames = frames.transpose(0, 3, 1, 2)
    order = ">" if str(dataset.file_meta.get("TransferSyntaxUID")) == BIG_ENDIAN else "<"
    data = np.ascontiguousarray(frames).astype(f"{order}u{frames.dtype.itemsize}").tobytes()
    before = _swapped(dataset.PixelData) if _in_words(dataset) else dataset.PixelData
    data += before[len(data) :]
    data += b"\0" * (len(data) % 2)
    element = dataset["PixelData"]
    element.value = _swapped(data) if _in_words(dataset) else data


def _in_words(dataset: Any) -> bool:
    """Whether bytes lie there as halves of words, the second one first."""
    big = str(dataset.file_meta.get("TransferSyntaxUID")) == BIG_ENDIAN
    return big and int(dataset.BitsAllocated) == 8 and dataset["PixelData"].VR == "OW"


def _swapped(data: bytes) -> bytes:
    return np.frombuffer(data, "u2", len(data) // 2).byteswap().tobytes()


def _opened_up(dataset: Any, name: str) -> str | None:
    """An object with its pixels as they are; how it was compressed, where it can be so again.

    Raises:
        DecodeError: its pixels cannot be read.
    """
    if _native(dataset):
        if str(dataset.get("PhotometricInterpretation")).endswith("422"):
            raise FormatError(
                f"{name}: a DICOM of YBR_FULL_422: halved colours cannot be written in their places"
            )
        return None
    before = str(dataset.file_meta.TransferSyntaxUID)
    identity = dataset.SOPInstanceUID if "SOPInstanceUID" in dataset else None
    lost = not _lossless(before)
    try:
        dataset.decompress(as_rgb=True, generate_instance_uid=False)
    except Exception as error:
        raise _unreadable(dataset, name, error) from error
    if identity is not None:
        dataset.SOPInstanceUID = identity
    if lost and dataset.get("LossyImageCompression") != "01":
        dataset.LossyImageCompression = "01"
    return None if lost else before


def _lossless(syntax: str) -> bool:
    """Whether a transfer syntax never loses anything."""
    return syntax in AGAIN or syntax in ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")


def _compressed(dataset: Any, syntax: str) -> bool:
    """Compress an object as it was; False where nothing here can."""
    if syntax not in AGAIN or (syntax != RLE and int(dataset.SamplesPerPixel) > 1):
        return False
    try:
        dataset.compress(syntax, generate_instance_uid=False)
    except Exception:  # no encoder for it, or one that takes no such samples
        return False
    return True


CODEC = DicomCodec()
