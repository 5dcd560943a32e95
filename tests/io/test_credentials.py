"""Content credentials vouch for pixels: with other pixels they go, and somebody is told; else they stay."""

import io
import struct

import numpy as np
import PIL.Image
import pytest

from remend.io import encode_picture, read_picture
from remend.io.gif_image import CREDENTIALS
from remend.io.previews import BOX_CREDENTIALS, TAKEN_OUT
from remend.io.xmp import with_packet

REMOTE = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
    b'dcterms:provenance="https://credentials.example/1.c2pa"/></rdf:RDF></x:xmpmeta>'
)


def plain(format: str) -> bytes:
    file = io.BytesIO()
    image = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8))
    (image.quantize(32) if format == "gif" else image).save(file, format)
    return file.getvalue()


def with_credentials(format: str) -> bytes:
    data = plain(format)
    if format == "gif":
        at = 13 + 3 * (2 << (data[10] & 7))
        return data[:at] + b"\x21\xff" + CREDENTIALS + b"\x01\0\0" + b"\x05jumbc\0" + data[at:]
    if format == "avif":
        box = BOX_CREDENTIALS + b"manifest of the old pixels"
        return data + struct.pack(">I4s", 8 + len(box), b"uuid") + box
    return with_packet(data, format, REMOTE)


@pytest.mark.parametrize("format", ["gif", "avif", "jpeg", "png", "webp", "tiff"])
def test_what_vouches_for_other_pixels_goes_with_a_word(format):
    data = with_credentials(format)
    picture = read_picture(data)
    hole = np.zeros(picture.size, bool)
    assert encode_picture(picture, changed=hole).data == data
    hole[4:8, 4:8] = True
    picture.samples[4:8, 4:8] = 0
    encoded = encode_picture(picture, changed=hole)
    assert TAKEN_OUT in encoded.notes
    for sign in (b"C2PA", BOX_CREDENTIALS, b"credentials.example"):
        assert sign not in encoded.data
    read_picture(encoded.data)


def test_a_new_file_of_another_format_carries_none_and_says_so():
    picture = read_picture(with_credentials("jpeg"))
    encoded = encode_picture(picture, changed=np.zeros(picture.size, bool), format="png")
    assert TAKEN_OUT in encoded.notes
    assert b"credentials.example" not in encoded.data


def test_without_credentials_nothing_is_said():
    for format in ("jpeg", "png", "avif", "gif"):
        picture = read_picture(plain(format))
        hole = np.zeros(picture.size, bool)
        hole[4:8, 4:8] = True
        assert TAKEN_OUT not in encode_picture(picture, changed=hole).notes
