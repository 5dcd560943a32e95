"""Records inside files and beside them: undone, done again, and held to the files."""

import hashlib
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner

from made_models import write_mean_filler
from remend.cli.main import remend as command
from remend.errors import PictureError, UsageError
from remend.io import read_picture
from remend.io.jpeg import markers, mpf
from remend.io.registry import codec_of_bytes
from remend.io.xmp import FORMATS_WITH_XMP, packet_in, with_packet
from remend.provenance.packet import packet_with, record_in
from remend.provenance.record import COMPOSED, ENHANCED, Record, read_sidecar, sidecar_of
from remend.undoing import audit, read_record, redo

ENDINGS = {
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "tiff": "tif",
    "gif": "gif",
    "bmp": "bmp",
    "avif": "avif",
}
OLD = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="uuid:7" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/jpeg" '
    b'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    b'e:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def picture(path: Path, **more) -> Path:
    y, x = np.mgrid[:60, :80]
    array = np.stack([100 + x, 80 + 2 * y, 120 + 0 * x], axis=2).astype(np.uint8)
    array[20:24, 10:70] = 255
    image = PIL.Image.fromarray(array)
    (image.quantize(64) if path.suffix == ".gif" else image).save(path, **more)
    return path


def mask(path: Path) -> Path:
    array = np.zeros((60, 80), np.uint8)
    array[20:24, 10:70] = 255
    PIL.Image.fromarray(array).save(path)
    return path


def run(*arguments: object, code: int = 0):
    result = CliRunner().invoke(command, [str(one) for one in arguments])
    said = result.exception if isinstance(result.exception, (UsageError, PictureError)) else None
    assert (said.exit_code if said else result.exit_code) == code, (result.output, result.exception)
    return result, str(said or result.output)


def repaired(folder: Path, ending: str, *more: object) -> tuple[Path, Path]:
    """The original, and the repaired file with its record."""
    before, after = picture(folder / f"a.{ending}"), folder / "out" / f"a.{ending}"
    run("repair", before, "-m", mask(folder / "m.png"), "-o", after, "--record", "--method", "telea", *more)
    return before, after


