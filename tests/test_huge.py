"""Huge pictures: repaired window by window in their file, with the very bytes of a repair in memory."""

import io
import json

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from remend.budget import Budget
from remend.damage.given import effective_mask
from remend.damage.sparse import sparse_mask
from remend.errors import FormatError, LimitError, MaskError, WriteError
from remend.io import lazily, read_picture
from remend.io.bands import bands_of
from remend.io.lazily import open_lazily
from remend.options import Bounds, MaskOptions, Settings
from remend.picture import Picture
from remend.planes import LazyPlane
from remend.repairing import repair_file

SIZE = (300, 420)
FAST = Settings(quality="fast")


@pytest.fixture
def huge(monkeypatch):
    """Every picture counts as huge."""
    monkeypatch.setattr("remend.io.lazily.LEAST_PIXELS", 1)
    monkeypatch.setattr("remend.io.bands.LEAST_PIXELS", 1)


def made(dtype=np.uint8, channels=3, size=SIZE):
    y, x = np.mgrid[: size[0], : size[1]]
    rng = np.random.default_rng(0)
    base = 0.5 + 0.3 * np.sin(x / 30) + 0.1 * np.cos(y / 17) + rng.normal(0, 0.01, size)
    planes = np.stack([base, 1 - base, base**2, np.ones(size)][:channels], axis=2)
    if np.dtype(dtype).kind == "f":
        return planes.astype(dtype)
    return np.rint(planes * np.iinfo(dtype).max).clip(0, np.iinfo(dtype).max).astype(dtype)


def holes(size=SIZE):
    mask = np.zeros(size, bool)
    mask[20:50, 30:60] = mask[100:103, 150:300] = True
    mask[size[0] - 30 :, size[1] - 10 :] = True
    return mask


LAYOUTS = {
    "tiles": {"tile": (64, 64)},
    "deflated tiles, predictor": {"tile": (64, 64), "compression": "zlib", "predictor": True},
    "lzw strips": {"pillow": "tiff_lzw", "rowsperstrip": 7},
    "one strip": {},
    "planes": {"planarconfig": "separate", "tile": (32, 48)},
    "big": {"tile": (64, 64), "bigtiff": True},
    "big-endian": {"rowsperstrip": 16, "byteorder": ">"},
    "jpeg": {"pillow": "jpeg", "rowsperstrip": 16},
}


def write(path, array, **options):
    if "pillow" in options:  # tifffile lacks these without a package of its own
        rows = {278: options["rowsperstrip"]}
        Image.fromarray(array).save(path, compression=options["pillow"], tiffinfo=rows)
        return
    outer = {name: options.pop(name) for name in ("bigtiff", "byteorder") if name in options}
    options = {"photometric": "rgb"} | options
    if options.get("planarconfig"):
        array = np.moveaxis(array, 2, 0)
    with tifffile.TiffWriter(path, **outer) as writer:
        writer.write(array, metadata=None, **options)


def save_mask(path, mask):
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    return path


def both(tmp_path, monkeypatch, source, mask, **options):
    """The file as a repair in memory writes it, and as one window by window does; and that one's report."""
    repair_file(source, tmp_path / "whole.tif", mask=mask, settings=FAST, **options)
    monkeypatch.setattr("remend.io.lazily.LEAST_PIXELS", 1)
    monkeypatch.setattr("remend.io.bands.LEAST_PIXELS", 1)
    monkeypatch.setattr("remend.repairing.as_picture", None)  # it is not read
    report = repair_file(source, tmp_path / "lazy.tif", mask=mask, settings=FAST, **options)
    return (tmp_path / "whole.tif").read_bytes(), (tmp_path / "lazy.tif").read_bytes(), report


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_file_is_the_very_same(tmp_path, monkeypatch, layout):
    write(tmp_path / "in.tif", made(), **LAYOUTS[layout])
    mask = save_mask(tmp_path / "mask.png", holes())
    whole, lazy, report = both(tmp_path, monkeypatch, tmp_path / "in.tif", mask)
    assert lazy == whole
    assert lazy != (tmp_path / "in.tif").read_bytes()
    assert report.hole_ratio == pytest.approx(holes().mean())


