"""Prints of made scans: found, straight, cut out once, and nothing done to what is no scan."""

import json

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("benchmarks.made_beds", reason="benchmarks lie in the root of the checkout")

import remend
from benchmarks.made_beds import make_bed
from made_wear import photograph
from remend.cli import main
from remend.cropping import find_cuts
from remend.errors import UsageError, WriteError
from remend.picture import Channels, Picture
from remend.scans.content import content_tilt
from remend.scans.cut import cut_print
from remend.scans.prints import Print, find_prints
from remend.scans.rim import rim_of

NAMES = ("astronaut", "coffee", "chelsea")


def cli(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return int(stop.value.code or 0)


def bed(seed, count=2, **more):
    pictures = [photograph(NAMES[k % 3]) for k in range(count)]
    return make_bed(pictures, seed, size=(550, 750), **more)


def matched(made, found):
    """The found print that lies where each laid one does, or None."""
    for laid in made.prints:
        near = [one for one in found if np.linalg.norm(one.corners.mean(0) - laid.corners.mean(0)) < 30]
        yield laid, near[0] if len(near) == 1 else None


@pytest.mark.parametrize(("seed", "lid"), [(1, "white"), (2, "grey"), (3, "black"), (4, "white")])
def test_every_print_is_found_where_it_lies(seed, lid):
    made = bed(seed, 2, lid=lid)
    found = find_prints(made.image).prints
    assert len(found) == len(made.prints)
    for laid, one in matched(made, found):
        assert one is not None
        assert abs(one.tilt_deg - laid.angle_deg) <= 0.2


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_that_fills_its_frame_is_no_scan(name):
    assert find_prints(photograph(name)).prints == ()


def test_things_that_are_no_prints_are_none():
    rng = np.random.default_rng(0)
    ground = np.full((600, 800, 3), 240, np.uint8)
    y, x = np.mgrid[:600, :800]
    disc = (x - 400) ** 2 + (y - 300) ** 2 < 200**2
    assert find_prints(np.where(disc[..., None], np.uint8(90), ground)).prints == ()
    noise = np.clip(ground + rng.normal(0, 2, ground.shape), 0, 255).astype(np.uint8)
    assert find_prints(noise).prints == ()
    assert find_prints(np.full((30, 30, 3), 7, np.uint8)).prints == ()
    assert find_prints(np.full((1, 400, 3), 7, np.uint8)).prints == ()


def test_a_straight_print_keeps_its_samples():
    rng = np.random.default_rng(1)
    picture = np.asarray(photograph("coffee"))[:240, :270]
    scan = np.clip(rng.normal(238, 1, (500, 600, 3)), 0, 255).astype(np.uint8)
    scan[130:370, 200:470] = picture
    (cut,) = remend.crop(scan)
    rows, columns = cut.shape[:2]
    assert 234 <= rows <= 240 and 264 <= columns <= 270
    assert any(
        np.array_equal(cut, picture[top : top + rows, left : left + columns])
        for top in range(241 - rows)
        for left in range(271 - columns)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_cutting_keeps_depth_and_bands(dtype, channels):
    y, x = np.mgrid[:300, :420].astype(np.float64)
    plane = (x / 3 + y / 5)[..., None] + np.arange(channels)
    picture = Picture(
        plane.astype(dtype),
        "RGB" if channels == 3 else "L",
        channels=None if channels < 5 else Channels.of("L", 5),
    )
    turn = np.radians(6.0)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = np.array([[0, 0], [200, 0], [200, 100], [0, 100]]) @ axes + (120, 60)
    made = cut_print(picture, Print(corners, 6.0, False))
    assert made.samples.dtype == dtype and made.samples.shape == (100, 200, channels)
    at = np.array([100.5, 50.5]) @ axes + (120, 60) - 0.5
    assert abs(float(made.samples[50, 100, -1]) - (at[0] / 3 + at[1] / 5 + channels - 1)) < 1.1


def test_what_lies_beyond_the_scan_has_the_colour_of_the_bed():
    picture = Picture(np.full((100, 100, 3), 50, np.uint8), "RGB")
    picture.samples[80:] = 200
    corners = np.array([[-20.0, 10], [60, 10], [60, 70], [-20, 70]])
    made = cut_print(picture, Print(corners, 0.0, True), bed_xy=(50, 90))
    assert (made.samples[:, :17] == 200).all() and (made.samples[:, 24:] == 50).all()


def test_turning_back_loses_little():
    """The way there and back by ours, beside twice bilinear, which blurs."""
    image = np.asarray(photograph("coffee"))
    turn = np.radians(5.0)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    square = np.array([[0, 0], [250, 0], [250, 250], [0, 250]], float)
    middle = np.array(image.shape[1::-1]) / 2
    once = cut_print(Picture(image, "RGB"), Print((square - 125) @ axes + middle, 5.0, False))
    inner = np.array([[0, 0], [200, 0], [200, 200], [0, 200]], float) - 100
    back = cut_print(once, Print(inner @ axes.T + 125, -5.0, False)).samples
    top, left = (round(side - 100) for side in middle[::-1])
    truth = image[top : top + 200, left : left + 200]
    error = np.mean((back[8:-8, 8:-8].astype(float) - truth[8:-8, 8:-8]) ** 2)
    assert 10 * np.log10(255**2 / error) > 36


def test_a_white_rim_is_measured_and_taken_off():
    picture = np.asarray(photograph("chelsea"))
    print_ = np.pad(picture, ((20, 20), (24, 24), (0, 0)), constant_values=242)
    rim = rim_of(print_)
    assert rim is not None
    assert np.allclose([rim.top, rim.right, rim.bottom, rim.left], [20, 24, 20, 24], atol=1.5)
    assert rim_of(picture) is None
    (cut,) = remend.crop(print_, without_rim=True)
    assert abs(cut.shape[0] - picture.shape[0]) <= 3 and abs(cut.shape[1] - picture.shape[1]) <= 3
    (kept,) = remend.crop(print_)
    assert np.array_equal(kept, print_)


def test_the_tilt_of_what_is_shown_is_told_only_where_certain():
    page = np.full((500, 700, 3), 245, np.uint8)
    for at in range(60, 460, 40):
        page[at : at + 2, 40:660] = 20
    for at in range(60, 660, 60):
        page[40:460, at : at + 2] = 20
    assert abs(content_tilt(page)) < 0.1
    turned = np.asarray(
        PIL.Image.fromarray(page).rotate(-3, PIL.Image.Resampling.BICUBIC, fillcolor=(245,) * 3)
    )
    assert abs(content_tilt(turned) - 3) < 0.15
    assert content_tilt(photograph("coffee")) is None
    assert content_tilt(np.full((20, 20, 3), 9, np.uint8)) is None


def saved(path, seed=1, **options):
    made = bed(seed, 2, lid="grey", jpeg=False)
    PIL.Image.fromarray(made.image).save(path, **options)
    return made


def test_a_file_a_print_with_profile_and_resolution(tmp_path, capsys):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = PIL.Image.Exif()
    exif[0x8769] = {0xA002: 750, 0xA003: 550}
    source = tmp_path / "scan.jpg"
    made = saved(source, quality=95, dpi=(300, 300), icc_profile=profile, exif=exif)
    before = source.read_bytes()
    assert cli("crop", source, "-o", tmp_path / "out", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["prints"]) == len(made.prints) == len(told["outputs"])
    assert source.read_bytes() == before
    for number, name in enumerate(told["outputs"], 1):
        assert name == str(tmp_path / "out" / f"scan-{number}.jpg")
        with PIL.Image.open(name) as image:
            assert image.info["dpi"] == (300, 300) and image.info["icc_profile"] == profile
            inner = image.getexif().get_ifd(0x8769)
            assert (inner[0xA002], inner[0xA003]) == image.size
    assert cli("crop", source, "-o", tmp_path / "out") == 4  # they exist
    assert cli("crop", source, "-o", tmp_path / "none", "--dry-run") == 0
    assert not (tmp_path / "none").exists()


def test_sixteen_bits_of_a_tiff_stay(tmp_path):
    import cv2

    made = bed(1, 1, lid="grey", jpeg=False)
    deep = made.image[..., ::-1].astype(np.uint16) * 257
    source = tmp_path / "scan.tif"
    assert cv2.imwrite(str(source), deep)
    (written,) = remend.crop(source)
    assert written == tmp_path / "scan.cropped.tif"
    picture = remend.read_picture(written)
    assert picture.samples.dtype == np.uint16
    (cut,) = remend.crop(made.image)
    assert np.abs(picture.samples / 257 - cut).max() < 1.01


def test_no_scan_is_copied_byte_for_byte_and_said_so(tmp_path, capsys):
    source = tmp_path / "photo.jpg"
    PIL.Image.fromarray(photograph("astronaut")).save(source, quality=80)
    assert cli("crop", source, "-o", tmp_path / "out") == 0
    assert (tmp_path / "out" / "photo.jpg").read_bytes() == source.read_bytes()
    assert capsys.readouterr().err.count("no scanner's bed is seen") == 1


def test_the_scan_itself_is_never_replaced(tmp_path):
    source = tmp_path / "scan.png"
    PIL.Image.fromarray(bed(1, 1, lid="black").image).save(source)
    with pytest.raises(UsageError, match="the scan itself"):
        remend.crop(source, output=source, overwrite=True)
    remend.crop(source)
    with pytest.raises(WriteError, match="exists"):
        remend.crop(source)


def test_python_gives_back_what_it_got():
    made = bed(1, 2, lid="grey")
    arrays = remend.crop(made.image)
    images = remend.crop(PIL.Image.fromarray(made.image))
    assert [image.size for image in images] == [array.shape[1::-1] for array in arrays]
    grey = remend.crop(made.image[..., 1])
    assert [one.ndim for one in grey] == [2] * len(made.prints)
    cuts, _ = find_cuts(Picture(made.image, "RGB"))
    tops = [cut.found.corners[:, 1].mean() for cut in cuts]
    assert tops == sorted(tops) or abs(np.diff(tops)).max() < 300


def test_inspect_tells_tilt_and_border(tmp_path, capsys):
    source = tmp_path / "scan.png"
    made = saved(source)
    assert cli("inspect", source, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["prints"] == len(made.prints)
    assert sorted(told["tilts_deg"]) == pytest.approx(sorted(one.angle_deg for one in made.prints), abs=0.2)
    assert 0.2 < told["bed_share"] < 0.95
    assert cli("inspect", source) == 0
    assert "on a scanner's bed" in capsys.readouterr().out
