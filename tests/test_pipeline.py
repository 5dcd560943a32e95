from dataclasses import dataclass

import numpy as np
import pytest

from made_models import write_mean_filler
from remend.errors import MaskError, ModelError, UsageError
from remend.fill.filler import Capabilities, Filler
from remend.fill.registry import filler_named
from remend.options import Settings
from remend.picture import Bool, Filled, Float, Picture
from remend.pipeline import plan_repair, repair_picture
from remend.plan.plan import Plan

SIZE = (72, 90)


def scene(mode: str, dtype: type = np.uint8, seed: int = 0) -> Picture:
    """Smooth colour with a little noise, in any mode."""
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "P": 1}[mode]
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    base = np.stack([0.3 + 0.4 * (x + k * y) / (SIZE[1] + k * SIZE[0]) for k in range(channels)], axis=2)
    base += rng.normal(0, 0.01, base.shape)
    if mode in ("LA", "RGBA"):
        base[..., -1] = 1
        base[:6, :6, -1] = 0
    if mode == "P":
        palette = np.full((40, 4), 255, np.uint8)
        palette[:, :3] = np.linspace(0, 240, 40)[:, None]
        return Picture((base * 40).astype(np.uint8), "P", palette=palette)
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    return Picture((np.clip(base, 0, 1) * full).astype(dtype), mode)


def scratches() -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[10:13, 5:80] = True
    mask[30:50, 40:60] = True
    mask[0:20, 88:90] = True
    return mask


CASES = [(mode, np.uint8) for mode in ("L", "LA", "RGB", "RGBA", "CMYK", "P")]
CASES += [(mode, dtype) for mode in ("L", "RGB", "RGBA") for dtype in (np.uint16, np.float32)]


@pytest.mark.parametrize("method", ["auto", "telea", "navier-stokes", "biharmonic", "exemplar"])
@pytest.mark.parametrize(("mode", "dtype"), CASES)
def test_outside_the_mask_every_sample_is_bit_identical_and_inside_it_fits(mode, dtype, method):
    picture = scene(mode, dtype)
    truth, mask = picture.samples.copy(), scratches()
    picture.samples[mask] = 0  # whatever lies under the mask must not matter
    restored = repair_picture(picture, mask, Settings(method=method))
    np.testing.assert_array_equal(restored.picture.samples[~mask], truth[~mask])
    assert restored.picture.samples.dtype == dtype
    assert restored.picture.mode == mode
    np.testing.assert_array_equal(restored.changed, mask)
    colour = slice(0, {"LA": 1, "RGBA": 3}.get(mode))
    full = {np.uint8: 255.0, np.uint16: 65535.0, np.float32: 1.0}[dtype] if mode != "P" else 40.0
    error = np.abs(restored.picture.samples[..., colour].astype(float) - truth[..., colour])[mask] / full
    assert error.mean() < 0.05


def test_an_empty_mask_changes_nothing():
    picture = scene("RGB")
    truth = picture.samples.copy()
    restored = repair_picture(picture, np.zeros(SIZE, bool))
    np.testing.assert_array_equal(restored.picture.samples, truth)
    assert restored.plan == Plan(())


def test_same_seed_same_bytes():
    outputs = []
    for _ in range(2):
        restored = repair_picture(scene("RGB"), scratches(), Settings(method="exemplar", seed=7))
        outputs.append(restored.picture.samples)
    np.testing.assert_array_equal(outputs[0], outputs[1])


def test_alpha_stays_unless_asked_for():
    picture = scene("RGBA")
    mask = scratches()
    picture.samples[mask, 3] = 17
    kept = repair_picture(Picture(picture.samples.copy(), "RGBA"), mask).picture
    assert (kept.samples[mask, 3] == 17).all()
    filled = repair_picture(picture, mask, Settings(repair_alpha=True)).picture
    assert (filled.samples[mask, 3] > 200).all()


def test_transparent_colour_is_never_read():
    picture = scene("RGBA")
    picture.samples[...] = (90, 90, 90, 255)
    mask = np.zeros(SIZE, bool)
    mask[30:40, 30:40] = True
    picture.samples[20:50, 20:30] = (255, 0, 255, 0)
    for method in ("telea", "biharmonic", "exemplar"):
        restored = repair_picture(Picture(picture.samples.copy(), "RGBA"), mask, Settings(method=method))
        np.testing.assert_allclose(restored.picture.samples[mask, :3], 90, atol=2, err_msg=method)


def test_missing_data_is_never_read():
    picture = scene("L", np.float32)
    picture.samples[5:60, 20:24] = np.nan
    mask = np.zeros(SIZE, bool)
    mask[30:40, 24:34] = True
    restored = repair_picture(picture, mask).picture
    assert np.isfinite(restored.samples[mask]).all()
    assert np.isnan(restored.samples[5:60, 20:24]).all()


def test_a_hole_that_covers_all_but_far_pixels_finds_them():
    picture = Picture(np.full((300, 300, 3), 60, np.uint8), "RGB")
    mask = np.ones((300, 300), bool)
    mask[:2] = False
    restored = repair_picture(picture, mask, Settings(method="telea"))
    assert np.abs(restored.picture.samples[mask].astype(int) - 60).max() <= 1


