"""JPEG written back: coefficients, segments, kinds, damage. libjpeg's own reading is the reference."""

import io
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from remend.budget import Budget
from remend.errors import DecodeError, FormatError
from remend.io import encode_picture, read_picture
from remend.io.jpeg import codec as jpeg_module
from remend.io.jpeg import libjpeg_abi
from remend.io.jpeg.blocks import block_counts
from remend.io.jpeg.codec import CODEC
from remend.io.jpeg.libjpeg import TranscodeError, decoding_warnings, transcode
from remend.io.jpeg.markers import SOS, parse_stream, segment
from remend.options import Bounds
from remend.picture import Metadata, Picture

SAMPLINGS = ("411", "420", "422", "440", "444")


def scene(height=117, width=151):
    """A smooth scene with edges and texture, RGB."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = np.stack([120 + 80 * np.sin(x / 17), 90 + y, 128 + 60 * np.cos((x + y) / 23)], axis=-1)
    picture[20:60, 30:90] = (200, 40, 60)
    picture += np.random.default_rng(0).normal(0, 4, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def saved(image, **options):
    target = io.BytesIO()
    image.save(target, "JPEG", **options)
    return target.getvalue()


def test_a_file_that_opencv_reads_and_pillow_does_not_is_written_anew():
    """Found by atheris: what tables it has was asked of Pillow, which does not know the marker TEM."""
    data = saved(Image.fromarray(scene(32, 40)), quality=75)
    at, table = data.index(b"\xff\xc0"), data.index(b"\xff\xdb") + 40
    data = data[:table] + b"\0" + data[table + 1 : at] + b"\xff\x01" + data[at:]  # TEM
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(data))
    picture = read_picture(data)
    changed = np.zeros(picture.size, np.bool_)
    changed[5:9, 5:9] = True
    picture.samples[changed] = 90
    encoded = encode_picture(picture, changed=changed)
    assert any("re-encoded as a whole" in note for note in encoded.notes)
    assert np.abs(read_picture(encoded.data).samples.astype(int) - picture.samples).mean() < 3


def sampled(name, *more):
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}")
    options = [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, *more]
    return cv2.imencode(".jpg", scene()[..., ::-1], options)[1].tobytes()


def kinds():
    image = Image.fromarray(scene())
    grey = image.convert("L")
    ink = Image.merge("CMYK", [*image.convert("CMYK").split()[:3], grey.point(lambda v: 255 - v)])
    made = {name: sampled(name) for name in SAMPLINGS}
    made["420 progressive"] = sampled("420", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    made["444 progressive"] = saved(image, subsampling=0, progressive=True)
    made["restarts"] = sampled("420", cv2.IMWRITE_JPEG_RST_INTERVAL, 3)
    made["optimised"] = saved(image, quality=80, optimize=True)
    made["coarse"] = saved(image, quality=30)
    made["finest"] = saved(image, quality=100, subsampling=0)
    made["grey"] = saved(grey)
    made["grey 2×2"] = made["grey"].replace(b"\1\1\x11\0", b"\1\1\x22\0", 1)  # factors without effect
    made["grey progressive"] = saved(grey, progressive=True)
    made["RGB"] = saved(image, keep_rgb=True, quality=90)
    made["CMYK"] = saved(ink, quality=90)
    made["CMYK 420 progressive"] = saved(ink, quality=90, subsampling=2, progressive=True)
    made["YCCK"] = as_ycck(made["CMYK"])
    made["arithmetic"] = recoded(made["420"], arithmetic=True)
    made["arithmetic progressive"] = recoded(made["420"], arithmetic=True, progressive=True)
    return made


def as_ycck(data):
    """The same coefficients, declared to be YCCK: other colours, a valid file."""
    at = data.index(b"Adobe")
    return data[: at + 11] + b"\2" + data[at + 12 :]


def recoded(data, **options):
    return transcode(data, lambda rows: None, **options)[0]


def coefficients(data):
    stream = parse_stream(data)
    found = []

    def collect(rows):
        for index, (count, width) in enumerate(block_counts(stream.frame)):
            found.append(np.stack([rows(index, row).copy() for row in range(count)]))
            assert found[-1].shape[1] == width  # ours from the frame header, theirs from libjpeg

    transcode(stream.coding, collect)
    return stream, found


def touched(stream, index, mask):
    """Blocks of a component that the mask touches, counted the slow way."""
    component, (rows, columns) = stream.frame.components[index], block_counts(stream.frame)[index]
    h = 8 * stream.frame.v_max // component.v
    w = 8 * stream.frame.h_max // component.h
    return np.array(
        [[mask[r * h : r * h + h, c * w : c * w + w].any() for c in range(columns)] for r in range(rows)]
    )


def scratches(size, seed=0):
    mask = np.zeros(size, np.uint8)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        start, stop = (tuple(int(v) for v in rng.integers(0, size[::-1])) for _ in range(2))
        cv2.line(mask, start, stop, 1, 2)
    mask[-9:, -14:] = 1
    return mask.astype(bool)


def repaired(data, mask):
    """The file with the masked area blurred, and the samples that were asked for."""
    picture = read_picture(data)
    asked = picture.samples.copy()
    asked[mask] = cv2.GaussianBlur(asked, (0, 0), 3).reshape(asked.shape)[mask]
    picture.samples = asked.copy()
    return encode_picture(picture, changed=mask), asked


def psnr(a, b):
    return 10 * np.log10(255**2 / max(np.mean((a.astype(float) - b) ** 2), 1e-9))


@pytest.mark.parametrize("kind", list(kinds()))
def test_untouched_blocks_keep_their_coefficients(kind):
    data = kinds()[kind]
    mask = scratches(read_picture(data).size)
    encoded, asked = repaired(data, mask)
    assert encoded.notes == ()
    before, old = coefficients(data)
    after, new = coefficients(encoded.data)
    assert after.frame == before.frame  # the same coding, sampling, component names
    assert after.tables == before.tables
    assert after.restart_interval == before.restart_interval
    assert after.carried == before.carried
    for index in range(len(old)):
        same = (old[index] == new[index]).all(axis=-1)
        reach = touched(before, index, mask)
        assert same[~reach].all()
        assert not same[reach].all()
    result = read_picture(encoded.data).samples
    assert psnr(result[mask], asked[mask]) > (28 if kind in {"coarse", "411"} else 32)


def test_restored_area_is_as_close_as_encoding_it_anew():
    """Within 0.5 dB of a whole encoding of the same samples with the same tables and sampling."""
    for name in ("420", "422", "444"):
        data = sampled(name)
        mask = np.zeros((117, 151), bool)
        mask[32:80, 48:112] = True
        encoded, asked = repaired(data, mask)
        anew = cv2.imencode(
            ".jpg",
            asked[..., ::-1],
            [
                cv2.IMWRITE_JPEG_QUALITY,
                88,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
                getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}"),
            ],
        )[1]
        reference = cv2.imdecode(anew, cv2.IMREAD_COLOR_RGB)
        result = read_picture(encoded.data).samples
        assert psnr(result[mask], asked[mask]) > psnr(reference[mask], asked[mask]) - 0.5


def test_unmasked_pixels_of_touched_blocks_hardly_move():
    data = kinds()["finest"]
    before = read_picture(data).samples
    mask = np.zeros(before.shape[:2], bool)
    mask[50, 10:140] = True
    encoded, _ = repaired(data, mask)
    moved = np.abs(read_picture(encoded.data).samples.astype(int) - before)[~mask]
    assert moved.max() <= 3


def test_ten_repairs_change_nothing_elsewhere():
    data = kinds()["420"]
    mask = scratches((117, 151))
    first = data
    for seed in range(10):
        data = repaired(data, mask if seed % 2 else mask & scratches((117, 151), seed))[0].data
    stream, old = coefficients(first)
    _, new = coefficients(data)
    for index in range(3):
        assert (old[index] == new[index]).all(axis=-1)[~touched(stream, index, mask)].all()


def test_segments_and_tail_are_kept_byte_for_byte():
    plain = kinds()["420"]
    more = [
        segment(0xE1, b"Exif\0\0" + exif(6)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        segment(0xE2, b"ICC_PROFILE\0\1\2" + b"a" * 60000),
        segment(0xE2, b"ICC_PROFILE\0\2\2" + b"b" * 100),
        segment(0xEC, b"Ducky\0\1\2"),
        segment(0xFE, "Grüße".encode()),
    ]
    data = plain[:2] + b"".join(more) + plain[2:] + b"what a phone appends"
    picture = read_picture(data)
    assert picture.container.orientation == 6
    assert picture.container.metadata.icc == b"a" * 60000 + b"b" * 100
    assert picture.container.metadata.xmp == b"<x/>"
    assert picture.container.metadata.text == {"comment": "Grüße"}
    mask = scratches(picture.size)
    encoded, _ = repaired(data, mask)
    assert parse_stream(encoded.data).carried == parse_stream(data).carried
    assert parse_stream(encoded.data).carried[:6] == more
    assert encoded.data.endswith(b"\xff\xd9what a phone appends")


def test_further_pictures_of_a_phone_are_still_found():
    """The multi-picture index gives offsets from itself; Pillow's MPO reader is the judge."""
    first, second = Image.fromarray(scene()), Image.fromarray(scene()[:64, :64])
    target = io.BytesIO()
    first.save(target, "MPO", save_all=True, append_images=[second], quality=100)
    data = target.getvalue()
    picture = read_picture(data)
    mask = scratches(picture.size)
    mask[20:90, 20:90] = True
    encoded, _ = repaired(data, mask)
    assert len(encoded.data) != len(data)
    with Image.open(io.BytesIO(encoded.data)) as before, Image.open(io.BytesIO(data)) as reference:
        assert before.format == "MPO"
        before.seek(1)
        reference.seek(1)
        assert np.array_equal(np.asarray(before), np.asarray(reference))


