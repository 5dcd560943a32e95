"""A TIFF's mask page (a transparency mask, as GDAL writes one): kept, no page of its own."""

import numpy as np
import pytest
import tifffile

import remend
from remend.io import read_picture
from remend.io.pages import open_document
from remend.options import MaskOptions, Settings
from remend.repairing import repair_file

SMOOTH = Settings(method="smooth", grain=0)
GAP = np.s_[40:60, 70:90]


def scene():
    """(120, 160, 3) uint8."""
    y, x = np.mgrid[:120, :160]
    one = (100 + 50 * np.sin(x / 20) * np.cos(y / 15)).astype(np.uint8)
    return np.stack([one, one // 2, 255 - one], axis=2)


def valid():
    """A frame without data on the left, and a gap amid the scene."""
    mask = np.ones((120, 160), bool)
    mask[:, :10] = mask[GAP] = False
    return mask


def write(path, *, orientation=1, pages=1):
    """White where there is no data; GDAL's way to say so."""
    shown = np.where(valid()[..., None], scene(), np.uint8(255))
    with tifffile.TiffWriter(path) as writer:
        for _ in range(pages):
            more = [(274, 3, 1, orientation, True)]
            writer.write(shown, photometric="rgb", tile=(64, 64), metadata=None, extratags=more)
            writer.write(valid(), photometric="mask", subfiletype=4, tile=(64, 64), metadata=None)
    return shown


def masks_in(path):
    with tifffile.TiffFile(path) as file:
        return [page.asarray() > 0 for page in file.pages if page.photometric == 4]


def test_what_the_mask_leaves_out_is_not_read(tmp_path):
    shown = write(tmp_path / "in.tif")
    hole = np.zeros((120, 160), bool)
    hole[60:75, 72:88] = hole[80:90, 10:20] = True  # beside white that means nothing
    repair_file(tmp_path / "in.tif", tmp_path / "out.tif", mask=hole, settings=SMOOTH)
    done = read_picture(tmp_path / "out.tif").samples
    assert np.abs(done.astype(int) - scene())[hole].mean() < 3
    assert (done[~hole] == shown[~hole]).all()
    assert (masks_in(tmp_path / "out.tif")[0] == valid()).all()
    # What is near it would be drawn to white otherwise.
    bare = remend.repair(shown, hole, method="smooth", grain=0)
    assert np.abs(bare.astype(int) - scene())[hole].mean() > 10


def test_gaps_are_told_by_it_and_then_there_is_data(tmp_path):
    write(tmp_path / "in.tif")
    options = MaskOptions(mask_polarity="nodata")
    repair_file(
        tmp_path / "in.tif", tmp_path / "out.tif", mask=tmp_path / "in.tif", options=options, settings=SMOOTH
    )
    done = read_picture(tmp_path / "out.tif").samples
    assert np.abs(done[GAP].astype(int) - scene()[GAP]).mean() < 4
    whole = valid()
    whole[GAP] = True
    assert (masks_in(tmp_path / "out.tif")[0] == whole).all()


def test_it_is_no_page(tmp_path):
    write(tmp_path / "in.tif", pages=2)
    document = open_document(tmp_path / "in.tif")
    assert len(document.pages) == 2
    assert all((page.container.details["void"] == ~valid()).all() for page in document.pages)
    hole = np.zeros((120, 160), bool)
    hole[62:75, 72:88] = True
    repair_file(
        tmp_path / "in.tif",
        tmp_path / "out.tif",
        mask=hole,
        options=MaskOptions(pages="2"),
        settings=SMOOTH,
    )
    with tifffile.TiffFile(tmp_path / "in.tif") as old, tifffile.TiffFile(tmp_path / "out.tif") as new:
        same = [(a.asarray() == b.asarray()).all() for a, b in zip(old.pages, new.pages, strict=True)]
    assert same == [True, True, False, True]


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_turned_picture_turns_it(tmp_path, orientation):
    write(tmp_path / "in.tif", orientation=orientation)
    picture = read_picture(tmp_path / "in.tif")
    assert ((picture.samples == 255).all(axis=2) == picture.container.details["void"]).all()
    hole = picture.container.details["void"].copy()
    repair_file(tmp_path / "in.tif", tmp_path / "out.tif", mask=hole, settings=SMOOTH)
    assert masks_in(tmp_path / "out.tif")[0].all()
