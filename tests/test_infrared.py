"""Dust by infrared: of made film, from a channel, a page and a file beside; silver and strangers refused."""

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("benchmarks.made_infrared", reason="benchmarks lie in the root of the checkout")

import tifffile

import remend
from benchmarks.finding.counts import count
from benchmarks.made_infrared import make_film
from made_wear import photograph
from remend.album import plan_jobs
from remend.damage.infrared import InfraredError, find_by_infrared, regions_of
from remend.errors import FormatError, MaskError
from remend.infrared import infrared_of
from remend.picture import Picture

FILM = make_film(np.asarray(photograph("coffee")), 3)


def overlap_of(found, film):
    return count(found, film.truth, film.faint).f1


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_dust_is_found_through_leak_shift_and_noise(seed):
    film = make_film(np.asarray(photograph("coffee")), seed)
    assert overlap_of(find_by_infrared(film.colours, film.infrared), film) > 0.85


def test_clean_film_stays_clean():
    film = make_film(np.asarray(photograph("coffee")), 3, dirty=False)
    assert find_by_infrared(film.colours, film.infrared).mean() < 2e-4


@pytest.mark.parametrize(("kind", "says"), [("silver", "silver"), ("kodachrome", "Kodachrome|silver")])
@pytest.mark.parametrize("seed", [1, 2, 5])
def test_what_stops_infrared_itself_is_refused(kind, says, seed):
    film = make_film(np.asarray(photograph("astronaut")), seed, kind)
    with pytest.raises(InfraredError, match=says):
        find_by_infrared(film.colours, film.infrared)


def test_what_is_no_infrared_of_this_picture_is_refused():
    other = make_film(np.asarray(photograph("chelsea")), 4)
    shown = np.asarray(photograph("astronaut")).astype(np.uint16) * 257
    with pytest.raises(InfraredError, match="another picture's"):
        find_by_infrared(shown, other.infrared)
    with pytest.raises(InfraredError, match="one value"):
        find_by_infrared(shown, np.full(shown.shape[:2], 999, np.uint16))
    page = np.full(shown.shape[:2], 60_000, np.uint16)
    page[20:260:12, 20:260] = 3000
    with pytest.raises(InfraredError):
        find_by_infrared(shown, page)


def test_eight_bits_grey_and_tiny_pictures_do():
    low = (FILM.colours >> 8).astype(np.uint8)
    assert overlap_of(find_by_infrared(low, (FILM.infrared >> 8).astype(np.uint8)), FILM) > 0.8
    find_by_infrared(FILM.colours[:24, :24], FILM.infrared[:24, :24])
    with pytest.raises(InfraredError, match="too small"):
        find_by_infrared(FILM.colours[:1, :40], FILM.infrared[:1, :40])


def test_long_marks_are_scratches():
    marks = np.zeros((100, 200), bool)
    marks[50, 20:150] = True
    marks[10:14, 10:14] = True
    assert sorted(region.kind for region in regions_of(marks)) == ["dust", "scratch"]


def with_channel(path):
    data = np.concatenate([FILM.colours, FILM.infrared[..., None]], axis=2)
    tifffile.imwrite(path, data, photometric="rgb", planarconfig="contig", extrasamples=["unspecified"])


def with_page(path):
    with tifffile.TiffWriter(path) as file:
        file.write(FILM.colours, photometric="rgb", planarconfig="contig")
        file.write(FILM.infrared, photometric="minisblack")


def with_file(path):
    tifffile.imwrite(path, FILM.colours, photometric="rgb", planarconfig="contig")
    tifffile.imwrite(path.with_name("scan_IR.tif"), FILM.infrared, photometric="minisblack")


@pytest.mark.parametrize(
    ("make", "where"), [(with_channel, "channel 4"), (with_page, "page 2"), (with_file, "scan_IR.tif")]
)
def test_infrared_is_found_where_scanners_leave_it(make, where, tmp_path):
    path = tmp_path / "scan.tif"
    make(path)
    picture = remend.read_picture(path)
    found = infrared_of(picture)
    assert found is not None and where in found.where
    assert np.array_equal(found.samples, FILM.infrared)
    report = remend.repair_file(path, tmp_path / "out.tif", settings=remend.Settings(method="telea"))
    assert any(where in note for note in report.notes)
    before, after = tifffile.imread(path, key=0), tifffile.imread(tmp_path / "out.tif", key=0)
    changed = (before != after).any(axis=2)
    assert changed.any() and count(changed, FILM.truth, FILM.faint, within_px=4).precision > 0.95
    plain = remend.detect(path, infrared="no")
    assert len(plain) != len(remend.detect(path))


