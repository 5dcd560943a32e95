"""Animated GIF, WebP and APNG, repaired frame by frame: written and judged by Pillow."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

import remend
from remend.budget import Bounds, Budget
from remend.document import Document, Repaired
from remend.errors import DecodeError, FormatError, LimitError, RemendError
from remend.io.animation import Drawing
from remend.io.gif_frames import _image as gif_image
from remend.io.pages import encode_document, open_document
from remend.io.png.chunks import SIGNATURE, ImageHeader, chunk_bytes
from remend.io.png.frames import _chunks_of as chunks_of
from remend.io.png.raster import encode_raster
from remend.io.riff import read_chunks, riff_chunk, webp_bytes
from remend.options import MaskOptions
from remend.picture import Box
from remend.repairing import repair_file

H, W = 48, 64
KINDS = ("gif", "webp", "png")
DURATIONS = [50, 120, 80, 200, 60]


def hole() -> np.ndarray:
    mask = np.zeros((H, W), bool)
    mask[12:20, 20:40] = True
    return mask


def frames(count: int = 5, *, alpha: bool = False) -> list[np.ndarray]:
    """A disc that moves over a still scene of few colours; RGBA."""
    y, x = np.mgrid[:H, :W]
    found = []
    for number in range(count):
        frame = np.zeros((H, W, 4), np.uint8)
        frame[..., 0] = 40 + x // 8 * 8
        frame[..., 1] = 60 + y // 8 * 8
        frame[..., 2] = 90
        frame[..., 3] = 255
        frame[(x - 10 - 9 * number) ** 2 + (y - 30) ** 2 < 60] = (230, 30, 30, 255)
        if alpha:
            frame[:, : 6 + 2 * number] = 0
        found.append(frame)
    return found


def damaged(whole: list[np.ndarray]) -> list[np.ndarray]:
    shown = [frame.copy() for frame in whole]
    for frame in shown:
        frame[hole()] = (255, 255, 255, 255)
    return shown


def written(path: Path, shown: list[np.ndarray], **options: object) -> Path:
    images = [Image.fromarray(frame) for frame in shown]
    if path.suffix == ".webp":
        options = {"lossless": True, "exact": True, "minimize_size": False, "method": 0, **options}
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=DURATIONS[: len(images)], loop=3, **options
    )
    return path


def seen(path: str | Path | bytes) -> tuple[list[np.ndarray], list[int], object]:
    """The frames as Pillow composes them, their durations in ms, and how often they are repeated."""
    with Image.open(io.BytesIO(path) if isinstance(path, bytes) else path) as image:
        shown, durations = [], []
        for frame in ImageSequence.Iterator(image):
            array = np.array(frame.convert("RGBA"))
            array[array[..., 3] == 0] = 0
            shown.append(array)
            durations.append(round(frame.info["duration"]))
        return shown, durations, image.info.get("loop")


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_read_as_they_are_composed(kind: str, alpha: bool, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.{kind}", damaged(frames(alpha=alpha)))
    document = open_document(path)
    assert (document.axis, len(document.pages)) == ("frame", 5)
    assert [round(1000 * one) for one in document.durations_s] == DURATIONS
    for number in (0, 1, 2, 3, 4, 2, 0):  # also back
        array = colours_of(document, number)
        assert np.array_equal(array, seen(path)[0][number])


def colours_of(document: Document, number: int) -> np.ndarray:
    array = document.pages[number].samples
    if array.shape[2] == 2:
        array = array[..., [0, 0, 0, 1]]
    array = array.copy()
    array[array[..., 3] == 0] = 0
    return array


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_is_repaired_and_keeps_its_time(kind: str, alpha: bool, tmp_path: Path) -> None:
    whole = frames(alpha=alpha)
    path = written(tmp_path / f"a.{kind}", damaged(whole))
    out = remend.repair(str(path), hole(), pages="all", grain=0, method="smooth")
    (before, durations, loop), (after, durations_after, loop_after) = seen(path), seen(out)
    assert len(after) == 5
    assert (durations_after, loop_after) == (durations, loop)
    for was, now, truth in zip(before, after, whole, strict=True):
        assert np.array_equal(now[~hole()], was[~hole()])
        assert np.abs(now[hole()].astype(int) - truth[hole()])[:, :3].mean() < 12
        assert (now[hole()][:, 3] == 255).all()


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pages", ["1", "3", "2,4", "5"])
def test_frames_that_are_not_named_look_as_before(
    kind: str, pages: str, disposal: int, tmp_path: Path
) -> None:
    if kind == "webp" and disposal:
        pytest.skip("Pillow chooses WebP's disposal itself")
    if kind == "png" and disposal == 3:
        pytest.skip("PNG has three")
    options = {"disposal": disposal} if kind != "webp" else {}
    path = written(tmp_path / f"a.{kind}", damaged(frames(alpha=True)), **options)
    out = remend.repair(str(path), hole(), pages=pages, grain=0, method="smooth")
    before, after = seen(path)[0], seen(out)[0]
    named = [int(number) - 1 for number in pages.split(",")]
    assert len(after) == len(before)
    for number, (was, now) in enumerate(zip(before, after, strict=True)):
        assert np.array_equal(now[~hole()], was[~hole()])
        if number not in named:
            assert np.array_equal(now, was)
        elif (was[hole()][:, 3] == 255).all():  # Pillow loses what disposal 3 should keep
            assert not np.array_equal(now, was)
    ours = open_document(out)
    assert all(np.array_equal(colours_of(ours, number), after[number]) for number in range(5))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_before_the_first_repair_keep_their_bytes(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.{kind}", damaged(frames()))
    out = remend.repair(str(path), hole(), pages="5", grain=0)
    old, new = path.read_bytes(), Path(out).read_bytes()
    same = next(place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b and place > 64)
    assert same > 0.5 * len(old)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_repair_gives_the_very_file(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.{kind}", damaged(frames()))
    out = remend.repair(str(path), np.zeros((H, W), bool), pages="all")
    assert Path(out).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_without_pages_the_note_names_the_flag(kind: str, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.{kind}", damaged(frames()))
    notes = remend.read_picture(path).container.notes
    assert any("first of 5 frames" in note and "--pages all" in note for note in notes)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_that_is_an_animation(kind: str, tmp_path: Path) -> None:
    whole = frames()
    path = written(tmp_path / f"a.{kind}", damaged(whole))
    masks = [np.dstack([hole() * 255] * 3).astype(np.uint8) for _ in whole]
    masks[2][:] = 0
    for number, drawn in enumerate(masks):  # equal frames would become one
        drawn[0, : number + 1] = 255
    mask = written(tmp_path / "mask.webp", masks)
    out = remend.repair(str(path), mask, pages="all", grain=0, method="smooth")
    before, after = seen(path)[0], seen(out)[0]
    assert np.array_equal(after[2][1:], before[2][1:])
    assert (after[3][hole()] != 255).any(axis=1).all()


def test_blending_is_libwebps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shown = [rng.integers(0, 256, (H, W, 4), dtype=np.uint8) for _ in range(3)]
    shown[0][..., 3] = np.where(shown[0][..., 3] < 30, 1, shown[0][..., 3])  # what is clear is rounded twice
    still = [io.BytesIO() for _ in shown]
    for held, frame in zip(still, shown, strict=True):
        Image.fromarray(frame).save(held, "WEBP", lossless=True, exact=True)
    chunks = [
        (b"VP8X", bytes([0x12, 0, 0, 0]) + (W - 1).to_bytes(3, "little") + (H - 1).to_bytes(3, "little"))
    ]
    chunks.append((b"ANIM", bytes(6)))
    for held in still:
        head = bytes(6) + (W - 1).to_bytes(3, "little") + (H - 1).to_bytes(3, "little") + b"\x50\0\0\0"
        held.seek(0)
        parts = [riff_chunk(*one) for one in read_chunks(held, "x") if one[0] in (b"VP8L", b"VP8 ", b"ALPH")]
        chunks.append((b"ANMF", head + b"".join(parts)))
    data = webp_bytes(chunks)
    document, judged = open_document(data), seen(data)[0]
    for number in range(3):
        assert np.array_equal(colours_of(document, number), judged[number])


def apng(shown: list[np.ndarray], **options: object) -> bytes:
    """Frames in the mode of their arrays, by Pillow; grey where they are of two axes."""
    held = io.BytesIO()
    images = [options.pop("convert", lambda image: image)(Image.fromarray(one)) for one in shown]
    images[0].save(held, "PNG", save_all=True, append_images=images[1:], duration=80, **options)
    return held.getvalue()


@pytest.mark.parametrize("kind", ["grey", "grey alpha", "colour", "palette", "few colours", "bilevel"])
@pytest.mark.parametrize("pages", ["all", "2"])
def test_every_kind_of_apng(kind: str, pages: str, tmp_path: Path) -> None:
    whole, options = frames(4), {}
    if kind == "palette":
        whole = [frame[..., :3] for frame in whole]
        table = Image.fromarray(np.hstack(whole)).quantize(200)
        options["convert"] = lambda image: image.quantize(palette=table, dither=0)
    elif kind == "colour":
        whole = [frame[..., :3] for frame in whole]
    elif kind == "grey alpha":
        whole = [np.ascontiguousarray(frame[..., [0, 3]]) for frame in whole]
        options["convert"] = lambda image: image
    else:
        whole = [np.ascontiguousarray(frame[..., 1]) for frame in whole]
    if kind == "few colours":
        few = Image.fromarray(np.hstack(whole)).convert("RGB").quantize(8)
        options["convert"] = lambda image: image.convert("RGB").quantize(palette=few, dither=0)
    if kind == "bilevel":
        options["convert"] = lambda image: image.convert("1", dither=0)
    shown = [frame.copy() for frame in whole]
    for frame in shown:
        frame[hole()] = 255
    data = apng(shown, **options)
    out = tmp_path / "out.png"
    (tmp_path / "in.png").write_bytes(data)
    remend.repair(str(tmp_path / "in.png"), hole(), pages=pages, grain=0, method="smooth", output=out)
    (before, durations, _), (after, durations_after, _) = seen(data), seen(out)
    assert (len(after), durations_after) == (len(before), durations)
    assert header_of(out.read_bytes()) == header_of(data)
    for number, (was, now) in enumerate(zip(before, after, strict=True)):
        assert np.array_equal(now[~hole()], was[~hole()])
        if pages == "all" or number == 1:
            assert not np.array_equal(now, was)
        else:
            assert np.array_equal(now, was)


def header_of(data: bytes) -> bytes:
    """IHDR."""
    return data[16:29]


def test_an_apng_of_16_bits_stays_deep(tmp_path: Path) -> None:
    deep = [frame[..., :3].astype(np.uint16) * 257 + 3 * number for number, frame in enumerate(frames(3))]
    header = ImageHeader(W, H, 16, 2)
    parts, number = [SIGNATURE, chunk_bytes(b"IHDR", header.to_bytes())], 0
    parts.append(chunk_bytes(b"acTL", struct.pack(">II", 3, 0)))
    for place, frame in enumerate(deep):
        damaged_frame = frame.copy()
        damaged_frame[hole()] = 65535
        fields = struct.pack(">IIIIIHHBB", number, W, H, 0, 0, 1, 10, 0, 0)
        parts.append(chunk_bytes(b"fcTL", fields))
        number += 1
        for kind, content in chunks_of(encode_raster(damaged_frame, header)):
            if not place:
                parts.append(chunk_bytes(kind, content))
            else:
                parts.append(chunk_bytes(b"fdAT", struct.pack(">I", number) + content))
                number += 1
    parts.append(chunk_bytes(b"IEND", b""))
    (tmp_path / "deep.png").write_bytes(b"".join(parts))
    out = remend.repair(str(tmp_path / "deep.png"), hole(), pages="2-3", grain=0, method="smooth")
    before, after = open_document(tmp_path / "deep.png"), open_document(out)
    assert after.pages[1].samples.dtype == np.uint16
    assert np.array_equal(after.pages[0].samples, before.pages[0].samples)
    for page in (1, 2):
        samples = after.pages[page].samples[..., :3]
        assert np.array_equal(samples[~hole()], deep[page][~hole()])
        assert np.abs(samples[hole()].astype(int) - deep[page][hole()]).mean() < 12 * 257
    assert seen(out)[1] == [100, 100, 100]


def test_the_still_picture_beside_the_frames_is_none_of_them(tmp_path: Path) -> None:
    shown = [frame[..., :3] for frame in damaged(frames(4))]
    data = apng(shown, default_image=True)
    (tmp_path / "in.png").write_bytes(data)
    document = open_document(data)
    assert len(document.pages) == 3
    report = repair_file(
        tmp_path / "in.png", tmp_path / "out.png", mask=hole(), options=MaskOptions(pages="all")
    )
    assert any("still picture beside the frames is kept" in note for note in report.notes)
    after = open_document(tmp_path / "out.png")
    assert all((page.samples[hole()][:, :3] != 255).any() for page in after.pages)
    with Image.open(tmp_path / "out.png") as image:
        assert np.array_equal(np.array(image), shown[0])


def test_a_gif_of_many_palettes(tmp_path: Path) -> None:
    """Each frame with 256 colours of its own, the canvas with more: exact where nothing was repaired."""
    rng = np.random.default_rng(1)
    images = []
    for number in range(3):
        table = rng.integers(0, 256, (256, 3), dtype=np.uint8)
        image = Image.fromarray(rng.integers(0, 256, (16, 16 * (number + 1)), dtype=np.uint8), "P")
        image.putpalette(table.tobytes())
        images.append(image.crop((0, 0, 48, 16)))
    path = tmp_path / "a.gif"
    images[0].save(path, save_all=True, append_images=images[1:], duration=70, loop=0, disposal=1)
    mask = np.zeros((16, 48), bool)
    mask[4:8, 4:12] = True
    out = remend.repair(str(path), mask, pages="2", grain=0, method="smooth")
    (before, _, _), (after, _, _) = seen(path), seen(out)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1][~mask], after[1][~mask])
    assert np.array_equal(before[2], after[2])
    assert not np.array_equal(before[1], after[1])


def test_a_frame_of_256_colours_needs_no_transparent_entry() -> None:
    target = np.full((16, 17, 4), 255, np.uint8)
    target[:, :16, 0] = np.arange(256).reshape(16, 16)
    target[:, 16, 0] = 7  # as it is already
    needed = np.ones((16, 17), bool)
    needed[:, 16] = False
    drawing = Drawing(1, Box(0, 0, 16, 17), target, needed, np.zeros_like(needed))
    assert np.array_equal(gif_image(drawing, b"", None)[1], target)


def test_transparency_that_was_filled_cannot_come_back_in_a_gif(tmp_path: Path) -> None:
    shown = frames()
    for frame in shown:
        frame[hole()] = 0
    path = written(tmp_path / "a.gif", shown, disposal=1)
    options = {"pages": "1", "repair_alpha": True, "method": "smooth"}
    with pytest.raises(FormatError, match="frame 2 of a GIF cannot become transparent again"):
        remend.repair(str(path), hole(), **options)
    path = written(tmp_path / "a.png", shown)
    out = remend.repair(str(path), hole(), **options)
    assert (seen(out)[0][0][hole()][:, 3] > 0).all()
    assert all((now[hole()][:, 3] == 0).all() for now in seen(out)[0][1:])


@pytest.mark.parametrize("kind", KINDS)
def test_broken_animations_are_told_in_our_words(kind: str, tmp_path: Path) -> None:
    data, rng = written(tmp_path / f"a.{kind}", damaged(frames())).read_bytes(), np.random.default_rng(5)
    read = 0
    for _ in range(40):
        broken = bytearray(data)
        for at in rng.integers(40, len(data), 2):
            broken[at] = rng.integers(256)
        try:
            document = open_document(bytes(broken))
            repaired = (
                Repaired(number, one, hole()) for number, one in enumerate(document.pages) if number != 1
            )
            encode_document(document, repaired)
            read += 1
        except RemendError as error:
            assert "\n" not in str(error)
    assert read < 40


def test_more_frames_than_can_be_composed_are_refused(tmp_path: Path) -> None:
    data = written(tmp_path / "a.gif", damaged(frames())).read_bytes()
    assert len(open_document(data, budget=Budget(Bounds(max_pixels=H * W))).pages) == 5
    head = data.index(b"!\xf9")
    crowd = data[:head] + 25 * data[head:-1] + b";"
    with pytest.raises(LimitError, match=r"125 frames of 0\.0 megapixels are more than can be composed"):
        open_document(crowd, budget=Budget(Bounds(max_pixels=H * W)))


def test_a_frame_larger_than_the_screen_is_refused(tmp_path: Path) -> None:
    data = bytearray(written(tmp_path / "a.gif", damaged(frames()), disposal=2).read_bytes())
    at = data.rindex(struct.pack("<BHHHH", 0x2C, 0, 0, W, H))
    struct.pack_into("<HH", data, at + 5, 60000, 60000)
    with pytest.raises(DecodeError, match="frame 5: a damaged GIF: a frame exceeds the screen"):
        open_document(bytes(data)).pages[4]


def test_a_frame_outside_the_canvas_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.webp", damaged(frames()))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"ANMF")
    data[at + 8] = 200
    document = open_document(bytes(data))
    assert document.pages[0].size == (H, W)
    with pytest.raises(DecodeError, match="frame 5: a damaged WebP: a frame lies outside"):
        document.pages[4]
