"""Lettering that is asked for: strokes, plates, confirmation by reading, and rules where no models are."""

import subprocess
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from skimage import data

from remend.damage import lettering, ocr
from remend.damage.lettering import BETTER_READER, lettering_of, protects, reads_well
from remend.damage.ocr import Line, Reader, reader
from remend.damage.overlay import text_rows
from remend.damage.plates import plate_around
from remend.damage.strokes import strokes_of
from remend.errors import ModelError
from remend.picture import Box

models = pytest.mark.skipif(
    ocr._paths() is None, reason="needs PP-OCR's models: pip install --no-deps rapidocr"
)


def waves(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    grey = 110 + 20 * np.sin(x / 23) + 15 * np.cos(y / 31)
    return np.stack([grey, grey + 8, grey - 12], axis=2).astype(np.uint8)


def written(picture, line, at, *, colour=(255, 160, 40), scale=1.0, thick=2):
    """The picture with a line of text, and where it changed."""
    out = picture.copy()
    cv2.putText(out, line, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)
    return out, np.abs(out.astype(int) - picture).max(axis=2) >= 12


def mask_of(regions, size):
    mask = np.zeros(size, np.bool_)
    for region in regions:
        mask[region.box.slices] |= region.mask
    return mask


def widened(mask, by_px=2):
    return cv2.dilate(mask.view(np.uint8), np.ones((2 * by_px + 1, 2 * by_px + 1), np.uint8)) > 0


def line_around(truth, *, text="1994", score=0.95, certainty=0.99, slope_px=0.0):
    box = Box.around(widened(truth, 5))
    corners = [(box.left, box.top), (box.right, box.top + slope_px)]
    corners += [(box.right, box.bottom + slope_px), (box.left, box.bottom)]
    shape = np.ones((box.height, box.width), np.bool_)
    return Line(box, shape, np.array(corners, np.float32), score, text, certainty)


@pytest.fixture
def reads(monkeypatch):
    """A reader that finds the lines it is told."""

    def tell(*lines):
        monkeypatch.setattr(lettering, "reader", lambda: SimpleNamespace(lines=lambda _: list(lines)))

    return tell


@pytest.mark.parametrize("colour", [(255, 160, 40), (255, 255, 255), (10, 10, 10)])
@pytest.mark.parametrize("scale", [0.6, 1.0, 4.0])
def test_a_mask_holds_the_strokes_and_not_the_ground(colour, scale):
    height, width = round(70 * scale) + 20, round(260 * scale) + 20
    picture, truth = written(
        waves(height, width),
        "'94 11 27",
        (round(20 * scale), round(45 * scale)),
        colour=colour,
        scale=scale,
        thick=max(1, round(2 * scale)),
    )
    line = line_around(truth)
    found = strokes_of(picture, line.box, line.shape)
    mask = np.zeros(truth.shape, np.bool_)
    mask[found.box.slices] = found.mask
    assert (mask & truth).sum() >= 0.97 * truth.sum()
    assert (mask & ~widened(truth, max(3, round(3 * scale)))).sum() <= 0.05 * truth.sum()


def test_outlines_and_glows_are_in():
    picture = waves(90, 330)
    rim, _ = written(picture, "garden", (30, 60), colour=(8, 8, 8), scale=2.0, thick=9)
    outlined, _ = written(rim, "garden", (30, 60), colour=(255, 255, 255), scale=2.0, thick=3)
    light = np.zeros((90, 330), np.float32)
    light[written(np.zeros((90, 330, 3), np.uint8), "1994", (30, 60), scale=2.0, thick=3)[1]] = 1
    glow = np.maximum(light, 0.8 * cv2.GaussianBlur(light, (0, 0), 4))[..., None]
    glowing = (picture + glow * (np.array([255, 150, 40]) - picture)).astype(np.uint8)
    for lettered in (outlined, glowing):
        truth = np.abs(lettered.astype(int) - picture).max(axis=2) >= 12
        line = line_around(truth)
        found = strokes_of(lettered, line.box, line.shape)
        mask = np.zeros(truth.shape, np.bool_)
        mask[found.box.slices] = found.mask
        assert (widened(mask) & truth).sum() >= 0.97 * truth.sum()


def test_a_blank_line_has_no_strokes():
    flat = np.full((40, 80, 3), 90, np.uint8)
    assert strokes_of(flat, Box(10, 10, 30, 70), np.ones((20, 60), np.bool_)) is None


@pytest.mark.parametrize("see_through", [0.0, 0.45])
@pytest.mark.parametrize("whole_width", [False, True])
def test_the_plate_of_a_caption_is_found_whole(see_through, whole_width):
    picture = waves(200, 300)
    plate = Box(70, 0, 108, 300) if whole_width else Box(70, 40, 108, 250)
    part = picture[plate.slices]
    part[:] = (see_through * part + (1 - see_through) * 8).astype(np.uint8)
    lettered, truth = written(picture, "in June", (80, 97), colour=(255, 255, 255), scale=0.8)
    found = plate_around(lettered, Box.around(truth), 22)
    assert found is not None
    assert plate.grown(1, (200, 300)).union(found) == found
    assert plate.grown(4, (200, 300)).union(found) == plate.grown(4, (200, 300))


def test_no_plate_where_there_is_none_or_it_is_a_board_of_the_scene():
    lettered, truth = written(waves(120, 300), "in June", (80, 97))
    assert plate_around(lettered, Box.around(truth), 22) is None
    board = waves(120, 300)
    cv2.fillPoly(board, [np.array([[40, 66], [250, 74], [250, 112], [40, 104]])], (8, 8, 8))
    lettered, truth = written(board, "in June", (80, 97), colour=(255, 255, 255))
    assert plate_around(lettered, Box.around(truth), 22) is None


def test_what_reads_well_is_surer(reads):
    picture, truth = written(waves(120, 300), "1994", (150, 100))
    sure = line_around(truth)

    def confidence(**changes):
        reads(line_around(truth, **changes))
        return max((region.confidence for region in lettering_of(picture)), default=0.0)

    assert confidence() > 0.9
    assert confidence(certainty=0.4, score=0.6) < 0.5
    assert confidence(text="?", certainty=0.9) == 0
    assert confidence(text="1") < 0.6 * confidence()
    assert 0.5 < confidence(slope_px=12) < confidence()
    reads(sure, sure)
    assert all(region.kind == "text" for region in lettering_of(picture))


def test_a_single_letter_counts_beside_a_line(reads):
    picture, truth = written(waves(120, 300), "1 94", (150, 100))
    single, rest = truth.copy(), truth.copy()
    single[:, 180:] = False
    rest[:, :180] = False
    one, other = line_around(single, text="1"), line_around(rest, text="94")
    reads(one)
    alone = lettering_of(picture)[0].confidence
    reads(one, other)
    assert min(region.confidence for region in lettering_of(picture)) > alone


def test_a_caption_on_a_plate_is_one_region(reads):
    picture = waves(280, 320)
    picture[60:130, 40:280] = 8
    lettered, first = written(picture, "Lisbon", (60, 88), colour=(255, 255, 255), scale=0.8)
    lettered, second = written(lettered, "harbour", (60, 116), colour=(255, 255, 255), scale=0.8)
    reads(line_around(first, text="Lisbon"), line_around(second, text="harbour"))
    (region,) = lettering_of(lettered)
    assert region.box.union(Box(59, 39, 131, 281)) == region.box and region.mask.all()


def test_without_the_package_the_rules_find_text(monkeypatch):
    picture, truth = written(waves(256, 384), "'94 11 27", (240, 240), scale=0.7)
    monkeypatch.setattr(ocr, "PACKAGE", "no_such_package_of_models")
    reader.cache_clear()
    try:
        assert reader() is None and not reads_well()
        found = lettering_of(picture)
    finally:
        reader.cache_clear()
    assert [region.box for region in found] == [region.box for region in text_rows(picture)]
    assert 0.5 <= found[0].confidence <= 0.95
    assert (mask_of(found, truth.shape) & truth).sum() > 0.9 * truth.sum()
    assert "--no-deps rapidocr" in BETTER_READER


def test_a_package_without_one_of_the_files_is_none(monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / ocr.DETECTOR).write_bytes(b"")
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(ocr, "find_spec", lambda name: spec)
    assert ocr._paths() is None
    (tmp_path / "models" / ocr.RECOGNISER).write_bytes(b"")
    reader.cache_clear()
    try:
        with pytest.raises(ModelError, match=ocr.DETECTOR):
            reader()
    finally:
        reader.cache_clear()


def test_lines_come_from_the_map_and_are_read(monkeypatch):
    chances = np.zeros((64, 160), np.float32)
    chances[20:32, 30:120] = 0.9
    chances[50:52, 10:12] = 0.9  # too small
    chances[40:60, 130:150] = 0.35  # too doubtful
    said = np.zeros((1, 6, 4), np.float32)
    said[0, [0, 1, 2, 3, 4, 5], [1, 1, 0, 2, 2, 3]] = [0.9, 0.8, 0.9, 0.7, 0.9, 0.8]
    recogniser = SimpleNamespace(run=lambda _, given: (said,))
    reading = Reader(SimpleNamespace(), recogniser, ("", "a", "b", " "))
    monkeypatch.setattr(Reader, "chances", lambda *_: chances)
    (line,) = reading.lines(waves(64, 160))
    assert line.text == "ab" and line.certainty == pytest.approx(0.8)
    assert line.score == pytest.approx(0.9)
    assert line.box.top < 20 < 32 < line.box.bottom
    assert line.shape[8:-8, 8:-8].all() and not line.shape[0, 0]
    assert line.corners[0, 0] < 30 and line.corners[1, 0] > 119


def test_tiles_cover_a_large_frame():
    for size in ((1280, 1920), (96, 1920), (992, 640)):
        covered = np.zeros(size, int)
        for outer, inner in ocr._tiles(*size):
            covered[inner.slices] += 1
            assert inner.inside(outer).top >= 0
            assert outer.height % ocr.MULTIPLE_PX == 0 and outer.width % ocr.MULTIPLE_PX == 0
        assert (covered == 1).all()


def test_rows_of_text_are_protected_and_scratches_are_not():
    scratched = waves(256, 384)
    cv2.line(scratched, (50, 10), (70, 240), (250, 250, 250), 2)
    assert not protects(scratched).any()
    lettered, truth = written(scratched, "'94 11 27", (240, 240), scale=0.7)
    assert (protects(lettered) & truth).sum() > 0.9 * truth.sum()
    assert not protects(lettered)[:, :100].any()


@models
def test_the_models_find_a_date_and_leave_a_cat():
    cat = data.chelsea()
    assert not [region for region in lettering_of(cat) if region.confidence >= 0.5]
    picture, truth = written(cat, "'94 11 27", (280, 280), scale=0.8)
    found = [region for region in lettering_of(picture) if region.confidence >= 0.5]
    mask = mask_of(found, truth.shape)
    assert (widened(mask) & truth).sum() >= 0.97 * truth.sum()
    assert mask.mean() < 0.04


@models
def test_the_models_read_upright_and_large_text():
    picture, truth = written(
        data.chelsea(), "harbour 1954", (60, 200), colour=(255, 255, 255), scale=1.2, thick=3
    )
    for turned, where in (
        (np.ascontiguousarray(np.rot90(picture)), np.rot90(truth)),
        (cv2.resize(picture, None, fx=4, fy=4), cv2.resize(truth.view(np.uint8), None, fx=4, fy=4) > 0),
    ):
        found = [region for region in lettering_of(turned) if region.confidence >= 0.5]
        assert (widened(mask_of(found, where.shape)) & where).sum() >= 0.95 * where.sum()


@models
def test_looking_for_the_models_does_not_import_the_package():
    code = (
        "import sys; from remend.damage.ocr import reader; assert reader() and 'rapidocr' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