@pytest.mark.parametrize("format", ENDINGS)
def test_a_repair_is_taken_back_and_done_again_bit_for_bit(tmp_path, format):
    before, after = repaired(tmp_path, ENDINGS[format])
    record = read_record(after)
    assert record.input_sha256 == hashlib.sha256(before.read_bytes()).hexdigest()
    assert record.output_sha256 == hashlib.sha256(after.read_bytes()).hexdigest()
    undone = tmp_path / "undone"
    run("undo", after, "--from", before, "-o", undone)
    assert undone.read_bytes() == before.read_bytes()
    run("redo", after, "--from", before, "-o", tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == after.read_bytes()
    run("audit", tmp_path / "out", "--from", tmp_path)


@pytest.mark.parametrize("format", [one for one in ENDINGS if one != "bmp"])
def test_the_record_lies_inside_the_file_too_and_does_not_touch_its_pixels(tmp_path, format):
    before, after = repaired(tmp_path, ENDINGS[format])
    plain = tmp_path / f"plain.{ENDINGS[format]}"
    run("repair", before, "-m", tmp_path / "m.png", "-o", plain, "--method", "telea")
    with PIL.Image.open(after) as one, PIL.Image.open(plain) as two:
        np.testing.assert_array_equal(np.array(one), np.array(two))
    sidecar_of(after).unlink()
    inside = read_record(after)
    assert inside.mask is not None and inside.methods[0]["name"] == "telea"
    assert inside.settings["seed"] == 0
    run("redo", after, "--from", before)  # the mask is inside, so nothing else is needed
    packet = read_picture(after).container.metadata.xmp
    assert ENHANCED.encode() in packet


@pytest.mark.parametrize("format", FORMATS_WITH_XMP)
def test_a_packet_is_replaced_and_every_other_byte_stays(tmp_path, format):
    data = picture(tmp_path / f"a.{ENDINGS[format]}").read_bytes()
    one = with_packet(data, format, b"<one/>" + b" " * 900)
    two = with_packet(one, format, b"<two/>")
    assert packet_in(one, format).startswith(b"<one/>")
    assert packet_in(two, format).startswith(b"<two/>")
    if format not in ("tiff",):  # its directory grows at the end
        assert with_packet(two, format, b"<one/>" + b" " * 900) == one
    (tmp_path / "two").write_bytes(two)
    with PIL.Image.open(tmp_path / f"a.{ENDINGS[format]}") as one, PIL.Image.open(tmp_path / "two") as two:
        np.testing.assert_array_equal(np.array(one), np.array(two))
        assert two.info.get("xmp") or format in ("tiff", "gif")


def test_further_pictures_of_a_jpeg_are_still_found(tmp_path):
    image = PIL.Image.fromarray(np.full((24, 32, 3), 90, np.uint8))
    image.save(tmp_path / "s.mpo", "MPO", save_all=True, append_images=[image.resize((16, 12))])
    data = (tmp_path / "s.mpo").read_bytes()
    new = with_packet(data, "jpeg", b"<x/>" * 50)
    (tmp_path / "n.mpo").write_bytes(new)
    with PIL.Image.open(tmp_path / "n.mpo") as moved:
        moved.seek(1)
        assert moved.size == (16, 12)
    stream = markers.parse_stream(new)
    ((_, _), (_, offset)) = [
        one for whole in stream.carried if mpf.is_index(whole) for one in mpf.listed(whole)
    ]
    at = next(a for whole, a in zip(stream.carried, stream.positions, strict=True) if mpf.is_index(whole))
    assert new[at + mpf.HEADER + offset :][:3] == b"\xff\xd8\xff"


def record(**more) -> Record:
    given = {"when": "2026-01-01", "input_name": "a", "input_sha256": "0" * 64, "output_name": "b"}
    given["mask_sha256"] = ""
    return Record(**given, output_format="png", settings={"seed": 3, "method": 'a "<&\n'}, methods=[], **more)


def test_what_others_wrote_into_the_packet_stays_and_what_is_no_longer_true_goes():
    made = record(source_type=COMPOSED)
    packet = packet_with(OLD, made)
    assert b"dc:format" in packet and b'rdf:about="uuid:7" xmlns:remend' in packet
    assert b"digitalCapture" not in packet and packet.count(b"DigitalSourceType") == 1
    assert record_in(packet, "x") == made
    assert packet_with(packet, made) == packet
    assert packet_with(OLD, record()).count(b"digitalCapture") == 1  # nothing changed: it is still true
    for strange in (b"no XML", OLD.decode().encode("utf-16"), OLD + OLD):
        assert packet_with(strange, made) is None


def test_a_net_that_draws_is_said_to_have_drawn(tmp_path):
    model = write_mean_filler(tmp_path / "net.onnx")
    _, after = repaired(tmp_path, "png", "--method", model)
    made = read_record(after)
    assert made.source_type == COMPOSED
    assert made.methods[0]["model_sha256"] == [hashlib.sha256(model.read_bytes()).hexdigest()]


def test_a_picture_that_is_clean_stays_as_it_is(tmp_path):
    before = picture(tmp_path / "a.png")
    run("repair", before, "-o", tmp_path / "b.png", "--find", "crack", "--record")
    assert (tmp_path / "b.png").read_bytes() == before.read_bytes()
    made = read_sidecar(tmp_path / "b.png")
    assert made.source_type is None
    run("redo", tmp_path / "b.png", "--from", before)
    assert audit(tmp_path / "b.png").state == "as written"


@pytest.mark.parametrize("which", ["file", "record"])
def test_one_flipped_bit_is_found_wherever_it_is(tmp_path, which):
    _, after = repaired(tmp_path, "png")
    path = after if which == "file" else sidecar_of(after)
    whole = path.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(whole) - 1, 24).tolist():
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert not audit(after).fine, place
    path.write_bytes(whole)
    assert audit(after).state == "as written"