def exif(orientation, order="<"):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def test_an_empty_mask_gives_the_very_file():
    data = kinds()["optimised"]
    picture = read_picture(data)
    assert encode_picture(picture, changed=np.zeros(picture.size, bool)).data == data


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_samples_are_what_pillow_decodes(mode):
    data = saved(Image.fromarray(scene()).convert(mode), quality=90)
    reference = np.asarray(Image.open(io.BytesIO(data)))
    result = read_picture(data)
    assert result.mode == mode
    assert np.abs(result.samples.astype(int) - reference.reshape(result.samples.shape)).max() <= 1


def test_what_is_truncated_is_refused():
    for kind, data in kinds().items():
        for part in (0.3, 0.6, 0.9):
            cut = data[: int(len(data) * part)]
            # some programs close what they could not finish; arithmetic coding cannot tell then
            for end in (b"",) if "arithmetic" in kind else (b"", b"\xff\xd9"):
                with pytest.raises(DecodeError, match="JPEG"):
                    read_picture(cut + end)
                    pytest.fail(f"{kind} cut at {part} was read")


def test_a_missing_end_marker_alone_is_no_damage():
    data = kinds()["420"]
    picture = read_picture(data[:-2])
    assert "end marker" in picture.container.notes[0]
    assert (picture.samples == read_picture(data).samples).all()
    encoded, _ = repaired(data[:-2], scratches(picture.size))
    assert encoded.data.endswith(b"\xff\xd9")


