"""A record inside an XMP packet: as properties of our own, and as IPTC's digital source type.

The packet is not taken apart: what others wrote there stays as they wrote it. Ours is one description of its
own, which a later one replaces; another digital source type would no longer be true, and goes.

Reference: ISO 16684-1:2019 (XMP); IPTC Photo Metadata Standard 2023.1, "Digital Source Type".
"""

from __future__ import annotations

import re
from html import unescape
from xml.sax.saxutils import escape

from remend.errors import UsageError
from remend.provenance.record import Record

__all__ = ["packet_with", "record_in"]

OURS = "urn:remend:1:"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
MOST_MASK = 24_000  # bytes of a mask that goes into the file; a JPEG has 64 KB for the whole packet
DESCRIPTION = re.compile(rb'<rdf:Description\b[^>]*\sxmlns:remend="urn:remend:1:"[^>]*/>\s*')
RECORD = re.compile(rb'\sremend:Record="([^"]*)"')
ABOUT = re.compile(rb"""<rdf:Description\b[^>]*\srdf:about\s*=\s*("[^"]*"|'[^']*')""")
SOURCE_TYPE = re.compile(
    rb"""\s\w+:DigitalSourceType\s*=\s*(?:"[^"]*"|'[^']*')|"""
    rb"<(\w+):DigitalSourceType\b[^>]*(?:/>|>.*?</\1:DigitalSourceType\s*>)",
    re.DOTALL,
)
END = b"</rdf:RDF>"
NEW = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n</rdf:RDF>\n</x:xmpmeta>\n'
    b'<?xpacket end="w"?>'
)


def packet_with(old: bytes | None, record: Record) -> bytes | None:
    """A packet with the record in it.

    Args:
        old: the file's packet, None = it has none.
        record: of what was done.

    Returns:
        UTF-8 XML; None where the old packet cannot be understood and so is better left alone.
    """
    packet = old if old else NEW
    if packet.count(END) != 1 or b"xmlns:rdf=" not in packet:
        return None
    packet = DESCRIPTION.sub(b"", packet)
    if record.source_type is not None:
        packet = SOURCE_TYPE.sub(b"", packet)
    about = ABOUT.search(packet)
    return packet.replace(
        END, _description(record, about[1].decode("utf-8", "replace") if about else '""') + END
    )


def _description(record: Record, about: str) -> bytes:
    small = record.mask is not None and len(record.mask) + len(record.guide or b"") <= MOST_MASK
    fields = {
        "Version": record.version,
        "When": record.when,
        "Method": ", ".join(str(one["name"]) for one in record.methods),
        "Model": ", ".join(str(sha256) for one in record.methods for sha256 in one["model_sha256"]),
        "Seed": str(record.settings.get("seed", "")),
        "InputSHA256": record.input_sha256,
        "MaskSHA256": record.mask_sha256,
        "Record": record.as_json(images=small),
    }
    attributes = "".join(f"\n  remend:{name}={_quoted(value)}" for name, value in fields.items() if value)
    if record.source_type is not None:
        attributes += f'\n  xmlns:Iptc4xmpExt="{IPTC}"'
        attributes += f"\n  Iptc4xmpExt:DigitalSourceType={_quoted(record.source_type)}"
    text = f'<rdf:Description rdf:about={about} xmlns:remend="{OURS}"{attributes}/>\n'
    return text.encode("utf-8", "backslashreplace")


def _quoted(value: str) -> str:
    """An attribute's value in double quotes, whatever is in it."""
    return f'"{escape(value, {chr(34): "&quot;", chr(10): "&#10;"})}"'


def record_in(packet: bytes | None, name: str) -> Record | None:
    """The record in a packet; None where there is none.

    Raises:
        UsageError: it is damaged.
    """
    ours = None if packet is None else DESCRIPTION.search(packet)
    if ours is None:
        return None
    found = RECORD.search(ours[0])
    if found is None:
        raise UsageError(f"{name}: its record is damaged")
    return Record.parse(unescape(found[1].decode("utf-8", "replace")), name)