def test_an_audit_of_a_folder_names_what_is_wrong(tmp_path):
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        _, after = repaired(tmp_path / name, "png")
        folder = tmp_path / "all"
        folder.mkdir(exist_ok=True)
        after.rename(folder / f"{name}.png")
        sidecar_of(after).rename(sidecar_of(folder / f"{name}.png"))
    picture(folder / "other.png")
    run("audit", folder)
    (folder / "two.png").unlink()
    (folder / "three.png").write_bytes((folder / "other.png").read_bytes())
    result, _ = run("audit", folder, "--json", code=1)
    found = {Path(line["file"]).name: line["state"] for line in map(json.loads, result.stdout.splitlines())}
    assert found == {
        "one.png": "as written",
        "two.png": "missing",
        "three.png": "changed",
        "other.png": "no record",
    }
    (tmp_path / "none").mkdir()
    result, _ = run("audit", folder, "--from", tmp_path / "none", "--json", code=1)
    assert '"other original"' in result.stdout


def test_another_original_is_refused_and_the_right_one_is_found_in_a_folder(tmp_path):
    before, after = repaired(tmp_path, "jpg")
    _, said = run("undo", after, "--from", tmp_path / "m.png", code=2)
    assert "is not the file that was repaired (a.jpg)" in said
    before.rename(tmp_path / "renamed.bin")
    run("undo", after, "--from", tmp_path, "-o", after, "--overwrite")
    assert after.read_bytes() == (tmp_path / "renamed.bin").read_bytes()
    assert not sidecar_of(after).exists()
    _, said = run("undo", after, "--from", tmp_path, code=2)
    assert "--record" in said


def test_a_repair_that_does_not_come_out_the_same_is_told(tmp_path):
    before, after = repaired(tmp_path, "png")
    made = read_sidecar(after)
    content = json.loads(sidecar_of(after).read_text())
    assert content["settings"]["method"] == "telea"
    other = Record(
        **{name: getattr(made, name) for name in made.__slots__ if name != "settings"},
        settings=dict(made.settings) | {"method": "biharmonic"},
    )
    after.write_bytes(with_packet(after.read_bytes(), "png", packet_with(None, other)))
    sidecar_of(after).write_text(other.as_json())
    with pytest.raises(PictureError, match="other bytes"):
        redo(after, before)


@pytest.mark.parametrize("text", ["", "{}", "[]", "[" * 5000, '{"sha256_of_this_record": "0"}', "\0"])
def test_records_that_are_none(tmp_path, text):
    path = picture(tmp_path / "a.png")
    sidecar_of(path).write_text(text)
    with pytest.raises(UsageError):
        read_record(path)
    assert audit(path).state == "bad record"


def test_pages_have_no_record(tmp_path):
    image = PIL.Image.open(picture(tmp_path / "a.png"))
    image.save(tmp_path / "p.tif", save_all=True, append_images=[image])
    result, _ = run(
        "repair", tmp_path / "p.tif", "-m", mask(tmp_path / "m.png"), "--pages", "all", "--record", code=2
    )
    assert "--record" in result.stderr


def test_a_batch_records_each_and_does_none_twice(tmp_path):
    picture(tmp_path / "a.png"), picture(tmp_path / "b.jpg")
    album = tmp_path / "album"
    album.mkdir()
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).rename(album / name)
    arguments = ("repair", album, "-o", tmp_path / "out", "-m", mask(tmp_path / "m.png"), "--record")
    run(*arguments, "--method", "telea")
    run("audit", tmp_path / "out", "--from", album)
    result, _ = run(*arguments, "--method", "telea")
    assert "2 done already" in result.stderr


def test_the_formats_that_have_a_place_are_those_of_codecs(tmp_path):
    for format in FORMATS_WITH_XMP:
        path = picture(tmp_path / f"x.{ENDINGS[format]}")
        assert codec_of_bytes(path.read_bytes()[:64]).format == format