def test_flipped_bytes_never_end_the_process():
    rng = np.random.default_rng(1)
    files = list(kinds().values())
    outcomes = set()
    for turn in range(200):
        data = bytearray(files[turn % len(files)])
        for _ in range(4):
            data[rng.integers(2, len(data) if turn % 2 else 620)] = rng.integers(256)
        try:
            picture = read_picture(bytes(data), budget=Budget(Bounds(max_pixels=1_000_000)))
            mask = np.zeros(picture.size, bool)
            mask[: picture.height // 2, : picture.width // 2] = True
            encode_picture(picture, changed=mask, consume=bool(turn % 3))
            outcomes.add("written")
        except Exception as error:
            assert type(error).__module__ == "remend.errors", error
            assert "\n" not in str(error)
            outcomes.add(type(error).__name__)
    assert {"written", "DecodeError"} <= outcomes


def test_libjpegs_own_errors_are_raised_and_not_fatal():
    with pytest.raises(TranscodeError, match="no image"):
        decoding_warnings(b"\xff\xd8\xff\xd9")
    with pytest.raises(TranscodeError, match="empty"):
        decoding_warnings(b"")
    assert decoding_warnings(kinds()["420"]) == []


def system_threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


@pytest.mark.skipif(sys.platform == "win32", reason="there an error leaves its thread asleep")
def test_bad_streams_leave_no_threads():
    """In the header, in the tables, in the coded data, and when what was read cannot be written."""
    good = kinds()["420"]
    scan = good.index(b"\xff\xda")
    bad = [b"junk", good[:scan], good.replace(b"\xff\xc4\x00", b"\xff\xc4\x01", 1), good[:60]]
    tables = good.replace(b"\xff\xdb", b"\xff\xfe")  # comments now
    before = threading.active_count(), system_threads()
    for turn in range(60):
        with pytest.raises(TranscodeError):
            decoding_warnings((*bad, tables)[turn % 5])

    def too_large(rows):
        rows(0, 0)[:, 5] = 32000

    for _ in range(5):
        with pytest.raises(TranscodeError, match="out of range"):
            transcode(good, too_large)
    until = time.monotonic() + 5  # one that has answered may take a moment to be gone
    while (
        max(threading.active_count() - before[0], system_threads() - before[1]) > 0
        and time.monotonic() < until
    ):
        time.sleep(0.01)
    assert threading.active_count() <= before[0]
    assert system_threads() <= before[1]


def test_an_error_does_not_hold_up_the_exit():
    code = (
        "from remend.io.jpeg.libjpeg import *\n"
        "try: decoding_warnings(b'junk')\n"
        "except TranscodeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=True)
    assert b"JPEG" in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_pillows_libjpeg_and_jpeglibs_write_the_same_bytes(mode, monkeypatch):
    paths = {is_old: path for path, is_old in libjpeg_abi._candidates()}
    if len(paths) < 2:
        pytest.skip("only one libjpeg-turbo is here")
    samples = np.random.default_rng(0).integers(0, 256, (50, 70, 4), np.uint8)
    file = io.BytesIO()
    Image.fromarray(samples).convert("RGB").convert(mode).save(file, "JPEG", quality=70)

    def blank(rows):
        rows(0, 2)[1:4] = 0

    written = []
    for is_old, path in paths.items():
        monkeypatch.setattr(libjpeg_abi, "_candidates", lambda one=(path, is_old): iter([one]))
        monkeypatch.setattr(libjpeg_abi, "load", libjpeg_abi.load.__wrapped__)
        assert libjpeg_abi.load().version == (70 if is_old else 62)
        settings = ({}, {"progressive": True}, {"arithmetic": True}, {"restart_interval": 3})
        written.append([transcode(file.getvalue(), blank, **how) for how in settings])
        monkeypatch.undo()
    assert written[0] == written[1]


def test_a_faulty_edit_is_raised():
    def edit(rows):
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        transcode(kinds()["420"], edit)


def test_tables_replaced_between_scans_are_refused():
    """The coefficients of one component were made with two tables: they cannot be written with either."""
    good = kinds()["444 progressive"]
    start = good.index(b"\xff\xdb")
    length = 2 + int.from_bytes(good[start + 2 : start + 4], "big")
    other = bytearray(good[start : start + length])
    other[5:] = bytes([3]) * (length - 5)
    last = good.rindex(b"\xff\xda")
    with pytest.raises(TranscodeError, match="quantisation table"):
        transcode(good[:last] + bytes(other) + good[last:], lambda rows: None)


def lossless(samples):
    """A grey lossless JPEG (T.81 annex H): predictor 1, each category coded in four bits."""
    before = np.concatenate([np.full((1, 1), 128), samples[:-1, :1]]).astype(int)
    steps = np.diff(np.concatenate([before, samples], axis=1).astype(int), axis=1)
    bits = ""
    for step in steps.ravel().tolist():
        size = abs(step).bit_length()
        bits += f"{size:04b}" + (f"{step if step > 0 else step + (1 << size) - 1:0{size}b}" if size else "")
    bits += "1" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    height, width = samples.shape
    return (
        b"\xff\xd8"
        + segment(0xC3, struct.pack(">BHHB3B", 8, height, width, 1, 1, 0x11, 0))
        + segment(0xC4, bytes([0, 0, 0, 0, 9, *[0] * 12, *range(9)]))
        + segment(SOS, bytes([1, 1, 0, 1, 0, 0]))
        + body
        + b"\xff\xd9"
    )


def test_lossless_jpeg_is_read_and_encoded_anew():
    samples = scene()[..., 0]
    picture = read_picture(lossless(samples))
    assert np.array_equal(picture.samples[..., 0], samples)
    mask = scratches(picture.size)
    encoded, asked = repaired(lossless(samples), mask)
    assert "lossless" in encoded.notes[0]
    assert psnr(read_picture(encoded.data).samples, asked) > 38


def test_when_blocks_cannot_be_kept_the_note_says_so(monkeypatch):
    def refuse(*args, **options):
        raise TranscodeError("DCT coefficient out of range")

    for kind in ("420", "grey", "CMYK"):
        data = kinds()[kind]
        picture = read_picture(data)
        mask = scratches(picture.size)
        with monkeypatch.context() as patch:
            patch.setattr(jpeg_module, "transcode", refuse)
            for consume in (False, True):
                picture = read_picture(data)
                picture.samples[mask] = 255 - picture.samples[mask]
                asked = picture.samples.copy()
                encoded = encode_picture(picture, changed=mask, consume=consume)
                assert "re-encoded as a whole" in encoded.notes[0]
                assert psnr(read_picture(encoded.data).samples, asked) > 26
        assert parse_stream(encoded.data).tables[0] == parse_stream(data).tables[0]


def test_consume_lets_go_of_the_frame():
    data = kinds()["444"]
    mask = scratches((117, 151))
    kept, asked = repaired(data, mask)
    picture = read_picture(data)
    picture.samples[mask] = asked[mask]
    consumed = encode_picture(picture, changed=mask, consume=True)
    assert consumed.data == kept.data
    assert picture.size == (1, 1)
    assert picture.samples.base is None


def test_twelve_bits_are_refused_by_name():
    data = bytearray(kinds()["grey"])
    at = bytes(data).index(b"\xff\xc0") + 4
    data[at] = 12
    with pytest.raises(FormatError, match="12 bits"):
        read_picture(bytes(data))


def test_a_new_file_is_full_colour_and_carries_its_metadata():
    metadata = Metadata(
        icc=b"i" * 70000, exif=exif(1), xmp=b"<x/>", dpi=(300.0, 300.0), text={"comment": "hello"}
    )
    encoded = CODEC.encode(Picture(scene(), "RGB"), metadata)
    assert encoded.notes == ()
    back = read_picture(encoded.data)
    assert back.container.metadata == metadata
    assert [(c.h, c.v) for c in parse_stream(encoded.data).frame.components] == [(1, 1)] * 3
    assert psnr(back.samples, scene()) > 36


def test_a_new_file_says_what_it_cannot_hold():
    rgba = np.dstack([scene(), np.full((117, 151), 255, np.uint8)])
    assert CODEC.encode(Picture(rgba, "RGBA"), Metadata()).notes == ()
    rgba[:50, :, 3] = 0
    encoded = CODEC.encode(Picture(rgba, "RGBA"), Metadata())
    assert "transparency" in encoded.notes[0]
    assert read_picture(encoded.data).samples[:40].min() > 240
    deep = CODEC.encode(Picture(scene().astype(np.uint16) * 257, "RGB"), Metadata())
    assert "16-bit" in deep.notes[0]
    assert psnr(read_picture(deep.data).samples, scene()) > 36
    with pytest.raises(FormatError, match="floating"):
        CODEC.encode(Picture(scene().astype(np.float32), "RGB"), Metadata())


def test_the_header_is_told_without_the_picture():
    from remend.io.codec import Source

    data = kinds()["420"]
    head = data[: data.index(bytes((0xFF, SOS)))]
    header = CODEC.header(Source("x", data=head))
    assert (header.width, header.height, header.orientation) == (151, 117, 1)


@pytest.mark.slow
def test_real_pictures(shared_data):
    files = [
        *sorted((shared_data / "dev" / "cid22_val").glob("*.jpg"))[:25],
        *sorted((shared_data / "dev" / "celeba_few").glob("*.jpg"))[:25],
    ]
    for file in files:
        data = file.read_bytes()
        picture = read_picture(file)
        mask = scratches(picture.size, len(data))
        encoded, asked = repaired(data, mask)
        before, old = coefficients(data)
        after, new = coefficients(encoded.data)
        assert before.carried == after.carried
        for index in range(len(old)):
            same = (old[index] == new[index]).all(axis=-1)
            assert same[~touched(before, index, mask)].all(), file
        assert psnr(read_picture(encoded.data).samples[mask], asked[mask]) > 30