@dataclass(frozen=True)
class Watched:
    """A filler that writes down how many pixels it is shown."""

    filler: Filler
    shown: list[int]

    @property
    def name(self) -> str:
        return self.filler.name

    @property
    def capabilities(self) -> Capabilities:
        return self.filler.capabilities

    def fill(
        self, pixels: Float, hole: Bool, *, usable: Bool, prior: Float | None = None, seed: int = 0
    ) -> Filled:
        self.shown.append(hole.size)
        return self.filler.fill(pixels, hole, usable=usable, prior=prior, seed=seed)


@pytest.mark.parametrize("height", [6000, 18_000])
def test_many_holes_that_nobody_sees_cost_a_few_looks_at_the_picture(height):
    samples = np.zeros((height, 40, 4), np.uint8)
    samples[..., :3] = np.random.default_rng(0).integers(0, 256, (height, 40, 3))
    samples[:40] = (90, 120, 60, 255)
    mask = np.zeros((height, 40), bool)
    mask[height // 3 : 2 * height // 3, 13:15] = True
    watched = Watched(filler_named("telea"), [])
    restored = repair_picture(Picture(samples.copy(), "RGBA"), mask, Settings(method=watched, grain=0))
    assert sum(watched.shown) < 3 * mask.size
    np.testing.assert_array_equal(restored.picture.samples[~mask], samples[~mask])
    assert (np.ptp(restored.picture.samples[mask], axis=0) == 0).all(), "what was hidden there is gone"


def test_nothing_to_repair_from_is_said():
    picture = scene("RGBA")
    picture.samples[..., 3] = 0
    with pytest.raises(MaskError, match="no pixel to repair from"):
        repair_picture(picture, scratches())


def test_observers_hear_of_every_step():
    heard = []
    restored = repair_picture(
        scene("RGB"), scratches(), observer=lambda number, count, step, filled: heard.append((number, count))
    )
    count = len(restored.plan.steps)
    assert heard == [(n + 1, count) for n in range(count)]


def test_polish_stays_in_the_hole_unless_the_whole_picture_is_meant():
    mask = scratches()
    picture = scene("RGB")
    truth = picture.samples.copy()
    inside = repair_picture(picture, mask, Settings(sharpen=1.0, denoise=0.3)).picture
    np.testing.assert_array_equal(inside.samples[~mask], truth[~mask])
    everywhere = repair_picture(scene("RGB"), mask, Settings(sharpen=1.0, whole_picture=True))
    assert (everywhere.picture.samples[~mask] != truth[~mask]).any()
    assert everywhere.changed.all()


def test_wrong_names_fail_before_any_work_even_with_an_empty_mask():
    nothing = np.zeros(SIZE, bool)
    with pytest.raises(UsageError, match="unknown method 'magic'"):
        plan_repair(scene("RGB"), nothing, Settings(method="magic"))
    with pytest.raises(ModelError):
        plan_repair(scene("RGB"), nothing, Settings(method="nowhere.onnx"))
    with pytest.raises(UsageError, match="quality"):
        plan_repair(scene("RGB"), nothing, Settings(quality="great"))


def crossed() -> np.ndarray:
    """Lines a pixel wide across the frame, through the holes of ``scratches`` and what lies between."""
    lines = np.zeros(SIZE, bool)
    lines[11, :85], lines[:, 50], lines[40] = True, True, True
    return lines


CARDS = {
    "a window a hole": {},
    "at a smaller scale": {"window_px": 32, "size_multiple": 8},
    "in tiles side by side": {"margin_px": 4, "size_multiple": 8},
}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_every_window_gets_its_part_of_the_lines_and_nothing_else_changes(tmp_path, card, mode):
    method = str(write_mean_filler(tmp_path / "net.onnx", guide=True, constant=0.0, card=card))
    picture, mask, lines = scene(mode), scratches(), crossed()
    truth = picture.samples.copy()
    settings = Settings(method=method, grain=0)
    plain = repair_picture(scene(mode), mask, settings)
    drawn = repair_picture(picture, mask, settings, guide=lines)
    np.testing.assert_array_equal(drawn.picture.samples[~mask], truth[~mask])
    assert drawn.plan.fillers == plain.plan.fillers
    changed = (drawn.picture.samples != plain.picture.samples).any(axis=2)
    # Two of the three holes have lines, and along every pixel of those the answer is another.
    assert changed[mask & lines].all()
    assert changed[30:50, 40:60].any(axis=0).all()
    assert changed[30:50, 40:60].any(axis=1).all()


def test_lines_that_nobody_follows_are_refused():
    for method in ("auto", "telea", "exemplar"):
        with pytest.raises(UsageError, match=f"the method {method} follows no lines: .*onnx"):
            plan_repair(scene("RGB"), scratches(), Settings(method=method), guide=crossed())


def test_lines_of_another_shape_are_refused():
    with pytest.raises(UsageError, match="a guide is bool of the picture's shape"):
        repair_picture(scene("RGB"), scratches(), Settings(method="telea"), guide=np.zeros((3, 4), bool))