@pytest.mark.parametrize(
    ("dtype", "channels"), [(np.uint16, 3), (np.float32, 1), (np.uint8, 1), (np.int16, 1), (np.uint8, 4)]
)
def test_of_every_kind_of_samples(tmp_path, monkeypatch, dtype, channels):
    array = made(dtype, channels)
    kind = {"photometric": "rgb" if channels > 2 else "minisblack"}
    kind |= {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    write(tmp_path / "in.tif", array if channels > 1 else array[..., 0], tile=(64, 64), **kind)
    whole, lazy, _ = both(tmp_path, monkeypatch, tmp_path / "in.tif", save_mask(tmp_path / "m.png", holes()))
    assert lazy == whole


def test_tiles_that_the_mask_does_not_touch_keep_their_bytes(tmp_path, huge):
    write(tmp_path / "in.tif", made(), tile=(64, 64), compression="zlib")
    repair_file(
        tmp_path / "in.tif",
        tmp_path / "out.tif",
        mask=save_mask(tmp_path / "m.png", holes()),
        settings=FAST,
    )

    def tiles(path):
        with tifffile.TiffFile(path) as file:
            page, handle = file.pages[0], file.filehandle
            found = []
            for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
                handle.seek(offset)
                found.append(handle.read(length))
            return found

    before, after = tiles(tmp_path / "in.tif"), tiles(tmp_path / "out.tif")
    across = -(-SIZE[1] // 64)
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        y, x = 64 * (number // across), 64 * (number % across)
        assert (one == other) == (not holes()[y : y + 64, x : x + 64].any())


def test_only_what_windows_need_is_decoded(tmp_path, huge, monkeypatch):
    write(tmp_path / "in.tif", made(size=(1024, 1024)), tile=(64, 64))
    mask = np.zeros((1024, 1024), bool)
    mask[500:510, 500:510] = True
    decoded = []
    truly = lazily.codec_named("tiff")
    from remend.io.tiff import lazy as module

    decode = module.decode_chunk
    monkeypatch.setattr(module, "decode_chunk", lambda *given: decoded.append(1) or decode(*given))
    assert truly.format == "tiff"
    repair_file(
        tmp_path / "in.tif",
        tmp_path / "out.tif",
        mask=save_mask(tmp_path / "m.png", mask),
        settings=FAST,
    )
    assert 0 < len(decoded) < 16 * 16 / 8


def test_overviews_are_repaired_too(tmp_path, huge):
    """The reduced copies of a pyramid show the repair, and nothing else of them changes."""
    array, mask = made(size=(512, 512)), np.zeros((512, 512), bool)
    mask[200:260, 300:350] = True
    hurt = np.where(mask[..., None], np.uint8(255), array)
    with tifffile.TiffWriter(tmp_path / "in.tif") as writer:
        writer.write(hurt, tile=(64, 64), photometric="rgb", subifds=2, metadata=None)
        for step in (2, 4):
            small = cv2.resize(hurt, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
            writer.write(small, tile=(32, 32), photometric="rgb", subfiletype=1, metadata=None)
    report = repair_file(
        tmp_path / "in.tif",
        tmp_path / "out.tif",
        mask=save_mask(tmp_path / "m.png", mask),
        settings=FAST,
    )
    assert not any("reduced copies" in note for note in report.notes)
    with tifffile.TiffFile(tmp_path / "in.tif") as old, tifffile.TiffFile(tmp_path / "out.tif") as new:
        done = new.pages[0].asarray()
        for step, before, after in zip((2, 4), old.pages[0].pages, new.pages[0].pages, strict=True):
            before, after = before.asarray(), after.asarray()
            wanted = cv2.resize(done, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
            assert np.abs(after.astype(int) - wanted).max() <= 1
            near = cv2.dilate(mask.astype(np.uint8), np.ones((4 * step + 3,) * 2))[::step, ::step] > 0
            assert (after[~near] == before[~near]).all()
            assert not (after == before).all()


@pytest.mark.parametrize("name", ["m.png", "m.tif", "m.jpg"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_masks_are_read_band_by_band(tmp_path, huge, monkeypatch, name, mode):
    """Rows of every kind, against the mask read as a whole."""
    if (name == "m.jpg" and mode in ("1", "P", "RGBA", "I;16")) or (name == "m.tif" and mode == "P"):
        pytest.skip("no such file")
    monkeypatch.setattr("remend.io.png.rows.ROWS", 37)
    rng = np.random.default_rng(4)
    levels = cv2.resize(rng.integers(0, 256, (12, 17), dtype=np.uint8), SIZE[::-1])
    levels[:40] = 0
    picture = Image.fromarray(levels.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(levels)
    picture = picture.convert(mode) if mode != "I;16" else picture
    picture.save(tmp_path / name, **({"compression": "tiff_deflate"} if name == "m.tif" else {}))
    wanted = effective_mask(read_picture(tmp_path / name), SIZE, soft=False).mask
    size, bands = bands_of(tmp_path / name, budget=Budget())
    bands = list(bands)
    assert size == SIZE
    if name == "m.png":
        assert len(bands) == -(-SIZE[0] // 37)
    flat = [
        effective_mask(Picture(part.samples, part.mode, part.palette), part.size, soft=False).mask
        for _, part in bands
        if part.samples.max() > 128 or part.palette is not None
    ]
    got = np.concatenate(flat)
    assert (got == wanted[SIZE[0] - len(got) :]).all()


@pytest.mark.parametrize("polarity", ["white", "black"])
@pytest.mark.parametrize("dilate_px", [0, 5])
def test_a_sparse_mask_is_the_mask(polarity, dilate_px):
    levels = np.zeros((700, 900), np.uint8)
    cv2.circle(levels, (300, 256), 40, 255, -1)
    levels = cv2.GaussianBlur(levels, (0, 0), 3)
    levels[600:640, 500:530] = 255
    levels[10:14, 10:14] = 60  # faint, and alone
    given = Picture((levels if polarity == "white" else 255 - levels)[..., None], "L")
    wanted = effective_mask(given, levels.shape, polarity=polarity, dilate_px=dilate_px)
    bands = ((top, Picture(given.samples[top : top + 100], "L")) for top in range(0, 700, 100))
    got = sparse_mask(bands, levels.shape, polarity=polarity, dilate_px=dilate_px)
    assert isinstance(got.mask, LazyPlane)
    assert (got.mask[0:700, 0:900] == wanted.mask).all()


def test_what_a_sparse_mask_refuses_and_tells():
    small = np.zeros((300, 300, 1), np.uint8)
    small[5:9, 5:9] = 1
    got = sparse_mask([(0, Picture(small, "L"))], (300, 300))
    assert "read as white" in got.notes[0]
    assert got.mask[0:300, 0:300].sum() == 16
    small[20, 20] = 90
    with pytest.raises(MaskError, match="nothing in it is white"):
        sparse_mask([(0, Picture(small, "L"))], (300, 300))


def test_boxes_and_polygons_mark_a_huge_picture(tmp_path, huge):
    write(tmp_path / "in.tif", made(), tile=(64, 64))
    outlines = [
        {"bbox": [30, 20, 30, 30]},
        {"segmentation": [[300, 200, 340, 200, 320, 240]]},
    ]
    (tmp_path / "m.json").write_text(json.dumps(outlines))
    report = repair_file(tmp_path / "in.tif", tmp_path / "out.tif", mask=tmp_path / "m.json", settings=FAST)
    assert report.hole_ratio * SIZE[0] * SIZE[1] == pytest.approx(900 + 800, rel=0.06)
    same = repair_file(
        io.BytesIO((tmp_path / "in.tif").read_bytes()),
        tmp_path / "whole.tif",
        mask=tmp_path / "m.json",
        settings=FAST,
    )
    assert same.hole_ratio == report.hole_ratio
    assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()


def test_an_array_marks_a_huge_picture(tmp_path, monkeypatch):
    write(tmp_path / "in.tif", made(), tile=(64, 64))
    whole, lazy, _ = both(tmp_path, monkeypatch, tmp_path / "in.tif", holes())
    assert lazy == whole


def test_ten_times_the_pixels_are_allowed(tmp_path, huge):
    write(tmp_path / "in.tif", made(), tile=(64, 64))
    mask = save_mask(tmp_path / "m.png", holes())
    pixels = SIZE[0] * SIZE[1]
    repair_file(
        tmp_path / "in.tif",
        tmp_path / "out.tif",
        mask=mask,
        settings=FAST,
        bounds=Bounds(max_pixels=pixels // 9),
    )
    with pytest.raises(LimitError, match="--max-pixels"):
        repair_file(
            tmp_path / "in.tif",
            tmp_path / "no.tif",
            mask=mask,
            settings=FAST,
            bounds=Bounds(max_pixels=pixels // 11),
        )


def test_what_is_read_as_a_whole(tmp_path, huge):
    Image.fromarray(made()).quantize(16).save(tmp_path / "palette.tif")
    write(tmp_path / "turned.tif", made(), extratags=[(274, 3, 1, 6, True)])
    Image.fromarray(made()).save(tmp_path / "picture.png")
    for name in ("palette.tif", "turned.tif", "picture.png"):
        assert open_lazily(tmp_path / name, budget=Budget()) is None
        mask = np.zeros(read_picture(tmp_path / name).size, bool)
        mask[20:30, 20:30] = True
        repair_file(tmp_path / name, tmp_path / f"out-{name}", mask=mask, settings=FAST)
    write(tmp_path / "in.tif", made(), tile=(64, 64))
    report = repair_file(tmp_path / "in.tif", tmp_path / "out.png", mask=holes(), settings=FAST)
    assert report.target is not None
    assert read_picture(report.target).size == SIZE


def test_a_wrong_mask_a_dry_run_and_a_source_that_changes(tmp_path, huge):
    write(tmp_path / "in.tif", made(), tile=(64, 64))
    with pytest.raises(MaskError, match="10×10 and the picture 420×300"):
        repair_file(tmp_path / "in.tif", None, mask=np.ones((10, 10), bool), settings=FAST)
    with pytest.raises(MaskError, match="whole picture"):
        repair_file(tmp_path / "in.tif", None, mask=np.ones(SIZE, bool), settings=FAST)
    report = repair_file(tmp_path / "in.tif", None, mask=holes(), settings=FAST)
    assert report.target is None
    assert report.plan.steps
    empty = repair_file(tmp_path / "in.tif", tmp_path / "same.tif", mask=np.zeros(SIZE, bool), settings=FAST)
    assert "the mask is empty" in empty.notes
    assert (tmp_path / "same.tif").read_bytes() == (tmp_path / "in.tif").read_bytes()

    def spoil(stage, steps):
        if stage == "write":
            (tmp_path / "in.tif").write_bytes(b"II*\0" + bytes(100))

    with pytest.raises(WriteError, match="changed or moved"):
        repair_file(tmp_path / "in.tif", tmp_path / "out.tif", mask=holes(), settings=FAST, stages=spoil)
    assert not (tmp_path / "out.tif").exists()


def test_over_its_own_source(tmp_path, huge):
    write(tmp_path / "in.tif", made(), tile=(64, 64))
    repair_file(tmp_path / "in.tif", tmp_path / "out.tif", mask=holes(), settings=FAST)
    repair_file(tmp_path / "in.tif", tmp_path / "in.tif", mask=holes(), settings=FAST, overwrite=True)
    assert (tmp_path / "in.tif").read_bytes() == (tmp_path / "out.tif").read_bytes()


def test_another_format_is_refused_by_the_writer(tmp_path, huge):
    write(tmp_path / "in.tif", made(), tile=(64, 64))
    picture = open_lazily(tmp_path / "in.tif", budget=Budget())
    with pytest.raises(FormatError, match="own format"):
        lazily.write_lazily(picture, LazyPlane(SIZE, bool), tmp_path / "out.png")


def test_a_damaged_tile_is_told_when_it_is_needed(tmp_path, huge):
    write(tmp_path / "in.tif", made(), tile=(64, 64), compression="zlib")
    data = bytearray((tmp_path / "in.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "in.tif") as file:
        at = file.pages[0].dataoffsets[0]
    data[at : at + 20] = bytes(20)
    (tmp_path / "in.tif").write_bytes(data)
    from remend.errors import DecodeError

    with pytest.raises(DecodeError, match="cannot be inflated"):
        repair_file(tmp_path / "in.tif", tmp_path / "out.tif", mask=holes(), settings=FAST)
    far = np.zeros(SIZE, bool)
    far[250:260, 380:390] = True
    repair_file(tmp_path / "in.tif", tmp_path / "out.tif", mask=far, settings=FAST)


def test_options_about_the_whole_picture_read_it(tmp_path, huge):
    write(tmp_path / "in.tif", made(), tile=(64, 64))
    done = repair_file(
        tmp_path / "in.tif",
        tmp_path / "out.tif",
        mask=holes(),
        settings=Settings(quality="fast", denoise=0.5),
        options=MaskOptions(),
    )
    assert done.target is not None