def test_a_named_file_is_taken_or_refused_with_the_reason(tmp_path):
    path, plane = tmp_path / "a.tif", tmp_path / "b.png"
    tifffile.imwrite(path, FILM.colours, photometric="rgb", planarconfig="contig")
    PIL.Image.fromarray(FILM.infrared).save(plane)
    assert remend.detect(path, infrared=str(plane))
    PIL.Image.fromarray(FILM.infrared[:-4]).save(plane)
    with pytest.raises(MaskError, match="give infrared of the picture's size"):
        remend.detect(path, infrared=str(plane))
    silver = make_film(np.asarray(photograph("astronaut")), 1, "silver")
    PIL.Image.fromarray(silver.infrared).save(plane)
    tifffile.imwrite(path, silver.colours, photometric="rgb", planarconfig="contig")
    with pytest.raises(MaskError, match=r"silver.*--infrared no"):
        remend.repair(path, infrared=str(plane))
    with pytest.raises(MaskError, match="8 or 16 bits"):
        remend.detect(np.zeros((50, 50, 3), np.float32), infrared=str(plane))
    with pytest.raises(remend.RemendError, match="no such file"):
        remend.detect(path, infrared=str(tmp_path / "none.tif"))


def test_silver_with_a_channel_is_searched_as_ever_and_told(tmp_path):
    film = make_film(np.asarray(photograph("astronaut")), 1, "silver")
    path = tmp_path / "scan.tif"
    data = np.concatenate([film.colours, film.infrared[..., None]], axis=2)
    tifffile.imwrite(path, data, photometric="rgb", planarconfig="contig", extrasamples=["unspecified"])
    report = remend.repair_file(path, None)
    assert any("is not used: it shows the picture itself" in note for note in report.notes)


def test_two_sheets_of_one_size_are_no_film(tmp_path):
    sheet = np.full((280, 280), 245, np.uint8)
    sheet[30:250:14, 30:250] = 20
    path = tmp_path / "sheets.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(np.asarray(photograph("coffee")), photometric="rgb")
        file.write(sheet, photometric="minisblack")
    assert any("is not used" in note for note in remend.repair_file(path, None).notes)


def test_pictures_without_infrared_have_none(tmp_path):
    assert infrared_of(Picture(np.zeros((8, 8, 3), np.uint8), "RGB")) is None
    path = tmp_path / "a.png"
    PIL.Image.fromarray(photograph("coffee")).save(path)
    assert infrared_of(remend.read_picture(path)) is None
    assert infrared_of(remend.read_picture(path), "no") is None


def test_infrared_in_a_folder_is_no_picture(tmp_path):
    with_file(tmp_path / "scan.tif")
    jobs = plan_jobs([tmp_path], output=None, mask=None, recursive=False)
    assert [job.source.name for job in jobs] == ["scan.tif"]


def test_over_http_no_path_of_the_server_can_be_named():
    pytest.importorskip("fastapi", reason="serving needs its extra: pip install '.[serve]'")
    from remend.serve.options import DETECT, REPAIR, read_job_options
    from remend.serve.problems import Problem

    for table, kind in ((REPAIR, "repair"), (DETECT, "detect")):
        assert read_job_options({"infrared": "no"}, table, kind).mask_options.infrared == "no"
        with pytest.raises(Problem):
            read_job_options({"infrared": "/etc/scan_IR.tif"}, table, kind)


def linear_dng(path, *, channels=4, preview=False, **how):
    """A DNG of linear samples as scanning programs write them: by itself, or behind a small preview."""
    samples = np.concatenate([FILM.colours, FILM.infrared[..., None]], axis=2)[..., :channels]
    how = {"photometric": 34892, "planarconfig": "contig", **how}
    extra = [(50706, "B", 4, (1, 4, 0, 0), True)]
    if not preview:
        tifffile.imwrite(path, samples, extratags=extra, **how)
        return
    with tifffile.TiffWriter(path) as file:
        small = (FILM.colours[::4, ::4] >> 8).astype(np.uint8)
        file.write(small, photometric="rgb", subfiletype=1, subifds=1, extratags=extra)
        file.write(samples, subfiletype=0, **how)


@pytest.mark.parametrize(
    "how",
    [{}, {"channels": 3}, {"compression": "zlib"}, {"tile": (64, 64)}, {"preview": True}],
    ids=["infrared", "colours", "deflate", "tiles", "preview"],
)
def test_a_linear_dng_is_refused_with_the_way_out(how, tmp_path):
    scan = tmp_path / "scan.dng"
    linear_dng(scan, **how)
    with pytest.raises(FormatError, match=r"linear samples.*TIFF, with infrared as its fourth channel"):
        remend.repair(str(scan))


def test_a_linear_dng_named_as_infrared_is_refused_with_the_way_out(tmp_path):
    scan = tmp_path / "scan.dng"
    linear_dng(scan, preview=True)
    picture = Picture(FILM.colours.copy(), "RGB")
    with pytest.raises(FormatError, match=r"linear samples.*TIFF"):
        infrared_of(picture, str(scan))
