"""`write_picture`: a picture back into a file, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from remend.document import Document
from remend.errors import FormatError, UsageError, WriteError
from remend.io.atomic import existing, write_whole
from remend.io.codec import Encoded
from remend.io.colour import carried_to
from remend.io.exif_size import with_size
from remend.io.limits import own_limits
from remend.io.orientation import normalised_exif, normalised_xmp, to_stored
from remend.io.previews import TAKEN_OUT, credentials_left, renewed
from remend.io.read import printable, same_file, unchanged_since_read
from remend.io.registry import FORMATS, codec_named, ending_of, format_of_suffix
from remend.io.xmp import packet_in, with_packet
from remend.picture import Bool, Container, Metadata, Picture, check_mask

INSIDE = ("avif", "heif")
Describe = Callable[[bytes | None], bytes | None]

__all__ = ["Describe", "Written", "check_target", "encode_picture", "output_format", "write_picture"]


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_picture` did: where, in which format, lines for the user, and the file's SHA-256."""

    path: Path
    format: str
    notes: tuple[str, ...] = ()
    sha256: str = ""


def output_format(picture: Picture | Document, target: Path | None = None, format: str | None = None) -> str:
    """The format that an output gets: asked for, or by the target's ending, or the source's.

    A file written over its own source keeps the source's format, whatever its name says.

    Raises:
        UsageError: nothing tells the format, or the ending stands for none.
    """
    if format is not None:
        return codec_named(format).format
    source = picture.container.format if picture.container else None
    if target is not None and target.suffix:
        path = picture.container.path if picture.container else None
        if source and same_file(target, path):
            return source
        named = format_of_suffix(target)
        if named is None:
            endings = " ".join(ending[0] for ending in FORMATS.values())
            raise UsageError(
                f"{printable(target.name)}: no format ends in {ending_of(target)!r}: choose one of {endings}"
            )
        return named
    if source is None:
        raise UsageError("nothing tells the output's format: give it an ending such as .png")
    return source


def encode_picture(
    picture: Picture,
    *,
    changed: Bool,
    format: str | None = None,
    consume: bool = False,
    anew: bool = False,
    described: Describe | None = None,
    resized: bool = False,
) -> Encoded:
    """A picture as the bytes of a file.

    In its source's format, the source file is kept but for the changed samples, and an empty mask
    gives the very bytes of the source, unless that is truncated: it becomes a whole file. In another
    format, a new file is made in display order.

    Args:
        picture: in display orientation.
        changed: (H, W) bool, the samples that differ from the source's.
        format: None for the source's.
        consume: let go of the samples as soon as they are not needed: ``picture.samples`` is one
            pixel afterwards. Keeps a large JPEG's frame and coefficients from being in memory together.
        anew: where the whole of a JPEG changed, make a new file in good quality, as if it came from another
            format: with its own tables, the blocks that were taken off would come back.
        described: makes the file's new XMP packet of its old one; None leaves it. Where nothing changed the
            file stays the source's, bit for bit.
        resized: the picture has another size than the file it came from: a new file is made, with what
            travels between formats (profile, EXIF, XMP, resolution).

    Raises:
        MaskError: the mask has another size; WriteError: the source file changed in the meantime;
        FormatError: the format cannot hold these samples; UsageError: no such format.
    """
    check_mask(changed, picture.size)
    chosen = output_format(picture, None, format)
    container = picture.container
    anew_here = container is not None and (container.format != chosen or resized)
    touched = bool(changed.any()) or anew_here
    if described is not None and touched and container is not None and chosen in INSIDE:
        # Their boxes are written by a library, with the packet that it is given.
        kept = container.metadata.xmp
        packet = described(kept)
        metadata = replace(container.metadata, xmp=packet or kept)
        picture = replace(picture, container=replace(container, metadata=metadata))
        described = None if packet else described
    encoded = _encoded(picture, changed, chosen, consume=consume, anew=anew, resized=resized)
    if container is not None and touched and TAKEN_OUT not in encoded.notes:
        boxed = _as_it_was(container) if anew_here or chosen in INSIDE else b""
        notes = encoded.notes + credentials_left(boxed, container.metadata.xmp)
        encoded = replace(encoded, notes=notes)
    if described is None or not touched:
        return encoded
    packet = described(packet_in(encoded.data, chosen))
    new = None if packet is None else with_packet(encoded.data, chosen, packet)
    if new is None:
        where = f"in the XMP of a {codec_named(chosen).format.upper()}"
        return replace(encoded, notes=(*encoded.notes, f"no place {where}: it lacks what else is written"))
    return replace(encoded, data=new)


def _as_it_was(container: Container) -> bytes:
    """The source's bytes, none where there is no file, or none any more."""
    try:
        return container.read_bytes() if container.format else b""
    except OSError:
        return b""


def _encoded(
    picture: Picture, changed: Bool, chosen: str, *, consume: bool, anew: bool, resized: bool
) -> Encoded:
    """In the source's own container, or as a new file."""
    container = picture.container
    codec = codec_named(chosen)
    orientation = container.orientation if container else 1
    new = container is None or container.format != chosen or resized
    if new or (anew and chosen == "jpeg" and changed.any()):
        if not picture.plain and not codec.bands:
            what = f"{picture.channels.count} channels of {picture.samples.dtype}"
            raise FormatError(f"a {codec.format.upper()} cannot hold {what}: write a TIFF")
        lifted = container.metadata if container else Metadata()
        if resized:
            lifted = with_size(lifted, picture.width, picture.height)
        lifted, notes = carried_to(lifted, chosen, picture.mode)
        with own_limits():
            lifted = renewed(_upright(lifted) if orientation != 1 else lifted, picture)
            encoded = codec.encode(picture, lifted)
        return replace(encoded, notes=encoded.notes + notes)
    assert container is not None
    if not unchanged_since_read(container):
        raise WriteError(
            f"{printable(container.path)}: the file was changed or moved after it was read: repair it again"
        )
    if not changed.any() and container.missing is None:
        return Encoded(container.read_bytes())
    stored = replace(picture, samples=to_stored(picture.samples, orientation))
    mask = to_stored(changed, orientation)
    with own_limits():
        if consume:
            picture.samples = picture.samples[:1, :1].copy()
        return codec.rewrite(stored, mask, consume=consume)


def write_picture(
    picture: Picture,
    target: str | os.PathLike[str],
    *,
    changed: Bool,
    format: str | None = None,
    overwrite: bool = False,
    consume: bool = False,
    anew: bool = False,
    described: Describe | None = None,
    resized: bool = False,
) -> Written:
    """Write a picture to a file, whole or not at all.

    The bytes go to a new file in the same folder, to the disk, and only then under the target's
    name. An existing file is refused unless ``overwrite`` says otherwise, also when it appears
    while this one is being written; a replaced file's permissions stay, and a link is written through.

    Args:
        picture, changed, format, consume, anew, described, resized: as for `encode_picture`; with
            ``described`` the file's SHA-256 is answered.
        target: the file to write; it may be the picture's own source, with ``overwrite``.
        overwrite: replace an existing file.

    Raises:
        WriteError: the target exists, or the folder or the disk does not take it.
        And what `encode_picture` raises.
    """
    path = Path(target)
    chosen = output_format(picture, path, format)
    check_target(path, overwrite=overwrite)
    encoded = encode_picture(
        picture,
        changed=changed,
        format=chosen,
        consume=consume,
        anew=anew,
        described=described,
        resized=resized,
    )
    write_whole(path, encoded.data, overwrite=overwrite)
    sha256 = "" if described is None else hashlib.sha256(encoded.data).hexdigest()
    return Written(path, chosen, encoded.notes, sha256)


def check_target(path: Path, *, overwrite: bool) -> None:
    """See that a file may be written there, before any work is done for it.

    Raises:
        WriteError: it exists, or is a folder.
    """
    if not overwrite and os.path.lexists(path):
        raise existing(path)
    if os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir, no error for names that no file can have
        raise WriteError(f"{printable(path)}: is a folder; give the name of a file in it")


def _upright(metadata: Metadata) -> Metadata:
    """Metadata for samples in display order."""
    return replace(
        metadata,
        exif=normalised_exif(metadata.exif) if metadata.exif else None,
        xmp=normalised_xmp(metadata.xmp) if metadata.xmp else None,
    )
